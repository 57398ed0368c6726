//! `zoe resubmit`: the same again, but for what is said otherwise.

use clap::Args;

use super::args::terms::{QueueArgs, RetryArgs};
use super::args::values;
use super::attach;
use super::session::{Done, Session};
use crate::model::ExecutionName;
use crate::ops::submit::launch::spark_conf;
use crate::ops::submit::resubmit::{self, Changes};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe resubmit last                      run it again, with its files as long as Docker has them
zoe resubmit -d nightly --env TOKEN    values are kept nowhere: those that it had are given again
zoe resubmit k3f --after last --retries 2    what is not said otherwise stays as it was";

/// Arguments of `zoe resubmit`.
#[derive(Debug, Clone, Args)]
pub struct ResubmitArgs {
    /// An id or its beginning, a name, or 'last'
    #[arg(value_name = "EXEC")]
    execution: String,
    /// What to call it [default: made from what is run]
    #[arg(long, value_name = "NAME", value_parser = values::name, allow_hyphen_values = true)]
    name: Option<ExecutionName>,
    /// Print the id and return at once
    #[arg(short, long)]
    detach: bool,
    /// Set a variable in every container; without =VALUE it has the caller's value
    #[arg(short, long, value_name = "KEY[=VALUE]", value_parser = values::variable)]
    env: Vec<(String, Option<String>)>,
    /// A Spark setting
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::pair)]
    conf: Vec<(String, String)>,
    #[command(flatten)]
    queue: QueueArgs,
    #[command(flatten)]
    retry: RetryArgs,
}

/// Submits it, and unless detached stays until the end.
pub async fn run(args: ResubmitArgs, session: &Session) -> Done {
    let mut env = session.environment(&args.env)?;
    env.extend(spark_conf(&args.conf));
    let context = session.context().await?;
    let (queue, retry) = (args.queue, args.retry);
    let changes = Changes {
        name: args.name,
        env,
        priority: queue.priority,
        after: queue.after,
        held: queue.hold,
        timeout: queue.time_limit,
        retries: retry.retries,
        retry_on: retry.retry_on.into_iter().collect(),
        mail_on: queue.mail_on.map(Into::into),
        idle_timeout: queue.idle_timeout,
    };
    let submission = resubmit::again(&context, &args.execution, changes).await?;
    attach::launch(session, &context, &submission, args.detach).await
}
