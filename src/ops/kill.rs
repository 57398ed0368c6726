//! Ending executions, and forgetting them.

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::history::record;
use super::logs::keep;
use super::reconcile;
use super::report::{News, Only, Report};
use super::resolve::{self, Found};
use super::rights::{self, Rights};
use crate::engine::{EngineError, Scope};
use crate::model::{Execution, ExecutionId, Mark};

/// Which executions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Those named.
    Named(Vec<String>),
    /// All of the deployment that whoever calls zoe may end.
    All,
}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Killed {
    /// It was ended, and nothing of it is left.
    Gone(ExecutionId),
    /// It was over already.
    WasOver(ExecutionId),
}

/// Ends executions and returns when nothing is left of them in Docker. Each is marked first, so that whoever comes
/// next goes on with it whatever happens to this process.
pub async fn kill(
    context: &Context,
    selection: &Selection,
    report: &dyn Report,
) -> Result<Vec<Killed>, OpsError> {
    let targets = select(context, selection, report).await?;
    let mut killed = Vec::new();
    for target in &targets {
        match target {
            Found::Alive(execution) => cancel(context, execution, report).await?,
            Found::Past(record) => killed.push(Killed::WasOver(record.id)),
        }
    }
    let alive = targets
        .iter()
        .filter(|found| matches!(found, Found::Alive(_)))
        .map(Found::id);
    for id in alive {
        finish(context, id, report).await?;
        killed.push(Killed::Gone(id));
    }
    if targets.is_empty() {
        // Nothing to end, but a launch that died may have left something to sweep.
        reconcile::pass(context, report).await?;
    }
    Ok(killed)
}

async fn select(
    context: &Context,
    selection: &Selection,
    report: &dyn Report,
) -> Result<Vec<Found>, OpsError> {
    match selection {
        Selection::Named(texts) => {
            let found = resolve::resolve_all(context, texts).await?;
            rights::check(context, "end it", &found).await?;
            Ok(found)
        }
        Selection::All => {
            let (reached, others) = all(context).await?;
            if others > 0 {
                let (are, s) = if others == 1 {
                    ("is", "")
                } else {
                    ("are", "s")
                };
                report.tell(News::Warning(format!(
                    "{others} execution{s} of others {are} left alone: an admin may end them"
                )));
            }
            Ok(reached)
        }
    }
}

/// All executions that whoever calls zoe may end, and how many others there are.
async fn all(context: &Context) -> Result<(Vec<Found>, usize), OpsError> {
    let snapshot = context.backend.observe(Scope::Executions).await?;
    let all = snapshot.executions.into_values();
    let all: Vec<Found> = all.map(|one| Found::Alive(Box::new(one))).collect();
    if all
        .iter()
        .all(|one| rights::owner(one) == context.settings.user)
    {
        return Ok((all, 0));
    }
    let rights = Rights::of_caller(context).await;
    let count = all.len();
    let reached: Vec<Found> = all
        .into_iter()
        .filter(|one| rights.reach(context, rights::owner(one)))
        .collect();
    let others = count - reached.len();
    Ok((reached, others))
}

/// How many executions `Selection::All` means.
pub async fn count_all(context: &Context) -> Result<usize, OpsError> {
    Ok(all(context).await?.0.len())
}

/// Writes down that it is to end, first in history (who), then in Docker (that).
async fn cancel(
    context: &Context,
    execution: &Execution,
    report: &dyn Report,
) -> Result<(), OpsError> {
    let id = execution.ticket.id;
    let user = &context.settings.user;
    let noted = match context.history.open().await {
        Ok(store) => record::event_or_fail(context, &store, id, "cancel", user).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = noted {
        report.tell(News::Warning(format!(
            "history will not know who ended {id}: {error}"
        )));
    }
    match context.backend.mark(execution, Mark::Cancelled).await {
        Ok(()) | Err(EngineError::Gone { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes passes until it is gone; a pass that can't remove it is an error.
async fn finish(context: &Context, id: ExecutionId, report: &dyn Report) -> Result<(), OpsError> {
    let report = &Only::of(id, report);
    loop {
        let pass = reconcile::pass(context, report).await?;
        if !pass.snapshot.executions.contains_key(&id) {
            return Ok(());
        }
        if let Some(failure) = pass.failure_of(id) {
            return Err(OpsError::failed(format!(
                "{id} is ended, but not everything of it could be removed: {}",
                failure.message
            ))
            .hint("any later zoe goes on with it"));
        }
    }
}

/// Forgets executions that are over: their records and logs. One that is alive is refused unless `force`, which ends it first.
pub async fn remove(
    context: &Context,
    texts: &[String],
    force: bool,
    report: &dyn Report,
) -> Result<Vec<ExecutionId>, OpsError> {
    let targets = resolve::resolve_all(context, texts).await?;
    rights::check(context, "forget it", &targets).await?;
    for target in &targets {
        if let Found::Alive(execution) = target
            && !force
            && execution.mark.is_none()
            && execution.decisive_exit().is_none()
        {
            let message = format!("{} is not over", execution.ticket.id);
            return Err(OpsError::new(ErrorKind::Conflict, message)
                .hint("end it with `zoe kill`, or end and forget it with `zoe rm --force`"));
        }
    }
    let store = context.history.open().await?;
    let deployment = &context.settings.deployment;
    for target in &targets {
        if let Found::Alive(execution) = target {
            cancel(context, execution, report).await?;
            finish(context, execution.ticket.id, report).await?;
        }
        if let Some(record) = store.get(deployment, target.id()).await? {
            keep::discard_attempts(&keep::path_of(context, record.id, record.submitted_at))?;
            if let Some(archive) = record.logs {
                keep::discard(record.id, &archive)?;
            }
        }
        store.forget(deployment, target.id()).await?;
    }
    if targets.is_empty() {
        return Err(OpsError::usage("no execution was named"));
    }
    Ok(targets.iter().map(Found::id).collect())
}
