//! `zoe hold` and `zoe release`: keeping back what waits, and letting it go on.

use clap::Args;

use super::session::{Done, Session};
use crate::ops;

/// Examples in the help of `hold`.
pub const HOLD_EXAMPLES: &str = "\
zoe hold nightly        it keeps its place and lets others past
zoe release nightly     it goes on";

/// Examples in the help of `release`.
pub const RELEASE_EXAMPLES: &str = "\
zoe submit --hold -d job.py
zoe release last        it starts if there is room";

/// Arguments of both.
#[derive(Debug, Clone, Args)]
pub struct HoldArgs {
    /// Ids or their beginnings, names, or 'last'
    #[arg(value_name = "EXEC", required = true)]
    executions: Vec<String>,
}

/// Keeps them back and prints their ids.
pub async fn hold(args: HoldArgs, session: &Session) -> Done {
    let context = session.context().await?;
    for id in ops::hold::hold(&context, &args.executions).await? {
        session.face.print(&format!("{id}\n"))?;
    }
    Ok(0)
}

/// Lets them go on and prints their ids.
pub async fn release(args: HoldArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let reporter = session.face.reporter();
    let released = ops::hold::release(&context, &args.executions, &reporter).await?;
    reporter.step_aside();
    for id in released {
        session.face.print(&format!("{id}\n"))?;
    }
    Ok(0)
}
