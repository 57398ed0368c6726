//! Going before the first that waits, where that can't delay it: EASY backfill (Lifka, "The ANL/IBM SP scheduling system",
//! 1995; Mu'alem and Feitelson, IEEE TPDS 2001).
//!
//! When what runs has time limits it is known by when the first has its room at the latest, and which: that is what is
//! kept for it. One behind it may start if it ends before that by its own time limit, or if its core members leave the
//! kept room alone. Without time limits nothing is kept, and nobody goes before. Only the first has room kept.
//!
//! Here is the rule alone, over a division and any clock: a plan ([`super::reserving`]) and a simulation run it.

use std::collections::BTreeMap;

use crate::model::{Component, Resources};

use super::claims::Claim;
use super::division::{Division, place as place_in};
use super::order::Place;
use super::room::Room;

/// How many moments are looked at one by one; after that ever more are skipped, at the cost of a later reservation.
const CLOSE: usize = 64;

/// Where the core members of a claim go, by part.
type Spots = Vec<Vec<usize>>;

/// What becomes free.
#[derive(Debug, Clone, Copy)]
pub struct Release<T> {
    /// When.
    pub at: T,
    /// Where.
    pub position: usize,
    /// How much.
    pub size: Resources,
}

/// The room that is kept for the first that waits, as it bears on those behind.
#[derive(Debug, Clone)]
pub struct Backfill<'a, T> {
    at: T,
    /// What is free when the first has its room.
    later: Room<'a>,
    /// What is free now and will be then.
    both: Room<'a>,
    /// Where the core members of the first go then, by part.
    spots: Spots,
}

/// Why one can't go before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no room for it now.
    NoRoom,
    /// There is, and the first needs it when this one would still run.
    WouldDelay,
}

impl<'a, T: Copy + Ord> Backfill<'a, T> {
    /// Keeps the room that a claim's core members have first as `releases` come, which are in the order of time; `None` if
    /// they never have any.
    pub fn reserve(
        now_free: &Room<'a>,
        claim: &Claim<'_>,
        now: T,
        releases: impl IntoIterator<Item = Release<T>>,
    ) -> Option<Self> {
        let (spots, passed) = first_fit(now_free.clone(), claim, releases)?;
        let needed = taken(claim, &spots);
        let at = first_free(now_free, &needed, now, &passed);
        let mut later = now_free.clone();
        for release in passed.iter().filter(|release| release.at <= at) {
            later.give_back(&[release.position], release.size);
        }
        for (position, size) in &needed {
            later.take(*position, *size);
        }
        let mut backfill = Self {
            at,
            later,
            both: now_free.clone(),
            spots,
        };
        backfill.look(now_free);
        Some(backfill)
    }

    /// When the first has its room at the latest.
    pub fn at(&self) -> T {
        self.at
    }

    /// Where its core members go then, by part.
    pub fn spots(&self) -> &[Vec<usize>] {
        &self.spots
    }

    /// What is free now is another than it was. What was given to elastic members is not free beside the kept room either.
    pub fn look(&mut self, now_free: &Room<'a>) {
        for position in 0..now_free.len() {
            self.look_at(now_free, position);
        }
    }

    fn look_at(&mut self, now_free: &Room<'a>, position: usize) {
        let (now, later) = (now_free.free_at(position), self.later.free_at(position));
        let both = Resources {
            cores: now.cores.min(later.cores),
            memory: now.memory.min(later.memory),
        };
        self.both.set_free(position, both);
    }

    /// Gives one behind the first its core members, if it can't delay that; `end` is when it ends at the latest.
    pub fn offer(
        &mut self,
        division: &mut Division<'a>,
        place: Place,
        mut claim: Claim<'a>,
        end: Option<T>,
    ) -> Result<(), Refused> {
        let in_time = end.is_some_and(|end| end <= self.at);
        let room = if in_time {
            division.room_mut()
        } else {
            &mut self.both
        };
        let Some(spots) = place_in(room, &claim) else {
            return Err(if division.has_room(&claim) {
                Refused::WouldDelay
            } else {
                Refused::NoRoom
            });
        };
        for (&position, &size) in &taken(&claim, &spots) {
            if !in_time {
                division.room_mut().take(position, size);
                self.later.take(position, size);
            }
            self.look_at(division.room(), position);
        }
        claim.settle(spots);
        division.admit(place, claim);
        Ok(())
    }
}

/// Where a claim's core members have room first as room becomes free, and what has become free by then.
fn first_fit<T: Copy + Ord>(
    mut room: Room<'_>,
    claim: &Claim<'_>,
    releases: impl IntoIterator<Item = Release<T>>,
) -> Option<(Spots, Vec<Release<T>>)> {
    let mut rest = releases.into_iter().peekable();
    let mut passed = Vec::new();
    let (mut moment, mut tried, mut skip) = (0, 0, 0);
    while let Some(at) = rest.peek().map(|release| release.at) {
        while let Some(release) = rest.next_if(|release| release.at <= at) {
            room.give_back(&[release.position], release.size);
            passed.push(release);
        }
        let fits = claim.core_size().fits(room.free());
        if fits && (moment >= skip || rest.peek().is_none()) {
            if let Some(spots) = place_in(&mut room, claim) {
                return Some((spots, passed));
            }
            tried += 1;
            if tried >= CLOSE {
                skip = moment + (tried - CLOSE) * 2;
            }
        }
        moment += 1;
    }
    None
}

/// When so much is free at each of these positions: it may have been before the moment at which it was looked for.
fn first_free<T: Copy + Ord>(
    now_free: &Room<'_>,
    needed: &BTreeMap<usize, Resources>,
    now: T,
    releases: &[Release<T>],
) -> T {
    let mut loads: BTreeMap<usize, (Resources, Resources)> = BTreeMap::new();
    let mut at = now;
    for release in releases {
        let Some(needed) = needed.get(&release.position) else {
            continue;
        };
        let load = || now_free.load(release.position);
        let (capacity, used) = loads.entry(release.position).or_insert_with(load);
        if !needed.fits(capacity.minus(*used)) {
            *used = used.minus(release.size);
            at = release.at;
        }
    }
    at
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
