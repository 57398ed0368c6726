//! Small situations in which something is lost, fails or is not seen, and the one right plan for each.

use jiff::Timestamp;

use super::generators::{at, component, execution, id, instance, node, running, snapshot};
use super::shown::shown;
use super::{Known, Past, Policy, check, plan};
use crate::model::{
    Availability, Component, Execution, Gap, InstanceState, Node, Orphan, OrphanKind, Snapshot,
};

fn planned(seen: &Snapshot, known: &Known) -> Vec<String> {
    let plan = plan(seen, known, &Policy::usual(true), at(100));
    assert_eq!(check(seen, known, &Policy::usual(true), at(100), &plan), []);
    shown(&plan)
}

fn nodes(names: &[&str]) -> Vec<Node> {
    names.iter().map(|name| node(name, 2000, 4096)).collect()
}

fn down(node: &mut Node, since: i64) {
    let since = Some(at(since));
    node.availability = Availability::Down { since };
}

fn lost(since: i64) -> InstanceState {
    InstanceState::Lost {
        since: Some(at(since)),
    }
}

/// A driver, which is the monitor, and two workers of half a node each, which can be replaced; four more are welcome.
fn job(n: u64) -> Execution {
    let mut worker = component("worker", 2, 1000, 1024);
    worker.replaceable = true;
    worker.elastic = 4;
    let mut job = execution(n, 0, vec![component("driver", 1, 500, 512), worker]);
    job.ticket.application.monitor = Some("driver".parse().unwrap());
    job
}

/// It runs: its members on these nodes, the driver first.
fn on(mut job: Execution, nodes: &[&str]) -> Execution {
    for (n, node) in (0u32..).zip(nodes) {
        let (component, index) = if n == 0 { (0, 0) } else { (1, n - 1) };
        let member = instance(&job, component, index, node, InstanceState::Running);
        job.instances.push(member);
    }
    job
}

fn started(n: u64) -> Known {
    let past = Past {
        started: true,
        ..Past::default()
    };
    known(n, past)
}

fn known(n: u64, past: Past) -> Known {
    Known {
        pasts: [(id(n), past)].into(),
        ..Known::default()
    }
}

