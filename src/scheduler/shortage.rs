//! Why there is no room for members: what there is too little of and who holds it, or which nodes take nothing.

use crate::model::{Away, Component, Execution, Node, Resource, Resources, WaitReason};

use super::packing::Wanted;
use super::room::{Room, suits};
use super::starts::Starts;

impl Starts<'_> {
    /// Why there is no room for these members, `stuck` being those that found too little.
    pub(super) fn why_not(
        &self,
        execution: &Execution,
        missing: &[Wanted<'_>],
        stuck: &Component,
    ) -> WaitReason {
        if let Some(reason) = self.nodes_away(missing) {
            return reason;
        }
        let components: Vec<&Component> = missing.iter().map(|w| w.component).collect();
        let needed: Resources = missing
            .iter()
            .map(|w| w.component.reservation().times(w.indices.len() as u64))
            .sum();
        let (free, capacity) = self.division.room().for_components(&components);
        let short_of = if needed.cores > free.cores {
            Resource::Cores
        } else if needed.memory > free.memory {
            Resource::Memory
        } else {
            return WaitReason::NoNodeFits {
                component: stuck.name.clone(),
                needed: stuck.reservation(),
            };
        };
        let takes =
            |node: &Node| self.sight.takes(node) && components.iter().any(|c| suits(node, c));
        let nodes = self.division.room().which(takes);
        let counts = |position: usize| nodes.get(position).is_some_and(|counts| *counts);
        WaitReason::NotEnough {
            short_of,
            needed,
            free,
            capacity,
            holders: self.ledger.holders(short_of, execution.ticket.id, counts),
        }
    }

    /// That nodes take nothing new, if that is why there is no room.
    fn nodes_away(&self, missing: &[Wanted<'_>]) -> Option<WaitReason> {
        let suitable = |node: &Node| missing.iter().any(|w| suits(node, w.component));
        let nodes = || self.snapshot.nodes.iter().filter(|node| suitable(node));
        let mut away: Vec<Away> = nodes()
            .filter(|node| !self.sight.takes(node))
            .map(|node| Away {
                node: node.name.clone(),
                why: (!node.is_available()).then_some(node.availability),
            })
            .collect();
        away.sort_by(|a, b| a.node.cmp(&b.node));
        let of = nodes().count();
        if away.is_empty() {
            return None;
        }
        let mut all = Room::beside(
            &self.snapshot.nodes,
            |node| self.ledger.held(node),
            |_| true,
        );
        let at_fault = away.len() == of || all.place_wanted(missing).is_ok();
        at_fault.then_some(WaitReason::NodesAway { away, of })
    }
}
