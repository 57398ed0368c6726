//! Judges the order: who stands where in the line, and whether anybody goes before another who must not.
//!
//! Ranks are compared here, where planning works them out: two ways to the same answer.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use super::standing::is_for_room;
use super::{Judge, Violation};
use crate::model::{
    Application, Execution, ExecutionId, Mode, Order, OverQuota, Phase, Plan, Resources, WaitReason,
};

/// Who stops those behind, and whether some may go before.
struct Stop {
    execution: ExecutionId,
    backfill: bool,
}

impl<'a> Judge<'a> {
    /// Those that lost members, half started ones, then the queue as the policy says.
    pub(super) fn order(&mut self, plan: &'a Plan) {
        let line = self.line();
        let mut stop: Option<Stop> = None;
        // The first of each user's that waits for what others of that user have.
        let mut first: BTreeMap<&str, ExecutionId> = BTreeMap::new();
        for &(group, id) in &line {
            let reason = self.reasons.get(&id).copied();
            let Some(execution) = self.snapshot.executions.get(&id) else {
                continue;
            };
            let user = execution.ticket.user.as_str();
            match (self.started.contains_key(&id), first.get(user)) {
                (false, None) if reason.is_some_and(is_of_others) && self.could_run(execution) => {
                    first.insert(user, id);
                }
                (true, Some(&early)) if group == 2 => {
                    self.objects(Violation::Jumped { late: id, early });
                }
                _ => {}
            }
            match (self.started.contains_key(&id), &stop) {
                (false, None) if self.is_waited_for(group, execution, plan) => {
                    let reserved = plan.reserved.as_ref();
                    let making = matches!(reason, Some(WaitReason::MakingRoom { .. }));
                    stop = Some(Stop {
                        execution: id,
                        backfill: !making && reserved.is_some_and(|r| r.execution == id),
                    });
                }
                (true, Some(early)) if group == 2 && !early.backfill => {
                    let early = early.execution;
                    self.objects(Violation::Jumped { late: id, early });
                }
                _ => {}
            }
        }
        if let Some(reserved) = &plan.reserved
            && stop.is_none_or(|stop| stop.execution != reserved.execution)
        {
            self.objects(Violation::WrongReservation(reserved.execution));
        }
        let place: BTreeMap<_, _> = line.iter().enumerate().map(|(i, e)| (e.1, i)).collect();
        let mut highest = None;
        for waiting in &plan.waiting {
            let at = place.get(&waiting.execution).copied();
            if at < highest {
                self.objects(Violation::WrongOrder(waiting.execution));
            }
            highest = highest.max(at);
        }
    }

    /// Whether those behind have to wait for one that is not started.
    fn is_waited_for(&self, group: u8, execution: &Execution, plan: &Plan) -> bool {
        let id = execution.ticket.id;
        let is_kept = || plan.reserved.as_ref().is_some_and(|r| r.execution == id);
        match self.reasons.get(&id) {
            _ if group == 0 => false,
            Some(reason) if is_for_room(reason) => is_kept() || self.could_run(execution),
            Some(reason) => !is_gated(reason),
            None => group == 2,
        }
    }

    /// The line: group and execution.
    fn line(&self) -> Vec<(u8, ExecutionId)> {
        let alive = || {
            let all = self.snapshot.executions.values();
            all.filter(|e| !self.ended.contains(&e.ticket.id))
        };
        let mut begun: Vec<_> = alive()
            .filter_map(|execution| {
                let id = execution.ticket.id;
                let lost = matches!(self.reasons.get(&id), Some(WaitReason::Replacement { .. }));
                let group = match execution.phase() {
                    _ if lost => 0u8,
                    Phase::Starting => 1,
                    Phase::Queued | Phase::Running { .. } | Phase::Ending(_) => return None,
                };
                Some((group, execution.ticket.submitted_at, id))
            })
            .collect();
        begun.sort_unstable();
        let mut queued: Vec<&Execution> = alive()
            .filter(|e| e.phase() == Phase::Queued)
            .filter(|e| {
                let id = e.ticket.id;
                self.started.contains_key(&id) || self.reasons.contains_key(&id)
            })
            .collect();
        queued.sort_by(|a, b| self.compare(a, b));
        let begun = begun.into_iter().map(|(group, _, id)| (group, id));
        begun
            .chain(queued.into_iter().map(|e| (2, e.ticket.id)))
            .collect()
    }

