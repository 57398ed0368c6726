//! From a snapshot to a plan: what ends, what is swept, what starts, and why the rest waits.
//!
//! What is being ended in a plan is not free in that same plan: its containers still run. The executor ends first and
//! the caller then observes and plans again; so a plan never counts on an effect that may fail.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use crate::model::{
    Component, ComponentName, Execution, ExecutionId, Mark, Phase, Plan, Resource, Resources,
    Snapshot, Step, WaitReason, Waiting,
};

use super::ledger::{Ledger, Members, Standing};
use super::packing::{Placement, Room, suits};

/// What a pass may do, and how it chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether this pass may start executions: only one that holds the deployment's lease may. Where it may not, what
    /// could be started waits with [`WaitReason::Ready`].
    pub allow_starts: bool,
}

/// Says what is to be done next.
///
/// Ends come first, then sweeps and images, then starts. The queue is first come, first served, strictly: the first
/// execution whose core members don't all fit stops all that follow. Where anything could not be read, only what was
/// positively seen is acted on: executions end, but nothing is swept, removed or started.
pub fn plan(snapshot: &Snapshot, policy: &Policy, now: Timestamp) -> Plan {
    let standings: Vec<Standing<'_>> = snapshot
        .executions
        .values()
        .map(|execution| Standing {
            execution,
            phase: execution.phase(),
        })
        .collect();
    let (ending, standing): (Vec<_>, Vec<_>) = standings
        .iter()
        .map(|standing| (standing, end_of(standing, now)))
        .partition(|(_, mark)| mark.is_some());

    let mut steps: Vec<Step> = ending
        .into_iter()
        .filter_map(|(standing, mark)| {
            Some(Step::End {
                execution: standing.execution.ticket.id,
                mark: mark?,
            })
        })
        .collect();
    if snapshot.gaps.is_empty() {
        steps.extend(snapshot.orphans.iter().cloned().map(Step::Sweep));
        steps.extend(unused_images(snapshot));
    }

    let mut starting: Vec<&Execution> = Vec::new();
    let mut queued: Vec<&Execution> = Vec::new();
    for (standing, _) in standing {
        match standing.phase {
            Phase::Starting => starting.push(standing.execution),
            Phase::Queued => queued.push(standing.execution),
            Phase::Running { .. } | Phase::Ending(_) => {}
        }
    }
    starting.sort_by_key(|execution| turn(execution));
    queued.sort_by_key(|execution| turn(execution));

    if let Some(what) = unseen(snapshot) {
        let unknown = |execution: &Execution| Waiting {
            execution: execution.ticket.id,
            reason: WaitReason::Unknown { what: what.clone() },
        };
        let waiting = queued.into_iter().map(unknown).collect();
        return Plan { steps, waiting };
    }

    let mut starts = Starts::new(snapshot, Ledger::of(&standings));
    for execution in starting {
        starts.go_on(execution);
    }
    for execution in queued {
        starts.consider(execution);
    }
    starts.fill_up();
    starts.into_plan(steps, *policy)
}

/// The mark with which an execution is to end now, if it is.
fn end_of(standing: &Standing<'_>, now: Timestamp) -> Option<Mark> {
    match standing.phase {
        Phase::Ending(mark) => Some(mark),
        Phase::Starting | Phase::Running { .. } => {
            let over = standing.execution.deadline().is_some_and(|at| at <= now);
            over.then_some(Mark::TimedOut)
        }
        Phase::Queued => None,
    }
}

/// An execution's place in the queue: first come, first served, the id deciding between equals.
fn turn(execution: &Execution) -> (Timestamp, ExecutionId) {
    (execution.ticket.submitted_at, execution.ticket.id)
}

/// What a start can't be decided without and was not seen.
fn unseen(snapshot: &Snapshot) -> Option<String> {
    match snapshot.gaps.first() {
        Some(gap) => Some(gap.what.clone()),
        None => snapshot.nodes.is_empty().then(|| "the nodes".to_owned()),
    }
}

fn unused_images(snapshot: &Snapshot) -> impl Iterator<Item = Step> {
    let used: BTreeSet<&str> = snapshot
        .executions
        .values()
        .filter_map(|execution| execution.ticket.job_image.as_deref())
        .collect();
    snapshot
        .job_images
        .iter()
        .filter(move |image| !used.contains(image.tag.as_str()))
        .cloned()
        .map(Step::RemoveImage)
}

/// A start that was decided on.
struct Start<'a> {
    execution: &'a Execution,
    /// Whether the execution was half started before.
    resumed: bool,
    counts: Vec<(&'a Component, u32)>,
    placement: Placement,
}

