//! Backfill in a plan: what becomes free when, from the time limits of what runs, and who goes before the first that waits.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Execution, ExecutionId, Mode, Placement, Reservation, Resources, WaitReason};

use super::backfill::{Backfill, Refused, Release};
use super::claims::Claim;
use super::order::Place;
use super::outcome::Start;
use super::starts::Starts;

/// The first that waits, and the room that is kept for it.
pub(super) struct Kept<'a> {
    head: ExecutionId,
    room: Backfill<'a, Timestamp>,
}

impl<'a> Starts<'a> {
    /// Finds out when the first that waits has its room, if the time limits say so.
    pub(super) fn reserve(&mut self, place: Place, execution: &'a Execution, claim: &Claim<'a>) {
        let ends = self.ends();
        if ends.is_empty() {
            return;
        }
        let releases = self.releases(place, &ends);
        let now = self.division.room();
        let Some(room) = Backfill::reserve(now, claim, self.now, releases) else {
            return;
        };
        let mut placement = Placement::new();
        for (part, spots) in claim.parts.iter().zip(room.spots()) {
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
            at: room.at(),
            placement,
        });
        self.kept = Some(Kept { head, room });
    }

    /// Gives elastic members to those before a place.
    pub(super) fn feed_before(&mut self, place: Place) {
        let free = self.division.room().free();
        self.division.refill_before(place);
        let now = self.division.room();
        if let Some(kept) = self.kept.as_mut().filter(|_| now.free() != free) {
            kept.room.look(now);
        }
    }

    /// Starts one behind the first that waits, if it can't delay that. Otherwise, with room there: why it waits all the same.
    pub(super) fn go_before(
        &mut self,
        place: Place,
        execution: &'a Execution,
    ) -> Result<(), Option<WaitReason>> {
        // Most can be told without a look at any node.
        let application = &execution.ticket.application;
        let needed = self.mode.needed(application);
        if self.kept.is_none() || !needed.fits(self.division.room().free()) {
            return Err(None);
        }
        let position = self.queued() + 1;
        let mut claim = self.claim(execution);
        // What is never taken back must not be given out of the first one's room.
        for part in &mut claim.parts {
            if application.monitor.as_ref() == Some(&part.component.name) {
                part.most = 0;
            }
        }
        let Some(Kept { head, room }) = self.kept.as_mut() else {
            return Err(None);
        };
        let limit = execution.ticket.timeout;
        let end = limit.and_then(|limit| self.now.checked_add(limit).ok());
        match room.offer(&mut self.division, place, claim, end) {
            Ok(()) => {
                self.decided.push(Start::fresh(execution, place));
                Ok(())
            }
            Err(Refused::NoRoom) => Err(None),
            Err(Refused::WouldDelay) => Err(Some(WaitReason::WouldDelay {
                execution: *head,
                at: room.at(),
                position,
            })),
        }
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
    fn releases(
        &self,
        place: Place,
        ends: &BTreeMap<ExecutionId, Timestamp>,
    ) -> Vec<Release<Timestamp>> {
        let mut releases = Vec::new();
        let mut yielded: BTreeMap<(ExecutionId, usize), Resources> = BTreeMap::new();
        let flexible = self.mode == Mode::Flexible;
        for (whose, claim) in self.division.behind(place).filter(|_| flexible) {
            for part in &claim.parts {
                let size = part.component.reservation();
                for &position in &part.elastic {
                    releases.push(Release {
                        at: self.now,
                        position,
                        size,
                    });
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
            if let Some(&at) = ends.get(&id) {
                releases.push(Release {
                    at,
                    position,
                    size: size.minus(yielded),
                });
            }
        }
        releases.sort_unstable_by_key(|release| (release.at, release.position));
        releases
    }
}
