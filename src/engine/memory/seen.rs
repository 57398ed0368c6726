//! A world as it is listed: what can be seen of nodes, containers, networks and images.

use jiff::Timestamp;

use super::{ContainerRow, NodeState, World};
use crate::engine::NodeUse;
use crate::engine::assemble::{Seen, SeenContainer, SeenImage, SeenNetwork};
use crate::model::{
    Availability, Bytes, Cores, DISABLED, Gap, InstanceState, Node, PublishedPort, Resources,
};

pub(super) fn seen_nodes(world: &World, _: Timestamp) -> Vec<Node> {
    let nodes = world.nodes.iter().map(|row| Node {
        name: row.name.clone(),
        capacity: Resources {
            cores: Cores::from_millis(row.millicores),
            memory: Bytes::new(row.memory),
        },
        others: Resources::ZERO,
        availability: match row.state {
            NodeState::Active if row.labels.contains_key(DISABLED) => Availability::Disabled,
            NodeState::Active => Availability::Active,
            NodeState::Paused => Availability::Paused,
            NodeState::Drained => Availability::Drained,
            NodeState::Down { since } => Availability::Down { since: Some(since) },
        },
        address: None,
        id: row.name.clone(),
        labels: row.labels.clone(),
    });
    nodes.collect()
}

/// Made up, as for each container: all of its processor and half of its memory.
pub(super) fn seen_use(world: &World, now: Timestamp) -> Vec<NodeUse> {
    let on = |node: &str| -> Resources {
        let there = world.containers.values().filter(|row| row.runs(now));
        let there = there.filter(|row| world.node_of(row) == node);
        there
            .map(|row| Resources {
                cores: Cores::from_millis(row.millicores),
                memory: Bytes::new(row.memory / 2),
            })
            .sum()
    };
    let nodes = world.nodes.iter();
    nodes
        .map(|row| NodeUse {
            node: row.name.clone(),
            used: Ok(on(&row.name)),
        })
        .collect()
}

pub(super) fn seen_networks(world: &World, _: Timestamp) -> Vec<SeenNetwork> {
    let networks = world.networks.iter().map(|(id, row)| SeenNetwork {
        id: id.clone(),
        name: row.name.clone(),
        labels: row.labels.clone(),
    });
    networks.collect()
}

pub(super) fn seen_images(world: &World, _: Timestamp) -> Vec<SeenImage> {
    let images = world.images.iter().map(|(id, row)| SeenImage {
        id: id.clone(),
        tags: row.tags.clone(),
        labels: row.labels.clone(),
    });
    images.collect()
}

pub(super) fn seen_containers(world: &World, now: Timestamp) -> Vec<SeenContainer> {
    let visible = |row: &&ContainerRow| !world.node(row).is_some_and(|node| node.silent);
    let containers = world.containers.iter().filter(|(_, row)| visible(row));
    let containers = containers.map(|(id, row)| {
        let state = world.state_of(row, now);
        let runs = state == InstanceState::Running;
        let localhost = std::net::Ipv4Addr::LOCALHOST.into();
        // As with Docker, what does not run has neither an address nor ports.
        let number = u32::from_str_radix(id, 16).unwrap_or_default();
        let address = std::net::Ipv4Addr::from_bits((10 << 24) + number).into();
        let ports = row.ports.iter().filter(|_| runs);
        SeenContainer {
            note: row.rejected.clone(),
            id: id.clone(),
            name: row.name.clone(),
            labels: row.labels.clone(),
            node: world.node_of(row).to_owned(),
            state,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row
                .end(now)
                .filter(|_| matches!(state, InstanceState::Exited { .. }))
                .map(|(at, _)| at),
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
pub(super) fn seen(world: &World, now: Timestamp) -> Seen {
    Seen {
        nodes: seen_nodes(world, now),
        containers: seen_containers(world, now),
        networks: seen_networks(world, now),
        images: seen_images(world, now),
        gaps: gaps(world),
        ..Seen::default()
    }
}

/// The nodes that can't be read.
pub(super) fn gaps(world: &World) -> Vec<Gap> {
    let silent = world.nodes.iter().filter(|node| node.silent);
    silent
        .map(|node| Gap {
            what: format!("what is on node {}", node.name),
            error: "it does not answer".to_owned(),
            node: Some(node.name.clone()),
        })
        .collect()
}
