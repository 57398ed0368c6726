//! `zoe wait`: until executions run, or are over.

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use super::args::values;
use super::session::{Done, Session, job_code};
use crate::ops;
use crate::ops::wait::{Until, Waited};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe wait last && echo it went well         exits as the job did
zoe wait a b c --timeout 2h                the largest of the exit codes; 124 if time runs out
zoe wait --for running notebook            until it is ready";

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WaitFor {
    /// Until it runs and is ready
    Running,
    /// Until it is over
    Ended,
}

/// Arguments of `zoe wait`.
#[derive(Debug, Clone, Args)]
pub struct WaitArgs {
    /// Ids or their beginnings, names, or 'last'
    #[arg(value_name = "EXEC", required = true)]
    executions: Vec<String>,
    /// What to wait for: running (and ready), or ended
    #[arg(
        long = "for",
        value_enum,
        default_value = "ended",
        value_name = "STATE",
        hide_possible_values = true
    )]
    until: WaitFor,
    /// Wait no longer than this (exit code 124); the executions go on
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    timeout: Option<SignedDuration>,
}

/// Waits, and exits with the largest exit code.
pub async fn run(args: WaitArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let until = match args.until {
        WaitFor::Running => Until::Running,
        WaitFor::Ended => Until::Ended,
    };
    let deadline = args
        .timeout
        .and_then(|length| context.now().checked_add(length).ok());
    let reporter = session.face.reporter();
    let waited = ops::wait::wait(&context, &args.executions, until, deadline, &reporter).await?;
    reporter.step_aside();
    let codes = waited.iter().map(|(id, waited)| match waited {
        Waited::Running(_) => 0,
        Waited::Ended(outcome) => {
            let code = job_code(outcome.exit_code());
            if until == Until::Running {
                session
                    .face
                    .note(&format!("{id} is over already (exit code {code})"));
            }
            code
        }
    });
    Ok(codes.max().unwrap_or(125))
}
