//! Writing history. What fails here is told, and costs the timeline an entry, never an execution: what must not be lost
//! (how it ended) is written by [`ended`], whose failure stops the teardown.

use std::sync::Arc;

use jiff::Timestamp;

use super::context::Context;
use super::error::OpsError;
use super::report::{News, Report};
use super::resubmit;
use crate::apps;
use crate::model::{Execution, ExecutionId, Outcome, Private, Ticket};
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
        terms: None,
    }
}

/// Writes that an execution was submitted.
pub(super) async fn submitted(
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
pub(super) async fn started(
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

/// Writes how an execution ended.
pub(super) async fn ended(
    context: &Context,
    store: &Arc<dyn Store>,
    execution: &Execution,
    at: Timestamp,
    outcome: Outcome,
    logs: Option<String>,
) -> Result<(), OpsError> {
    let id = execution.ticket.id;
    let code = outcome.exit_code();
    let mut record = open_record(&execution.ticket, execution.started_at());
    record.end = Some((at, outcome));
    record.logs = logs;
    record.allocated = Some(execution.instances.iter().map(|i| i.reservation).sum());
    let deployment = &context.settings.deployment;
    store.record(deployment, &record).await?;
    let event = Event {
        execution: id,
        at,
        kind: "ended".to_owned(),
        detail: format!("exit code {code}"),
    };
    Ok(store.event(deployment, &event).await?)
}

/// Writes an event of now, if the history can be written.
pub(super) async fn event(
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
pub(super) async fn event_or_fail(
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
