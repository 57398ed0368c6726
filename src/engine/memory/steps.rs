//! The single steps that the backend's effects are made of.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{ContainerRow, Fault, MemoryBackend, NetworkRow, World, gone_is_fine, refused};
use crate::engine::{EngineError, Result, assemble, names};
use crate::labels::{self, Decoded, Labels};
use crate::model::{Execution, ExecutionId, InstanceKey, InstanceSpec, InstanceState, Mark};

pub(super) fn map(labels: Labels) -> HashMap<String, String> {
    labels.into_iter().collect()
}

pub(super) fn gone(what: impl Into<String>) -> EngineError {
    EngineError::Gone { what: what.into() }
}

/// Whether a container may be the execution's: all of its labels tell.
fn says_it_is_of(row: &ContainerRow, id: ExecutionId) -> bool {
    let of = row.labels.get(labels::EXECUTION);
    of.is_some_and(|of| of == id.as_str())
}

impl MemoryBackend {
    /// What a container says it is, if it is this deployment's.
    pub(super) fn decode(&self, labels: &HashMap<String, String>) -> Option<Decoded> {
        let (deployment, decoded) = labels::decode(labels)?.ok()?;
        (deployment == self.deployment).then_some(decoded)
    }

    /// The containers that are the execution's ticket, with their marks: the one that counts first.
    pub(super) fn tickets<'w>(
        &self,
        world: &'w World,
        id: ExecutionId,
    ) -> Vec<(&'w String, &'w ContainerRow, Option<Mark>)> {
        let tickets = world.containers.iter().filter(|(_, row)| {
            if !says_it_is_of(row, id) {
                return false;
            }
            let decoded = self.decode(&row.labels);
            matches!(decoded, Some(Decoded::Ticket(ticket)) if ticket.id == id)
        });
        let mut tickets: Vec<_> = tickets
            .map(|(docker_id, row)| {
                (
                    docker_id,
                    row,
                    names::parse_mark(&row.name, &self.deployment, id),
                )
            })
            .collect();
        tickets.sort_by_key(|(docker_id, row, mark)| {
            (
                assemble::ticket_rank(
                    *mark,
                    names::may_be_ticket(&row.name, &self.deployment, id),
                    row.created_at,
                ),
                *docker_id,
            )
        });
        tickets
    }

    /// The container that is the execution's ticket.
    pub(super) fn ticket<'w>(
        &self,
        world: &'w World,
        id: ExecutionId,
    ) -> Option<(&'w String, &'w ContainerRow, Option<Mark>)> {
        self.tickets(world, id).into_iter().next()
    }

    /// The containers that say they are the execution's members, the monitor's last: an interrupted removal must still
    /// show that it has ended.
    pub(super) fn members(
        &self,
        world: &World,
        execution: &Execution,
    ) -> Vec<(String, ContainerRow)> {
        let id = execution.ticket.id;
        let monitor = execution.ticket.application.monitor.as_ref();
        let of_it = world.containers.iter();
        let of_it = of_it.filter(|(_, row)| says_it_is_of(row, id));
        let members = of_it.filter_map(|(docker_id, row)| match self.decode(&row.labels)? {
            Decoded::Instance { key, .. } if key.execution == id => Some((
                Some(&key.component) == monitor,
                (docker_id.clone(), row.clone()),
            )),
            Decoded::Ticket(_)
            | Decoded::Instance { .. }
            | Decoded::Network { .. }
            | Decoded::Image
            | Decoded::Secret { .. }
            | Decoded::Builder => None,
        });
        let mut members: Vec<_> = members.collect();
        members.sort_by_key(|(is_monitor, _)| *is_monitor);
        members.into_iter().map(|(_, member)| member).collect()
    }

    pub(super) async fn make_network(&self, execution: ExecutionId) -> Result<()> {
        let name = names::network_name(&self.deployment, execution);
        let row = NetworkRow {
            name: name.clone(),
            labels: map(labels::network(&self.deployment, execution)),
        };
        let call = format!("create network {name}");
        match self
            .step(&call, |world, _| world.create_network(row))
            .await?
        {
            Ok(_) => Ok(()),
            Err(Fault::NameTaken(id)) => {
                let found = self
                    .look(&format!("inspect network {name}"), |world, _| {
                        world
                            .networks
                            .get(&id)
                            .and_then(|row| self.decode(&row.labels))
                    })
                    .await?;
                match found {
                    Some(Decoded::Network { execution: other }) if other == execution => Ok(()),
                    _ => Err(EngineError::Conflict {
                        what: format!("network {name}"),
                        why: "it is not this execution's".to_owned(),
                    }),
                }
            }
            Err(fault) => Err(refused(&call, fault)),
        }
    }

    /// Makes the container, or finds the one that is there. Returns its id and whether it is still to be started.
    async fn make_container(&self, spec: &InstanceSpec) -> Result<(String, bool)> {
        let name = names::instance_name(&self.deployment, &spec.key);
        let call = format!("create container {name}");
        let made = self
            .step(&call, |world, now| {
                world.create_container(self.row(&name, spec, now), &spec.image)
            })
            .await?;
        match made {
            Ok(id) => Ok((id, true)),
            Err(Fault::NameTaken(id)) => {
                let found = self
                    .look(&format!("inspect container {name}"), |world, now| {
                        let row = world.containers.get(&id)?;
                        Some((self.decode(&row.labels), row.state(now)))
                    })
                    .await?;
                match found {
                    Some((Some(Decoded::Instance { key, .. }), state)) if key == spec.key => {
                        Ok((id, state == InstanceState::Created))
                    }
                    Some(_) => Err(EngineError::Conflict {
                        what: format!("container {name}"),
                        why: "it is not this execution's".to_owned(),
                    }),
                    None => Err(gone(format!("container {name}"))),
                }
            }
            Err(fault) => Err(refused(&call, fault)),
        }
    }

    fn row(&self, name: &str, spec: &InstanceSpec, now: Timestamp) -> ContainerRow {
        let env = spec.env.iter();
        ContainerRow {
            node: spec.node.clone(),
            command: spec.command.clone(),
            labels: map(labels::instance(
                &self.deployment,
                &spec.key,
                spec.reservation,
            )),
            env: env
                .map(|(name, value)| format!("{name}={}", value.reveal()))
                .collect(),
            network: Some(names::network_name(&self.deployment, spec.key.execution)),
            aliases: spec.aliases.clone(),
            ports: spec.publish.iter().map(|port| (*port, 0)).collect(),
            millicores: spec.reservation.cores.millis(),
            memory: spec.reservation.memory.get(),
            ..ContainerRow::new(name, "", now)
        }
    }

    /// Makes the instance with its secrets. Returns its id if it is to be started; one that ran already is left as it
    /// is, since starting it again would do its work twice.
    pub(super) async fn make_instance(&self, spec: &InstanceSpec) -> Result<Option<String>> {
        let (id, fresh) = self.make_container(spec).await?;
        if fresh && !spec.secrets.is_empty() {
            let files = spec.secrets.iter();
            let files = files
                .map(|(name, value)| (format!("/run/secrets/{name}"), value.reveal().to_owned()));
            let call = format!(
                "put secrets {}",
                names::instance_name(&self.deployment, &spec.key)
            );
            self.step(&call, |world, _| world.put_files(&id, files))
                .await?
                .map_err(|fault| refused(&call, fault))?;
        }
        Ok(fresh.then_some(id))
    }

    pub(super) async fn remove_container(&self, id: &str, name: &str) -> Result<()> {
        let call = format!("remove container {name}");
        self.step(&call, |world, _| gone_is_fine(world.remove_container(id)))
            .await?
            .map_err(|fault| refused(&call, fault))
    }

    pub(super) async fn remove_network(&self, id: &str, name: &str) -> Result<()> {
        let call = format!("remove network {name}");
        self.step(&call, |world, now| {
            gone_is_fine(world.remove_network(id, now))
        })
        .await?
        .map_err(|fault| refused(&call, fault))
    }

    /// The container of an instance.
    pub(super) fn find(&self, world: &World, key: &InstanceKey) -> Result<ContainerRow> {
        let name = names::instance_name(&self.deployment, key);
        let found = world.container(&name).map(|(_, row)| row.clone());
        found.ok_or_else(|| gone(format!("container {name}")))
    }
}
