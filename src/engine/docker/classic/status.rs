//! What a manager tells of its nodes: the `SystemStatus` rows of its `/info`, which are made for people.
//!
//! Pure. A node is a row with its name and address, and below it rows whose names begin with `└`; they are found by these
//! names, not by their position, and what is missing or can't be read is taken for nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{Availability, Cores, DISABLED, Node, Resources};

/// What begins the name of a row that belongs to the node above it.
const BELOW: char = '└';

/// The part of `/info` that is read.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    #[serde(default, rename = "SystemStatus")]
    rows: Option<Vec<(String, String)>>,
    #[serde(default, rename = "ServerVersion")]
    pub(super) version: String,
}

/// A node as its manager tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// In the common words. Its `others` is all that is reserved on it, by zoe too.
    pub(super) node: Node,
    /// What the manager says of one that is not healthy.
    pub(super) error: String,
    /// Whether the manager knows its containers, if only as they were. It does not before it has reached the node once.
    pub(super) known: bool,
}

impl Info {
    /// The nodes.
    pub(super) fn nodes(&self) -> Vec<Told> {
        let rows = self.rows.as_deref().unwrap_or_default();
        let mut nodes: Vec<(&str, &str, BTreeMap<&str, &str>)> = Vec::new();
        for (position, (name, value)) in rows.iter().enumerate() {
            if let Some(name) = below(name) {
                if let Some((_, _, facts)) = nodes.last_mut() {
                    facts.insert(name, value.trim());
                }
                continue;
            }
            let next = rows.get(position + 1);
            if next.is_some_and(|(name, _)| below(name).is_some()) {
                nodes.push((plain(name), value.trim(), BTreeMap::new()));
            }
        }
        nodes
            .into_iter()
            .map(|(name, address, facts)| told(name, address, &facts))
            .collect()
    }
}

/// The name of a row that belongs to a node.
fn below(name: &str) -> Option<&str> {
    plain(name).strip_prefix(BELOW).map(str::trim)
}

/// Old managers put a backspace before some names.
fn plain(name: &str) -> &str {
    name.trim_matches(|c: char| c.is_whitespace() || c.is_control())
}

fn told(name: &str, address: &str, facts: &BTreeMap<&str, &str>) -> Told {
    let fact = |name: &str| facts.get(name).copied().unwrap_or_default();
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    let (used_cores, cores) = fact("Reserved CPUs").split_once('/').unwrap_or_default();
    let (used_memory, memory) = fact("Reserved Memory").split_once('/').unwrap_or_default();
    let labels = labels(fact("Labels"));
    let status = fact("Status");
    let availability = if status != "Healthy" {
        let since = fact("UpdatedAt").parse::<Timestamp>().ok();
        Availability::Down { since }
    } else if labels.contains_key(DISABLED) {
        Availability::Disabled
    } else {
        Availability::Active
    };
    // One that was never reached has no name.
    let name = if name == "(unknown)" { host } else { name };
    Told {
        node: Node {
            id: Some(fact("ID"))
                .filter(|id| !id.is_empty())
                .unwrap_or(name)
                .to_owned(),
            name: name.to_owned(),
            address: host.parse::<IpAddr>().ok(),
            capacity: amounts(cores, memory),
            others: amounts(used_cores, used_memory),
            availability,
            labels,
        },
        error: fact("Error").to_owned(),
        known: matches!(status, "Healthy" | "Unhealthy"),
    }
}

fn amounts(cores: &str, memory: &str) -> Resources {
    let cores = cores.trim().parse::<u64>().unwrap_or_default();
    Resources {
        cores: Cores::from_millis(cores.saturating_mul(1000)),
        memory: memory.replace(' ', "").parse().unwrap_or_default(),
    }
}

