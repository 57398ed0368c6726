//! Stops and removes what can be reached. What is on a node that is down is left there: when the node is back it belongs to
//! nobody any more, and is swept.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use super::super::parallel::every;
use super::super::wire::ListedContainer;
use super::{ClassicBackend, containers};
use crate::engine::Result;
use crate::labels;
use crate::model::{
    ComponentName, Execution, ExecutionId, InstanceKey, InstanceState, Orphan, OrphanKind,
};

/// How long a manager may take to learn from an Engine what it has just been told itself.
const LEARNING: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

impl ClassicBackend {
    pub(super) async fn stop_members(
        &self,
        execution: &Execution,
        grace: SignedDuration,
    ) -> Result<()> {
        let id = execution.ticket.id;
        let started = self.instances_of(id).await?.into_iter().filter(runs);
        every(started, |instance| async move {
            self.docker.stop_container(&instance.id, grace).await
        })
        .await?;
        self.until_known(id, |members| !members.iter().any(runs))
            .await
    }

    /// Waits until the manager shows what is so already; it is told of it by its Engines, a moment later.
    pub(super) async fn until_known(
        &self,
        execution: ExecutionId,
        known: impl Fn(&[ListedContainer]) -> bool,
    ) -> Result<()> {
        let deadline = Instant::now() + LEARNING;
        while !known(&self.instances_of(execution).await?) && Instant::now() < deadline {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Removes the instances, the monitor's last, so that an interrupted removal still shows that it has ended.
    pub(super) async fn remove_all_members(&self, execution: &Execution) -> Result<()> {
        let application = &execution.ticket.application;
        let monitor = application.monitor.as_ref().map(ComponentName::as_str);
        let is_monitor = |instance: &ListedContainer| {
            instance.labels.get(labels::COMPONENT).map(String::as_str) == monitor
        };
        let mut instances = self.instances_of(execution.ticket.id).await?;
        instances.retain(|instance| !containers::is_out_of_reach(instance));
        let (last, first): (Vec<_>, Vec<_>) = instances.into_iter().partition(is_monitor);
        for group in [first, last] {
            every(group, |instance| async move {
                self.docker.remove_container(&instance.id).await
            })
            .await?;
        }
        Ok(())
    }

    /// Stops some members and removes them; those on nodes that are down are not shown any more.
    pub(super) async fn retire(
        &self,
        execution: &Execution,
        members: &[InstanceKey],
        grace: SignedDuration,
    ) -> Result<()> {
        let names = |key: &InstanceKey| (key.component.to_string(), key.index.to_string());
        let wanted: Vec<_> = members.iter().map(names).collect();
        let label = |instance: &ListedContainer, key: &str| instance.labels.get(key).cloned();
        let mut instances = self.instances_of(execution.ticket.id).await?;
        instances.retain(|instance| {
            label(instance, labels::COMPONENT)
                .zip(label(instance, labels::INDEX))
                .is_some_and(|own| wanted.contains(&own))
        });
        let (away, here): (Vec<_>, Vec<_>) =
            instances.into_iter().partition(containers::is_out_of_reach);
        self.give_up(away.into_iter().map(|instance| instance.id));
        every(&here, |instance| async move {
            self.docker.stop_container(&instance.id, grace).await?;
            self.docker.remove_container(&instance.id).await
        })
        .await
    }

    pub(super) async fn sweep_away(&self, orphan: &Orphan) -> Result<()> {
        match orphan.kind {
            OrphanKind::Instance | OrphanKind::Builder => {
                self.docker.remove_container(&orphan.docker_id).await
            }
            OrphanKind::Network => self.docker.remove_network(&orphan.docker_id).await,
            // Secrets are files in the containers.
            OrphanKind::Secret => Ok(()),
        }
    }
}

/// Whether something is to be stopped.
fn runs(instance: &ListedContainer) -> bool {
    match containers::state(instance) {
        InstanceState::Running | InstanceState::Other | InstanceState::Rejected => true,
        InstanceState::Created | InstanceState::Exited { .. } | InstanceState::Lost { .. } => false,
    }
}
