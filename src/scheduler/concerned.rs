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
    let begun = phases().filter(|(execution, phase)| begins(execution, *phase, known));
    let decide = begun
        .map(|(execution, _)| execution.ticket.id)
        .chain(with_a_past(plan));
    Concerned {
        executions: with_more(decide.collect(), plan, known),
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

/// With as many more of those that wait as are known already, if any of these is not. A plan may concern no more than the next
/// of a thousand that are held one by one: asked for in parts that double, they take a few plans and not a thousand.
fn with_more(
    mut decide: BTreeSet<ExecutionId>,
    plan: &Plan,
    known: &Known,
) -> BTreeSet<ExecutionId> {
    let is_known = |id: &ExecutionId| known.pasts.contains_key(id);
    if !decide.iter().all(is_known) {
        let waiting = plan.waiting.iter().map(|waiting| waiting.execution);
        let unknown = waiting.filter(|id| !is_known(id) && !decide.contains(id));
        let more: Vec<ExecutionId> = unknown.take(known.pasts.len()).collect();
        decide.extend(more);
    }
    decide
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

#[cfg(test)]
mod tests {
    use super::super::generators::{at, component, execution, id, node, snapshot};
    use super::super::{Policy, UserKnown, plan};
    use super::*;

    /// How many plans it takes until all is known that decides, and how many were asked for.
    fn plans(members: u64, held: impl Fn(u64) -> bool) -> (usize, usize) {
        let job = |n| execution(n, 0, vec![component("one", 1, 1000, 64)]);
        let seen = snapshot(
            vec![node("a", 1000, 4096)],
            (1..=members).map(job).collect(),
        );
        let mut known = Known::default();
        known.users.insert("ann".to_owned(), UserKnown::default());
        let of = |n| Past {
            held: Some(held(n)),
            ..Past::default()
        };
        let all: Vec<(ExecutionId, Past)> = (1..=members).map(|n| (id(n), of(n))).collect();
        for plans in 1.. {
            let plan = plan(&seen, &known, &Policy::usual(true), at(100));
            let before = known.pasts.len();
            let asked = concerned(&seen, &plan, &known).executions;
            let new = all.iter().filter(|(id, _)| asked.contains(id));
            known.pasts.extend(new.cloned());
            if known.pasts.len() == before {
                return (plans, before);
            }
        }
        unreachable!("it is asked until there is nothing new")
    }

    #[test]
    fn a_thousand_that_are_held_one_by_one_take_a_few_plans() {
        let (plans_of_all, asked) = plans(1000, |_| true);
        assert!(plans_of_all <= 12, "{plans_of_all}");
        assert_eq!(asked, 1000);
        let (plans_of_half, _) = plans(1000, |n| n < 500);
        assert!(plans_of_half <= 12, "{plans_of_half}");
        // Where nobody is held no more is asked for than decides: one that starts, and the first that waits.
        assert_eq!(plans(1000, |_| false), (2, 2));
    }
}
