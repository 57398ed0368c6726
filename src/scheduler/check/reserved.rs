//! Judges the room that is kept for the first that waits, and what is taken back for it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Judge, Violation, over};
use crate::model::{
    Cause, ComponentName, Execution, ExecutionId, InstanceState, Mode, Phase, Plan, Reservation,
    Resources, WaitReason,
};

/// How much is taken to be free in doubt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// As much as may be.
    Much,
    /// As little as may be, and without those that go before the first.
    Little,
}

impl<'a> Judge<'a> {
    /// The room that is reserved is free by then, whatever this plan starts; and it is not free earlier.
    pub(super) fn reservation(&mut self, plan: &'a Plan) {
        let Some(reserved) = &plan.reserved else {
            return;
        };
        let Some(head) = self.snapshot.executions.get(&reserved.execution) else {
            return self.objects(Violation::Unknown(reserved.execution));
        };
        let queued = head.phase() == Phase::Queued;
        if !queued
            || self.started.contains_key(&reserved.execution)
            || !self.is_whole(head, reserved)
        {
            return self.objects(Violation::WrongReservation(reserved.execution));
        }
        let making = matches!(
            self.reasons.get(&reserved.execution),
            Some(WaitReason::MakingRoom { .. })
        );
        if making {
            let room = self.fits(head, reserved, self.now, Doubt::Much);
            if reserved.at != self.now || !room {
                self.objects(Violation::WrongReservation(reserved.execution));
            }
            return;
        }
        let mut ends = self.snapshot.executions.values();
        let known = reserved.at == self.now
            || ends.any(|e| self.gone_by(e, Doubt::Much) == Some(reserved.at));
        if !known {
            self.objects(Violation::WrongReservation(reserved.execution));
        }
        if !self.fits(head, reserved, reserved.at, Doubt::Much) {
            self.objects(Violation::Delayed(reserved.execution));
        }
        let all = self.snapshot.executions.values();
        let ends = all.filter_map(|e| self.gone_by(e, Doubt::Little));
        let before = ends.filter(|at| *at < reserved.at).max();
        let before = before.unwrap_or(self.now).max(self.now);
        if before < reserved.at && self.fits(head, reserved, before, Doubt::Little) {
            self.objects(Violation::WrongReservation(reserved.execution));
        }
    }

    /// Whether the reservation has all members that the execution needs to start, where they may be.
    fn is_whole(&self, head: &Execution, reserved: &Reservation) -> bool {
        let components = &head.ticket.application.components;
        let members: u64 = components.iter().map(|c| u64::from(self.needed(c))).sum();
        let named = |(name, index): &(ComponentName, u32)| {
            let component = head.ticket.application.component(name);
            component.is_some_and(|c| *index < self.needed(c))
        };
        reserved.placement.len() as u64 == members
            && reserved.placement.keys().all(named)
            && reserved
                .placement
                .iter()
                .all(|((name, index), node)| self.may_be_on(head, name, *index, node))
    }

    /// Whether the reserved room is free at that time.
    fn fits(&self, head: &Execution, reserved: &Reservation, at: Timestamp, doubt: Doubt) -> bool {
        let mut taken: BTreeMap<&str, Resources> = BTreeMap::new();
        for (id, execution) in &self.snapshot.executions {
            let gone = self.gone_by(execution, doubt).is_some_and(|end| end <= at);
            let behind = self.compare(execution, head) == Ordering::Greater;
            let starting = execution.phase() == Phase::Starting;
            let yields = behind && self.yields(execution, doubt);
            let monitor = execution.ticket.application.monitor.as_ref();
            let application = &execution.ticket.application;
            let is_elastic = |name: &ComponentName, index: u32| {
                let component = application.component(name);
                component.is_some_and(|c| index >= c.core) && monitor != Some(name)
            };
            for instance in &execution.instances {
                let key = &instance.key;
                let elastic = is_elastic(&key.component, key.index);
                let holds = match instance.state {
                    InstanceState::Exited { .. } => starting && !elastic && doubt == Doubt::Little,
                    InstanceState::Rejected => false,
                    InstanceState::Created
                    | InstanceState::Running
                    | InstanceState::Lost { .. }
                    | InstanceState::Other => true,
                };
                if holds && !gone && !(yields && elastic) {
                    *taken.entry(instance.node.as_str()).or_default() += instance.reservation;
                }
            }
            let Some(placement) = self.started.get(id) else {
                continue;
            };
            let fresh = execution.phase() == Phase::Queued;
            if gone || (fresh && behind && doubt == Doubt::Little) {
                continue;
            }
            for ((name, index), node) in *placement {
                let new = self.stays(execution, name, *index).is_none();
                let elastic = is_elastic(name, *index);
                let yields = behind
                    && elastic
                    && self.policy.mode == Mode::Flexible
                    && (doubt == Doubt::Much || self.yields(execution, doubt));
                let component = application.component(name);
                if let (true, false, Some(component)) = (new, yields, component) {
                    *taken.entry(node).or_default() += component.reservation();
                }
            }
        }
        let mut more: BTreeMap<&str, Resources> = BTreeMap::new();
        for ((name, _), node) in &reserved.placement {
            if let Some(component) = head.ticket.application.component(name) {
                *more.entry(node).or_default() += component.reservation();
            }
        }
        more.into_iter().all(|(name, more)| {
            let taken = taken.get(name).copied().unwrap_or_default();
            let node = self.nodes.get(name);
            node.is_some_and(|node| !over(node, node.others + taken, more))
        })
    }

