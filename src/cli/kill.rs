//! `zoe kill`: ends executions.

use std::io::BufRead as _;

use clap::Args;

use super::error::{CommandError, DEGRADED};
use super::session::{Done, Session};
use crate::model::ExecutionId;
use crate::ops::kill::{Killed, Selection};
use crate::ops::{self, Context};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe kill last
zoe kill nightly k3f
zoe kill --all -y        everything in the deployment, without a question";

/// Arguments of `zoe kill`.
#[derive(Debug, Clone, Args)]
pub struct KillArgs {
    /// Ids or their beginnings, names, or 'last'
    #[arg(
        value_name = "EXEC",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    executions: Vec<String>,
    /// All of the deployment; where there are admins and you are none, all of yours
    #[arg(long)]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Ends them and prints their ids once nothing of them is left.
pub async fn run(args: KillArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let selection = if args.all {
        if !args.yes && !confirmed(session, &context).await? {
            session.face.note("nothing was ended");
            return Ok(0);
        }
        Selection::All
    } else {
        Selection::Named(args.executions)
    };
    let reporter = session.face.reporter();
    let killed = ops::kill::kill(&context, &selection, &reporter).await?;
    reporter.step_aside();
    if killed.is_empty() {
        session.face.note("nothing is alive");
    }
    for one in killed {
        match one {
            Killed::Gone(id) => session.face.print(&format!("{id}\n"))?,
            Killed::WasOver(id) => session.face.note(&format!("{id} was over already")),
        }
    }
    let left = ops::proxy::left(&context);
    if left.is_empty() {
        return Ok(0);
    }
    let left: Vec<&str> = left.iter().map(ExecutionId::as_str).collect();
    session.face.warn(&format!(
        "the web server still has the routes of {}, which may lead to somebody else; `zoe proxy sync` takes them out when they can be written",
        left.join(", ")
    ));
    Ok(DEGRADED)
}

/// Asks a person; who is none must say `--yes`.
async fn confirmed(session: &Session, context: &Context) -> Result<bool, CommandError> {
    if !session.face.terminal.input {
        return Err(CommandError::usage(
            "--all ends everything in the deployment and nobody is there to be asked",
        )
        .hint("add --yes"));
    }
    let alive = ops::kill::count_all(context).await?;
    if alive == 0 {
        return Ok(true);
    }
    session.face.ask(&format!(
        "End all {alive} executions of deployment '{}'? [y/N] ",
        context.settings.deployment
    ));
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|e| CommandError::failed(format!("cannot read the answer: {e}")))?;
    Ok(matches!(
        answer.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}
