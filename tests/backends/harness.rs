//! What a case needs beside the trait, and short ways to say things.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes as Chunk;
use futures_util::StreamExt;
use jiff::Timestamp;
use zoe::apps;
use zoe::engine::{Backend, JobFiles, LogRange, Output, Scope, Submitted, names};
use zoe::labels::Labels;
use zoe::model::{
    Application, Bytes, Component, Cores, Deployment, Execution, ExecutionId, InstanceKey, Port,
    Private, Protocol, Resources, Secret, Snapshot, Terms, Ticket,
};

/// What a container is to do.
pub enum Do<'a> {
    /// End at once with this code.
    Exit(i64),
    /// Write a line and end with 0.
    Print(&'a str),
    /// Write a line, another one to standard error, and go on until stopped.
    PrintAndRun(&'a str, &'a str),
    /// Go on until stopped.
    Run,
    /// Write what a variable of the environment holds.
    Env(&'a str),
    /// Write what a file holds.
    File(&'a str),
}

/// An object in Docker with this deployment's label, or one that the harness planted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// `container`, `network`, `secret` or `image`.
    pub kind: &'static str,
    /// Docker's id.
    pub id: String,
    /// Its labels.
    pub labels: HashMap<String, String>,
    /// Its environment, if it is a container.
    pub env: Vec<String>,
}

/// A backend with a deployment of its own, and a way past it.
pub trait BackendUnderTest: Send + Sync {
    /// The backend.
    fn backend(&self) -> Arc<dyn Backend>;
    /// The same Docker for another deployment.
    fn of(&self, deployment: &Deployment) -> Arc<dyn Backend>;
    /// A small image that is there and does what [`Do`] says.
    fn image(&self) -> String;
    /// The command for that.
    fn command(&self, what: &Do<'_>) -> Vec<String>;
    /// Makes a container past the backend. Returns its id.
    fn plant_container(&self, name: &str, labels: &Labels, what: Option<&Do<'_>>) -> String;
    /// Makes a network past the backend.
    fn plant_network(&self, name: &str, labels: &Labels) -> String;
    /// All that is there of a deployment, by its label alone.
    fn raw(&self, deployment: &Deployment) -> Vec<Raw>;
    /// Whether a container or network of this id is there.
    fn exists(&self, kind: &str, id: &str) -> bool;
    /// What messages call an object of this kind with these labels.
    fn called(&self, kind: &'static str, _labels: &Labels) -> &'static str {
        kind
    }
    /// Whether an image that is removed is still to be had from a registry.
    fn registry_keeps_images(&self) -> bool {
        false
    }
    /// The id of the container of what was planted as one.
    fn container_of(&self, planted: &str) -> String {
        planted.to_owned()
    }
}

/// A deployment that nobody else has.
pub fn fresh_deployment() -> Deployment {
    format!("t{:016x}", rand::random::<u64>()).parse().unwrap()
}

/// A component of one core member.
pub fn component(harness: &dyn BackendUnderTest, name: &str, what: &Do<'_>) -> Component {
    Component {
        command: Some(harness.command(what)),
        ..Component::bare(
            name.parse().unwrap(),
            harness.image(),
            1,
            Resources {
                cores: Cores::from_millis(100),
                memory: Bytes::from_mib(32),
            },
        )
    }
}

/// A web port.
pub fn web(number: u16) -> Port {
    Port {
        name: "web".to_owned(),
        container: number,
        protocol: Protocol::Http,
        path: "/".to_owned(),
        query: None,
        proxy: false,
        base_path: false,
    }
}

/// A fresh ticket for these components, the first one the monitor.
pub fn ticket(harness: &dyn BackendUnderTest, components: Vec<Component>) -> Ticket {
    let id = ExecutionId::from_bits(rand::random());
    Ticket {
        id,
        deployment: harness.backend().deployment().clone(),
        name: format!("run-{id}").parse().unwrap(),
        name_claimed: false,
        user: "ada".to_owned(),
        application: Application {
            name: "conformance".to_owned(),
            description: "What a backend must do".to_owned(),
            monitor: components.first().map(|c| c.name.clone()),
            secrets: components.iter().flat_map(|c| c.secrets.clone()).collect(),
            activity: None,
            components,
        },
        submitted_at: Timestamp::now().round(jiff::Unit::Second).unwrap(),
        key: None,
        timeout: None,
        terms: Terms::default(),
        proxy: None,
        job_image: None,
        registry: String::new(),
    }
}

/// A ticket of one component `main`.
pub fn simple(harness: &dyn BackendUnderTest, what: &Do<'_>) -> Ticket {
    ticket(harness, vec![component(harness, "main", what)])
}

/// Secrets for all that the application wants.
pub fn private(ticket: &Ticket) -> Private {
    let names = ticket.application.secrets.iter();
    Private {
        secrets: names
            .map(|name| (name.clone(), Secret::new(format!("the {name}"))))
            .collect(),
        env: BTreeMap::new(),
    }
}

/// Submits, and shows what is there then.
pub async fn submit(backend: &dyn Backend, ticket: &Ticket) -> Execution {
    let made = backend.submit(ticket, &private(ticket)).await.unwrap();
    assert_eq!(made, Submitted::Created);
    execution(backend, ticket.id).await
}

/// Starts all core members of a submitted ticket.
pub async fn start(backend: &dyn Backend, ticket: &Ticket) {
    let launch = apps::expand(ticket, &private(ticket), &BTreeMap::new()).unwrap();
    backend.start(&launch).await.unwrap();
}

/// Submits and starts.
pub async fn run(backend: &dyn Backend, ticket: &Ticket) -> Execution {
    submit(backend, ticket).await;
    start(backend, ticket).await;
    execution(backend, ticket.id).await
}

/// Everything, read without a gap.
pub async fn everything(backend: &dyn Backend) -> Snapshot {
    let snapshot = backend.observe(Scope::Everything).await.unwrap();
    assert_eq!(snapshot.gaps, []);
    snapshot
}

/// The execution as it is now.
pub async fn execution(backend: &dyn Backend, id: ExecutionId) -> Execution {
    let mut snapshot = backend.observe(Scope::Executions).await.unwrap();
    snapshot
        .executions
        .remove(&id)
        .expect("the execution is there")
}

/// Whether the execution is there.
pub async fn is_there(backend: &dyn Backend, id: ExecutionId) -> bool {
    let snapshot = backend.observe(Scope::Executions).await.unwrap();
    snapshot.executions.contains_key(&id)
}

/// The first member of a component.
pub fn member(ticket: &Ticket, component: &str) -> InstanceKey {
    InstanceKey {
        execution: ticket.id,
        component: component.parse().unwrap(),
        index: 0,
    }
}

/// All of a log, one text for each output.
pub async fn log(
    backend: &dyn Backend,
    instance: &InstanceKey,
    range: LogRange,
) -> (String, String) {
    let mut stream = backend.logs(instance, range).await.unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.unwrap();
        let text = std::str::from_utf8(&chunk.bytes).unwrap();
        match chunk.output {
            Output::Stdout => out.push_str(text),
            Output::Stderr => err.push_str(text),
        }
    }
    (out, err)
}

/// Submitted files, to be put at `/job`.
pub fn files(harness: &dyn BackendUnderTest, content: &[(&str, &str)]) -> JobFiles {
    let mut archive = tar::Builder::new(Vec::new());
    let mut digest = String::new();
    for (path, text) in content {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        archive
            .append_data(&mut header, path, text.as_bytes())
            .unwrap();
        digest.extend([path, ":", text, ";"]);
    }
    JobFiles {
        base: harness.image(),
        directory: "/job".to_owned(),
        archive: Chunk::from(archive.into_inner().unwrap()),
        digest: names::job_hash(&digest, ""),
    }
}

/// Removes an execution with all that belongs to it.
pub async fn clear(backend: &dyn Backend, execution: &Execution) {
    backend.remove(execution).await.unwrap();
    backend.remove_ticket(execution).await.unwrap();
}
