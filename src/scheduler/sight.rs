//! What was seen of a cluster and what was not: nothing may be concluded from silence.

use std::collections::BTreeSet;

use crate::model::{Execution, Node, Snapshot};

/// What was not seen.
#[derive(Debug)]
pub(super) struct Sight<'a> {
    /// Something without which nothing can be decided.
    pub blind: Option<&'a str>,
    /// Nodes that could not be read, everything on the others being seen.
    pub silent: BTreeSet<&'a str>,
}

impl<'a> Sight<'a> {
    /// What was not seen in this snapshot.
    pub fn of(snapshot: &'a Snapshot) -> Self {
        let whole = snapshot.gaps.iter().find(|gap| gap.node.is_none());
        let no_nodes = || snapshot.nodes.is_empty().then_some("the nodes");
        Self {
            blind: whole.map(|gap| gap.what.as_str()).or_else(no_nodes),
            silent: snapshot
                .gaps
                .iter()
                .filter_map(|gap| gap.node.as_deref())
                .collect(),
        }
    }

    /// Whether something was not seen.
    pub fn is_partial(&self) -> bool {
        self.blind.is_some() || !self.silent.is_empty()
    }

    /// Whether members of the execution are, or may be, where nothing was seen.
    pub fn hides(&self, execution: &Execution) -> bool {
        if self.silent.is_empty() {
            return false;
        }
        let silent = |node: &str| self.silent.contains(node);
        execution.instances.iter().any(|i| silent(&i.node))
            || (!execution.instances.is_empty() && execution.lacks_core())
    }

    /// What is not seen, for people.
    pub fn what(&self) -> String {
        if let Some(what) = self.blind {
            return what.to_owned();
        }
        let silent: Vec<&str> = self.silent.iter().copied().collect();
        format!("what is on {}", silent.join(", "))
    }

    /// Whether a node takes anything new, as far as can be seen.
    pub fn takes(&self, node: &Node) -> bool {
        node.is_available() && !self.silent.contains(node.name.as_str())
    }
}
