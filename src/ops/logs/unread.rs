//! A member's log that can't be read when it is to be kept: whether that may pass, and for how long it is waited for.

use jiff::{SignedDuration, Timestamp};

use crate::engine::{EngineError, Scope};
use crate::model::{Availability, Instance};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::history::past::ATTEMPT_FAILED;
use crate::ops::history::record;
use crate::store::Event;

/// For how long a log that can't be read is asked for once more: a Docker that has a bad moment or begins anew is back by then, and
/// a node that will not be back is known to be down. Nobody waits longer for the end of what is over.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);
/// The kind of an event: a member's log could not be read, and is waited for; the detail says whose and why.
const UNREADABLE: &str = "log-unreadable";
/// What Docker says of a log that its configuration has it keep nowhere.
const KEPT_NOWHERE: &str = "does not support reading";

/// What becomes of a log that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It may be readable later: that is an error for a while, and its execution is left as it is.
    Awaited,
    /// It is written down that it could not be read.
    Noted,
}

impl Unread {
    /// What is to be written down of a member's log that can't be read; an error where it is to be tried again.
    pub(in crate::ops) async fn of(
        self,
        context: &Context,
        instance: &Instance,
        error: EngineError,
    ) -> Result<String, OpsError> {
        if matches!(error, EngineError::Unreachable { .. }) {
            return Err(error.into());
        }
        let why = error.to_string();
        let may_pass = self == Self::Awaited
            && !matches!(error, EngineError::Gone { .. })
            && !why.contains(KEPT_NOWHERE)
            && !instance.is_lost();
        if may_pass
            && !is_down(context, instance).await?
            && is_young(context, instance, &why).await?
        {
            let (component, index) = (&instance.key.component, instance.key.index);
            return Err(OpsError::failed(format!(
                "the log of {component}-{index} can't be read, and is asked for again: {why}"
            )));
        }
        Ok(why)
    }
}

/// Whether the node of a member is known to be down: there is nothing to wait for.
async fn is_down(context: &Context, instance: &Instance) -> Result<bool, OpsError> {
    let snapshot = context.backend.observe(Scope::Everything).await?;
    let node = snapshot
        .nodes
        .iter()
        .find(|node| node.name == instance.node);
    Ok(node.is_some_and(|node| matches!(node.availability, Availability::Down { .. })))
}

/// Whether it has not been so for long; the first time is written down.
async fn is_young(context: &Context, instance: &Instance, why: &str) -> Result<bool, OpsError> {
    let id = instance.key.execution;
    let store = context.history.open().await?;
    let events = store.events(&context.settings.deployment, id).await?;
    if let Some(since) = since(&events) {
        return Ok(context.now().duration_since(since) < PATIENCE);
    }
    let (component, index) = (&instance.key.component, instance.key.index);
    let detail = format!("{component}-{index}: {why}");
    record::event_or_fail(context, &store, id, UNREADABLE, &detail).await?;
    Ok(true)
}

/// Since when logs of its last run can't be read.
fn since(events: &[Event]) -> Option<Timestamp> {
    let of_run = events.iter().rev();
    let of_run = of_run.take_while(|event| event.kind != ATTEMPT_FAILED);
    let of_kind = of_run.filter(|event| event.kind == UNREADABLE);
    of_kind.last().map(|event| event.at)
}
