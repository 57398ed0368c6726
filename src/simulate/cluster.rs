//! Machines written in one word: `100x32c128g,20x16c64g` are a hundred of 32 cores and 128 GiB and twenty smaller ones.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::model::ids::shorten;
use crate::model::{Availability, Bytes, Cores, Node, Resources};

/// The most machines.
const MOST: usize = 100_000;

/// Machines that nobody else uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The machines.
    pub nodes: Vec<Node>,
    /// As they were written.
    pub text: String,
}

impl Cluster {
    /// What they have in all.
    pub fn capacity(&self) -> Resources {
        self.nodes.iter().map(|node| node.capacity).sum()
    }
}

impl FromStr for Cluster {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut sizes = Vec::new();
        for part in text.split(',') {
            let (count, size) = part.split_once('x').unwrap_or(("1", part));
            let wrong = || {
                format!(
                    "'{}' are no machines; write how many, their cores and their memory, such as 100x32c128g or 4x8c16g,2x16c64g",
                    shorten(part)
                )
            };
            let count: usize = count.trim().parse().map_err(|_| wrong())?;
            let (cores, memory) = size.split_once('c').ok_or_else(wrong)?;
            let cores: Cores = cores.parse().map_err(|_| wrong())?;
            let memory: Bytes = memory.parse().map_err(|_| wrong())?;
            if count == 0 || cores == Cores::ZERO || memory == Bytes::ZERO {
                return Err(wrong());
            }
            if count > MOST || sizes.len() + count > MOST {
                return Err(format!(
                    "'{}' are too many machines; at most {MOST} can be simulated",
                    shorten(text)
                ));
            }
            sizes.extend(std::iter::repeat_n(Resources { cores, memory }, count));
        }
        let width = sizes.len().to_string().len();
        let nodes = (1..)
            .zip(sizes)
            .map(|(n, capacity)| node(format!("node-{n:0width$}"), capacity));
        Ok(Self {
            nodes: nodes.collect(),
            text: text.to_owned(),
        })
    }
}

fn node(name: String, capacity: Resources) -> Node {
    Node {
        id: name.clone(),
        name,
        address: None,
        capacity,
        others: Resources::ZERO,
        availability: Availability::Active,
        labels: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_read() {
        let cluster: Cluster = "2x32c128g,1.5c512m".parse().unwrap();
        let shown: Vec<String> = cluster
            .nodes
            .iter()
            .map(|n| format!("{} {} {}", n.name, n.capacity.cores, n.capacity.memory))
            .collect();
        assert_eq!(
            shown,
            [
                "node-1 32 128 GiB",
                "node-2 32 128 GiB",
                "node-3 1.5 512 MiB"
            ]
        );
        assert_eq!(cluster.capacity().cores, Cores::from_millis(65_500));
        for text in [
            "", "x", "0x1c1g", "2x", "2x4c", "4g", "-1x1c1g", "2x1c1g,", "1x0c1g",
        ] {
            assert!(text.parse::<Cluster>().is_err(), "{text}");
        }
        assert_eq!(
            "99999999x1c1g".parse::<Cluster>().unwrap_err(),
            "'99999999x1c1g' are too many machines; at most 100000 can be simulated"
        );
    }
}
