//! The memory backend under test, in the process and in a file.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use zoe::engine::Backend;
use zoe::engine::gate::Gate;
use zoe::engine::memory::{ContainerRow, MemoryBackend, NetworkRow};
use zoe::labels::{DEPLOYMENT, Labels};
use zoe::model::Deployment;

use crate::harness::{BackendUnderTest, Do, Raw, fresh_deployment};

const FILE: &str = "world.json";

/// The memory backend with a deployment of its own.
pub struct Memory {
    backend: MemoryBackend,
    /// Where the file is, if there is one: removed at the end.
    directory: Option<tempfile::TempDir>,
}

impl Memory {
    /// In the process.
    pub fn in_process() -> Self {
        Self {
            backend: MemoryBackend::new(fresh_deployment()),
            directory: None,
        }
    }

    /// One that is there already.
    pub fn around(backend: MemoryBackend) -> Self {
        Self {
            backend,
            directory: None,
        }
    }

    /// The backend itself.
    pub fn memory(&self) -> MemoryBackend {
        self.backend.clone()
    }

    /// Its file, if it is in one.
    pub fn path(&self) -> Option<PathBuf> {
        self.directory
            .as_ref()
            .map(|directory| directory.path().join(FILE))
    }

    /// In a file.
    pub fn in_a_file() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        Self {
            backend: MemoryBackend::open(&path, fresh_deployment(), Gate::open()).unwrap(),
            directory: Some(directory),
        }
    }
}

fn map(labels: &Labels) -> HashMap<String, String> {
    labels.clone().into_iter().collect()
}

impl BackendUnderTest for Memory {
    fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(self.backend.clone())
    }

    fn of(&self, deployment: &Deployment) -> Arc<dyn Backend> {
        Arc::new(self.backend.clone().with_deployment(deployment.clone()))
    }

    fn image(&self) -> String {
        "memory/tiny:latest".to_owned()
    }

    fn command(&self, what: &Do<'_>) -> Vec<String> {
        match what {
            Do::Exit(code) => vec!["exit".to_owned(), code.to_string()],
            Do::Print(text) => vec!["print".to_owned(), (*text).to_owned()],
            Do::PrintAndRun(out, err) => ["print", out, "error", err, "run"]
                .map(str::to_owned)
                .to_vec(),
            Do::Run => vec!["run".to_owned()],
            Do::Env(name) => vec!["env".to_owned(), (*name).to_owned()],
            Do::File(path) => vec!["file".to_owned(), (*path).to_owned()],
        }
    }

    fn plant_container(&self, name: &str, labels: &Labels, what: Option<&Do<'_>>) -> String {
        let now = Timestamp::now();
        let row = ContainerRow {
            labels: map(labels),
            command: what.map(|what| self.command(what)),
            ..ContainerRow::new(name, "", now)
        };
        let made = self.backend.edit(|world| {
            let id = world.create_container(row, &self.image())?;
            if what.is_some() {
                world.start_container(&id, now)?;
            }
            Ok::<_, zoe::engine::memory::Fault>(id)
        });
        made.unwrap().unwrap()
    }

    fn plant_network(&self, name: &str, labels: &Labels) -> String {
        let row = NetworkRow {
            name: name.to_owned(),
            labels: map(labels),
        };
        self.backend
            .edit(|world| world.create_network(row))
            .unwrap()
            .unwrap()
    }

    fn raw(&self, deployment: &Deployment) -> Vec<Raw> {
        let own = |labels: &HashMap<String, String>| {
            labels
                .get(DEPLOYMENT)
                .is_some_and(|text| text == deployment.as_str())
        };
        let raw = |kind, id: &String, labels: &HashMap<String, String>, env: &[String]| Raw {
            kind,
            id: id.clone(),
            labels: labels.clone(),
            env: env.to_vec(),
        };
        let all = self.backend.edit(|world| {
            let containers = world.containers.iter();
            let mut all: Vec<_> = containers
                .map(|(id, row)| raw("container", id, &row.labels, &row.env))
                .collect();
            all.extend(
                world
                    .networks
                    .iter()
                    .map(|(id, row)| raw("network", id, &row.labels, &[])),
            );
            all.extend(
                world
                    .images
                    .iter()
                    .map(|(id, row)| raw("image", id, &row.labels, &[])),
            );
            all
        });
        all.unwrap()
            .into_iter()
            .filter(|raw| own(&raw.labels))
            .collect()
    }

    fn exists(&self, kind: &str, id: &str) -> bool {
        let there = self.backend.edit(|world| match kind {
            "container" => world.containers.contains_key(id),
            "network" => world.networks.contains_key(id),
            _ => world.images.contains_key(id),
        });
        there.unwrap()
    }
}
