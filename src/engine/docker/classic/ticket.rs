//! The ticket: a container that is never started, on whichever node has its image.
//!
//! That node may go down, and the manager renames and removes nothing there. Then another container with the same labels stands
//! in for the ticket: it bears the mark, and when the execution is over it says so by its name, until the ticket is removed that
//! otherwise would be an execution that is queued.

use bollard::query_parameters::RenameContainerOptionsBuilder;

use super::super::api::status;
use super::super::launch::Made;
use super::super::wire::ListedContainer;
use super::super::{create, parallel};
use super::{ClassicBackend, containers};
use crate::engine::{Backend, EngineError, Result, Submitted, names};
use crate::model::{Execution, ExecutionId, Mark, Private, Ticket};

/// The label of a container that stands in for a ticket out of reach: Docker's id of that one.
const FOR: &str = "zoe-stands-in-for";
/// What ends the name of one whose execution is over.
const OVER: &str = ".over";
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

    pub(super) async fn read_private(&self, execution: ExecutionId) -> Result<Private> {
        let tickets = self.docker.tickets(execution).await?;
        match self.docker.genuine(tickets, execution) {
            // What runs already goes on without it.
            Some((_, ticket)) if containers::is_out_of_reach(&ticket) => {
                Err(EngineError::Refused {
                    what: format!("reading the secrets of {execution}"),
                    why: containers::out_of_reach(&ticket).to_string(),
                })
            }
            _ => self.docker.private(execution).await,
        }
    }

    pub(super) async fn mark_ticket(&self, execution: &Execution, mark: Mark) -> Result<()> {
        let id = execution.ticket.id;
        let tickets = self.docker.tickets(id).await?;
        match self.docker.genuine(tickets, id) {
            Some((None, ticket)) if containers::is_out_of_reach(&ticket) => {
                let name = names::marked_name(&self.docker.deployment, id, mark);
                self.stand_in(&execution.ticket, ticket, &name).await
            }
            _ => self.docker.rename_ticket(execution, mark).await,
        }
    }

    /// Makes what stands in for a ticket out of reach. That somebody else just did so is no error.
    async fn stand_in(&self, ticket: &Ticket, away: ListedContainer, name: &str) -> Result<()> {
        let image = names::ticket_image(ticket).unwrap_or_default();
        let mut labels = away.labels;
        labels.retain(|key, _| !key.starts_with(MANAGERS));
        labels.insert(FOR.to_owned(), away.id);
        let body = create::idle(image, labels.into_iter().collect());
        match self.docker.make(name, body).await? {
            Made::New(_) | Made::Taken => Ok(()),
        }
    }

    /// Removes the tickets that can be reached. Of one that can't, a stand-in says that it is over.
    pub(super) async fn remove_tickets(&self, execution: &Execution) -> Result<bool> {
        let id = execution.ticket.id;
        let tickets = self.docker.tickets(id).await?;
        let any = !tickets.is_empty();
        let (mut away, here): (Vec<_>, Vec<_>) =
            tickets.into_iter().partition(containers::is_out_of_reach);
        let (mut stand_ins, tickets): (Vec<_>, Vec<_>) = here.into_iter().partition(stands_in);
        let unknown =
            tickets.is_empty() && !stand_ins.is_empty() && self.has_unknown_node().await?;
        if unknown || !away.is_empty() {
            let name = format!("zoe-{}-{id}{OVER}", self.docker.deployment);
            match (stand_ins.pop(), away.pop()) {
                (Some(stand_in), _) => self.rename(&stand_in, &name).await?,
                (None, Some(away)) => self.stand_in(&execution.ticket, away, &name).await?,
                (None, None) => {}
            }
        }
        // What stands in for another goes last.
        for group in [tickets, stand_ins] {
            parallel::every(group, |ticket| async move {
                self.docker.remove_container(&ticket.id).await
            })
            .await?;
        }
        Ok(any)
    }

    async fn rename(&self, container: &ListedContainer, name: &str) -> Result<()> {
        let options = RenameContainerOptionsBuilder::default().name(name).build();
        let api = &self.docker.api;
        match api.quick.rename_container(&container.id, options).await {
            Ok(()) => Ok(()),
            // Somebody else has just done so.
            Err(error) if matches!(status(&error), Some(404 | 409)) => Ok(()),
            Err(error) => Err(api.error(&format!("renaming {}", container.id), error)),
        }
    }

    /// Whether there is a node whose containers the manager does not know.
    async fn has_unknown_node(&self) -> Result<bool> {
        let nodes = self.info().await?.nodes();
        Ok(nodes.iter().any(|told| !told.known))
    }
}

/// Whether a container stands in for a ticket out of reach.
fn stands_in(container: &ListedContainer) -> bool {
    container.labels.contains_key(FOR)
}

/// Of the containers that say they are the ticket of one execution: those that count, and those that can be removed as the
/// execution is over. `all_known`: whether none can be on a node that the manager does not know.
pub(super) fn settle(
    found: Vec<ListedContainer>,
    all_known: bool,
) -> (Vec<ListedContainer>, Vec<ListedContainer>) {
    let is_over = |container: &ListedContainer| {
        let mut names = container.names.iter();
        stands_in(container) && names.any(|name| name.ends_with(OVER))
    };
    if !found.iter().any(stands_in) {
        return (found, Vec::new());
    }
    let (over, others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_over);
    if over.is_empty() {
        return (others.into_iter().filter(stands_in).collect(), Vec::new());
    }
    if others.is_empty() && all_known {
        return (Vec::new(), over);
    }
    let here = |container: &ListedContainer| !containers::is_out_of_reach(container);
    (Vec::new(), others.into_iter().filter(here).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, name: &str, status: &str, stands_in: bool) -> ListedContainer {
        let labels = if stands_in {
            serde_json::json!({ FOR: "ticket" })
        } else {
            serde_json::json!({})
        };
        serde_json::from_value(
            serde_json::json!({"Id": id, "Names": [format!("/n1/{name}")],
            "State": "created", "Status": status, "Labels": labels}),
        )
        .unwrap()
    }

    fn ids(containers: &[ListedContainer]) -> Vec<&str> {
        containers.iter().map(|c| c.id.as_str()).collect()
    }

    #[test]
    fn what_stands_in_for_a_ticket_counts_until_it_says_that_it_is_over() {
        let ticket = |status: &str| listed("ticket", "zoe-d-x", status, false);
        let marked = || listed("marked", "zoe-d-x.cancelled", "Created", true);
        let over = || listed("over", "zoe-d-x.over", "Created", true);
        for (found, all_known, count, go) in [
            (vec![ticket("Created")], true, vec!["ticket"], vec![]),
            (vec![ticket("Host Down")], true, vec!["ticket"], vec![]),
            (
                vec![ticket("Host Down"), marked()],
                true,
                vec!["marked"],
                vec![],
            ),
            (
                vec![ticket("Created"), marked()],
                true,
                vec!["marked"],
                vec![],
            ),
            (vec![ticket("Host Down"), over()], true, vec![], vec![]),
            (
                vec![ticket("Created"), over()],
                true,
                vec![],
                vec!["ticket"],
            ),
            (vec![over()], false, vec![], vec![]),
            (vec![over()], true, vec![], vec!["over"]),
        ] {
            let (counted, gone) = settle(found, all_known);
            assert_eq!((ids(&counted), ids(&gone)), (count, go));
        }
    }
}
