//! Others on the same Swarm, and members that fit in sum but nowhere.

use crate::site::{Site, until};

/// A service that is not zoe's, gone when this is dropped.
struct Service<'a> {
    site: &'a Site,
    name: String,
}

impl<'a> Service<'a> {
    fn new(site: &'a Site, node: &str, memory: &str) -> Self {
        let name = format!("foreign-{:08x}", rand::random::<u32>());
        let constraint = format!("node.hostname=={node}");
        site.lab.docker(
            "n1",
            &[
                "service",
                "create",
                "--detach",
                "--name",
                &name,
                "--endpoint-mode",
                "dnsrr",
                "--constraint",
                &constraint,
                "--reserve-memory",
                memory,
                "--reserve-cpu",
                "0.5",
                &site.image,
                "sleep",
                "1000",
            ],
        );
        until("the foreign service runs", || {
            let found = site.lab.docker(
                "n1",
                &["service", "ps", &name, "--format", "{{.CurrentState}}"],
            );
            found.starts_with("Running").then_some(())
        });
        Self { site, name }
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        self.site
            .lab
            .try_docker("n1", &["service", "rm", &self.name]);
    }
}

fn member_of(memory: &str) -> String {
    format!(
        r#"
schema = 1
name = "fat"
description = "One member of one gigabyte, one of many"
monitor = "main"

[[component]]
name = "main"
image = "IMAGE"
cores = 0.1
memory = "1g"
command = ["sleep", "1000"]

[[component]]
name = "fat"
image = "IMAGE"
cores = 0.1
memory = "{memory}"
command = ["sleep", "1000"]
"#
    )
}

#[test]
fn what_others_hold_is_counted_and_never_touched() {
    let site = Site::alone();
    let foreign = Service::new(&site, "n1", "2g");
    let status = site.json(&["status"]);
    let n1 = status["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|n| n["name"] == "n1")
        .unwrap();
    assert_eq!(n1["others"]["memory_bytes"], 2_u64 << 30, "{status}");
    assert_eq!(n1["others"]["cores"], 0.5, "{status}");

    // 6 GiB are n1's, of which 2 are held: 10 are free in all, but 5 in one piece nowhere.
    let id = site.submitted(&member_of("5g"));
    let shown = site.show(&id);
    assert_eq!(shown["state"], "queued", "{shown}");
    let reason = shown["reason"].as_str().unwrap();
    assert!(
        reason.contains("fat") && reason.contains("node"),
        "{reason}"
    );
    assert_eq!(
        shown["containers"].as_array().unwrap().len(),
        0,
        "never half started"
    );

    // More than any node has is refused at once, with the number.
    let file = site.application(&member_of("7g"));
    let refused = site.run(&["run", "-d", &file]).expect_error(5);
    assert!(
        refused.contains("n1") && refused.contains("6 GiB"),
        "{refused}"
    );

    site.run(&["kill", "--all", "-y"]).expect(0);
    let there = site.lab.docker(
        "n1",
        &[
            "service",
            "ps",
            &foreign.name,
            "--format",
            "{{.CurrentState}}",
        ],
    );
    assert!(there.starts_with("Running"), "{there}");

    // With it gone there is room.
    let id = site.submitted(&member_of("5g"));
    drop(foreign);
    site.run(&["wait", "--for", "running", &id]).expect(0);
}
