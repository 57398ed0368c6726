//! Who gets how much of the room: members that are core as a whole, elastic ones as far as they go.
//!
//! A division is kept from event to event and looks only at what changed, so a simulation can use it as a plan does. It
//! knows no Docker, no labels and no time: executions are claims at places in the line. The rule is that of "Flexible
//! Scheduling of Distributed Analytic Applications" (CCGRID 2017): go through the line; give the next one its core members;
//! then give elastic members greedily, in order, to all that have their core; stop at the first that can't have its core, or
//! whose coming does not reduce what is free. Elastic members given in this very round yield to the core of one behind;
//! what an execution had before, it keeps, unless somebody before it in the line needs it for core members
//! ([`Division::reclaim`]).
//!
//! A rigid execution is one whose members are all core ([`Claim::new`]).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::model::Resources;

use super::claims::{Claim, Part};
use super::order::Place;
use super::room::{Ask, Room};

/// Executions and the room that they share.
#[derive(Debug, Clone)]
pub struct Division<'a> {
    pub(super) room: Room<'a>,
    /// Those that have their core members.
    pub(super) served: BTreeMap<Place, Claim<'a>>,
    /// Those of them that may have more elastic members.
    pub(super) hungry: BTreeSet<Place>,
    /// From where on those that are hungry have not been looked at since there last was more room; `None`: all have.
    pub(super) next: Option<Bound<Place>>,
    /// What was given in this round: to whom, of which part, and how many elastic members.
    pub(super) given: Vec<(Place, usize, usize)>,
    /// Whose members are others than before this round.
    pub(super) changed: BTreeSet<Place>,
    /// What owners may be given yet, and what they were given in elastic members.
    pub(super) purses: Vec<Purse>,
}

/// What an owner of executions may be given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purse {
    pub left: Resources,
    pub elastic: Resources,
}

impl<'a> Division<'a> {
    /// Nobody has anything.
    pub fn new(room: Room<'a>) -> Self {
        Self {
            room,
            served: BTreeMap::new(),
            hungry: BTreeSet::new(),
            next: Some(Bound::Unbounded),
            given: Vec::new(),
            changed: BTreeSet::new(),
            purses: Vec::new(),
        }
    }

