//! From what was decided to a plan: steps in their order, and who waits.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Cause, Component, ComponentName, Execution, ExecutionId, Instance, Placement, Plan, Resources,
    Step, WaitReason, Waiting,
};

use super::Policy;
use super::order::Place;
use super::starts::{Starts, is_made};

/// What an execution is given.
pub(super) struct Start<'a> {
    pub execution: &'a Execution,
    pub kind: Kind,
    pub placement: Placement,
}

/// How far the execution was before.
pub(super) enum Kind {
    /// It was queued; what it is given is at its place in the division.
    Fresh(Place),
    /// It was half started, and keeps the members it had.
    Resumed,
    /// It runs, and has lost members or has some that were not started.
    Repaired {
        /// What is removed of it.
        dropped: Vec<Cause>,
        /// The members it had.
        before: usize,
    },
    /// It runs, and is given more elastic members.
    Grown,
}

impl Starts<'_> {
    /// The plan, with these steps before the starts; `line` has all that were queued, in order.
    pub fn into_plan(
        mut self,
        mut steps: Vec<Step>,
        line: &[ExecutionId],
        policy: &Policy,
    ) -> Plan {
        self.division.fill_up();
        self.take_growth();
        let mut decided = std::mem::take(&mut self.decided);
        for start in &mut decided {
            if let Kind::Fresh(place) = start.kind {
                start.placement = self.placement_of(start.execution, &place);
            }
        }
        let reserved = self.reserved;
        if policy.allow_starts {
            let (mut drops, mut starts) = (self.reclaimed, Vec::new());
            for start in decided {
                start.into_steps(&mut drops, &mut starts);
            }
            // What is removed comes first: a member that is made anew has the name of the one it stands for.
            let begin = steps.iter().take_while(|s| is_end(s)).count();
            steps.splice(begin..begin, drops);
            steps.extend(starts);
            return Plan {
                steps,
                waiting: self.waiting,
                reserved,
            };
        }
        let ready = decided
            .iter()
            .filter(|start| matches!(start.kind, Kind::Fresh(_)))
            .map(|start| start.execution.ticket.id)
            .collect();
        Plan {
            steps,
            waiting: with_ready(self.waiting, ready, line),
            reserved: None,
        }
    }
}

/// Those that wait and those that are ready, each at its place.
fn with_ready(
    mut waiting: Vec<Waiting>,
    ready: BTreeSet<ExecutionId>,
    line: &[ExecutionId],
) -> Vec<Waiting> {
    if ready.is_empty() {
        return waiting;
    }
    let places: BTreeMap<ExecutionId, usize> = line.iter().copied().zip(1..).collect();
    waiting.extend(ready.into_iter().map(|execution| Waiting {
        execution,
        reason: WaitReason::Ready,
    }));
    // Those that are not in the line stand before it, as they were.
    waiting.sort_by_key(|w| places.get(&w.execution));
    let before = waiting
        .iter()
        .take_while(|w| !places.contains_key(&w.execution));
    let before = before.count();
    for (n, later) in waiting.iter_mut().enumerate() {
        if let WaitReason::Behind { position, .. } | WaitReason::WouldDelay { position, .. } =
            &mut later.reason
        {
            *position = n + 1 - before.min(n);
        }
    }
    waiting
}

fn is_end(step: &Step) -> bool {
    matches!(
        step,
        Step::End { .. } | Step::Rollback { .. } | Step::Retry { .. }
    )
}

impl<'a> Start<'a> {
    pub fn fresh(execution: &'a Execution, place: Place) -> Self {
        Self {
            execution,
            kind: Kind::Fresh(place),
            placement: Placement::new(),
        }
    }

    /// What it is given beside its members that were seen, and what those of them hold that are removed.
    pub fn change(&self) -> (Resources, Resources) {
        let dropped = match &self.kind {
            Kind::Repaired { dropped, .. } => dropped.as_slice(),
            Kind::Fresh(_) | Kind::Resumed | Kind::Grown => &[],
        };
        let is_gone = |i: &Instance| dropped.iter().any(|cause| cause.member() == Some(&i.key));
        let instances = || self.execution.instances.iter();
        let gone = instances().filter(|i| i.holds() && is_gone(i));
        let is_new = |name: &ComponentName, index: u32| {
            let mut there = instances().filter(|i| !is_gone(i));
            !there.any(|i| i.key.component == *name && i.key.index == index)
        };
        let new = self.placement.keys().filter(|(n, i)| is_new(n, *i));
        let application = &self.execution.ticket.application;
        let size = |(name, _): &(ComponentName, u32)| {
            let component = application.component(name);
            component.map(Component::reservation).unwrap_or_default()
        };
        (new.map(size).sum(), gone.map(|i| i.reservation).sum())
    }

    fn into_steps(self, drops: &mut Vec<Step>, starts: &mut Vec<Step>) {
        let execution = self.execution.ticket.id;
        let mut begins = true;
        if let Kind::Repaired { dropped, before } = self.kind {
            let mut made = self.execution.instances.iter().filter(|i| is_made(i));
            let waits = made.any(|i| {
                let member = (i.key.component.clone(), i.key.index);
                self.placement.contains_key(&member)
            });
            begins = self.placement.len() > before || waits;
            let (dropped, kept): (Vec<_>, Vec<_>) = dropped.into_iter().partition(|cause| {
                // One that has ended makes place for its successor only: else it stays, and shows why.
                let Cause::Exited { member, .. } = cause else {
                    return true;
                };
                let member = (member.component.clone(), member.index);
                self.placement.contains_key(&member)
            });
            drop(kept);
            if !dropped.is_empty() {
                drops.push(Step::Drop {
                    execution,
                    members: dropped,
                });
            }
        }
        if begins {
            starts.push(Step::Start {
                execution,
                placement: self.placement,
            });
        }
    }
}
