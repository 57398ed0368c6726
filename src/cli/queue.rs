//! `zoe queue`: what waits, in the order in which it will start.

use clap::Args;

use super::args::list::{PlainForm, PlainFormat};
use super::session::{Done, Session};
use crate::ops;
use crate::output::queue;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe queue                                  the next first, with what each waits for
zoe queue -o json | jq '.[0].waits_for'    for scripts (docs/json.md)";

/// Arguments of `zoe queue`.
#[derive(Debug, Clone, Args)]
pub struct QueueCommand {
    #[command(flatten)]
    form: PlainForm,
}

/// Prints the line.
pub async fn run(args: QueueCommand, session: &Session) -> Done {
    let context = session.context().await?;
    let line = ops::queue::queue(&context).await?;
    session.tell_oddities(&line.anomalies, &line.gaps);
    session.face.print(&match args.form.output {
        PlainFormat::Table => queue::table(&line.entries, &session.face.look),
        PlainFormat::Json => queue::json(&line.entries),
    })?;
    Ok(0)
}
