//! Writing history. What fails here is told, and costs the timeline an entry, never an execution: what must not be lost
//! (how it ended) is written by [`ended`], whose failure stops the teardown.

use std::sync::Arc;

use jiff::Timestamp;

use crate::apps;
use crate::model::{Execution, ExecutionId, Outcome, Private, Resources, Ticket};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::history::past::ENDED;
use crate::ops::report::{News, Report};
use crate::ops::submit::resubmit;
use crate::store::used::{Attempt, Used};
use crate::store::{Event, Record, Store};

/// The record of an execution that has not ended.
fn open_record(ticket: &Ticket, started_at: Option<Timestamp>) -> Record {
    Record {
        id: ticket.id,
        name: ticket.name.to_string(),
        user: ticket.user.clone(),
        application: ticket.application.name.clone(),
        description: apps::to_json(&ticket.application),
        key: ticket.key.clone(),
        submitted_at: ticket.submitted_at,
        // Docker lists whole seconds: what began at once seems to have done so before it was submitted.
        started_at: started_at.map(|at| at.max(ticket.submitted_at)),
        end: None,
        logs: None,
        allocated: None,
        used: None,
        terms: None,
    }
}

/// Writes that an execution was submitted.
pub(in crate::ops) async fn submitted(
    context: &Context,
    ticket: &Ticket,
    private: &Private,
    report: &dyn Report,
) {
    let written = async {
        let store = context.history.open().await?;
        let mut record = open_record(ticket, None);
        record.terms = Some(resubmit::written(ticket, private));
        store.record(&context.settings.deployment, &record).await?;
        let detail = format!("by {}", ticket.user);
        store
            .event(
                &context.settings.deployment,
                &event_now(context, ticket.id, "submitted", &detail),
            )
            .await
    };
    if let Err(error) = written.await {
        report.tell(News::Warning(format!(
            "{error}; the submission itself is safe in Docker"
        )));
    }
}

/// Writes that an execution was started, now.
pub(in crate::ops) async fn started(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    execution: &Execution,
    report: &dyn Report,
) {
    let Some(store) = store else { return };
    let started_at = execution.started_at().unwrap_or_else(|| context.now());
    let mut record = open_record(&execution.ticket, Some(started_at));
    record.allocated = Some(context.settings.mode.needed(&execution.ticket.application));
    if let Err(error) = store.record(&context.settings.deployment, &record).await {
        report.tell(News::Warning(error.to_string()));
    }
}

/// Writes what an attempt has used that is over now, and is to be followed by another.
pub(in crate::ops) async fn attempt(
    context: &Context,
    store: &Arc<dyn Store>,
    execution: &Execution,
    at: Timestamp,
) -> Result<(), OpsError> {
    let deployment = &context.settings.deployment;
    let known = store.get(deployment, execution.ticket.id).await?;
    let before = known.and_then(|record| record.used);
    let mut record = open_record(&execution.ticket, execution.started_at());
    record.used = used(before, execution, at);
    if record.used != before {
        store.record(deployment, &record).await?;
    }
    Ok(())
}

/// What attempts have used together with what there is of an execution, which ran until then.
fn used(before: Option<Used>, execution: &Execution, to: Timestamp) -> Option<Used> {
    let made_at = execution.instances.iter().map(|i| i.created_at).max();
    let Some((made_at, from)) = made_at.zip(execution.started_at()) else {
        return before;
    };
    let attempt = Attempt {
        made_at,
        from,
        to,
        held: held(execution)?,
    };
    Some(Used::and(before, &attempt))
}

/// What its members hold, as far as there are any.
fn held(execution: &Execution) -> Option<Resources> {
    let members = &execution.instances;
    (!members.is_empty()).then(|| members.iter().map(|i| i.reservation).sum())
}

/// Writes how an execution ended; `is_first`: nothing of it was started before what there is.
pub(in crate::ops) async fn ended(
    context: &Context,
    store: &Arc<dyn Store>,
    execution: &Execution,
    at: Timestamp,
    outcome: Outcome,
    logs: Option<String>,
    is_first: bool,
) -> Result<(), OpsError> {
    let id = execution.ticket.id;
    let code = outcome.exit_code();
    let deployment = &context.settings.deployment;
    let mut record = open_record(&execution.ticket, execution.started_at());
    record.end = Some((at, outcome));
    record.logs = logs;
    // Of what is gone already history knows what it held.
    record.allocated = held(execution);
    if !is_first {
        let known = store.get(deployment, id).await?;
        let before = known.and_then(|record| record.used);
        record.used = before.and_then(|before| used(Some(before), execution, at));
    }
    store.record(deployment, &record).await?;
    // Who looks last may have found its containers gone: the first end that was written stays, and is told once.
    let kept = store.get(deployment, id).await.ok().flatten();
    let (at, code) = kept
        .and_then(|record| record.end)
        .map_or((at, code), |(at, outcome)| (at, outcome.exit_code()));
    let event = Event {
        execution: id,
        at,
        kind: ENDED.to_owned(),
        detail: format!("exit code {code}"),
    };
    Ok(store.event(deployment, &event).await?)
}

/// Writes an event of now, if the history can be written.
pub(in crate::ops) async fn event(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    id: ExecutionId,
    kind: &str,
    detail: &str,
) {
    let Some(store) = store else { return };
    if let Err(error) = store
        .event(
            &context.settings.deployment,
            &event_now(context, id, kind, detail),
        )
        .await
    {
        tracing::warn!(%error, %id, kind, "an event was not written");
    }
}

/// Writes an event of now that must not be lost.
pub(in crate::ops) async fn event_or_fail(
    context: &Context,
    store: &Arc<dyn Store>,
    id: ExecutionId,
    kind: &str,
    detail: &str,
) -> Result<(), OpsError> {
    let event = event_now(context, id, kind, detail);
    Ok(store.event(&context.settings.deployment, &event).await?)
}

fn event_now(context: &Context, execution: ExecutionId, kind: &str, detail: &str) -> Event {
    Event {
        execution,
        at: context.now(),
        kind: kind.to_owned(),
        detail: detail.to_owned(),
    }
}
