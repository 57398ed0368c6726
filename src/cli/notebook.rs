//! `zoe notebook`: Jupyter with a Spark cluster behind it.

use clap::Args;

use super::args::launch::{ClusterArgs, LaunchArgs, sizes};
use super::args::values;
use super::attach::{self, Stay};
use super::session::{Done, Session};
use crate::model::{Bytes, Cores};
use crate::ops::submit::launch;
use crate::ops::view::ExecutionView;
use crate::output::text::clean;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe notebook                             print the URL, with its token, once it answers
zoe notebook --attach                    end it with Ctrl-C
zoe notebook --volume /home/ada/work:/work --workers 4
zoe show last                            the URL again";

/// Arguments of `zoe notebook`.
#[derive(Debug, Clone, Args)]
pub struct NotebookCommand {
    /// Stay, and end the notebook on Ctrl-C
    #[arg(long, conflicts_with = "detach")]
    attach: bool,
    #[command(flatten)]
    launch: LaunchArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// CPU limit of the notebook itself
    #[arg(long, value_name = "CORES", value_parser = values::cores, help_heading = "Resources")]
    notebook_cores: Option<Cores>,
    /// Memory of the notebook itself
    #[arg(long, value_name = "SIZE", value_parser = values::size, help_heading = "Resources")]
    notebook_memory: Option<Bytes>,
}

/// Starts one and prints its URL once it answers.
pub async fn run(args: NotebookCommand, session: &Session) -> Done {
    let notebook = sizes("notebook", args.notebook_cores, args.notebook_memory);
    let common = session.common(
        &args.launch,
        Some(&args.cluster),
        None,
        notebook,
        None,
        Vec::new(),
    )?;
    let submission = launch::application(launch::built_in("spark-notebook")?, common)?;
    let context = session.context().await?;
    let stay = if args.attach {
        Stay::UntilInterrupted
    } else {
        Stay::leave(args.launch.detach)
    };
    attach::serve(session, &context, &submission, stay, place).await
}

/// Where the notebook is, and nothing else, for `url=$(zoe notebook)`; the cluster's own pages are in `zoe show`.
fn place(view: &ExecutionView) -> String {
    let mut pages = view
        .urls
        .iter()
        .filter(|url| url.name.starts_with("notebook/"));
    pages
        .next()
        .map(|url| clean(&url.url).into_owned() + "\n")
        .unwrap_or_default()
}
