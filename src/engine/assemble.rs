//! Makes a snapshot of what Docker listed: which objects belong together, which to nobody, which can't be read.
//!
//! Pure, and the same for every backend. Whoever lists must do so in an order that can't invent orphans: what belongs to
//! tickets *before* the tickets. A ticket is made before anything else of its execution and removed after it, so what
//! is in an older list than the tickets and has none there really has none.

mod seen;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use super::names;
use crate::labels::{self, Decoded};
use crate::model::{
    Anomaly, Deployment, Execution, ExecutionId, Instance, InstanceKey, InstanceState, JobImage,
    Mark, Orphan, OrphanKind, Resources, Snapshot, Ticket,
};
pub use seen::{Seen, SeenContainer, SeenImage, SeenNetwork};

/// A ticket and the container that is it.
struct Found {
    ticket: Ticket,
    mark: Option<Mark>,
    container: SeenContainer,
}

struct Sorter<'a> {
    deployment: &'a Deployment,
    snapshot: Snapshot,
    tickets: BTreeMap<ExecutionId, Vec<Found>>,
    instances: Vec<(SeenContainer, InstanceKey, Resources)>,
    /// What containers that can't be read say of the execution they belong to. One of them may be its ticket.
    unreadable: HashSet<String>,
    in_swarm: bool,
}

/// Sorts what was listed into executions, orphans and what can't be read.
pub fn assemble(deployment: &Deployment, taken_at: Timestamp, seen: Seen) -> Snapshot {
    let mut snapshot = Snapshot::empty(taken_at);
    snapshot.nodes = seen.nodes;
    snapshot.gaps = seen.gaps;
    let mut sorter = Sorter {
        deployment,
        snapshot,
        tickets: BTreeMap::new(),
        instances: Vec::new(),
        unreadable: HashSet::new(),
        in_swarm: seen.in_swarm,
    };
    for container in seen.containers {
        sorter.container(container);
    }
    sorter.settle_tickets();
    sorter.settle_instances();
    for secret in &seen.secrets {
        sorter.belonging(OrphanKind::Secret, secret);
    }
    for network in &seen.networks {
        sorter.belonging(OrphanKind::Network, network);
    }
    for image in &seen.images {
        sorter.image(image);
    }
    sorter.snapshot
}

/// Which of several containers that all are the ticket of one execution counts: one that is marked, then one that is
/// called as zoe calls it (`named`; Docker lists whole seconds: a copy may be as old), then the oldest. The less, the better.
pub fn ticket_rank(
    mark: Option<Mark>,
    named: bool,
    created_at: Timestamp,
) -> (Reverse<bool>, Reverse<bool>, Timestamp) {
    (Reverse(mark.is_some()), Reverse(named), created_at)
}

/// `container 0a1b2c3d4e5f (name)`: how an object is named to people.
fn describe(kind: &str, id: &str, name: &str) -> String {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    let short = id.get(..12).unwrap_or(id);
    format!("{kind} {short} ({})", names::plain(name))
}

