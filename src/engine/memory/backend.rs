//! The backend's steps on executions.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{
    ContainerRow, Fault, MemoryBackend, NetworkRow, World, gone_is_fine, refused, seen,
    seen_containers, seen_images, seen_networks, seen_nodes, streams,
};
use crate::engine::assemble::{self, Seen};
use crate::engine::{
    Backend, BoxStream, EngineError, ExecRequest, ExecSession, LogChunk, LogRange, Result, Scope,
    Submitted, Usage, names, private,
};
use crate::labels::{self, Decoded, Labels};
use crate::model::{
    Bytes, Deployment, Execution, ExecutionId, InstanceKey, InstanceSpec, InstanceState, Launch,
    Mark, Orphan, OrphanKind, Private, Snapshot, Ticket,
};

/// How often what waits looks again.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

fn map(labels: Labels) -> HashMap<String, String> {
    labels.into_iter().collect()
}

fn gone(what: impl Into<String>) -> EngineError {
    EngineError::Gone { what: what.into() }
}

impl MemoryBackend {
    /// What a container says it is, if it is this deployment's.
    fn decode(&self, labels: &HashMap<String, String>) -> Option<Decoded> {
        let (deployment, decoded) = labels::decode(labels)?.ok()?;
        (deployment == self.deployment).then_some(decoded)
    }

