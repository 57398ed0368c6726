//! Backfill in a simulation: what becomes free when, from the time limits of what runs, and who goes before the first that
//! waits. The rule is the scheduler's own ([`Backfill`]).

use super::line::Line;
use super::queue::Waiting;
use super::time::Time;
use crate::scheduler::{Backfill, Claim, Place, Release};

impl<'a> Line<'a> {
    /// Starts those behind the first that can't delay it.
    pub(super) fn backfill(&mut self, first: Place, claim: &Claim<'a>, now: Time) {
        // Without time limits nothing is known of what is to come.
        if self.ends.is_empty() {
            return;
        }
        let behind = self
            .queue
            .behind(&first, &self.accounts, now, |one| self.may_fit(one));
        if behind.is_empty() {
            return;
        }
        let releases = self.releases(first, now);
        let kept = Backfill::reserve(self.division.room(), claim, now, releases);
        let Some(mut kept) = kept else { return };
        #[cfg(test)]
        self.promises
            .extend(self.numbers.get(&first.id()).map(|job| (*job, kept.at())));
        for (place, one) in behind {
            // Most can be told without a look at any node; and room only gets less.
            if !self.may_fit(&one) {
                continue;
            }
            let free = self.division.room().free();
            self.division.refill_before(place);
            if self.division.room().free() != free {
                kept.look(self.division.room());
            }
            let end = self.jobs.get(one.job).and_then(|job| job.deadline(now));
            let claim = self.claim(one.job);
            if kept.offer(&mut self.division, place, claim, end).is_ok() {
                self.start(place, &one, now);
            }
        }
    }

    /// Whether there is as much free as it must be given, on whatever nodes.
    fn may_fit(&self, one: &Waiting) -> bool {
        let free = self.division.room().free();
        self.needed(one.job).fits(free)
    }

    /// What becomes free for the one at `first`, the earliest first. What those behind it have beyond their core members it
    /// can have at once.
    fn releases(&self, first: Place, now: Time) -> impl Iterator<Item = Release<Time>> {
        let yielded = self.division.behind(first).flat_map(move |(_, claim)| {
            claim.parts.iter().flat_map(move |part| {
                let size = part.component.reservation();
                let spots = part.elastic.iter();
                spots.map(move |&position| Release {
                    at: now,
                    position,
                    size,
                })
            })
        });
        let ended = self.ends.iter().flat_map(move |&(at, job)| {
            let place = self.running.get(&job).map(|one| one.place);
            let claim = place.and_then(|place| self.division.served(&place));
            let behind = place > Some(first);
            let parts = claim.into_iter().flat_map(|claim| &claim.parts);
            parts.flat_map(move |part| {
                let size = part.component.reservation();
                let elastic = part.elastic.iter().filter(move |_| !behind);
                let spots = part.kept.iter().chain(elastic);
                spots.map(move |&position| Release { at, position, size })
            })
        });
        yielded.chain(ended)
    }
}