impl Sorter<'_> {
    fn anomaly(&mut self, object: String, problem: &str) {
        // Of several things that are wrong each has a line of its own.
        let problem = problem.replace('\n', "; ");
        self.snapshot.anomalies.push(Anomaly { object, problem });
    }

    fn of_another_kind(&mut self, object: String) {
        self.anomaly(object, "its labels are those of another kind of object");
    }

    /// What Docker calls the object with these labels.
    fn noun(&self, labels: &HashMap<String, String>) -> &'static str {
        match labels.get(labels::KIND).map(String::as_str) {
            Some(labels::KIND_TICKET) if self.in_swarm => "config",
            Some(labels::KIND_BUILDER) => "container",
            _ if self.in_swarm => "service",
            _ => "container",
        }
    }

    fn orphan(&mut self, kind: OrphanKind, id: String, name: &str, execution: Option<ExecutionId>) {
        self.snapshot.orphans.push(Orphan {
            kind,
            docker_id: id,
            name: names::plain(name).to_owned(),
            execution,
        });
    }

    /// What an object says it is, and whether it is of this deployment. What can't be read and is not another
    /// deployment's is reported.
    fn decode(
        &mut self,
        object: impl Fn() -> String,
        all: &HashMap<String, String>,
    ) -> Option<(bool, Decoded)> {
        match labels::decode(all)? {
            Ok((deployment, decoded)) => Some((deployment == *self.deployment, decoded)),
            Err(error) => {
                let foreign = all
                    .get(labels::DEPLOYMENT)
                    .and_then(|text| text.parse::<Deployment>().ok())
                    .is_some_and(|deployment| deployment != *self.deployment);
                if !foreign {
                    self.anomaly(object(), &error.to_string());
                }
                None
            }
        }
    }

    fn container(&mut self, container: SeenContainer) {
        let noun = self.noun(&container.labels);
        let object = || describe(noun, &container.id, &container.name);
        let anomalies = self.snapshot.anomalies.len();
        let Some((own, decoded)) = self.decode(object, &container.labels) else {
            if self.snapshot.anomalies.len() > anomalies {
                let execution = container.labels.get(labels::EXECUTION).cloned();
                self.unreadable.extend(execution);
            }
            return;
        };
        match decoded {
            Decoded::Instance { key, reservation } if own => {
                self.instances.push((container, key, reservation));
            }
            Decoded::Instance { reservation, .. } => self.others(&container, reservation),
            _ if !own => {}
            Decoded::Ticket(ticket) => {
                let mark = names::parse_mark(&container.name, self.deployment, ticket.id)
                    .or_else(|| labels::mark(&container.labels).ok().flatten());
                self.tickets.entry(ticket.id).or_default().push(Found {
                    ticket: *ticket,
                    mark,
                    container,
                });
            }
            Decoded::Builder => {
                self.orphan(OrphanKind::Builder, container.id, &container.name, None);
            }
            Decoded::Network { .. } | Decoded::Secret { .. } | Decoded::Image => {
                self.of_another_kind(object());
            }
        }
    }

    /// Counts what another deployment's instance holds of its node.
    fn others(&mut self, container: &SeenContainer, reservation: Resources) {
        if matches!(container.state, InstanceState::Exited { .. }) {
            return;
        }
        let node = self
            .snapshot
            .nodes
            .iter_mut()
            .find(|node| node.name == container.node);
        if let Some(node) = node {
            node.others += reservation;
        }
    }

    fn settle_tickets(&mut self) {
        for (id, mut found) in std::mem::take(&mut self.tickets) {
            found.sort_by_key(|f| {
                let named = names::may_be_ticket(&f.container.name, self.deployment, id);
                let rank = ticket_rank(f.mark, named, f.container.created_at);
                (rank, f.container.id.clone())
            });
            let mut found = found.into_iter();
            let Some(first) = found.next() else { continue };
            for other in found {
                let noun = self.noun(&other.container.labels);
                self.anomaly(
                    describe(noun, &other.container.id, &other.container.name),
                    &format!("it is a second ticket of execution {id}"),
                );
            }
            self.snapshot.executions.insert(
                id,
                Execution {
                    ticket: first.ticket,
                    mark: first.mark,
                    instances: Vec::new(),
                },
            );
        }
    }

    fn settle_instances(&mut self) {
        for (container, key, reservation) in std::mem::take(&mut self.instances) {
            let Some(execution) = self.snapshot.executions.get_mut(&key.execution) else {
                // Perhaps a newer zoe's, and at work: whose ticket can't be read is not nobody's.
                if self.unreadable.contains(key.execution.as_str()) {
                    self.others(&container, reservation);
                    continue;
                }
                let execution = Some(key.execution);
                self.orphan(
                    OrphanKind::Instance,
                    container.id,
                    &container.name,
                    execution,
                );
                continue;
            };
            let name = names::instance_name(self.deployment, &key);
            let noun = if self.in_swarm {
                "service"
            } else {
                "container"
            };
            let twin = execution.instances.iter_mut().find(|i| i.key == key);
            let genuine = names::plain(&container.name) == name;
            let object = match twin {
                None => {
                    execution
                        .instances
                        .push(instance(container, key, reservation));
                    continue;
                }
                // Somebody copied the labels: the one with the right name is zoe's.
                Some(twin) if genuine => {
                    let copy = std::mem::replace(twin, instance(container, key, reservation));
                    describe(noun, &copy.container_id, "")
                }
                Some(_) => describe(noun, &container.id, &container.name),
            };
            self.anomaly(
                object,
                &format!("it says it is {name}, which another one is"),
            );
        }
        for execution in self.snapshot.executions.values_mut() {
            let components = &execution.ticket.application.components;
            let place = |key: &InstanceKey| components.iter().position(|c| c.name == key.component);
            execution
                .instances
                .sort_by_key(|i| (place(&i.key).unwrap_or(usize::MAX), i.key.index));
        }
    }

    /// A network or a secret.
    fn belonging(&mut self, kind: OrphanKind, seen: &SeenNetwork) {
        let noun = if kind == OrphanKind::Secret {
            "secret"
        } else {
            "network"
        };
        let object = || describe(noun, &seen.id, &seen.name);
        match (kind, self.decode(object, &seen.labels)) {
            (OrphanKind::Network, Some((true, Decoded::Network { execution })))
            | (OrphanKind::Secret, Some((true, Decoded::Secret { execution }))) => {
                let known = self.snapshot.executions.contains_key(&execution);
                if !known && !self.unreadable.contains(execution.as_str()) {
                    self.orphan(kind, seen.id.clone(), &seen.name, Some(execution));
                }
            }
            (_, Some((true, _))) => self.of_another_kind(object()),
            (_, Some((false, _)) | None) => {}
        }
    }

    fn image(&mut self, image: &SeenImage) {
        let name = image.tags.first().map_or("no tag", String::as_str);
        let object = || describe("image", &image.id, name);
        match self.decode(object, &image.labels) {
            Some((true, Decoded::Image)) => {
                let mut tags: Vec<_> = image
                    .tags
                    .iter()
                    .filter(|tag| names::is_job_tag(tag, self.deployment))
                    .collect();
                // One that lost its tag, to the same files made once more, is still to be removed.
                if image.tags.is_empty() {
                    tags.push(&image.id);
                }
                for tag in tags {
                    self.snapshot.job_images.push(JobImage {
                        docker_id: image.id.clone(),
                        tag: tag.clone(),
                    });
                }
            }
            Some((true, _)) => self.of_another_kind(object()),
            Some((false, _)) | None => {}
        }
    }
}

/// The container as the member that it is.
pub(in crate::engine) fn instance(
    container: SeenContainer,
    key: InstanceKey,
    reservation: Resources,
) -> Instance {
    Instance {
        key,
        container_id: container.id,
        node: container.node,
        state: container.state,
        note: container.note,
        created_at: container.created_at,
        started_at: container.started_at,
        finished_at: container.finished_at,
        out_of_memory: container.out_of_memory,
        address: container.address,
        ports: container.ports,
        reservation,
    }
}

#[cfg(test)]
mod tests;