/// `a=b, c=d`. A value may hold what looks like the end of it; only what has a `=` begins a label.
fn labels(text: &str) -> BTreeMap<String, String> {
    let mut labels: Vec<(String, String)> = Vec::new();
    for part in text.split(", ") {
        match (part.split_once('='), labels.last_mut()) {
            (Some((key, value)), _) => labels.push((key.trim().to_owned(), value.to_owned())),
            (None, Some((_, value))) => {
                value.push_str(", ");
                value.push_str(part);
            }
            (None, None) => {}
        }
    }
    labels.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Bytes;

    /// As a manager 1.2.9 answered, shortened, with nodes in all states.
    fn info() -> Info {
        serde_json::from_str(
            r#"{"ServerVersion":"swarm/1.2.9","SystemStatus":[["Role","primary"],["Strategy","spread"],
            ["Filters","health, port, containerslots, dependency, affinity, constraint, whitelist"],["Nodes","4"],
            [" (unknown)","10.0.0.4:2375"],["  └ ID",""],["  └ Status","Pending"],["  └ Containers","0"],
            ["  └ Reserved CPUs","0 / 0"],["  └ Reserved Memory","0 B / 0 B"],["  └ Labels",""],
            ["  └ Error","Cannot connect to the Docker daemon at tcp://10.0.0.4:2375. Is the docker daemon running?"],
            ["  └ UpdatedAt","2026-11-22T18:37:54Z"],["  └ ServerVersion",""],
            [" n1","10.0.0.1:2375"],["  └ ID","GLBU:JU3Y|10.0.0.1:2375"],["  └ Status","Healthy"],
            ["  └ Containers","3 (1 Running, 0 Paused, 2 Stopped)"],["  └ Reserved CPUs","1 / 2"],
            ["  └ Reserved Memory","1.5 GiB / 24.72 GiB"],
            ["  └ Labels","disk=ssd, operatingsystem=Debian GNU/Linux 12 (bookworm), rack=a, b, storagedriver=overlay2"],
            ["  └ UpdatedAt","2026-11-22T18:37:54Z"],["  └ ServerVersion","20.10.24"],
            [" n2","n2.example:2375"],["  └ UpdatedAt","2026-11-22T18:30:00Z"],["  └ Labels","zoe.disabled=true"],
            ["  └ Reserved Memory","0B / 512MiB"],["  └ Reserved CPUs","0 / 4"],["  └ Status","Healthy"],
            [" n3","10.0.0.3:2375"],["  └ Status","Unhealthy"],["  └ Containers","2"],["  └ Reserved CPUs","0 / 1"],
            ["  └ Reserved Memory","64 MiB / 3.15 GiB"],["  └ Labels",""],["  └ UpdatedAt","2026-11-22T18:36:00Z"]]}"#,
        )
        .unwrap()
    }

    #[test]
    fn nodes_are_found_by_the_names_of_their_rows() {
        let nodes = info().nodes();
        let names: Vec<_> = nodes.iter().map(|told| told.node.name.as_str()).collect();
        assert_eq!(names, ["10.0.0.4", "n1", "n2", "n3"]);
        let node = &nodes[1].node;
        assert_eq!(node.id, "GLBU:JU3Y|10.0.0.1:2375");
        assert_eq!(node.address, "10.0.0.1".parse().ok());
        assert_eq!(node.capacity.cores.millis(), 2000);
        assert_eq!(node.capacity.memory.get(), 26_542_897_889);
        assert_eq!(node.others.memory, Bytes::from_mib(1536));
        assert_eq!(node.others.cores.millis(), 1000);
        assert_eq!(node.labels["disk"], "ssd");
        assert_eq!(node.labels["rack"], "a, b");
        assert!(node.is_available());
    }

    #[test]
    fn a_node_is_down_unless_it_is_healthy_and_unknown_until_it_was_reached() {
        let nodes = info().nodes();
        let of = |name: &str| nodes.iter().find(|told| told.node.name == name).unwrap();
        assert_eq!(of("n2").node.availability, Availability::Disabled);
        assert_eq!(of("n2").node.capacity.memory, Bytes::from_mib(512));
        assert_eq!(of("n2").node.address, None);
        let since = "2026-11-22T18:36:00Z".parse().ok();
        assert_eq!(of("n3").node.availability, Availability::Down { since });
        assert!(of("n3").known && of("n1").known);
        let never = of("10.0.0.4");
        assert!(!never.known && !never.node.is_available());
        assert!(never.error.contains("Cannot connect"));
        assert_eq!(never.node.capacity, Resources::ZERO);
    }

    #[test]
    fn what_is_no_list_of_nodes_has_none() {
        for text in [
            "{}",
            r#"{"SystemStatus":null}"#,
            r#"{"SystemStatus":[["Role","replica"]]}"#,
        ] {
            assert_eq!(serde_json::from_str::<Info>(text).unwrap().nodes(), []);
        }
    }
}
