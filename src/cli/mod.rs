//! The command line: what can be typed, and for each command one file with its arguments, one call to `ops` and its view.
//!
//! Nothing is decided here. Standard output carries data only; exit codes are those of [`error::EXIT_CODES`].

pub mod error;
pub mod face;

mod app;
mod args;
mod attach;
mod cluster;
mod completions;
mod config;
mod db;
mod exec;
mod explain;
mod global;
mod help;
mod history;
mod hold;
mod images;
mod keep;
mod kill;
mod logs;
mod mail;
mod man;
mod notebook;
mod open;
mod proxy;
mod ps;
mod queue;
mod resize;
mod resubmit;
mod rm;
mod run;
mod session;
mod show;
mod simulate;
mod status;
mod submit;
mod top;
mod user;
mod wait;
mod watch;
mod write_config;

use std::ffi::OsString;
use std::io::Write as _;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config::Surroundings;
use crate::ops::World;
use error::CommandError;
use face::{Face, Terminal, Wishes};
use session::{Done, Session};

/// Spark clusters, notebooks and batch jobs on Docker, from one command.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "zoe",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(flatten)]
    global: global::GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Run a batch job on a Spark cluster of its own
    Submit(submit::SubmitArgs),
    /// Start an empty Spark cluster
    Cluster(cluster::ClusterCommand),
    /// Start a Jupyter notebook with a Spark cluster behind it
    Notebook(notebook::NotebookCommand),
    /// Run any application
    Run(run::RunArgs),
    /// List what is alive, and why what waits does
    Ps(ps::PsArgs),
    /// List what waits, the next first, with what it waits for
    Queue(queue::QueueCommand),
    /// Say why an execution waits, in full
    Explain(explain::ExplainArgs),
    /// Show one execution in full
    Show(show::ShowArgs),
    /// Tell the address of a web interface
    Open(open::OpenArgs),
    /// Print what an execution wrote
    Logs(logs::LogsArgs),
    /// Show what executions use now
    Top(top::TopArgs),
    /// List what has been
    History(history::HistoryArgs),
    /// Show the nodes and what is free
    Status(status::StatusArgs),
    /// Say what a workload would meet on other nodes, or under another policy
    Simulate(simulate::SimulateArgs),
    /// Run a command inside an execution
    Exec(exec::ExecArgs),
    /// Wait until executions run or are over
    Wait(wait::WaitArgs),
    /// Keep executions back that wait
    Hold(hold::HoldArgs),
    /// Let executions go on that are held
    Release(hold::HoldArgs),
    /// Run the same again, but for what is said otherwise
    Resubmit(resubmit::ResubmitArgs),
    /// Give what runs more members, or fewer
    Resize(resize::ResizeArgs),
    /// Keep an execution though nobody uses it
    Keep(keep::KeepArgs),
    /// End executions
    Kill(kill::KillArgs),
    /// Forget executions that are over
    Rm(rm::RmArgs),
    /// Keep everything moving in the background: start what waits, end what is over
    Watch(watch::WatchArgs),
    /// List, show and check application descriptions
    #[command(subcommand)]
    App(app::AppCommand),
    /// Enter users, and say what each may have
    #[command(subcommand)]
    User(user::UserCommand),
    /// Look after the database: make it, bring it up to date, move it
    #[command(subcommand)]
    Db(db::DbCommand),
    /// Set up, show and check the web server before the applications
    #[command(subcommand)]
    Proxy(proxy::ProxyCommand),
    /// Try whether mail arrives, and look after what could not be sent
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// Build, list and push the images
    #[command(subcommand)]
    Images(images::ImagesCommand),
    /// Write a commented sample of the configuration
    WriteConfig(write_config::WriteConfigArgs),
    /// Show or check the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print what a shell needs to complete the command line
    Completions(completions::CompletionsArgs),
    /// Write the manual pages
    Man(man::ManArgs),
}

/// How the log on standard error is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tracing {
    /// What is in it, as `tracing-subscriber` reads it.
    pub filter: &'static str,
    /// Whether each line is a JSON object.
    pub json: bool,
    /// Whether each line says which part of the program wrote it.
    pub with_target: bool,
}

/// What the process brings along.
pub struct Process {
    /// Environment, directories, user.
    pub around: Surroundings,
    /// Its standard streams.
    pub terminal: Terminal,
    /// Time and chance.
    pub world: Arc<dyn World>,
}

/// Reads the command line. Help, version and mistakes are answered here, before anything else is looked at; what is left
/// then is the exit code.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, u8> {
    let parsed = help::complete(Cli::command())
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| {
        // Nobody may be there to read it; the exit code says it all the same.
        let _ = match wrong_value(&error) {
            Some(sentence) => writeln!(
                std::io::stderr(),
                "error: {}\nhint: --help tells what can be written",
                crate::output::text::clean_lines(&sentence)
            ),
            None => print(&error),
        };
        u8::try_from(error.exit_code()).unwrap_or(2)
    })
}

