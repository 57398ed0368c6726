//! Nodes that are lost, and nodes that are only silent.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::site::{Site, until};

/// How often a node of the lab has to say that it is there, where a test does not change it.
const USUAL_PERIOD: Duration = Duration::from_secs(5);

/// A monitor on the node with this disk, and workers that go anywhere.
fn cluster(disk: &str, command: &str) -> String {
    format!(
        r#"
schema = 1
name = "cluster"
description = "A monitor and workers"
monitor = "main"

[[component]]
name = "main"
image = "IMAGE"
cores = 0.25
memory = "32m"
command = ["sh", "-c", "{command}"]

[component.placement]
labels = {{ disk = "{disk}" }}

[[component]]
name = "worker"
image = "IMAGE"
core = 1
elastic = 2
replaceable = true
cores = 0.25
memory = "32m"
command = ["sleep", "1000"]
"#
    )
}

/// What runs on a node, by the names that Docker gives it.
fn on(site: &Site, node: &str, execution: &str) -> Vec<String> {
    let label = format!("label=zoe.execution={execution}");
    let found = site
        .lab
        .docker(node, &["ps", "--filter", &label, "--format", "{{.Names}}"]);
    found.lines().map(str::to_owned).collect()
}

/// A zoe that waits, and so makes the passes that replace what was lost.
fn waiting(site: &Site, execution: &str) -> Child {
    site.start(&["wait", execution], &[])
}

fn code_of(mut waiting: Child) -> i32 {
    let status = until("the end of zoe wait", || waiting.try_wait().unwrap());
    status.code().unwrap()
}

#[test]
fn workers_of_a_dead_node_are_replaced_and_the_job_goes_on() {
    let site = Site::alone().with("ZOE_SCHEDULER_NODE_GRACE", "2");
    let id = site.running(&cluster(
        "ssd",
        "until [ -e /enough ]; do sleep 0.1; done; echo the result; exit 5",
    ));
    let monitor = site.members(&id, "main");
    assert_eq!(monitor[0]["node"], "n2");
    let lost: Vec<_> = site
        .members(&id, "worker")
        .into_iter()
        .filter(|worker| worker["node"] == "n3")
        .collect();
    assert_eq!(lost.len(), 1, "workers are spread");
    let waiting = waiting(&site, &id);
    site.lab.kill("n3");
    until("the lost worker is made anew elsewhere", || {
        let workers = site.members(&id, "worker");
        let fine = workers
            .iter()
            .all(|worker| worker["state"] == "running" && worker["node"] != "n3");
        (fine && workers.len() == 3).then_some(())
    });
    assert_eq!(
        site.members(&id, "main"),
        monitor,
        "the monitor was left alone"
    );
    site.run(&["exec", &id, "main", "--", "sh", "-c", "echo > /enough"])
        .expect(0);
    assert_eq!(code_of(waiting), 5);
    let log = site.run(&["logs", &id, "main"]).expect(0);
    assert!(log.contains("the result"), "{log}");
    site.lab.heal("n3");
    site.until_nothing_is_left();
}

#[test]
fn without_its_monitor_an_execution_fails_and_says_why() {
    let site = Site::alone().with("ZOE_SCHEDULER_NODE_GRACE", "2");
    let id = site.running(&cluster("hdd", "exec sleep 1000"));
    let waiting = waiting(&site, &id);
    site.lab.kill("n3");
    assert_eq!(code_of(waiting), 125);
    let shown = site.show(&id);
    assert_eq!(shown["state"], "failed", "{shown}");
    let reason = shown["reason"].as_str().unwrap();
    assert!(reason.contains("main") && reason.contains("n3"), "{reason}");
    site.lab.heal("n3");
    site.until_nothing_is_left();
}

#[test]
fn what_was_only_silent_for_a_minute_is_not_declared_dead() {
    let site = Site::alone();
    // What docs/swarm.md says to do where the network has breaks: a node is lost after three of these periods.
    site.patience("45s");
    let changed = Instant::now();
    let id = site.running(&cluster(
        "hdd",
        "i=0; while [ $$i -lt 900 ]; do i=$$((i+1)); echo $$i; sleep 0.1; done; exit 3",
    ));
    let before = on(&site, "n3", &id);
    let waiting = waiting(&site, &id);
    // Every node has spoken again by then, and been told of the longer period.
    while changed.elapsed() < 2 * USUAL_PERIOD {
        assert_eq!(site.show(&id)["state"], "running");
    }
    site.lab.cut("n3");
    let cut = Instant::now();
    while cut.elapsed() < Duration::from_mins(1) {
        let shown = site.show(&id);
        assert_eq!(shown["state"], "running", "{shown}");
    }
    site.lab.heal("n3");
    assert_eq!(
        on(&site, "n3", &id),
        before,
        "the same containers, and no others"
    );
    for node in ["n1", "n2"] {
        let others = on(&site, node, &id);
        assert!(
            others.iter().all(|name| !name.contains("main")),
            "a second monitor: {others:?}"
        );
    }
    assert_eq!(code_of(waiting), 3);
    let log = site.run(&["logs", &id, "main"]).expect(0);
    let counted = log
        .lines()
        .filter(|line| line.split(' ').next_back() == Some("1"))
        .count();
    assert_eq!(counted, 1, "it ran once");
    site.patience("5s");
}

#[test]
fn there_is_never_a_second_monitor_when_the_swarm_gave_the_node_up() {
    let site = Site::alone();
    let id = site.running(&cluster("hdd", "exec sleep 1000"));
    let waiting = waiting(&site, &id);
    site.lab.cut("n3");
    until("the Swarm gives the node up", || {
        let nodes = site.lab.docker(
            "n1",
            &["node", "ls", "--format", "{{.Hostname}} {{.Status}}"],
        );
        nodes.contains("n3 Down").then_some(())
    });
    // A moment later it does so with what is on the node; a node that is back before that goes on.
    let service = format!("zoe-{}-{id}-main-0", site.deployment());
    until("the Swarm gives the monitor up", || {
        let arguments = ["service", "ps", &service, "--format", "{{.DesiredState}}"];
        (site.lab.docker("n1", &arguments).trim() == "Shutdown").then_some(())
    });
    let shown = site.show(&id);
    let monitor = site.members(&id, "main");
    assert_eq!(
        (&shown["state"], &monitor[0]["state"]),
        (&"running".into(), &"lost".into())
    );
    site.lab.heal("n3");
    // The Swarm ends on its return what it had given up. Whatever becomes of the execution, nothing of it runs twice.
    assert_ne!(code_of(waiting), 0);
    let shown = site.show(&id);
    assert_eq!(shown["state"], "failed", "{shown}");
    assert!(shown["reason"].as_str().unwrap().contains("n3"), "{shown}");
    site.until_nothing_is_left();
}
