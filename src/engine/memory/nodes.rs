//! The hosts of a world: which container is on which, and what is known of it while its host does not answer.

use jiff::Timestamp;

use super::rows::{ContainerRow, NodeRow, NodeState};
use super::world::World;
use crate::model::InstanceState;

impl World {
    /// The node that a container is on.
    pub fn node(&self, row: &ContainerRow) -> Option<&NodeRow> {
        let named = row.node.as_ref();
        named.map_or(self.nodes.first(), |name| {
            self.nodes.iter().find(|node| node.name == *name)
        })
    }

    /// The name of the node that a container is on.
    pub fn node_of<'w>(&'w self, row: &'w ContainerRow) -> &'w str {
        let first = || self.nodes.first().map_or("", |node| &node.name);
        row.node.as_deref().unwrap_or_else(first)
    }

    /// What a container is doing, as far as can be seen: of what was at work on a node that is down nothing is known.
    pub fn state_of(&self, row: &ContainerRow, now: Timestamp) -> InstanceState {
        let state = row.state(now);
        // What has ended since the node went down nobody knows either.
        let is_known = |since| row.end(now).is_some_and(|(at, _)| at <= since);
        match self.node(row).map(|node| node.state) {
            Some(NodeState::Down { since })
                if state != InstanceState::Rejected
                    && row.created_at <= since
                    && !is_known(since) =>
            {
                InstanceState::Lost { since: Some(since) }
            }
            _ => state,
        }
    }

    /// Changes a node, if there is one of that name.
    pub fn change_node(&mut self, name: &str, change: impl FnOnce(&mut NodeRow)) {
        let found = self.nodes.iter_mut().find(|node| node.name == name);
        if let Some(node) = found {
            change(node);
        }
    }

    /// A node that was down answers again. What ran on it has run on, or was killed when it went down.
    pub fn node_returns(&mut self, name: &str, killed: bool) {
        let mut since = None;
        self.change_node(name, |node| {
            if let NodeState::Down { since: at } = node.state {
                since = Some(at);
            }
            node.state = NodeState::Active;
        });
        let there: Vec<String> = self
            .containers
            .iter()
            .filter(|(_, row)| killed && self.node_of(row) == name)
            .map(|(id, _)| id.clone())
            .collect();
        for (id, since) in there.into_iter().zip(std::iter::repeat(since)) {
            if let (Some(row), Some(since)) = (self.containers.get_mut(&id), since)
                && row.runs(since)
            {
                row.stopped_at = Some(since);
            }
        }
    }
}
