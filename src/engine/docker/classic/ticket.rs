//! The ticket: a container that is never started, on whichever node has its image.
//!
//! That node may go down, and the manager renames nothing there. Then another container with the same labels bears the mark:
//! of several tickets the marked one counts. It stays until the first one can be removed, which otherwise would be an
//! execution that is queued.

use super::super::launch::Made;
use super::super::{create, parallel};
use super::{ClassicBackend, containers};
use crate::engine::{EngineError, Result, Submitted, names};
use crate::model::{Execution, ExecutionId, Mark, Private, Ticket};

/// The label of a container that stands in for a ticket out of reach: Docker's id of that one.
const FOR: &str = "zoe-stands-in-for";
/// What begins the labels that a manager gives containers itself.
const MANAGERS: &str = "com.docker.swarm.";

impl ClassicBackend {
    pub(super) async fn make_ticket(
        &self,
        ticket: &Ticket,
        private: &Private,
    ) -> Result<Submitted> {
        self.docker.make_ticket(ticket, private).await
    }

    pub(super) async fn mark_ticket(&self, execution: &Execution, mark: Mark) -> Result<()> {
        let id = execution.ticket.id;
        let tickets = self.docker.tickets(id).await?;
        match self.docker.genuine(tickets, id) {
            Some((None, ticket)) if containers::is_out_of_reach(&ticket) => {
                let image = names::ticket_image(&execution.ticket).unwrap_or_default();
                let mut labels = ticket.labels;
                labels.retain(|key, _| !key.starts_with(MANAGERS));
                labels.insert(FOR.to_owned(), ticket.id);
                let body = create::idle(image, labels.into_iter().collect());
                let name = names::marked_name(&self.docker.deployment, id, mark);
                // A taken name is somebody else's mark.
                match self.docker.make(&name, body).await? {
                    Made::New(_) | Made::Taken => Ok(()),
                }
            }
            _ => self.docker.rename_ticket(execution, mark).await,
        }
    }

    pub(super) async fn remove_tickets(&self, execution: ExecutionId) -> Result<()> {
        let tickets = self.docker.tickets(execution).await?;
        if let Some(ticket) = tickets
            .iter()
            .find(|ticket| containers::is_out_of_reach(ticket))
        {
            return Err(containers::out_of_reach(ticket));
        }
        let stands_in = tickets.iter().any(|ticket| ticket.labels.contains_key(FOR));
        if stands_in && let Some(node) = self.unknown_node().await? {
            return Err(EngineError::OutOfReach {
                node,
                container: String::new(),
                why: "the ticket may be there".to_owned(),
            });
        }
        // What stands in for another goes last.
        let (last, first): (Vec<_>, Vec<_>) = tickets
            .into_iter()
            .partition(|ticket| ticket.labels.contains_key(FOR));
        for group in [first, last] {
            parallel::every(group, |ticket| async move {
                self.docker.remove_container(&ticket.id).await
            })
            .await?;
        }
        Ok(())
    }

    /// A node whose containers the manager does not know.
    async fn unknown_node(&self) -> Result<Option<String>> {
        let nodes = self.info().await?.nodes();
        Ok(nodes
            .into_iter()
            .find(|told| !told.known)
            .map(|told| told.node.name))
    }
}
