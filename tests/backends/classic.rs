//! The backend for a classic Swarm under test: over the lab's three Engines, through a stand-in for their manager, or through
//! the manager that `ZOE_TEST_CLASSIC` names (`tcp://127.0.0.1:4000`), a real one.

use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use zoe::engine::docker::classic::ClassicBackend;
use zoe::engine::endpoint::{Address, Endpoint, EndpointOrigin};
use zoe::engine::gate::Gate;
use zoe::engine::{Backend, Images};
use zoe::labels::Labels;
use zoe::model::Deployment;

use crate::docker::{label_args, raw, script, words};
use crate::harness::{BackendUnderTest, Do, Raw, fresh_deployment};
use crate::lab::Lab;
use crate::stand_in::StandIn;

/// The backend with a deployment of its own, and what the case made beside it.
pub struct Classic {
    /// Where its nodes are.
    pub lab: Lab,
    manager: Manager,
    image: String,
    deployment: Deployment,
    others: Mutex<Vec<Deployment>>,
    planted: Mutex<Vec<String>>,
}

/// Who is spoken to.
struct Manager {
    host: String,
    port: u16,
    _stand_in: Option<StandIn>,
}

impl Manager {
    async fn of(lab: &Lab) -> Self {
        let given = std::env::var("ZOE_TEST_CLASSIC").ok();
        let stand_in = if given.is_none() {
            let urls = lab.nodes().iter().map(|node| node.url.as_str());
            Some(StandIn::over(urls).await)
        } else {
            None
        };
        let url = given
            .or_else(|| stand_in.as_ref().map(StandIn::url))
            .unwrap();
        let (host, port) = url.trim_start_matches("tcp://").rsplit_once(':').unwrap();
        Self {
            host: host.to_owned(),
            port: port.parse().unwrap(),
            _stand_in: stand_in,
        }
    }

    fn backend(&self, lab: &Lab, deployment: &Deployment) -> ClassicBackend {
        let endpoint = Endpoint {
            address: Address::Tcp {
                host: self.host.clone(),
                port: self.port,
                tls: None,
            },
            origin: EndpointOrigin::DockerHost,
            patience: zoe::engine::endpoint::PATIENCE,
        };
        let publish = "127.0.0.1".parse().unwrap();
        ClassicBackend::new(&endpoint, deployment.clone(), publish, Gate::open())
            .unwrap()
            .with_shared_registry(lab.registry())
    }

    fn try_cli(&self, args: &[String]) -> Output {
        Command::new("docker")
            .args(["-H", &format!("tcp://{}:{}", self.host, self.port)])
            .args(args)
            .env_remove("DOCKER_TLS_VERIFY")
            .output()
            .expect("these tests need the docker command")
    }

    fn cli(&self, parts: &[&[String]]) -> String {
        let args = parts.concat();
        let output = self.try_cli(&args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {args:?}: {error}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Classic {
    /// A fresh deployment on the lab, whose nodes all have the tiny image.
    pub async fn new() -> Self {
        Self::on(Lab::get).await
    }

    /// The same for one who disturbs nodes.
    #[allow(dead_code)] // the suite does not
    pub async fn alone() -> Self {
        Self::on(Lab::alone).await
    }

    async fn on(lab: fn() -> Lab) -> Self {
        crate::docker::ensure_tiny().await;
        let lab = tokio::task::spawn_blocking(lab).await.unwrap();
        let image = lab.push(crate::docker::TINY);
        let manager = Manager::of(&lab).await;
        let deployment = fresh_deployment();
        let backend = manager.backend(&lab, &deployment);
        backend.ensure(&image, &|_| ()).await.unwrap();
        Self {
            lab,
            manager,
            image,
            deployment,
            others: Mutex::default(),
            planted: Mutex::default(),
        }
    }

    /// Where the manager answers, `tcp://…`.
    #[allow(dead_code)] // the suite does not need it
    pub fn url(&self) -> String {
        format!("tcp://{}:{}", self.manager.host, self.manager.port)
    }

    fn listed(&self, list: &str, deployment: &Deployment) -> Vec<String> {
        let filter = format!("label=zoe.deployment={deployment}");
        let ids = self
            .manager
            .cli(&[&words(list), &["--filter".to_owned(), filter]]);
        let mut ids: Vec<_> = ids.lines().map(str::to_owned).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    fn clean(&self, deployment: &Deployment) {
        for (list, remove) in [
            ("ps -aq --no-trunc", "rm -fv"),
            ("network ls -q --no-trunc", "network rm"),
            ("images -q --no-trunc", "rmi -f"),
        ] {
            for id in self.listed(list, deployment) {
                self.manager.try_cli(&[words(remove), vec![id]].concat());
            }
        }
    }
}

impl Drop for Classic {
    fn drop(&mut self) {
        for id in self.planted.lock().unwrap().iter() {
            self.manager
                .try_cli(&[words("rm -fv"), vec![id.clone()]].concat());
        }
        self.clean(&self.deployment);
        for deployment in self.others.lock().unwrap().iter() {
            self.clean(deployment);
        }
    }
}

impl BackendUnderTest for Classic {
    fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(self.manager.backend(&self.lab, &self.deployment))
    }

    fn of(&self, deployment: &Deployment) -> Arc<dyn Backend> {
        self.others.lock().unwrap().push(deployment.clone());
        Arc::new(self.manager.backend(&self.lab, deployment))
    }

    fn image(&self) -> String {
        self.image.clone()
    }

    fn command(&self, what: &Do<'_>) -> Vec<String> {
        script(what)
    }

    fn plant_container(&self, name: &str, labels: &Labels, what: Option<&Do<'_>>) -> String {
        let verb = if what.is_some() { "run -d" } else { "create" };
        let command = self.command(what.unwrap_or(&Do::Run));
        let head = [words(verb), words(&format!("--name {name}"))].concat();
        let id = self
            .manager
            .cli(&[&head, &label_args(labels), &[self.image()], &command]);
        self.planted.lock().unwrap().push(id.clone());
        id
    }

    fn plant_network(&self, name: &str, labels: &Labels) -> String {
        self.manager.cli(&[
            &words("network create -d bridge"),
            &label_args(labels),
            &[name.to_owned()],
        ])
    }

    fn raw(&self, deployment: &Deployment) -> Vec<Raw> {
        let mut all = Vec::new();
        for (kind, list) in [
            ("container", "ps -aq --no-trunc"),
            ("network", "network ls -q --no-trunc"),
            ("image", "images -q --no-trunc"),
        ] {
            for id in self.listed(list, deployment) {
                // Between the two calls somebody may have removed it.
                let inspect = [words("inspect --type"), vec![kind.to_owned(), id]].concat();
                let found = self.manager.try_cli(&inspect).stdout;
                let found: Vec<Value> = serde_json::from_slice(&found).unwrap_or_default();
                all.extend(found.iter().map(|object| raw(kind, object)));
            }
        }
        all
    }

    fn exists(&self, kind: &str, id: &str) -> bool {
        let inspect = [
            words("inspect --type"),
            vec![kind.to_owned(), id.to_owned()],
        ]
        .concat();
        self.manager.try_cli(&inspect).status.success()
    }
}
