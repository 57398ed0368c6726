//! Docker's list answers, and what they say in our words.
//!
//! Pure. Only the fields that are used are read, all of them leniently: an unknown state or a missing field of a new
//! Engine must not make everything unreadable.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::engine::assemble::{SeenContainer, SeenImage, SeenNetwork};
use crate::model::{Availability, Bytes, Cores, InstanceState, Node, PublishedPort, Resources};

/// A container in a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedContainer {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) names: Vec<String>,
    #[serde(default)]
    pub(super) created: i64,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) labels: HashMap<String, String>,
    #[serde(default)]
    pub(super) state: String,
    #[serde(default)]
    pub(super) status: String,
    /// Its image as it was asked for, or by its id.
    #[serde(default)]
    pub(super) image: String,
    #[serde(default, rename = "ImageID")]
    pub(super) image_id: String,
    #[serde(default, deserialize_with = "or_default")]
    ports: Vec<ListedPort>,
    #[serde(default)]
    network_settings: Option<ListedNetworks>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedPort {
    #[serde(default, rename = "IP")]
    ip: Option<String>,
    private_port: u16,
    #[serde(default)]
    public_port: Option<u16>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedNetworks {
    #[serde(default, deserialize_with = "or_default")]
    networks: BTreeMap<String, ListedEndpoint>,
}

#[derive(Debug, Deserialize)]
struct ListedEndpoint {
    #[serde(default, rename = "IPAddress")]
    ip_address: String,
}

/// A network in a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedNetwork {
    pub(super) id: String,
    pub(super) name: String,
    /// RFC 3339; compared as text only to find the older of two.
    #[serde(default)]
    pub(super) created: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) labels: HashMap<String, String>,
}

/// An image in a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedImage {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) repo_digests: Vec<String>,
    #[serde(default)]
    pub(super) created: i64,
    #[serde(default)]
    pub(super) size: u64,
    #[serde(default, deserialize_with = "or_default")]
    labels: HashMap<String, String>,
}

/// What an Engine says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "NCPU")]
    cpus: u64,
    #[serde(rename = "MemTotal")]
    memory: u64,
    #[serde(default, rename = "Labels", deserialize_with = "or_default")]
    labels: Vec<String>,
}

/// Docker writes `null` for what is empty.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl ListedContainer {
    /// Its address in the network it is in.
    pub(super) fn address(&self) -> Option<IpAddr> {
        let networks = &self.network_settings.as_ref()?.networks;
        networks
            .values()
            .find_map(|endpoint| endpoint.ip_address.parse().ok())
    }

    /// In the common words of the backends.
    pub(super) fn seen(self, node: &str) -> SeenContainer {
        let address = self.address();
        SeenContainer {
            state: state(&self.state, &self.status),
            note: None,
            name: self.names.into_iter().next().unwrap_or_default(),
            id: self.id,
            labels: self.labels,
            node: node.to_owned(),
            created_at: Timestamp::from_second(self.created).unwrap_or_default(),
            started_at: None,
            finished_at: None,
            out_of_memory: false,
            address,
            ports: self
                .ports
                .iter()
                .filter_map(ListedPort::published)
                .collect(),
        }
    }
}

impl ListedPort {
    fn published(&self) -> Option<PublishedPort> {
        let host = self.ip.as_deref().and_then(|ip| ip.parse().ok());
        Some(PublishedPort {
            container: self.private_port,
            host: host.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            public: self.public_port.filter(|port| *port != 0)?,
        })
    }
}

impl ListedNetwork {
    /// In the common words of the backends.
    pub(super) fn seen(self) -> SeenNetwork {
        SeenNetwork {
            id: self.id,
            name: self.name,
            labels: self.labels,
        }
    }
}

impl ListedImage {
    /// Its names; Docker lists `<none>:<none>` for one that has lost them.
    pub(super) fn tags(&self) -> impl Iterator<Item = &String> {
        self.repo_tags.iter().filter(|tag| *tag != "<none>:<none>")
    }

    /// In the common words of the backends.
    pub(super) fn seen(self) -> SeenImage {
        SeenImage {
            tags: self.tags().cloned().collect(),
            id: self.id,
            labels: self.labels,
        }
    }
}

