//! Going before the first that waits, where that can't delay it: EASY backfill (Lifka, "The ANL/IBM SP scheduling system",
//! 1995; Mu'alem and Feitelson, IEEE TPDS 2001).
//!
//! When what runs has time limits it is known by when the first has its room at the latest, and which: that is its
//! reservation. One behind it may start if it ends before that by its own time limit, or if its core members leave the
//! reserved room alone. Without time limits there is no reservation, and nobody goes before. Only the first has one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    Component, Execution, ExecutionId, Mode, Placement, Reservation, Resources, WaitReason,
};

use super::claims::Claim;
use super::division::place as place_in;
use super::order::Place;
use super::outcome::Start;
use super::room::Room;
use super::starts::Starts;

/// How many moments are looked at one by one; after that ever more are skipped, at the cost of a later reservation.
const CLOSE: usize = 64;

/// The reservation of the first that waits, as it bears on those behind.
pub(super) struct Backfill<'a> {
    head: ExecutionId,
    at: Timestamp,
    /// What is free when the first has its room.
    later: Room<'a>,
    /// What is free now and will be then.
    both: Room<'a>,
}

/// What becomes free: when, where and how much.
type Release = (Timestamp, usize, Resources);

impl<'a> Starts<'a> {
    /// Finds out when the first that waits has its room, if the time limits say so.
    pub(super) fn reserve(&mut self, place: Place, execution: &'a Execution, claim: &Claim<'a>) {
        let ends = self.ends();
        if ends.is_empty() {
            return;
        }
        let releases = self.releases(place, &ends);
        let now = self.division.room().clone();
        let Some(spots) = first_fit(now.clone(), claim, &releases) else {
            return;
        };
        let needed = taken(claim, &spots);
        // The room may have been there before the moment at which it was looked for.
        let at = needed.iter().map(|(position, needed)| {
            let (capacity, mut used) = now.load(*position);
            let mut at = self.now;
            for (then, _, size) in releases.iter().filter(|(_, p, _)| p == position) {
                if needed.fits(capacity.minus(used)) {
                    break;
                }
                used = used.minus(*size);
                at = *then;
            }
            at
        });
        let at = at.max().unwrap_or(self.now);
        let mut later = now.clone();
        for (_, position, size) in releases.iter().filter(|(then, ..)| *then <= at) {
            later.give_back(&[*position], *size);
        }
        for (position, size) in &needed {
            later.take(*position, *size);
        }
        let mut both = now.clone();
        for position in 0..self.snapshot.nodes.len() {
            let free = least(now.free_at(position), later.free_at(position));
            both.set_free(position, free);
        }
        let mut placement = Placement::new();
        for (part, spots) in claim.parts.iter().zip(&spots) {
            let indices: Vec<u32> = (0..part.component.members()).collect();
            placement.extend(now.named(part.component, &indices, spots));
        }
        for grower in self.growers.iter().filter(|grower| grower.place > place) {
            let monitor = grower.execution.ticket.application.monitor.as_ref();
            if grower
                .parts
                .iter()
                .any(|part| monitor == Some(&part.component.name))
            {
                self.division.sate(&grower.place);
            }
        }
        let head = execution.ticket.id;
        self.reserved = Some(Reservation {
            execution: head,
            at,
            placement,
        });
        self.backfill = Some(Backfill {
            head,
            at,
            later,
            both,
        });
    }

    /// Gives elastic members to those before a place. What they get is not free beside the reservation either.
    pub(super) fn feed_before(&mut self, place: Place) {
        let free = self.division.room().free();
        self.division.refill_before(place);
        let now = self.division.room();
        let Some(backfill) = self.backfill.as_mut().filter(|_| now.free() != free) else {
            return;
        };
        for position in 0..self.snapshot.nodes.len() {
            let free = least(now.free_at(position), backfill.later.free_at(position));
            backfill.both.set_free(position, free);
        }
    }

