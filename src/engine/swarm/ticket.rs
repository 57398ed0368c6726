//! The ticket: a config, marked by compare-and-swap of its labels.
//!
//! Of two who mark or start at the same time one is first, for everybody: Swarm takes a change only from who has seen the
//! last one.

use super::SwarmBackend;
use super::content;
use super::tickets::{self, Found};
use super::wire::ConfigSpec;
use crate::engine::client::parallel::every;
use crate::engine::{EngineError, Result, Submitted, names};
use crate::labels;
use crate::model::{Execution, ExecutionId, Mark, Private, Ticket};

impl SwarmBackend {
    pub(super) async fn make_ticket(
        &self,
        ticket: &Ticket,
        private: &Private,
    ) -> Result<Submitted> {
        let what = format!("submitting {}", ticket.id);
        let image = names::ticket_image(ticket).ok_or_else(|| EngineError::Refused {
            what: what.clone(),
            why: "the application has no component".to_owned(),
        })?;
        let cluster = self.cluster().await?;
        self.image_for_nodes(&image, &cluster).await?;
        let data = content::write(ticket, private).map_err(|error| EngineError::Garbled {
            what: what.clone(),
            why: error.to_string(),
        })?;
        let spec = ConfigSpec {
            name: names::config_name(ticket),
            labels: labels::ticket_identity(ticket).into_iter().collect(),
            data,
        };
        let made = self.make(&what, "/configs/create", &spec, None).await?;
        Ok(made.map_or(Submitted::Taken, |_| Submitted::Created))
    }

    pub(super) async fn read_private(&self, id: ExecutionId) -> Result<Private> {
        let ticket = self.genuine_ticket(id).await?.ok_or_else(|| gone(id))?;
        content::private(&ticket.config.spec.data).map_err(|why| EngineError::Garbled {
            what: format!("the ticket of {id}"),
            why,
        })
    }

    /// Marks the ticket, and frees the name that it claimed. The first mark stays.
    pub(super) async fn mark_ticket(&self, execution: &Execution, mark: Mark) -> Result<()> {
        let id = execution.ticket.id;
        let text = labels::mark_text(mark);
        let found = self
            .change_ticket(id, |found| {
                let labels = &mut found.config.spec.labels;
                found.mark.is_none() && labels.insert(labels::MARK.into(), text.into()).is_none()
            })
            .await?;
        if found.is_claimed() {
            self.free_the_name(id).await?;
        }
        Ok(())
    }

    /// Writes into the labels of an execution's ticket that its start has come so far; [`EngineError::Gone`] where it is
    /// to end, or is gone.
    pub(super) async fn enter_phase(&self, id: ExecutionId, phase: &str) -> Result<()> {
        let found = self
            .change_ticket(id, |found| {
                let labels = &mut found.config.spec.labels;
                let before = labels.get(labels::PHASE).map(String::as_str);
                // One that runs gets more members, or other ones: it does not start again.
                let further = before != Some(phase) && before != Some(labels::PHASE_RUNNING);
                if found.mark.is_some() || !further {
                    return false;
                }
                labels.insert(labels::PHASE.into(), phase.into());
                true
            })
            .await?;
        found.mark.map_or(Ok(()), |_| Err(gone(id)))
    }

    /// Changes the labels of an execution's ticket as `change` says, which tells whether there is anything to be
    /// changed. Gives the ticket as it was when it was changed.
    async fn change_ticket(
        &self,
        id: ExecutionId,
        change: impl Fn(&mut Found) -> bool,
    ) -> Result<Found> {
        loop {
            let mut found = self.genuine_ticket(id).await?.ok_or_else(|| gone(id))?;
            if !change(&mut found) {
                return Ok(found);
            }
            let config = &found.config;
            let path = format!("/configs/{}", config.id);
            let what = format!("changing the ticket of {id}");
            // Whoever else has changed it meanwhile, every round somebody gets further: it ends.
            if self
                .update(&what, &path, config.version.index, &config.spec)
                .await?
            {
                return Ok(found);
            }
        }
    }

    /// Gives a marked ticket that holds a claimed name a copy without it, and removes it.
    async fn free_the_name(&self, id: ExecutionId) -> Result<()> {
        let found = self.tickets(id).await?;
        let Some(claimed) = found
            .iter()
            .find(|found| found.mark.is_some() && found.is_claimed())
        else {
            return Ok(());
        };
        let spec = &claimed.config.spec;
        let copy = ConfigSpec {
            name: tickets::by_id(&self.deployment, &claimed.ticket),
            labels: spec.labels.clone(),
            data: spec.data.clone(),
        };
        let what = format!("freeing the name of {id}");
        // Where it is there already, somebody was cut short between the two steps, or does the same.
        self.make(&what, "/configs/create", &copy, None).await?;
        self.delete_config(&claimed.config.id).await
    }

    pub(super) async fn remove_tickets(&self, id: ExecutionId) -> Result<bool> {
        let found = self.tickets(id).await?;
        let any = !found.is_empty();
        every(found, |found| async move {
            self.delete_config(&found.config.id).await
        })
        .await?;
        Ok(any)
    }

    async fn delete_config(&self, id: &str) -> Result<()> {
        let what = format!("removing the config {id}");
        self.delete(&format!("/configs/{id}"))
            .await
            .map_err(|error| self.api.error(&what, error))
    }

    pub(super) async fn genuine_ticket(&self, id: ExecutionId) -> Result<Option<Found>> {
        Ok(self.tickets(id).await?.into_iter().next())
    }

    /// The configs that can be read as tickets of this execution, the one that counts first.
    async fn tickets(&self, id: ExecutionId) -> Result<Vec<Found>> {
        let configs = self
            .configs(&self.labels_of(id, labels::KIND_TICKET))
            .await?;
        Ok(tickets::genuine(&self.deployment, id, configs))
    }
}

pub(super) fn gone(id: ExecutionId) -> EngineError {
    EngineError::Gone {
        what: format!("execution {id}"),
    }
}
