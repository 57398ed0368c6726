//! Stops and removes.
//!
//! Everything here asks the Swarm first what there is, instead of believing an older snapshot: somebody else may be at it.
//! A node that is down is waited for by nobody: what runs there Swarm ends when it is back, as it was told to.

use std::collections::HashSet;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use super::SwarmBackend;
use super::create;
use super::members::decisive;
use super::wire::{ListedService, ListedTask};
use crate::engine::client::parallel::every;
use crate::engine::{Backend, EngineError, Result, names};
use crate::model::{ComponentName, Execution, ExecutionId, InstanceKey, Orphan, OrphanKind};

/// How long tasks may take to end beyond their grace, before that is an error. The tasks of a node that falls silent are
/// waited for until it is down for the Swarm: after three of its heartbeats, which are 5 s unless the site wants it more
/// patient (docs/swarm.md).
const ENDING: Duration = Duration::from_secs(150);
const PAUSE: Duration = Duration::from_millis(100);

impl SwarmBackend {
    /// Stops the members that have not ended. Their tasks stay, with exit codes and logs.
    ///
    /// Swarm takes two seconds for each before it even asks it to end: it waits for names to be forgotten.
    pub(super) async fn stop_members(
        &self,
        execution: &Execution,
        grace: SignedDuration,
    ) -> Result<()> {
        let id = execution.ticket.id;
        let (services, tasks) = futures_util::try_join!(self.services_of(id), self.tasks_of(id))?;
        let alive = alive(&tasks);
        let alive = services
            .into_iter()
            .filter(|(_, service)| alive.contains(service.id.as_str()));
        every(alive, |(_, service)| self.stop_service(service)).await?;
        self.until_over(id, grace, "stopping", |_| true).await
    }

    async fn stop_service(&self, mut service: ListedService) -> Result<()> {
        let what = format!("stopping {}", service.spec.name);
        let path = format!("/services/{}", service.id);
        while create::stop(&mut service.spec) {
            let version = service.version.index;
            if self.update(&what, &path, version, &service.spec).await? {
                return Ok(());
            }
            // Somebody has changed or removed it meanwhile.
            let name = service.spec.name.clone();
            service = match self.api.get_of(&name, &path, &[]).await {
                Ok(service) => service,
                Err(EngineError::Gone { .. }) => return Ok(()),
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }

    /// Removes the members, the monitor last, so that an interrupted removal still shows that it has ended; then what
    /// they were connected by.
    pub(super) async fn remove_all_members(&self, execution: &Execution) -> Result<()> {
        let id = execution.ticket.id;
        let monitor = execution.ticket.application.monitor.as_ref();
        let monitor = monitor.map(ComponentName::as_str);
        let services = self.services_of(id).await?;
        let (last, first): (Vec<_>, Vec<_>) = services
            .into_iter()
            .partition(|(key, _)| Some(key.component.as_str()) == monitor);
        for group in [first, last] {
            every(group, |(_, service)| async move {
                self.remove_service(&service.id).await
            })
            .await?;
        }
        self.until_removed(id, |_| true).await?;
        self.remove_connections(id).await
    }

    /// Removes some members; the network and the others stay. Each has the grace that it was made with.
    pub(super) async fn retire(
        &self,
        execution: &Execution,
        members: &[InstanceKey],
        _grace: SignedDuration,
    ) -> Result<()> {
        let id = execution.ticket.id;
        let names: HashSet<_> = members
            .iter()
            .map(|key| names::instance_name(&self.deployment, key))
            .collect();
        let mut services = self.services_of(id).await?;
        services.retain(|(_, service)| names.contains(&service.spec.name));
        every(&services, |(_, service)| self.remove_service(&service.id)).await?;
        let removed: HashSet<_> = services.iter().map(|(_, service)| &service.id).collect();
        self.until_removed(id, |task| removed.contains(&task.service))
            .await
    }

    pub(super) async fn sweep_away(&self, orphan: &Orphan) -> Result<()> {
        match orphan.kind {
            OrphanKind::Instance => self.remove_service(&orphan.docker_id).await,
            OrphanKind::Builder => self.engine.sweep(orphan).await,
            OrphanKind::Secret => {
                self.remove_unused_object(&format!("/secrets/{}", orphan.docker_id))
                    .await
            }
            OrphanKind::Network => {
                // Swarm would let it go while tasks that are told to leave still hold addresses of it, and lose those.
                if let Some(id) = orphan.execution {
                    let left = self.services_of(id).await?;
                    let left: HashSet<_> = left.iter().map(|(_, left)| &left.id).collect();
                    self.until_removed(id, |task| !left.contains(&task.service))
                        .await?;
                }
                self.remove_unused_object(&format!("/networks/{}", orphan.docker_id))
                    .await
            }
        }
    }

    pub(super) async fn remove_service(&self, id: &str) -> Result<()> {
        let what = format!("removing the service {id}");
        let deleted = self.delete(&format!("/services/{id}")).await;
        deleted.map_err(|error| self.api.error(&what, error))
    }

    /// Waits until the execution's tasks do nothing any more.
    async fn until_over(
        &self,
        id: ExecutionId,
        grace: SignedDuration,
        what: &str,
        which: impl Fn(&ListedTask) -> bool,
    ) -> Result<()> {
        let grace = grace.max(create::grace());
        let deadline = Duration::try_from(grace).unwrap_or_default() + ENDING;
        self.until(id, deadline, what, |task| which(task) && is_alive(task))
            .await
    }

    /// Waits until these of the execution's tasks are not there any more; their services are gone already. That Swarm was
    /// told to remove them shows in the tasks only a moment later.
    async fn until_removed(
        &self,
        id: ExecutionId,
        which: impl Fn(&ListedTask) -> bool,
    ) -> Result<()> {
        let grace = Duration::try_from(create::grace()).unwrap_or_default();
        self.until(id, grace + ENDING, "removing", which).await
    }

    /// Waits until there is no such task on a node that answers.
    async fn until(
        &self,
        id: ExecutionId,
        limit: Duration,
        what: &str,
        which: impl Fn(&ListedTask) -> bool,
    ) -> Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            let mut tasks = self.tasks_of(id).await?;
            tasks.retain(&which);
            if tasks.is_empty() {
                return Ok(());
            }
            let cluster = self.cluster().await?;
            let mut left = tasks
                .iter()
                .filter(|task| task.node.is_empty() || !cluster.is_silent(&task.node));
            let Some(task) = left.next() else {
                return Ok(());
            };
            if Instant::now() > deadline {
                let node = cluster.node(&task.node);
                return Err(EngineError::Refused {
                    what: format!("{what} the members of {id}"),
                    why: format!(
                        "the task {} on the node {} has not ended within {} s",
                        task.id,
                        node.map_or("?", |node| node.name.as_str()),
                        limit.as_secs()
                    ),
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether there is anything of it to be ended. One that has no node and is told to stop never begins.
fn is_alive(task: &ListedTask) -> bool {
    !task.is_over() && !task.node.is_empty()
}

/// The services whose member has not ended.
fn alive(tasks: &[ListedTask]) -> HashSet<&str> {
    let services: HashSet<_> = tasks.iter().map(|task| task.service.as_str()).collect();
    services
        .into_iter()
        .filter(|service| {
            let own = tasks.iter().filter(|task| task.service == **service);
            decisive(own.cloned().collect()).is_some_and(|task| !task.is_over())
        })
        .collect()
}
