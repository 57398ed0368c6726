//! What a Swarm's services and tasks say of members. Pure.
//!
//! A member is a service; what it does is what its task does. Swarm starts one task for it and, being told to restart
//! nothing, no other; zoe has it make a second one by stopping a member ([`STOPPED`]), which never gets a node.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::cluster::{Cluster, amounts, host_of};
use super::wire::{ListedService, ListedTask};
use crate::engine::assemble::{SeenContainer, instance};
use crate::engine::names;
use crate::labels::{self, Decoded};
use crate::model::{Deployment, Instance, InstanceKey, InstanceState, PublishedPort, Resources};

/// The constraint that no node satisfies, by which a member is stopped. Swarm puts an end to a task whose service wants
/// to be elsewhere and keeps it; scaling the service to nothing would remove the task with its log and exit code.
pub(super) const STOPPED: &str = "node.id==zoe-has-stopped-it";

/// A task that has ended with an exit code says so in these words.
const EXITED: &str = "task: non-zero exit (";
/// And one whose container could not be started, in these.
const NOT_STARTED: &str = "starting container failed";
/// What Swarm says of a task that it has not placed.
const UNPLACED: &str = "no suitable node";

/// The members of a deployment as far as they were listed.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// One for each service; its id is the service's.
    pub(super) seen: Vec<SeenContainer>,
    /// The containers' ids by service.
    pub(super) containers: HashMap<String, String>,
}

impl Members {
    /// Those that can be read and are called as zoe calls them.
    pub(super) fn instances(self, deployment: &Deployment) -> Vec<Instance> {
        let own = self.seen.into_iter().filter_map(|seen| {
            let Some(Ok((own, Decoded::Instance { key, reservation }))) =
                labels::decode(&seen.labels)
            else {
                return None;
            };
            let genuine = seen.name == names::instance_name(deployment, &key);
            (own == *deployment && genuine).then(|| instance(seen, key, reservation))
        });
        own.collect()
    }
}

/// Whose a task is.
enum Owner {
    /// This deployment's, or nobody knows: it is to be shown.
    Own(Option<InstanceKey>),
    /// Somebody else's: what it holds is counted.
    Other,
}

/// Sorts tasks, and services if they were listed, into members; what belongs to others is added to what they hold of
/// their nodes.
pub(super) fn members(
    deployment: &Deployment,
    services: Option<Vec<ListedService>>,
    tasks: Vec<ListedTask>,
    cluster: &mut Cluster,
) -> Members {
    let mut members = Members::default();
    let names: Option<HashMap<_, _>> = services.as_ref().map(|services| {
        let named = |service: &ListedService| (service.id.clone(), service.spec.name.clone());
        services.iter().map(named).collect()
    });
    let mut by_service: BTreeMap<String, Vec<ListedTask>> = BTreeMap::new();
    for task in tasks {
        by_service
            .entry(task.service.clone())
            .or_default()
            .push(task);
    }
    for (service, tasks) in by_service {
        for task in &tasks {
            if counts_as_other(deployment, task) {
                cluster.hold(&task.node, reserved(task));
            }
        }
        let stopped = tasks.iter().any(is_replacement);
        let Some(task) = decisive(tasks) else {
            continue;
        };
        let Owner::Own(key) = owner(deployment, &task) else {
            continue;
        };
        let name = match names.as_ref().and_then(|names| names.get(&service)) {
            Some(name) => name.clone(),
            // Without the list of services its name is not known; with it, it is not there any more.
            None => key.map_or_else(String::new, |key| names::instance_name(deployment, &key)),
        };
        if let Some(container) = task.container() {
            let container = container.to_owned();
            members.containers.insert(service.clone(), container);
        }
        members
            .seen
            .push(container(service, name, &task, stopped, cluster));
    }
    let known: Vec<_> = members.seen.iter().map(|seen| seen.id.clone()).collect();
    let unmade = services.into_iter().flatten();
    let unmade = unmade.filter(|service| !known.contains(&service.id));
    members.seen.extend(unmade.map(without_task));
    members
}

/// Of a service's tasks the one that is the member: the newest that was not made to stop it. Those that Swarm is told to
/// remove are gone as far as zoe is concerned: on a node that is down they stand in the list until it is back.
pub(super) fn decisive(tasks: Vec<ListedTask>) -> Option<ListedTask> {
    tasks
        .into_iter()
        .filter(|task| !task.is_going())
        .max_by_key(|task| (!is_replacement(task), task.created_at()))
}

fn is_replacement(task: &ListedTask) -> bool {
    let constraints = &task.spec.placement.constraints;
    constraints.iter().any(|constraint| constraint == STOPPED)
}

fn owner(deployment: &Deployment, task: &ListedTask) -> Owner {
    match labels::decode(&task.spec.container_spec.labels) {
        Some(Ok((own, Decoded::Instance { key, .. }))) if own == *deployment => {
            Owner::Own(Some(key))
        }
        Some(Ok((own, _))) if own != *deployment => Owner::Other,
        Some(_) => Owner::Own(None),
        None => Owner::Other,
    }
}

/// Whether what the task holds is to be counted as others': whoever sees it as a member counts it there.
fn counts_as_other(deployment: &Deployment, task: &ListedTask) -> bool {
    let shown = matches!(owner(deployment, task), Owner::Own(Some(_))) && !task.is_going();
    !shown && !task.is_over() && !task.node.is_empty()
}

