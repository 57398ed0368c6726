//! `zoe submit`: a batch job on a Spark cluster of its own.

use std::path::PathBuf;

use clap::Args;

use super::args::launch::{ClusterArgs, LaunchArgs, sizes};
use super::args::terms::BatchArgs;
use super::args::values;
use super::attach;
use super::session::{Done, Session};
use crate::model::{Bytes, Cores};
use crate::ops;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe submit pi.py -- 1000                            run it, see its output, exit as it does
zoe submit --workers 4 --worker-memory 2g job.py    with more workers
zoe submit --class org.example.Main job.jar         a Java or Scala job
zoe submit --main src/main.py project/              a directory (or a .zip) with several modules
zoe submit -d --name nightly job.py                 leave it running; then: zoe logs -f nightly
zoe submit --key nightly-2026-11-22 job.py          once, however often this line is run
zoe submit --array 0-99%8 --retries 2 part.py       a hundred, eight at once; the job reads ZOE_ARRAY_INDEX
zoe submit --after nightly --time-limit 1h sum.py   when that one has ended well
zoe submit --env AWS_SECRET_KEY --volume /data:/data:ro job.py";

/// Arguments of `zoe submit`.
#[derive(Debug, Clone, Args)]
pub struct SubmitArgs {
    /// A .py, a .jar, a .zip or a directory
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Arguments for the job
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<String>,
    /// The class to run in a .jar
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// The file to run in a .zip or a directory
    #[arg(long, value_name = "PATH")]
    pub main: Option<String>,
    /// Submit only if nothing was submitted with this key before; otherwise attach to that, or return its exit code
    #[arg(long, value_name = "KEY", value_parser = values::key)]
    pub key: Option<String>,
    #[command(flatten)]
    launch: LaunchArgs,
    #[command(flatten)]
    batch: BatchArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// CPU limit of the driver
    #[arg(long, value_name = "CORES", value_parser = values::cores, help_heading = "Resources")]
    driver_cores: Option<Cores>,
    /// Memory of the driver
    #[arg(long, value_name = "SIZE", value_parser = values::size, help_heading = "Resources")]
    driver_memory: Option<Bytes>,
}

/// Submits, and unless detached stays until the end.
pub async fn run(args: SubmitArgs, session: &Session) -> Done {
    let driver = sizes("driver", args.driver_cores, args.driver_memory);
    let common = session.common(
        &args.launch,
        Some(&args.cluster),
        Some(&args.batch),
        driver,
        args.key,
        args.arguments,
    )?;
    let file = session.around.cwd.join(&args.file);
    let submission =
        ops::submit::launch::job(&file, args.main.as_deref(), args.class.as_deref(), common)?;
    let context = session.context().await?;
    attach::launch(session, &context, &submission, args.launch.detach).await
}
