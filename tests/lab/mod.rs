//! The lab for tests: a real Docker Swarm of three nodes on this machine, and a registry. See docs/lab.md.
//!
//! It is brought up by the first test that asks and stays up: whoever ran the tests takes it down (`scripts/lab down`).
//! Tests of one lab share it; one that disturbs nodes has it alone. What a test makes in it, the test removes.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fs4::FileExt;

/// Held by whoever uses the lab; it goes with the lab.
const USE: &str = "/run/zoe-lab/use";

/// One of its machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its hostname.
    pub name: String,
    /// Its address on the lab's net; published ports answer there.
    pub address: String,
    /// Where its Engine answers, `tcp://…`.
    pub url: String,
}

/// The lab, up and in use; free for others when this is dropped.
pub struct Lab {
    nodes: Vec<Node>,
    registry: String,
    _held: File,
}

impl Lab {
    /// The lab, shared with other tests; brought up or repaired where it isn't whole.
    #[track_caller]
    pub fn get() -> Self {
        Self::held(FileExt::lock_shared)
    }

    /// The lab for this test alone, which may disturb nodes. It is made whole again by whoever asks for it next.
    #[track_caller]
    pub fn alone() -> Self {
        Self::held(FileExt::lock)
    }

    #[track_caller]
    fn held(lock: fn(&File) -> std::io::Result<()>) -> Self {
        loop {
            // Held first: what another test is disturbing is no damage to repair.
            if let Some(held) = Self::hold(lock) {
                // What the last user left broken.
                Self::up();
                if is_current(&held) {
                    return Self::described(held);
                }
            } else {
                Self::up();
            }
        }
    }

    /// The file that says who uses the lab, once the lock is there; nothing where there is no lab.
    #[track_caller]
    fn hold(lock: fn(&File) -> std::io::Result<()>) -> Option<File> {
        let held = File::open(USE).ok()?;
        lock(&held).expect("the lab's file can be locked");
        is_current(&held).then_some(held)
    }

    #[track_caller]
    fn up() {
        command(&["up"]);
    }

    #[track_caller]
    fn described(held: File) -> Self {
        let environment = command(&["env"]);
        let value = |name: &str| {
            environment
                .lines()
                .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
                .find(|(key, _)| *key == name)
                .unwrap_or_else(|| panic!("scripts/lab env says no {name}: {environment}"))
                .1
                .trim_matches('\'')
                .to_owned()
        };
        let node = |pair: &str| {
            let (name, address) = pair.split_once('=').expect("NAME=ADDRESS");
            Node {
                name: name.to_owned(),
                address: address.to_owned(),
                url: format!("tcp://{address}:2375"),
            }
        };
        Self {
            nodes: value("ZOE_LAB_NODES").split(' ').map(node).collect(),
            registry: value("ZOE_LAB_REGISTRY"),
            _held: held,
        }
    }

    /// Where the Swarm's manager answers, `tcp://…`; it is the first node.
    pub fn manager(&self) -> &str {
        &self.nodes[0].url
    }

    /// Its machines, the manager first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The machine of that name.
    #[track_caller]
    pub fn node(&self, name: &str) -> &Node {
        let found = self.nodes.iter().find(|node| node.name == name);
        found.unwrap_or_else(|| panic!("the lab has no node {name}"))
    }

    /// The registry, `HOST:PORT`, as the nodes reach it. This machine's own Engine can't push there: [`Lab::push`] does.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// What the docker CLI prints, asking that node's Engine; panics where it fails.
    #[track_caller]
    pub fn docker(&self, node: &str, args: &[&str]) -> String {
        success(&["docker"], args, &self.try_docker(node, args))
    }

    /// As [`Lab::docker`], with the docker directory, and thus the logins, of somebody.
    #[track_caller]
    pub fn docker_as(&self, directory: &Path, node: &str, args: &[&str]) -> String {
        let directory = directory.to_str().expect("a path that can be written");
        let args = [&["--config", directory], args].concat();
        self.docker(node, &args)
    }

    /// As [`Lab::docker`], whatever comes of it.
    #[track_caller]
    pub fn try_docker(&self, node: &str, args: &[&str]) -> Output {
        Command::new("docker")
            .args(["-H", &self.node(node).url])
            .args(args)
            .env_remove("DOCKER_TLS_VERIFY")
            .output()
            .expect("these tests need the docker command")
    }

    /// The node is lost, as in a power cut: its Engine and its containers are killed.
    #[track_caller]
    pub fn kill(&self, node: &str) {
        command(&["kill", &self.node(node).name]);
    }

    /// The node is cut off from the network; what runs on it goes on.
    #[track_caller]
    pub fn cut(&self, node: &str) {
        command(&["cut", &self.node(node).name]);
    }

    /// Undoes either and waits until the Swarm says that the node is ready.
    #[track_caller]
    pub fn heal(&self, node: &str) {
        command(&["heal", &self.node(node).name]);
    }

    /// Restarts the node's Engine, which ends its containers, and waits until the Swarm says that the node is ready.
    #[track_caller]
    pub fn restart(&self, node: &str) {
        command(&["restart", &self.node(node).name]);
    }

    /// Puts an image of this machine's Engine into the registry, unless it is there; returns how the nodes call it.
    #[track_caller]
    pub fn push(&self, image: &str) -> String {
        let name = command(&["push", image]);
        assert!(
            name.starts_with(&self.registry),
            "{name} is in the lab's registry"
        );
        name
    }
}

/// Whether the file is still the one that counts.
fn is_current(held: &File) -> bool {
    let held = held.metadata().expect("an open file has metadata");
    std::fs::metadata(USE).is_ok_and(|now| (now.dev(), now.ino()) == (held.dev(), held.ino()))
}

/// What `scripts/lab` prints; panics with its words where it fails.
#[track_caller]
fn command(args: &[&str]) -> String {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/lab");
    let output = Command::new(&script)
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("{} can't be run: {error}", script.display()));
    success(&["scripts/lab"], args, &output)
}

#[track_caller]
fn success(program: &[&str], args: &[&str], output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    let command = [program, args].concat().join(" ");
    assert!(
        output.status.success(),
        "`{command}` failed ({}): {error}",
        output.status
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