/// The starts as they are being decided.
struct Starts<'a> {
    snapshot: &'a Snapshot,
    ledger: Ledger<'a>,
    room: Room<'a>,
    decided: Vec<Start<'a>>,
    waiting: Vec<Waiting>,
}

impl<'a> Starts<'a> {
    fn new(snapshot: &'a Snapshot, ledger: Ledger<'a>) -> Self {
        let room = Room::beside(&snapshot.nodes, &ledger.by_node());
        Self {
            snapshot,
            ledger,
            room,
            decided: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Goes on with a start that was interrupted. Without room for the rest it waits, and the queue behind it.
    fn go_on(&mut self, execution: &'a Execution) {
        if let Err(reason) = self.start(execution, true) {
            self.wait(execution, reason);
        }
    }

    /// Starts a queued execution, unless somebody before it waits or it does not fit.
    fn consider(&mut self, execution: &'a Execution) {
        if let Some(before) = self.waiting.last() {
            let reason = WaitReason::Behind {
                execution: before.execution,
                position: self.waiting.len() + 1,
            };
            self.wait(execution, reason);
        } else if let Err(reason) = self.start(execution, false) {
            self.wait(execution, reason);
        }
    }

    fn wait(&mut self, execution: &Execution, reason: WaitReason) {
        self.waiting.push(Waiting {
            execution: execution.ticket.id,
            reason,
        });
    }

    fn start(&mut self, execution: &'a Execution, resumed: bool) -> Result<(), WaitReason> {
        let members = Members::of(execution);
        let mut placement = match self.room.place_all(&members.missing) {
            Ok(placement) => placement,
            Err(component) => return Err(self.why_not(execution, &members, component)),
        };
        self.ledger.add(execution, &placement);
        placement.extend(members.made);
        self.decided.push(Start {
            execution,
            resumed,
            counts: members.counts,
            placement,
        });
        Ok(())
    }

    /// Why there is no room for the missing members, `stuck` being those that found too little.
    fn why_not(
        &self,
        execution: &Execution,
        members: &Members<'_>,
        stuck: &Component,
    ) -> WaitReason {
        let components = &execution.ticket.application.components;
        let needed: Resources = members
            .missing
            .iter()
            .map(|w| w.component.reservation().times(w.indices.len() as u64))
            .sum();
        let (free, capacity) = self.room.for_components(components);
        let short_of = if needed.cores > free.cores {
            Resource::Cores
        } else if needed.memory > free.memory {
            Resource::Memory
        } else {
            return WaitReason::NoNodeFits {
                component: stuck.name.clone(),
                needed: stuck.reservation(),
            };
        };
        let nodes: HashSet<&str> = self
            .snapshot
            .nodes
            .iter()
            .filter(|node| node.is_available() && components.iter().any(|c| suits(node, c)))
            .map(|node| node.name.as_str())
            .collect();
        WaitReason::NotEnough {
            short_of,
            needed,
            free,
            capacity,
            holders: self
                .ledger
                .holders(short_of, execution.ticket.id, |n| nodes.contains(n)),
        }
    }

    /// Gives what is left to elastic members, in the order of the starts. A resumed start keeps the members it had.
    fn fill_up(&mut self) {
        for start in self.decided.iter_mut().filter(|start| !start.resumed) {
            for (component, count) in &mut start.counts {
                let more = self
                    .room
                    .place_up_to(component, *count..component.members());
                *count += u32::try_from(more.len()).unwrap_or(u32::MAX);
                start.placement.extend(more);
            }
        }
    }

    fn into_plan(self, mut steps: Vec<Step>, policy: Policy) -> Plan {
        if policy.allow_starts {
            steps.extend(self.decided.into_iter().map(Start::into_step));
            return Plan {
                steps,
                waiting: self.waiting,
            };
        }
        let ready = self.decided.iter().filter(|start| !start.resumed);
        let mut waiting: Vec<Waiting> = ready
            .map(|start| Waiting {
                execution: start.execution.ticket.id,
                reason: WaitReason::Ready,
            })
            .collect();
        let before = waiting.len();
        waiting.extend(self.waiting.into_iter().map(|mut later| {
            if let WaitReason::Behind { position, .. } = &mut later.reason {
                *position += before;
            }
            later
        }));
        Plan { steps, waiting }
    }
}

impl Start<'_> {
    fn into_step(self) -> Step {
        let count = |(component, count): (&Component, u32)| -> (ComponentName, u32) {
            (component.name.clone(), count)
        };
        Step::Start {
            execution: self.execution.ticket.id,
            members: self.counts.into_iter().map(count).collect(),
            placement: self.placement,
        }
    }
}
