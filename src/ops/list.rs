//! What there is: `ps`, `show`, `status`.

use std::cmp::Reverse;
use std::sync::Arc;

use super::context::Context;
use super::error::OpsError;
use super::history;
use super::history::past::{self, ENDED, STARTED};
use super::idle;
use super::present;
use super::proxy;
use super::report::Silent;
use super::resolve::{self, Found};
use super::view::{ExecutionView, State};
use crate::engine::{EngineError, NodeUse, Scope};
use crate::model::{Anomaly, Execution, Gap, Node, Phase, Plan, Resources, Snapshot};
use crate::scheduler::Known;
use crate::store::{Event, Query, Store};

/// How many ended executions `ps -a` shows.
const RECENT: u32 = 50;

/// What there is, and what could not be understood or read.
#[derive(Debug)]
pub struct Listing {
    /// The executions, the newest first.
    pub executions: Vec<ExecutionView>,
    /// What looks like zoe's and can't be read.
    pub anomalies: Vec<Anomaly>,
    /// What could not be asked.
    pub gaps: Vec<Gap>,
    /// Rows of the history that can't be understood, each in a sentence: they are left out.
    pub unreadable: Vec<String>,
    /// Why the history can't be had, where something waits to be started or recorded.
    pub no_history: Option<String>,
    /// Why what is over is not among them, where that was asked for.
    pub no_past: Option<OpsError>,
}

/// The executions that are alive, with `ended` the latest ended ones too. One list call, unless something waits: then
/// the nodes are asked as well, to say why.
pub async fn ps(context: &Context, ended: bool) -> Result<Listing, OpsError> {
    let mut snapshot = context.backend.observe(Scope::Executions).await?;
    let mut reasons = None;
    let mut no_history = None;
    let wants_more = |e: &Execution| e.phase() == Phase::Queued || e.ticket.terms.retries.most > 0;
    let wants_more = snapshot.executions.values().any(wants_more);
    let ends = |e: &Execution| matches!(e.phase(), Phase::Ending(_));
    if wants_more || snapshot.executions.values().any(ends) {
        let store = context.history.open().await;
        if wants_more {
            snapshot = context.backend.observe(Scope::Everything).await?;
            reasons = self::reasons(context, store.as_ref().ok(), &snapshot).await;
        }
        no_history = store.err().map(|error| error.to_string());
    }
    let (plan, mut known) = reasons.unzip();
    learn_sizes(context, snapshot.executions.values(), &mut known).await;
    let plan = plan.as_ref().map(|plan| (plan, &snapshot));
    let known = known.as_ref();
    let mut executions: Vec<_> = snapshot
        .executions
        .values()
        .map(|execution| present::alive(execution, plan, known, None, context.site()))
        .collect();
    let mut used = idle::views(context, snapshot.executions.values()).await;
    for view in &mut executions {
        view.activity = used.remove(&view.id);
    }
    let mut unreadable = Vec::new();
    let mut no_past = None;
    if ended {
        let query = Query {
            limit: Some(RECENT),
            ..Query::default()
        };
        match history::past_of(context, &query).await {
            Ok(past) => {
                unreadable = past.unreadable;
                let past = past.executions.into_iter();
                executions.extend(past.filter(|view| !snapshot.executions.contains_key(&view.id)));
            }
            Err(error) => no_past = Some(error),
        }
    }
    executions.sort_by_key(|view| Reverse((view.submitted_at, view.id)));
    Ok(Listing {
        executions,
        anomalies: snapshot.anomalies,
        gaps: snapshot.gaps,
        unreadable,
        no_history,
        no_past,
    })
}

/// Learns how many members those are to have of which somebody may have asked for fewer: history knows. Where it can't be had,
/// they are to have all that they may.
async fn learn_sizes<'e>(
    context: &Context,
    executions: impl Iterator<Item = &'e Execution>,
    known: &mut Option<Known>,
) {
    let lacks_some = |execution: &&Execution| {
        let mut components = execution.ticket.application.components.iter();
        matches!(execution.phase(), Phase::Running { .. })
            && components.any(|component| {
                let there = execution.members(component.name.as_str()).count();
                component.elastic > 0 && (there as u64) < u64::from(component.members())
            })
    };
    let ids: Vec<_> = executions.filter(lacks_some).map(|e| e.ticket.id).collect();
    if ids.is_empty() {
        return;
    }
    match past::of(context, &ids).await {
        Ok(pasts) => known.get_or_insert_default().pasts.extend(pasts),
        Err(error) => {
            tracing::warn!(%error, "how many members are wanted is said without the history");
        }
    }
}

/// Why things wait: the plan of a pass that does nothing. Without a history nothing is known of starts that failed.
async fn reasons(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    snapshot: &Snapshot,
) -> Option<(Plan, Known)> {
    let planned = past::plan_to_show(context, store, snapshot).await;
    planned.ok()
}

/// One execution with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The execution.
    pub view: ExecutionView,
    /// What happened to it; empty where the history can't be read.
    pub events: Vec<Event>,
    /// The archive of its logs, once it has ended.
    pub logs: Option<String>,
}

