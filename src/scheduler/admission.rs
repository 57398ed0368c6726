//! What could never run, refused at the door with the number that is too big.
//!
//! Judged against what the nodes have, whoever holds it now and whether or not they are available: what fits later is
//! admitted and queues. Quotas are not looked at here.

use std::cmp::Reverse;

use crate::model::{Application, Bytes, Component, Mode, Node, Resource, Resources};

use super::packing::Wanted;
use super::refusal::Refusal;
use super::room::{Room, suits};

/// What is known of something that is not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It runs on these nodes when they are empty.
    Fits,
    /// No nodes are known, so nothing can be said.
    Unknown,
}

/// Refuses what could never run on these nodes, even if nobody else used them.
pub fn admit(application: &Application, nodes: &[Node], mode: Mode) -> Result<Admission, Refusal> {
    if nodes.is_empty() {
        return Ok(Admission::Unknown);
    }
    let components = || {
        let all = application.components.iter();
        all.filter(|component| mode.at_start(component) > 0)
    };
    for component in components() {
        admit_member(component, nodes)?;
    }
    admit_total(application, nodes, mode)?;
    let wanted: Vec<Wanted<'_>> = components()
        .map(|component| Wanted::first(component, 0..mode.at_start(component)))
        .collect();
    match Room::empty(nodes).place_wanted(&wanted) {
        Ok(_) => Ok(Admission::Fits),
        Err(stuck) => Err(Refusal::Pieces {
            component: stuck.name.clone(),
            needed: stuck.reservation(),
        }),
    }
}

/// One member on one node.
fn admit_member(component: &Component, nodes: &[Node]) -> Result<(), Refusal> {
    let needed = component.reservation();
    let suitable = || nodes.iter().filter(|node| suits(node, component));
    if suitable().any(|node| needed.fits(node.capacity)) {
        return Ok(());
    }
    let name = || component.name.clone();
    // Among equals the first by name, whatever the order of the nodes.
    let most_cores = suitable().max_by_key(|n| (n.capacity.cores, Reverse(&n.name)));
    let most_memory = suitable().max_by_key(|n| (n.capacity.memory, Reverse(&n.name)));
    let (Some(by_cores), Some(by_memory)) = (most_cores, most_memory) else {
        return Err(Refusal::Labels {
            component: name(),
            labels: component.placement.clone(),
        });
    };
    if needed.cores > by_cores.capacity.cores {
        return Err(Refusal::MemberCores {
            component: name(),
            needed: needed.cores,
            largest: by_cores.capacity.cores,
            node: by_cores.name.clone(),
        });
    }
    let largest = by_memory.capacity.memory;
    if needed.memory > largest {
        return Err(Refusal::MemberMemory {
            component: name(),
            needed: needed.memory,
            largest,
            node: by_memory.name.clone(),
            most: without_overhead(component, largest),
        });
    }
    Err(Refusal::Member {
        component: name(),
        needed,
    })
}

/// The most memory that can be asked for if it may be `limit` together with its overhead.
fn without_overhead(component: &Component, limit: Bytes) -> Bytes {
    let overhead = component.overhead;
    let share = u128::from(limit.get()) * 100 / (100 + u128::from(overhead.percent));
    let share = Bytes::new(u64::try_from(share).unwrap_or(u64::MAX));
    share.min(limit.minus(overhead.at_least))
}

/// All that it must be given to start, on all nodes.
fn admit_total(application: &Application, nodes: &[Node], mode: Mode) -> Result<(), Refusal> {
    let members = |component: &Component| mode.at_start(component);
    let needed = mode.needed(application);
    let total: Resources = nodes.iter().map(|node| node.capacity).sum();
    let largest = |resource| {
        let size = |c: &&Component| of(resource, c.reservation()).saturating_mul(members(c).into());
        // Among equals the first in the description.
        application.components.iter().rev().max_by_key(size)
    };
    let most = |resource, component: &Component| {
        let each = of(resource, component.reservation()).max(1);
        let rest =
            of(resource, needed).saturating_sub(each.saturating_mul(u64::from(members(component))));
        let room = of(resource, total).saturating_sub(rest);
        u32::try_from(room / each).unwrap_or(u32::MAX)
    };
    if needed.cores > total.cores
        && let Some(component) = largest(Resource::Cores)
    {
        return Err(Refusal::TotalCores {
            needed: needed.cores,
            total: total.cores,
            component: component.name.clone(),
            members: members(component),
            most: most(Resource::Cores, component),
        });
    }
    if needed.memory > total.memory
        && let Some(component) = largest(Resource::Memory)
    {
        return Err(Refusal::TotalMemory {
            needed: needed.memory,
            total: total.memory,
            component: component.name.clone(),
            members: members(component),
            most: most(Resource::Memory, component),
        });
    }
    Ok(())
}

