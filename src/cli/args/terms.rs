//! Flags for the place in the queue, for what has to be over before, and for what happens when a job fails.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use super::values;
use crate::model::ids::shorten;
use crate::model::{ActivityError, IdleTimeout, MailOn, RequiredEnd, Retries};
use crate::ops::submit::{After, Array, Asked};

/// The most executions of one array.
const MOST: usize = 1000;

/// Flags of everything that waits in the queue.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Queue")]
pub struct QueueArgs {
    /// The greater goes first; without it 0, and below 0 last
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub priority: Option<i32>,
    /// Start it only when that one is over: well (EXEC or EXEC:ok), or in any way (EXEC:any); may be repeated
    #[arg(long, value_name = "EXEC[:ok|:any]", value_parser = after)]
    pub after: Vec<After>,
    /// Keep it back until `zoe release`
    #[arg(long)]
    pub hold: bool,
    /// End it when it has run for so long (exit code 124): 30s, 10m, 2h, 1h30m. Small ones with a limit are let past
    #[arg(long, visible_alias = "timeout", value_name = "TIME", allow_negative_numbers = true, value_parser = values::duration)]
    pub time_limit: Option<SignedDuration>,
    /// Write to its owner when it ends: end, only when that was not well: fail, or never [default: what `zoe user` or the
    /// configuration says]
    #[arg(long, value_name = "WHEN", value_enum, hide_possible_values = true)]
    pub mail_on: Option<MailOnArg>,
    /// End it when nobody has used it for so long: 30m, 4h, 1d, or never [default: what the application or the configuration
    /// says]
    #[arg(long, value_name = "TIME|never", allow_negative_numbers = true, value_parser = idle_timeout)]
    pub idle_timeout: Option<IdleTimeout>,
}

/// The word for when an owner is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MailOnArg {
    /// When it ends
    End,
    /// When it does not end well
    Fail,
    /// Never
    Never,
}

impl From<MailOnArg> for MailOn {
    fn from(arg: MailOnArg) -> Self {
        match arg {
            MailOnArg::End => Self::End,
            MailOnArg::Fail => Self::Fail,
            MailOnArg::Never => Self::Never,
        }
    }
}

/// Flags of what works towards an end.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Queue")]
#[command(mut_arg("retry_on", |codes| codes.requires("retries")))]
pub struct BatchArgs {
    /// Run it once for each index (0-9, or 0,2,5-7), at most so many at once (%3); each has its `ZOE_ARRAY_INDEX`
    #[arg(long, value_name = "INDICES[%MOST]", allow_negative_numbers = true, value_parser = array)]
    pub array: Option<Array>,
    #[command(flatten)]
    pub retry: RetryArgs,
}

/// Flags for what happens when it fails. Who submits the same again may say one without the other.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Queue")]
pub struct RetryArgs {
    /// When it fails, run it again so many times at the most
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(0..))]
    pub retries: Option<u32>,
    /// Only when it fails with one of these exit codes: 75,111
    #[arg(long, value_name = "CODES", value_delimiter = ',', allow_negative_numbers = true, value_parser = code)]
    pub retry_on: Vec<i64>,
}

/// What the flags ask for.
pub fn asked(queue: &QueueArgs, batch: Option<&BatchArgs>) -> Asked {
    let batch = batch.cloned().unwrap_or_default();
    Asked {
        priority: queue.priority.unwrap_or_default(),
        after: queue.after.clone(),
        array: batch.array,
        retries: Retries {
            most: batch.retry.retries.unwrap_or_default(),
            codes: batch.retry.retry_on.into_iter().collect(),
        },
        held: queue.hold,
        mail_on: queue.mail_on.map(Into::into),
        idle_timeout: queue.idle_timeout,
    }
}

fn idle_timeout(text: &str) -> Result<IdleTimeout, String> {
    text.parse()
        .map_err(|error: ActivityError| error.to_string())
}

fn after(text: &str) -> Result<After, String> {
    let (execution, end) = match text.rsplit_once(':') {
        None => (text, RequiredEnd::Ok),
        Some((execution, end)) => (
            execution,
            end.parse().map_err(|_| {
                format!(
                    "'{}' is not how another has to end; write EXEC, EXEC:ok or EXEC:any",
                    shorten(text)
                )
            })?,
        ),
    };
    if execution.is_empty() {
        return Err("it names no execution; write EXEC, EXEC:ok or EXEC:any".to_owned());
    }
    Ok(After {
        execution: execution.to_owned(),
        end,
    })
}

fn code(text: &str) -> Result<i64, String> {
    match text.trim().parse() {
        Ok(code @ 1..=255) => Ok(code),
        _ => Err(format!(
            "'{}' is not an exit code from 1 to 255",
            shorten(text)
        )),
    }
}

/// `0-9%3`, `0,2,5-7%2`: indices and ranges of them, and how many run at once at the most.
fn array(text: &str) -> Result<Array, String> {
    let wrong = |why: &str| {
        let text = shorten(text);
        format!("'{text}' is no array: {why}; write such as 0-9, 0-9%3 or 0,2,5-7%2")
    };
    let number = |text: &str| {
        text.parse::<u32>()
            .map_err(|_| wrong("an index is a number"))
    };
    let (list, at_once) = match text.split_once('%') {
        None => (text, None),
        Some((list, most)) => match most.parse() {
            Ok(most @ 1..) => (list, Some(most)),
            _ => return Err(wrong("after % comes how many run at once")),
        },
    };
    let mut indices = BTreeSet::new();
    for part in list.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (number(from)?, number(to)?);
        if to < from {
            return Err(wrong("a range goes from the smaller to the larger"));
        }
        let room = MOST.saturating_sub(indices.len());
        if to.saturating_sub(from) as usize >= room.max(1) {
            return Err(wrong(&format!("it has more than {MOST} members")));
        }
        indices.extend(from..=to);
    }
    Ok(Array { indices, at_once })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_lists_of_indices_and_ranges() {
        let read =
            |text| array(text).map(|a| (a.indices.into_iter().collect::<Vec<_>>(), a.at_once));
        assert_eq!(read("0-3%2"), Ok((vec![0, 1, 2, 3], Some(2))));
        assert_eq!(read("0,2,5-7"), Ok((vec![0, 2, 5, 6, 7], None)));
        assert_eq!(read("7,7,7"), Ok((vec![7], None)));
        assert_eq!(read("0-999").unwrap().0.len(), 1000);
        for bad in [
            "", "a", "3-1", "0-", "0-9%0", "0-9%x", "0-1000", "0,,1", "-1",
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.contains("is no array"), "{bad}: {error}");
        }
    }

    #[test]
    fn dependencies_and_codes_are_read() {
        let read = |text| after(text).map(|a| (a.execution, a.end));
        assert_eq!(read("nightly"), Ok(("nightly".into(), RequiredEnd::Ok)));
        assert_eq!(read("k3f:any"), Ok(("k3f".into(), RequiredEnd::Any)));
        assert!(read("k3f:later").is_err() && read(":ok").is_err() && read("").is_err());
        assert_eq!(code("75"), Ok(75));
        assert!(code("0").is_err() && code("x").is_err() && code("256").is_err());
    }
}
