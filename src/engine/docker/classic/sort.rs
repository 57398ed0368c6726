//! Which of the listed containers count, where several say that they are the same: a member that was lost and made anew, a ticket
//! and what stands in for it. Pure.

use std::collections::{BTreeMap, HashSet};

use super::super::wire::ListedContainer;
use super::status::Told;
use super::{containers, ticket};
use crate::engine::assemble::SeenContainer;
use crate::engine::names;
use crate::labels::{self, Decoded};
use crate::model::{
    Availability, Deployment, ExecutionId, InstanceKey, InstanceState, Orphan, OrphanKind,
};

/// The containers of one look, sorted by what can be done with them.
#[derive(Default)]
pub(super) struct Sorted {
    /// What counts.
    pub(super) seen: Vec<SeenContainer>,
    /// What is over, or was made anew elsewhere, and can be removed.
    pub(super) over: Vec<Orphan>,
    /// Those whose nodes are down.
    pub(super) out_of_reach: HashSet<String>,
}

/// Sorts what was listed. Containers out of reach that were `given_up` are left out.
pub(super) fn sort(
    own: &Deployment,
    listed: Vec<ListedContainer>,
    told: &[Told],
    given_up: &HashSet<String>,
) -> Sorted {
    let mut sorted = Sorted::default();
    let mut instances: BTreeMap<InstanceKey, Vec<ListedContainer>> = BTreeMap::new();
    let mut tickets: BTreeMap<ExecutionId, Vec<ListedContainer>> = BTreeMap::new();
    for container in listed {
        if containers::is_out_of_reach(&container) {
            sorted.out_of_reach.insert(container.id.clone());
            if given_up.contains(&container.id) {
                continue;
            }
        }
        match labels::decode(&container.labels) {
            Some(Ok((deployment, Decoded::Instance { key, .. }))) if deployment == *own => {
                instances.entry(key).or_default().push(container);
            }
            Some(Ok((deployment, Decoded::Ticket(ticket)))) if deployment == *own => {
                tickets.entry(ticket.id).or_default().push(container);
            }
            _ => sorted.seen.push(seen(container, told)),
        }
    }
    for (key, twins) in instances {
        let name = names::instance_name(own, &key);
        let (count, over) = settle_instance(twins, &name);
        sorted.take(key.execution, count, over, told);
    }
    let all_known = told.iter().all(|told| told.known);
    for (id, found) in tickets {
        let (count, over) = ticket::settle(found, all_known);
        sorted.take(id, count, over, told);
    }
    sorted
}

impl Sorted {
    fn take(
        &mut self,
        execution: ExecutionId,
        count: Vec<ListedContainer>,
        over: Vec<ListedContainer>,
        told: &[Told],
    ) {
        self.seen
            .extend(count.into_iter().map(|container| seen(container, told)));
        self.over.extend(over.into_iter().map(|container| {
            Orphan {
                kind: OrphanKind::Instance,
                name: container
                    .names
                    .first()
                    .map(|name| names::plain(name).to_owned())
                    .unwrap_or_default(),
                docker_id: container.id,
                execution: Some(execution),
            }
        }));
    }
}

/// Of the containers that say they are the same instance: those that count, and those that were replaced and can be removed.
/// Copies that somebody made of one that was not made anew are for all backends alike to judge.
fn settle_instance(
    twins: Vec<ListedContainer>,
    name: &str,
) -> (Vec<ListedContainer>, Vec<ListedContainer>) {
    let Some((elected, mut others)) = containers::elect(twins) else {
        return (Vec::new(), Vec::new());
    };
    if elected.names.iter().all(|own| names::plain(own) == name) {
        others.insert(0, elected);
        return (others, Vec::new());
    }
    others.retain(|other| !containers::is_out_of_reach(other));
    (vec![elected], others)
}

fn seen(container: ListedContainer, told: &[Told]) -> SeenContainer {
    let node = containers::node_of(&container).to_owned();
    let mut state = containers::state(&container);
    if let InstanceState::Lost { since } = &mut state {
        let down = told.iter().find(|told| told.node.name == node);
        *since = down.and_then(|told| match told.node.availability {
            Availability::Down { since } => since,
            Availability::Active
            | Availability::Disabled
            | Availability::Paused
            | Availability::Drained => None,
        });
    }
    SeenContainer {
        state,
        ..container.seen(&node)
    }
}