    /// Starts one behind the first that waits, if it can't delay that. Otherwise, with room there: why it waits all the same.
    pub(super) fn go_before(
        &mut self,
        place: Place,
        execution: &'a Execution,
    ) -> Result<(), Option<WaitReason>> {
        // Most can be told without a look at any node.
        let needed = self.mode.needed(&execution.ticket.application);
        if self.backfill.is_none() || !needed.fits(self.division.room().free()) {
            return Err(None);
        }
        let position = self.queued() + 1;
        let mut claim = self.claim(execution);
        // What is never taken back must not be given out of the first one's room.
        let application = &execution.ticket.application;
        for part in &mut claim.parts {
            if application.monitor.as_ref() == Some(&part.component.name) {
                part.most = 0;
            }
        }
        let Some(backfill) = self.backfill.as_mut() else {
            return Err(None);
        };
        let limit = execution.ticket.timeout;
        let end = limit.and_then(|limit| self.now.checked_add(limit).ok());
        let in_time = end.is_some_and(|end| end <= backfill.at);
        let room = if in_time {
            self.division.room_mut()
        } else {
            &mut backfill.both
        };
        let Some(spots) = place_in(room, &claim) else {
            let fits = self.division.has_room(&claim);
            return Err(fits.then_some(WaitReason::WouldDelay {
                execution: backfill.head,
                at: backfill.at,
                position,
            }));
        };
        for (&position, &size) in &taken(&claim, &spots) {
            if !in_time {
                self.division.room_mut().take(position, size);
                backfill.later.take(position, size);
            }
            let now = self.division.room().free_at(position);
            let free = least(now, backfill.later.free_at(position));
            backfill.both.set_free(position, free);
        }
        claim.settle(spots);
        self.division.admit(place, claim);
        self.decided.push(Start::fresh(execution, place));
        Ok(())
    }

    /// When executions end at the latest, where that is known: those that this plan starts, too.
    fn ends(&self) -> BTreeMap<ExecutionId, Timestamp> {
        let mut ends = BTreeMap::new();
        for execution in &self.limited {
            if let Some(at) = execution.deadline() {
                ends.insert(execution.ticket.id, at.max(self.now));
            }
        }
        ends.extend(self.over.iter().map(|id| (*id, self.now)));
        for start in &self.decided {
            let ticket = &start.execution.ticket;
            let end = ticket.timeout.and_then(|t| self.now.checked_add(t).ok());
            if let (true, Some(end)) = (start.execution.instances.is_empty(), end) {
                ends.insert(ticket.id, end);
            }
        }
        ends
    }

    /// What becomes free for the one at `place`, the earliest first. What those behind it have beyond their core members it
    /// can have at once.
    fn releases(&self, place: Place, ends: &BTreeMap<ExecutionId, Timestamp>) -> Vec<Release> {
        let mut releases = Vec::new();
        let mut yielded: BTreeMap<(ExecutionId, usize), Resources> = BTreeMap::new();
        let flexible = self.mode == Mode::Flexible;
        for (whose, claim) in self.division.behind(&place).filter(|_| flexible) {
            for part in &claim.parts {
                let size = part.component.reservation();
                for &position in &part.elastic {
                    releases.push((self.now, position, size));
                    *yielded.entry((whose.id(), position)).or_default() += size;
                }
            }
        }
        let mut held: BTreeMap<(ExecutionId, usize), Resources> = BTreeMap::new();
        for (execution, position, size) in self.ledger.entries() {
            let id = execution.ticket.id;
            if ends.contains_key(&id) {
                *held.entry((id, position)).or_default() += size;
            }
        }
        for ((id, position), size) in held {
            let yielded = yielded.get(&(id, position)).copied().unwrap_or_default();
            if let Some(at) = ends.get(&id) {
                releases.push((*at, position, size.minus(yielded)));
            }
        }
        releases.sort_unstable_by_key(|(at, position, _)| (*at, *position));
        releases
    }
}

/// Where a claim's core members have room first, as room becomes free.
fn first_fit(
    mut room: Room<'_>,
    claim: &Claim<'_>,
    releases: &[Release],
) -> Option<Vec<Vec<usize>>> {
    let moments: BTreeSet<Timestamp> = releases.iter().map(|(at, ..)| *at).collect();
    let mut rest = releases.iter().peekable();
    let (mut tried, mut skip) = (0, 0);
    let last = moments.len();
    for (n, moment) in moments.into_iter().enumerate() {
        while let Some((_, position, size)) = rest.next_if(|(at, ..)| *at <= moment) {
            room.give_back(&[*position], *size);
        }
        if !claim.core_size().fits(room.free()) || (n < skip && n + 1 < last) {
            continue;
        }
        if let Some(spots) = place_in(&mut room, claim) {
            return Some(spots);
        }
        tried += 1;
        if tried >= CLOSE {
            skip = n + (tried - CLOSE) * 2;
        }
    }
    None
}

/// What a claim's core members take of each node.
fn taken(claim: &Claim<'_>, spots: &[Vec<usize>]) -> BTreeMap<usize, Resources> {
    let mut taken: BTreeMap<usize, Resources> = BTreeMap::new();
    for (part, spots) in claim.parts.iter().zip(spots) {
        let component: &Component = part.component;
        for &position in spots {
            *taken.entry(position).or_default() += component.reservation();
        }
    }
    taken
}

fn least(a: Resources, b: Resources) -> Resources {
    Resources {
        cores: a.cores.min(b.cores),
        memory: a.memory.min(b.memory),
    }
}
