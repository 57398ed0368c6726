//! The line of those that wait: in which order, for what, and until when at the latest.

pub mod explain;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::context::Context;
use super::error::OpsError;
use super::history::past;
use super::present;
use super::view::ExecutionView;
use crate::engine::Scope;
use crate::model::{Anomaly, ExecutionId, Gap, Phase, Plan, Snapshot, WaitReason};
use crate::scheduler::{self, Known};
use crate::store::Store;

/// The line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Those that wait, the next first.
    pub entries: Vec<Entry>,
    /// What looks like zoe's and can't be read.
    pub anomalies: Vec<Anomaly>,
    /// What could not be asked.
    pub gaps: Vec<Gap>,
}

/// One that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The execution.
    pub view: ExecutionView,
    /// Its place in the line, from 1.
    pub position: usize,
    /// The stable word for what it waits for.
    pub code: &'static str,
    /// When it starts at the latest, if all that has a time limit takes all of it; `None` where that can't be said.
    pub latest_start: Option<Timestamp>,
}

/// What was looked at to say why things wait.
pub(super) struct Look {
    pub snapshot: Snapshot,
    pub plan: Plan,
    pub known: Known,
    pub store: Option<Arc<dyn Store>>,
}

/// Looks at everything, and plans without doing anything. Without a history only what Docker shows is known.
pub(super) async fn look(context: &Context) -> Result<Look, OpsError> {
    let snapshot = context.backend.observe(Scope::Everything).await?;
    let store = match context.history.open().await {
        Ok(store) => Some(store),
        Err(error) => {
            tracing::warn!(%error, "why things wait is said without the history");
            None
        }
    };
    let (mut plan, known) = past::plan_to_show(context, store.as_ref(), &snapshot).await?;
    if store.is_none() {
        // The lease is in the history: what is ready is not started without it.
        for waiting in &mut plan.waiting {
            if waiting.reason == WaitReason::Ready {
                waiting.reason = WaitReason::Unknown {
                    what: "the history".to_owned(),
                };
            }
        }
    }
    Ok(Look {
        snapshot,
        plan,
        known,
        store,
    })
}

impl Look {
    /// When those that wait start at the latest; nobody knows without the history.
    pub fn forecast(&self, context: &Context) -> BTreeMap<ExecutionId, Timestamp> {
        if self.store.is_none() {
            return BTreeMap::new();
        }
        let policy = past::policy(context, true);
        let grace = context.settings.grace;
        scheduler::forecast(&self.snapshot, &self.known, &policy, grace, context.now())
    }

    /// The plan, and what it is about.
    pub fn planned(&self) -> (&Plan, &Snapshot) {
        (&self.plan, &self.snapshot)
    }

    /// Those that wait in the queue, in its order.
    pub fn line(&self) -> Vec<ExecutionId> {
        let waiting = self.plan.waiting.iter().map(|waiting| waiting.execution);
        let queued = |id: &ExecutionId| {
            let execution = self.snapshot.executions.get(id);
            execution.is_some_and(|execution| execution.phase() == Phase::Queued)
        };
        waiting.filter(queued).collect()
    }
}

/// The line of those that wait.
pub async fn queue(context: &Context) -> Result<Line, OpsError> {
    let look = look(context).await?;
    let forecast = if look.plan.waiting.is_empty() {
        BTreeMap::new()
    } else {
        look.forecast(context)
    };
    let mut entries = Vec::new();
    for (place, id) in look.line().into_iter().enumerate() {
        let waiting = look.plan.waiting.iter().find(|one| one.execution == id);
        if let Some((execution, waiting)) = look.snapshot.executions.get(&id).zip(waiting) {
            entries.push(Entry {
                view: present::alive(
                    execution,
                    Some(look.planned()),
                    Some(&look.known),
                    None,
                    None,
                ),
                position: place + 1,
                code: waiting.reason.code(),
                latest_start: forecast.get(&id).copied(),
            });
        }
    }
    Ok(Line {
        entries,
        anomalies: look.snapshot.anomalies,
        gaps: look.snapshot.gaps,
    })
}
