//! What was: pages of history, what ran at a time, and what it all adds up to.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::past;
use super::present;
use super::view::ExecutionView;
use crate::engine::Scope;
use crate::model::{ExecutionId, ids};
use crate::store::{Event, Query, Sum, SumBy};

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

/// What ran at a time, the newest first: what has ended since, from history, and what runs still, from Docker. Where Docker does not
/// answer the second is missing, and why is told.
pub async fn at(
    context: &Context,
    query: &Query,
    at: Timestamp,
) -> Result<(Vec<ExecutionView>, Option<OpsError>), OpsError> {
    let past = Query {
        at: Some(at),
        ..query.clone()
    };
    let mut views = history(context, &past).await?;
    let alive = match context.backend.observe(Scope::Executions).await {
        Ok(snapshot) => snapshot,
        Err(error) => return Ok((views, Some(error.into()))),
    };
    let is_wanted = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
    let alive = alive.executions.values();
    let alive = alive.map(|execution| present::alive(execution, None, None, None, context.site()));
    let running: Vec<_> = alive
        .filter(|view| view.started_at.is_some_and(|started| started <= at))
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
    Ok((views, None))
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
