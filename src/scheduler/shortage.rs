//! Why there is no room for members: what there is too little of and who holds it, or which nodes take nothing.

use crate::model::{Away, Component, Execution, Node, Resource, Resources, WaitReason};

use super::packing::Wanted;
use super::room::{Room, suits};
use super::standing::lacking;
use super::starts::Starts;

impl Starts<'_> {
    /// Why there is no room for these members, `stuck` being those that found too little.
    pub(super) fn why_not(
        &self,
        execution: &Execution,
        missing: &[Wanted<'_>],
        stuck: &Component,
    ) -> WaitReason {
        if let Some(reason) = self.no_label(missing) {
            return reason;
        }
        let beside = || {
            Room::beside(
                &self.snapshot.nodes,
                |node| self.ledger.held(node),
                |_| true,
            )
        };
        if let Some(reason) = self.nodes_away(missing, beside) {
            return reason;
        }
        let components: Vec<&Component> = missing.iter().map(|w| w.component).collect();
        let needed: Resources = missing.iter().map(Wanted::size).sum();
        let (free, capacity) = self.division.room().for_components(&components);
        match lacking(needed, free) {
            Some(short_of) => {
                let room = (free, capacity);
                self.not_enough(execution, &components, needed, room, short_of)
            }
            None => WaitReason::NoNodeFits {
                component: stuck.name.clone(),
                needed: stuck.reservation(),
            },
        }
    }

    /// That there is too little of something for members of these components: so much is free, of so much.
    pub(super) fn not_enough(
        &self,
        execution: &Execution,
        components: &[&Component],
        needed: Resources,
        (free, capacity): (Resources, Resources),
        short_of: Resource,
    ) -> WaitReason {
        let takes =
            |node: &Node| self.sight.takes(node) && components.iter().any(|c| suits(node, c));
        let nodes = self.division.room().which(takes);
        let counts = |position: usize| nodes.get(position).is_some_and(|counts| *counts);
        let counted = self.snapshot.nodes.iter().filter(|node| takes(node));
        WaitReason::NotEnough {
            short_of,
            needed,
            free,
            capacity,
            holders: self.ledger.holders(short_of, execution.ticket.id, counts),
            others: counted.map(Node::others_hold).sum(),
        }
    }

    /// That no node has the labels that one of them asks for, whether or not it takes something.
    pub(super) fn no_label(&self, missing: &[Wanted<'_>]) -> Option<WaitReason> {
        let nodes = &self.snapshot.nodes;
        let mut components = missing.iter().map(|wanted| wanted.component);
        let none = |c: &&Component| !nodes.iter().any(|node| suits(node, c));
        let component = components.find(none)?;
        Some(WaitReason::NoLabel {
            component: component.name.clone(),
            labels: component.placement.clone(),
        })
    }

    /// That nodes take nothing new, if that is why there is no room: all that could have a member, or there would be room in
    /// `all`.
    pub(super) fn nodes_away<'n>(
        &self,
        missing: &[Wanted<'_>],
        all: impl FnOnce() -> Room<'n>,
    ) -> Option<WaitReason> {
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
        let nowhere = |wanted: &Wanted<'_>| {
            let mut suitable = nodes().filter(|node| suits(node, wanted.component));
            !suitable.any(|node| self.sight.takes(node))
        };
        let at_fault = missing.iter().any(nowhere) || all().place_wanted(missing).is_ok();
        at_fault.then_some(WaitReason::NodesAway { away, of })
    }
}
