//! The backend's steps on executions.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::SignedDuration;

use super::seen::{gaps, seen, seen_containers, seen_images, seen_networks, seen_nodes, seen_use};
use super::steps::{gone, map};
use super::{ContainerRow, Fault, MemoryBackend, NodeState, World, gone_is_fine, refused, streams};
use crate::engine::assemble::{self, Seen};
use crate::engine::{
    Backend, BoxStream, EngineError, ExecRequest, ExecSession, LogChunk, LogRange, NodeUse, Result,
    Scope, Submitted, Usage, names, private,
};
use crate::labels::{self, Decoded};
use crate::model::{
    Bytes, Deployment, Execution, ExecutionId, InstanceKey, Launch, Mark, Orphan, OrphanKind,
    Private, Snapshot, Ticket,
};

#[async_trait]
impl Backend for MemoryBackend {
    async fn describe(&self) -> Result<String> {
        self.look("version", |_, _| ()).await?;
        Ok(format!("memory in {}", self.place))
    }

    async fn observe(&self, scope: Scope) -> Result<Snapshot> {
        // Nothing here ever waits, and who observes in a loop must still let others have their turn.
        tokio::task::yield_now().await;
        let mut all = Seen::default();
        if scope == Scope::Everything {
            all.nodes = self.look("info", seen_nodes).await?;
            all.images = self.look("list images", seen_images).await?;
            all.networks = self.look("list networks", seen_networks).await?;
        }
        let containers = |world: &World, now| (seen_containers(world, now), gaps(world));
        (all.containers, all.gaps) = self.look("list containers", containers).await?;
        Ok(assemble::assemble(&self.deployment, self.now(), all))
    }

    async fn submit(&self, ticket: &Ticket, private: &Private) -> Result<Submitted> {
        let there = |world: &World, _| self.ticket(world, ticket.id).is_some();
        // The id of a keyed execution that is ending is still in use, though its name is free.
        if ticket.key.is_some()
            && self
                .look(&format!("inspect ticket of {}", ticket.id), there)
                .await?
        {
            return Ok(Submitted::Taken);
        }
        let image = names::ticket_image(ticket).unwrap_or_default();
        let call = format!("create ticket {}", names::ticket_name(ticket));
        let made = self
            .step(&call, |world, now| {
                let row = ContainerRow {
                    labels: map(labels::ticket(ticket)),
                    env: private::to_env(private),
                    ..ContainerRow::new(names::ticket_name(ticket), "", now)
                };
                world.create_container(row, &image)
            })
            .await?;
        match made {
            Ok(_) => Ok(Submitted::Created),
            Err(Fault::NameTaken(_)) => Ok(Submitted::Taken),
            Err(fault) => Err(refused(&call, fault)),
        }
    }

    async fn private(&self, execution: ExecutionId) -> Result<Private> {
        let env = self
            .look(&format!("inspect ticket of {execution}"), |world, _| {
                self.ticket(world, execution)
                    .map(|(_, row, _)| row.env.clone())
            })
            .await?;
        env.map(private::from_env)
            .ok_or_else(|| gone(format!("execution {execution}")))
    }

    async fn mark(&self, execution: &Execution, mark: Mark) -> Result<()> {
        let id = execution.ticket.id;
        let found = self
            .look(&format!("inspect ticket of {id}"), |world, _| {
                let (docker_id, _, mark) = self.ticket(world, id)?;
                Some((docker_id.clone(), mark))
            })
            .await?;
        match found {
            None => Err(gone(format!("execution {id}"))),
            Some((_, Some(_))) => Ok(()),
            Some((docker_id, None)) => {
                let name = names::marked_name(&self.deployment, id, mark);
                let call = format!("rename ticket to {name}");
                let renamed = self
                    .step(&call, |world, _| {
                        // Somebody else may have marked it since it was looked at.
                        match self.ticket(world, id) {
                            Some((_, _, Some(_))) => Ok(()),
                            _ => world.rename_container(&docker_id, &name),
                        }
                    })
                    .await?;
                renamed.map_err(|fault| refused(&call, fault))
            }
        }
    }

    async fn start(&self, launch: &Launch) -> Result<()> {
        self.make_network(launch.execution).await?;
        // Nothing runs before everything exists: what can't be made must not have begun to work.
        let mut waiting = Vec::new();
        for spec in &launch.instances {
            waiting.extend(self.make_instance(spec).await?.map(|id| (id, spec)));
        }
        for (id, spec) in waiting {
            let name = names::instance_name(&self.deployment, &spec.key);
            let call = format!("start container {name}");
            self.step(&call, |world, now| world.start_container(&id, now))
                .await?
                .map_err(|fault| refused(&call, fault))?;
        }
        Ok(())
    }

    async fn stop(&self, execution: &Execution, grace: SignedDuration) -> Result<()> {
        let members = self
            .look(
                &format!("list containers of {}", execution.ticket.id),
                |world, now| {
                    let members = self.members(world, execution).into_iter();
                    members.filter(|(_, row)| row.runs(now)).collect::<Vec<_>>()
                },
            )
            .await?;
        if members.iter().any(|(_, row)| row.is_deaf()) {
            self.pause(grace.unsigned_abs()).await;
        }
        for (docker_id, row) in members {
            let call = format!("stop container {}", row.name);
            self.step(&call, |world, now| {
                gone_is_fine(world.stop_container(&docker_id, now))
            })
            .await?
            .map_err(|fault| refused(&call, fault))?;
        }
        Ok(())
    }

