//! The running executions in the division: which elastic members they have, and which they may be given.
//!
//! What a person has asked for (`zoe resize`) is a limit, and a member that fails again and again is given up for a while. A
//! member that has ended has done its part: it is not made again.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{Component, Execution, Instance, InstanceKey, Mode, Placement, Resources};

use super::claims::{Claim, Part};
use super::division::Division;
use super::gates::Gates;
use super::ledger::Members;
use super::order::Place;
use super::outcome::{Kind, Start};
use super::past::Past;
use super::starts::Starts;

/// A running execution that may get elastic members, or has some that may be taken back.
pub(super) struct Grower<'a> {
    pub execution: &'a Execution,
    pub place: Place,
    /// Among the starts, if it is repaired.
    pub repaired: Option<usize>,
    pub parts: Vec<Growing<'a>>,
}

/// One component of it.
pub(super) struct Growing<'a> {
    pub component: &'a Component,
    /// Its elastic members, in the order of their slots.
    pub there: Vec<u32>,
    /// Those that may be made, the first first.
    pub spare: Vec<u32>,
}

/// On which terms one grows.
pub(super) struct Allowance<'p> {
    /// What history knows of it.
    pub past: &'p Past,
    /// The time now.
    pub now: Timestamp,
    /// Whether it may get more than it had, and its members may be taken back.
    pub freely: bool,
    /// What its owner may be given in all, if that is limited.
    pub purse: Option<usize>,
}

impl<'a> Grower<'a> {
    /// The positions of the members that it was given so far, by component.
    pub fn given<'d>(
        &'d self,
        division: &'d Division<'a>,
    ) -> impl Iterator<Item = (&'d Growing<'a>, &'d [usize])> {
        let claim = division.served(&self.place).into_iter();
        let parts = claim.flat_map(|claim| self.parts.iter().zip(&claim.parts));
        parts.map(|(growing, part)| {
            let given = part.elastic.get(growing.there.len()..);
            (growing, given.unwrap_or_default())
        })
    }
}

impl<'a> Starts<'a> {
    /// Adds one that runs to the division; `anew` are elastic members that are no good and may be made anew.
    pub fn join(
        &mut self,
        execution: &'a Execution,
        place: Place,
        repaired: Option<usize>,
        anew: &BTreeSet<InstanceKey>,
        may: &Allowance<'_>,
    ) {
        let mut claim = Claim {
            parts: Vec::new(),
            purse: may.purse,
        };
        let mut parts = Vec::new();
        let components = execution.ticket.application.components.iter();
        for component in components.filter(|c| c.elastic > 0) {
            let mut growing = Growing {
                component,
                there: Vec::new(),
                spare: Vec::new(),
            };
            let part = self.part(execution, &mut growing, anew, may, repaired.is_some());
            claim.parts.push(part);
            parts.push(growing);
        }
        let idle = |part: &Part<'_>| part.most == 0 && part.elastic.is_empty();
        if !claim.parts.iter().all(idle) {
            self.division.join(place, claim);
            self.growers.push(Grower {
                execution,
                place,
                repaired,
                parts,
            });
        }
    }

