//! `zoe run`: any application, built in or from a description.

use clap::Args;

use super::args::launch::LaunchArgs;
use super::args::terms::BatchArgs;
use super::args::values;
use super::attach::{self, Stay};
use super::session::{Done, Session};
use crate::model::Application;
use crate::ops::submit::launch;
use crate::output::detail;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe run jupyter                          a built-in application (zoe app ls)
zoe run mine.toml --set worker.core=4    one of your own
zoe app show dask-cluster > mine.toml    begin with a built-in one";

/// Arguments of `zoe run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// A file with the description (.toml or .json), or a built-in application's name
    #[arg(value_name = "APP")]
    application: String,
    /// Arguments for the component whose exit ends it
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<String>,
    /// Run it only if nothing was run with this key before; otherwise attach to that, or return its exit code
    #[arg(long, value_name = "KEY", value_parser = values::key)]
    key: Option<String>,
    #[command(flatten)]
    launch: LaunchArgs,
    #[command(flatten)]
    batch: BatchArgs,
}

/// Runs it: to its end if it works towards one, otherwise until it is ready.
pub async fn run(args: RunArgs, session: &Session) -> Done {
    let common = session.common(
        &args.launch,
        None,
        Some(&args.batch),
        Vec::new(),
        args.key,
        args.arguments,
    )?;
    let submission = launch::application(launch::find(&args.application)?, common)?;
    let context = session.context().await?;
    if serves(&submission.application) && submission.terms.array.is_none() {
        attach::serve(
            session,
            &context,
            &submission,
            Stay::leave(args.launch.detach),
            |view| detail::addresses(&view.urls),
        )
        .await
    } else {
        attach::launch(session, &context, &submission, args.launch.detach).await
    }
}

/// Whether it is there to be connected to: it has no monitor, or one that can be asked whether it is ready.
fn serves(application: &Application) -> bool {
    let monitor = application
        .monitor
        .as_ref()
        .and_then(|name| application.component(name));
    monitor.is_none_or(|component| component.ready.is_some())
}
