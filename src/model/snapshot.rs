//! All that Docker knows, read once.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use super::amount::Resources;
use super::execution::Execution;
use super::ids::ExecutionId;

/// What was seen, and what could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// When it was taken.
    pub taken_at: Timestamp,
    /// The Docker hosts; empty where only executions were asked for.
    pub nodes: Vec<Node>,
    /// The executions of the deployment that have a ticket.
    pub executions: BTreeMap<ExecutionId, Execution>,
    /// What carries the deployment's labels and belongs to no execution.
    pub orphans: Vec<Orphan>,
    /// The images with submitted files.
    pub job_images: Vec<JobImage>,
    /// What looks like zoe's and can't be read: reported, never touched.
    pub anomalies: Vec<Anomaly>,
    /// What could not be read at all: nothing may be concluded from its silence.
    pub gaps: Vec<Gap>,
}

impl Snapshot {
    /// A snapshot in which nothing was seen.
    pub fn empty(taken_at: Timestamp) -> Self {
        Self {
            taken_at,
            nodes: Vec::new(),
            executions: BTreeMap::new(),
            orphans: Vec::new(),
            job_images: Vec::new(),
            anomalies: Vec::new(),
            gaps: Vec::new(),
        }
    }
}

/// Whether a node takes anything new, and why it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// It does.
    Active,
    /// It carries the label [`DISABLED`]: zoe gives it nothing new.
    Disabled,
    /// Its Swarm gives it nothing new.
    Paused,
    /// Its Swarm moves everything away from it.
    Drained,
    /// It does not answer.
    Down {
        /// Since when, as far as that is known.
        since: Option<Timestamp>,
    },
}

/// The node label that tells zoe to give a node nothing new, whatever its value.
pub const DISABLED: &str = "zoe.disabled";

/// A Docker host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Docker's id of it; its name where it has none.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it can be reached from other machines, as far as that is known.
    pub address: Option<IpAddr>,
    /// What it has.
    pub capacity: Resources,
    /// What other users of this Docker hold of it, another zoe deployment for example.
    pub others: Resources,
    /// Whether it takes anything new.
    pub availability: Availability,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl Node {
    /// What other users of this Docker hold of what it has: they may have reserved more than that.
    pub fn others_hold(&self) -> Resources {
        self.capacity.minus(self.capacity.minus(self.others))
    }

    /// Whether it takes anything new.
    pub fn is_available(&self) -> bool {
        self.availability == Availability::Active
    }
}

/// What an orphan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrphanKind {
    /// A container, or a service.
    Instance,
    /// A network.
    Network,
    /// A container in which an image was being made.
    Builder,
    /// A secret of an execution.
    Secret,
}

/// An object of the deployment without an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// What it is.
    pub kind: OrphanKind,
    /// Docker's id of it.
    pub docker_id: String,
    /// Docker's name of it.
    pub name: String,
    /// The execution it says it belongs to.
    pub execution: Option<ExecutionId>,
}

/// An image that carries submitted files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobImage {
    /// Docker's id of it.
    pub docker_id: String,
    /// Its tag, as tickets name it.
    pub tag: String,
}

/// Something that looks like zoe's and can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// What it is and where: `container 0a1b2c (name)`.
    pub object: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What was asked.
    pub what: String,
    /// What came instead.
    pub error: String,
    /// The node that was silent, if it is one: then everything on the other nodes was seen.
    pub node: Option<String>,
}
