//! The commands as a person uses them, over nodes that answer and nodes that don't.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Instant;

use serde_json::Value;

use crate::common::docker::{TINY, tiny};
use crate::common::{Ran, TestEnv};
use crate::lab::Lab;
use crate::site::NODE_URL;
use crate::watchful;

/// A monitor with a page; two members beside it, one of which must be on n2.
const APPLICATION: &str = r#"
schema = 1
name = "spread"
description = "a test"
monitor = "main"

[[component]]
name = "main"
image = "zoe-test/tiny:1"
cores = 0.1
memory = "64m"
command = ["sh", "-c", "echo main begins; exec httpd -f -p 8080 -h /bin"]
placement = { labels = { disk = "hdd" } }

[[component.port]]
name = "web"
container = 8080

[[component]]
name = "far"
image = "zoe-test/tiny:1"
cores = 0.1
memory = "64m"
command = ["sh", "-c", "echo far begins; sleep 300"]
placement = { labels = { disk = "ssd" } }

[[component]]
name = "any"
image = "zoe-test/tiny:1"
cores = 0.1
memory = "64m"
command = ["sh", "-c", "echo any begins; sleep 300"]
"#;

struct Place<'a> {
    lab: &'a Lab,
    env: TestEnv,
    deployment: String,
}

impl<'a> Place<'a> {
    fn new(lab: &'a Lab) -> Self {
        tiny();
        lab.push(TINY);
        let env = TestEnv::new();
        env.write("spread.toml", APPLICATION);
        Self {
            lab,
            env,
            deployment: format!("t{:08x}", rand::random::<u32>()),
        }
    }

    fn run_with(&self, node_url: &str, arguments: &[&str]) -> Ran {
        let mut command = self.env.bare();
        command
            .env("ZOE_DOCKER_SWARM_MANAGER_URL", self.lab.manager())
            .env("ZOE_DOCKER_PRIVATE_REGISTRY", self.lab.registry())
            .env("ZOE_DOCKER_NODE_URL", node_url)
            .env("ZOE_DEPLOYMENT", &self.deployment)
            .args(arguments);
        Ran::command(&mut command)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(NODE_URL, arguments)
    }

    /// The manager alone is reached.
    fn run_alone(&self, arguments: &[&str]) -> Ran {
        self.run_with("", arguments)
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.run(&[arguments, &["-o", "json"]].concat()).expect(0);
        serde_json::from_str(&printed).unwrap()
    }

    /// Starts the application; returns its id once it runs.
    #[track_caller]
    fn start(&self) -> String {
        let id = self.run(&["run", "-d", "spread.toml"]).expect(0);
        let id = id.trim().to_owned();
        crate::until("it runs", || {
            self.json(&["show", &id])["state"] == "running"
        });
        id
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let _ = self.run(&["kill", "--all"]);
    }
}

fn lines_of<'a>(text: &'a str, member: &str) -> Vec<&'a str> {
    text.lines()
        .filter(|line| line.starts_with(member))
        .collect()
}

#[test]
fn everything_is_seen_wherever_it_is() {
    let lab = Lab::get();
    let place = Place::new(&lab);
    let id = place.start();

    let shown = place.json(&["show", &id]);
    let member = |component: &str| {
        let all = shown["containers"].as_array().unwrap().iter();
        all.clone()
            .find(|one| one["component"] == component)
            .unwrap_or_else(|| panic!("{shown}"))
    };
    assert_eq!(member("far")["node"], "n2");
    assert_eq!(member("main")["node"], "n3");
    let url = shown["urls"][0]["url"].as_str().unwrap();
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    assert!(address.starts_with(&lab.node("n3").address), "{url}");
    let address = address.to_socket_addrs().unwrap().next().unwrap();
    crate::until("its page answers", || TcpStream::connect(address).is_ok());

    for own in [place.run(&["logs", &id]), place.run_alone(&["logs", &id])] {
        assert_eq!(own.expect(0), "main begins\n");
    }
    for all in [
        place.run(&["logs", "--all", &id]),
        place.run_alone(&["logs", "--all", &id]),
    ] {
        let text = all.expect(0);
        for name in ["main", "far", "any"] {
            assert_eq!(lines_of(&text, &format!("{name}-0")).len(), 1, "{text}");
        }
    }

    let top = place.json(&["top", &id]);
    let rows = top.as_array().unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert!(row["memory_bytes"].as_u64() > Some(0), "{row}");
        assert!(row["note"].is_null(), "{row}");
    }
    let alone = place.run_alone(&["top", &id, "-o", "json"]);
    assert!(
        alone.stderr.contains("[docker] node_url"),
        "{}",
        alone.stderr
    );
    let rows: Vec<Value> = serde_json::from_str(&alone.expect(0)).unwrap();
    let far = rows.iter().find(|row| row["component"] == "far").unwrap();
    assert!(
        far["memory_bytes"].is_null() && far["note"].is_string(),
        "{far}"
    );
    assert_eq!(far["cores"], 0.1);

    let status = place.json(&["status"]);
    for node in status["nodes"].as_array().unwrap() {
        assert!(node["used"]["memory_bytes"].is_u64(), "{node}");
        let name = node["name"].as_str().unwrap();
        assert_eq!(node["address"], lab.node(name).address.as_str());
        assert_eq!(node["availability"], "active");
    }
    let alone = place.run_alone(&["status"]).expect(0);
    assert!(
        alone.contains("What is used on n2, n3 is not known"),
        "{alone}"
    );

    let inside = place.run(&["exec", &id, "far", "--", "hostname"]).expect(0);
    let container = member("far")["container_id"].as_str().unwrap();
    assert_eq!(inside.trim(), "far-0");
    let said = place
        .run_alone(&["exec", &id, "far", "--", "hostname"])
        .expect_error(125);
    let way = format!("ssh n2 docker exec {container} hostname");
    assert!(said.contains(&way), "{said}");
}

#[test]
fn a_lost_node_is_named_and_the_rest_is_seen() {
    let lab = watchful();
    let place = Place::new(&lab);
    let id = place.start();
    lab.kill("n2");
    for ran in [
        place.run(&["logs", "--all", &id]),
        place.run_alone(&["logs", "--all", &id]),
    ] {
        assert!(ran.stderr.contains("node n2"), "{}", ran.stderr);
        assert!(ran.stdout.contains("main begins"), "{}", ran.stdout);
        ran.expect(125);
    }
    crate::until("the Swarm notices", || {
        place.json(&["status"])["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|node| node["name"] == "n2" && node["availability"] == "down")
    });
    let begun = Instant::now();
    let status = place.run(&["status"]).expect(0);
    assert!(
        status.contains("What is used on n2 is not known"),
        "{status}"
    );
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    let shown = place.json(&["show", &id]);
    let reason = shown["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("far-0 is on n2"), "{shown}");
    let said = place
        .run(&["exec", &id, "far", "--", "true"])
        .expect_error(125);
    assert!(said.contains("far") || said.contains("n2"), "{said}");
    lab.heal("n2");
}
