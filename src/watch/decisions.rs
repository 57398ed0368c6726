//! One line for each decision: what was started and where, what ended and how, what was taken back, and why what waits does.
//!
//! Why something waits is told when the kind of reason changes: that there are 2 instead of 3 cores free is none.

use std::collections::BTreeMap;
use std::mem::{Discriminant, discriminant};
use std::sync::{Mutex, PoisonError};

use crate::model::{ExecutionId, Outcome, Resource, Snapshot, WaitReason};
use crate::ops::reconcile::turns::Turn;
use crate::ops::{News, Report};

/// What of a reason has to change for it to be told again.
type Kind = (Discriminant<WaitReason>, Option<Resource>);

/// Tells decisions, with what the executions are called.
#[derive(Default)]
pub(super) struct Decisions(Mutex<Told>);

#[derive(Default)]
struct Told {
    /// Name and user of each.
    names: BTreeMap<ExecutionId, (String, String)>,
    waits: BTreeMap<ExecutionId, Kind>,
    /// The objects that can't be read.
    strange: Vec<String>,
}

impl Decisions {
    /// Tells of what waits and of what is strange, where that is new.
    pub(super) fn look_at(&self, turn: &Turn) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.names = names(&turn.snapshot);
        let mut waits = BTreeMap::new();
        for waiting in &turn.plan.waiting {
            let kind = kind(&waiting.reason);
            let id = waiting.execution;
            waits.insert(id, kind);
            // It is about to be started, or was a moment ago.
            let passing = matches!(waiting.reason, WaitReason::Ready);
            if !passing && told.waits.get(&id) != Some(&kind) {
                let (name, user) = told.called(id);
                tracing::info!(execution = %id, name, user, why = waiting.reason.in_words(&turn.snapshot.executions), "waits");
            }
        }
        told.waits = waits;
        for anomaly in &turn.snapshot.anomalies {
            if !told.strange.contains(&anomaly.object) {
                tracing::warn!(object = %anomaly.object, why = %anomaly.problem, "left alone");
            }
        }
        let objects = turn.snapshot.anomalies.iter();
        told.strange = objects.map(|anomaly| anomaly.object.clone()).collect();
    }
}

impl Told {
    fn called(&self, id: ExecutionId) -> (&str, &str) {
        let known = self.names.get(&id);
        known.map_or(("", ""), |(name, user)| (name.as_str(), user.as_str()))
    }
}

fn names(snapshot: &Snapshot) -> BTreeMap<ExecutionId, (String, String)> {
    let executions = snapshot.executions.values();
    let named = executions.map(|execution| {
        let ticket = &execution.ticket;
        (ticket.id, (ticket.name.to_string(), ticket.user.clone()))
    });
    named.collect()
}

fn kind(reason: &WaitReason) -> Kind {
    let short_of = if let WaitReason::NotEnough { short_of, .. } = reason {
        Some(*short_of)
    } else {
        None
    };
    (discriminant(reason), short_of)
}

/// The word for how it ended, and what else there is to say of it.
fn end(outcome: &Outcome) -> (&'static str, Option<&str>) {
    match outcome {
        Outcome::Finished => ("finished", None),
        Outcome::Failed { reason, .. } => ("failed", Some(reason)),
        Outcome::TimedOut => ("timed out", None),
        Outcome::Cancelled { by } => ("cancelled", by.as_deref()),
    }
}

impl Report for Decisions {
    fn tell(&self, news: News) {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match news {
            News::Started { id, nodes } => {
                let (name, user) = told.called(id);
                let nodes = nodes.join(",");
                tracing::info!(execution = %id, name, user, nodes, "started");
            }
            News::StartFailed { id, why } => {
                let (name, user) = told.called(id);
                tracing::warn!(execution = %id, name, user, why, "start failed");
            }
            News::Again { id, code, why } => {
                let (name, user) = told.called(id);
                tracing::info!(execution = %id, name, user, code, why, "runs again");
            }
            News::Dropped {
                id,
                members,
                reclaimed,
            } => {
                let (name, user) = told.called(id);
                let why = members.join("; ");
                let what = if reclaimed {
                    "reclaimed"
                } else {
                    "removed members"
                };
                tracing::info!(execution = %id, name, user, why, "{what}");
            }
            // It is in no snapshot any more.
            News::Ended {
                id,
                name,
                user,
                outcome,
            } => {
                let (how, why) = end(&outcome);
                let code = outcome.exit_code();
                tracing::info!(execution = %id, name, user, code, how, why, "ended");
            }
            News::Warning(text) => tracing::warn!("{text}"),
            News::Image { .. }
            | News::Packed { .. }
            | News::Submitted { .. }
            | News::Found { .. }
            | News::Waiting(_)
            | News::Setback(_)
            | News::Starting(_)
            | News::Running
            | News::Ready { .. }
            | News::Ending(_) => {}
        }
    }
}
