//! What of history a plan may depend on, so that only that is asked for.

use std::collections::BTreeSet;

use crate::model::{ExecutionId, Phase, Plan, Snapshot, Step, WaitReason};

/// What has to be known for a plan to be right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerned {
    /// The executions on whose past it may depend: what it does to them may have to be decided otherwise once that is known.
    pub executions: BTreeSet<ExecutionId>,
    /// The users on whose quota and usage it may depend.
    pub users: BTreeSet<String>,
    /// The executions that others wait for and Docker does not have.
    pub ends: BTreeSet<ExecutionId>,
}

/// What the plan may depend on. Planning again with what is known of it, until there is nothing new, gives the right plan.
pub fn concerned(snapshot: &Snapshot, plan: &Plan) -> Concerned {
    let all = || snapshot.executions.values();
    let queued = || all().filter(|e| e.instances.is_empty() && e.mark.is_none());
    let after = queued().flat_map(|e| &e.ticket.terms.after);
    Concerned {
        executions: with_a_past(snapshot, plan),
        // Those that run may have to make room, by what their users have used.
        users: match queued().next() {
            Some(_) => all().map(|e| e.ticket.user.clone()).collect(),
            None => BTreeSet::new(),
        },
        ends: after
            .map(|dependency| dependency.execution)
            .filter(|id| !snapshot.executions.contains_key(id))
            .collect(),
    }
}

fn with_a_past(snapshot: &Snapshot, plan: &Plan) -> BTreeSet<ExecutionId> {
    let steps = plan.steps.iter().filter_map(|step| match step {
        Step::Start { execution, .. }
        | Step::Rollback { execution, .. }
        | Step::Retry { execution, .. }
        | Step::Drop { execution, .. }
        | Step::End {
            execution,
            why: Some(_),
            ..
        } => Some(*execution),
        Step::End { why: None, .. } | Step::Sweep(_) | Step::RemoveImage(_) => None,
    });
    // Somebody may have released it, or holds it, and then it keeps nobody back.
    let held = plan.waiting.iter();
    let held = held.filter(|waiting| {
        matches!(
            waiting.reason,
            WaitReason::Held
                | WaitReason::Ready
                | WaitReason::NotEnough { .. }
                | WaitReason::NoNodeFits { .. }
                | WaitReason::NodesAway { .. }
                | WaitReason::MakingRoom { .. }
        )
    });
    let held = held.map(|waiting| waiting.execution);
    let half_started = snapshot.executions.values();
    let half_started = half_started.filter(|execution| execution.phase() == Phase::Starting);
    steps
        .chain(half_started.map(|e| e.ticket.id))
        .chain(held)
        .collect()
}
