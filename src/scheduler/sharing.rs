//! Small situations in which executions share nodes, in each mode and order, and the one right plan for each.

use jiff::SignedDuration;

use super::generators::{at, component, execution, id, instance, node, running, snapshot};
use super::shown::shown;
use super::{Known, Mode, Order, Past, Policy, UserKnown, check, plan};
use crate::model::{Execution, InstanceState, Snapshot};

const FULL: Policy = Policy::usual(true);

fn planned(seen: &Snapshot, known: &Known, policy: &Policy) -> Vec<String> {
    let plan = plan(seen, known, policy, at(100));
    let violations = check(seen, known, policy, at(100), &plan);
    assert_eq!(violations, [], "{:#?}", shown(&plan));
    shown(&plan)
}

/// Members of one core each, `core` of them necessary.
fn job(n: u64, submitted: i64, core: u32, elastic: u32) -> Execution {
    let mut unit = component("unit", core, 1000, 64);
    unit.elastic = elastic;
    execution(n, submitted, vec![unit])
}

/// It runs with these elastic members beside its core.
fn with(job: Execution, node: &str, elastic: u32) -> Execution {
    let mut job = running(job, node);
    let core = job.ticket.application.components[0].core;
    for index in core..core + elastic {
        let member = instance(&job, 0, index, node, InstanceState::Running);
        job.instances.push(member);
    }
    job
}

fn urgent(mut job: Execution) -> Execution {
    job.ticket.terms.priority = 1;
    job
}

fn limited(mut job: Execution, seconds: i64) -> Execution {
    job.ticket.timeout = Some(SignedDuration::from_secs(seconds));
    job
}

fn ten(executions: Vec<Execution>) -> Snapshot {
    snapshot(vec![node("a", 10_000, 4096)], executions)
}

#[test]
fn the_example_of_the_paper_begins_as_it_should() {
    let jobs = [4, 3, 5, 2];
    let jobs = (1..).zip(jobs).map(|(n, elastic)| job(n, 0, 3, elastic));
    let seen = ten(jobs.collect());
    let flexible = planned(&seen, &Known::default(), &FULL);
    assert_eq!(flexible.len(), 4);
    assert_eq!(flexible[0].matches("@a").count(), 7);
    assert_eq!(flexible[1].matches("@a").count(), 3);
    assert!(flexible[2].starts_with("daaaaaaa: waits for 3 cores: 0 of 10 free"));
    let rigid = Policy {
        mode: Mode::Rigid,
        ..FULL
    };
    let rigid = planned(&seen, &Known::default(), &rigid);
    assert_eq!(rigid[0].matches("@a").count(), 7);
    assert!(
        rigid[1].starts_with("caaaaaaa: waits for 6 cores: 3 of 10 free"),
        "{rigid:?}"
    );
}

