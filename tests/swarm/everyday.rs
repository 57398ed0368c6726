//! The same commands as on one machine: what is run, where, and what people see of it.

use serde_json::Value;

use crate::site::{Site, until};

/// One member that the others belong to, and three workers of which two are elastic.
const CLUSTER: &str = r#"
schema = 1
name = "cluster"
description = "A cluster of nothing"
monitor = "main"

[[component]]
name = "main"
image = "IMAGE"
cores = 0.25
memory = "32m"
command = ["sh", "-c", "until wget -qO- http://worker-0:8000/ >/dev/null 2>&1; do sleep 0.1; done; echo found worker-0; exec sleep 1000"]

[[component]]
name = "worker"
image = "IMAGE"
core = 1
elastic = 2
cores = 0.25
memory = "32m"
command = ["sh", "-c", "mkdir -p /srv; echo worker > /srv/index.html; exec httpd -f -p 8000 -h /srv"]

[[component.port]]
name = "web"
container = 8000
"#;

fn nodes(members: &[Value]) -> Vec<&str> {
    let mut nodes: Vec<_> = members
        .iter()
        .map(|m| m["node"].as_str().unwrap())
        .collect();
    nodes.sort_unstable();
    nodes
}

#[test]
fn members_are_spread_find_each_other_and_are_seen() {
    let site = Site::alone();
    let id = site.running(CLUSTER);
    let workers = site.members(&id, "worker");
    assert_eq!(nodes(&workers), ["n1", "n2", "n3"]);
    let log = until("the main one finds a worker over the network", || {
        let log = site.run(&["logs", &id, "main"]).expect(0);
        log.contains("found worker-0").then_some(log)
    });
    assert!(!log.contains("nowhere"), "{log}");

    // Web interfaces answer at the node's address.
    let shown = site.show(&id);
    let urls = shown["urls"].as_array().unwrap();
    assert_eq!(urls.len(), 3, "{shown}");
    for url in urls {
        let url = url["url"].as_str().unwrap();
        assert!(url.starts_with("http://10."), "{url}");
        until(url, || {
            let answer = std::process::Command::new("curl")
                .args(["-fsS", "-m", "5", url])
                .output();
            (answer.unwrap().stdout == b"worker\n").then_some(())
        });
    }

    // Commands run where the member is, whichever node that is.
    for index in 0..3 {
        let member = format!("worker-{index}");
        let said = site
            .run(&["exec", &id, &member, "--", "hostname"])
            .expect(0);
        assert_eq!(said.trim(), member);
    }
    let top = site.json(&["top", &id]);
    let used = top.as_array().unwrap();
    assert_eq!(used.len(), 4, "{top}");

    site.run(&["kill", &id]).expect(0);
    let log = site.run(&["logs", &id, "main"]).expect(0);
    assert!(log.contains("found worker-0"), "{log}");
    site.until_nothing_is_left();
}

#[test]
fn a_job_ends_with_its_own_code_and_its_files_reach_every_node() {
    let site = Site::shared();
    for (code, node) in [(0, "hdd"), (7, "ssd")] {
        let file = site.application(&format!(
            r#"
schema = 1
name = "job"
description = "Ends"
monitor = "main"

[[component]]
name = "main"
image = "IMAGE"
cores = 0.25
memory = "32m"
command = ["sh", "-c", "echo done on $$(hostname); exit {code}"]

[component.placement]
labels = {{ disk = "{node}" }}
"#
        ));
        let said = site.run(&["run", &file]).expect(code);
        assert!(said.contains("done on main-0"), "{said}");
    }
    let past = site.json(&["history"]);
    let codes: Vec<_> = past
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["exit_code"].clone())
        .collect();
    assert_eq!(codes, [7, 0]);
}

#[test]
fn elastic_members_come_and_go() {
    let site = Site::alone();
    let id = site.running(CLUSTER);
    assert_eq!(site.members(&id, "worker").len(), 3);
    let main = site.members(&id, "main");
    site.run(&["resize", &id, "worker", "1"]).expect(0);
    assert_eq!(site.members(&id, "worker").len(), 1);
    site.run(&["resize", &id, "3"]).expect(0);
    let workers = site.members(&id, "worker");
    assert_eq!(workers.len(), 3);
    assert!(
        workers.iter().all(|worker| worker["state"] == "running"),
        "{workers:?}"
    );
    assert_eq!(site.members(&id, "main"), main, "the others are left alone");
    let refused = site.run(&["resize", &id, "worker", "4"]).expect_error(2);
    assert!(refused.contains('3'), "{refused}");
}

#[test]
fn nothing_new_goes_to_a_node_that_is_disabled_or_drained() {
    let site = Site::alone();
    site.lab.docker(
        "n1",
        &["node", "update", "--label-add", "zoe.disabled=yes", "n3"],
    );
    site.lab
        .docker("n1", &["node", "update", "--availability", "drain", "n2"]);
    let status = site.json(&["status"]);
    let available = |name: &str| {
        let nodes = status["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["name"] == name).unwrap()["available"].clone()
    };
    assert_eq!(
        [available("n1"), available("n2"), available("n3")],
        [true, false, false]
    );
    let id = site.running(CLUSTER);
    assert_eq!(nodes(&site.members(&id, "worker")), ["n1"; 3]);
    site.run(&["kill", &id]).expect(0);

    let on_n3 = r#"
schema = 1
name = "picky"
description = "Wants the disk of n3"
monitor = "main"

[[component]]
name = "main"
image = "IMAGE"
cores = 0.25
memory = "32m"
command = ["true"]

[component.placement]
labels = { disk = "hdd" }
"#;
    let id = site.submitted(on_n3);
    let shown = site.show(&id);
    assert_eq!(shown["state"], "queued", "{shown}");
    assert!(shown["reason"].as_str().unwrap().contains("n3"), "{shown}");
    site.lab.docker(
        "n1",
        &["node", "update", "--label-rm", "zoe.disabled", "n3"],
    );
    site.lab
        .docker("n1", &["node", "update", "--availability", "active", "n2"]);
    site.run(&["wait", &id]).expect(0);
}

#[test]
fn an_image_that_a_node_cannot_get_is_told_at_once() {
    let site = Site::shared();
    let nowhere = format!("{}/nobody/has-this:1", site.lab.registry());
    let file = site.application(&CLUSTER.replace("IMAGE", &nowhere));
    let refused = site.run(&["run", "-d", &file]);
    assert_ne!(refused.code, 0);
    assert!(
        refused.stderr.contains("nobody/has-this"),
        "{}",
        refused.stderr
    );

    // What only the manager has the others can't get either.
    site.lab.docker("n1", &["pull", "-q", &site.image]);
    site.lab.docker("n1", &["tag", &site.image, &nowhere]);
    let file = site.application(&CLUSTER.replace("IMAGE", &nowhere));
    let refused = site.run(&["run", "-d", &file]);
    site.lab.docker("n1", &["rmi", &nowhere]);
    assert_eq!(refused.code, 125, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("nobody/has-this") && refused.stderr.contains("images push"),
        "{}",
        refused.stderr
    );
    site.until_nothing_is_left();
}
