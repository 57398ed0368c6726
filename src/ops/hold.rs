//! Keeping queued executions back, and letting them go on. Docker can't show it: it is written as an event, and the latest wins.

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::history::past::{HELD, RELEASED};
use super::history::record;
use super::reconcile::{self, lease};
use super::report::Report;
use super::resolve::{self, Found};
use super::rights;
use crate::engine::Scope;
use crate::model::{ExecutionId, Phase};

/// Keeps executions back that wait. One that has begun can't be held any more.
///
/// It is done under the lease: who plans with what it knew before could otherwise start one afterwards that is held.
pub async fn hold(context: &Context, texts: &[String]) -> Result<Vec<ExecutionId>, OpsError> {
    let store = context.history.open().await?;
    loop {
        let held = lease::insist(context, &store).await?;
        let written = held.claim().guard(write(context, texts, HELD)).await;
        // Who got the lease before it was written may have planned without it: then it is looked at once more.
        let is_sure = held.is_valid();
        held.release().await;
        if is_sure || written.is_err() {
            return written;
        }
    }
}

/// Lets executions go on that are held, and starts them if there is room.
pub async fn release(
    context: &Context,
    texts: &[String],
    report: &dyn Report,
) -> Result<Vec<ExecutionId>, OpsError> {
    let released = write(context, texts, RELEASED).await?;
    reconcile::pass(context, report).await?;
    Ok(released)
}

async fn write(
    context: &Context,
    texts: &[String],
    kind: &str,
) -> Result<Vec<ExecutionId>, OpsError> {
    let mut ids = Vec::new();
    let snapshot = context.backend.observe(Scope::Executions).await?;
    for text in texts {
        let mut found = resolve::resolve_several(context, &snapshot, text).await?;
        // Of an array, those that still wait.
        let waits = |found: &Found| waiting(found, kind).is_ok();
        if found.len() > 1 && found.iter().any(waits) {
            found.retain(waits);
        }
        rights::check(context, "hold and release it", &found).await?;
        for one in found {
            let id = waiting(&one, kind)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    let store = context.history.open().await?;
    let by = format!("by {}", context.settings.user);
    for id in &ids {
        record::event_or_fail(context, &store, *id, kind, &by).await?;
    }
    Ok(ids)
}

/// The id of one that waits.
fn waiting(found: &Found, kind: &str) -> Result<ExecutionId, OpsError> {
    let why = match found {
        Found::Past(_) => "is over",
        Found::Alive(execution) => match execution.phase() {
            Phase::Queued => return Ok(execution.ticket.id),
            // Whoever began to make it was too slow, or died, and it was held meanwhile.
            Phase::Starting if kind == RELEASED => return Ok(execution.ticket.id),
            Phase::Starting | Phase::Running { .. } => "has begun",
            Phase::Ending(_) => "is being ended",
        },
    };
    let message = format!("{} {why}: only what waits is held and released", found.id());
    Err(OpsError::new(ErrorKind::Conflict, message))
}
