//! `zoe explain`: why an execution waits, in full.

use clap::Args;

use super::args::list::{PlainForm, PlainFormat};
use super::session::{Done, Session};
use crate::ops;
use crate::output::queue;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe explain last                                    what it waits for, and what each node lacks for it
zoe explain nightly -o json | jq .wait.latest_start for scripts (docs/json.md)";

/// Arguments of `zoe explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// An id or its beginning, a name, or 'last'
    #[arg(value_name = "EXEC")]
    execution: String,
    #[command(flatten)]
    form: PlainForm,
}

/// Prints it.
pub async fn run(args: ExplainArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let explanation = ops::queue::explain::explain(&context, &args.execution).await?;
    session.face.print(&match args.form.output {
        PlainFormat::Table => queue::explanation(&explanation, &session.face.look),
        PlainFormat::Json => queue::explanation_json(&explanation),
    })?;
    Ok(0)
}
