//! Configs as tickets: which is an execution's, and what it says. Pure.
//!
//! A ticket whose user claimed a name is called by that name; on marking it gets a copy that is called by the id, and
//! then goes, so that the name is free. While both are there they are one ticket.

use std::collections::HashSet;

use super::content;
use super::wire::ListedConfig;
use crate::engine::assemble::{SeenContainer, ticket_rank};
use crate::engine::names;
use crate::labels::{self, Decoded};
use crate::model::{Deployment, ExecutionId, InstanceState, Mark, Ticket};

/// A config that says it is a ticket.
pub(super) struct Found {
    /// The config.
    pub(super) config: ListedConfig,
    /// What it says.
    pub(super) ticket: Ticket,
    /// Its mark.
    pub(super) mark: Option<Mark>,
}

impl Found {
    /// Whether it is called by a name that the user claimed.
    pub(super) fn is_claimed(&self) -> bool {
        names::is_claimed(&self.config.spec.name, &self.ticket.deployment)
    }
}

/// What the ticket is called by its id.
pub(super) fn by_id(deployment: &Deployment, ticket: &Ticket) -> String {
    names::network_name(deployment, ticket.id)
}

/// Those of an execution's configs that can be read as its tickets, the one that counts first: the same that observing
/// takes.
pub(super) fn genuine(
    deployment: &Deployment,
    id: ExecutionId,
    configs: Vec<ListedConfig>,
) -> Vec<Found> {
    let mut found: Vec<_> = configs
        .into_iter()
        .filter_map(|config| {
            let mut all = config.spec.labels.clone();
            let application = content::application(&config.spec.data).ok()?;
            all.insert(labels::APPLICATION.to_owned(), application);
            let Some(Ok((own, Decoded::Ticket(ticket)))) = labels::decode(&all) else {
                return None;
            };
            let mark = labels::mark(&all).ok()?;
            (own == *deployment && ticket.id == id).then_some(Found {
                config,
                ticket: *ticket,
                mark,
            })
        })
        .collect();
    found.sort_by_key(|found| {
        let spec = &found.config.spec;
        let named = names::may_be_ticket(&spec.name, deployment, id);
        let rank = ticket_rank(found.mark, named, found.config.created_at());
        (rank, found.config.id.clone())
    });
    found
}

/// A content that can't be read.
pub(super) struct Unreadable {
    /// The config's id.
    pub(super) config: String,
    /// What is wrong.
    pub(super) why: String,
}

/// The configs in the common words of the backends, each ticket once.
pub(super) fn seen(
    deployment: &Deployment,
    configs: Vec<ListedConfig>,
) -> (Vec<SeenContainer>, Vec<Unreadable>) {
    let copied: HashSet<String> = configs
        .iter()
        .filter(|config| config.spec.labels.contains_key(labels::MARK))
        .filter_map(|config| {
            let id = config.spec.labels.get(labels::EXECUTION)?;
            (config.spec.name == format!("zoe-{deployment}-{id}")).then(|| id.clone())
        })
        .collect();
    let mut unreadable = Vec::new();
    let seen = configs
        .into_iter()
        .filter(|config| {
            let id = config.spec.labels.get(labels::EXECUTION);
            let is_copied = id.is_some_and(|id| copied.contains(id));
            !(is_copied && names::is_claimed(&config.spec.name, deployment))
        })
        .map(|config| container(config, &mut unreadable))
        .collect();
    (seen, unreadable)
}

fn container(config: ListedConfig, unreadable: &mut Vec<Unreadable>) -> SeenContainer {
    let created_at = config.created_at();
    let mut all = config.spec.labels;
    match content::application(&config.spec.data) {
        Ok(application) => {
            all.insert(labels::APPLICATION.to_owned(), application);
        }
        Err(why) => unreadable.push(Unreadable {
            config: config.id.clone(),
            why,
        }),
    }
    SeenContainer {
        id: config.id,
        name: config.spec.name,
        labels: all,
        node: String::new(),
        state: InstanceState::Created,
        note: None,
        created_at,
        started_at: None,
        finished_at: None,
        out_of_memory: false,
        address: None,
        ports: Vec::new(),
    }
}
