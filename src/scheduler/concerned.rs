//! What of history a plan may depend on, so that only that is asked for.

use std::collections::BTreeSet;

use super::{Known, Past};
use crate::model::{Execution, ExecutionId, Phase, Plan, Snapshot, Step, WaitReason};

/// What has to be known for a plan to be right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerned {
    /// The executions on whose past it may depend: what it does to them may have to be decided otherwise once that is known.
    pub executions: BTreeSet<ExecutionId>,
    /// The users on whose quota and usage it may depend.
    pub users: BTreeSet<String>,
    /// The executions that others wait for and Docker does not have.
    pub ends: BTreeSet<ExecutionId>,
    /// The executions that run and, as far as is known, have never been ready: whether they are may be asked.
    pub unready: BTreeSet<ExecutionId>,
}

/// What the plan may depend on. Planning again with what is known of it, until there is nothing new, gives the right plan.
pub fn concerned(snapshot: &Snapshot, plan: &Plan, known: &Known) -> Concerned {
    let all = || snapshot.executions.values();
    let phases = || all().map(|execution| (execution, execution.phase()));
    let queued = || all().filter(|e| e.instances.is_empty() && e.mark.is_none());
    let after = queued().flat_map(|e| &e.ticket.terms.after);
    Concerned {
        executions: phases()
            .filter(|(execution, phase)| begins(execution, *phase, known))
            .map(|(execution, _)| execution.ticket.id)
            .chain(with_a_past(plan))
            .collect(),
        unready: phases()
            .filter(|(execution, phase)| is_unready(execution, *phase, known))
            .map(|(execution, _)| execution.ticket.id)
            .collect(),
        // Those that run may have to make room, by what their users have used, and may grow as far as their quota goes.
        users: if queued().next().is_some() || plan.steps.iter().any(is_start) {
            all().map(|e| e.ticket.user.clone()).collect()
        } else {
            BTreeSet::new()
        },
        ends: after
            .map(|dependency| dependency.execution)
            .filter(|id| !snapshot.executions.contains_key(id))
            .collect(),
    }
}

fn is_start(step: &Step) -> bool {
    matches!(step, Step::Start { .. })
}

/// Whether its start may not be through, or may have been undone.
fn begins(execution: &Execution, phase: Phase, known: &Known) -> bool {
    match phase {
        Phase::Starting => true,
        Phase::Running { .. } => {
            execution.ticket.application.can_be_asked() && !is_known_ready(execution, known)
        }
        Phase::Ending(_) => execution.mark.is_none() && execution.ticket.application.can_be_asked(),
        Phase::Queued => false,
    }
}

fn is_known_ready(execution: &Execution, known: &Known) -> bool {
    known.ready.contains(&execution.ticket.id)
}

fn is_unready(execution: &Execution, phase: Phase, known: &Known) -> bool {
    let never = |past: &Past| !past.ready && !past.has_failed_start(execution);
    matches!(phase, Phase::Running { .. })
        && execution.ticket.application.can_be_asked()
        && !is_known_ready(execution, known)
        && known.past(execution.ticket.id).is_some_and(never)
}

/// Those whose past the plan may depend on by what it says of them.
fn with_a_past(plan: &Plan) -> impl Iterator<Item = ExecutionId> {
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
                | WaitReason::NoLabel { .. }
                | WaitReason::MakingRoom { .. }
        )
    });
    let held = held.map(|waiting| waiting.execution);
    steps.chain(held)
}
