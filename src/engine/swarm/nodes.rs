//! How the Engines of the nodes are reached.

use crate::engine::gate::Gate;

/// Where the Engine of a node is: a URL with `{address}` and `{name}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeUrl(String);

impl NodeUrl {
    /// From what the configuration says.
    pub fn new(template: String) -> Self {
        Self(template)
    }
}

/// The Engines of the nodes.
pub(super) struct Nodes {
    url: Option<NodeUrl>,
    gate: Gate,
}

impl Nodes {
    pub(super) fn new(url: Option<NodeUrl>, gate: Gate) -> Self {
        Self { url, gate }
    }
}
