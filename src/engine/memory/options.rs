//! What is said after a world's path: it overrides what the file holds.

use super::{MemoryError, NodeRow, World};
use crate::model::{Bytes, Cores};

/// What is said after the path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    cores: Option<Cores>,
    memory: Option<Bytes>,
    nodes: Vec<(String, Cores, Bytes)>,
    pull: bool,
}

impl Options {
    /// Reads `cores=2&memory=4g&images=all`.
    pub(super) fn parse(query: &str) -> Result<Self, MemoryError> {
        let mut options = Self::default();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let no = || MemoryError::Option(option.to_owned());
            match option.split_once('=').ok_or_else(no)? {
                ("cores", text) => options.cores = Some(text.parse().map_err(|_| no())?),
                ("memory", text) => options.memory = Some(text.parse().map_err(|_| no())?),
                ("nodes", text) => {
                    let nodes = text.split(',').map(node).collect::<Option<_>>();
                    options.nodes = nodes.ok_or_else(no)?;
                }
                ("images", "all") => options.pull = true,
                _ => return Err(no()),
            }
        }
        Ok(options)
    }

    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Makes a world as it is said. Nodes keep the state they are in.
    pub(super) fn apply(&self, world: &mut World) {
        world.pull |= self.pull;
        if !self.nodes.is_empty() {
            let before = std::mem::take(&mut world.nodes);
            let nodes = self.nodes.iter().map(|(name, cores, memory)| {
                let known = before.iter().find(|row| row.name == *name).cloned();
                NodeRow {
                    millicores: cores.millis(),
                    memory: memory.get(),
                    ..known.unwrap_or_else(|| NodeRow::new(name))
                }
            });
            world.nodes = nodes.collect();
        }
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

/// `NAME:CORES:MEMORY`.
fn node(text: &str) -> Option<(String, Cores, Bytes)> {
    let (name, size) = text.split_once(':')?;
    let (cores, memory) = size.split_once(':')?;
    let named = !name.is_empty();
    named.then_some((name.to_owned(), cores.parse().ok()?, memory.parse().ok()?))
}
