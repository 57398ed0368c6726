//! Who is given room, in which order, and why the rest waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{
    Component, Execution, ExecutionId, Instance, InstanceState, Mode, Placement, Reservation,
    Resources, Snapshot, Step, WaitReason, Waiting,
};

use super::claims::Claim;
use super::division::Division;
use super::growers::Grower;
use super::ledger::{Ledger, Members};
use super::order::Place;
use super::outcome::{Kind, Start};
use super::packing::Wanted;
use super::reserving::Kept;
use super::room::Room;
use super::sight::Sight;
use super::standing::Standing;

/// The starts as they are being decided.
pub(super) struct Starts<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) sight: &'a Sight<'a>,
    pub(super) ledger: Ledger<'a>,
    pub(super) division: Division<'a>,
    pub(super) mode: Mode,
    pub(super) now: Timestamp,
    /// Those that this plan ends or undoes.
    pub(super) over: BTreeSet<ExecutionId>,
    /// Those that have members and a time limit.
    pub(super) limited: Vec<&'a Execution>,
    pub(super) decided: Vec<Start<'a>>,
    pub(super) growers: Vec<Grower<'a>>,
    /// The purse of each user's executions, for those whose quota limits them.
    pub(super) purses: BTreeMap<&'a str, Option<usize>>,
    /// What may go before the one that stops the queue.
    pub(super) kept: Option<Kept<'a>>,
    pub(super) reserved: Option<Reservation>,
    /// Elastic members that are taken back.
    pub(super) reclaimed: Vec<Step>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) standing: Standing<'a>,
    /// Who stops the queue, or stands last in it then.
    last: Option<ExecutionId>,
    /// How many wait in the queue.
    queued: usize,
}

impl<'a> Starts<'a> {
    /// Nothing decided yet.
    pub fn new(
        snapshot: &'a Snapshot,
        sight: &'a Sight<'a>,
        ledger: Ledger<'a>,
        mode: Mode,
        now: Timestamp,
    ) -> Self {
        let room = Room::beside(
            &snapshot.nodes,
            |node| ledger.held(node),
            |node| sight.takes(node),
        );
        Self {
            snapshot,
            sight,
            ledger,
            division: Division::new(room),
            mode,
            now,
            over: BTreeSet::new(),
            limited: Vec::new(),
            decided: Vec::new(),
            growers: Vec::new(),
            purses: BTreeMap::new(),
            kept: None,
            reserved: None,
            reclaimed: Vec::new(),
            waiting: Vec::new(),
            standing: Standing::default(),
            last: None,
            queued: 0,
        }
    }

    /// Gives as many of the members a place as there is room for, and says why there is none for the rest.
    pub fn place_more(
        &mut self,
        execution: &'a Execution,
        wanted: &Wanted<'_>,
    ) -> (Placement, Option<WaitReason>) {
        let found = self.division.room_mut().place_up_to(wanted);
        self.ledger.add(execution, &found);
        if found.len() == wanted.indices.len() {
            return (found, None);
        }
        let rest = wanted.indices.iter().copied().skip(found.len());
        let rest = Wanted::first(wanted.component, rest);
        let reason = self.why_not(execution, &[rest], wanted.component);
        (found, Some(reason))
    }

    /// Goes on with starts that were interrupted, in this order. Without room for the rest one waits, and the queue behind it.
    ///
    /// A member that was made and not started may have no room any more: whoever made it died, or was slow, and Docker made it
    /// after its place had been given to another. It is started once there is room for it.
    ///
    /// Those that are kept back wait without anybody having to wait for them.
    pub fn go_on(
        &mut self,
        half_started: &[&'a Execution],
        mut kept_back: BTreeMap<ExecutionId, WaitReason>,
    ) {
        let unstarted = |execution: &'a Execution| {
            let members = execution.instances.iter();
            members.filter(|i| i.state == InstanceState::Created)
        };
        let is_kept = |execution: &&Execution| kept_back.contains_key(&execution.ticket.id);
        let go_on = half_started.iter().copied().filter(|e| !is_kept(e));
        let mut later: Vec<&Instance> = go_on.flat_map(unstarted).collect();
        for execution in half_started {
            if let Some(reason) = kept_back.remove(&execution.ticket.id) {
                self.put_off(execution.ticket.id, reason);
                continue;
            }
            later.retain(|i| i.key.execution != execution.ticket.id);
            let crowded = unstarted(execution).find(|i| self.is_crowded(i, &later));
            let started = match crowded
                .and_then(|i| execution.ticket.application.component(&i.key.component))
            {
                Some(component) => {
                    let member = Wanted::first(component, [0]);
                    Err(self.why_not(execution, &[member], component))
                }
                None => self.resume(execution),
            };
            if let Err(reason) = started {
                let members = Members::to_start(execution, self.mode);
                match self.unfit_beside(&members, execution) {
                    Some(reason) => self.put_off(execution.ticket.id, reason),
                    None => self.stop(execution.ticket.id, reason),
                }
            }
        }
    }

