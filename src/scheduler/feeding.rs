//! Giving elastic members to those that have their core, and taking them back within a round.

use std::ops::Bound;

use crate::model::Resources;

use super::claims::{Claim, Taken};
use super::division::Division;
use super::order::Place;
use super::room::Ask;

impl<'a> Division<'a> {
    /// Takes back these grants, the last first, and gives their positions.
    pub(super) fn withdraw(&mut self, given: &[(Place, usize, usize)]) -> Vec<Vec<usize>> {
        let mut held: Vec<Vec<usize>> = Vec::with_capacity(given.len());
        for (whose, part, members) in given.iter().rev() {
            let claim = self.served.get_mut(whose);
            let purse = claim.as_ref().and_then(|claim| claim.purse);
            let Some(part) = claim.and_then(|claim| claim.parts.get_mut(*part)) else {
                held.push(Vec::new());
                continue;
            };
            let from = part.elastic.len().saturating_sub(*members);
            let spots = part.elastic.split_off(from);
            let size = part.component.reservation();
            self.room.give_back(&spots, size);
            self.hungry.insert(*whose);
            if let Some(purse) = purse.and_then(|purse| self.purses.get_mut(purse)) {
                let back = size.times(spots.len() as u64);
                purse.left += back;
                purse.elastic = purse.elastic.minus(back);
            }
            held.push(spots);
        }
        self.next = Some(Bound::Unbounded);
        held.reverse();
        held
    }

    /// Gives elastic members that have a place; `take` says whether their room is still to be taken.
    pub(super) fn hand_out(&mut self, whose: Place, part: usize, spots: Vec<usize>, take: bool) {
        let Some(claim) = self.served.get_mut(&whose) else {
            return;
        };
        if let Some(part) = claim.parts.get_mut(part) {
            let size = part.component.reservation();
            if let Some(purse) = claim.purse.and_then(|purse| self.purses.get_mut(purse)) {
                let sum = size.times(spots.len() as u64);
                purse.left = purse.left.minus(sum);
                purse.elastic += sum;
            }
            if take {
                for &position in &spots {
                    self.room.take(position, size);
                }
            }
            part.elastic.extend(spots);
        }
        if !claim.is_hungry() {
            self.hungry.remove(&whose);
        }
        self.changed.insert(whose);
    }

    pub(super) fn refill(&mut self, upto: Bound<Place>) {
        let Some(from) = self.next.filter(|from| !is_empty(*from, upto)) else {
            return;
        };
        for place in self.candidates(from, upto) {
            if self.room.free() == Resources::ZERO {
                break;
            }
            self.feed(place);
        }
        self.next = match upto {
            Bound::Included(place) => Some(Bound::Excluded(place)),
            Bound::Excluded(place) => Some(Bound::Included(place)),
            Bound::Unbounded => None,
        };
    }

    /// Those between two places that may have more members, of a size for which some node has room. As room only gets less
    /// while it is given away, whoever is not among them now gets nothing.
    fn candidates(&self, from: Bound<Place>, upto: Bound<Place>) -> Vec<Place> {
        let mut misfits: Vec<Resources> = Vec::new();
        let mut fits = |size: Resources| {
            if misfits.iter().any(|small| small.fits(size)) {
                return false;
            }
            let fits = self.room.has(size);
            if !fits {
                misfits.retain(|large| !size.fits(*large));
                misfits.push(size);
            }
            fits
        };
        let mut could = |claim: &Claim<'a>| {
            let mut parts = claim.parts.iter();
            parts.any(|p| p.elastic.len() < p.most && fits(p.component.reservation()))
        };
        if self.hungry.len() < self.served.len() / 8 {
            let hungry = self.hungry.range((from, upto));
            let could = |place: &&Place| self.served.get(place).is_some_and(&mut could);
            return hungry.filter(could).copied().collect();
        }
        // Going through all is quicker than looking up most.
        let served = self.served.range((from, upto));
        let found = served.filter(|(place, claim)| could(claim) && self.hungry.contains(place));
        found.map(|(place, _)| *place).collect()
    }

    /// Those behind a place that have their core members, the last first.
    pub fn behind(&self, place: Place) -> impl Iterator<Item = (&Place, &Claim<'a>)> {
        let after = (Bound::Excluded(place), Bound::Unbounded);
        self.served.range(after).rev()
    }

    /// Removes members that were taken back from their claims.
    pub(super) fn strike(&mut self, taken: &[Taken]) {
        let mut sorted: Vec<&Taken> = taken.iter().collect();
        // The last first, so that the numbers of the others stay right.
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        for member in sorted {
            let claim = self.served.get_mut(&member.place);
            if let Some(part) = claim.and_then(|claim| claim.parts.get_mut(member.part))
                && member.slot < part.elastic.len()
            {
                part.elastic.remove(member.slot);
            }
            self.hungry.insert(member.place);
            self.changed.insert(member.place);
        }
        if !taken.is_empty() {
            self.next = Some(Bound::Unbounded);
        }
    }

    pub(super) fn feed(&mut self, place: Place) {
        let Some(claim) = self.served.get(&place) else {
            return;
        };
        let mut found = Vec::new();
        let purse = claim.purse.and_then(|purse| self.purses.get(purse));
        let mut left = purse.map(|purse| purse.left);
        for (n, part) in claim.parts.iter().enumerate() {
            let mut wanted = part.most.saturating_sub(part.elastic.len());
            let size = part.component.reservation();
            if let Some(left) = left {
                wanted = wanted.min(times(size, left));
            }
            if wanted == 0 || !self.room.has(size) {
                continue;
            }
            let there: Vec<usize> = part.kept.iter().chain(&part.elastic).copied().collect();
            let spots = self.room.place_some(&Ask {
                component: part.component,
                count: wanted,
                there: &there,
            });
            if !spots.is_empty() {
                left = left.map(|left| left.minus(size.times(spots.len() as u64)));
                found.push((n, spots));
            }
        }
        for (part, spots) in found {
            self.given.push((place, part, spots.len()));
            self.hand_out(place, part, spots, false);
        }
    }
}

/// How many of that size are in an amount.
pub(super) fn times(size: Resources, amount: Resources) -> usize {
    let by = |amount: u64, size: u64| amount.checked_div(size).unwrap_or(u64::MAX);
    let cores = by(amount.cores.millis(), size.cores.millis());
    let memory = by(amount.memory.get(), size.memory.get());
    usize::try_from(cores.min(memory)).unwrap_or(usize::MAX)
}

/// Whether nothing can be between these two.
fn is_empty(from: Bound<Place>, upto: Bound<Place>) -> bool {
    match (from, upto) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(upto)) => from > upto,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(upto))
        | (Bound::Excluded(from), Bound::Included(upto)) => from >= upto,
    }
}
