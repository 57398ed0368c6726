//! Taking elastic members back for the core of somebody who stands before their owner in the line.

use crate::model::Resources;

use super::claims::{Claim, Taken};
use super::division::Division;
use super::order::Place;

impl<'a> Division<'a> {
    /// Takes elastic members back from those behind `place`, the last first, so that the core members of this claim have
    /// room: no more than it takes, and none if it would not do.
    pub fn reclaim(&mut self, place: &Place, claim: &Claim<'a>) -> Vec<Taken> {
        let mut all = Resources::ZERO;
        let mut behind = Vec::new();
        for (whose, claim) in self.behind(place) {
            let size = claim.elastic_size();
            if size != Resources::ZERO {
                all += size;
                behind.push(*whose);
            }
        }
        let core = claim.core_size();
        if !core.fits(self.room.free() + all) {
            return Vec::new();
        }
        let mut taken = Vec::new();
        let mut enough = false;
        for whose in behind {
            let members = self.served(&whose);
            let members: Vec<_> = members
                .into_iter()
                .flat_map(|claim| elastic_members(whose, claim))
                .collect();
            for (member, size) in members {
                self.room.give_back(&[member.position], size);
                taken.push((member, size));
                enough = self.has_room(claim);
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
            self.room.take(member.position, size);
            if enough && !self.has_room(claim) {
                self.room.give_back(&[member.position], size);
                needed.push(member);
            }
        }
        self.strike(&needed);
        needed
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
