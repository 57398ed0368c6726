//! The Docker backend under test, on the real Engine.

#[path = "../engine_docker/support.rs"]
#[allow(dead_code)] // its own tests use more of it
mod support;

use std::sync::{Arc, Mutex};

use serde_json::Value;
use zoe::engine::Backend;
use zoe::engine::gate::Gate;
use zoe::labels::Labels;
use zoe::model::Deployment;

pub use self::support::TINY;
use self::support::{Site, backend, clean, cli};
use crate::harness::{BackendUnderTest, Do, Raw};

/// The Docker backend with a deployment of its own, and what the case made beside it.
pub struct Docker {
    site: Site,
    others: Mutex<Vec<Deployment>>,
    planted: Mutex<Vec<String>>,
}

impl Docker {
    /// A fresh deployment on the local Engine.
    pub async fn new() -> Self {
        Self {
            site: Site::new().await,
            others: Mutex::default(),
            planted: Mutex::default(),
        }
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        for id in self.planted.lock().unwrap().iter() {
            let _ = std::process::Command::new("docker")
                .args(["rm", "-fv", id])
                .output();
        }
        for deployment in self.others.lock().unwrap().iter() {
            clean(deployment);
        }
    }
}

pub fn label_args(labels: &Labels) -> Vec<String> {
    labels
        .iter()
        .flat_map(|(key, value)| ["--label".to_owned(), format!("{key}={value}")])
        .collect()
}

fn run(parts: &[&[String]]) -> String {
    let args: Vec<_> = parts
        .iter()
        .copied()
        .flatten()
        .map(String::as_str)
        .collect();
    cli(&args)
}

pub fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// What `docker inspect` says of what a list of ids names, with where the labels stand.
fn inspected(kind: &'static str, list: &str, deployment: &Deployment) -> Vec<Raw> {
    let filter = format!("label=zoe.deployment={deployment}");
    let ids = run(&[&words(list), &["--filter".to_owned(), filter]]);
    let mut ids: Vec<_> = ids.lines().map(str::to_owned).collect();
    ids.sort();
    ids.dedup();
    let mut all = Vec::new();
    for id in ids {
        // Between the two calls somebody may have removed it.
        let output = std::process::Command::new("docker")
            .args(["inspect", "--type", kind, &id])
            .output()
            .unwrap();
        let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
        all.extend(found.iter().map(|object| raw(kind, object)));
    }
    all
}

pub fn raw(kind: &'static str, object: &Value) -> Raw {
    let config = if kind == "network" {
        object
    } else {
        &object["Config"]
    };
    let env = if kind == "container" {
        config["Env"].clone()
    } else {
        Value::Null
    };
    Raw {
        kind,
        id: object["Id"].as_str().unwrap().to_owned(),
        labels: serde_json::from_value(config["Labels"].clone()).unwrap_or_default(),
        env: serde_json::from_value(env).unwrap_or_default(),
    }
}

/// What the test image is told to do.
pub fn script(what: &Do<'_>) -> Vec<String> {
    let shell = |script: String| vec!["sh".to_owned(), "-c".to_owned(), script];
    match what {
        Do::Exit(code) => shell(format!("exit {code}")),
        Do::Print(text) => vec!["echo".to_owned(), (*text).to_owned()],
        Do::PrintAndRun(out, err) => {
            shell(format!("echo '{out}'; echo '{err}' >&2; exec sleep 1000"))
        }
        Do::Run => words("sleep 1000"),
        // One dollar is for an application's own variables.
        Do::Env(name) => shell(format!("echo \"$${name}\"")),
        Do::File(path) => vec!["cat".to_owned(), (*path).to_owned()],
    }
}

/// Makes the test image where it is not there.
pub async fn ensure_tiny() {
    Site::new().await;
}

impl BackendUnderTest for Docker {
    fn backend(&self) -> Arc<dyn Backend> {
        of_deployment(&self.site.deployment)
    }

    fn of(&self, deployment: &Deployment) -> Arc<dyn Backend> {
        self.others.lock().unwrap().push(deployment.clone());
        of_deployment(deployment)
    }

    fn image(&self) -> String {
        TINY.to_owned()
    }

    fn command(&self, what: &Do<'_>) -> Vec<String> {
        script(what)
    }

    fn plant_container(&self, name: &str, labels: &Labels, what: Option<&Do<'_>>) -> String {
        let verb = if what.is_some() { "run -d" } else { "create" };
        let command = self.command(what.unwrap_or(&Do::Run));
        let head = [&words(verb)[..], &words(&format!("--name {name}"))].concat();
        let id = run(&[&head, &label_args(labels), &[TINY.to_owned()], &command]);
        self.planted.lock().unwrap().push(id.clone());
        id
    }

    fn plant_network(&self, name: &str, labels: &Labels) -> String {
        run(&[
            &words("network create"),
            &label_args(labels),
            &[name.to_owned()],
        ])
    }

    fn raw(&self, deployment: &Deployment) -> Vec<Raw> {
        [
            ("container", "ps -aq --no-trunc"),
            ("network", "network ls -q --no-trunc"),
            ("image", "images -q --no-trunc"),
        ]
        .into_iter()
        .flat_map(|(kind, list)| inspected(kind, list, deployment))
        .collect()
    }

    fn exists(&self, kind: &str, id: &str) -> bool {
        std::process::Command::new("docker")
            .args(["inspect", "--type", kind, id])
            .output()
            .unwrap()
            .status
            .success()
    }
}

fn of_deployment(deployment: &Deployment) -> Arc<dyn Backend> {
    Arc::new(backend(deployment, Gate::open()))
}
