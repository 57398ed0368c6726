//! What history tells of executions that Docker does not show, for the plan: read from their events, and written as such.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::context::Context;
use super::error::OpsError;
use crate::model::{ComponentName, InstanceKey, Plan, Snapshot};
use crate::scheduler::{self, Known, Past, Policy};
use crate::store::{Event, Store};

/// The kind of an event: all of it was started.
pub(super) const STARTED: &str = "started";
/// Its start failed; the detail says why.
pub(super) const START_FAILED: &str = "start-failed";
/// A member is made anew; the detail is [`replaced`].
pub(super) const REPLACED: &str = "replaced";

/// The detail of an event [`REPLACED`]: `worker-1: why`.
pub(super) fn replaced(member: &InstanceKey, why: &str) -> String {
    format!("{}-{}: {why}", member.component, member.index)
}

/// The plan for what is there, with what history knows of the executions that it is about. Without a history nothing is
/// known, and the plan is that of somebody who may start nothing anyway.
pub(super) async fn plan(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    snapshot: &Snapshot,
    allow_starts: bool,
) -> Result<(Plan, Known), OpsError> {
    let policy = policy(context, allow_starts);
    let mut known = Known::new();
    loop {
        let plan = scheduler::plan(snapshot, &known, &policy, context.now());
        debug_assert_eq!(
            scheduler::check(snapshot, &plan),
            vec![],
            "the plan breaks an invariant"
        );
        let concerned = scheduler::concerned(snapshot, &plan);
        let unknown: BTreeSet<_> = concerned
            .into_iter()
            .filter(|id| !known.contains_key(id))
            .collect();
        let Some(store) = store.filter(|_| !unknown.is_empty()) else {
            return Ok((plan, known));
        };
        for id in unknown {
            let events = store.events(&context.settings.deployment, id).await?;
            known.insert(id, past(&events));
        }
    }
}

/// What the settings say of how things are decided.
pub(super) fn policy(context: &Context, allow_starts: bool) -> Policy {
    let settings = &context.settings;
    Policy {
        allow_starts,
        node_grace: settings.node_grace,
        start_tries: settings.start_tries,
        start_deadline: settings.start_deadline,
    }
}

/// What an execution's events, in the order of time, say of its past.
fn past(events: &[Event]) -> Past {
    let mut past = Past::default();
    for event in events {
        match event.kind.as_str() {
            STARTED => past.started = true,
            START_FAILED => {
                past.started = false;
                past.failures.push((event.at, event.detail.clone()));
            }
            REPLACED => {
                if let Some((component, index)) = member(&event.detail) {
                    let times: &mut Vec<Timestamp> =
                        past.replaced.entry((component, index)).or_default();
                    times.push(event.at);
                }
            }
            _ => {}
        }
    }
    past
}

fn member(detail: &str) -> Option<(ComponentName, u32)> {
    let (member, _) = detail.split_once(':')?;
    let (component, index) = member.rsplit_once('-')?;
    Some((component.parse().ok()?, index.parse().ok()?))
}

/// Whether the failure of what is there now was written down already, by somebody who was then interrupted.
pub(super) fn is_written(past: &Past, made_at: Option<Timestamp>) -> bool {
    let failed_at = past.failures.last().map(|(at, _)| *at);
    failed_at.is_some() && failed_at >= made_at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ExecutionId;

    fn event(second: i64, kind: &str, detail: &str) -> Event {
        Event {
            execution: ExecutionId::from_bits(1),
            at: Timestamp::from_second(second).unwrap(),
            kind: kind.to_owned(),
            detail: detail.to_owned(),
        }
    }

    #[test]
    fn events_tell_what_was() {
        let mut events = vec![
            event(0, "submitted", "by ann"),
            event(1, START_FAILED, "a"),
            event(5, START_FAILED, "b"),
            event(9, STARTED, "all members were started"),
            event(20, REPLACED, "spark-worker-1: exited with 1"),
            event(30, REPLACED, "nonsense"),
        ];
        let past_of = past(&events);
        assert_eq!((past_of.started, past_of.tried()), (true, 2));
        let worker = ("spark-worker".parse().unwrap(), 1);
        assert_eq!(past_of.replaced[&worker].len(), 1);
        events.push(event(40, START_FAILED, "c"));
        assert!(!past(&events).started);
    }
}
