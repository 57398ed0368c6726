//! Giving an execution that runs more members, or fewer.

use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::history::{past, record};
use super::logs::keep;
use super::reconcile::lease::{self, Held};
use super::reconcile::start::Case;
use super::report::Report;
use super::resolve::{self, Found};
use super::{accounts, proxy, reconcile, rights};
use crate::engine::Scope;
use crate::model::{
    Application, Component, ComponentName, Execution, ExecutionId, InstanceKey, InstanceState,
    Phase, ids,
};
use crate::scheduler::{self, Growth, Past};
use crate::store::Store;

/// How often what has been started is looked at.
const INTERVAL: Duration = Duration::from_millis(100);

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The execution, as a person names it.
    pub execution: String,
    /// The component; without one the only one that has elastic members.
    pub component: Option<String>,
    /// How many members it is to have, core ones included.
    pub members: u32,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resized {
    /// The execution.
    pub id: ExecutionId,
    /// The component.
    pub component: ComponentName,
    /// How many members it had.
    pub before: u32,
    /// How many were asked for.
    pub wanted: u32,
    /// How many it has.
    pub members: u32,
    /// Why it has fewer than were asked for.
    pub reason: Option<String>,
}

/// Changes the number of members of a component, and returns when the new ones run. What there is no room for is not
/// waited for: the outcome says why. Those with the highest numbers go first; what they have logged is kept.
pub async fn resize(
    context: &Context,
    request: &Request,
    report: &dyn Report,
) -> Result<Resized, OpsError> {
    let found = resolve::resolve(context, &request.execution).await?;
    rights::check(context, "change the number of its members", [&found]).await?;
    let execution = match found {
        Found::Alive(execution) => execution,
        Found::Past(record) => return Err(not_running(record.id, "is over")),
    };
    let id = execution.ticket.id;
    let component = choose(&execution.ticket.application, request)?.name.clone();
    // Who waits for what is free comes first.
    reconcile::pass(context, report).await?;
    let store = context.history.open().await?;
    let held = lease::insist(context, &store).await?;
    let lease = (&store, &held);
    let changed = change(context, lease, id, &component, request.members, report);
    let changed = held.claim().guard(changed).await;
    held.release().await;
    let (before, new, mut reason) = changed?;
    reason = reason.or(until_running(context, id, &new).await?);
    proxy::refresh(context, report).await;
    let members = alive(&seen(context, id).await?, &component).len();
    Ok(Resized {
        id,
        component,
        before,
        wanted: request.members,
        members: count(members),
        reason,
    })
}

/// The component that is meant, if it may have that many members.
fn choose<'a>(application: &'a Application, request: &Request) -> Result<&'a Component, OpsError> {
    let elastic: Vec<&Component> = application
        .components
        .iter()
        .filter(|component| component.elastic > 0)
        .collect();
    let names = |components: &[&Component]| -> String {
        let names: Vec<&str> = components.iter().map(|c| c.name.as_str()).collect();
        names.join(", ")
    };
    let all: Vec<&Component> = application.components.iter().collect();
    let component = match (&request.component, elastic.as_slice()) {
        (Some(name), _) => *all
            .iter()
            .find(|component| component.name.as_str() == name)
            .ok_or_else(|| {
                OpsError::usage(format!(
                    "there is no component '{}'; {} has {}",
                    ids::shorten(name),
                    application.name,
                    names(&all)
                ))
            })?,
        (None, [only]) => *only,
        (None, []) => {
            return Err(OpsError::usage(format!(
                "no component of {} may have more members than its core",
                application.name
            ))
            .hint("submit it with `--max-workers N`, or with elastic members in its description"));
        }
        (None, several) => {
            return Err(OpsError::usage(format!(
                "several components can be resized: {}; say which",
                names(several)
            )));
        }
    };
    let (least, most) = (component.core, component.members());
    if request.members < least || request.members > most {
        let name = &component.name;
        let error = if least == most {
            OpsError::usage(format!("'{name}' has {least} members, no more and no fewer"))
                .hint("how many more it may have is said when it is submitted: `--max-workers N`, or `elastic` in its description")
        } else {
            let wanted = request.members;
            OpsError::usage(format!(
                "'{name}' has between {least} and {most} members; {wanted} cannot be"
            ))
        };
        return Err(error);
    }
    Ok(component)
}

/// Does it, under the lease. Gives how many there were, which are new, and why there are not more.
async fn change(
    context: &Context,
    (store, held): (&Arc<dyn Store>, &Held),
    id: ExecutionId,
    component: &ComponentName,
    members: u32,
    report: &dyn Report,
) -> Result<(u32, Vec<InstanceKey>, Option<String>), OpsError> {
    let snapshot = context.backend.observe(Scope::Everything).await?;
    let execution = running(snapshot.executions.get(&id), id)?;
    let before = count(alive(execution, component).len());
    if !held.is_valid() {
        return Err(OpsError::failed("the lease was lost to another zoe").hint("try again"));
    }
    if members == before {
        return Ok((before, Vec::new(), None));
    }
    if members < before {
        shrink(context, store, execution, component, members, report).await?;
        return Ok((before, Vec::new(), None));
    }
    let quota = accounts::quota_of(context, store.as_ref(), &execution.ticket.user).await?;
    let Some(growth) = scheduler::grow(&snapshot, id, component, members, quota) else {
        let what = snapshot.gaps.first().map_or("the nodes", |gap| &gap.what);
        return Err(OpsError::failed(format!("{what} could not be read"))
            .hint("nothing was changed; try again"));
    };
    let got = before.saturating_add(count(growth.new.len()));
    if !growth.new.is_empty() {
        write(context, store, id, component, before, got).await;
        let case = Case {
            context,
            store: Some(store),
            execution,
            past: &Past::default(),
            report,
        };
        let enlarged = enlarge(case, &growth).await;
        if enlarged.is_err() {
            // Otherwise the next pass would give what this call has not.
            write(context, store, id, component, got, before).await;
        }
        enlarged?;
    }
    let reason = growth.short.map(|(_, reason)| reason.to_string());
    Ok((before, growth.new, reason))
}