fn reserved(task: &ListedTask) -> Resources {
    let reserved = &task.spec.resources.reservations;
    amounts(reserved.nanos, reserved.memory)
}

fn container(
    id: String,
    name: String,
    task: &ListedTask,
    stopped: bool,
    cluster: &Cluster,
) -> SeenContainer {
    let node = cluster.node(&task.node);
    let state = state(task, stopped, cluster);
    let changed_at = task.changed_at();
    let ended = matches!(state, InstanceState::Exited { .. });
    SeenContainer {
        id,
        name,
        labels: task.spec.container_spec.labels.clone(),
        node: node.map(|node| node.name.clone()).unwrap_or_default(),
        note: note(task, state),
        created_at: task.created_at(),
        // Of a task that has ended Swarm does not tell when it began.
        started_at: changed_at.filter(|_| state == InstanceState::Running),
        finished_at: changed_at.filter(|_| ended),
        out_of_memory: false,
        address: address(task),
        ports: ports(task, host_of(node)),
        state,
    }
}

/// A service that has no task (yet).
fn without_task(service: ListedService) -> SeenContainer {
    SeenContainer {
        created_at: service.created_at(),
        id: service.id,
        name: service.spec.name,
        labels: service.spec.labels,
        node: String::new(),
        state: InstanceState::Created,
        note: None,
        started_at: None,
        finished_at: None,
        out_of_memory: false,
        address: None,
        ports: Vec::new(),
    }
}

/// What a task is doing. A node that is down can't report: what it said last is not what is.
///
/// Measured on 20.10: when a node is declared down, its tasks keep the state `running` and get the desired state
/// `shutdown`, also with restart condition `none`; so they are ended when it comes back, and are `shutdown` then, with the
/// code of the signal. A node that is back before it is declared down goes on with them. An Engine that restarts ends its
/// containers, which fail with the code of the signal.
fn state(task: &ListedTask, stopped: bool, cluster: &Cluster) -> InstanceState {
    let status = task.status.container_status.as_ref();
    let exited = InstanceState::Exited {
        code: status.map_or(0, |status| status.exit_code),
    };
    let ran = task.container().is_some();
    match task.status.state.as_str() {
        "running" if cluster.is_silent(&task.node) => InstanceState::Lost {
            since: cluster.silent_since(&task.node),
        },
        "running" => InstanceState::Running,
        "complete" => exited,
        "shutdown" if ran && stopped => exited,
        // Not by zoe: its node was given up and is back, or is being drained.
        "shutdown" if ran => InstanceState::Lost {
            since: task.changed_at(),
        },
        "failed" if ran && task.status.err.starts_with(EXITED) => exited,
        // Its container is gone: somebody removed it, or its node's Engine lost it.
        "failed" if ran && task.status.err.contains("No such container") => InstanceState::Lost {
            since: task.changed_at(),
        },
        // Zoe ended it, and its node stumbled over something beside it: of two members that end there at once, one finds
        // the network removed by the other.
        "failed" if ran && stopped && !task.status.err.starts_with(NOT_STARTED) => exited,
        "failed" | "rejected" => InstanceState::Rejected,
        // One that was stopped before it began is "shutdown".
        "new" | "allocated" | "pending" | "assigned" | "accepted" | "preparing" | "ready"
        | "starting" | "shutdown" => InstanceState::Created,
        // Its node has left the Swarm.
        "orphaned" => InstanceState::Lost {
            since: task.changed_at(),
        },
        _ => InstanceState::Other,
    }
}

/// Swarm's own words, where there is something to be said.
fn note(task: &ListedTask, state: InstanceState) -> Option<String> {
    let status = &task.status;
    let words = [&status.err, &status.message]
        .into_iter()
        .find(|words| !words.is_empty());
    match state {
        InstanceState::Running | InstanceState::Exited { .. } => None,
        InstanceState::Lost { .. } if status.state == "shutdown" => {
            Some("its Swarm has ended it, as its node was silent or is drained".to_owned())
        }
        InstanceState::Lost { .. } => Some("its node does not answer".to_owned()),
        InstanceState::Created | InstanceState::Rejected | InstanceState::Other => words.cloned(),
    }
}

/// Whether Swarm finds no node for it.
pub(super) fn is_unplaced(task: &ListedTask) -> bool {
    task.status.err.starts_with(UNPLACED)
}

fn address(task: &ListedTask) -> Option<IpAddr> {
    let mut addresses = task
        .networks_attachments
        .iter()
        .flat_map(|attachment| &attachment.addresses);
    addresses.find_map(|address| address.split('/').next()?.parse().ok())
}

/// The published ports. Swarm lists each twice, first as it is on the node's IPv4 addresses and then on its IPv6 ones,
/// which may be another number.
fn ports(task: &ListedTask, host: IpAddr) -> Vec<PublishedPort> {
    let mut ports: BTreeMap<u16, PublishedPort> = BTreeMap::new();
    for port in &task.status.port_status.ports {
        let published = PublishedPort {
            container: port.target_port,
            host,
            public: port.published_port,
        };
        if port.published_port != 0 && (host.is_ipv6() || !ports.contains_key(&port.target_port)) {
            ports.insert(port.target_port, published);
        }
    }
    ports.into_values().collect()
}

#[cfg(test)]
mod tests;
