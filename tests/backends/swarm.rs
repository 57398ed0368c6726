//! The Swarm backend under test, in the lab.
//!
//! What takes the place of a container here is a service, or a config where it is a ticket; the cases call both containers.

use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zoe::engine::Backend;
use zoe::engine::detect::{Kind, detect};
use zoe::engine::endpoint::{Address, Endpoint, EndpointOrigin};
use zoe::engine::gate::Gate;
use zoe::engine::swarm::{NodeUrl, SwarmBackend};
use zoe::labels::{self, Labels};
use zoe::model::Deployment;

use crate::docker::{label_args, script, words};
use crate::harness::{BackendUnderTest, Do, Raw, fresh_deployment};
use crate::lab::Lab;

const MANAGER: &str = "n1";

/// The Swarm backend with a deployment of its own, and what the case made beside it.
pub struct Swarm {
    lab: Lab,
    deployment: Deployment,
    image: String,
    others: Mutex<Vec<Deployment>>,
    planted: Mutex<Vec<(&'static str, String)>>,
}

impl Swarm {
    /// A fresh deployment in the lab.
    pub async fn new() -> Self {
        crate::docker::ensure_tiny().await;
        let lab = tokio::task::spawn_blocking(Lab::get).await.unwrap();
        let image = lab.push(crate::docker::TINY);
        Self {
            lab,
            deployment: fresh_deployment(),
            image,
            others: Mutex::default(),
            planted: Mutex::default(),
        }
    }

    fn endpoint(&self) -> Endpoint {
        let (host, port) = self
            .lab
            .manager()
            .strip_prefix("tcp://")
            .and_then(|rest| rest.split_once(':'))
            .unwrap();
        Endpoint {
            address: Address::Tcp {
                host: host.to_owned(),
                port: port.parse().unwrap(),
                tls: None,
            },
            origin: EndpointOrigin::DefaultSocket,
            patience: zoe::engine::endpoint::PATIENCE,
        }
    }

    fn gated(&self, deployment: &Deployment, gate: Gate) -> SwarmBackend {
        let nodes = NodeUrl::new("tcp://{address}:2375".to_owned(), None);
        let everywhere = "0.0.0.0".parse().unwrap();
        let made = SwarmBackend::new(
            &self.endpoint(),
            deployment.clone(),
            everywhere,
            Some(nodes),
            gate,
        );
        made.unwrap().with_shared_registry(self.lab.registry())
    }

    fn of_deployment(&self, deployment: &Deployment) -> Arc<dyn Backend> {
        Arc::new(self.gated(deployment, Gate::open()))
    }

    /// The backend after it was found out that this is a Swarm, as the program does it.
    pub async fn detected(&self, gate: Gate) -> SwarmBackend {
        let detected = detect(&self.endpoint(), gate.clone()).await.unwrap();
        assert_eq!(detected.kind, Kind::Swarm);
        self.gated(&self.deployment, gate).after(detected).unwrap()
    }

    /// Gives a planted service a reservation of processors.
    pub fn reserve(&self, service: &str, cores: &str) {
        let line = format!("service update -q -d --reserve-cpu {cores} {service}");
        self.cli(&[&words(&line)]);
    }

