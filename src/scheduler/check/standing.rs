//! Judges whether one that waits could run on the nodes that take something now, if nobody had anything of them: nobody has to
//! wait for one that could not.
//!
//! Members go to the node that they fit best, one by one, the demanding ones first. Planning may find a place for more, and
//! then lets others wait.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Judge;
use crate::model::{Component, Execution, Node, Resources, WaitReason};

/// Whether it is for want of room that it waits.
pub(super) fn is_for_room(reason: &WaitReason) -> bool {
    matches!(
        reason,
        WaitReason::NotEnough { .. }
            | WaitReason::NoNodeFits { .. }
            | WaitReason::NodesAway { .. }
            | WaitReason::NoLabel { .. }
    )
}

impl Judge<'_> {
    /// Whether it could run if nobody but itself had anything.
    pub(super) fn could_run(&self, execution: &Execution) -> bool {
        let nodes = self.snapshot.nodes.iter();
        let takes = |node: &&Node| node.is_available() && !self.silent.contains(node.name.as_str());
        let open = nodes.filter(takes);
        let mut free: BTreeMap<&str, (&Node, Resources)> = open
            .map(|node| (node.name.as_str(), (node, node.capacity)))
            .collect();
        let mut wanted: Vec<(&Component, usize)> = Vec::new();
        for component in &execution.ticket.application.components {
            let size = component.reservation();
            let members = execution.members(component.name.as_str());
            let mut made = BTreeSet::new();
            for member in members.filter(|i| i.key.index < component.members()) {
                made.insert(member.key.index);
                if let Some((_, free)) = free.get_mut(member.node.as_str()) {
                    *free = free.minus(size);
                }
            }
            let end = made.last().map_or(0, |last| last + 1);
            let all = 0..self.needed(component).max(end);
            wanted.push((component, all.filter(|i| !made.contains(i)).count()));
        }
        let total: Resources = self.snapshot.nodes.iter().map(|n| n.capacity).sum();
        let (cores, memory) = (total.cores.millis().max(1), total.memory.get().max(1));
        wanted.sort_by_key(|(component, _)| {
            let size = component.reservation();
            let weight = u128::from(size.cores.millis()) * u128::from(memory)
                + u128::from(size.memory.get()) * u128::from(cores);
            Reverse((!component.placement.is_empty(), weight))
        });
        let mut members = wanted
            .into_iter()
            .flat_map(|(component, count)| std::iter::repeat_n(component, count));
        members.all(|component| {
            let size = component.reservation();
            let has = |node: &Node| {
                let mut labels = component.placement.iter();
                labels.all(|(key, value)| node.labels.get(key) == Some(value))
            };
            let fitting = free.iter_mut().filter(|(_, (node, free))| {
                size.cores <= free.cores && size.memory <= free.memory && has(node)
            });
            let best = fitting.min_by_key(|(name, (_, free))| (free.cores, free.memory, **name));
            let Some((_, (_, free))) = best else {
                return false;
            };
            *free = free.minus(size);
            true
        })
    }
}
