//! The lab itself: what it claims to be, and that what is done to its nodes is done and undone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "it is a test, helpers included"
)]

use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

#[path = "common/docker.rs"]
#[allow(dead_code, reason = "one part of it is used")]
mod docker;
mod lab;
#[path = "lab_up/things.rs"]
mod things;

use lab::Lab;
use things::Things;

/// Waits until it is so, for three minutes at the most.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_mins(3);
    while !is_so() {
        assert!(Instant::now() < patience, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The manager's words about a node: its status and its role.
fn status(lab: &Lab, node: &str) -> String {
    let rows = lab.docker(
        "n1",
        &["node", "ls", "--format", "{{.Hostname}} {{.Status}}"],
    );
    let row = rows.lines().find_map(|row| row.strip_prefix(node));
    row.unwrap_or("is no member").trim().to_owned()
}

fn fetch(address: &str) -> String {
    let output = Command::new("curl")
        .args(["-sS", "--noproxy", "*", "--max-time", "5", address])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn three_nodes_are_ready_with_their_declared_sizes_and_labels() {
    let lab = Lab::get();
    let processors = std::thread::available_parallelism().unwrap().get();
    let declared = [
        ("n1", 2, 6_u64, ""),
        ("n2", 2, 4, "ssd"),
        ("n3", 1, 3, "hdd"),
    ];
    assert_eq!(lab.nodes().len(), declared.len());
    for (node, cpus, gib, disk) in declared {
        let cpus = processors.min(cpus);
        let memory = gib << 30;
        let engine = lab.docker(
            node,
            &[
                "info",
                "--format",
                "{{.Name}} {{.NCPU}} {{.MemTotal}} {{.Labels}}",
            ],
        );
        let labels = if disk.is_empty() {
            String::new()
        } else {
            format!("disk={disk}")
        };
        assert_eq!(engine, format!("{node} {cpus} {memory} [{labels}]"));
        let format = "{{.Description.Resources.NanoCPUs}} {{.Description.Resources.MemoryBytes}} {{.Status.State}} {{.Status.Addr}} [{{index .Spec.Labels \"disk\"}}]";
        let member = lab.docker("n1", &["node", "inspect", node, "--format", format]);
        let address = &lab.node(node).address;
        assert_eq!(
            member,
            format!("{cpus}000000000 {memory} ready {address} [{disk}]")
        );
    }
}

#[test]
fn services_meet_over_a_network_across_nodes_and_answer_from_outside() {
    let lab = Lab::get();
    let things = Things::new(&lab);
    lab.docker(
        "n1",
        &["network", "create", "--driver", "overlay", &things.name],
    );
    let network = |alias: &str| format!("name={},alias={alias}", things.name);
    let serve = "mkdir /www && hostname > /www/index.html && exec httpd -f -p 8080 -h /www";
    let server = things.service(
        "server",
        &[
            "--network",
            &network("first"),
            "--hostname",
            "member-0",
            "--constraint",
            "node.labels.disk==ssd",
            "--publish",
            "mode=host,target=8080",
        ],
        &["sh", "-c", serve],
    );
    // Its image comes out of the registry: nothing else brings it to n3.
    let ask = "until wget -q -O - http://first:8080/; do sleep 0.1; done; exec sleep 1000";
    let client = things.service(
        "client",
        &[
            "--network",
            &network("second"),
            "--constraint",
            "node.hostname==n3",
        ],
        &["sh", "-c", ask],
    );
    until("the client on n3 has an answer of the server on n2", || {
        lab.docker("n1", &["service", "logs", "--raw", &client]) == "member-0"
    });
    let task = lab.docker("n1", &["service", "ps", "--quiet", &server]);
    let format = "{{range .Status.PortStatus.Ports}}{{.PublishedPort}} {{end}}";
    let ports = lab.docker(
        "n1",
        &["inspect", "--type", "task", "--format", format, &task],
    );
    let port = ports.split(' ').next().unwrap();
    let address = &lab.node("n2").address;
    assert_eq!(fetch(&format!("http://{address}:{port}/")), "member-0");
}

#[test]
fn containers_of_different_nodes_reach_each_other_by_address() {
    let lab = Lab::get();
    let things = Things::new(&lab);
    let serve = "mkdir -p /www/cgi-bin && printf '#!/bin/sh\\necho; echo $REMOTE_ADDR\\n' > /www/cgi-bin/who && /bin/busybox chmod +x /www/cgi-bin/who && exec httpd -f -p 8080 -h /www";
    // The server writes an IPv4 address as IPv6 does.
    let source = |answer: &str| {
        answer
            .trim_matches(['[', ']'])
            .trim_start_matches("::ffff:")
            .to_owned()
    };
    let address = |node: &str, id: &str| {
        lab.docker(
            node,
            &["inspect", "--format", "{{.NetworkSettings.IPAddress}}", id],
        )
    };
    let one = things.run("n1", &["--publish", "8080"], &["sh", "-c", serve]);
    let two = things.run("n2", &[], &["sh", "-c", serve]);
    for (from, client, to, server) in [("n1", &one, "n2", &two), ("n2", &two, "n1", &one)] {
        let place = format!("http://{}:8080/cgi-bin/who", address(to, server));
        let ask = ["exec", client, "wget", "-q", "-O", "-", &place];
        until("the server answers", || {
            lab.try_docker(from, &ask).status.success()
        });
        assert_eq!(
            source(&lab.docker(from, &ask)),
            address(from, client),
            "the source address"
        );
        // And from this machine.
        assert_eq!(source(&fetch(&place)), "10.213.0.1");
    }
    let published = lab.docker("n1", &["port", &one, "8080"]);
    let port = published
        .lines()
        .next()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap();
    let place = format!("http://{}:{port}/cgi-bin/who", lab.node("n1").address);
    assert!(!fetch(&place).is_empty(), "{place} answers");
}

#[test]
fn a_node_cut_off_keeps_what_runs_on_it_and_comes_back() {
    let lab = Lab::alone();
    let things = Things::new(&lab);
    let id = things.run("n3", &[], &["sleep", "1000"]);
    let since = |id: &str| {
        lab.docker(
            "n3",
            &[
                "inspect",
                "--format",
                "{{.State.Running}} {{.State.StartedAt}}",
                id,
            ],
        )
    };
    let before = since(&id);
    lab.cut("n3");
    assert!(!reachable(&lab, "n3"), "n3 is cut off");
    until("the manager notices", || status(&lab, "n3") == "Down");
    lab.heal("n3");
    assert_eq!(status(&lab, "n3"), "Ready");
    assert_eq!(since(&id), before, "the container has run all the time");
}

#[test]
fn a_node_that_is_killed_loses_its_containers_and_comes_back_with_its_data() {
    let lab = Lab::alone();
    let things = Things::new(&lab);
    let id = things.run("n2", &[], &["sleep", "1000"]);
    lab.kill("n2");
    assert!(!reachable(&lab, "n2"), "n2 is off");
    until("the manager notices", || status(&lab, "n2") == "Down");
    lab.heal("n2");
    assert_eq!(status(&lab, "n2"), "Ready");
    let state = lab.docker("n2", &["inspect", "--format", "{{.State.Status}}", &id]);
    assert_eq!(state, "exited");
    assert!(
        !lab.docker("n2", &["images", "-q", &things.image])
            .is_empty()
    );
}

#[test]
fn a_restarted_manager_knows_what_it_knew() {
    let lab = Lab::alone();
    let things = Things::new(&lab);
    let service = things.service(
        "still",
        &["--constraint", "node.hostname==n2"],
        &["sleep", "1000"],
    );
    let tasks = || {
        let format = "{{.ID}} {{.Node}} {{.CurrentState}}";
        let rows = lab.docker(
            "n1",
            &["service", "ps", "--no-trunc", "--format", format, &service],
        );
        rows.split(' ').take(3).collect::<Vec<_>>().join(" ")
    };
    until("the service runs", || tasks().ends_with("n2 Running"));
    let before = tasks();
    lab.restart("n1");
    assert_eq!(tasks(), before);
    for node in lab.nodes() {
        assert_eq!(status(&lab, &node.name), "Ready", "{}", node.name);
    }
}

#[test]
fn a_broken_lab_is_repaired_for_the_next_who_asks() {
    let lab = Lab::alone();
    lab.kill("n3");
    lab.cut("n2");
    drop(lab);
    let lab = Lab::get();
    for node in lab.nodes() {
        assert_eq!(status(&lab, &node.name), "Ready", "{}", node.name);
    }
}

/// Whether its Engine takes a connection.
fn reachable(lab: &Lab, node: &str) -> bool {
    let address = format!("{}:2375", lab.node(node).address);
    TcpStream::connect_timeout(&address.parse().unwrap(), Duration::from_secs(2)).is_ok()
}
