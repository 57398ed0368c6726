//! `zoe watch`: the scheduler in the background.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::args::values;
use super::error::{CommandError, DEGRADED, INTERRUPTED};
use super::session::{Done, Session};
use crate::logs::retention::Keep;
use crate::watch::{self, Outcome, Stop};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe watch                          until SIGTERM or Ctrl-C; packaging/ has a unit for systemd
zoe watch --once                   from cron: 0 fine, 1 something is not as it should be, 125 could not
zoe watch --log-format json 2>&1 >/dev/null | jq -r 'select(.message == \"ended\")'";

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// An object a line
    Json,
}

/// Arguments of `zoe watch`.
#[derive(Debug, Clone, Args)]
pub struct WatchArgs {
    /// Make one pass and end, for cron; exits with 1 if something is not as it should be
    #[arg(long)]
    once: bool,
    /// The time between two passes where nothing happens [default: [intervals] `scheduler_task`]
    #[arg(long, value_name = "TIME", value_parser = values::short_duration, conflicts_with = "once")]
    interval: Option<Duration>,
    /// How the log on standard error is written: text or json
    #[arg(
        long,
        value_enum,
        default_value = "text",
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    pub(super) log_format: LogFormat,
}

/// Watches until it is told to end, or makes one pass.
pub async fn run(args: WatchArgs, session: &Session) -> Done {
    let mut stop = Stop::listen()
        .map_err(|error| CommandError::failed(format!("cannot listen for signals: {error}")))?;
    // What is wrong with it does not become right by waiting.
    let config = Arc::new(session.config()?);
    let age = config.filesystem.history_max_age;
    let keep = Keep {
        age: age.and_then(|age| age.try_into().ok()),
        size: config.filesystem.history_max_size,
    };
    let latch = stop.latch();
    let connect = async || session.connect(&config, latch.clone()).await;
    if args.once {
        let context = tokio::select! {
            context = connect() => context?,
            () = stop.told() => return Ok(INTERRUPTED),
        };
        return match watch::once(&context, keep, &mut stop).await? {
            Outcome::Stopped => Ok(INTERRUPTED),
            Outcome::Done(wrong) if wrong.is_empty() => Ok(0),
            // The log has told what.
            Outcome::Done(_) => Ok(DEGRADED),
        };
    }
    let intervals = &config.intervals;
    let shorter = intervals.scheduler_task.min(intervals.check_terminated);
    let interval = args.interval.unwrap_or(shorter);
    if let Some(context) = watch::connected(&mut stop, connect).await {
        watch::forever(&context, interval, keep, &mut stop).await;
    }
    Ok(0)
}
