//! Taking elastic members back for the core of somebody who stands before their owner in the line.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Cause, Execution, ExecutionId, InstanceKey, Mode, Placement, Reservation, Resources, Step,
    WaitReason,
};

use super::claims::{Claim, Taken};
use super::division::{Division, place as place_in};
use super::order::Place;
use super::starts::Starts;

/// From how many executions members are taken back before it is asked whether it would do at all.
const FEW: usize = 8;

impl<'a> Division<'a> {
    /// Takes elastic members back from those behind `place`, the last first, so that the core members of this claim have
    /// room: no more than it takes, and none if it would not do.
    pub fn reclaim(&mut self, place: &Place, claim: &Claim<'a>) -> Vec<Taken> {
        self.reclaim_for(place, claim).0
    }

    /// The same, and where the core members have room then.
    fn reclaim_for(&mut self, place: &Place, claim: &Claim<'a>) -> (Vec<Taken>, Vec<Vec<usize>>) {
        let mut all = Resources::ZERO;
        let mut behind = Vec::new();
        for (whose, claim) in self.behind(*place) {
            let size = claim.elastic_size();
            if size != Resources::ZERO {
                all += size;
                behind.push(*whose);
            }
        }
        let core = claim.core_size();
        if !core.fits(self.room.free() + all) {
            return (Vec::new(), Vec::new());
        }
        let mut taken = Vec::new();
        let mut enough = false;
        for (n, whose) in behind.iter().copied().enumerate() {
            if n == FEW && !self.would_do(claim, behind.get(n..).unwrap_or_default()) {
                break;
            }
            let members = self.served(&whose);
            let members: Vec<_> = members
                .into_iter()
                .flat_map(|claim| elastic_members(whose, claim))
                .collect();
            for (member, size) in members {
                self.room.give_back(&[member.position], size);
                taken.push((member, size));
                // Room for none of its members makes no difference to it.
                enough = self.holds_any(member.position, claim) && self.has_room(claim);
                if enough {
                    break;
                }
            }
            if enough {
                break;
            }
        }
        // Some of them may have been taken from where it does not help. The foremost get theirs back first.
        let mut needed = Vec::new();
        for (member, size) in taken.into_iter().rev() {
            let matters = self.holds_any(member.position, claim);
            self.room.take(member.position, size);
            if enough && matters && !self.has_room(claim) {
                self.room.give_back(&[member.position], size);
                needed.push((member, size));
            }
        }
        let spots = self.find_core(claim).unwrap_or_default();
        let used: BTreeSet<usize> = spots.iter().flatten().copied().collect();
        needed.retain(|(member, size)| {
            let helps = used.contains(&member.position);
            if !helps {
                self.room.take(member.position, *size);
            }
            helps
        });
        let needed: Vec<Taken> = needed.into_iter().map(|(member, _)| member).collect();
        self.strike(&needed);
        (needed, spots)
    }
}

impl<'a> Starts<'a> {
    /// Takes elastic members back from those behind it, if that makes room.
    pub(super) fn make_room(
        &mut self,
        place: Place,
        execution: &'a Execution,
        claim: &Claim<'a>,
    ) -> Option<WaitReason> {
        if self.mode == Mode::Rigid {
            return None;
        }
        let (taken, spots) = self.division.reclaim_for(&place, claim);
        if taken.is_empty() {
            return None;
        }
        let members = taken.len();
        let mut placement = Placement::new();
        for (part, spots) in claim.parts.iter().zip(&spots) {
            let room = self.division.room_mut();
            let indices: Vec<u32> = (0..part.component.members()).collect();
            placement.extend(room.named(part.component, &indices, spots));
            for &position in spots {
                room.take(position, part.component.reservation());
            }
        }
        let by = execution.ticket.id;
        let mut from: BTreeMap<ExecutionId, Vec<Cause>> = BTreeMap::new();
        for taken in taken {
            // What is taken back is free only when it is gone.
            self.division.room_mut().close(taken.position);
            self.division.sate(&taken.place);
            let owner = taken.place.id();
            let grower = self.growers.iter().find(|g| g.place == taken.place);
            let growing = grower.and_then(|grower| grower.parts.get(taken.part));
            let member = growing.and_then(|growing| {
                Some(InstanceKey {
                    execution: owner,
                    component: growing.component.name.clone(),
                    index: *growing.there.get(taken.slot)?,
                })
            });
            let member = member.map(|member| Cause::Reclaimed { member, by });
            from.entry(owner).or_default().extend(member);
        }
        let owners = from.keys().copied().collect();
        self.reclaimed = from
            .into_iter()
            .map(|(execution, members)| Step::Drop { execution, members })
            .collect();
        self.reserved = Some(Reservation {
            execution: by,
            at: self.now,
            placement,
        });
        Some(WaitReason::MakingRoom {
            from: owners,
            members,
        })
    }
}

impl<'a> Division<'a> {
    /// Whether a node has room for a core member of a claim.
    fn holds_any(&self, position: usize, claim: &Claim<'a>) -> bool {
        let free = self.room.free_at(position);
        let mut parts = claim.parts.iter().filter(|part| part.core > 0);
        parts.any(|part| part.component.reservation().fits(free))
    }

    /// Whether a claim's core members had room if these had core members only: one look at all nodes, which spares taking
    /// members back one by one for nothing.
    fn would_do(&self, claim: &Claim<'a>, behind: &[Place]) -> bool {
        let mut sums: BTreeMap<usize, Resources> = BTreeMap::new();
        let parts = behind.iter().filter_map(|place| self.served(place));
        for part in parts.flat_map(|claim| &claim.parts) {
            let size = part.component.reservation();
            for position in &part.elastic {
                *sums.entry(*position).or_default() += size;
            }
        }
        let mut room = self.room.clone();
        for (position, sum) in sums {
            room.give_back(&[position], sum);
        }
        place_in(&mut room, claim).is_some()
    }
}

/// The elastic members of one, in the order in which they are taken back, each with its size.
fn elastic_members<'c>(
    place: Place,
    claim: &'c Claim<'_>,
) -> impl Iterator<Item = (Taken, Resources)> + 'c {
    let parts = claim.parts.iter().enumerate().rev();
    parts.flat_map(move |(n, part)| {
        let size = part.component.reservation();
        let slots = part.elastic.iter().enumerate().rev();
        slots.map(move |(slot, &position)| {
            let taken = Taken {
                place,
                part: n,
                slot,
                position,
            };
            (taken, size)
        })
    })
}