    /// What is free.
    pub fn room(&self) -> &Room<'a> {
        &self.room
    }

    /// A purse for the claims of one owner, who may be given so much more.
    pub fn purse(&mut self, left: Resources) -> usize {
        self.purses.push(Purse {
            left,
            elastic: Resources::ZERO,
        });
        self.purses.len() - 1
    }

    /// What the claims of a purse were given in elastic members.
    pub(super) fn spent(&self, purse: usize) -> Resources {
        let purse = self.purses.get(purse);
        purse.map_or(Resources::ZERO, |purse| purse.elastic)
    }

    /// What is free, to be changed from outside.
    pub(super) fn room_mut(&mut self) -> &mut Room<'a> {
        self.next = Some(Bound::Unbounded);
        &mut self.room
    }

    /// One that has its core members.
    pub fn served(&self, place: &Place) -> Option<&Claim<'a>> {
        self.served.get(place)
    }

    /// Adds one that has its members already; the room knows of them.
    pub fn join(&mut self, place: Place, claim: Claim<'a>) {
        if claim.is_hungry() {
            let passed = match self.next {
                Some(Bound::Included(from)) => place < from,
                Some(Bound::Excluded(from)) => place <= from,
                Some(Bound::Unbounded) => false,
                None => true,
            };
            if passed {
                self.next = Some(Bound::Unbounded);
            }
            self.hungry.insert(place);
        }
        self.served.insert(place, claim);
    }

    /// One ends: all that it has is free.
    pub fn leave(&mut self, place: &Place) -> Option<Claim<'a>> {
        let claim = self.served.remove(place)?;
        self.hungry.remove(place);
        self.changed.remove(place);
        self.given.retain(|(whose, ..)| whose != place);
        for part in &claim.parts {
            let size = part.component.reservation();
            self.room.give_back(&part.kept, size);
            self.room.give_back(&part.elastic, size);
        }
        if let Some(purse) = claim.purse.and_then(|purse| self.purses.get_mut(purse)) {
            purse.left += claim.size();
        }
        self.next = Some(Bound::Unbounded);
        Some(claim)
    }

    /// Gives everybody the place that `place` says, for orders that are not steady.
    pub fn reorder(&mut self, mut place: impl FnMut(&Place) -> Place) {
        let served = std::mem::take(&mut self.served);
        let hungry = std::mem::take(&mut self.hungry);
        self.served = served
            .into_iter()
            .map(|(old, claim)| {
                let new = place(&old);
                if hungry.contains(&old) {
                    self.hungry.insert(new);
                }
                (new, claim)
            })
            .collect();
        self.given.clear();
        self.next = Some(Bound::Unbounded);
    }

    /// Begins a round: what was given before is kept, and who changed is told once.
    pub fn begin(&mut self) {
        self.given.clear();
        self.changed.clear();
    }

    /// Those whose members are others than when the round began.
    pub fn changed(&self) -> impl Iterator<Item = &Place> {
        self.changed.iter()
    }

    /// Gives the next one in the line its core members, or its claim back. Those before it have their elastic members first.
    pub fn offer(&mut self, place: Place, mut claim: Claim<'a>) -> Result<(), Claim<'a>> {
        self.refill(Bound::Excluded(place));
        if self.place_core(&mut claim) {
            self.admit(place, claim);
            return Ok(());
        }
        let sum = |(whose, part, members): &(Place, usize, usize)| {
            let part = self.served.get(whose).and_then(|c| c.parts.get(*part));
            let size = part.map(|part| part.component.reservation());
            size.unwrap_or_default().times(*members as u64)
        };
        let given: Resources = self.given.iter().map(sum).sum();
        if self.given.is_empty() || !claim.core_size().fits(self.room.free() + given) {
            return Err(claim);
        }
        self.yield_for(place, claim)
    }

    /// Takes back what was given in this round, to see whether more is in use if this one comes.
    fn yield_for(&mut self, place: Place, mut claim: Claim<'a>) -> Result<(), Claim<'a>> {
        let free = self.room.weight(self.room.free());
        let given = std::mem::take(&mut self.given);
        let held = self.withdraw(&given);
        if self.place_core(&mut claim) {
            self.admit(place, claim);
            self.refill(Bound::Included(place));
            if self.room.weight(self.room.free()) < free {
                return Ok(());
            }
            let anew = std::mem::take(&mut self.given);
            self.withdraw(&anew);
            claim = self.leave(&place).unwrap_or_default();
            for part in &mut claim.parts {
                part.core = part.kept.len();
                part.kept.clear();
            }
        }
        // As it was, to the very node.
        for (&(whose, part, _), spots) in given.iter().zip(held) {
            self.hand_out(whose, part, spots, true);
        }
        self.given = given;
        self.next = Some(Bound::Included(place));
        Err(claim)
    }

    /// Adds one whose core members were just placed.
    pub(super) fn admit(&mut self, place: Place, claim: Claim<'a>) {
        if let Some(purse) = claim.purse.and_then(|purse| self.purses.get_mut(purse)) {
            purse.left = purse.left.minus(claim.size());
        }
        self.changed.insert(place);
        self.join(place, claim);
    }

    /// Gives a claim its core members, if there is room for all.
    fn place_core(&mut self, claim: &mut Claim<'a>) -> bool {
        let Some(placed) = place(&mut self.room, claim) else {
            return false;
        };
        claim.settle(placed);
        true
    }

    /// Whether a claim's core members have room, which is left as it is.
    pub(super) fn has_room(&mut self, claim: &Claim<'a>) -> bool {
        self.find_core(claim).is_some()
    }

    /// Where a claim's core members have room, which is left as it is.
    pub(super) fn find_core(&mut self, claim: &Claim<'a>) -> Option<Vec<Vec<usize>>> {
        let placed = place(&mut self.room, claim)?;
        for (part, spots) in claim.parts.iter().zip(&placed) {
            self.room.give_back(spots, part.component.reservation());
        }
        Some(placed)
    }

    /// Gives elastic members to those before a place, as [`Self::offer`] does.
    pub fn refill_before(&mut self, place: Place) {
        self.refill(Bound::Excluded(place));
    }

    /// Gives one no more elastic members than it has.
    pub(super) fn sate(&mut self, place: &Place) {
        self.hungry.remove(place);
    }

    /// Gives what is left to elastic members, in the order of the line.
    pub fn fill_up(&mut self) {
        self.refill(Bound::Unbounded);
    }
}

/// Gives a claim's core members a place, if there is room for all.
pub(super) fn place(room: &mut Room<'_>, claim: &Claim<'_>) -> Option<Vec<Vec<usize>>> {
    if !claim.core_size().fits(room.free()) {
        return None;
    }
    let asks: Vec<Ask<'_, '_>> = claim.parts.iter().map(core_ask).collect();
    room.place_all(&asks).ok()
}

fn core_ask<'c>(part: &Part<'c>) -> Ask<'c, 'static> {
    Ask {
        component: part.component,
        count: part.core,
        there: &[],
    }
}