/// Looks at one execution, alive or past. URLs carry what their owner needs.
pub async fn show(context: &Context, text: &str) -> Result<Shown, OpsError> {
    let found = resolve::resolve(context, text).await?;
    let events = events(context, &found).await;
    match found {
        Found::Past(record) => {
            let mut view = present::past(&record);
            history::count_attempts(&mut view, &events);
            Ok(Shown {
                view,
                events,
                logs: record.logs.clone(),
            })
        }
        Found::Alive(execution) => {
            let view = show_alive(context, &execution).await?;
            Ok(Shown {
                view,
                events,
                logs: None,
            })
        }
    }
}

async fn show_alive(context: &Context, execution: &Execution) -> Result<ExecutionView, OpsError> {
    let wants_more = execution.phase() == Phase::Queued || execution.ticket.terms.retries.most > 0;
    let mut seen = None;
    let reasons = if wants_more {
        let snapshot = context.backend.observe(Scope::Everything).await?;
        let store = context.history.open().await.ok();
        let snapshot = seen.insert(snapshot);
        reasons(context, store.as_ref(), snapshot).await
    } else {
        None
    };
    let (plan, mut known) = reasons.unzip();
    learn_sizes(context, std::iter::once(execution), &mut known).await;
    let plan = plan.as_ref().zip(seen.as_ref());
    let known = known.as_ref();
    let inspected = context.backend.inspect(execution).await?;
    let private = match context.backend.private(execution.ticket.id).await {
        Ok(private) => Some(private),
        Err(EngineError::Gone { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut used = idle::views(context, std::iter::once(execution)).await;
    let mut view = present::alive(&inspected, plan, known, private.as_ref(), context.site());
    view.activity = used.remove(&view.id);
    Ok(view)
}

async fn events(context: &Context, found: &Found) -> Vec<Event> {
    let deployment = &context.settings.deployment;
    let mut events = match context.history.open().await {
        Ok(store) => store.events(deployment, found.id()).await,
        Err(_) => return Vec::new(),
    }
    .unwrap_or_default();
    in_order(&mut events);
    events
}

/// A short program is over before it is noted that it was started: the end has the time that Docker says.
fn in_order(events: &mut [Event]) {
    let started = events.iter().rposition(|event| event.kind == STARTED);
    let ended = events.iter().position(|event| event.kind == ENDED);
    if let (Some(started), Some(ended)) = (started, ended)
        && ended < started
        && let Some(between) = events.get_mut(ended..=started)
    {
        between.rotate_left(1);
    }
}

/// Views an execution that is alive, with its URLs as its owner needs them: they lead somewhere now.
pub async fn owner_view(
    context: &Context,
    execution: &Execution,
) -> Result<ExecutionView, OpsError> {
    proxy::refresh(context, &Silent).await;
    show_alive(context, execution).await
}

/// A node and what is on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// The node, with what others reserve of it.
    pub node: Node,
    /// What this deployment reserves of it.
    pub held: Resources,
    /// What all that runs on it uses now, or why that is not known.
    pub used: Result<Resources, String>,
}

/// The cluster: its nodes and what they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What zoe talks to.
    pub backend: String,
    /// The deployment.
    pub deployment: String,
    /// The nodes.
    pub nodes: Vec<NodeStatus>,
    /// How many executions are in each state.
    pub states: Vec<(State, usize)>,
    /// What looks like zoe's and can't be read.
    pub anomalies: Vec<Anomaly>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Objects that belong to no execution and that the next pass removes.
    pub orphans: usize,
}

/// Looks at the cluster.
pub async fn status(context: &Context) -> Result<Status, OpsError> {
    let (backend, snapshot, used) = futures_util::join!(
        context.backend.describe(),
        context.backend.observe(Scope::Everything),
        context.backend.nodes_use()
    );
    let (backend, snapshot) = (backend?, snapshot?);
    let views: Vec<_> = snapshot
        .executions
        .values()
        .map(|e| present::alive(e, None, None, None, None))
        .collect();
    let count = |state| views.iter().filter(|view| view.state == state).count();
    let nodes = snapshot.nodes.iter().map(|node| NodeStatus {
        node: node.clone(),
        held: held(&snapshot, &node.name),
        used: used_on(&used, &node.name),
    });
    Ok(Status {
        backend,
        deployment: context.settings.deployment.to_string(),
        nodes: nodes.collect(),
        states: State::ALL
            .into_iter()
            .filter(|state| !state.is_over())
            .map(|state| (state, count(state)))
            .collect(),
        anomalies: snapshot.anomalies.clone(),
        gaps: snapshot.gaps.clone(),
        orphans: snapshot.orphans.len(),
    })
}

fn used_on(all: &Result<Vec<NodeUse>, EngineError>, node: &str) -> Result<Resources, String> {
    let all = all.as_ref().map_err(ToString::to_string)?;
    all.iter().find(|one| one.node == node).map_or_else(
        || Err("nobody was asked".to_owned()),
        |one| one.used.clone(),
    )
}

/// What this deployment's members on a node hold: those that run, and those that are to.
pub(super) fn held(snapshot: &Snapshot, node: &str) -> Resources {
    let instances = snapshot
        .executions
        .values()
        .flat_map(|execution| &execution.instances);
    instances
        .filter(|i| i.node == node && i.exit_code().is_none())
        .map(|i| i.reservation)
        .sum()
}