impl Info {
    /// The node it is.
    pub(super) fn node(self) -> Node {
        let labels = self.labels.iter().map(|label| {
            let (key, value) = label.split_once('=').unwrap_or((label, ""));
            (key.to_owned(), value.to_owned())
        });
        Node {
            capacity: Resources {
                cores: Cores::from_millis(self.cpus.saturating_mul(1000)),
                memory: Bytes::new(self.memory),
            },
            others: Resources::ZERO,
            availability: Availability::Active,
            address: None,
            id: "node".to_owned(),
            labels: labels.collect(),
            name: self.name,
        }
    }
}

/// What a container is doing, from its state and, for the exit code, its status: `Exited (3) 5 minutes ago`.
pub(super) fn state(state: &str, status: &str) -> InstanceState {
    match state {
        "created" => InstanceState::Created,
        // Who pauses a container by hand does not end it.
        "running" | "paused" => InstanceState::Running,
        "exited" => {
            exit_code(status).map_or(InstanceState::Other, |code| InstanceState::Exited { code })
        }
        _ => InstanceState::Other,
    }
}

fn exit_code(status: &str) -> Option<i64> {
    let (_, rest) = status.split_once('(')?;
    let (code, _) = rest.split_once(')')?;
    code.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(json: &str) -> SeenContainer {
        serde_json::from_str::<ListedContainer>(json)
            .unwrap()
            .seen("n")
    }

    #[test]
    fn a_running_container_has_its_address_and_ports() {
        // As Engine 20.10 answers, shortened; the port stands there for IPv4 and for IPv6.
        let seen = container(
            r#"{"Id":"0123456789abcdef","Names":["/zoe-d-abcdefgh-master-0"],"Image":"x","ImageID":"sha256:1",
            "Command":"sh","Created":1763823600,"Ports":[{"PrivatePort":7077,"Type":"tcp"},
            {"IP":"127.0.0.1","PrivatePort":8080,"PublicPort":49153,"Type":"tcp"},
            {"IP":"::","PrivatePort":8080,"PublicPort":49154,"Type":"tcp"}],
            "Labels":{"zoe.kind":"instance"},"State":"running","Status":"Up 2 seconds",
            "HostConfig":{"NetworkMode":"net"},"NetworkSettings":{"Networks":{"net":{"IPAMConfig":null,
            "IPAddress":"172.18.0.2","Gateway":"172.18.0.1"}}},"Mounts":[]}"#,
        );
        assert_eq!(seen.state, InstanceState::Running);
        assert_eq!(seen.address, "172.18.0.2".parse().ok());
        let ports: Vec<_> = seen
            .ports
            .iter()
            .map(|port| (port.container, port.host.to_string(), port.public))
            .collect();
        assert_eq!(
            ports,
            [
                (8080, "127.0.0.1".to_owned(), 49153),
                (8080, "::".to_owned(), 49154)
            ]
        );
        assert_eq!(seen.created_at.as_second(), 1_763_823_600);
    }

    #[test]
    fn what_is_missing_or_null_does_no_harm() {
        let seen = container(r#"{"Id":"a","Names":null,"Labels":null,"Ports":null,"State":"new"}"#);
        assert_eq!((seen.state, seen.address), (InstanceState::Other, None));
        let seen = container(
            r#"{"Id":"a","NetworkSettings":{"Networks":{"net":{"IPAddress":""}}},"State":"created"}"#,
        );
        assert_eq!((seen.state, seen.address), (InstanceState::Created, None));
    }

    #[test]
    fn the_exit_code_is_in_the_status() {
        for (words, expected) in [
            (
                ("exited", "Exited (0) 2 hours ago"),
                InstanceState::Exited { code: 0 },
            ),
            (
                ("exited", "Exited (137) Less than a second ago"),
                InstanceState::Exited { code: 137 },
            ),
            (("exited", "Exited"), InstanceState::Other),
            (("paused", "Up 3 days (Paused)"), InstanceState::Running),
            (
                ("restarting", "Restarting (1) 3 seconds ago"),
                InstanceState::Other,
            ),
            (("dead", "Dead"), InstanceState::Other),
        ] {
            assert_eq!(state(words.0, words.1), expected, "{words:?}");
        }
    }

    #[test]
    fn an_engine_is_one_node() {
        let info: Info = serde_json::from_str(
            r#"{"Name":"vm","NCPU":2,"MemTotal":1024,"Labels":["disk=ssd","gpu"],"Swarm":{}}"#,
        )
        .unwrap();
        let node = info.node();
        assert_eq!(node.capacity.cores.millis(), 2000);
        assert_eq!(node.labels["disk"], "ssd");
        assert_eq!(node.labels["gpu"], "");
    }
}
