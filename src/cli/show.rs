//! `zoe show`: one execution in full.

use clap::Args;

use super::args::list::{PlainForm, PlainFormat};
use super::session::{Done, Session};
use crate::ops;
use crate::output::{detail, schema};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe show last                         the one submitted last
zoe show k3f                          the beginning of an id will do
zoe show nightly -o json | jq .state  for scripts (docs/json.md)";

/// Arguments of `zoe show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// An id or its beginning, a name, or 'last'
    #[arg(value_name = "EXEC")]
    execution: String,
    #[command(flatten)]
    form: PlainForm,
}

/// Prints it.
pub async fn run(args: ShowArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let shown = ops::list::show(&context, &args.execution).await?;
    let text = match args.form.output {
        PlainFormat::Json => schema::pretty(&schema::Detail::from(&shown.view)),
        PlainFormat::Table => {
            let events: Vec<_> = shown
                .events
                .iter()
                .map(|e| detail::Happening {
                    at: e.at,
                    kind: &e.kind,
                    detail: &e.detail,
                })
                .collect();
            detail::execution(&shown.view, &session.face.look)
                + &detail::timeline(&events, &session.face.look)
        }
    };
    session.face.print(&text)?;
    Ok(0)
}
