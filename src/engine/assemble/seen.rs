//! What Docker listed, in words that all backends share. Values only.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::model::{Gap, InstanceState, Node, PublishedPort};

/// A container as it was listed.
#[derive(Debug, Clone)]
pub struct SeenContainer {
    /// Docker's id.
    pub id: String,
    /// Its name; what Docker puts before it may be there.
    pub name: String,
    /// Its labels.
    pub labels: HashMap<String, String>,
    /// The node it is on.
    pub node: String,
    /// What it is doing.
    pub state: InstanceState,
    /// Docker's own words about that, where it has any.
    pub note: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it began, where that is known.
    pub started_at: Option<Timestamp>,
    /// When it ended, where that is known.
    pub finished_at: Option<Timestamp>,
    /// Whether the kernel ended it for want of memory, where that is known.
    pub out_of_memory: bool,
    /// Its address in its execution's network.
    pub address: Option<IpAddr>,
    /// Its published ports.
    pub ports: Vec<PublishedPort>,
}

/// A network or a secret as it was listed.
#[derive(Debug, Clone)]
pub struct SeenNetwork {
    /// Docker's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: HashMap<String, String>,
}

/// An image as it was listed.
#[derive(Debug, Clone)]
pub struct SeenImage {
    /// Docker's id.
    pub id: String,
    /// Its names; none for one whose tag was given to another.
    pub tags: Vec<String>,
    /// Its labels.
    pub labels: HashMap<String, String>,
}

/// All that was listed. Objects without zoe's labels may be among them; they are passed over.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The nodes. What other deployments' instances hold is added to their `others`.
    pub nodes: Vec<Node>,
    /// Containers, running or not.
    pub containers: Vec<SeenContainer>,
    /// Networks.
    pub networks: Vec<SeenNetwork>,
    /// Secrets.
    pub secrets: Vec<SeenNetwork>,
    /// Images.
    pub images: Vec<SeenImage>,
    /// What could not be listed.
    pub gaps: Vec<Gap>,
    /// Whether the tickets are configs and the instances services, for messages.
    pub in_swarm: bool,
}
