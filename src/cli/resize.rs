//! `zoe resize`: more members for what runs, or fewer.

use clap::Args;

use super::args::list::{PlainForm, PlainFormat};
use super::args::values;
use super::session::{Done, Session};
use crate::ops::resize::{self, Request, Resized};
use crate::output::resized;

/// The exit code where there was room for some of the members only.
const PARTLY: u8 = 1;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe cluster --workers 2 --max-workers 8     two workers, up to eight as there is room
zoe resize last 8                           as many more as fit now
zoe resize nightly worker 2                 back to two; the last ones go first";

/// Arguments of `zoe resize`.
#[derive(Debug, Clone, Args)]
#[command(allow_missing_positional = true)]
pub struct ResizeArgs {
    /// An id or its beginning, a name, or 'last'
    #[arg(value_name = "EXEC", required = true)]
    execution: String,
    /// The component; left out, the only one that can be resized
    #[arg(value_name = "COMPONENT", allow_negative_numbers = true)]
    component: Option<String>,
    /// How many members it is to have: from its core up to the most that it may have
    #[arg(value_name = "N", required = true, value_parser = values::members, allow_negative_numbers = true)]
    members: u32,
    #[command(flatten)]
    form: PlainForm,
}

/// Resizes it, and prints how many members it has once the new ones run. Exits with 1 where there is no room for all.
pub async fn run(args: ResizeArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let request = Request {
        execution: args.execution,
        component: args.component,
        members: args.members,
    };
    let reporter = session.face.reporter();
    let resized = resize::resize(&context, &request, &reporter).await?;
    reporter.step_aside();
    tell(session, &resized);
    session.face.print(&match args.form.output {
        PlainFormat::Table => format!("{}\n", resized.members),
        PlainFormat::Json => resized::json(&resized),
    })?;
    Ok(if resized.members == resized.wanted {
        0
    } else {
        PARTLY
    })
}

fn tell(session: &Session, resized: &Resized) {
    let Resized {
        id,
        component,
        before,
        wanted,
        members,
        reason,
    } = resized;
    if before == members && members == wanted {
        session.face.note(&format!(
            "'{component}' of {id} has {members} members already"
        ));
        return;
    }
    if members == wanted {
        let text = format!("'{component}' of {id} has {members} members now; it had {before}");
        session.face.note(&text);
        return;
    }
    let why = reason.as_deref().unwrap_or("some have ended meanwhile");
    session.face.note(&format!(
        "'{component}' of {id} has {members} of {wanted} members; it had {before}: {why}"
    ));
}
