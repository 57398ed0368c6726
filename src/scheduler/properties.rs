//! What holds for every plan, over thousands of made-up snapshots; and that the checker sees planted faults.

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::Index;

use super::faults::{faults, started};
use super::generators::{any_known, any_snapshot, at, id, instance};
use super::quota_tests::quota_faults;
use super::shown::{brief, shown};
use super::{Admission, Attempt, Known, Past, Policy, Violation, admit, check, plan};
use crate::model::{
    Availability, Execution, Instance, InstanceState, Mode, Order, Phase, Plan, Resources,
    Snapshot, Step, WaitReason,
};

const FULL: Policy = Policy::usual(true);
const NOW: i64 = 100;

fn any_policy() -> impl Strategy<Value = Policy> {
    let orders = prop::sample::select(Order::NAMED.map(|(_, order)| order).to_vec());
    let mode = prop_oneof![3 => Just(Mode::Flexible), 1 => Just(Mode::Rigid)];
    let times = ((1i64..200).prop_map(SignedDuration::from_secs), 1u32..30);
    let starts = prop::bool::weighted(0.8);
    (orders, mode, times, starts).prop_map(|(order, mode, (runtime, ageing), starts)| Policy {
        order,
        ageing,
        mode,
        runtime,
        ..Policy::usual(starts)
    })
}

