//! What history tells of executions that Docker does not show, for the plan: read from their events, and written as such.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{ComponentName, ExecutionId, InstanceKey, Phase, Plan, Snapshot};
use crate::ops::accounts;
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::reconcile::answers::Answers;
use crate::scheduler::{self, Attempt, Concerned, Known, Past, Policy};
use crate::store::{Event, Store, StoreError};

/// The kind of an event: all of it was started.
pub(in crate::ops) const STARTED: &str = "started";
/// It is over; the detail has its exit code.
pub(in crate::ops) const ENDED: &str = "ended";
/// All of it that can be asked whether it is ready says so.
pub(in crate::ops) const READY: &str = "ready";
/// It was asked for the first time, and is not ready; the detail says what it lacks.
pub(in crate::ops) const UNREADY: &str = "not-ready";
/// Its start failed; the detail says why.
pub(in crate::ops) const START_FAILED: &str = "start-failed";
/// A start was undone for want of something that others will give back.
pub(in crate::ops) const START_PUT_OFF: &str = "start-put-off";
/// Its program failed and is run again; the detail is [`attempt_failed`].
pub(in crate::ops) const ATTEMPT_FAILED: &str = "attempt-failed";
/// Somebody holds it back; the detail says who.
pub(in crate::ops) const HELD: &str = "held";
/// Somebody lets it go on; the detail says who.
pub(in crate::ops) const RELEASED: &str = "released";
/// Somebody asked for another number of members; the detail is [`resized`].
pub(in crate::ops) const RESIZED: &str = "resized";
/// A member is made anew; the detail is [`replaced`].
pub(in crate::ops) const REPLACED: &str = "replaced";
/// A member was removed; the detail says which, and why.
pub(in crate::ops) const DROPPED: &str = "dropped";

/// The detail of an event [`REPLACED`]: `worker-1: why`.
pub(in crate::ops) fn replaced(member: &InstanceKey, why: &str) -> String {
    format!("{}-{}: {why}", member.component, member.index)
}

/// The detail of an event [`RESIZED`]: `worker: from 2 to 4 members, by ann`.
pub(in crate::ops) fn resized(
    component: &ComponentName,
    before: u32,
    after: u32,
    by: &str,
) -> String {
    format!("{component}: from {before} to {after} members, by {by}")
}

/// The detail of an event [`ATTEMPT_FAILED`]: `exit code 3: why`.
pub(in crate::ops) fn attempt_failed(code: i64, why: &str) -> String {
    format!("{EXIT_CODE}{code}: {why}")
}

/// Of how many that wait everything is known where people are shown why: of the rest, only what decides.
const MOST_SHOWN: usize = 1000;

const EXIT_CODE: &str = "exit code ";

/// The plan for what is there, with what history knows of the executions that it is about. Without a history nothing is
/// known, and the plan is that of somebody who may start nothing anyway.
pub(in crate::ops) async fn plan(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    snapshot: &Snapshot,
    allow_starts: bool,
    answers: &mut Answers,
) -> Result<(Plan, Known), OpsError> {
    let known = Known::default();
    plan_knowing(context, store, snapshot, allow_starts, known, answers).await
}

/// The plan that people are shown: with what is known of all that waits, whether or not it decides anything now, and with what
/// could be started among the waiting.
pub(in crate::ops) async fn plan_to_show(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    snapshot: &Snapshot,
) -> Result<(Plan, Known), OpsError> {
    let mut known = Known::default();
    if let Some(store) = store {
        let queued = snapshot.executions.values();
        let queued =
            queued.filter(|e| e.phase() == Phase::Queued || e.ticket.terms.retries.most > 0);
        let concerned = Concerned {
            executions: queued.map(|e| e.ticket.id).take(MOST_SHOWN).collect(),
            ..Concerned::default()
        };
        learn(context, store.as_ref(), snapshot, concerned, &mut known).await?;
    }
    // Nobody is asked anything for the sake of showing it.
    let answers = &mut Answers::beside();
    plan_knowing(context, store, snapshot, false, known, answers).await
}

async fn plan_knowing(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    snapshot: &Snapshot,
    allow_starts: bool,
    mut known: Known,
    answers: &mut Answers,
) -> Result<(Plan, Known), OpsError> {
    let policy = policy(context, allow_starts);
    answers.begin(snapshot, &mut known);
    loop {
        let now = context.now();
        let plan = scheduler::plan(snapshot, &known, &policy, now);
        debug_assert_eq!(
            scheduler::check(snapshot, &known, &policy, now, &plan),
            vec![],
            "the plan breaks an invariant"
        );
        let Some(store) = store else {
            return Ok((plan, known));
        };
        let concerned = scheduler::concerned(snapshot, &plan, &known);
        let unready = concerned.unready.clone();
        let learnt = learn(context, store.as_ref(), snapshot, concerned, &mut known).await?;
        let heard = answers.learn(context, store, snapshot, &unready, &mut known);
        if !heard.await && !learnt {
            return Ok((plan, known));
        }
    }
}