/// As it comes, with its colours; but what was typed may be in it, which must not steer the terminal.
fn print(error: &clap::Error) -> std::io::Result<()> {
    let plain = error.render().to_string();
    match crate::output::text::clean_lines(&plain) {
        std::borrow::Cow::Borrowed(_) => error.print(),
        std::borrow::Cow::Owned(safe) => write!(std::io::stderr(), "{safe}"),
    }
}

/// A value that its parser refused, in the parser's own words: they quote it already, shortened and harmless.
fn wrong_value(error: &clap::Error) -> Option<String> {
    if error.kind() != clap::error::ErrorKind::ValueValidation {
        return None;
    }
    let argument = error.get(clap::error::ContextKind::InvalidArg)?;
    let why = std::error::Error::source(error)?;
    Some(format!("{argument}: {why}"))
}

impl Cli {
    /// What is to be traced, and how; `None` where nothing is.
    pub fn tracing(&self) -> Option<Tracing> {
        let log = if let Command::Watch(args) = &self.command {
            Some(args.log_format == watch::LogFormat::Json)
        } else {
            None
        };
        let filter = match (self.global.verbose, log, self.global.quiet) {
            (0, None, _) => return None,
            (0, Some(_), true) => "zoe=warn",
            (0, Some(_), false) => "zoe::watch=info,zoe=warn",
            (1, ..) => "zoe=debug",
            (2.., ..) => "zoe=trace,bollard=debug,sqlx=debug",
        };
        Some(Tracing {
            filter,
            json: log.unwrap_or_default(),
            with_target: self.global.verbose > 0,
        })
    }
}

/// Does what was asked and gives the exit code; what went wrong is told on standard error.
pub fn run(cli: Cli, process: Process) -> u8 {
    let env = |name| process.around.env.get_even_empty(name);
    let wishes = Wishes {
        no_color: env("NO_COLOR"),
        columns: env("COLUMNS"),
        term: env("TERM"),
    };
    let face = Face::new(&cli.global, process.terminal, wishes, process.world.now());
    let session = Session::new(&cli.global, face, process.around, process.world);
    let done = with_runtime(cli.command, &session);
    done.unwrap_or_else(|error| {
        session.face.fail(&error);
        error.kind.code()
    })
}

fn with_runtime(command: Command, session: &Session) -> Done {
    // One thread: what zoe does is waiting, and a second thread costs start-up time.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::failed(format!("cannot start: {error}")))?;
    let done = runtime.block_on(asynchronous(command, session));
    // A read of standard input that is still blocked must not keep the process.
    runtime.shutdown_background();
    done
}

async fn asynchronous(command: Command, session: &Session) -> Done {
    match command {
        Command::Submit(args) => submit::run(args, session).await,
        Command::Cluster(args) => cluster::run(args, session).await,
        Command::Notebook(args) => notebook::run(args, session).await,
        Command::Run(args) => run::run(args, session).await,
        Command::Ps(args) => ps::run(args, session).await,
        Command::Queue(args) => queue::run(args, session).await,
        Command::Explain(args) => explain::run(args, session).await,
        Command::Show(args) => show::run(args, session).await,
        Command::Open(args) => open::run(args, session).await,
        Command::Logs(args) => logs::run(args, session).await,
        Command::Top(args) => top::run(args, session).await,
        Command::History(args) => history::run(args, session).await,
        Command::Status(args) => status::run(args, session).await,
        Command::Exec(args) => exec::run(args, session).await,
        Command::Wait(args) => wait::run(args, session).await,
        Command::Hold(args) => hold::hold(args, session).await,
        Command::Release(args) => hold::release(args, session).await,
        Command::Resubmit(args) => resubmit::run(args, session).await,
        Command::Resize(args) => resize::run(args, session).await,
        Command::Keep(args) => keep::run(args, session).await,
        Command::Kill(args) => kill::run(args, session).await,
        Command::Rm(args) => rm::run(args, session).await,
        Command::Watch(args) => watch::run(args, session).await,
        Command::Db(command) => db::run(command, session).await,
        Command::Proxy(command) => proxy::run(command, session).await,
        Command::Images(command) => images::run(command, session).await,
        Command::Simulate(args) => simulate::run(&args, session),
        Command::User(command) => user::run(command, session).await,
        Command::Mail(command) => mail::run(command, session).await,
        Command::App(command) => app::run(&command, session),
        Command::WriteConfig(args) => write_config::run(&args, session),
        Command::Config(command) => config::run(&command, session),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args, &session.around.cwd),
    }
}
