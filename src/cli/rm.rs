//! `zoe rm`: forgets executions that are over.

use clap::Args;

use super::session::{Done, Session};
use crate::ops;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe rm k3fq2abc            forget one that is over: its place in history, and its logs
zoe rm --force nightly     end it first, if it is not over";

/// Arguments of `zoe rm`.
#[derive(Debug, Clone, Args)]
pub struct RmArgs {
    /// Ids or their beginnings, names, or 'last'
    #[arg(value_name = "EXEC", required = true)]
    executions: Vec<String>,
    /// End those that are alive
    #[arg(short, long)]
    force: bool,
}

/// Forgets them and prints their ids.
pub async fn run(args: RmArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let reporter = session.face.reporter();
    let removed = ops::kill::remove(&context, &args.executions, args.force, &reporter).await?;
    reporter.step_aside();
    for id in removed {
        session.face.print(&format!("{id}\n"))?;
    }
    Ok(0)
}
