//! Marks, stops and removes.
//!
//! Everything here asks Docker first what there is, instead of believing an older snapshot: somebody else may be at it.

use std::time::Duration;

use bollard::query_parameters::{
    RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder, StopContainerOptionsBuilder,
    WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;
use jiff::SignedDuration;

use super::api::status;
use super::parallel::every;
use super::wire::ListedContainer;
use super::{DockerBackend, observe};
use crate::engine::assemble::ticket_rank;
use crate::engine::{EngineError, Result, names};
use crate::labels::{self, Decoded};
use crate::model::{
    ComponentName, Execution, ExecutionId, InstanceKey, InstanceState, Mark, Orphan, OrphanKind,
};

/// How long a removal that somebody else began may take.
const REMOVAL: Duration = Duration::from_mins(1);

impl DockerBackend {
    /// Renames the ticket. By its container's id, never by its name: a claimed name may be another execution's by now.
    ///
    /// Docker's renaming is no compare-and-swap: of two who mark at the very same moment the later wins.
    pub(super) async fn rename_ticket(&self, execution: &Execution, mark: Mark) -> Result<()> {
        let id = execution.ticket.id;
        let tickets = self.tickets(id).await?;
        let Some((found, ticket)) = self.genuine(tickets, id) else {
            return Err(gone(id));
        };
        if found.is_some() {
            return Ok(());
        }
        let name = names::marked_name(&self.deployment, id, mark);
        let options = RenameContainerOptionsBuilder::default().name(&name).build();
        let renamed = self.api.quick.rename_container(&ticket.id, options).await;
        match renamed {
            Ok(()) => Ok(()),
            Err(error) => match status(&error) {
                Some(404) => Err(gone(id)),
                // Another marked it just now: it bears the very name that it was to get.
                Some(400 | 409) if self.is_marked(id).await? => Ok(()),
                // Another ticket of the same id bears the mark.
                Some(409) => Err(EngineError::Conflict {
                    what: format!("container {name}"),
                    why: "the name is taken".to_owned(),
                }),
                _ => Err(self.api.error(&format!("marking {id}"), error)),
            },
        }
    }

    async fn is_marked(&self, id: ExecutionId) -> Result<bool> {
        let tickets = self.tickets(id).await?;
        let found = self.genuine(tickets, id);
        Ok(found.is_some_and(|(mark, _)| mark.is_some()))
    }

    /// The id of the container that is the execution's ticket.
    pub(super) async fn genuine_ticket(&self, id: ExecutionId) -> Result<Option<String>> {
        let tickets = self.tickets(id).await?;
        Ok(self.genuine(tickets, id).map(|(_, ticket)| ticket.id))
    }

    /// Which of several tickets counts, with its mark: the same that observing takes.
    pub(super) fn genuine(
        &self,
        tickets: Vec<ListedContainer>,
        id: ExecutionId,
    ) -> Option<(Option<Mark>, ListedContainer)> {
        tickets
            .into_iter()
            .map(|ticket| {
                let mark = ticket
                    .names
                    .first()
                    .and_then(|name| names::parse_mark(name, &self.deployment, id));
                (mark, ticket)
            })
            .min_by_key(|(mark, ticket)| {
                let created = jiff::Timestamp::from_second(ticket.created).unwrap_or_default();
                let name = ticket.names.first().map(String::as_str).unwrap_or_default();
                let named = names::may_be_ticket(name, &self.deployment, id);
                (ticket_rank(*mark, named, created), ticket.id.clone())
            })
    }

    pub(super) async fn stop_instances(
        &self,
        execution: &Execution,
        grace: SignedDuration,
    ) -> Result<()> {
        let instances = self.instances_of(execution.ticket.id).await?;
        let started = instances.into_iter().filter(|instance| {
            !matches!(
                super::wire::state(&instance.state, &instance.status),
                InstanceState::Created | InstanceState::Exited { .. }
            )
        });
        every(started, |instance| async move {
            self.stop_container(&instance.id, grace).await
        })
        .await
    }

    /// Stops a container; one that is not there or does not run is stopped.
    pub(super) async fn stop_container(&self, id: &str, grace: SignedDuration) -> Result<()> {
        let seconds = i32::try_from(grace.as_secs().max(0)).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        match self.api.slow.stop_container(id, Some(options)).await {
            Ok(()) => Ok(()),
            Err(error) if status(&error) == Some(404) => Ok(()),
            Err(error) => Err(self.api.error(&format!("stopping {id}"), error)),
        }
    }

    /// Removes the instances, the monitor's last, so that an interrupted removal still shows that it has ended; then
    /// the network.
    pub(super) async fn remove_instances(&self, execution: &Execution) -> Result<()> {
        let application = &execution.ticket.application;
        let monitor = application.monitor.as_ref().map(ComponentName::as_str);
        let is_monitor = |instance: &ListedContainer| {
            instance.labels.get(labels::COMPONENT).map(String::as_str) == monitor
        };
        let instances = self.instances_of(execution.ticket.id).await?;
        let (last, first): (Vec<_>, Vec<_>) = instances.into_iter().partition(is_monitor);
        for group in [first, last] {
            every(group, |instance| async move {
                self.remove_container(&instance.id).await
            })
            .await?;
        }
        self.remove_networks(execution.ticket.id).await
    }

    /// Stops some members and removes them; the network and the others stay.
    pub(super) async fn retire(
        &self,
        execution: &Execution,
        members: &[InstanceKey],
        grace: SignedDuration,
    ) -> Result<()> {
        let names: Vec<String> = members
            .iter()
            .map(|key| names::instance_name(&self.deployment, key))
            .collect();
        let mut instances = self.instances_of(execution.ticket.id).await?;
        instances.retain(|instance| {
            let mut own = instance.names.iter().map(|name| names::plain(name));
            own.any(|own| names.iter().any(|name| name == own))
        });
        every(&instances, |instance| async move {
            self.stop_container(&instance.id, grace).await?;
            self.remove_container(&instance.id).await
        })
        .await
    }

    pub(super) async fn remove_tickets(&self, execution: ExecutionId) -> Result<bool> {
        let tickets = self.tickets(execution).await?;
        let any = !tickets.is_empty();
        every(tickets, |ticket| async move {
            self.remove_container(&ticket.id).await
        })
        .await?;
        Ok(any)
    }

    pub(super) async fn sweep_away(&self, orphan: &Orphan) -> Result<()> {
        match orphan.kind {
            OrphanKind::Instance | OrphanKind::Builder => {
                self.remove_container(&orphan.docker_id).await
            }
            OrphanKind::Network => self.remove_network(&orphan.docker_id).await,
            // One Engine has no secrets of its own: they are files in the containers.
            OrphanKind::Secret => Ok(()),
        }
    }

    async fn instances_of(&self, execution: ExecutionId) -> Result<Vec<ListedContainer>> {
        let filter = [
            self.label(),
            format!("{}={}", labels::KIND, labels::KIND_INSTANCE),
            format!("{}={execution}", labels::EXECUTION),
        ];
        let listed = observe::list(&self.api, &filter).await?;
        Ok(self.own(listed, |decoded| {
            matches!(decoded, Decoded::Instance { .. })
        }))
    }

    /// Removes a container with its anonymous volumes, running or not, and waits until it is gone.
    pub(super) async fn remove_container(&self, id: &str) -> Result<()> {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        match self.api.quick.remove_container(id, Some(options)).await {
            Ok(()) => Ok(()),
            Err(error) => match status(&error) {
                Some(404) => Ok(()),
                Some(409) if error.to_string().contains("already in progress") => {
                    self.until_removed(id).await
                }
                _ => Err(self
                    .api
                    .error(&format!("removing the container {id}"), error)),
            },
        }
    }

    async fn until_removed(&self, id: &str) -> Result<()> {
        let options = WaitContainerOptionsBuilder::default()
            .condition("removed")
            .build();
        let mut waiting = Box::pin(self.api.slow.wait_container(id, Some(options)));
        // Whatever it says, be it that there is no such container: it is over.
        tokio::time::timeout(REMOVAL, waiting.next())
            .await
            .map(drop)
            .map_err(|_| EngineError::Refused {
                what: format!("removing the container {id}"),
                why: format!(
                    "another removal has been going on for {} s",
                    REMOVAL.as_secs()
                ),
            })
    }
}

fn gone(id: ExecutionId) -> EngineError {
    EngineError::Gone {
        what: format!("execution {id}"),
    }
}
