//! A backend without Docker: the same steps, the same names and labels, the same collisions, in a value or in a file.
//!
//! In a file it serves tests of the whole binary: several processes work on it at once, and one that is killed leaves
//! exactly the steps that it did. One step is what is one call with Docker, and each passes the [`Gate`]. What
//! containers do is told by `script`. There is no proxy to any port, and nothing really runs.

mod backend;
mod images;
mod nodes;
mod options;
mod pace;
mod place;
mod rows;
mod script;
mod seen;
mod steps;
mod streams;
mod world;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;

use super::gate::Gate;
use super::{EngineError, Result};
use crate::model::Deployment;
use options::Options;
pub use pace::Pace;
use place::Place;
pub use rows::{ContainerRow, ImageRow, NetworkRow, NodeRow, NodeState};
pub use world::{Fault, World};

/// Why there is no such backend.
#[derive(Debug, Error)]
pub enum MemoryError {
    /// An option after the path is not understood.
    #[error(
        "memory option '{0}' is not understood; there are cores=N, memory=SIZE, nodes=NAME:CORES:MEMORY,… and images=all, joined by '&'"
    )]
    Option(String),
}

/// A Docker that is only a value.
#[derive(Debug, Clone)]
pub struct MemoryBackend {
    place: Place,
    deployment: Deployment,
    gate: Gate,
    options: Options,
    pace: Option<Arc<dyn Pace>>,
}

impl MemoryBackend {
    /// One that lives as long as the process. Clones see the same world.
    pub fn new(deployment: Deployment) -> Self {
        Self {
            place: Place::process(),
            deployment,
            gate: Gate::open(),
            options: Options::default(),
            pace: None,
        }
    }

    /// One in a file, which need not be there. After a `?` the path can say how big the node is, or which nodes there are,
    /// and that every image can be pulled: `/tmp/m.json?cores=2&memory=4g&images=all`, `…?nodes=n1:4:8g,n2:2:4g`.
    pub fn open(path: &Path, deployment: Deployment, gate: Gate) -> Result<Self, MemoryError> {
        let text = path.to_string_lossy();
        let (file, options) = match text.split_once('?') {
            None => (path, Options::default()),
            Some((file, query)) => (Path::new(file), Options::parse(query)?),
        };
        Ok(Self {
            place: Place::file(file),
            deployment,
            gate,
            options,
            pace: None,
        })
    }

    /// The same world through another gate.
    #[must_use]
    pub fn with_gate(self, gate: Gate) -> Self {
        Self { gate, ..self }
    }

    /// The same world, seen by another deployment.
    #[must_use]
    pub fn with_deployment(self, deployment: Deployment) -> Self {
        Self { deployment, ..self }
    }

    /// The same world, for somebody whose every call waits for its turn.
    #[must_use]
    pub fn with_pace(self, pace: Arc<dyn Pace>) -> Self {
        Self {
            pace: Some(pace),
            ..self
        }
    }

    /// Changes the world by hand, past the gate: for tests that want something strange in it, or look inside.
    pub fn edit<T>(&self, change: impl FnOnce(&mut World) -> T) -> Result<T> {
        self.place.change(|world| {
            self.options.apply(world);
            change(world)
        })
    }

    /// The time now.
    fn now(&self) -> Timestamp {
        self.pace
            .as_ref()
            .map_or_else(Timestamp::now, |pace| pace.now())
    }

    /// Returns after this long.
    async fn pause(&self, length: Duration) {
        match &self.pace {
            Some(pace) => pace.pause(length).await,
            None => tokio::time::sleep(length).await,
        }
    }

    /// One step that changes something.
    async fn step<T>(
        &self,
        call: &str,
        change: impl FnOnce(&mut World, Timestamp) -> Result<T, Fault> + Send,
    ) -> Result<Result<T, Fault>> {
        let passage = self.gate.enter(call, true)?;
        if let Some(pace) = &self.pace {
            pace.before(call, true).await?;
        }
        let outcome = self.edit(|world| {
            let outcome = change(world, self.now());
            if outcome.is_ok() {
                world.changes += 1;
            }
            outcome
        })?;
        passage.done()?;
        if let Some(pace) = &self.pace {
            pace.after(call, outcome.as_ref().err())?;
        }
        Ok(outcome)
    }

    /// One call that only reads.
    async fn look<T>(
        &self,
        call: &str,
        read: impl FnOnce(&World, Timestamp) -> T + Send,
    ) -> Result<T> {
        self.gate.enter(call, false)?.done()?;
        if let Some(pace) = &self.pace {
            pace.before(call, false).await?;
        }
        self.glance(read)
    }

    /// Reads past the gate: what a stream does again and again is one call only.
    fn glance<T>(&self, read: impl FnOnce(&World, Timestamp) -> T) -> Result<T> {
        let now = self.now();
        if self.options.is_empty() {
            return self.place.read(|world| read(world, now));
        }
        let mut world = self.place.read(World::clone)?;
        self.options.apply(&mut world);
        Ok(read(&world, now))
    }
}

/// The fault in the words of the trait, for a call where none of its kinds means anything special.
fn refused(what: &str, fault: Fault) -> EngineError {
    match fault {
        Fault::NameTaken(id) => EngineError::Conflict {
            what: what.to_owned(),
            why: format!("the name is in use by {id}"),
        },
        Fault::NoImage(image) => EngineError::NoImage {
            image,
            why: "no such image".to_owned(),
        },
        Fault::NotFound(what) => EngineError::Gone { what },
        Fault::InUse(why) => EngineError::Refused {
            what: what.to_owned(),
            why,
        },
    }
}

/// Success if the thing is gone already.
fn gone_is_fine(outcome: Result<(), Fault>) -> Result<(), Fault> {
    match outcome {
        Err(Fault::NotFound(_)) => Ok(()),
        other => other,
    }
}
