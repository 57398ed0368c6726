//! Reads what is there.
//!
//! Executions are three list calls: nodes, tasks and, last, the tickets; the nodes are not asked for again where finding
//! out what kind of Docker this is has just told them. Everything is eight.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::timeout;

use super::SwarmBackend;
use super::calls::{NODES, read};
use super::cluster::Cluster;
use super::directory::SeenNode;
use super::members::{self, Members};
use super::tickets::{self, Unreadable};
use super::wire::{ListedNetwork, ListedSecret, time};
use crate::engine::assemble::{Seen, assemble};
use crate::engine::client::parallel::each;
use crate::engine::{Result, Scope};
use crate::labels;
use crate::model::{Execution, Gap, Instance, InstanceKey, InstanceState, Node, Snapshot};

/// How long a node's Engine may take to tell of a container.
const PATIENCE: Duration = Duration::from_secs(3);

/// What was listed, with what an assembled snapshot has no place for.
struct Look {
    seen: Seen,
    containers: HashMap<String, String>,
    unreadable: Vec<Unreadable>,
}

impl SwarmBackend {
    pub(super) async fn describe_swarm(&self) -> Result<String> {
        let (version, cluster) = futures_util::join!(self.api.quick.version(), self.cluster());
        let version = version.map_err(|error| self.api.error("asking for the version", error))?;
        let nodes = match cluster?.len() {
            1 => "one node".to_owned(),
            nodes => format!("{nodes} nodes"),
        };
        Ok(format!(
            "Docker Swarm of {nodes}, its manager an Engine {} at {}",
            version.version.as_deref().unwrap_or("of unknown version"),
            self.api.endpoint()
        ))
    }

    pub(super) async fn look(&self, scope: Scope) -> Result<Snapshot> {
        let now = Timestamp::now();
        let look = match scope {
            Scope::Executions => self.executions().await?,
            Scope::Everything => Box::pin(self.everything(now)).await?,
        };
        let mut snapshot = assemble(&self.deployment, now, look.seen);
        for execution in snapshot.executions.values_mut() {
            name_containers(execution, &look.containers);
        }
        let members = snapshot.executions.values_mut();
        self.locate(members.flat_map(|execution| &mut execution.instances))
            .await;
        for Unreadable { config, why } in look.unreadable {
            let short = config.get(..12).unwrap_or(&config);
            let object = format!("config {short} ");
            let mut told = snapshot.anomalies.iter_mut();
            if let Some(anomaly) = told.find(|anomaly| anomaly.object.starts_with(&object)) {
                anomaly.problem = format!("its content cannot be read: {why}");
            }
        }
        Ok(snapshot)
    }

    async fn executions(&self) -> Result<Look> {
        let own = [self.label()];
        let (cluster, tasks) = futures_util::join!(self.nodes_at_first(), self.tasks(&own));
        let members = members::members(&self.deployment, None, tasks?, &mut cluster?);
        self.with_tickets(members).await
    }

    async fn everything(&self, now: Timestamp) -> Result<Look> {
        let own = [self.label()];
        // All tasks: what others hold is not free. All of it before the tickets, see `assemble`.
        let (cluster, tasks, services, networks, secrets, images, builders) = futures_util::join!(
            self.nodes_at_first(),
            self.tasks(&[]),
            self.services(&own),
            self.networks(&own),
            self.secrets(&own),
            self.engine.job_images(),
            self.engine.builders(now),
        );
        let mut gaps = Vec::new();
        let mut cluster = or_gap("the nodes", cluster, &mut gaps).unwrap_or_default();
        let services = or_gap("services", services, &mut gaps);
        let members = members::members(&self.deployment, services, tasks?, &mut cluster);
        let mut look = self.with_tickets(members).await?;
        let seen = &mut look.seen;
        let builders = or_gap("builders", builders, &mut gaps);
        seen.containers.extend(builders.into_iter().flatten());
        let networks = or_gap("networks", networks, &mut gaps)
            .into_iter()
            .flatten();
        seen.networks = networks.map(ListedNetwork::seen).collect();
        let secrets = or_gap("secrets", secrets, &mut gaps).into_iter().flatten();
        seen.secrets = secrets.map(ListedSecret::seen).collect();
        seen.images = or_gap("images", images, &mut gaps).unwrap_or_default();
        seen.nodes = cluster.into_nodes();
        seen.gaps = gaps;
        Ok(look)
    }

