//! Who is given room, in which order, and why the rest waits.

use std::sync::Arc;

use crate::model::{
    Cause, Component, ComponentName, Execution, ExecutionId, Instance, InstanceState, Placement,
    Plan, Resources, Snapshot, Step, WaitReason, Waiting,
};

use super::Policy;
use super::gates::Gates;
use super::ledger::{Ledger, Members};
use super::packing::Wanted;
use super::planning::turn;
use super::room::Room;
use super::sight::Sight;
use super::verdict::Casualty;

/// What an execution is given.
struct Start<'a> {
    execution: &'a Execution,
    kind: Kind<'a>,
    placement: Placement,
}

/// How far the execution was before.
enum Kind<'a> {
    /// It was queued.
    Fresh,
    /// It was half started, and keeps the members it had.
    Resumed,
    /// It runs.
    Repaired {
        /// What is removed of it.
        dropped: Vec<Cause>,
        /// Elastic members that are made anew where there is room.
        elastic: Vec<Wanted<'a>>,
        /// The members it had.
        before: usize,
    },
}

/// The starts as they are being decided.
pub(super) struct Starts<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) sight: &'a Sight<'a>,
    pub(super) ledger: Ledger<'a>,
    pub(super) room: Room<'a>,
    decided: Vec<Start<'a>>,
    waiting: Vec<Waiting>,
    /// Who stops the queue, or stands last in it then.
    last: Option<ExecutionId>,
    /// How many wait in the queue.
    queued: usize,
}

impl<'a> Starts<'a> {
    /// Nothing decided yet.
    pub fn new(snapshot: &'a Snapshot, sight: &'a Sight<'a>, ledger: Ledger<'a>) -> Self {
        let room = Room::beside(
            &snapshot.nodes,
            |node| ledger.held(node),
            |node| sight.takes(node),
        );
        Self {
            snapshot,
            sight,
            ledger,
            room,
            decided: Vec::new(),
            waiting: Vec::new(),
            last: None,
            queued: 0,
        }
    }

    /// Replaces the core members that an execution has lost, as far as there is room. It goes on meanwhile, and so does the
    /// queue: who waits for room on nodes that are gone must not keep everybody from the others.
    pub fn repair(
        &mut self,
        execution: &'a Execution,
        casualties: Vec<Casualty<'a>>,
        may_replace: impl Fn(&ComponentName, u32) -> bool,
    ) {
        let mut members = Members::to_go_on(execution);
        for Wanted {
            component, indices, ..
        } in &mut members.missing
        {
            indices.retain(|index| may_replace(&component.name, *index));
        }
        let before = members.made.len();
        let mut dropped = Vec::new();
        let mut elastic: Vec<Wanted<'a>> = Vec::new();
        for Casualty {
            instance,
            cause,
            core,
            anew,
        } in casualties
        {
            dropped.push(cause);
            let key = &instance.key;
            let component = execution.ticket.application.component(&key.component);
            let (true, Some(component)) = (anew, component) else {
                continue;
            };
            let group = if core {
                &mut members.missing
            } else {
                &mut elastic
            };
            match group
                .iter_mut()
                .find(|w| w.component.name == component.name)
            {
                Some(wanted) => wanted.indices.push(key.index),
                None => group.push(Wanted::first(component, [key.index])),
            }
        }
        let mut placement = members.made;
        for wanted in &mut members.missing {
            wanted.indices.sort_unstable();
            wanted.there = kin(&placement, wanted.component);
            let (found, reason) = self.place_more(execution, wanted);
            let told = self.waiting.last().map(|w| w.execution) == Some(execution.ticket.id);
            if let Some(reason) = reason.filter(|_| !told) {
                self.waiting.push(Waiting {
                    execution: execution.ticket.id,
                    reason: WaitReason::Replacement {
                        component: wanted.component.name.clone(),
                        members: wanted.indices.len() - found.len(),
                        reason: Box::new(reason),
                    },
                });
            }
            placement.extend(found);
        }
        self.decided.push(Start {
            execution,
            kind: Kind::Repaired {
                dropped,
                elastic,
                before,
            },
            placement,
        });
    }