    fn part(
        &self,
        execution: &Execution,
        growing: &mut Growing<'a>,
        anew: &BTreeSet<InstanceKey>,
        may: &Allowance<'_>,
        repaired: bool,
    ) -> Part<'a> {
        let component = growing.component;
        let monitor = execution.ticket.application.monitor.as_ref() == Some(&component.name);
        let fixed = repaired || monitor || self.mode == Mode::Rigid || !may.freely;
        let mut part = Part {
            component,
            core: 0,
            most: 0,
            kept: Vec::new(),
            elastic: Vec::new(),
        };
        let mut alive: Vec<&Instance> = execution
            .members(component.name.as_str())
            .filter(|i| i.is_alive() && !anew.contains(&i.key))
            .collect();
        alive.sort_unstable_by_key(|i| i.key.index);
        for instance in &alive {
            let index = instance.key.index;
            // A node that is not there has no position, and nothing comes of giving it back.
            let position = self.division.room().position(&instance.node);
            let position = position.unwrap_or(usize::MAX);
            if fixed || index < component.core || index >= component.members() {
                part.kept.push(position);
            } else {
                part.elastic.push(position);
                growing.there.push(index);
            }
        }
        let mine = |key: &&InstanceKey| key.component == component.name;
        growing.spare = anew.iter().filter(mine).map(|key| key.index).collect();
        if self.mode == Mode::Flexible && may.freely && !may.past.gives_up(&component.name, may.now)
        {
            let absent = |index: &u32| {
                let mut members = execution.members(component.name.as_str());
                !members.any(|i| i.key.index == *index)
            };
            let all = component.core..component.members();
            growing.spare.extend(all.filter(absent));
        }
        let limit = may.past.sizes.get(&component.name).copied();
        let limit = limit.unwrap_or(u32::MAX) as usize;
        growing.spare.truncate(limit.saturating_sub(alive.len()));
        part.most = part.elastic.len() + growing.spare.len();
        part
    }

    /// The members that the growers were given, among the starts.
    pub fn take_growth(&mut self) {
        for grower in std::mem::take(&mut self.growers) {
            let given = self.given_to(&grower);
            if given.is_empty() {
                continue;
            }
            if let Some(start) = grower.repaired.and_then(|n| self.decided.get_mut(n)) {
                start.placement.extend(given);
                continue;
            }
            let mut placement = Members::to_go_on(grower.execution).made;
            placement.extend(given);
            self.decided.push(Start {
                execution: grower.execution,
                kind: Kind::Grown,
                placement,
            });
        }
    }

    /// The members that a grower was given, by their names.
    fn given_to(&self, grower: &Grower<'a>) -> Placement {
        let room = self.division.room();
        let named = |(growing, new): (&'_ Growing<'a>, &'_ [usize])| -> Vec<_> {
            let members = room.named(growing.component, &growing.spare, new);
            members.collect()
        };
        let given = grower.given(&self.division);
        given.flat_map(named).collect()
    }

    /// What members of these sizes are called, and where: those of a claim of one that was queued.
    pub fn placement_of(&self, execution: &'a Execution, place: &Place) -> Placement {
        let Some(claim) = self.division.served(place) else {
            return Placement::new();
        };
        let room = self.division.room();
        let mut members = Vec::with_capacity(claim.has());
        let components = &execution.ticket.application.components;
        for (component, part) in components.iter().zip(&claim.parts) {
            let spots = part.kept.iter().chain(&part.elastic);
            for (index, position) in (0u32..).zip(spots) {
                let node = room.name(*position);
                members.extend(node.map(|node| ((component.name.clone(), index), node)));
            }
        }
        members.into_iter().collect()
    }

    /// Finds out what the owner of an execution may be given in all, unless that is known.
    pub fn open_purse(&mut self, execution: &'a Execution, gates: &Gates<'a>) {
        let user = execution.ticket.user.as_str();
        if !self.purses.contains_key(user) {
            let left = gates.left(execution);
            let purse = left.map(|left| self.division.purse(left));
            self.purses.insert(user, purse);
        }
    }

    /// The purse of an execution's owner, if there is a limit.
    pub fn purse(&self, execution: &Execution) -> Option<usize> {
        let purse = self.purses.get(execution.ticket.user.as_str());
        purse.copied().flatten()
    }

    /// Gives those behind a place nothing more of what the owner of an execution may have.
    pub fn leave_to(&mut self, place: Place, execution: &Execution) {
        let Some(purse) = self.purse(execution) else {
            return;
        };
        let behind = self.division.behind(place);
        let same = behind.filter(|(_, claim)| claim.purse == Some(purse));
        let same: Vec<Place> = same.map(|(place, _)| *place).collect();
        for place in same {
            self.division.sate(&place);
        }
    }

    /// What the owner of an execution is given in elastic members in this plan.
    pub fn spent(&self, execution: &Execution) -> Resources {
        let purse = self.purse(execution);
        purse.map_or(Resources::ZERO, |purse| self.division.spent(purse))
    }
}