    async fn with_tickets(&self, members: Members) -> Result<Look> {
        let configs = self.configs(&[self.label()]).await?;
        let (mut containers, unreadable) = tickets::seen(&self.deployment, configs);
        containers.extend(members.seen);
        let seen = Seen {
            containers,
            in_swarm: true,
            ..Seen::default()
        };
        Ok(Look {
            seen,
            containers: members.containers,
            unreadable,
        })
    }

    /// The nodes; the first time as they were when the kind of Docker was found out.
    async fn nodes_at_first(&self) -> Result<Cluster> {
        let first = self
            .first_nodes
            .lock()
            .ok()
            .and_then(|mut first| first.take());
        match first {
            Some(body) => Ok(Cluster::new(&read::<Vec<_>>(NODES, &body)?)),
            None => self.cluster().await,
        }
    }

    /// Reads an execution's members again, with what only the Engines of their nodes know, as far as those can be reached.
    pub(super) async fn look_again(&self, execution: &Execution) -> Result<Execution> {
        let id = execution.ticket.id;
        let labels = self.labels_of(id, labels::KIND_INSTANCE);
        let (cluster, tasks, services) =
            futures_util::join!(self.cluster(), self.tasks(&labels), self.services(&labels));
        let mut cluster = cluster?;
        let mut members = members::members(&self.deployment, Some(services?), tasks?, &mut cluster);
        let containers = std::mem::take(&mut members.containers);
        let mut now = Execution {
            instances: members.instances(&self.deployment),
            ..execution.clone()
        };
        name_containers(&mut now, &containers);
        let before = |key: &InstanceKey| {
            let mut all = execution.instances.iter();
            all.position(|instance| instance.key == *key)
        };
        now.instances.sort_by_key(|instance| {
            (
                before(&instance.key).unwrap_or(usize::MAX),
                instance.key.clone(),
            )
        });
        each(&mut now.instances, |instance| {
            self.ask_its_node(instance, &cluster)
        })
        .await?;
        self.locate(now.instances.iter_mut()).await;
        Ok(now)
    }

    /// Adds what the Engine of the member's node knows of its container and Swarm does not tell. Without it the member
    /// began when Swarm was told to make it.
    async fn ask_its_node(&self, instance: &mut Instance, cluster: &Cluster) -> Result<()> {
        if !instance.was_started() {
            return Ok(());
        }
        let silent = matches!(instance.state, InstanceState::Lost { .. });
        if let Some(node) = cluster.named(&instance.node).filter(|_| !silent)
            && let Some(facts) = self.facts(node, &instance.container_id).await
        {
            instance.started_at = facts.started_at.or(instance.started_at);
            if instance.exit_code().is_some() {
                instance.finished_at = facts.finished_at.or(instance.finished_at);
                instance.out_of_memory = facts.out_of_memory;
            }
        }
        instance.started_at.get_or_insert(instance.created_at);
        // Docker may note the end of what ends at once before its start.
        instance.finished_at = instance
            .finished_at
            .map(|end| instance.started_at.map_or(end, |start| end.max(start)));
        Ok(())
    }

    /// Asks a node's Engine about a container, if it can be asked.
    async fn facts(&self, node: &Node, container: &str) -> Option<Facts> {
        let seen = SeenNode::from(node);
        let asked = async {
            let engine = self.engine_of(&seen).await.ok()?;
            let path = format!("/containers/{container}/json");
            let found: Inspected = engine.api().get_of(container, &path, &[]).await.ok()?;
            Some(found.state)
        };
        let state = timeout(PATIENCE, asked).await.ok()??;
        Some(Facts {
            started_at: time(&state.started_at),
            finished_at: time(&state.finished_at),
            out_of_memory: state.out_of_memory,
        })
    }
}

/// What an Engine knows of a container and Swarm does not tell.
struct Facts {
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    out_of_memory: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    state: InspectedState,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct InspectedState {
    started_at: String,
    finished_at: String,
    #[serde(rename = "OOMKilled")]
    out_of_memory: bool,
}

fn or_gap<T>(what: &str, answer: Result<T>, gaps: &mut Vec<Gap>) -> Option<T> {
    answer
        .map_err(|error| {
            gaps.push(Gap {
                what: what.to_owned(),
                error: error.to_string(),
                node: None,
            });
        })
        .ok()
}

/// Puts the containers' ids in the place of the services'.
fn name_containers(execution: &mut Execution, containers: &HashMap<String, String>) {
    for instance in &mut execution.instances {
        if let Some(container) = containers.get(&instance.container_id) {
            instance.container_id.clone_from(container);
        }
    }
}