    fn resume(&mut self, execution: &'a Execution) -> Result<(), WaitReason> {
        let members = Members::to_start(execution, self.mode);
        let placed = self.division.room_mut().place_wanted(&members.missing);
        match placed {
            Ok(mut placement) => {
                self.ledger.add(execution, &placement);
                placement.extend(members.made);
                self.decided.push(Start {
                    execution,
                    kind: Kind::Resumed,
                    placement,
                });
                Ok(())
            }
            Err(stuck) => Err(self.why_not(execution, &members.missing, stuck)),
        }
    }

    /// Whether an instance's node is too small for what is held on it, even without these.
    pub(super) fn is_crowded(&self, instance: &Instance, without: &[&Instance]) -> bool {
        let node = self.snapshot.nodes.iter().find(|n| n.name == instance.node);
        let Some(node) = node else { return false };
        let others = without.iter().filter(|i| i.node == node.name);
        let others: Resources = others.map(|i| i.reservation).sum();
        let held = node.others + self.ledger.held(node);
        let room = node.capacity + others;
        held.cores > room.cores || held.memory > room.memory
    }

    /// How many wait in the queue so far.
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// Whether somebody stops the queue, and nobody may go before.
    pub fn is_closed(&self) -> bool {
        self.last.is_some() && self.kept.is_none()
    }

    /// Starts a queued execution, unless somebody before it waits or it does not fit; whether it is started. What would not fit
    /// the nodes as they stand even if nobody had anything of them stops nobody.
    pub fn consider(&mut self, place: Place, execution: &'a Execution) -> bool {
        if let Some(before) = self.last {
            let reason = match self.go_before(place, execution) {
                Ok(()) => return true,
                Err(reason) => reason,
            };
            let position = self.queued + 1;
            self.stop(
                place.id(),
                reason.unwrap_or(WaitReason::Behind {
                    execution: before,
                    position,
                }),
            );
            return false;
        }
        if let Some(reason) = self.unfit_as_before(execution) {
            self.put_off(place.id(), reason);
            return false;
        }
        let Err(claim) = self.division.offer(place, self.claim(execution)) else {
            self.decided.push(Start::fresh(execution, place));
            return true;
        };
        if let Some(reason) = self.unfit(execution) {
            self.put_off(place.id(), reason);
            return false;
        }
        let reason = match self.make_room(place, execution, &claim) {
            Some(reason) => reason,
            None => self.wait_for_room(place, execution, &claim),
        };
        self.stop(place.id(), reason);
        false
    }

    /// What a queued execution wants.
    pub(super) fn claim(&self, execution: &'a Execution) -> Claim<'a> {
        let mut claim = Claim::new(&execution.ticket.application.components, self.mode);
        claim.purse = self.purse(execution);
        claim
    }

    /// Why it waits for room, and who may go before it meanwhile.
    fn wait_for_room(
        &mut self,
        place: Place,
        execution: &'a Execution,
        claim: &Claim<'a>,
    ) -> WaitReason {
        self.book();
        self.reserve(place, execution, claim);
        let members = Members::to_start(execution, self.mode);
        let first = execution.ticket.application.components.first();
        let placed = self.division.room_mut().place_wanted(&members.missing);
        let stuck = placed.err().or(first);
        stuck.map_or(WaitReason::Ready, |stuck| {
            self.why_not(execution, &members.missing, stuck)
        })
    }

    /// Writes down what was given so far, so that it is known who has it.
    fn book(&mut self) {
        for start in &self.decided {
            if let Kind::Fresh(place) = start.kind
                && let Some(claim) = self.division.served(&place)
            {
                for part in &claim.parts {
                    let size = part.component.reservation();
                    for &position in part.kept.iter().chain(&part.elastic) {
                        self.ledger.put_at(start.execution, position, size);
                    }
                }
            }
        }
        for grower in &self.growers {
            for (growing, given) in grower.given(&self.division) {
                let size = growing.component.reservation();
                for &position in given {
                    self.ledger.put_at(grower.execution, position, size);
                }
            }
        }
    }

    /// Leaves an execution queued without anybody having to wait for it.
    pub fn put_off(&mut self, execution: ExecutionId, reason: WaitReason) {
        self.queued += 1;
        self.waiting.push(Waiting { execution, reason });
    }

    /// Leaves it waiting, and everybody behind it.
    fn stop(&mut self, execution: ExecutionId, reason: WaitReason) {
        self.last = Some(execution);
        self.put_off(execution, reason);
    }
}

/// The nodes that members of a component are on.
pub(super) fn kin(placement: &Placement, component: &Component) -> Vec<Arc<str>> {
    let all = (component.name.clone(), 0)..=(component.name.clone(), u32::MAX);
    placement
        .range(all)
        .map(|(_, node)| Arc::clone(node))
        .collect()
}

/// Whether a member was made and not started: somebody was interrupted. Docker has no words about it, as it has of one that
/// it is itself about to start.
pub(super) fn is_unstarted(execution: &Execution) -> bool {
    execution.instances.iter().any(is_made)
}

/// Whether that is such a member.
pub(super) fn is_made(instance: &Instance) -> bool {
    instance.state == InstanceState::Created && instance.note.is_none()
}