    async fn remove(&self, execution: &Execution) -> Result<()> {
        let id = execution.ticket.id;
        let members = self
            .look(&format!("list containers of {id}"), |world, _| {
                self.members(world, execution)
            })
            .await?;
        for (docker_id, row) in members {
            self.remove_container(&docker_id, &row.name).await?;
        }
        let own = |labels: &HashMap<String, String>| {
            let decoded = self.decode(labels);
            matches!(decoded, Some(Decoded::Network { execution }) if execution == id)
        };
        let networks = self
            .look(&format!("list networks of {id}"), |world, _| {
                let own = world.networks.iter().filter(|(_, row)| own(&row.labels));
                own.map(|(id, row)| (id.clone(), row.name.clone()))
                    .collect::<Vec<_>>()
            })
            .await?;
        for (docker_id, name) in networks {
            self.remove_network(&docker_id, &name).await?;
        }
        Ok(())
    }

    async fn remove_members(
        &self,
        execution: &Execution,
        members: &[InstanceKey],
        _grace: SignedDuration,
    ) -> Result<()> {
        let name = |key| names::instance_name(&self.deployment, key);
        let retired: Vec<String> = members.iter().map(name).collect();
        let found = self
            .look(
                &format!("list containers of {}", execution.ticket.id),
                |world, _| self.members(world, execution),
            )
            .await?;
        for (docker_id, row) in found {
            if retired.contains(&row.name) {
                self.remove_container(&docker_id, &row.name).await?;
            }
        }
        Ok(())
    }

    async fn remove_ticket(&self, execution: &Execution) -> Result<bool> {
        let id = execution.ticket.id;
        let tickets = self
            .look(&format!("inspect ticket of {id}"), |world, _| {
                let tickets = self.tickets(world, id).into_iter();
                tickets
                    .map(|(docker_id, row, _)| (docker_id.clone(), row.name.clone()))
                    .collect::<Vec<_>>()
            })
            .await?;
        let any = !tickets.is_empty();
        for (docker_id, name) in tickets {
            let call = format!("remove ticket {name}");
            self.step(&call, |world, _| {
                gone_is_fine(world.remove_container(&docker_id))
            })
            .await?
            .map_err(|fault| refused(&call, fault))?;
        }
        Ok(any)
    }

    async fn sweep(&self, orphan: &Orphan) -> Result<()> {
        match orphan.kind {
            OrphanKind::Instance | OrphanKind::Builder => {
                self.remove_container(&orphan.docker_id, &orphan.name).await
            }
            OrphanKind::Network => self.remove_network(&orphan.docker_id, &orphan.name).await,
            // There are none here: they are files in the containers.
            OrphanKind::Secret => Ok(()),
        }
    }

    async fn wait(&self, instance: &InstanceKey) -> Result<i64> {
        self.look("wait container", |_, _| ()).await?;
        loop {
            let (row, now) = self.glance(|world, now| (self.find(world, instance), now))?;
            if let Some((_, code)) = row?.end(now) {
                return Ok(code);
            }
            self.pause(super::place::PAUSE).await;
        }
    }

    async fn inspect(&self, execution: &Execution) -> Result<Execution> {
        let id = execution.ticket.id;
        let all = self
            .look(&format!("inspect containers of {id}"), seen)
            .await?;
        let mut snapshot = assemble::assemble(&self.deployment, self.now(), all);
        let found = snapshot.executions.remove(&id);
        Ok(Execution {
            instances: found.map(|found| found.instances).unwrap_or_default(),
            ..execution.clone()
        })
    }

    async fn logs(
        &self,
        instance: &InstanceKey,
        range: LogRange,
    ) -> Result<BoxStream<'static, Result<LogChunk>>> {
        let silent = self
            .look(
                &format!("container logs of {}", instance.execution),
                |world, _| {
                    let row = self.find(world, instance)?;
                    let node = world.node(&row).map(|node| node.state);
                    let silent = matches!(node, Some(NodeState::Down { .. }));
                    Ok::<_, EngineError>(silent.then(|| world.node_of(&row).to_owned()))
                },
            )
            .await??;
        if let Some(node) = silent {
            return Err(EngineError::OutOfReach {
                node,
                container: String::new(),
                why: "it is down".to_owned(),
            });
        }
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
        })
        .await?
    }

    async fn nodes_use(&self) -> Result<Vec<NodeUse>> {
        self.look("stats of all", seen_use).await
    }

    async fn exec(&self, instance: &InstanceKey, request: &ExecRequest) -> Result<ExecSession> {
        let row = self
            .look("exec", |world, now| {
                let row = self.find(world, instance)?;
                if row.runs(now) {
                    Ok(row)
                } else {
                    Err(EngineError::Refused {
                        what: format!("exec in {}", row.name),
                        why: "it does not run".to_owned(),
                    })
                }
            })
            .await??;
        Ok(streams::exec(&row, request))
    }

    async fn exec_exit_code(&self, session: &str) -> Result<i64> {
        self.look("inspect exec", |_, _| ()).await?;
        streams::exec_code(session).ok_or_else(|| gone(format!("exec {session}")))
    }

    async fn exec_resize(&self, session: &str, _columns: u16, _rows: u16) -> Result<()> {
        self.look("resize exec", |_, _| ()).await?;
        let known = streams::exec_code(session).map(|_| ());
        known.ok_or_else(|| gone(format!("exec {session}")))
    }

    async fn changes(&self) -> Result<BoxStream<'static, ()>> {
        self.look("events", |_, _| ()).await?;
        Ok(streams::changes(self.clone()))
    }

    fn deployment(&self) -> &Deployment {
        &self.deployment
    }
}