    /// When an execution is gone at the latest.
    fn gone_by(&self, execution: &Execution, doubt: Doubt) -> Option<Timestamp> {
        if self.ended.contains(&execution.ticket.id) {
            return Some(self.now);
        }
        let begun = !execution.instances.is_empty();
        let limit = execution
            .ticket
            .timeout
            .filter(|_| doubt == Doubt::Much || begun);
        let end = if begun {
            execution.deadline()
        } else {
            limit.and_then(|limit| self.now.checked_add(limit).ok())
        };
        end.map(|end| end.max(self.now))
    }

    /// Whether elastic members of an execution can be taken back.
    fn yields(&self, execution: &Execution, doubt: Doubt) -> bool {
        let runs = matches!(execution.phase(), Phase::Running { .. });
        let retry = |reason: &WaitReason| matches!(reason, WaitReason::Retry { .. });
        let sure = || {
            let all_run = |i: &crate::model::Instance| i.state == InstanceState::Running;
            let dropped = self.dropped.iter();
            let dropped = dropped
                .filter(|key| key.execution == execution.ticket.id)
                .count();
            execution.instances.iter().all(all_run)
                && !self.is_hidden(execution)
                && !execution.lacks_core()
                && dropped == 0
                && !self.reasons.values().any(|r| retry(r))
        };
        self.policy.mode == Mode::Flexible && runs && (doubt == Doubt::Much || sure())
    }

    /// Only elastic members of those behind the first that waits are taken back for it, and only where it needs the room.
    pub(super) fn reclaims(&mut self, plan: &'a Plan) {
        let mut wrong = Vec::new();
        for (id, cause) in &self.reclaimed {
            let Cause::Reclaimed { member, by } = cause else {
                continue;
            };
            if !self.may_reclaim(*id, member.index, &member.component, *by, plan) {
                wrong.push(Violation::WrongDrop {
                    execution: *id,
                    component: member.component.clone(),
                });
            }
        }
        self.violations.extend(wrong);
    }

    fn may_reclaim(
        &self,
        id: ExecutionId,
        index: u32,
        component: &ComponentName,
        by: ExecutionId,
        plan: &Plan,
    ) -> bool {
        let executions = &self.snapshot.executions;
        let (Some(owner), Some(head)) = (executions.get(&id), executions.get(&by)) else {
            return false;
        };
        let application = &owner.ticket.application;
        let elastic = application
            .component(component)
            .is_some_and(|c| index >= c.core);
        let member = owner.instances.iter();
        let mut member = member.filter(|i| i.key.component == *component && i.key.index == index);
        let member = member.next().filter(|i| i.is_alive());
        let reserved = plan.reserved.as_ref().filter(|r| r.execution == by);
        let useful = member.zip(reserved).is_some_and(|(member, reserved)| {
            let mut nodes = reserved.placement.values();
            nodes.any(|node| **node == *member.node)
        });
        let waits = matches!(self.reasons.get(&by), Some(WaitReason::MakingRoom { .. }));
        self.policy.mode == Mode::Flexible
            && elastic
            && useful
            && waits
            && application.monitor.as_ref() != Some(component)
            && matches!(owner.phase(), Phase::Running { .. })
            && self.compare(head, owner) == Ordering::Less
            && !self.started.contains_key(&id)
    }
}
