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

use super::claims::{Claim, Part, Taken};
use super::order::Place;
use super::room::{Ask, Room};

/// Executions and the room that they share.
#[derive(Debug, Clone)]
pub struct Division<'a> {
    pub(super) room: Room<'a>,
    /// Those that have their core members.
    served: BTreeMap<Place, Claim<'a>>,
    /// Those of them that may have more elastic members.
    hungry: BTreeSet<Place>,
    /// From where on those that are hungry have not been looked at since there last was more room; `None`: all have.
    next: Option<Bound<Place>>,
    /// What was given in this round: to whom, of which part, and how many elastic members.
    given: Vec<(Place, usize, usize)>,
    /// Whose members are others than before this round.
    changed: BTreeSet<Place>,
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
        }
    }

    /// What is free.
    pub fn room(&self) -> &Room<'a> {
        &self.room
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

    /// Takes back these grants, the last first, and gives their positions.
    fn withdraw(&mut self, given: &[(Place, usize, usize)]) -> Vec<Vec<usize>> {
        let mut held: Vec<Vec<usize>> = Vec::with_capacity(given.len());
        for (whose, part, members) in given.iter().rev() {
            let claim = self.served.get_mut(whose);
            let Some(part) = claim.and_then(|claim| claim.parts.get_mut(*part)) else {
                held.push(Vec::new());
                continue;
            };
            let from = part.elastic.len().saturating_sub(*members);
            let spots = part.elastic.split_off(from);
            let size = part.component.reservation();
            self.room.give_back(&spots, size);
            self.hungry.insert(*whose);
            held.push(spots);
        }
        self.next = Some(Bound::Unbounded);
        held.reverse();
        held
    }

    /// Gives elastic members that have a place; `take` says whether their room is still to be taken.
    fn hand_out(&mut self, whose: Place, part: usize, spots: Vec<usize>, take: bool) {
        let Some(claim) = self.served.get_mut(&whose) else {
            return;
        };
        if let Some(part) = claim.parts.get_mut(part) {
            if take {
                let size = part.component.reservation();
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

    fn admit(&mut self, place: Place, claim: Claim<'a>) {
        self.changed.insert(place);
        self.join(place, claim);
    }

    /// Gives a claim its core members, if there is room for all.
    fn place_core(&mut self, claim: &mut Claim<'a>) -> bool {
        if !claim.core_size().fits(self.room.free()) {
            return false;
        }
        let asks: Vec<Ask<'_, '_>> = claim.parts.iter().map(core_ask).collect();
        let Ok(placed) = self.room.place_all(&asks) else {
            return false;
        };
        for (part, spots) in claim.parts.iter_mut().zip(placed) {
            part.kept.extend(spots);
            part.core = 0;
        }
        true
    }

    /// Whether a claim's core members have room, which is left as it is.
    pub(super) fn has_room(&mut self, claim: &Claim<'a>) -> bool {
        if !claim.core_size().fits(self.room.free()) {
            return false;
        }
        let asks: Vec<Ask<'_, '_>> = claim.parts.iter().map(core_ask).collect();
        let Ok(placed) = self.room.place_all(&asks) else {
            return false;
        };
        for (ask, spots) in asks.iter().zip(&placed) {
            self.room.give_back(spots, ask.component.reservation());
        }
        true
    }

    /// Gives what is left to elastic members, in the order of the line.
    pub fn fill_up(&mut self) {
        self.refill(Bound::Unbounded);
    }

    fn refill(&mut self, upto: Bound<Place>) {
        let Some(from) = self.next.filter(|from| !is_empty(*from, upto)) else {
            return;
        };
        let hungry: Vec<Place> = self.hungry.range((from, upto)).copied().collect();
        for place in hungry {
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

    /// Those behind a place that have their core members, the last first.
    pub(super) fn behind(&self, place: &Place) -> impl Iterator<Item = (&Place, &Claim<'a>)> {
        let after = (Bound::Excluded(*place), Bound::Unbounded);
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

    fn feed(&mut self, place: Place) {
        let Some(claim) = self.served.get(&place) else {
            return;
        };
        let mut found = Vec::new();
        for (n, part) in claim.parts.iter().enumerate() {
            let wanted = part.most.saturating_sub(part.elastic.len());
            if wanted == 0 || !self.room.has(part.component.reservation()) {
                continue;
            }
            let there: Vec<usize> = part.kept.iter().chain(&part.elastic).copied().collect();
            let spots = self.room.place_some(&Ask {
                component: part.component,
                count: wanted,
                there: &there,
            });
            if !spots.is_empty() {
                found.push((n, spots));
            }
        }
        for (part, spots) in found {
            self.given.push((place, part, spots.len()));
            self.hand_out(place, part, spots, false);
        }
    }
}

fn core_ask<'c, 't>(part: &'t Part<'c>) -> Ask<'c, 't> {
    Ask {
        component: part.component,
        count: part.core,
        there: &part.kept,
    }
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

#[cfg(test)]
mod tests {
    use super::super::generators::{component, id, node};
    use super::super::order::{Contender, Mode, Order};
    use super::*;
    use crate::model::{Component, Node};

    /// Its place in the line, first come, first served.
    fn place(n: u64) -> Place {
        Order::Fifo.place(&Contender {
            id: id(n),
            priority: 0,
            submitted: i64::try_from(n).unwrap(),
            waited: 0,
            share: 0,
            runtime: 0,
            usage: 0,
        })
    }

    /// Of one unit each, 3 of them core.
    fn units(elastic: u32) -> Component {
        let mut component = component("unit", 3, 1000, 0);
        component.elastic = elastic;
        component
    }

    /// Who ends when, if each is 10 long with all its members.
    fn turnarounds(mode: Mode) -> Vec<f64> {
        let nodes: Vec<Node> = vec![node("one", 10_000, 0)];
        let components = [4, 3, 5, 2].map(units);
        let mut division = Division::new(Room::empty(&nodes));
        let mut line: std::collections::VecDeque<_> = (0u64..).zip(&components).collect();
        let mut left: BTreeMap<Place, f64> = BTreeMap::new();
        let (mut now, mut ends) = (0.0, vec![0.0; 4]);
        while !line.is_empty() || !left.is_empty() {
            division.begin();
            while let Some((n, component)) = line.front().copied() {
                if division
                    .offer(place(n), Claim::new([component], mode))
                    .is_err()
                {
                    break;
                }
                left.insert(place(n), 10.0);
                line.pop_front();
            }
            division.fill_up();
            let rate = |place: &Place| {
                let claim = division.served(place).unwrap();
                f64::from(u32::try_from(claim.has()).unwrap())
                    / f64::from(u32::try_from(claim.wants()).unwrap())
            };
            let rates: BTreeMap<Place, f64> = left.keys().map(|p| (*p, rate(p))).collect();
            let step = left.iter().map(|(p, left)| left / rates[p]);
            let step = step.fold(f64::INFINITY, f64::min);
            now += step;
            for (place, left) in &mut left {
                *left -= step * rates[place];
            }
            left.retain(|place, left| {
                let goes_on = *left > 1e-9;
                if !goes_on {
                    let n = (0..4).position(|n| self::place(n) == *place).unwrap();
                    ends[n] = now;
                    division.leave(place);
                }
                goes_on
            });
        }
        ends
    }

    #[test]
    fn the_example_of_the_paper_comes_out() {
        let near = |a: Vec<f64>, b: [f64; 4]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.005);
        assert!(near(turnarounds(Mode::Rigid), [10.0, 20.0, 30.0, 40.0]));
        let flexible = turnarounds(Mode::Flexible);
        assert!(
            near(flexible.clone(), [10.0, 15.0, 23.571, 28.428]),
            "{flexible:?}"
        );
    }

    #[test]
    fn who_does_not_add_to_what_is_in_use_leaves_all_as_it_was() {
        let nodes = vec![node("a", 4000, 0), node("b", 4000, 0)];
        let (first, second) = (units(5), units(0));
        let mut division = Division::new(Room::empty(&nodes));
        let begun = Claim::new([&first], Mode::Flexible);
        division.offer(place(1), begun).unwrap();
        let refused = division.offer(place(2), Claim::new([&second], Mode::Flexible));
        assert_eq!(
            refused.unwrap_err().core_size(),
            second.reservation().times(3)
        );
        let claim = division.served(&place(1)).unwrap();
        assert_eq!((claim.has(), division.room().free()), (8, Resources::ZERO));
        division.leave(&place(1));
        assert_eq!(division.room().free(), division.room().total());
    }

    #[test]
    fn no_more_is_taken_back_than_it_takes_and_from_the_last_only() {
        let nodes = vec![node("a", 4000, 0), node("b", 4000, 0), node("c", 4000, 0)];
        let components = [units(0), units(3), units(3)];
        let mut division = Division::new(Room::empty(&nodes));
        division.begin();
        for n in [1, 2] {
            let claim = Claim::new([&components[usize::try_from(n).unwrap()]], Mode::Flexible);
            division.offer(place(n * 10), claim).unwrap();
        }
        division.fill_up();
        assert_eq!(division.room().free(), Resources::ZERO);
        division.begin();
        let early = Claim::new([&components[0]], Mode::Flexible);
        let early = division.offer(place(5), early).unwrap_err();
        let taken = division.reclaim(&place(5), &early);
        assert_eq!(taken.len(), 3);
        assert!(taken.iter().all(|taken| taken.place == place(20)));
        assert!(division.offer(place(5), early).is_ok());
        let late = Claim::new([&components[0]], Mode::Flexible);
        assert_eq!(division.reclaim(&place(30), &late), []);
    }
}
