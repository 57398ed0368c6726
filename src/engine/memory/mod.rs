//! A backend without Docker: the same steps, the same names and labels, the same collisions, in a value or in a file.
//!
//! In a file it serves tests of the whole binary: several processes work on it at once, and one that is killed leaves
//! exactly the steps that it did. One step is what is one call with Docker, and each passes the [`Gate`]. What
//! containers do is told by `script`. There is no proxy to any port, and nothing really runs.

mod backend;
mod images;
mod place;
mod rows;
mod script;
mod steps;
mod streams;
mod world;

use std::path::Path;

use jiff::Timestamp;
use thiserror::Error;

use super::assemble::{Seen, SeenContainer, SeenImage, SeenNetwork};
use super::gate::Gate;
use super::{EngineError, NodeUse, Result};
use crate::model::{
    Availability, Bytes, Cores, Deployment, InstanceState, Node, PublishedPort, Resources,
};
use place::Place;
pub use rows::{ContainerRow, ImageRow, NetworkRow, NodeRow};
pub use world::{Fault, World};

/// Why there is no such backend.
#[derive(Debug, Error)]
pub enum MemoryError {
    /// An option after the path is not understood.
    #[error(
        "memory option '{0}' is not understood; there are cores=N, memory=SIZE and images=all, joined by '&'"
    )]
    Option(String),
}

/// What is said after the path: it overrides what the file holds.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    cores: Option<Cores>,
    memory: Option<Bytes>,
    pull: bool,
}

/// A Docker that is only a value.
#[derive(Debug, Clone)]
pub struct MemoryBackend {
    place: Place,
    deployment: Deployment,
    gate: Gate,
    options: Options,
}

impl MemoryBackend {
    /// One that lives as long as the process. Clones see the same world.
    pub fn new(deployment: Deployment) -> Self {
        Self {
            place: Place::process(),
            deployment,
            gate: Gate::open(),
            options: Options::default(),
        }
    }

    /// One in a file, which need not be there. After a `?` the path can say how big the node is and that every image
    /// can be pulled: `/tmp/m.json?cores=2&memory=4g&images=all`.
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

    /// Changes the world by hand, past the gate: for tests that want something strange in it, or look inside.
    pub fn edit<T>(&self, change: impl FnOnce(&mut World) -> T) -> Result<T> {
        self.place.change(|world| {
            self.options.apply(world);
            change(world)
        })
    }

    /// One step that changes something.
    fn step<T>(
        &self,
        call: &str,
        change: impl FnOnce(&mut World, Timestamp) -> Result<T, Fault>,
    ) -> Result<Result<T, Fault>> {
        let passage = self.gate.enter(call, true)?;
        let outcome = self.edit(|world| {
            let outcome = change(world, Timestamp::now());
            if outcome.is_ok() {
                world.changes += 1;
            }
            outcome
        })?;
        passage.done()?;
        Ok(outcome)
    }

    /// One call that only reads.
    fn look<T>(&self, call: &str, read: impl FnOnce(&World, Timestamp) -> T) -> Result<T> {
        self.gate.enter(call, false)?.done()?;
        self.glance(read)
    }

    /// Reads past the gate: what a stream does again and again is one call only.
    fn glance<T>(&self, read: impl FnOnce(&World, Timestamp) -> T) -> Result<T> {
        let mut world = self.place.read()?;
        self.options.apply(&mut world);
        Ok(read(&world, Timestamp::now()))
    }
}

impl Options {
    fn parse(query: &str) -> Result<Self, MemoryError> {
        let mut options = Self::default();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let no = || MemoryError::Option(option.to_owned());
            match option.split_once('=').ok_or_else(no)? {
                ("cores", text) => options.cores = Some(text.parse().map_err(|_| no())?),
                ("memory", text) => options.memory = Some(text.parse().map_err(|_| no())?),
                ("images", "all") => options.pull = true,
                _ => return Err(no()),
            }
        }
        Ok(options)
    }

    fn apply(self, world: &mut World) {
        world.pull |= self.pull;
        if let Some(node) = world.nodes.first_mut() {
            if let Some(cores) = self.cores {
                node.millicores = cores.millis();
            }
            if let Some(memory) = self.memory {
                node.memory = memory.get();
            }
        }
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

fn seen_nodes(world: &World, _: Timestamp) -> Vec<Node> {
    let nodes = world.nodes.iter().map(|row| Node {
        name: row.name.clone(),
        capacity: Resources {
            cores: Cores::from_millis(row.millicores),
            memory: Bytes::new(row.memory),
        },
        others: Resources::ZERO,
        availability: Availability::Active,
        address: None,
        id: "node".to_owned(),
        labels: row.labels.clone(),
    });
    nodes.collect()
}

/// Made up, as for each container: all of its processor and half of its memory.
fn seen_use(world: &World, now: Timestamp) -> Vec<NodeUse> {
    let running = world.containers.values().filter(|row| row.runs(now));
    let used: Resources = running
        .map(|row| Resources {
            cores: Cores::from_millis(row.millicores),
            memory: Bytes::new(row.memory / 2),
        })
        .sum();
    let nodes = world.nodes.iter().enumerate();
    nodes
        .map(|(place, row)| NodeUse {
            node: row.name.clone(),
            used: Ok(if place == 0 { used } else { Resources::ZERO }),
        })
        .collect()
}

fn seen_networks(world: &World, _: Timestamp) -> Vec<SeenNetwork> {
    let networks = world.networks.iter().map(|(id, row)| SeenNetwork {
        id: id.clone(),
        name: row.name.clone(),
        labels: row.labels.clone(),
    });
    networks.collect()
}

fn seen_images(world: &World, _: Timestamp) -> Vec<SeenImage> {
    let images = world.images.iter().map(|(id, row)| SeenImage {
        id: id.clone(),
        tags: row.tags.clone(),
        labels: row.labels.clone(),
    });
    images.collect()
}

fn seen_containers(world: &World, now: Timestamp) -> Vec<SeenContainer> {
    let node = world.nodes.first().map(|node| node.name.clone());
    let node = node.unwrap_or_default();
    let containers = world.containers.iter().map(|(id, row)| {
        let runs = row.state(now) == InstanceState::Running;
        let localhost = std::net::Ipv4Addr::LOCALHOST.into();
        // As with Docker, what does not run has neither an address nor ports.
        let number = u32::from_str_radix(id, 16).unwrap_or_default();
        let address = std::net::Ipv4Addr::from_bits((10 << 24) + number).into();
        let ports = row.ports.iter().filter(|_| runs);
        SeenContainer {
            note: None,
            id: id.clone(),
            name: row.name.clone(),
            labels: row.labels.clone(),
            node: node.clone(),
            state: row.state(now),
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.end(now).map(|(at, _)| at),
            out_of_memory: false,
            address: (runs && row.network.is_some()).then_some(address),
            ports: ports
                .map(|&(container, public)| PublishedPort {
                    container,
                    host: localhost,
                    public,
                })
                .collect(),
        }
    });
    containers.collect()
}

/// Everything there is, read at once.
fn seen(world: &World, now: Timestamp) -> Seen {
    Seen {
        nodes: seen_nodes(world, now),
        containers: seen_containers(world, now),
        networks: seen_networks(world, now),
        images: seen_images(world, now),
        ..Seen::default()
    }
}
