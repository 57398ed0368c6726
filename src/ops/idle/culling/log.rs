//! The web server's access log: reading on where the last round stopped, and what it says of an execution.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::Execution;
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::idle::signs::{self, Requests};
use crate::proxy::access_log::Seen;
use crate::store::Store;

/// What is said of a log of which there is more than could be read.
const BEHIND: &str = "the access log is not read to its end yet";

/// What the access log said since the last round.
pub(super) enum Log {
    /// None is read.
    None,
    /// What was seen, and when it was read.
    Read(Seen, Timestamp),
    /// Why it can't be read.
    Unreadable(String),
}

impl Log {
    /// When somebody asked for something of an execution last, with what was known before. What a part of a log said that is gone is
    /// not known: it may be when the log was read. What a wrong clock has dated later was not later than that.
    pub fn last(&self, execution: &Execution, before: Option<Timestamp>) -> Option<Timestamp> {
        let Self::Read(seen, at) = self else {
            return before;
        };
        let Some(path) = &execution.ticket.proxy else {
            return before;
        };
        let new = seen.last.get(path.token()).map(|new| *at.min(new));
        let before = before.filter(|before| before <= at);
        before.max(new).max(seen.missed.then_some(*at))
    }

    /// What it says of the requests of an execution, the last of which is known.
    pub fn requests(
        &self,
        context: &Context,
        execution: &Execution,
        last: Option<Timestamp>,
    ) -> Requests {
        match self {
            _ if !is_behind(context, execution) => Requests::None,
            Self::None => Requests::None,
            Self::Read(seen, _) if seen.behind => Requests::Unreadable(BEHIND.to_owned()),
            Self::Read(..) => Requests::Last(last),
            Self::Unreadable(why) => Requests::Unreadable(why.clone()),
        }
    }

    /// Why it does not say what it should.
    pub fn trouble(&self) -> Option<&str> {
        match self {
            Self::Read(seen, _) if seen.behind => Some(BEHIND),
            Self::None | Self::Read(..) => None,
            Self::Unreadable(why) => Some(why),
        }
    }
}

/// Reads on where the last round stopped; with what is to be noted once all of it is.
pub(super) async fn read_log(
    context: &Context,
    store: &Arc<dyn Store>,
    executions: &[Execution],
) -> Result<(Log, Option<(String, String)>), OpsError> {
    let log = context.settings.culling.access_log.as_ref();
    let wants = |execution: &Execution| is_behind(context, execution);
    let (Some(log), Some(site)) = (log, context.site()) else {
        return Ok((Log::None, None));
    };
    if !executions.iter().any(wants) {
        return Ok((Log::None, None));
    }
    // The same name is another file on another machine.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let place = format!("{}:{} {}", host.trim(), log.display(), site.prefix);
    let mark = store.position(&context.settings.deployment, &place).await?;
    let mark = mark.and_then(|mark| mark.parse().ok());
    let now = context.now();
    Ok(match signs::read_log(log, &site.prefix, mark).await {
        Ok((seen, mark)) => (Log::Read(seen, now), Some((place, mark.to_string()))),
        Err(why) => (Log::Unreadable(why), None),
    })
}

/// Whether requests of an execution come through a web server whose log is read.
fn is_behind(context: &Context, execution: &Execution) -> bool {
    let activity = execution.ticket.application.activity.as_ref();
    context.site().is_some()
        && context.settings.culling.access_log.is_some()
        && execution.ticket.proxy.is_some()
        && activity.is_some_and(|activity| activity.http)
}
