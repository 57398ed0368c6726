//! `zoe mail`: whether mail arrives, and what became of it.

use clap::{Args, Subcommand};

use super::args::list::{PlainForm, PlainFormat};
use super::error::CommandError;
use super::session::{Done, Session};
use super::user;
use crate::ops::mail;
use crate::ops::mail::outbox::{self, Wish};
use crate::output::mails;
use crate::store::LetterState;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe mail test ada@example.org       send a mail now, and say what the server says
zoe mail queue                      what waits, and why, and what was given up
zoe mail retry                      what was given up, once more
zoe mail drop k3f2m9qa.end          not to be sent";

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum MailCommand {
    /// Send a mail now that only shows that mail arrives
    Test(TestArgs),
    /// List the mails that wait to be sent or were given up
    Queue(QueueArgs),
    /// Send what is due, as `zoe watch` does
    Send,
    /// Have mails tried again: those named, or all that were given up
    Retry(NamedArgs),
    /// Have mails not sent: those named, or all that were given up
    Drop(NamedArgs),
}

/// Arguments of `test`.
#[derive(Debug, Clone, Args)]
pub struct TestArgs {
    /// Where to
    #[arg(value_name = "ADDRESS", value_parser = address)]
    address: String,
}

/// Arguments of `queue`.
#[derive(Debug, Clone, Args)]
pub struct QueueArgs {
    /// Only what was given up
    #[arg(long, conflicts_with = "all")]
    failed: bool,
    /// Also what was sent or dropped, as long as that is remembered (30 days)
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    form: PlainForm,
}

/// Arguments of `retry` and `drop`.
#[derive(Debug, Clone, Args)]
pub struct NamedArgs {
    /// Ids of mails, or their beginnings; an execution's is one
    #[arg(value_name = "MAIL")]
    mails: Vec<String>,
}

fn address(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it is empty; write such as ada@example.org".to_owned());
    }
    user::mail(text)
}

/// Does it.
pub async fn run(command: MailCommand, session: &Session) -> Done {
    let context = session.history()?;
    match command {
        MailCommand::Test(args) => {
            mail::test(&context, &args.address).await?;
            session.face.note(&format!(
                "the mail server has taken a mail to {}",
                args.address
            ));
        }
        MailCommand::Queue(args) => {
            let only = args.failed.then_some(LetterState::Failed);
            let mut all = outbox::queue(&context, only).await?;
            all.retain(|one| {
                args.all || matches!(one.state, LetterState::Waiting | LetterState::Failed)
            });
            session.face.print(&match args.form.output {
                PlainFormat::Table => mails::table(&all, &session.face.look),
                PlainFormat::Json => mails::json(&all),
            })?;
        }
        MailCommand::Send => {
            let delivery = mail::send(&context).await?;
            for cover in &delivery.sent {
                session.face.print(&format!("{}\n", cover.id))?;
            }
            for (cover, why) in &delivery.given_up {
                session
                    .face
                    .warn(&format!("{} was given up: {why}", cover.id));
            }
            if let Some(why) = &delivery.no_server {
                return Err(CommandError::failed(why.clone())
                    .hint("what is due stays in the queue; `zoe mail test` shows whether the server answers"));
            }
            for (cover, why) in &delivery.put_off {
                session.face.warn(&format!("{} waits: {why}", cover.id));
            }
            if !(delivery.given_up.is_empty() && delivery.put_off.is_empty()) {
                return Ok(1);
            }
        }
        MailCommand::Retry(args) => tell(session, &context, Wish::Retry, &args).await?,
        MailCommand::Drop(args) => tell(session, &context, Wish::Drop, &args).await?,
    }
    Ok(0)
}

async fn tell(
    session: &Session,
    context: &crate::ops::Context,
    wish: Wish,
    args: &NamedArgs,
) -> Result<(), CommandError> {
    for id in outbox::change(context, wish, &args.mails).await? {
        session.face.print(&format!("{id}\n"))?;
    }
    Ok(())
}
