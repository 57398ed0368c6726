//! What can't run on the nodes as they stand waits, and nobody waits for it.

use super::gates_tests::job;
use super::generators::{at, component, execution, id, instance, node, running, snapshot};
use super::quota_tests::ann;
use super::shown::shown;
use super::{Known, Mode, Policy, check, plan};
use crate::model::{
    Availability, Cores, Execution, InstanceState, Node, Phase, Quota, Snapshot, Step, WaitReason,
};

fn planned(seen: &Snapshot, known: &Known, policy: &Policy) -> Vec<String> {
    let plan = plan(seen, known, policy, at(100));
    let violations = check(seen, known, policy, at(100), &plan);
    assert_eq!(violations, [], "{:#?}", shown(&plan));
    shown(&plan)
}

fn usual(seen: &Snapshot) -> Vec<String> {
    planned(seen, &Known::default(), &Policy::usual(true))
}

/// A large node and a small one that take something, or of which the large one is drained.
fn nodes(drained: bool) -> Vec<Node> {
    let mut large = node("a", 4000, 4096);
    if drained {
        large.availability = Availability::Drained;
    }
    vec![large, node("b", 2000, 4096)]
}

fn large(n: u64, cores: u64) -> Execution {
    execution(n, 0, vec![component("one", 1, cores, 64)])
}

#[test]
fn nobody_waits_for_one_whose_nodes_take_nothing() {
    let away = "baaaaaaa: 1 of 2 nodes takes nothing new: a is drained";
    let seen = snapshot(nodes(true), vec![large(1, 3000), job(2)]);
    assert_eq!(usual(&seen), ["start caaaaaaa one-0@b", away]);
    // Others like it wait as it does.
    let three = vec![large(1, 3000), large(2, 3000), job(3)];
    let lines = usual(&snapshot(nodes(true), three));
    assert_eq!(lines[..2], ["start daaaaaaa one-0@b", away]);
    assert!(lines[2].starts_with("caaaaaaa: 1 of 2"), "{lines:?}");
    // Where there would be room if others left it, those behind wait: or it would wait for ever.
    let busy = running(execution(9, 0, vec![component("x", 1, 1000, 64)]), "b");
    let lines = usual(&snapshot(nodes(true), vec![busy, large(1, 2000), job(2)]));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("in the queue, behind"), "{lines:?}");
    assert_eq!(
        usual(&snapshot(nodes(false), vec![large(1, 3000), job(2)])),
        ["start baaaaaaa one-0@a", "start caaaaaaa one-0@a"]
    );
}

#[test]
fn nodes_that_are_gone_or_have_shrunk_stop_nobody_either() {
    let small = vec![node("b", 2000, 4096), node("c", 2000, 4096)];
    let mut two = large(1, 1500);
    two.ticket.application.components[0].core = 3;
    let lines = usual(&snapshot(small.clone(), vec![two, job(2)]));
    let text = "baaaaaaa: waits for 4.5 cores: 4 of 4 free";
    assert_eq!(lines, ["start caaaaaaa one-0@b", text]);
    let lines = usual(&snapshot(small, vec![large(1, 3000), job(2)]));
    let text = "baaaaaaa: no single node has room for a 'one' (3 cores, 64 MiB)";
    assert_eq!(lines, ["start caaaaaaa one-0@b", text]);
}

#[test]
fn labels_that_no_node_has_are_the_reason() {
    let asks = |labels: &[(&str, &str)]| {
        let mut picky = large(1, 500);
        let placement = &mut picky.ticket.application.components[0].placement;
        placement.extend(
            labels
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        );
        picky
    };
    let labelled = |drained| {
        let mut nodes = nodes(drained);
        nodes[0].labels.insert("disk".to_owned(), "ssd".to_owned());
        nodes[1].labels.insert("gpu".to_owned(), "yes".to_owned());
        nodes
    };
    let told = |labels: &[(&str, &str)], drained| {
        let seen = snapshot(labelled(drained), vec![asks(labels), job(2)]);
        let lines = usual(&seen);
        assert!(lines[0].starts_with("start"), "{lines:?}");
        lines[1].clone()
    };
    assert_eq!(
        told(&[("disk", "hdd")], false),
        "baaaaaaa: no node has the label disk=hdd, which 'one' asks for"
    );
    // Each of them has a node, and no node both.
    assert_eq!(
        told(&[("disk", "ssd"), ("gpu", "yes")], false),
        "baaaaaaa: no node has the labels disk=ssd and gpu=yes, which 'one' asks for"
    );
    assert_eq!(
        told(&[("disk", "ssd")], true),
        "baaaaaaa: 1 of 1 node takes nothing new: a is drained"
    );
}

