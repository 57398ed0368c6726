//! What a quota keeps back, and how far what runs may grow.

use jiff::SignedDuration;

use super::gates_tests::{job, planned, running, seen};
use super::generators::{at, component, execution, id, instance, resources};
use super::quotas::never;
use super::{Known, Policy, UserKnown, check, concerned, plan};
use crate::model::{Cores, InstanceState, Mode, Phase, Plan, Quota, Snapshot, Step};

pub(super) fn ann(quota: Quota, used: u64) -> Known {
    let ann = UserKnown {
        quota,
        used,
        ..UserKnown::default()
    };
    Known {
        users: [("ann".to_owned(), ann)].into(),
        ..Known::default()
    }
}

#[test]
fn a_quota_keeps_back_what_is_too_much() {
    let mut other = job(4);
    other.ticket.user = "bob".to_owned();
    let seen = seen(vec![running(1), job(2), job(3), other]);
    let reasons = |quota, used| planned(&seen, &ann(quota, used));
    let quota = Quota {
        executions: Some(2),
        ..Quota::default()
    };
    let expected = [
        "start caaaaaaa one-0@a",
        "start eaaaaaaa one-0@a",
        "daaaaaaa: waits for its owner's quota: 2 of at most 2 executions run",
    ];
    assert_eq!(reasons(quota, 0), expected);
    let quota = Quota {
        cores: Some(Cores::from_millis(1200)),
        ..Quota::default()
    };
    let wait = "daaaaaaa: waits for its owner's quota: it needs 0.5 cores of at most 1.2, and 1 are in use";
    assert_eq!(reasons(quota, 0)[2], wait);
    let quota = Quota {
        hours: Some(1),
        ..Quota::default()
    };
    let used_up = reasons(quota, 3600);
    let wait = "caaaaaaa: waits for its owner's quota: 1 of 1 core-hours are used up";
    assert_eq!(used_up[1], wait);
    assert_eq!(reasons(quota, 3599).len(), 3);
}

#[test]
fn elastic_members_stay_within_the_quota() {
    let mut wide = component("worker", 1, 500, 64);
    wide.elastic = 5;
    let seen = seen(vec![execution(1, 0, vec![wide])]);
    let quota = Quota {
        cores: Some(Cores::from_millis(1600)),
        ..Quota::default()
    };
    let text = ["start baaaaaaa worker-0@a worker-1@a worker-2@a"];
    assert_eq!(planned(&seen, &ann(quota, 0)), text);
}

#[test]
fn what_runs_grows_as_far_as_the_quota_goes_though_nobody_waits() {
    let mut wide = component("worker", 1, 500, 64);
    wide.elastic = 5;
    let mut grown = execution(1, 0, vec![wide]);
    grown
        .instances
        .push(instance(&grown, 0, 0, "a", InstanceState::Running));
    let runs = seen(vec![grown.clone(), running(2)]);
    let quota = Quota {
        cores: Some(Cores::from_millis(2000)),
        ..Quota::default()
    };
    let policy = Policy::usual(true);
    let first = plan(&runs, &Known::default(), &policy, at(100));
    // What its owner may have is asked for as there is something to give, and nobody's where there is not.
    let asked = concerned(&runs, &first, &Known::default());
    assert_eq!(asked.users, ["ann".to_owned()].into());
    let text = ["start baaaaaaa worker-0@a worker-1@a worker-2@a"];
    assert_eq!(planned(&runs, &ann(quota, 0)), text);
    for index in 1..6 {
        let member = instance(&grown, 0, index, "a", InstanceState::Running);
        grown.instances.push(member);
    }
    let full = seen(vec![grown]);
    let idle = plan(&full, &Known::default(), &policy, at(100));
    assert_eq!(concerned(&full, &idle, &Known::default()).users, [].into());
}

#[test]
fn one_that_is_lost_and_made_anew_is_counted_once() {
    let mut wide = component("worker", 1, 500, 64);
    wide.elastic = 1;
    let mut job = execution(1, 0, vec![wide]);
    for (index, state) in [
        InstanceState::Running,
        InstanceState::Lost { since: Some(at(0)) },
    ]
    .into_iter()
    .enumerate()
    {
        let index = u32::try_from(index).unwrap();
        let member = instance(&job, 0, index, "a", state);
        job.instances.push(member);
    }
    job.instances[1].node = "b".to_owned();
    let quota = Quota {
        cores: Some(Cores::from_millis(1000)),
        ..Quota::default()
    };
    let plan = planned(&seen(vec![job]), &ann(quota, 0));
    assert_eq!(plan[1], "start baaaaaaa worker-0@a worker-1@a", "{plan:?}");
}

