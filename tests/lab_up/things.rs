//! What a test makes in the lab, and its removal.

use std::time::{Duration, Instant};

use crate::docker::{self, TINY};
use crate::lab::Lab;

/// Containers, services and a network of one test; gone when this is dropped.
pub struct Things<'a> {
    lab: &'a Lab,
    /// What the names of all of them begin with; the network's name.
    pub name: String,
    /// The tiny image, as the nodes call it.
    pub image: String,
}

impl<'a> Things<'a> {
    /// None yet; the tiny image is in the registry.
    pub fn new(lab: &'a Lab) -> Self {
        docker::tiny();
        Self {
            lab,
            name: format!("lab-{:08x}", rand::random::<u32>()),
            image: lab.push(TINY),
        }
    }

    /// Runs a container on a node; returns its id.
    pub fn run(&self, node: &str, options: &[&str], command: &[&str]) -> String {
        let label = format!("zoe-lab-test={}", self.name);
        let fixed = ["run", "--detach", "--label", &label];
        let args = [&fixed[..], options, &[self.image.as_str()], command].concat();
        self.lab.docker(node, &args)
    }

    /// Makes a service on the test's network.
    pub fn service(&self, name: &str, options: &[&str], command: &[&str]) -> String {
        let name = format!("{}-{name}", self.name);
        let fixed = [
            "service",
            "create",
            "--detach",
            "--quiet",
            "--endpoint-mode",
            "dnsrr",
            "--restart-condition",
            "none",
            "--stop-grace-period",
            "1s",
            "--name",
            &name,
        ];
        let args = [&fixed[..], options, &[self.image.as_str()], command].concat();
        self.lab.docker("n1", &args);
        name
    }

    fn left(&self, node: &str, list: &[&str], filter: &str) -> Vec<String> {
        let output = self
            .lab
            .try_docker(node, &[list, &["-q", "--filter", filter]].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Things<'_> {
    fn drop(&mut self) {
        let named = format!("name={}", self.name);
        let labelled = format!("label=zoe-lab-test={}", self.name);
        for service in self.left("n1", &["service", "ls"], &named) {
            self.lab.try_docker("n1", &["service", "rm", &service]);
        }
        for node in self.lab.nodes() {
            for container in self.left(&node.name, &["ps", "-a"], &labelled) {
                self.lab.try_docker(&node.name, &["rm", "-fv", &container]);
            }
        }
        // A network can go when the tasks on it have.
        let patience = Instant::now() + Duration::from_secs(20);
        for network in self.left("n1", &["network", "ls"], &named) {
            while !self
                .lab
                .try_docker("n1", &["network", "rm", &network])
                .status
                .success()
                && Instant::now() < patience
            {
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}
