//! The Swarm's nodes, and what is known of one by its id. Pure.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;

use super::directory::public_address;
use super::wire::ListedNode;
use crate::model::{Availability, Bytes, Cores, DISABLED, Node, Resources};

/// The nodes of a Swarm.
#[derive(Debug, Clone, Default)]
pub(super) struct Cluster {
    nodes: Vec<Node>,
    places: HashMap<String, usize>,
}

impl Cluster {
    /// The nodes as they were listed, in the order of their names.
    pub(super) fn new(listed: &[ListedNode]) -> Self {
        let mut nodes: Vec<_> = listed.iter().map(|node| seen(node, listed)).collect();
        nodes.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let places = nodes
            .iter()
            .enumerate()
            .map(|(place, node)| (node.id.clone(), place))
            .collect();
        Self { nodes, places }
    }

    /// The node with Docker's id `id`.
    pub(super) fn node(&self, id: &str) -> Option<&Node> {
        self.places.get(id).and_then(|place| self.nodes.get(*place))
    }

    /// The node of that name.
    pub(super) fn named(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Whether the node does not answer. One that is no longer in the Swarm does not either.
    pub(super) fn is_silent(&self, id: &str) -> bool {
        let node = self.node(id);
        node.is_none_or(|node| matches!(node.availability, Availability::Down { .. }))
    }

    /// Since when it does not, as far as that is known.
    pub(super) fn silent_since(&self, id: &str) -> Option<Timestamp> {
        match self.node(id)?.availability {
            Availability::Down { since } => since,
            Availability::Active
            | Availability::Disabled
            | Availability::Paused
            | Availability::Drained => None,
        }
    }

    /// Whether it is one machine.
    pub(super) fn is_single(&self) -> bool {
        self.nodes.len() == 1
    }

    /// Adds to what others hold of a node.
    pub(super) fn hold(&mut self, id: &str, held: Resources) {
        let node = self.places.get(id);
        if let Some(node) = node.and_then(|place| self.nodes.get_mut(*place)) {
            node.others += held;
        }
    }

    /// The nodes themselves.
    pub(super) fn into_nodes(self) -> Vec<Node> {
        self.nodes
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }
}

fn seen(node: &ListedNode, all: &[ListedNode]) -> Node {
    // The Engine's own labels serve as well, as they do in constraints; what was said of the node in the Swarm counts more.
    let mut labels: BTreeMap<_, _> = node.description.engine.labels.clone().into_iter().collect();
    labels.extend(node.spec.labels.clone());
    let resources = &node.description.resources;
    Node {
        id: node.id.clone(),
        name: name(node, all),
        address: address(node),
        capacity: amounts(resources.nanos, resources.memory),
        others: Resources::ZERO,
        availability: availability(node, labels.contains_key(DISABLED)),
        labels,
    }
}

/// What Swarm counts, in our words: processors rounded up.
pub(super) fn amounts(nanos: u64, memory: u64) -> Resources {
    Resources {
        cores: Cores::from_millis(nanos.div_ceil(1_000_000)),
        memory: Bytes::new(memory),
    }
}

/// The host name; with a part of the id where several machines have the same.
fn name(node: &ListedNode, all: &[ListedNode]) -> String {
    let host = &node.description.hostname;
    let short = node.id.get(..8).unwrap_or(&node.id);
    let namesakes = all
        .iter()
        .filter(|other| other.description.hostname == *host)
        .count();
    match (host.is_empty(), namesakes) {
        (true, _) => short.to_owned(),
        (false, 1) => host.clone(),
        (false, _) => format!("{host}.{short}"),
    }
}

fn address(node: &ListedNode) -> Option<IpAddr> {
    let manager = node.manager_status.as_ref();
    public_address(
        &node.status.addr,
        manager.map_or("", |manager| &manager.addr),
    )
}

/// A manager that has just begun does not know yet who is there ("unknown"): such a node gets nothing, but since when
/// it is silent is not known.
fn availability(node: &ListedNode, disabled: bool) -> Availability {
    match (node.status.state.as_str(), node.spec.availability.as_str()) {
        ("down", _) => Availability::Down {
            since: node.updated_at(),
        },
        (state, _) if state != "ready" => Availability::Down { since: None },
        (_, "drain") => Availability::Drained,
        (_, "pause") => Availability::Paused,
        _ if disabled => Availability::Disabled,
        _ => Availability::Active,
    }
}

/// Where a node's published ports are reached.
pub(super) fn host_of(node: Option<&Node>) -> IpAddr {
    node.and_then(|node| node.address)
        .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}
