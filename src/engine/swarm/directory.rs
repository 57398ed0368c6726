//! Where members are: which task is whose, on which node, in which container. As the manager knows it.
//!
//! What was asked a moment ago is not asked again: who wants to know what a hundred members use needs two answers, not two
//! hundred. What is not found in an answer that is not new is looked for in a new one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::cluster::Cluster;
use super::members::decisive;
use super::wire::{ListedNode, ListedService, ListedTask};
use crate::engine::client::api::{Api, label_filter};
use crate::engine::{EngineError, Result, names};
use crate::labels::{self, Decoded};
use crate::model::{Availability, Deployment, InstanceKey, Node};

/// How old an answer may be.
const FRESH: Duration = Duration::from_secs(1);

/// A node, as far as it must be known to ask its Engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenNode {
    pub(super) id: String,
    pub(super) name: String,
    /// Where other machines reach it.
    pub(super) address: Option<IpAddr>,
    /// Whether the Swarm hears of it.
    pub(super) is_up: bool,
}

/// Where a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The task's id.
    pub(super) task: String,
    /// Docker's id of its container on its node; empty where there is none yet.
    pub(super) container: String,
    pub(super) node: SeenNode,
    /// Whether it has ended.
    pub(super) has_ended: bool,
}

impl From<&Node> for SeenNode {
    fn from(node: &Node) -> Self {
        Self {
            id: node.id.clone(),
            name: node.name.clone(),
            address: node.address,
            is_up: !matches!(node.availability, Availability::Down { .. }),
        }
    }
}

/// Why it is nowhere yet.
fn waiting(task: &ListedTask) -> &str {
    let status = &task.status;
    if status.err.is_empty() {
        &status.message
    } else {
        &status.err
    }
}

/// Where other machines reach a node: what it is known by, or what it manages from (which has a port). What leads nowhere
/// from another machine is none: a Swarm may have been made with `--advertise-addr 127.0.0.1`.
pub(super) fn public_address(address: &str, as_manager: &str) -> Option<IpAddr> {
    let as_manager = as_manager
        .rsplit_once(':')
        .map_or(as_manager, |(host, _)| host);
    [address, as_manager]
        .into_iter()
        .filter_map(|text| text.trim_matches(['[', ']']).parse::<IpAddr>().ok())
        .find(|ip| !ip.is_unspecified() && !ip.is_loopback())
}

/// An answer and when it was had.
type Kept<T> = Mutex<Option<(Instant, Arc<T>)>>;

/// Asks the manager where members are.
pub(super) struct Directory {
    pub(super) api: Api,
    deployment: Deployment,
    tasks: Kept<HashMap<InstanceKey, Vec<ListedTask>>>,
    nodes: Kept<Vec<SeenNode>>,
}

impl Directory {
    pub(super) fn new(api: Api, deployment: Deployment) -> Self {
        Self {
            api,
            deployment,
            tasks: Mutex::default(),
            nodes: Mutex::default(),
        }
    }

    /// Where a member is. Gone where it has no task; refused where that is on no node yet.
    pub(super) async fn place_of(&self, key: &InstanceKey) -> Result<Place> {
        let name = names::instance_name(&self.deployment, key);
        let asked = Instant::now();
        let known = self.tasks(asked.checked_sub(FRESH)).await?;
        let found = match known.get(key) {
            Some(tasks) => Some(tasks.clone()),
            None => self.tasks(Some(asked)).await?.get(key).cloned(),
        };
        let gone = || EngineError::Gone {
            what: format!("container {name}"),
        };
        let task = self.genuine(&name, found.ok_or_else(gone)?).await?;
        let task = task.ok_or_else(gone)?;
        if task.node.is_empty() {
            return Err(EngineError::Refused {
                what: format!("asking for {name}"),
                why: format!("it is on no node yet: {}", waiting(&task)),
            });
        }
        let container = task.container().unwrap_or_default().to_owned();
        let has_ended = task.is_over();
        let nodes = self.nodes().await?;
        // A node may have been removed from the Swarm while its tasks are still known.
        let node = nodes.iter().find(|node| node.id == task.node).cloned();
        Ok(Place {
            has_ended,
            node: node.unwrap_or_else(|| SeenNode {
                name: task.node.clone(),
                id: task.node,
                address: None,
                is_up: false,
            }),
            container,
            task: task.id,
        })
    }

    /// The task that is the member, of those that say so. Where a stranger's service carries copied labels, the service
    /// that is called as zoe calls it is meant.
    async fn genuine(&self, name: &str, mut tasks: Vec<ListedTask>) -> Result<Option<ListedTask>> {
        let one = tasks.first().map(|task| task.service.clone());
        if tasks.iter().any(|task| Some(&task.service) != one.as_ref()) {
            let path = format!("/services/{name}");
            let service: ListedService = self.api.get_of(name, &path, &[]).await?;
            tasks.retain(|task| task.service == service.id);
        }
        Ok(decisive(tasks))
    }

