//! `zoe cluster`: an empty Spark cluster.

use clap::Args;

use super::args::launch::{ClusterArgs, LaunchArgs};
use super::attach::{self, Stay};
use super::session::{Done, Session};
use crate::ops::submit::launch;
use crate::ops::view::ExecutionView;
use crate::output::text::clean;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe cluster                                  two small workers
zoe cluster --workers 8 --worker-memory 4g   larger ones
zoe kill last                                end it";

/// Arguments of `zoe cluster`.
#[derive(Debug, Clone, Args)]
pub struct ClusterCommand {
    #[command(flatten)]
    launch: LaunchArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Starts one and prints where it is once the workers have registered.
pub async fn run(args: ClusterCommand, session: &Session) -> Done {
    let common = session.common(
        &args.launch,
        Some(&args.cluster),
        None,
        Vec::new(),
        None,
        Vec::new(),
    )?;
    let submission = launch::application(launch::built_in("spark-cluster")?, common)?;
    let context = session.context().await?;
    attach::serve(
        session,
        &context,
        &submission,
        Stay::leave(args.launch.detach),
        place,
    )
    .await
}

/// Where Spark programs connect, and where people look.
fn place(view: &ExecutionView) -> String {
    let master = view
        .containers
        .iter()
        .find(|c| c.component == "master")
        .and_then(|c| c.address);
    let address = master
        .map(|address| format!("spark://{address}:7077\n"))
        .unwrap_or_default();
    let pages = view
        .urls
        .iter()
        .filter(|url| url.name.starts_with("master/"));
    pages.fold(address, |text, url| text + &clean(&url.url) + "\n")
}