/// One that may start what fits.
fn any_full_policy() -> impl Strategy<Value = Policy> {
    any_policy().prop_map(|policy| Policy {
        allow_starts: true,
        ..policy
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_plan_passes_the_checker(
        seen in any_snapshot(),
        known in any_known(),
        policy in any_policy(),
    ) {
        let plan = plan(&seen, &known, &policy, at(NOW));
        prop_assert_eq!(
            check(&seen, &known, &policy, at(NOW), &plan),
            [],
            "{}\n{:#?}\n{:?}",
            brief(&seen),
            shown(&plan),
            plan.reserved
        );
        if !policy.allow_starts {
            prop_assert_eq!(started(&plan), []);
        }
    }

    #[test]
    fn the_same_input_gives_the_same_plan(
        seen in any_snapshot(),
        known in any_known(),
        policy in any_policy(),
    ) {
        let first = plan(&seen, &known, &policy, at(NOW));
        let mut turned = seen.clone();
        turned.executions = seen.executions.into_iter().rev().collect();
        turned.nodes.reverse();
        prop_assert_eq!(first, plan(&turned, &known, &policy, at(NOW)));
    }

    /// Doing what a plan says leads to a state in which there is nothing of it left to do.
    #[test]
    fn a_plan_that_was_carried_out_is_not_planned_again(
        seen in any_snapshot(),
        known in any_known(),
        policy in any_full_policy(),
    ) {
        let first = plan(&seen, &known, &policy, at(NOW));
        let (done, known) = carried_out(&seen, &known, &first);
        let second = plan(&done, &known, &policy, at(NOW));
        prop_assert_eq!(
            check(&done, &known, &policy, at(NOW), &second),
            [],
            "{}\n{:#?}\n{}\n{:#?}",
            brief(&seen),
            shown(&first),
            brief(&done),
            shown(&second)
        );
        for id in started(&first) {
            // What had lost members may get more of them in the room that was made.
            let fresh = seen.executions[&id].phase() == Phase::Queued;
            let again = fresh && !made_room(&first) && started(&second).contains(&id);
            let shown = (shown(&first), shown(&second));
            prop_assert!(!again, "{}\n{:#?}", brief(&seen), shown);
        }
        if first.steps.is_empty() {
            prop_assert_eq!(first, second);
        }
    }

    /// On one node packing is a sum, so the first of the queue waits only if its sum does not fit.
    #[test]
    fn on_one_node_nobody_waits_without_need(seen in any_snapshot()) {
        let mut seen = seen;
        seen.nodes.truncate(1);
        for waiting in plan(&seen, &Known::default(), &FULL, at(NOW)).waiting {
            if let WaitReason::NotEnough { needed, free, .. } = waiting.reason {
                prop_assert!(!needed.fits(free));
            }
        }
    }

    #[test]
    fn what_is_admitted_starts_on_empty_nodes(seen in any_snapshot()) {
        let Some(mut execution) = seen.executions.values().next().cloned() else {
            return Ok(());
        };
        execution.mark = None;
        execution.instances.clear();
        let mut free = seen;
        free.gaps.clear();
        for node in &mut free.nodes {
            node.others = Resources::ZERO;
            node.availability = Availability::Active;
        }
        let verdict = admit(&execution.ticket.application, &free.nodes, Mode::Flexible);
        let id = execution.ticket.id;
        free.executions = [(id, execution)].into();
        let starts = started(&plan(&free, &Known::default(), &FULL, at(NOW))) == [id];
        prop_assert_eq!(starts, verdict == Ok(Admission::Fits), "{:?}", verdict);
    }

    #[test]
    fn the_checker_objects_to_planted_faults(
        seen in any_snapshot(),
        known in any_known(),
        policy in any_full_policy(),
        which: Index,
    ) {
        let good = plan(&seen, &known, &policy, at(NOW));
        for (fault, snapshot, bad) in faults(&seen, &policy, &good, which) {
            let seen = check(&snapshot, &known, &policy, at(NOW), &bad);
            prop_assert!(!seen.is_empty(), "{fault} was not seen: {bad:#?}");
        }
        for (fault, known) in quota_faults(&seen, &known, &good) {
            let told = check(&seen, &known, &policy, at(NOW), &good);
            let sees = |v: &Violation| matches!(v, Violation::OverQuota(_));
            prop_assert!(told.iter().any(sees), "{fault} was not seen: {good:#?}");
        }
    }
}

/// Whether there is more room when a plan was carried out, which executions then grow into.
fn made_room(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| match step {
        Step::End { .. } | Step::Rollback { .. } | Step::Retry { .. } | Step::Drop { .. } => true,
        Step::Start { .. } | Step::Sweep(_) | Step::RemoveImage(_) => false,
    })
}

/// The snapshot after a plan's steps, and what history knows then.
fn carried_out(seen: &Snapshot, known: &Known, plan: &Plan) -> (Snapshot, Known) {
    let (mut done, mut known) = (seen.clone(), known.clone());
    for step in &plan.steps {
        match step {
            Step::End { execution, .. } => {
                done.executions.remove(execution);
            }
            Step::Rollback { execution, why } => {
                done.executions
                    .get_mut(execution)
                    .unwrap()
                    .instances
                    .clear();
                known.unready.remove(execution);
                let past = known.pasts.entry(*execution).or_default();
                past.forget_start();
                past.failures.push((at(NOW), why.to_string()));
            }
            Step::Retry {
                execution,
                code,
                why,
            } => {
                let there = done.executions.get_mut(execution).unwrap();
                there.instances.clear();
                let past = known.pasts.entry(*execution).or_default();
                past.started = false;
                past.failures.clear();
                past.attempts.push(Attempt {
                    at: at(NOW),
                    code: *code,
                    why: why.clone(),
                });
            }
            Step::Drop { execution, members } => {
                let gone = |i: &Instance| members.iter().any(|m| m.member() == Some(&i.key));
                let execution = done.executions.get_mut(execution).unwrap();
                execution.instances.retain(|i| !gone(i));
            }
            Step::Sweep(orphan) => done.orphans.retain(|o| o != orphan),
            Step::RemoveImage(image) => done.job_images.retain(|i| i != image),
            Step::Start {
                execution,
                placement,
                ..
            } => {
                let past: &mut Past = known.pasts.entry(*execution).or_default();
                past.started = true;
                let execution = done.executions.get_mut(execution).unwrap();
                for ((name, index), node) in placement {
                    make(execution, name.as_str(), *index, node);
                }
            }
        }
    }
    (done, known)
}

fn make(execution: &mut Execution, name: &str, index: u32, node: &str) {
    let there = |i: &&mut Instance| i.key.component.as_str() == name && i.key.index == index;
    if let Some(member) = execution.instances.iter_mut().find(there) {
        if member.exit_code().is_none() {
            member.state = InstanceState::Running;
        }
        return;
    }
    let components = &execution.ticket.application.components;
    let position = components
        .iter()
        .position(|c| c.name.as_str() == name)
        .unwrap();
    let made = instance(execution, position, index, node, InstanceState::Running);
    execution.instances.push(made);
}

#[test]
fn violations_are_sentences() {
    let jumped = Violation::Jumped {
        late: id(1),
        early: id(2),
    };
    assert_eq!(
        jumped.to_string(),
        "baaaaaaa is started before caaaaaaa, which came first"
    );
}