#[test]
fn what_it_has_to_be_given_depends_on_the_mode() {
    let mut grows = large(1, 1000);
    grows.ticket.application.components[0].elastic = 3;
    let seen = snapshot(nodes(true), vec![grows, job(2)]);
    let flexible = usual(&seen);
    assert!(
        flexible[0].starts_with("start baaaaaaa one-0@b"),
        "{flexible:?}"
    );
    let rigid = Policy {
        mode: Mode::Rigid,
        ..Policy::usual(true)
    };
    let rigid = planned(&seen, &Known::default(), &rigid);
    assert_eq!(rigid[0], "start caaaaaaa one-0@b");
    assert!(rigid[1].starts_with("baaaaaaa: 1 of 2 nodes"), "{rigid:?}");
}

#[test]
fn a_start_that_was_interrupted_stops_nobody_where_it_cannot_go_on() {
    let parts = vec![component("one", 1, 500, 64), component("two", 1, 3000, 64)];
    let mut half = execution(1, 0, parts);
    let member = instance(&half, 0, 0, "b", InstanceState::Running);
    half.instances.push(member);
    assert_eq!(half.phase(), Phase::Starting);
    let lines = usual(&snapshot(nodes(true), vec![half.clone(), job(2)]));
    assert_eq!(lines[0], "start caaaaaaa one-0@b");
    assert!(lines[1].starts_with("baaaaaaa: 1 of 2 nodes"), "{lines:?}");
    let lines = usual(&snapshot(nodes(false), vec![half, job(2)]));
    assert!(lines[0].starts_with("start baaaaaaa"), "{lines:?}");
}

#[test]
fn what_could_not_run_keeps_nothing_of_a_quota_from_others() {
    let quota = Quota {
        cores: Some(Cores::from_millis(3000)),
        ..Quota::default()
    };
    let busy = running(execution(9, 0, vec![component("x", 1, 500, 64)]), "b");
    let line = |drained| snapshot(nodes(drained), vec![busy.clone(), large(1, 3000), job(2)]);
    let policy = Policy::usual(true);
    let lines = planned(&line(true), &ann(quota, 0), &policy);
    assert_eq!(lines[0], "start caaaaaaa one-0@b");
    let lines = planned(&line(false), &ann(quota, 0), &policy);
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[test]
fn the_checker_sees_who_goes_before_one_that_could_run() {
    let busy = running(execution(9, 0, vec![component("x", 1, 2000, 64)]), "a");
    let seen = snapshot(nodes(false), vec![busy, large(1, 3000), job(2)]);
    let (known, policy) = (Known::default(), Policy::usual(true));
    let mut bad = plan(&seen, &known, &policy, at(100));
    assert!(matches!(
        bad.waiting[0].reason,
        WaitReason::NoNodeFits { .. }
    ));
    bad.waiting.truncate(1);
    let place = ("one".parse().unwrap(), 0);
    bad.steps.push(Step::Start {
        execution: id(2),
        placement: [(place, "b".into())].into(),
    });
    let told = check(&seen, &known, &policy, at(100), &bad);
    assert_eq!(told.len(), 1, "{told:?}");
    // With the node away nobody has to wait for it.
    let mut drained = seen;
    drained.nodes[0].availability = Availability::Drained;
    assert_eq!(check(&drained, &known, &policy, at(100), &bad), []);
}
