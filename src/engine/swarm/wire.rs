//! A Swarm's list answers, as they come. What they say in our words is in `members` and `cluster`.
//!
//! Only the fields that are used are read, all of them leniently: a new field or state of a new Engine must not make
//! everything unreadable.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::engine::assemble::SeenNetwork;

/// A node in a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedNode {
    #[serde(rename = "ID")]
    pub(super) id: String,
    #[serde(default)]
    updated_at: String,
    #[serde(default)]
    pub(super) spec: NodeSpec,
    #[serde(default)]
    pub(super) description: NodeDescription,
    #[serde(default)]
    pub(super) status: NodeStatus,
    #[serde(default)]
    pub(super) manager_status: Option<ManagerStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct NodeSpec {
    #[serde(deserialize_with = "or_default")]
    pub(super) labels: HashMap<String, String>,
    pub(super) availability: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct NodeDescription {
    pub(super) hostname: String,
    pub(super) resources: Amounts,
    pub(super) engine: EngineDescription,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct EngineDescription {
    #[serde(deserialize_with = "or_default")]
    pub(super) labels: HashMap<String, String>,
}

/// Processor and memory, as Swarm counts them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Amounts {
    #[serde(rename = "NanoCPUs")]
    pub(super) nanos: u64,
    #[serde(rename = "MemoryBytes")]
    pub(super) memory: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct NodeStatus {
    pub(super) state: String,
    pub(super) addr: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ManagerStatus {
    /// With its port.
    pub(super) addr: String,
}

impl ListedNode {
    /// When the Swarm last wrote something of it down; for one that is down, when it was found to be.
    pub(super) fn updated_at(&self) -> Option<Timestamp> {
        time(&self.updated_at)
    }
}

/// A task in a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedTask {
    #[serde(rename = "ID")]
    pub(super) id: String,
    #[serde(default)]
    created_at: String,
    #[serde(default)]
    pub(super) spec: TaskSpec,
    #[serde(default, rename = "ServiceID")]
    pub(super) service: String,
    #[serde(default, rename = "NodeID")]
    pub(super) node: String,
    #[serde(default)]
    pub(super) status: TaskStatus,
    #[serde(default)]
    pub(super) desired_state: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) networks_attachments: Vec<Attachment>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TaskSpec {
    #[serde(deserialize_with = "or_default")]
    pub(super) container_spec: TaskContainer,
    #[serde(deserialize_with = "or_default")]
    pub(super) resources: TaskResources,
    #[serde(deserialize_with = "or_default")]
    pub(super) placement: TaskPlacement,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TaskContainer {
    pub(super) image: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) labels: HashMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TaskResources {
    #[serde(deserialize_with = "or_default")]
    pub(super) reservations: Amounts,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TaskPlacement {
    #[serde(deserialize_with = "or_default")]
    pub(super) constraints: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TaskStatus {
    pub(super) timestamp: String,
    pub(super) state: String,
    pub(super) message: String,
    pub(super) err: String,
    pub(super) container_status: Option<ContainerStatus>,
    #[serde(deserialize_with = "or_default")]
    pub(super) port_status: PortStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ContainerStatus {
    #[serde(rename = "ContainerID")]
    pub(super) container: String,
    pub(super) exit_code: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct PortStatus {
    #[serde(deserialize_with = "or_default")]
    pub(super) ports: Vec<TaskPort>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TaskPort {
    pub(super) target_port: u16,
    pub(super) published_port: u16,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Attachment {
    /// With the length of the network's prefix.
    #[serde(deserialize_with = "or_default")]
    pub(super) addresses: Vec<String>,
}

impl ListedTask {
    pub(super) fn created_at(&self) -> Timestamp {
        time(&self.created_at).unwrap_or_default()
    }

    /// When it came into its state.
    pub(super) fn changed_at(&self) -> Option<Timestamp> {
        time(&self.status.timestamp)
    }

    /// Docker's id of its container, if there is or was one.
    pub(super) fn container(&self) -> Option<&str> {
        let status = self.status.container_status.as_ref()?;
        (!status.container.is_empty()).then_some(status.container.as_str())
    }

    /// Swarm is told to remove it, and does so as soon as its node lets it.
    pub(super) fn is_going(&self) -> bool {
        self.desired_state == "remove"
    }

    /// Whether it will do nothing any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(
            self.status.state.as_str(),
            "complete" | "shutdown" | "failed" | "rejected" | "remove" | "orphaned"
        )
    }
}

/// A service in a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedService {
    #[serde(rename = "ID")]
    pub(super) id: String,
    pub(super) version: Version,
    #[serde(default)]
    created_at: String,
    pub(super) spec: Named,
}

impl ListedService {
    pub(super) fn created_at(&self) -> Timestamp {
        time(&self.created_at).unwrap_or_default()
    }
}

/// A config in a list. It has no `Debug`, as it holds secrets.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedConfig {
    #[serde(rename = "ID")]
    pub(super) id: String,
    pub(super) version: Version,
    #[serde(default)]
    created_at: String,
    pub(super) spec: ConfigSpec,
}

/// What a config is.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ConfigSpec {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) labels: HashMap<String, String>,
    /// In base64.
    #[serde(default)]
    pub(super) data: String,
}

impl ListedConfig {
    pub(super) fn created_at(&self) -> Timestamp {
        time(&self.created_at).unwrap_or_default()
    }
}

/// The version of an object: whoever changes it says which one he has seen.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Version {
    pub(super) index: u64,
}

/// A specification with a name and labels. The rest is kept as it is, for writing it back.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) labels: HashMap<String, String>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A secret in a list; what it holds is not told.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedSecret {
    #[serde(rename = "ID")]
    pub(super) id: String,
    pub(super) spec: Named,
}

/// A network in a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedNetwork {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) labels: HashMap<String, String>,
}

impl ListedSecret {
    /// In the common words of the backends.
    pub(super) fn seen(self) -> SeenNetwork {
        SeenNetwork {
            id: self.id,
            name: self.spec.name,
            labels: self.spec.labels,
        }
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

/// What the daemon says of something it has just made.
#[derive(Debug, Deserialize)]
pub(super) struct Made {
    #[serde(rename = "ID", alias = "Id")]
    pub(super) id: String,
}

/// Docker writes `null` for what is empty.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Docker writes the year 1 for "never".
pub(super) fn time(text: &str) -> Option<Timestamp> {
    text.parse()
        .ok()
        .filter(|time: &Timestamp| *time > Timestamp::UNIX_EPOCH)
}