    async fn tasks(
        &self,
        since: Option<Instant>,
    ) -> Result<Arc<HashMap<InstanceKey, Vec<ListedTask>>>> {
        keep(&self.tasks, since, async {
            let own = format!("{}={}", labels::DEPLOYMENT, self.deployment);
            let filter = label_filter(&[own]);
            let listed: Vec<ListedTask> = self
                .api
                .get("listing tasks", "/tasks", &[("filters", &filter)])
                .await?;
            Ok(self.by_member(listed))
        })
        .await
    }

    fn by_member(&self, listed: Vec<ListedTask>) -> HashMap<InstanceKey, Vec<ListedTask>> {
        let mut tasks: HashMap<_, Vec<_>> = HashMap::new();
        for task in listed.into_iter().filter(|task| !task.is_going()) {
            if let Some(Ok((deployment, Decoded::Instance { key, .. }))) =
                labels::decode(&task.spec.container_spec.labels)
                && deployment == self.deployment
            {
                tasks.entry(key).or_default().push(task);
            }
        }
        tasks
    }

    /// The nodes, as they were a moment ago at the latest.
    pub(super) async fn nodes(&self) -> Result<Arc<Vec<SeenNode>>> {
        keep(&self.nodes, Instant::now().checked_sub(FRESH), async {
            let listed: Vec<ListedNode> = self.api.get("listing nodes", "/nodes", &[]).await?;
            let nodes = Cluster::new(&listed).into_nodes();
            Ok(nodes.iter().map(SeenNode::from).collect())
        })
        .await
    }
}

/// What is kept, if it is not older than `since`; otherwise what `ask` gives. Who comes while it is asked waits for that answer.
async fn keep<T>(
    kept: &Kept<T>,
    since: Option<Instant>,
    ask: impl Future<Output = Result<T>>,
) -> Result<Arc<T>> {
    let mut kept = kept.lock().await;
    if let Some((at, value)) = &*kept
        && since.is_none_or(|since| *at >= since)
    {
        return Ok(Arc::clone(value));
    }
    let at = Instant::now();
    let value = Arc::new(ask.await?);
    *kept = Some((at, Arc::clone(&value)));
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_leads_there_from_another_machine() {
        for (address, as_manager, expected) in [
            ("10.77.0.2", "", Some("10.77.0.2")),
            ("0.0.0.0", "192.168.1.5:2377", Some("192.168.1.5")),
            ("127.0.0.1", "127.0.0.1:2377", None),
            ("0.0.0.0", "", None),
            ("::1", "[fd00::2]:2377", Some("fd00::2")),
            ("fd00::3", "", Some("fd00::3")),
        ] {
            let found = public_address(address, as_manager).map(|ip| ip.to_string());
            assert_eq!(found.as_deref(), expected, "{address} {as_manager}");
        }
    }

    #[test]
    fn a_node_that_the_swarm_does_not_hear_is_not_up() {
        let read = |json: &str| {
            let node: ListedNode = serde_json::from_str(json).unwrap();
            SeenNode::from(&Cluster::new(&[node]).into_nodes()[0])
        };
        let up = read(
            r#"{"ID":"n1","Version":{"Index":9},"Spec":{"Role":"manager","Availability":"active"},
            "Description":{"Hostname":"node-1"},"Status":{"State":"ready","Addr":"0.0.0.0"},
            "ManagerStatus":{"Leader":true,"Reachability":"reachable","Addr":"10.77.0.1:2377"}}"#,
        );
        assert_eq!((up.name.as_str(), up.is_up), ("node-1", true));
        assert_eq!(up.address, "10.77.0.1".parse().ok());
        let down = read(
            r#"{"ID":"n2","Description":{"Hostname":"node-2"},"Status":{"State":"down",
            "Message":"heartbeat failure for node in \"READY\" state","Addr":"10.77.0.2"}}"#,
        );
        assert!(!down.is_up);
    }

    #[test]
    fn a_task_tells_its_container_and_whether_it_has_ended() {
        let task: ListedTask = serde_json::from_str(
            r#"{"ID":"t1","CreatedAt":"2026-11-22T10:00:00.5Z","ServiceID":"s1","NodeID":"n1","Slot":1,
            "Spec":{"ContainerSpec":{"Image":"x","Labels":{"zoe.kind":"instance"}}},
            "Status":{"Timestamp":"2026-11-22T10:00:01Z","State":"complete","Message":"finished",
            "ContainerStatus":{"ContainerID":"c1","PID":0,"ExitCode":0},"PortStatus":{}},"DesiredState":"shutdown"}"#,
        )
        .unwrap();
        assert_eq!(task.container(), Some("c1"));
        assert!(task.is_over());
        let waiting: ListedTask = serde_json::from_str(
            r#"{"ID":"t2","ServiceID":"s1","Spec":{"ContainerSpec":{"Labels":null}},
            "Status":{"State":"pending","Message":"pending task scheduling","Err":"no suitable node (1 node down)"}}"#,
        )
        .unwrap();
        assert!(!waiting.is_over() && waiting.node.is_empty());
        assert_eq!(super::waiting(&waiting), "no suitable node (1 node down)");
    }
}