    /// Gives as many of the members a place as there is room for, and says why there is none for the rest.
    pub fn place_more(
        &mut self,
        execution: &'a Execution,
        wanted: &Wanted<'_>,
    ) -> (Placement, Option<WaitReason>) {
        let found = self.room.place_up_to(wanted);
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
    pub fn go_on(&mut self, half_started: &[&'a Execution]) {
        let unstarted = |execution: &'a Execution| {
            let members = execution.instances.iter();
            members.filter(|i| i.state == InstanceState::Created)
        };
        let mut later: Vec<&Instance> = half_started.iter().copied().flat_map(unstarted).collect();
        for execution in half_started {
            later.retain(|i| i.key.execution != execution.ticket.id);
            let crowded = unstarted(execution).find(|i| self.is_crowded(i, &later));
            let started = match crowded
                .and_then(|i| execution.ticket.application.component(&i.key.component))
            {
                Some(component) => {
                    let member = Wanted::first(component, [0]);
                    Err(self.why_not(execution, &[member], component))
                }
                None => self.start(execution, Kind::Resumed),
            };
            if let Err(reason) = started {
                self.stop(execution, reason);
            }
        }
    }

    /// Whether an instance's node is too small for what is held on it, even without these.
    fn is_crowded(&self, instance: &Instance, without: &[&Instance]) -> bool {
        let node = self.snapshot.nodes.iter().find(|n| n.name == instance.node);
        let Some(node) = node else { return false };
        let others = without.iter().filter(|i| i.node == node.name);
        let others: Resources = others.map(|i| i.reservation).sum();
        let held = node.others + self.ledger.held(node);
        let room = node.capacity + others;
        held.cores > room.cores || held.memory > room.memory
    }

    /// Starts a queued execution, unless somebody before it waits or it does not fit; whether it is started.
    pub fn consider(&mut self, execution: &'a Execution) -> bool {
        if let Some(before) = self.last {
            let reason = WaitReason::Behind {
                execution: before,
                position: self.queued + 1,
            };
            self.stop(execution, reason);
        } else if let Err(reason) = self.start(execution, Kind::Fresh) {
            self.stop(execution, reason);
        } else {
            return true;
        }
        false
    }

    /// Leaves an execution queued without anybody having to wait for it.
    pub fn put_off(&mut self, execution: &Execution, reason: WaitReason) {
        self.queued += 1;
        self.waiting.push(Waiting {
            execution: execution.ticket.id,
            reason,
        });
    }

    /// Leaves it waiting, and everybody behind it.
    fn stop(&mut self, execution: &Execution, reason: WaitReason) {
        self.last = Some(execution.ticket.id);
        self.put_off(execution, reason);
    }

    fn start(&mut self, execution: &'a Execution, kind: Kind<'a>) -> Result<(), WaitReason> {
        let members = Members::to_start(execution);
        let mut placement = match self.room.place_wanted(&members.missing) {
            Ok(placement) => placement,
            Err(stuck) => return Err(self.why_not(execution, &members.missing, stuck)),
        };
        self.ledger.add(execution, &placement);
        placement.extend(members.made);
        self.decided.push(Start {
            execution,
            kind,
            placement,
        });
        Ok(())
    }

    /// Gives what is left to elastic members, in the order of the starts: to running executions those that they have lost,
    /// to new ones all that they may have and their owners' quotas leave them.
    pub fn fill_up(&mut self, gates: &mut Gates<'a>) {
        for start in &mut self.decided {
            match &mut start.kind {
                Kind::Resumed => {}
                Kind::Repaired { elastic, .. } => {
                    for wanted in elastic {
                        wanted.indices.sort_unstable();
                        wanted.there = kin(&start.placement, wanted.component);
                        start.placement.extend(self.room.place_up_to(wanted));
                    }
                }
                Kind::Fresh => {
                    let components = start.execution.ticket.application.components.iter();
                    for component in components.filter(|c| c.elastic > 0) {
                        let most = gates.members_left(start.execution, component);
                        let most = component.core.saturating_add(most);
                        let elastic = component.core..component.members().min(most);
                        let mut wanted = Wanted::first(component, elastic);
                        wanted.there = kin(&start.placement, component);
                        let found = self.room.place_up_to(&wanted);
                        let more = component.reservation().times(found.len() as u64);
                        gates.given(start.execution, more);
                        start.placement.extend(found);
                    }
                }
            }
        }
    }

    /// The plan, with these steps before the starts.
    pub fn into_plan(self, mut steps: Vec<Step>, policy: Policy) -> Plan {
        let Self {
            snapshot,
            decided,
            mut waiting,
            ..
        } = self;
        if policy.allow_starts {
            let (mut drops, mut starts) = (Vec::new(), Vec::new());
            for start in decided {
                start.into_steps(&mut drops, &mut starts);
            }
            // What is removed comes first: a member that is made anew has the name of the one it stands for.
            let begin = steps.iter().take_while(|s| is_end(s)).count();
            steps.splice(begin..begin, drops);
            steps.extend(starts);
            return Plan { steps, waiting };
        }
        let ready: Vec<Waiting> = decided
            .iter()
            .filter(|start| matches!(start.kind, Kind::Fresh))
            .map(|start| Waiting {
                execution: start.execution.ticket.id,
                reason: WaitReason::Ready,
            })
            .collect();
        for later in &mut waiting {
            if let WaitReason::Behind { position, .. } = &mut later.reason {
                *position += ready.len();
            }
        }
        // They stand among those that wait because a start failed, each at its place.
        let (before, mut line): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|w| {
            let execution = snapshot.executions.get(&w.execution);
            execution.is_some_and(|e| !e.instances.is_empty())
        });
        line.extend(ready);
        line.sort_by_key(|w| snapshot.executions.get(&w.execution).map(turn));
        let waiting = before.into_iter().chain(line).collect();
        Plan { steps, waiting }
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
    let unstarted = |i: &Instance| i.state == InstanceState::Created && i.note.is_none();
    execution.instances.iter().any(unstarted)
}

fn is_end(step: &Step) -> bool {
    matches!(
        step,
        Step::End { .. } | Step::Rollback { .. } | Step::Retry { .. }
    )
}

impl Start<'_> {
    fn into_steps(self, drops: &mut Vec<Step>, starts: &mut Vec<Step>) {
        let execution = self.execution.ticket.id;
        let mut begins = true;
        if let Kind::Repaired {
            dropped, before, ..
        } = self.kind
        {
            begins = self.placement.len() > before || is_unstarted(self.execution);
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
