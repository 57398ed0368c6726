//! `zoe user`: users and their quotas.

use clap::{Args, Subcommand, ValueEnum};

use super::args::list::{PlainForm, PlainFormat};
use super::error::CommandError;
use super::session::{Done, Session};
use crate::mail::is_address;
use crate::model::ids::shorten;
use crate::model::{Bytes, Cores, Limit, MailOn};
use crate::ops::accounts::{self, Entry, LimitsEntry};
use crate::output::users;
use crate::store::Role;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe user add ada --mail ada@example.org --cores 16 --memory 64g
zoe user set ada --hours 500 --executions none    none: no limit; default: what everybody has
zoe user set ada --mail-on end                    write at every end, not only at bad ones
zoe user show                                     what you may have, have, and have used
zoe user show ada                                 the same of another
zoe user ls";

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum UserCommand {
    /// Enter a user
    Add(EntryArgs),
    /// Change what is known of a user
    Set(EntryArgs),
    /// List the users that were entered
    Ls(PlainForm),
    /// Show what a user may have, has, and has used
    Show(ShowArgs),
    /// Remove a user; what everybody may have counts then
    Rm(NameArgs),
}

/// Arguments of `add` and `set`.
#[derive(Debug, Clone, Args)]
pub struct EntryArgs {
    /// The user's name, as the operating system has it
    #[arg(value_name = "NAME")]
    name: String,
    /// Where mail goes; empty for nowhere
    #[arg(long, value_name = "ADDRESS", value_parser = mail)]
    mail: Option<String>,
    /// When to write about an execution that does not say: end, fail (when it did not end well), never, or default
    #[arg(long, value_name = "WHEN", value_enum, hide_possible_values = true)]
    mail_on: Option<WhenArg>,
    /// user; or admin: once there is one, only admins (and root) end, hold, resize or enter others' executions and change
    /// users
    #[arg(long, value_name = "ROLE", value_enum, hide_possible_values = true)]
    role: Option<RoleArg>,
    /// How many executions may run at once
    #[arg(long, value_name = "N", value_parser = number, help_heading = "Quota (a number, none, or default)")]
    executions: Option<LimitArg>,
    /// How many cores they may hold together
    #[arg(long, value_name = "CORES", value_parser = cores, help_heading = "Quota (a number, none, or default)")]
    cores: Option<LimitArg>,
    /// How much memory they may hold together
    #[arg(long, value_name = "SIZE", value_parser = memory, help_heading = "Quota (a number, none, or default)")]
    memory: Option<LimitArg>,
    /// How many core-hours may be used in the time that counts ([quota] window)
    #[arg(long, value_name = "HOURS", value_parser = number, help_heading = "Quota (a number, none, or default)")]
    hours: Option<LimitArg>,
}

/// Arguments of `show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The user's name; your own where none is given
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    form: PlainForm,
}

/// Arguments of `rm`.
#[derive(Debug, Clone, Args)]
pub struct NameArgs {
    /// The user's name
    #[arg(value_name = "NAME")]
    name: String,
}

/// The word for when a user is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WhenArg {
    /// When it ends
    End,
    /// When it does not end well
    Fail,
    /// Never
    Never,
    /// As the configuration says
    Default,
}

impl From<WhenArg> for Option<MailOn> {
    fn from(arg: WhenArg) -> Self {
        match arg {
            WhenArg::End => Some(MailOn::End),
            WhenArg::Fail => Some(MailOn::Fail),
            WhenArg::Never => Some(MailOn::Never),
            WhenArg::Default => None,
        }
    }
}

/// The word for a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleArg {
    /// What everybody may
    User,
    /// Also what concerns others
    Admin,
}

/// A limit as it is written: `none`, `default`, or an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LimitArg(Option<Limit>);

fn limit(text: &str, amount: impl Fn(&str) -> Result<u64, String>) -> Result<LimitArg, String> {
    Ok(LimitArg(match text {
        "none" => Some(Limit::Unlimited),
        "default" => None,
        other => Some(Limit::At(amount(other)?)),
    }))
}

fn number(text: &str) -> Result<LimitArg, String> {
    limit(text, |text| match text.parse::<u32>() {
        Ok(number) => Ok(number.into()),
        Err(_) => Err(format!(
            "'{}' is not a whole number; write one, none or default",
            shorten(text)
        )),
    })
}

fn cores(text: &str) -> Result<LimitArg, String> {
    limit(text, |text| {
        let cores = text.parse::<Cores>().map_err(|error| error.to_string());
        cores.map(Cores::millis)
    })
}

fn memory(text: &str) -> Result<LimitArg, String> {
    limit(text, |text| {
        let memory = text.parse::<Bytes>().map_err(|error| error.to_string());
        memory.map(Bytes::get)
    })
}

pub(super) fn mail(text: &str) -> Result<String, String> {
    if text.is_empty() || is_address(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "'{}' is not a mail address; write name@host, in ASCII",
        shorten(text)
    ))
}

/// Does it.
pub async fn run(command: UserCommand, session: &Session) -> Done {
    let context = match &command {
        UserCommand::Ls(_) | UserCommand::Show(_) => session.context().await?,
        UserCommand::Add(_) | UserCommand::Set(_) | UserCommand::Rm(_) => session.history()?,
    };
    let look = &session.face.look;
    match command {
        UserCommand::Add(args) => {
            let (name, entry) = entry(args);
            accounts::enter(&context, &name, entry, true).await?;
        }
        UserCommand::Set(args) => {
            let (name, entry) = entry(args);
            if entry == Entry::default() {
                return Err(CommandError::usage("nothing is to be set")
                    .hint("`zoe user set --help` lists what can be"));
            }
            accounts::enter(&context, &name, entry, false).await?;
        }
        UserCommand::Rm(args) => accounts::remove(&context, &args.name).await?,
        UserCommand::Ls(form) => {
            let all = accounts::list(&context).await?;
            session.face.print(&match form.output {
                PlainFormat::Table => users::table(&all, look),
                PlainFormat::Json => users::json(&all),
            })?;
        }
        UserCommand::Show(args) => {
            let name = args.name.as_deref().unwrap_or(&context.settings.user);
            let user = accounts::show(&context, name).await?;
            session.face.print(&match args.form.output {
                PlainFormat::Table => users::table(std::slice::from_ref(&user), look),
                PlainFormat::Json => users::one_json(&user),
            })?;
        }
    }
    Ok(0)
}

fn entry(args: EntryArgs) -> (String, Entry) {
    let set = |limit: Option<LimitArg>| limit.map(|LimitArg(limit)| limit);
    let role = args.role.map(|role| match role {
        RoleArg::User => Role::User,
        RoleArg::Admin => Role::Admin,
    });
    let entry = Entry {
        mail: args.mail,
        mail_on: args.mail_on.map(Into::into),
        role,
        limits: LimitsEntry {
            executions: set(args.executions),
            cores: set(args.cores),
            memory: set(args.memory),
            hours: set(args.hours),
        },
    };
    (args.name, entry)
}