async fn enlarge(case: Case<'_>, growth: &Growth) -> Result<(), OpsError> {
    let Context {
        backend, settings, ..
    } = case.context;
    if !growth.stale.is_empty() {
        keep::keep_members(case.context, case.execution, &growth.stale).await?;
        let grace = settings.grace;
        backend
            .remove_members(case.execution, &growth.stale, grace)
            .await?;
    }
    let made = case.make(&growth.placement).await;
    if made.is_err() {
        // What was made of it would be started by the next pass, and nobody would know why.
        let undone = backend.remove_members(case.execution, &growth.new, settings.grace);
        if let Err(error) = undone.await {
            tracing::warn!(%error, "members that could not be started are still there");
        }
    }
    made
}

async fn shrink(
    context: &Context,
    store: &Arc<dyn Store>,
    execution: &Execution,
    component: &ComponentName,
    members: u32,
    report: &dyn Report,
) -> Result<(), OpsError> {
    let core = execution.ticket.application.component(component);
    let core = core.map_or(0, |component| component.core);
    let mut there = alive(execution, component);
    let before = count(there.len());
    there.sort_by_key(|key| std::cmp::Reverse(key.index));
    let surplus = usize::try_from(before.saturating_sub(members)).unwrap_or(usize::MAX);
    let gone: Vec<InstanceKey> = there
        .into_iter()
        .filter(|key| key.index >= core)
        .take(surplus)
        .cloned()
        .collect();
    let after = before.saturating_sub(count(gone.len()));
    write(
        context,
        store,
        execution.ticket.id,
        component,
        before,
        after,
    )
    .await;
    // Only what they say when they are told to end is lost.
    let (backend, grace) = (&context.backend, context.settings.grace);
    keep::keep_members(context, execution, &gone).await?;
    proxy::withdraw_members(context, execution, &gone, report).await;
    Ok(backend.remove_members(execution, &gone, grace).await?)
}

async fn write(
    context: &Context,
    store: &Arc<dyn Store>,
    id: ExecutionId,
    component: &ComponentName,
    before: u32,
    after: u32,
) {
    let user = &context.settings.user;
    let detail = past::resized(component, before, after, user);
    record::event(context, Some(store), id, past::RESIZED, &detail).await;
}

/// Waits until all of them run, and says what is wrong where one does not.
async fn until_running(
    context: &Context,
    id: ExecutionId,
    members: &[InstanceKey],
) -> Result<Option<String>, OpsError> {
    let patience = context.settings.start_deadline;
    let deadline = context.now().checked_add(patience).unwrap_or_default();
    while !members.is_empty() {
        let execution = seen(context, id).await?;
        let mut waits = None;
        for key in members {
            let name = format!("{}-{}", key.component, key.index);
            let found = execution.instances.iter().find(|i| i.key == *key);
            let note = found.and_then(|i| i.note.clone());
            match found.map(|i| i.state) {
                Some(InstanceState::Running) => {}
                Some(InstanceState::Created | InstanceState::Other) => waits = Some((name, note)),
                Some(InstanceState::Exited { code }) => {
                    return Ok(Some(format!("{name} exited with {code}")));
                }
                Some(InstanceState::Rejected | InstanceState::Lost { .. }) | None => {
                    let why = note.unwrap_or_else(|| "it is gone".to_owned());
                    return Ok(Some(format!("{name} could not be started: {why}")));
                }
            }
        }
        let Some((name, note)) = waits else { break };
        if deadline <= context.now() {
            let why = note.map_or(String::new(), |note| format!(": {note}"));
            return Ok(Some(format!("{name} does not run yet{why}")));
        }
        context.world.sleep(INTERVAL).await;
    }
    Ok(None)
}

async fn seen(context: &Context, id: ExecutionId) -> Result<Execution, OpsError> {
    let snapshot = context.backend.observe(Scope::Executions).await?;
    let execution = snapshot.executions.get(&id);
    execution
        .cloned()
        .ok_or_else(|| not_running(id, "was ended meanwhile"))
}

fn running(execution: Option<&Execution>, id: ExecutionId) -> Result<&Execution, OpsError> {
    match execution.map(|execution| (execution, execution.phase())) {
        Some((execution, Phase::Running { .. })) => Ok(execution),
        Some((_, Phase::Queued | Phase::Starting)) => Err(not_running(id, "does not run yet")),
        Some((_, Phase::Ending(_))) | None => Err(not_running(id, "is over")),
    }
}

fn not_running(id: ExecutionId, what: &str) -> OpsError {
    let message = format!("{id} {what}; only what runs can be resized");
    OpsError::new(ErrorKind::Conflict, message)
}

/// The members of a component that are at work, or about to be.
fn alive<'e>(execution: &'e Execution, component: &'e ComponentName) -> Vec<&'e InstanceKey> {
    let members = execution.members(component.as_str());
    members.filter(|i| i.is_alive()).map(|i| &i.key).collect()
}

fn count(members: usize) -> u32 {
    u32::try_from(members).unwrap_or(u32::MAX)
}