    /// Who is served first.
    pub(super) fn compare(&self, a: &Execution, b: &Execution) -> Ordering {
        let rank = match self.policy.order {
            Order::Fifo => Ordering::Equal,
            Order::Size => self.size(a).cmp(&self.size(b)),
            Order::DynSize => self.aged(a).cmp(&self.aged(b)),
            Order::Hrrn => {
                // waited / runtime, the greater first.
                let left = self.waited(b) * self.runtime(a).max(1);
                left.cmp(&(self.waited(a) * self.runtime(b).max(1)))
            }
            Order::Fair => self.usage(a).cmp(&self.usage(b)),
        };
        let ends = |e: &Execution| (submitted(e), e.ticket.id);
        Reverse(a.ticket.terms.priority)
            .cmp(&Reverse(b.ticket.terms.priority))
            .then(rank)
            .then_with(|| ends(a).cmp(&ends(b)))
    }

    /// Millionths of the cluster times milliseconds.
    fn size(&self, execution: &Execution) -> i128 {
        let wanted = all_members(&execution.ticket.application);
        let total: Resources = self.snapshot.nodes.iter().map(|n| n.capacity).sum();
        let part = |some: u64, all: u64| i128::from(some) * 1_000_000 / i128::from(all.max(1));
        let cores = part(wanted.cores.millis(), total.cores.millis());
        let memory = part(wanted.memory.get(), total.memory.get());
        cores.max(memory).min(1_000_000) * self.runtime(execution)
    }

    /// So many seconds of waiting take a second of the cluster off.
    fn aged(&self, execution: &Execution) -> i128 {
        let waits = i128::from(self.now.as_millisecond() - submitted(execution));
        self.size(execution) * i128::from(self.policy.ageing) - waits * 1_000_000
    }

    fn waited(&self, execution: &Execution) -> i128 {
        let until = execution.started_at().unwrap_or(self.now);
        i128::from(until.as_millisecond() - submitted(execution)).max(0)
    }

    fn runtime(&self, execution: &Execution) -> i128 {
        let time = execution.ticket.timeout.unwrap_or(self.policy.runtime);
        time.as_millis()
    }

    /// What the user has used, and has in front of this one in the queue.
    fn usage(&self, execution: &Execution) -> u64 {
        let ticket = &execution.ticket;
        let used = self.known.users.get(&ticket.user).map_or(0, |u| u.usage);
        used + self.in_front.get(&ticket.id).copied().unwrap_or(0)
    }

    /// What users have in front of each of their queued executions, in core-seconds.
    pub(super) fn stand_in_line(&mut self) {
        if self.policy.order != Order::Fair {
            return;
        }
        // Who has to wait whatever is done for others is not about to use anything.
        let counts = |id| {
            self.reasons.get(&id).is_none_or(|reason| {
                let varies = matches!(reason, WaitReason::ArrayLimit { .. } | WaitReason::Quota(_));
                varies || !is_gated(reason)
            })
        };
        let queued = self.snapshot.executions.values();
        let queued =
            queued.filter(|e| e.phase() == Phase::Queued && !self.ended.contains(&e.ticket.id));
        let mut queued: Vec<&Execution> = queued.collect();
        queued.sort_by_key(|e| (Reverse(e.ticket.terms.priority), submitted(e), e.ticket.id));
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        let mut in_front = BTreeMap::new();
        for execution in queued {
            let sum = sums.entry(execution.ticket.user.as_str()).or_default();
            in_front.insert(execution.ticket.id, *sum);
            if !counts(execution.ticket.id) {
                continue;
            }
            let cores = all_members(&execution.ticket.application).cores.millis();
            let cost = i128::from(cores) * self.runtime(execution) / 1_000_000;
            *sum += u64::try_from(cost).unwrap_or(u64::MAX);
        }
        self.in_front = in_front;
    }

    /// What an application must be given to start.
    pub(super) fn needed(&self, component: &crate::model::Component) -> u32 {
        match self.policy.mode {
            Mode::Rigid => component.members(),
            Mode::Flexible => component.core,
        }
    }
}

/// Whether it waits for what others of its owner have, for which those of its owner behind it have to wait too.
fn is_of_others(reason: &WaitReason) -> bool {
    matches!(
        reason,
        WaitReason::Quota(OverQuota::Executions { .. } | OverQuota::AtOnce { .. })
    )
}

/// Whether it waits without anybody having to wait for it.
fn is_gated(reason: &WaitReason) -> bool {
    matches!(
        reason,
        WaitReason::Replacement { .. }
            | WaitReason::Retry { .. }
            | WaitReason::Held
            | WaitReason::After { .. }
            | WaitReason::ArrayLimit { .. }
            | WaitReason::Quota(_)
            | WaitReason::Again { .. }
            | WaitReason::Unknown { .. }
    )
}

fn submitted(execution: &Execution) -> i64 {
    execution.ticket.submitted_at.as_millisecond()
}

fn all_members(application: &Application) -> Resources {
    let each = application.components.iter();
    each.map(|c| c.reservation().times(u64::from(c.members())))
        .sum()
}
