//! Members in the lab's Swarm, made with the docker CLI as zoe makes them, and backends that look at them.

use std::process::Command;

use futures_util::StreamExt;
use zoe::engine::endpoint::{Address, Endpoint, EndpointOrigin};
use zoe::engine::gate::Gate;
use zoe::engine::swarm::{NodeUrl, SwarmBackend};
use zoe::engine::{Backend, EngineError, LogChunk, LogRange, names};
use zoe::labels;
use zoe::model::{Bytes, Cores, Deployment, ExecutionId, InstanceKey, Resources};

use crate::common::docker::{TINY, tiny};
use crate::lab::Lab;

/// How the lab's Engines are reached.
pub const NODE_URL: &str = "tcp://{address}:2375";

/// A deployment in the lab; its services go when this is dropped.
pub struct Site<'a> {
    pub lab: &'a Lab,
    pub deployment: Deployment,
    pub image: String,
}

impl<'a> Site<'a> {
    pub fn new(lab: &'a Lab) -> Self {
        tiny();
        Self {
            lab,
            deployment: format!("t{:08x}", rand::random::<u32>()).parse().unwrap(),
            image: lab.push(TINY),
        }
    }

    /// A backend that reaches the nodes' Engines by the template.
    pub fn backend(&self, node_url: Option<&str>) -> SwarmBackend {
        let (host, port) = self
            .lab
            .manager()
            .trim_start_matches("tcp://")
            .split_once(':')
            .unwrap();
        let endpoint = Endpoint {
            address: Address::Tcp {
                host: host.to_owned(),
                port: port.parse().unwrap(),
                tls: None,
            },
            origin: EndpointOrigin::DockerHost,
            patience: zoe::engine::endpoint::PATIENCE,
        };
        let url = node_url.map(|template| NodeUrl::new(template.to_owned(), None));
        let here = "127.0.0.1".parse().unwrap();
        SwarmBackend::new(&endpoint, self.deployment.clone(), here, url, Gate::open()).unwrap()
    }

    /// Both kinds: one that reaches the nodes' Engines, and one that reaches the manager only.
    pub fn backends(&self) -> [(&'static str, SwarmBackend); 2] {
        [
            ("with endpoints", self.backend(Some(NODE_URL))),
            ("through the manager", self.backend(None)),
        ]
    }

    /// A member on a node, its task seen to be there.
    pub fn member(&self, node: &str, script: &str) -> InstanceKey {
        let key = InstanceKey {
            execution: ExecutionId::from_bits(rand::random::<u64>() >> 24),
            component: "main".parse().unwrap(),
            index: 0,
        };
        let reservation = Resources {
            cores: Cores::from_millis(100),
            memory: Bytes::from_mib(64),
        };
        let labels = labels::instance(&self.deployment, &key, reservation);
        let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let name = names::instance_name(&self.deployment, &key);
        let constraint = format!("node.hostname=={node}");
        let mut args = vec![
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
            "--constraint",
            &constraint,
            "--name",
            &name,
        ];
        for label in &labels {
            args.extend(["--label", label, "--container-label", label]);
        }
        args.extend([self.image.as_str(), "sh", "-c", script]);
        self.lab.docker("n1", &args);
        key
    }

    /// A word about the member's task: its state (`Running`), or the node it is on.
    pub fn task(&self, key: &InstanceKey, format: &str) -> String {
        let name = names::instance_name(&self.deployment, key);
        self.lab
            .docker("n1", &["service", "ps", "--format", format, &name])
    }

    pub fn until_state(&self, key: &InstanceKey, word: &str) {
        crate::until(&format!("the member is {word}"), || {
            self.task(key, "{{.CurrentState}}").starts_with(word)
        });
    }
}

impl Drop for Site<'_> {
    fn drop(&mut self) {
        let label = format!("label=zoe.deployment={}", self.deployment);
        let listed = self
            .lab
            .try_docker("n1", &["service", "ls", "-q", "--filter", &label]);
        for id in String::from_utf8_lossy(&listed.stdout).lines() {
            let _ = Command::new("docker")
                .args(["-H", self.lab.manager(), "service", "rm", id])
                .output();
        }
    }
}

/// A log's pieces until it ends or breaks off.
pub async fn read(
    backend: &SwarmBackend,
    key: &InstanceKey,
    range: LogRange,
) -> (Vec<LogChunk>, Option<EngineError>) {
    let mut chunks = match backend.logs(key, range).await {
        Ok(chunks) => chunks,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut read = Vec::new();
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(chunk) => read.push(chunk),
            Err(error) => return (read, Some(error)),
        }
    }
    (read, None)
}

/// The text of a log.
pub fn text(chunks: &[LogChunk]) -> String {
    chunks
        .iter()
        .map(|chunk| String::from_utf8_lossy(&chunk.bytes).into_owned())
        .collect()
}
