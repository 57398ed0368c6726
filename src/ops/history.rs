//! What was: pages of history, what ran at a time, and what it all adds up to.

pub mod database;
pub(super) mod export;
pub(super) mod past;
pub(super) mod record;
pub mod workload;

use std::cmp::Reverse;

use jiff::Timestamp;

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::present;
use super::reconcile::end;
use super::view::ExecutionView;
use crate::engine::Scope;
use crate::model::{Execution, ExecutionId, Instance, Mark, Phase, ids};
use crate::store::{Event, Query, Record, Sum, SumBy};

/// What history has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Executions, the newest first.
    pub executions: Vec<ExecutionView>,
    /// Rows that can't be understood, each in a sentence: they are left out.
    pub unreadable: Vec<String>,
}

/// Executions from history, the newest first.
pub async fn history(context: &Context, query: &Query) -> Result<Vec<ExecutionView>, OpsError> {
    Ok(past_of(context, query).await?.executions)
}

/// The same, with what could not be understood.
pub async fn past_of(context: &Context, query: &Query) -> Result<Past, OpsError> {
    let store = context.history.open().await?;
    let deployment = &context.settings.deployment;
    let found = store.search(deployment, query).await?;
    let mut executions: Vec<_> = found.records.iter().map(present::past).collect();
    let again = executions.iter().filter(|view| view.terms.retries > 0);
    let again: Vec<ExecutionId> = again.map(|view| view.id).collect();
    if !again.is_empty() {
        let events = store.events_of(deployment, &again).await?;
        for view in &mut executions {
            count_attempts(view, events.get(&view.id).map_or(&[], Vec::as_slice));
        }
    }
    Ok(Past {
        executions,
        unreadable: found.unreadable.iter().map(ToString::to_string).collect(),
    })
}

/// Says for the how manieth time an execution that is over ran, which its events tell.
pub(super) fn count_attempts(view: &mut ExecutionView, events: &[Event]) {
    if view.terms.retries > 0 && view.started_at.is_some() {
        view.terms.attempt = Some(past::past(events).failed().saturating_add(1));
    }
}

/// What ran at a time, the newest first: what has ended since, from history, and what runs still, from Docker. Where not all of
/// Docker answers some of the second may be missing, and why is told.
pub async fn at(
    context: &Context,
    query: &Query,
    at: Timestamp,
) -> Result<(Vec<ExecutionView>, Option<OpsError>), OpsError> {
    let past = Query {
        at: Some(at),
        ..query.clone()
    };
    // Docker first: what ends in between is in both, and not in neither.
    let (alive, silent) = alive_at(context, at).await;
    let mut views = history(context, &past).await?;
    let alive = not_over(context, alive, at).await?;
    let is_wanted = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
    let alive = alive.iter();
    let alive = alive.map(|execution| present::alive(execution, None, None, None, context.site()));
    let running: Vec<_> = alive
        .filter(|view| views.iter().all(|other| other.id != view.id))
        .filter(|view| is_wanted(&query.user, &view.user))
        .filter(|view| is_wanted(&query.application, &view.application))
        .filter(|view| is_wanted(&query.name, &view.name))
        .filter(|view| query.since.is_none_or(|since| view.submitted_at >= since))
        .filter(|view| query.until.is_none_or(|until| view.submitted_at < until))
        .filter(|_| query.state.is_none())
        .collect();
    views.extend(running);
    views.sort_by_key(|view| Reverse((view.submitted_at, view.id)));
    Ok((views, silent))
}

/// What is in Docker, had begun by then, and is not known there to have been over; and why there may be more.
async fn alive_at(context: &Context, at: Timestamp) -> (Vec<Execution>, Option<OpsError>) {
    let snapshot = match context.backend.observe(Scope::Executions).await {
        Ok(snapshot) => snapshot,
        Err(error) => return (Vec::new(), Some(error.into())),
    };
    let gap = snapshot.gaps.first();
    let silent = gap.map(|gap| {
        OpsError::new(
            ErrorKind::Unreachable,
            format!("{}: {}", gap.what, gap.error),
        )
    });
    let mut alive = Vec::new();
    for execution in snapshot.executions.into_values() {
        let had_begun = execution.started_at().is_some_and(|started| started <= at);
        if had_begun
            && over_since(context, &execution)
                .await
                .is_none_or(|end| end > at)
        {
            alive.push(execution);
        }
    }
    (alive, silent)
}

/// Since when one that is to be cleared away is over, where Docker tells.
async fn over_since(context: &Context, execution: &Execution) -> Option<Timestamp> {
    let Phase::Ending(mark) = execution.phase() else {
        return None;
    };
    // A list tells no times.
    let seen = context.backend.inspect(execution).await.ok()?;
    let ended = end::finished_at(&seen, mark);
    let runs = seen.instances.iter().any(Instance::is_alive);
    ended.filter(|_| mark == Mark::Ending || !runs)
}

/// Without what was over by then, as history has it: of that less and less is in Docker.
async fn not_over(
    context: &Context,
    mut alive: Vec<Execution>,
    at: Timestamp,
) -> Result<Vec<Execution>, OpsError> {
    let ending = alive
        .iter()
        .filter(|one| matches!(one.phase(), Phase::Ending(_)));
    let ending: Vec<ExecutionId> = ending.map(|one| one.ticket.id).collect();
    if !ending.is_empty() {
        let store = context.history.open().await?;
        let records = store.get_all(&context.settings.deployment, &ending).await?;
        let was_over = |record: &Record| record.end.as_ref().is_some_and(|(end, _)| *end <= at);
        alive.retain(|one| !records.get(&one.ticket.id).is_some_and(was_over));
    }
    Ok(alive)
}

/// What those that were add up to.
pub async fn sums(context: &Context, query: &Query, by: SumBy) -> Result<Vec<Sum>, OpsError> {
    let store = context.history.open().await?;
    Ok(store.sums(&context.settings.deployment, query, by).await?)
}

/// Where the page begins that follows on an execution that is over, which may be told by its name: the newest of that.
pub async fn after(context: &Context, text: &str) -> Result<(Timestamp, ExecutionId), OpsError> {
    let none = || {
        OpsError::new(
            ErrorKind::NotFound,
            format!("history has no execution '{}'", ids::shorten(text)),
        )
        .hint("--after takes the id of the last line of the page before")
    };
    let deployment = &context.settings.deployment;
    let store = context.history.open().await?;
    let mut record = match text.parse::<ExecutionId>() {
        Ok(id) => store.get(deployment, id).await?,
        Err(_) => None,
    };
    if record.is_none() {
        let named = Query {
            name: Some(text.to_owned()),
            over: true,
            limit: Some(1),
            ..Query::default()
        };
        record = store.find(deployment, &named).await?.pop();
    }
    let record = record.ok_or_else(none)?;
    Ok((record.submitted_at, record.id))
}