    /// The execution's ticket: its container's id, its row and its mark.
    fn ticket<'w>(
        &self,
        world: &'w World,
        id: ExecutionId,
    ) -> Option<(&'w String, &'w ContainerRow, Option<Mark>)> {
        let tickets = world.containers.iter().filter_map(|(docker_id, row)| {
            let mark = names::parse_mark(&row.name, &self.deployment, id);
            match self.decode(&row.labels)? {
                Decoded::Ticket(ticket) if ticket.id == id => Some((docker_id, row, mark)),
                Decoded::Ticket(_)
                | Decoded::Instance { .. }
                | Decoded::Network { .. }
                | Decoded::Image
                | Decoded::Builder => None,
            }
        });
        tickets.min_by_key(|(_, row, mark)| assemble::ticket_rank(*mark, row.created_at))
    }

    /// Ids and names of the containers that say they are the execution's members.
    fn members(
        &self,
        world: &World,
        id: ExecutionId,
        running: Option<Timestamp>,
    ) -> Vec<(String, String)> {
        let mine = |row: &ContainerRow| matches!(self.decode(&row.labels), Some(Decoded::Instance { key, .. }) if key.execution == id);
        let members = world.containers.iter().filter(|(_, row)| mine(row));
        members
            .filter(|(_, row)| running.is_none_or(|now| row.runs(now)))
            .map(|(docker_id, row)| (docker_id.clone(), row.name.clone()))
            .collect()
    }

    fn make_network(&self, execution: ExecutionId) -> Result<()> {
        let name = names::network_name(&self.deployment, execution);
        let row = NetworkRow {
            name: name.clone(),
            labels: map(labels::network(&self.deployment, execution)),
        };
        let call = format!("create network {name}");
        match self.step(&call, |world, _| world.create_network(row))? {
            Ok(_) => Ok(()),
            Err(Fault::NameTaken(id)) => {
                let found = self.look(&format!("inspect network {name}"), |world, _| {
                    world
                        .networks
                        .get(&id)
                        .and_then(|row| self.decode(&row.labels))
                })?;
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
    fn make_instance(&self, spec: &InstanceSpec) -> Result<(String, bool)> {
        let name = names::instance_name(&self.deployment, &spec.key);
        let call = format!("create container {name}");
        let made = self.step(&call, |world, now| {
            world.create_container(self.row(&name, spec, now), &spec.image)
        })?;
        match made {
            Ok(id) => Ok((id, true)),
            Err(Fault::NameTaken(id)) => {
                let found = self.look(&format!("inspect container {name}"), |world, now| {
                    let row = world.containers.get(&id)?;
                    Some((self.decode(&row.labels), row.state(now)))
                })?;
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

    fn start_instance(&self, spec: &InstanceSpec) -> Result<()> {
        let (id, fresh) = self.make_instance(spec)?;
        if !fresh {
            return Ok(());
        }
        let name = names::instance_name(&self.deployment, &spec.key);
        if !spec.secrets.is_empty() {
            let files = spec.secrets.iter();
            let files = files
                .map(|(name, value)| (format!("/run/secrets/{name}"), value.reveal().to_owned()));
            let call = format!("put secrets {name}");
            self.step(&call, |world, _| world.put_files(&id, files))?
                .map_err(|fault| refused(&call, fault))?;
        }
        let call = format!("start container {name}");
        self.step(&call, |world, now| world.start_container(&id, now))?
            .map_err(|fault| refused(&call, fault))
    }

    fn remove_container(&self, id: &str, name: &str) -> Result<()> {
        let call = format!("remove container {name}");
        self.step(&call, |world, _| gone_is_fine(world.remove_container(id)))?
            .map_err(|fault| refused(&call, fault))
    }

    fn remove_network(&self, id: &str, name: &str) -> Result<()> {
        let call = format!("remove network {name}");
        self.step(&call, |world, now| {
            gone_is_fine(world.remove_network(id, now))
        })?
        .map_err(|fault| refused(&call, fault))
    }

    /// The container of an instance.
    pub(super) fn find(&self, world: &World, key: &InstanceKey) -> Result<ContainerRow> {
        let name = names::instance_name(&self.deployment, key);
        let found = world.container(&name).map(|(_, row)| row.clone());
        found.ok_or_else(|| gone(format!("container {name}")))
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn describe(&self) -> Result<String> {
        self.look("version", |_, _| ())?;
        Ok(format!("memory in {}", self.place))
    }

    async fn observe(&self, scope: Scope) -> Result<Snapshot> {
        let mut all = Seen::default();
        if scope == Scope::Everything {
            all.nodes = self.look("info", seen_nodes)?;
            all.images = self.look("list images", seen_images)?;
            all.networks = self.look("list networks", seen_networks)?;
        }
        all.containers = self.look("list containers", seen_containers)?;
        Ok(assemble::assemble(&self.deployment, Timestamp::now(), all))
    }

    async fn submit(&self, ticket: &Ticket, private: &Private) -> Result<Submitted> {
        let image = names::ticket_image(ticket).unwrap_or_default();
        let call = format!("create ticket {}", names::ticket_name(ticket));
        let made = self.step(&call, |world, now| {
            let row = ContainerRow {
                labels: map(labels::ticket(ticket)),
                env: private::to_env(private),
                ..ContainerRow::new(names::ticket_name(ticket), "", now)
            };
            world.create_container(row, &image)
        })?;
        match made {
            Ok(_) => Ok(Submitted::Created),
            Err(Fault::NameTaken(_)) => Ok(Submitted::Taken),
            Err(fault) => Err(refused(&call, fault)),
        }
    }

    async fn private(&self, execution: ExecutionId) -> Result<Private> {
        let env = self.look("inspect ticket", |world, _| {
            self.ticket(world, execution)
                .map(|(_, row, _)| row.env.clone())
        })?;
        env.map(private::from_env)
            .ok_or_else(|| gone(format!("execution {execution}")))
    }

    async fn mark(&self, execution: &Execution, mark: Mark) -> Result<()> {
        let id = execution.ticket.id;
        let found = self.look("inspect ticket", |world, _| {
            let (docker_id, _, mark) = self.ticket(world, id)?;
            Some((docker_id.clone(), mark))
        })?;
        match found {
            None => Err(gone(format!("execution {id}"))),
            Some((_, Some(_))) => Ok(()),
            Some((docker_id, None)) => {
                let name = names::marked_name(&self.deployment, id, mark);
                let call = format!("rename ticket to {name}");
                let renamed = self.step(&call, |world, _| {
                    // Somebody else may have marked it since it was looked at.
                    match self.ticket(world, id) {
                        Some((_, _, Some(_))) => Ok(()),
                        _ => world.rename_container(&docker_id, &name),
                    }
                })?;
                renamed.map_err(|fault| refused(&call, fault))
            }
        }
    }

    async fn start(&self, launch: &Launch) -> Result<()> {
        self.make_network(launch.execution)?;
        for spec in &launch.instances {
            self.start_instance(spec)?;
        }
        Ok(())
    }

    async fn stop(&self, execution: &Execution, _grace: SignedDuration) -> Result<()> {
        let id = execution.ticket.id;
        let running = self.look("list containers", |world, now| {
            self.members(world, id, Some(now))
        })?;
        for (docker_id, name) in running {
            let call = format!("stop container {name}");
            self.step(&call, |world, now| {
                gone_is_fine(world.stop_container(&docker_id, now))
            })?
            .map_err(|fault| refused(&call, fault))?;
        }
        Ok(())
    }

    async fn remove(&self, execution: &Execution) -> Result<()> {
        let id = execution.ticket.id;
        let members = self.look("list containers", |world, _| self.members(world, id, None))?;
        for (docker_id, name) in members {
            self.remove_container(&docker_id, &name)?;
        }
        let own = |labels: &HashMap<String, String>| {
            let decoded = self.decode(labels);
            matches!(decoded, Some(Decoded::Network { execution }) if execution == id)
        };
        let networks = self.look("list networks", |world, _| {
            let own = world.networks.iter().filter(|(_, row)| own(&row.labels));
            own.map(|(id, row)| (id.clone(), row.name.clone()))
                .collect::<Vec<_>>()
        })?;
        for (docker_id, name) in networks {
            self.remove_network(&docker_id, &name)?;
        }
        Ok(())
    }

    async fn remove_ticket(&self, execution: &Execution) -> Result<()> {
        let id = execution.ticket.id;
        let ticket = self.look("inspect ticket", |world, _| {
            let (docker_id, row, _) = self.ticket(world, id)?;
            Some((docker_id.clone(), row.name.clone()))
        })?;
        match ticket {
            None => Ok(()),
            Some((docker_id, name)) => {
                let call = format!("remove ticket {name}");
                self.step(&call, |world, _| {
                    gone_is_fine(world.remove_container(&docker_id))
                })?
                .map_err(|fault| refused(&call, fault))
            }
        }
    }

    async fn sweep(&self, orphan: &Orphan) -> Result<()> {
        match orphan.kind {
            OrphanKind::Instance | OrphanKind::Builder => {
                self.remove_container(&orphan.docker_id, &orphan.name)
            }
            OrphanKind::Network => self.remove_network(&orphan.docker_id, &orphan.name),
        }
    }

    async fn wait(&self, instance: &InstanceKey) -> Result<i64> {
        self.look("wait container", |_, _| ())?;
        loop {
            let (row, now) = self.glance(|world, now| (self.find(world, instance), now))?;
            if let Some((_, code)) = row?.end(now) {
                return Ok(code);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn inspect(&self, execution: &Execution) -> Result<Execution> {
        let id = execution.ticket.id;
        let all = self.look("inspect containers", seen)?;
        let mut snapshot = assemble::assemble(&self.deployment, Timestamp::now(), all);
        snapshot
            .executions
            .remove(&id)
            .ok_or_else(|| gone(format!("execution {id}")))
    }

    async fn logs(
        &self,
        instance: &InstanceKey,
        range: LogRange,
    ) -> Result<BoxStream<'static, Result<LogChunk>>> {
        self.look("container logs", |world, _| self.find(world, instance))??;
        Ok(streams::logs(self.clone(), instance.clone(), range))
    }

    async fn usage(&self, instance: &InstanceKey) -> Result<Usage> {
        self.look("container stats", |world, now| {
            let row = self.find(world, instance)?;
            let since = row.started_at.filter(|_| row.runs(now));
            // Made up: it uses all of its processor and half of its memory while it runs.
            let wall = since.map_or(SignedDuration::ZERO, |at| now.duration_since(at));
            let cpu_nanos = wall.as_nanos().saturating_mul(i128::from(row.millicores)) / 1000;
            Ok(Usage {
                cpu_time: SignedDuration::from_nanos_i128(cpu_nanos),
                cpu_before: since.map(|_| (SignedDuration::ZERO, wall)),
                memory: Bytes::new(if since.is_some() { row.memory / 2 } else { 0 }),
                memory_limit: Bytes::new(row.memory),
                network: (0, 0),
                processes: u64::from(since.is_some()),
            })
        })?
    }

    async fn exec(&self, instance: &InstanceKey, request: &ExecRequest) -> Result<ExecSession> {
        let row = self.look("exec", |world, now| {
            let row = self.find(world, instance)?;
            if row.runs(now) {
                Ok(row)
            } else {
                Err(EngineError::Refused {
                    what: format!("exec in {}", row.name),
                    why: "it does not run".to_owned(),
                })
            }
        })??;
        Ok(streams::exec(&row, request))
    }

    async fn exec_exit_code(&self, session: &str) -> Result<i64> {
        self.look("inspect exec", |_, _| ())?;
        streams::exec_code(session).ok_or_else(|| gone(format!("exec {session}")))
    }

    async fn exec_resize(&self, session: &str, _columns: u16, _rows: u16) -> Result<()> {
        self.look("resize exec", |_, _| ())?;
        let known = streams::exec_code(session).map(|_| ());
        known.ok_or_else(|| gone(format!("exec {session}")))
    }

    async fn changes(&self) -> Result<BoxStream<'static, ()>> {
        self.look("events", |_, _| ())?;
        Ok(streams::changes(self.clone()))
    }

    fn deployment(&self) -> &Deployment {
        &self.deployment
    }
}