#[test]
fn members_of_a_component_go_to_different_nodes() {
    let wide = vec![component("worker", 3, 500, 512)];
    let seen = snapshot(nodes(&["a", "b", "c"]), vec![execution(1, 0, wide)]);
    insta::assert_debug_snapshot!(planned(&seen, &Known::default()), @r#"
    [
        "start baaaaaaa worker-0@a worker-1@b worker-2@c",
    ]
    "#);
}

#[test]
fn nodes_that_take_nothing_are_named_where_they_are_why_something_waits() {
    let wide: Vec<Component> = vec![component("worker", 2, 2000, 512)];
    let mut seen = snapshot(nodes(&["a", "b", "c"]), vec![execution(1, 0, wide)]);
    seen.nodes[1].availability = Availability::Drained;
    down(&mut seen.nodes[2], 40);
    insta::assert_debug_snapshot!(planned(&seen, &Known::default()), @r#"
    [
        "baaaaaaa: 2 of 3 nodes take nothing new: b is drained, c is down since 2023-11-14T22:14:00Z",
    ]
    "#);
    // They would not help either.
    for node in &mut seen.nodes {
        node.capacity = node.capacity.minus(super::generators::resources(1500, 0));
    }
    let reasons = planned(&seen, &Known::default());
    assert!(
        reasons[0].contains("waits for 4 cores: 0.5 of 0.5 free"),
        "{reasons:?}"
    );
}

#[test]
fn a_silent_node_stops_only_what_depends_on_it() {
    let mut absent = on(job(3), &["a", "a"]);
    absent.instances.truncate(2);
    let mut seen = snapshot(
        vec![node("a", 2500, 4096), node("b", 3000, 4096)],
        vec![
            on(job(2), &["a", "b", "b"]),
            absent,
            execution(4, 1, vec![component("one", 1, 500, 512)]),
            execution(5, 2, vec![component("one", 1, 700, 512)]),
        ],
    );
    seen.executions.get_mut(&id(2)).unwrap().instances[0].state = lost(0);
    for (name, execution) in [("known", Some(id(9))), ("builder", None)] {
        seen.orphans.push(Orphan {
            kind: OrphanKind::Builder,
            docker_id: name.to_owned(),
            name: name.to_owned(),
            execution,
        });
    }
    seen.gaps.push(Gap {
        what: "what is on b".to_owned(),
        error: "timeout".to_owned(),
        node: Some("b".to_owned()),
    });
    insta::assert_debug_snapshot!(planned(&seen, &started(3)), @r#"
    [
        "sweep builder",
        "start eaaaaaaa one-0@a",
        "faaaaaaa: 1 of 2 nodes takes nothing new: b could not be read",
    ]
    "#);
    seen.gaps.clear();
    insta::assert_debug_snapshot!(planned(&seen, &started(3)), @r#"
    [
        "end caaaaaaa Lost: its monitor 'driver' was on node a, which has been down since 2023-11-14T22:13:20Z",
        "sweep known",
        "sweep builder",
        "start daaaaaaa driver-0@a worker-0@a worker-1@b",
        "start eaaaaaaa one-0@a",
        "faaaaaaa: waits for 0.7 cores: 0 of 5.5 free; job-2 (caaaaaaa, ann) holds 2.5, 2 more hold 3",
    ]
    "#);
}

#[test]
fn nothing_is_concluded_before_a_node_has_been_down_for_long() {
    let mut seen = snapshot(nodes(&["a", "b"]), vec![on(job(1), &["a", "b", "b"])]);
    down(&mut seen.nodes[1], 41);
    for member in &mut seen.executions.get_mut(&id(1)).unwrap().instances[1..] {
        member.state = lost(41);
    }
    assert_eq!(planned(&seen, &started(1)), [""; 0]);
    // Nor ever, if nobody knows since when.
    for member in &mut seen.executions.get_mut(&id(1)).unwrap().instances[1..] {
        member.state = InstanceState::Lost { since: None };
    }
    assert_eq!(planned(&seen, &started(1)), [""; 0]);
}

#[test]
fn lost_members_are_replaced_where_there_is_room_and_else_given_up() {
    let mut seen = snapshot(
        nodes(&["a", "b", "c"]),
        vec![
            on(job(1), &["a", "b", "c", "b", "b"]),
            execution(2, 5, vec![component("one", 1, 1000, 512)]),
        ],
    );
    down(&mut seen.nodes[1], 0);
    for member in [1, 3, 4] {
        seen.executions.get_mut(&id(1)).unwrap().instances[member].state = lost(0);
    }
    // The lost core worker comes first, then elastic ones, as it stands before the queue.
    insta::assert_debug_snapshot!(planned(&seen, &started(1)), @r#"
    [
        "drop baaaaaaa: worker-0 was on node b, which has been down since 2023-11-14T22:13:20Z; worker-2 was on node b, which has been down since 2023-11-14T22:13:20Z; worker-3 was on node b, which has been down since 2023-11-14T22:13:20Z",
        "start baaaaaaa driver-0@a worker-0@a worker-1@c worker-2@c",
        "caaaaaaa: waits for 1 core: 0.5 of 4 free; job-1 (baaaaaaa, ann) holds 3.5",
    ]
    "#);
    seen.executions.remove(&id(2));
    insta::assert_debug_snapshot!(planned(&seen, &started(1))[1], @r#""start baaaaaaa driver-0@a worker-0@a worker-1@c worker-2@c""#);
}

#[test]
fn an_execution_goes_on_without_what_cannot_be_replaced_yet_and_holds_nobody_up() {
    let mut seen = snapshot(
        nodes(&["a", "b"]),
        vec![
            on(job(1), &["a", "a", "b"]),
            execution(2, 5, vec![component("one", 1, 250, 512)]),
        ],
    );
    down(&mut seen.nodes[1], 0);
    seen.executions.get_mut(&id(1)).unwrap().instances[2].state = lost(0);
    insta::assert_debug_snapshot!(planned(&seen, &started(1)), @r#"
    [
        "drop baaaaaaa: worker-1 was on node b, which has been down since 2023-11-14T22:13:20Z",
        "start caaaaaaa one-0@a",
        "baaaaaaa: runs, but 1 'worker' member is lost and cannot be replaced yet: 1 of 2 nodes takes nothing new: b is down since 2023-11-14T22:13:20Z",
    ]
    "#);
    seen.executions
        .get_mut(&id(1))
        .unwrap()
        .instances
        .truncate(2);
    assert_eq!(planned(&seen, &started(1)).len(), 2, "once it is removed");
    seen.nodes[1].availability = Availability::Active;
    assert_eq!(
        planned(&seen, &started(1))[0],
        "start baaaaaaa driver-0@a worker-0@a worker-1@b"
    );
}

#[test]
fn a_member_that_fails_is_replaced_a_few_times() {
    let mut seen = snapshot(nodes(&["a", "b"]), vec![on(job(1), &["a", "a", "b", "b"])]);
    let members = &mut seen.executions.get_mut(&id(1)).unwrap().instances;
    members[1].state = InstanceState::Exited { code: 1 };
    members[2].state = InstanceState::Exited { code: 0 };
    members[3].state = InstanceState::Exited { code: 137 };
    insta::assert_debug_snapshot!(planned(&seen, &started(1)), @r#"
    [
        "drop baaaaaaa: worker-0 exited with 1; worker-2 exited with 137",
        "start baaaaaaa driver-0@a worker-0@a worker-2@b",
    ]
    "#);
    let mut known = started(1);
    for index in [0, 2] {
        let member = ("worker".parse().unwrap(), index);
        let times: Vec<Timestamp> = vec![at(70), at(80), at(90)];
        known
            .pasts
            .get_mut(&id(1))
            .unwrap()
            .replaced
            .insert(member, times);
    }
    assert_eq!(planned(&seen, &known), [""; 0]);
    let member = &mut seen.executions.get_mut(&id(1)).unwrap().instances[3];
    member.state = InstanceState::Rejected;
    member.note = Some("no".to_owned());
    let gone = ["drop baaaaaaa: worker-2 was rejected on node b: no"];
    assert_eq!(planned(&seen, &known), gone);
}

#[test]
fn a_start_that_fails_is_undone_and_tried_again_and_at_last_given_up() {
    let mut failed = on(job(1), &["a"]);
    let mut rejected = instance(&failed, 1, 0, "b", InstanceState::Rejected);
    rejected.note = Some("mkdir /data: read-only file system".to_owned());
    failed.instances.push(rejected);
    let mut seen = snapshot(nodes(&["a", "b"]), vec![failed]);
    insta::assert_debug_snapshot!(planned(&seen, &Known::default()), @r#"
    [
        "undo baaaaaaa: worker-0 was rejected on node b: mkdir /data: read-only file system",
    ]
    "#);
    let twice = Past {
        failures: vec![(at(80), "x".to_owned()), (at(97), "y".to_owned())],
        ..Past::default()
    };
    let known = known(1, twice);
    // These are of the third try.
    for member in &mut seen.executions.get_mut(&id(1)).unwrap().instances {
        member.created_at = at(98);
    }
    assert!(planned(&seen, &known)[0].starts_with("end baaaaaaa Failed: worker-0 was rejected"));
    // Once undone it waits a while, and nobody waits for it.
    seen.executions.get_mut(&id(1)).unwrap().instances.clear();
    let other = execution(2, 1, vec![component("one", 1, 500, 512)]);
    seen.executions.insert(id(2), other);
    insta::assert_debug_snapshot!(planned(&seen, &known), @r#"
    [
        "start caaaaaaa one-0@a",
        "baaaaaaa: its start failed: y; it is tried again at 2023-11-14T22:15:01Z (try 3 of 3)",
    ]
    "#);
}

#[test]
fn an_image_that_is_not_there_may_be_there_at_the_next_try() {
    let mut failed = on(job(1), &["a"]);
    let mut rejected = instance(&failed, 1, 0, "b", InstanceState::Rejected);
    rejected.note = Some("No such image: reg/worker:1".to_owned());
    failed.instances.push(rejected);
    let seen = snapshot(nodes(&["a", "b"]), vec![failed]);
    insta::assert_debug_snapshot!(planned(&seen, &Known::default()), @r#"
    [
        "undo baaaaaaa: worker-0 was rejected on node b: No such image: reg/worker:1",
    ]
    "#);
}

#[test]
fn what_docker_can_never_place_is_not_waited_for_for_ever() {
    let mut stuck = on(job(1), &["a", "a"]);
    let mut pending = instance(&stuck, 1, 1, "b", InstanceState::Created);
    pending.note = Some("no suitable node".to_owned());
    pending.created_at = at(100 - 599);
    stuck.instances.push(pending);
    let mut seen = snapshot(nodes(&["a", "b"]), vec![stuck]);
    assert!(planned(&seen, &Known::default())[0].starts_with("start baaaaaaa"));
    seen.executions.get_mut(&id(1)).unwrap().instances[2].created_at = at(100 - 600);
    assert_eq!(
        planned(&seen, &Known::default()),
        ["undo baaaaaaa: worker-1 was not started in time: no suitable node"]
    );
}

#[test]
fn a_monitor_that_fails_before_the_rest_was_started_is_a_failed_start_and_one_that_is_done_is_not()
{
    let mut half = on(job(1), &["a", "a"]);
    half.instances
        .push(instance(&half, 1, 1, "b", InstanceState::Created));
    half.instances[0].state = InstanceState::Exited { code: 3 };
    let mut seen = snapshot(nodes(&["a", "b"]), vec![half]);
    assert_eq!(
        planned(&seen, &Known::default()),
        ["undo baaaaaaa: driver-0 exited with 3"]
    );
    assert_eq!(planned(&seen, &started(1)), ["end baaaaaaa Ending"]);
    let members = &mut seen.executions.get_mut(&id(1)).unwrap().instances;
    members[0].state = InstanceState::Exited { code: 0 };
    assert_eq!(planned(&seen, &Known::default()), ["end baaaaaaa Ending"]);
    let members = &mut seen.executions.get_mut(&id(1)).unwrap().instances;
    members[0].state = InstanceState::Exited { code: 3 };
    members[2].state = InstanceState::Running;
    assert_eq!(planned(&seen, &Known::default()), ["end baaaaaaa Ending"]);
}

#[test]
fn what_others_removed_is_not_started_again() {
    let parts = vec![component("worker", 2, 500, 512)];
    let mut half = running(execution(1, 0, parts), "a");
    half.instances.truncate(1);
    let mut seen = snapshot(nodes(&["a"]), vec![half]);
    let removed =
        "end baaaaaaa Failed: some of its containers were removed by something other than zoe";
    assert_eq!(planned(&seen, &started(1)), [removed]);
    assert!(planned(&seen, &Known::default())[0].starts_with("start"));
    seen.executions.get_mut(&id(1)).unwrap().instances.clear();
    assert_eq!(planned(&seen, &started(1)), [removed]);
}