fn of(resource: Resource, amounts: Resources) -> u64 {
    match resource {
        Resource::Cores => amounts.cores.millis(),
        Resource::Memory => amounts.memory.get(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::generators::{application, component, node};
    use super::*;
    use crate::model::Overhead;

    fn refusal(components: Vec<Component>, nodes: &[Node]) -> String {
        admit(&application(components), nodes, Mode::Flexible)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn where_all_or_nothing_is_given_all_has_to_fit() {
        let worker = Component {
            elastic: 3,
            ..component("worker", 1, 1000, 512)
        };
        let (app, nodes) = (application(vec![worker]), [node("atlas", 3000, 4096)]);
        assert_eq!(admit(&app, &nodes, Mode::Flexible), Ok(Admission::Fits));
        let refused = admit(&app, &nodes, Mode::Rigid).unwrap_err();
        assert!(
            matches!(
                refused,
                Refusal::TotalCores {
                    members: 4,
                    most: 3,
                    ..
                }
            ),
            "{refused}"
        );
    }

    #[test]
    fn what_fits_exactly_is_admitted_and_without_nodes_nothing_is_known() {
        let app = application(vec![
            component("master", 1, 500, 512),
            component("worker", 3, 500, 1024),
        ]);
        let nodes = [node("atlas", 2000, 3584)];
        assert_eq!(admit(&app, &nodes, Mode::Flexible), Ok(Admission::Fits));
        assert_eq!(admit(&app, &[], Mode::Flexible), Ok(Admission::Unknown));
    }

    #[test]
    fn nodes_in_use_or_away_do_not_refuse() {
        let mut busy = node("atlas", 2000, 2048);
        busy.others = busy.capacity;
        busy.availability = crate::model::Availability::Paused;
        let app = application(vec![component("worker", 2, 1000, 1024)]);
        assert_eq!(admit(&app, &[busy], Mode::Flexible), Ok(Admission::Fits));
    }

    #[test]
    fn a_member_that_is_too_big_is_named_with_its_number() {
        let nodes = [node("brick", 1000, 2048), node("atlas", 2000, 4096)];
        insta::assert_snapshot!(
            refusal(vec![component("worker", 1, 64_000, 1024)], &nodes),
            @"component 'worker' asks for 64 cores a member, but the largest node (atlas) has 2; ask for at most 2 (--worker-cores)"
        );
        let mut greedy = component("notebook", 1, 500, 6144);
        greedy.overhead = Overhead {
            percent: 10,
            at_least: Bytes::from_mib(384),
        };
        insta::assert_snapshot!(
            refusal(vec![greedy], &nodes),
            @"component 'notebook' asks for 6.5 GiB of memory a member, its overhead included, but the largest node (atlas) has 4 GiB; ask for at most 3712m (--set notebook.memory=…)"
        );
    }

    #[test]
    fn the_advice_given_is_itself_admitted() {
        let nodes = [node("atlas", 2000, 8000)];
        let mut greedy = component("worker", 1, 500, 9000);
        greedy.overhead = Overhead {
            percent: 10,
            at_least: Bytes::from_mib(384),
        };
        let refused = admit(&application(vec![greedy.clone()]), &nodes, Mode::Flexible);
        let Err(Refusal::MemberMemory { most, .. }) = refused else {
            panic!("{refused:?}")
        };
        greedy.memory = Bytes::from_mib(most.mib());
        assert_eq!(
            admit(&application(vec![greedy.clone()]), &nodes, Mode::Flexible),
            Ok(Admission::Fits)
        );
        greedy.memory = Bytes::from_mib(most.mib() + 1);
        assert!(admit(&application(vec![greedy]), &nodes, Mode::Flexible).is_err());
    }

    #[test]
    fn labels_and_mismatched_nodes_refuse() {
        let mut lean = node("lean", 8000, 1024);
        lean.labels.insert("disk".to_owned(), "ssd".to_owned());
        let nodes = [lean, node("fat", 1000, 65_536)];
        let both = component("worker", 1, 4000, 4096);
        insta::assert_snapshot!(
            refusal(vec![both], &nodes),
            @"component 'worker' asks for 4 cores and 4 GiB of memory a member, and no node has both; ask for less of either (--worker-cores, --worker-memory)"
        );
        let mut gpu = component("train", 1, 500, 128);
        gpu.placement.insert("gpu".to_owned(), "yes".to_owned());
        insta::assert_snapshot!(
            refusal(vec![gpu], &nodes),
            @"component 'train' asks for a node with gpu=yes, and there is none; change its placement or label a node"
        );
        let mut ssd = component("store", 1, 500, 2048);
        ssd.placement.insert("disk".to_owned(), "ssd".to_owned());
        insta::assert_snapshot!(
            refusal(vec![ssd], &nodes),
            @"component 'store' asks for 2 GiB of memory a member, its overhead included, but the largest node (lean) has 1 GiB; ask for at most 1024m (--set store.memory=…)"
        );
    }

    #[test]
    fn the_sum_is_named_with_the_component_that_asks_for_most() {
        let nodes = [node("atlas", 2000, 4096)];
        let parts = |workers, memory| {
            vec![
                component("master", 1, 500, 512),
                component("worker", workers, 500, memory),
            ]
        };
        insta::assert_snapshot!(
            refusal(parts(8, 128), &nodes),
            @"all members together ask for 4.5 cores, but the nodes have 2; 'worker' has 8 members, ask for at most 3 (--workers)"
        );
        insta::assert_snapshot!(
            refusal(parts(3, 2048), &nodes),
            @"all members together ask for 6.5 GiB of memory, but the nodes have 4 GiB; 'worker' has 3 members, ask for at most 1 (--workers)"
        );
    }

    #[test]
    fn a_sum_that_cannot_be_divided_up_is_refused() {
        let nodes = [node("a", 2000, 4096), node("b", 2000, 4096)];
        insta::assert_snapshot!(
            refusal(vec![component("worker", 3, 1250, 128)], &nodes),
            @"the members fit the nodes in sum, but not one by one: not every 'worker' of 1.25 cores and 128 MiB finds a node; ask for fewer or smaller members (--workers, --worker-cores)"
        );
    }
}