#[test]
fn what_could_never_pass_is_known_at_the_door() {
    let application = job(1).ticket.application;
    let quota = Quota {
        cores: Some(Cores::from_millis(400)),
        ..Quota::default()
    };
    let over = never(quota, &application, None, Mode::Flexible).unwrap();
    assert_eq!(over.to_string(), "it needs 0.5 cores of at most 0.4");
    let quota = Quota {
        hours: Some(1),
        ..Quota::default()
    };
    assert_eq!(never(quota, &application, None, Mode::Flexible), None);
    let long = Some(SignedDuration::from_hours(3));
    let over = never(quota, &application, long, Mode::Flexible).unwrap();
    assert_eq!(
        over.to_string(),
        "0 of 1 core-hours are used up, and it may take 1.5"
    );
    assert_eq!(
        never(Quota::default(), &application, long, Mode::Flexible),
        None
    );
    assert!(resources(500, 64).fits(application.core_reservation()));
}

#[test]
fn what_a_large_one_waits_for_its_owners_small_ones_do_not_take() {
    let large = |n: u64| execution(n, 0, vec![component("one", 3, 500, 64)]);
    let mut other = job(5);
    other.ticket.user = "bob".to_owned();
    let line = [running(1), running(2), large(3), job(4), other];
    let quota = Quota {
        cores: Some(Cores::from_millis(2000)),
        ..Quota::default()
    };
    let all = seen(line.into());
    let expected = [
        "start faaaaaaa one-0@a",
        "daaaaaaa: waits for its owner's quota: it needs 1.5 cores of at most 2, and 1 are in use",
        "eaaaaaaa: waits for its owner's quota: daaaaaaa comes first, and waits for it",
    ];
    assert_eq!(planned(&all, &ann(quota, 0)), expected);
    let ended = |n: u64| {
        let mut seen = all.clone();
        seen.executions.remove(&id(n));
        planned(&seen, &ann(quota, 0))
    };
    assert_eq!(ended(4), [expected[0], expected[1]]);
    assert!(ended(1)[0].starts_with("start daaaaaaa"), "{:?}", ended(1));
    // One that is urgent is before it.
    let mut urgent = all.clone();
    let small = urgent.executions.get_mut(&id(4)).unwrap();
    small.ticket.terms.priority = 1;
    assert!(planned(&urgent, &ann(quota, 0))[0].starts_with("start eaaaaaaa"));
    // What runs and is behind it does not grow into it either; what is used up over time is another matter.
    let mut grows = running(1);
    grows.ticket.terms.priority = -1;
    grows.ticket.application.components[0].elastic = 5;
    let behind = seen(vec![grows, running(2), large(3)]);
    let lines = planned(&behind, &ann(quota, 0));
    assert_eq!(lines.len(), 1, "{lines:?}");
    // The checker sees one that goes before all the same.
    let policy = Policy::usual(true);
    let mut bad = plan(&all, &ann(quota, 0), &policy, at(100));
    bad.waiting.retain(|waiting| waiting.execution != id(4));
    let place = ("one".parse().unwrap(), 0);
    bad.steps.push(Step::Start {
        execution: id(4),
        placement: [(place, "a".into())].into(),
    });
    let told = check(&all, &ann(quota, 0), &policy, at(100), &bad);
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["eaaaaaaa is started before daaaaaaa, which came first"]
    );
}

/// The plan is good, but not for what its users may have.
pub(super) fn quota_faults(
    seen: &Snapshot,
    known: &Known,
    good: &Plan,
) -> Vec<(&'static str, Known)> {
    let mut faults = Vec::new();
    let mut add = |fault, user: &str, quota| {
        let mut changed = known.clone();
        changed.users.entry(user.to_owned()).or_default().quota = quota;
        faults.push((fault, changed));
    };
    for step in &good.steps {
        let Step::Start {
            execution,
            placement,
        } = step
        else {
            continue;
        };
        let execution = &seen.executions[execution];
        let (user, phase) = (execution.ticket.user.as_str(), execution.phase());
        let given = placement.keys().filter(|(name, index)| {
            let component = execution.ticket.application.component(name).unwrap();
            let mut there = execution.members(name.as_str());
            let is_new = !there.any(|i| i.key.index == *index);
            let grows = matches!(phase, Phase::Running { .. }) && *index >= component.core;
            let size = component.reservation();
            is_new && (grows || phase == Phase::Queued) && size.cores > Cores::ZERO
        });
        let none = Quota::default();
        if given.count() > 0 {
            let cores = Some(Cores::ZERO);
            add("more cores than may be", user, Quota { cores, ..none });
        }
        if phase == Phase::Queued {
            let executions = Some(0);
            add("one that may not run", user, Quota { executions, ..none });
        }
    }
    faults
}