/// Asks history for what is concerned and not known yet; whether there was anything.
async fn learn(
    context: &Context,
    store: &dyn Store,
    snapshot: &Snapshot,
    concerned: Concerned,
    known: &mut Known,
) -> Result<bool, OpsError> {
    let deployment = &context.settings.deployment;
    let executions = concerned.executions.into_iter();
    let executions: Vec<ExecutionId> = executions
        .filter(|id| !known.pasts.contains_key(id))
        .collect();
    let new_users = accounts::learn(context, store, concerned.users, snapshot, known).await?;
    let ends = concerned.ends.into_iter();
    let ends: Vec<ExecutionId> = ends.filter(|id| !known.ends.contains_key(id)).collect();
    if !executions.is_empty() {
        let mut events = store.events_of(deployment, &executions).await?;
        for id in &executions {
            let events = events.remove(id).unwrap_or_default();
            known.pasts.insert(*id, past(&events));
        }
    }
    if !ends.is_empty() {
        let mut records = store.get_all(deployment, &ends).await?;
        for id in &ends {
            let outcome = records.remove(id).and_then(|record| record.end);
            known.ends.insert(*id, outcome.map(|(_, outcome)| outcome));
        }
    }
    Ok(new_users || !executions.is_empty() || !ends.is_empty())
}

/// What history knows of executions.
pub(in crate::ops) async fn of(
    context: &Context,
    executions: &[ExecutionId],
) -> Result<BTreeMap<ExecutionId, Past>, StoreError> {
    let store = context.history.open().await?;
    let events = store.events_of(&context.settings.deployment, executions);
    let events = events.await?.into_iter();
    Ok(events.map(|(id, events)| (id, past(&events))).collect())
}

/// What the settings say of how things are decided.
pub(in crate::ops) fn policy(context: &Context, allow_starts: bool) -> Policy {
    let settings = &context.settings;
    Policy {
        allow_starts,
        node_grace: settings.node_grace,
        start_tries: settings.start_tries,
        start_deadline: settings.start_deadline,
        order: settings.order,
        mode: settings.mode,
        runtime: settings.runtime,
        ageing: settings.ageing,
    }
}

/// What an execution's events, in the order of time, say of its past.
pub(in crate::ops) fn past(events: &[Event]) -> Past {
    let mut past = Past::default();
    for event in events {
        match event.kind.as_str() {
            STARTED => {
                past.started = true;
                past.put_off.clear();
            }
            START_PUT_OFF => past.put_off.push((event.at, event.detail.clone())),
            // Of a start that has failed meanwhile it says nothing.
            READY => past.ready = past.started,
            UNREADY => past.unready_since = past.unready_since.or(Some(event.at)),
            START_FAILED => {
                past.forget_start();
                past.failures.push((event.at, event.detail.clone()));
            }
            ATTEMPT_FAILED => {
                if let Some((code, why)) = attempt(&event.detail) {
                    past.forget_start();
                    past.failures.clear();
                    past.attempts.push(Attempt {
                        at: event.at,
                        code,
                        why: why.to_owned(),
                    });
                }
            }
            RESIZED => {
                let read = read_resized(&event.detail);
                past.sizes
                    .extend(read.map(|(name, _, after)| (name, after)));
            }
            HELD => past.held = Some(true),
            RELEASED => past.held = Some(false),
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

fn attempt(detail: &str) -> Option<(i64, &str)> {
    let (code, why) = detail.strip_prefix(EXIT_CODE)?.split_once(": ")?;
    Some((code.parse().ok()?, why))
}

/// What [`resized`] has written: the component, and how many members it had and was to have.
pub(in crate::ops) fn read_resized(detail: &str) -> Option<(ComponentName, u32, u32)> {
    let (component, rest) = detail.split_once(": from ")?;
    let (before, rest) = rest.split_once(" to ")?;
    let (after, _) = rest.split_once(' ')?;
    Some((
        component.parse().ok()?,
        before.parse().ok()?,
        after.parse().ok()?,
    ))
}

fn member(detail: &str) -> Option<(ComponentName, u32)> {
    let (member, _) = detail.split_once(':')?;
    let (component, index) = member.rsplit_once('-')?;
    Some((component.parse().ok()?, index.parse().ok()?))
}

/// Whether the failure of what is there now was written down already, by somebody who was then interrupted.
pub(in crate::ops) fn is_written(past: &Past, made_at: Option<Timestamp>) -> bool {
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
            event(
                31,
                RESIZED,
                &resized(&"worker".parse().unwrap(), 4, 2, "ann"),
            ),
        ];
        let past_of = past(&events);
        assert_eq!((past_of.started, past_of.tried()), (true, 2));
        let worker = ("spark-worker".parse().unwrap(), 1);
        assert_eq!(past_of.replaced[&worker].len(), 1);
        assert_eq!(past_of.sizes[&"worker".parse().unwrap()], 2);
        events.push(event(40, START_FAILED, "c"));
        assert!(!past(&events).started);
        events.push(event(41, STARTED, "all members were started"));
        events.push(event(50, ATTEMPT_FAILED, &attempt_failed(3, "driver-0")));
        events.push(event(51, HELD, "by ann"));
        let again = past(&events);
        assert_eq!((again.started, again.tried()), (false, 0));
        assert_eq!((again.attempts[0].code, again.held), (3, Some(true)));
        assert_eq!(again.attempts[0].why, "driver-0");
        events.push(event(52, RELEASED, "by ann"));
        assert_eq!(past(&events).held, Some(false));
    }
}
