//! What was made too late, after others had planned anew, is not started as long as it may not be.

use super::gates_tests::{job, past, planned, running, seen};
use super::generators::{component, execution, id, instance, node, snapshot};
use super::quota_tests::ann;
use super::{Known, Past};
use crate::model::{ArrayPlace, Cores, Execution, InstanceState, Quota};

/// Made by somebody who died or was slow, and not started.
fn made(n: u64) -> Execution {
    let mut job = job(n);
    let member = instance(&job, 0, 0, "a", InstanceState::Created);
    job.instances.push(member);
    job
}

#[test]
fn one_that_was_made_too_late_is_not_started_while_it_may_not() {
    let mut held = made(1);
    held.ticket.terms.held = true;
    let text = [
        "start caaaaaaa one-0@a",
        "baaaaaaa: held: `zoe release` lets it go on",
    ];
    let others = seen(vec![held, job(2)]);
    assert_eq!(planned(&others, &Known::default()), text);
    let of_array = |mut execution: Execution, index| {
        execution.ticket.terms.array = Some(ArrayPlace {
            array: id(1),
            index,
            at_once: Some(1),
        });
        execution
    };
    let array = seen(vec![of_array(made(1), 0), of_array(running(2), 1)]);
    let waits = planned(&array, &Known::default());
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert!(waits[0].starts_with("baaaaaaa: "), "{waits:?}");
    let quota = Quota {
        cores: Some(Cores::from_millis(500)),
        ..Quota::default()
    };
    let text = [
        "baaaaaaa: waits for its owner's quota: it needs 0.5 cores of at most 0.5, and 0.5 are in use",
    ];
    assert_eq!(
        planned(&seen(vec![made(1), running(2)]), &ann(quota, 0)),
        text
    );
    // Of two that were made one goes on, and nobody is started beside it.
    let array = [
        of_array(made(1), 0),
        of_array(made(2), 1),
        of_array(job(3), 2),
    ];
    let plan = planned(&seen(array.into()), &Known::default());
    let starts = plan.iter().filter(|line| line.starts_with("start"));
    assert_eq!(starts.count(), 1, "{plan:?}");
    assert!(plan[0].starts_with("start baaaaaaa"), "{plan:?}");
}

#[test]
fn an_elastic_member_that_was_made_too_late_is_started_once_there_is_room() {
    let grown = |members: u32| {
        let mut job = execution(1, 0, vec![component("one", 1, 1000, 64)]);
        job.ticket.application.components[0].elastic = 3;
        for index in 0..members {
            let state = if index == 0 {
                InstanceState::Running
            } else {
                InstanceState::Created
            };
            let member = instance(&job, 0, index, "a", state);
            job.instances.push(member);
        }
        job
    };
    let begun = Past {
        started: true,
        ..Past::default()
    };
    let known = past(1, begun);
    let of = |members, cores| snapshot(vec![node("a", cores, 4096)], vec![grown(members)]);
    let text = ["start baaaaaaa one-0@a one-1@a one-2@a"];
    assert_eq!(planned(&of(3, 3000), &known), text);
    let quota = Quota {
        cores: Some(Cores::from_millis(2000)),
        ..Quota::default()
    };
    let owned = Known {
        users: ann(quota, 0).users,
        ..known.clone()
    };
    assert_eq!(
        planned(&of(3, 3000), &owned),
        [
            "start baaaaaaa one-0@a one-1@a",
            "baaaaaaa: runs, but 1 'one' member is lost and cannot be replaced yet: waits for its owner's quota: it needs 1 \
             core of at most 2, and 2 are in use",
        ]
    );
    // There is room for two of the three.
    let plan = planned(&of(3, 2000), &known);
    assert_eq!(plan[0], "start baaaaaaa one-0@a one-1@a", "{plan:?}");
    assert!(plan[1].starts_with("baaaaaaa: "), "{plan:?}");
    let plan = planned(&of(2, 1000), &known);
    assert!(
        plan.len() == 1 && plan[0].starts_with("baaaaaaa: "),
        "{plan:?}"
    );
}