#[test]
fn what_is_free_is_given_to_those_that_run() {
    let seen = ten(vec![
        with(job(1, 0, 2, 3), "a", 1),
        with(job(2, 1, 2, 9), "a", 0),
    ]);
    insta::assert_debug_snapshot!(planned(&seen, &Known::default(), &FULL), @r#"
    [
        "start baaaaaaa unit-0@a unit-1@a unit-2@a unit-3@a unit-4@a",
        "start caaaaaaa unit-0@a unit-1@a unit-2@a unit-3@a unit-4@a",
    ]
    "#);
    let rigid = Policy {
        mode: Mode::Rigid,
        ..FULL
    };
    assert_eq!(planned(&seen, &Known::default(), &rigid), [""; 0]);
}

#[test]
fn nobody_is_given_more_than_a_person_asked_for_nor_what_keeps_failing() {
    let seen = ten(vec![with(job(1, 0, 2, 5), "a", 1)]);
    let known = |past: Past| Known {
        pasts: [(id(1), past)].into(),
        ..Known::default()
    };
    let started = Past {
        started: true,
        ..Past::default()
    };
    let mut asked = started.clone();
    asked.sizes.insert("unit".parse().unwrap(), 3);
    assert_eq!(planned(&seen, &known(asked.clone()), &FULL), [""; 0]);
    asked.sizes.insert("unit".parse().unwrap(), 4);
    let more = planned(&seen, &known(asked), &FULL);
    assert_eq!(more, ["start baaaaaaa unit-0@a unit-1@a unit-2@a unit-3@a"]);
    let mut failing = started;
    let member = ("unit".parse().unwrap(), 4);
    failing
        .replaced
        .insert(member, vec![at(80), at(85), at(90)]);
    assert_eq!(planned(&seen, &known(failing), &FULL), [""; 0]);
}

#[test]
fn elastic_members_are_taken_back_for_the_core_of_who_comes_first() {
    let behind = with(job(1, 0, 2, 8), "a", 8);
    let seen = ten(vec![behind.clone(), urgent(job(2, 9, 3, 3))]);
    insta::assert_debug_snapshot!(planned(&seen, &Known::default(), &FULL), @r#"
    [
        "drop baaaaaaa: unit-7 was taken back: caaaaaaa comes first and needs its room; unit-8 was taken back: caaaaaaa comes first and needs its room; unit-9 was taken back: caaaaaaa comes first and needs its room",
        "caaaaaaa: starts when 3 elastic members have been taken back from baaaaaaa",
    ]
    "#);
    // When they are gone it starts, and they are not given back.
    let mut fewer = seen.clone();
    fewer
        .executions
        .get_mut(&id(1))
        .unwrap()
        .instances
        .truncate(7);
    let next = planned(&fewer, &Known::default(), &FULL);
    assert_eq!(next, ["start caaaaaaa unit-0@a unit-1@a unit-2@a"]);
    // While its start is to be tried again they are not given back either.
    let retried = Known {
        pasts: [(
            id(2),
            Past {
                failures: vec![(at(99), "no".to_owned())],
                ..Past::default()
            },
        )]
        .into(),
        ..Known::default()
    };
    let waits = planned(&fewer, &retried, &FULL);
    assert_eq!(waits.len(), 1);
    assert!(waits[0].starts_with("caaaaaaa: its start failed"));
    // Who came later without being urgent waits, and who may start nothing takes nothing back.
    let seen = ten(vec![behind.clone(), job(2, 9, 3, 3)]);
    let waits = planned(&seen, &Known::default(), &FULL);
    assert!(
        waits[0].starts_with("caaaaaaa: waits for 3 cores"),
        "{waits:?}"
    );
    let seen = ten(vec![behind, urgent(job(2, 9, 3, 3))]);
    assert_eq!(
        planned(&seen, &Known::default(), &Policy::usual(false)).len(),
        1
    );
}

#[test]
fn a_monitor_and_core_members_are_never_taken_back() {
    let mut behind = with(job(1, 0, 8, 2), "a", 2);
    behind.ticket.application.monitor = Some("unit".parse().unwrap());
    let seen = ten(vec![behind, urgent(job(2, 9, 1, 0))]);
    let waits = planned(&seen, &Known::default(), &FULL);
    assert!(
        waits[0].starts_with("caaaaaaa: waits for 1 core:"),
        "{waits:?}"
    );
    let seen = ten(vec![running(job(1, 0, 8, 0), "a"), urgent(job(2, 9, 3, 0))]);
    let waits = planned(&seen, &Known::default(), &FULL);
    assert!(
        waits[0].starts_with("caaaaaaa: waits for 3 cores"),
        "{waits:?}"
    );
}

#[test]
fn small_ones_go_before_the_first_where_they_cannot_delay_it() {
    // It has run since 50 and may for 250 seconds: at 300 there is room for the first.
    let runs = limited(running(job(1, 0, 6, 0), "a"), 250);
    let seen = ten(vec![
        runs,
        job(2, 1, 7, 0),
        job(3, 2, 2, 0),
        limited(job(4, 3, 2, 0), 201),
        limited(job(5, 4, 1, 0), 200),
        job(6, 5, 3, 0),
    ]);
    insta::assert_debug_snapshot!(planned(&seen, &Known::default(), &FULL), @r#"
    [
        "start daaaaaaa unit-0@a unit-1@a",
        "start faaaaaaa unit-0@a",
        "caaaaaaa: waits for 7 cores: 4 of 10 free; job-1 (baaaaaaa, ann) holds 6",
        "eaaaaaaa: 2nd in the queue, behind caaaaaaa: there is room, but caaaaaaa is to have it by 2023-11-14T22:18:20Z; a time limit that ends before lets it go first",
        "gaaaaaaa: 3rd in the queue, behind eaaaaaaa",
    ]
    "#);
    // Three are free beside the first: whoever wants more than those is told what would help.
    let mut full = seen.clone();
    full.executions.remove(&id(3));
    full.executions.insert(id(3), job(3, 2, 4, 0));
    let waits = planned(&full, &Known::default(), &FULL);
    let told = "daaaaaaa: 2nd in the queue, behind caaaaaaa: there is room, but caaaaaaa is to have it by 2023-11-14T22:18:20Z";
    assert!(
        waits.iter().any(|line| line.starts_with(told)),
        "{waits:#?}"
    );
    // Without time limits nobody goes before.
    let mut unlimited = seen;
    unlimited.executions.get_mut(&id(1)).unwrap().ticket.timeout = None;
    assert_eq!(planned(&unlimited, &Known::default(), &FULL).len(), 5);
}

#[test]
fn each_order_serves_another_first() {
    let line = || {
        let mut old = limited(job(1, 0, 8, 0), 600);
        old.ticket.user = "bob".to_owned();
        vec![
            old,
            limited(job(2, 60, 3, 0), 100),
            limited(job(3, 70, 6, 0), 30),
        ]
    };
    let known = Known {
        users: [("bob", 50), ("ann", 900)]
            .map(|(user, usage)| {
                let known = UserKnown {
                    usage,
                    ..UserKnown::default()
                };
                (user.to_owned(), known)
            })
            .into(),
        ..Known::default()
    };
    let first = |order| {
        let policy = Policy { order, ..FULL };
        planned(&ten(line()), &known, &policy)[0][..14].to_owned()
    };
    assert_eq!(first(Order::Fifo), "start baaaaaaa");
    assert_eq!(first(Order::Size), "start daaaaaaa");
    assert_eq!(first(Order::DynSize), "start daaaaaaa");
    assert_eq!(first(Order::Hrrn), "start daaaaaaa");
    assert_eq!(first(Order::Fair), "start baaaaaaa");
}