    /// Waits until no node has a container or a network of the deployment any more.
    pub async fn until_nodes_are_clean(&self) {
        let filter = format!("label=zoe.deployment={}", self.deployment);
        for node in self.lab.nodes() {
            for list in [&["ps", "-aq"][..], &["network", "ls", "-q"]] {
                let args = [list, &["--filter", &filter]].concat();
                while !self.lab.docker(&node.name, &args).is_empty() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn cli(&self, parts: &[&[String]]) -> String {
        let args: Vec<_> = parts
            .iter()
            .copied()
            .flatten()
            .map(String::as_str)
            .collect();
        self.lab.docker(MANAGER, &args)
    }

    fn try_cli(&self, line: &str) -> Output {
        let args: Vec<_> = line.split(' ').collect();
        self.lab.try_docker(MANAGER, &args)
    }

    /// The objects of one kind that bear the deployment's label: their ids.
    fn ids(&self, list: &str, deployment: &Deployment) -> Vec<String> {
        let filter = format!("{list} --filter label=zoe.deployment={deployment}");
        let ids = self.cli(&[&words(&filter)]);
        let mut ids: Vec<_> = ids.lines().map(str::to_owned).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    fn inspected(&self, noun: &str, id: &str) -> Option<Value> {
        let output = self.try_cli(&format!("{noun} inspect {id}"));
        let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
        found.into_iter().next()
    }

    fn plant_config(&self, name: &str, labels: &Labels) -> String {
        let mut labels = labels.clone();
        let text = labels.remove(labels::APPLICATION).unwrap_or_default();
        let application = serde_json::from_str::<Value>(&text).unwrap_or(json!({}));
        let content = if application == json!({}) {
            text
        } else {
            json!({ "schema": 1, "application": application }).to_string()
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        let tail = [name.to_owned(), path];
        self.cli(&[&words("config create"), &label_args(&labels), &tail])
    }

    fn plant_service(&self, name: &str, labels: &Labels, what: Option<&Do<'_>>) -> String {
        let replicas = u8::from(what.is_some());
        let head = format!(
            "service create -q -d --restart-condition none --endpoint-mode dnsrr --no-resolve-image --replicas {replicas} --name {name}"
        );
        let inside: Vec<_> = label_args(labels)
            .into_iter()
            .map(|arg| arg.replace("--label", "--container-label"))
            .collect();
        let command = self.command(what.unwrap_or(&Do::Run));
        let image = [self.image.clone()];
        self.cli(&[
            &words(&head),
            &label_args(labels),
            &inside,
            &image,
            &command,
        ])
    }

    /// Whether any task bears the deployment's label.
    pub fn has_tasks(&self, deployment: &Deployment) -> bool {
        let filters = json!({ "label": [format!("zoe.deployment={deployment}")] }).to_string();
        let url = format!("{}/tasks", self.lab.manager().replace("tcp:", "http:"));
        let output = std::process::Command::new("curl")
            .args(["-sG", "--data-urlencode"])
            .arg(format!("filters={filters}"))
            .arg(url)
            .output()
            .unwrap();
        output.stdout.trim_ascii() != b"[]"
    }

    fn clean(&self, deployment: &Deployment) {
        let remove = |list: &str, verb: &str| {
            for id in self.ids(list, deployment) {
                self.try_cli(&format!("{verb} {id}"));
            }
        };
        remove("service ls -q", "service rm");
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.has_tasks(deployment) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(100));
        }
        remove("config ls -q", "config rm");
        remove("secret ls -q", "secret rm");
        remove("network ls -q --no-trunc", "network rm");
        remove("ps -aq --filter label=zoe.kind=builder", "rm -fv");
        remove("images -q", "rmi -f");
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        for (noun, id) in self.planted.lock().unwrap().iter() {
            self.try_cli(&format!("{noun} rm {id}"));
        }
        self.clean(&self.deployment);
        for deployment in self.others.lock().unwrap().iter() {
            self.clean(deployment);
        }
    }
}

/// What Docker calls the object with these labels.
fn noun(labels: &Labels) -> &'static str {
    match labels.get(labels::KIND).map(String::as_str) {
        Some(labels::KIND_TICKET) => "config",
        Some(labels::KIND_BUILDER) => "container",
        _ => "service",
    }
}

impl BackendUnderTest for Swarm {
    fn backend(&self) -> Arc<dyn Backend> {
        self.of_deployment(&self.deployment)
    }

    fn of(&self, deployment: &Deployment) -> Arc<dyn Backend> {
        self.others.lock().unwrap().push(deployment.clone());
        self.of_deployment(deployment)
    }

    fn image(&self) -> String {
        self.image.clone()
    }

    fn command(&self, what: &Do<'_>) -> Vec<String> {
        script(what)
    }

    fn plant_container(&self, name: &str, labels: &Labels, what: Option<&Do<'_>>) -> String {
        let id = match noun(labels) {
            "config" => self.plant_config(name, labels),
            "container" => {
                let head = words(&format!("create --name {name}"));
                self.cli(&[&words(&format!("pull -q {}", self.image))]);
                self.cli(&[
                    &head,
                    &label_args(labels),
                    std::slice::from_ref(&self.image),
                    &self.command(&Do::Run),
                ])
            }
            _ => self.plant_service(name, labels, what),
        };
        self.planted
            .lock()
            .unwrap()
            .push((noun(labels), id.clone()));
        id
    }

    fn plant_network(&self, name: &str, labels: &Labels) -> String {
        let head = words("network create -d overlay");
        self.cli(&[&head, &label_args(labels), &[name.to_owned()]])
    }

    fn raw(&self, deployment: &Deployment) -> Vec<Raw> {
        let mut all = Vec::new();
        for (kind, noun, list, place) in [
            ("container", "config", "config ls -q", "/Spec/Labels"),
            ("container", "service", "service ls -q", "/Spec/Labels"),
            (
                "container",
                "container",
                "ps -aq --no-trunc --filter label=zoe.kind=builder",
                "/Config/Labels",
            ),
            ("secret", "secret", "secret ls -q", "/Spec/Labels"),
            ("network", "network", "network ls -q --no-trunc", "/Labels"),
            ("image", "image", "images -q --no-trunc", "/Config/Labels"),
        ] {
            for id in self.ids(list, deployment) {
                let Some(found) = self.inspected(noun, &id) else {
                    continue;
                };
                let labels = found.pointer(place).cloned().unwrap_or_default();
                let data = found.pointer("/Spec/Data").and_then(Value::as_str);
                let env = data.map(|data| {
                    String::from_utf8(STANDARD.decode(data).unwrap_or_default()).unwrap()
                });
                all.push(Raw {
                    kind,
                    id,
                    labels: serde_json::from_value(labels).unwrap_or_default(),
                    env: env.into_iter().collect(),
                });
            }
        }
        all
    }

    fn exists(&self, kind: &str, id: &str) -> bool {
        let nouns: &[&str] = match kind {
            "container" => &["service", "config", "container"],
            other => &[other],
        };
        nouns.iter().any(|noun| self.inspected(noun, id).is_some())
    }

    fn called(&self, kind: &'static str, labels: &Labels) -> &'static str {
        if kind == "container" {
            noun(labels)
        } else {
            kind
        }
    }

    fn registry_keeps_images(&self) -> bool {
        true
    }

    fn container_of(&self, planted: &str) -> String {
        let tasks = self.cli(&[&words(&format!("service ps -q --no-trunc {planted}"))]);
        let task = tasks.lines().next().unwrap();
        let task = self.try_cli(&format!(
            "inspect --type task --format {{{{.Status.ContainerStatus.ContainerID}}}} {task}"
        ));
        String::from_utf8(task.stdout).unwrap().trim().to_owned()
    }
}
