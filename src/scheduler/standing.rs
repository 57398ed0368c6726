//! Whether what waits could run on the nodes that take something now, if nobody had anything of them: if not, nobody has to
//! wait for it.

use crate::model::{Component, Execution, Resource, Resources, WaitReason};

use super::ledger::Members;
use super::packing::Wanted;
use super::room::Room;
use super::starts::Starts;

/// What has been found out.
#[derive(Default)]
pub(super) struct Standing<'a> {
    /// The nodes with nobody on them, those being open that take something.
    room: Option<Room<'a>>,
    /// The components of the last that could not run, and why: those behind it are often of its kind.
    last: Option<(&'a [Component], WaitReason)>,
}

impl<'a> Starts<'a> {
    /// Why a queued execution could not be started on the nodes as they stand, whoever has something of them; `None` if it
    /// could.
    pub(super) fn unfit(&mut self, execution: &'a Execution) -> Option<WaitReason> {
        let known = self.unfit_as_before(execution);
        if known.is_some() {
            return known;
        }
        let reason = self.unfit_beside(&Members::to_start(execution, self.mode), execution)?;
        let components = &execution.ticket.application.components;
        self.standing.last = Some((components, reason.clone()));
        Some(reason)
    }

    /// The same, if another like it was looked at just before.
    pub(super) fn unfit_as_before(&self, execution: &Execution) -> Option<WaitReason> {
        let (components, reason) = self.standing.last.as_ref()?;
        let same = *components == execution.ticket.application.components.as_slice();
        same.then(|| reason.clone())
    }

    /// Why those members of an execution have no place that are still to be made, beside nobody but those that are.
    pub(super) fn unfit_beside(
        &mut self,
        members: &Members<'_>,
        execution: &'a Execution,
    ) -> Option<WaitReason> {
        let (snapshot, sight) = (self.snapshot, self.sight);
        let stand = || Room::beside_none(&snapshot.nodes, |node| sight.takes(node));
        let mut room = self.standing.room.take().unwrap_or_else(stand);
        let application = &execution.ticket.application;
        let made = members.made.iter().filter_map(|((name, _), node)| {
            let size = application.component(name)?.reservation();
            Some((room.position(node)?, size))
        });
        let made: Vec<(usize, Resources)> = made.collect();
        for &(position, size) in &made {
            room.take(position, size);
        }
        let placed = room.place_wanted(&members.missing);
        for &(position, size) in &made {
            room.give_back(&[position], size);
        }
        let reason = match placed {
            Ok(placement) => {
                for ((name, _), node) in placement {
                    let position = room.position(&node);
                    let component = application.component(&name);
                    if let (Some(position), Some(component)) = (position, component) {
                        room.give_back(&[position], component.reservation());
                    }
                }
                None
            }
            Err(stuck) => Some(self.why_unfit(execution, &members.missing, stuck)),
        };
        self.standing.room = Some(room);
        reason
    }

    fn why_unfit(
        &self,
        execution: &Execution,
        missing: &[Wanted<'_>],
        stuck: &Component,
    ) -> WaitReason {
        if let Some(reason) = self.no_label(missing) {
            return reason;
        }
        let all = || Room::empty(&self.snapshot.nodes);
        if let Some(reason) = self.nodes_away(missing, all) {
            return reason;
        }
        // As it was seen: what this plan gives to others makes no difference.
        let seen = Room::beside(
            &self.snapshot.nodes,
            |node| self.ledger.held(node),
            |node| self.sight.takes(node),
        );
        let components: Vec<&Component> = missing.iter().map(|w| w.component).collect();
        let needed: Resources = missing.iter().map(Wanted::size).sum();
        let (free, capacity) = seen.for_components(&components);
        match lacking(needed, capacity) {
            Some(short_of) => {
                self.not_enough(execution, &components, needed, (free, capacity), short_of)
            }
            None => WaitReason::NoNodeFits {
                component: stuck.name.clone(),
                needed: stuck.reservation(),
            },
        }
    }
}

/// What there is too little of.
pub(super) fn lacking(needed: Resources, there: Resources) -> Option<Resource> {
    if needed.cores > there.cores {
        Some(Resource::Cores)
    } else if needed.memory > there.memory {
        Some(Resource::Memory)
    } else {
        None
    }
}
