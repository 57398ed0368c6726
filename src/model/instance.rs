//! One member of a component: as it is to be made, and as it was seen.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use jiff::Timestamp;

use super::amount::Resources;
use super::application::Volume;
use super::ids::{ComponentName, ExecutionId};
use super::secret::Secret;

/// Names one member of one execution.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceKey {
    /// The execution.
    pub execution: ExecutionId,
    /// The component.
    pub component: ComponentName,
    /// Which member, from 0.
    pub index: u32,
}

/// What Docker says a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// Made, not started.
    Created,
    /// At work.
    Running,
    /// It has ended.
    Exited {
        /// The exit code, 128 + n for signal n.
        code: i64,
    },
    /// Docker would not make it or start it, and will not try again; [`Instance::note`] says why.
    Rejected,
    /// It was at work on a node that does not answer: nothing is known of it.
    Lost {
        /// Since when the node has been silent, as far as that is known.
        since: Option<Timestamp>,
    },
    /// In a state that is none of these for long (restarting, being removed, dead).
    Other,
}

/// A port of a container that can be reached from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedPort {
    /// Its number in the container.
    pub container: u16,
    /// The address it is published on; unspecified where it is all of the node's.
    pub host: IpAddr,
    /// Its number there.
    pub public: u16,
}

/// A member as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Which one.
    pub key: InstanceKey,
    /// Docker's id of the container.
    pub container_id: String,
    /// The node it is on.
    pub node: String,
    /// What it is doing.
    pub state: InstanceState,
    /// Docker's own words about that, where it has any: why it is not placed, why it was rejected.
    pub note: Option<String>,
    /// When it was made (Docker lists whole seconds).
    pub created_at: Timestamp,
    /// When it began, where that was asked for.
    pub started_at: Option<Timestamp>,
    /// When it ended, where that was asked for.
    pub finished_at: Option<Timestamp>,
    /// Whether the kernel ended it for want of memory, where that was asked for.
    pub out_of_memory: bool,
    /// Its address in the execution's network.
    pub address: Option<IpAddr>,
    /// Its ports that can be reached.
    pub ports: Vec<PublishedPort>,
    /// What it is counted as.
    pub reservation: Resources,
}

impl Instance {
    /// Whether it was started at any time.
    pub fn was_started(&self) -> bool {
        matches!(
            self.state,
            InstanceState::Running | InstanceState::Exited { .. } | InstanceState::Lost { .. }
        )
    }

    /// Where a port of it can be reached. On a Swarm and on an Engine elsewhere the backend has said so by the node's address; on
    /// this machine's Engine what is published on all addresses is reached here.
    pub fn public_address(&self, container_port: u16) -> Option<SocketAddr> {
        let mut ports = self.ports.iter();
        let port = ports.find(|port| port.container == container_port)?;
        let host = if port.host.is_unspecified() {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            port.host
        };
        Some(SocketAddr::new(host, port.public))
    }

    /// Whether nothing is known of it, as its node does not answer.
    pub fn is_lost(&self) -> bool {
        matches!(self.state, InstanceState::Lost { .. })
    }

    /// Whether it is at work, or about to be.
    pub fn is_alive(&self) -> bool {
        matches!(
            self.state,
            InstanceState::Created | InstanceState::Running | InstanceState::Other
        )
    }

    /// Whether it holds what it was given: it was made, and has not ended as far as is known.
    pub fn holds(&self) -> bool {
        self.is_alive() || self.is_lost()
    }

    /// Its exit code, if it has ended.
    pub fn exit_code(&self) -> Option<i64> {
        match self.state {
            InstanceState::Exited { code } => Some(code),
            InstanceState::Created
            | InstanceState::Running
            | InstanceState::Rejected
            | InstanceState::Lost { .. }
            | InstanceState::Other => None,
        }
    }
}

/// Whether what Docker says of a member is that its image can't be had. It says so in words only, the registries' among
/// them.
pub fn tells_of_no_image(said: &str) -> bool {
    const WORDS: [&str; 5] = [
        "no such image",
        "manifest unknown",
        "pull access denied",
        "repository does not exist",
        "not found: manifest",
    ];
    says_any(said, &WORDS)
}

/// Whether what Docker says of an image is that its registry did not answer: it may have it or not.
pub fn tells_of_no_answer(said: &str) -> bool {
    const WORDS: [&str; 11] = [
        "connection refused",
        "connection reset",
        "no such host",
        "no route to host",
        "network is unreachable",
        "server misbehaving",
        "i/o timeout",
        "tls handshake timeout",
        "deadline exceeded",
        "awaiting headers",
        "temporary failure in name resolution",
    ];
    says_any(said, &WORDS)
}

fn says_any(said: &str, words: &[&str]) -> bool {
    let said = said.to_lowercase();
    words.iter().any(|words| said.contains(words))
}

/// A member as it is to be made: everything filled in, nothing left to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceSpec {
    /// Which one.
    pub key: InstanceKey,
    /// The image, registry included.
    pub image: String,
    /// Arguments in place of the image's own.
    pub command: Option<Vec<String>>,
    /// The environment; values may be the user's secrets.
    pub env: Vec<(String, Secret)>,
    /// Files `/run/secrets/NAME` and what is in them.
    pub secrets: Vec<(String, Secret)>,
    /// Directories of the host.
    pub volumes: Vec<Volume>,
    /// Ports to publish.
    pub publish: Vec<u16>,
    /// Limit and reservation.
    pub reservation: Resources,
    /// Names it answers to in the execution's network.
    pub aliases: Vec<String>,
    /// The components whose hosts its command and environment name; its own may be among them.
    pub needs: Vec<ComponentName>,
    /// The name of the node it was given; without one the backend chooses.
    pub node: Option<String>,
}

impl InstanceSpec {
    /// The numbers of the groups its processes are in beside their own, each once.
    pub fn groups(&self) -> impl Iterator<Item = u32> {
        let groups = self.volumes.iter().filter_map(|volume| volume.group);
        groups.collect::<BTreeSet<u32>>().into_iter()
    }
}

/// The members of one execution that are to exist, with their network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The execution.
    pub execution: ExecutionId,
    /// All members that are to run, those that are there already too.
    pub instances: Vec<InstanceSpec>,
}
