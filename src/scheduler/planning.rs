//! From a snapshot to a plan: what ends, what is undone, what is swept, what starts, and why the rest waits.
//!
//! What is being ended in a plan is not free in that same plan: its containers still run. The executor ends first and
//! the caller then observes and plans again; so a plan never counts on an effect that may fail.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    Execution, ExecutionId, Mark, Phase, Plan, Snapshot, Step, WaitReason, Waiting,
};

use super::gates::{self, Gates};
use super::ledger::{Ledger, Standing};
use super::past::{Known, Past};
use super::sight::Sight;
use super::starts::{Starts, is_unstarted};
use super::verdict::{Casualty, Judge, Verdict};

/// What a pass may do, and how it chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether this pass may start executions and undo starts: only one that holds the deployment's lease may. Where it may
    /// not, what could be started waits with [`WaitReason::Ready`].
    pub allow_starts: bool,
    /// How long a node must have been down before anything is concluded for what ran on it.
    pub node_grace: SignedDuration,
    /// How often a start is tried.
    pub start_tries: u32,
    /// How long Docker may take to get a member going that it has words about.
    pub start_deadline: SignedDuration,
}

impl Policy {
    /// The usual one: a minute for nodes, three tries of ten minutes for starts.
    pub const fn usual(allow_starts: bool) -> Self {
        Self {
            allow_starts,
            node_grace: SignedDuration::from_mins(1),
            start_tries: 3,
            start_deadline: SignedDuration::from_mins(10),
        }
    }
}

/// Says what is to be done next.
///
/// Ends come first, then what is undone and removed, then starts. Executions that have lost members are the first to be
/// given room, then half started ones, then the queue: first come, first served, strictly: the first execution whose core
/// members don't all fit stops all that follow, unless it has to wait anyway (`gates`). Where something
/// could not be read, only what was positively seen is acted on.
///
/// `known` is what history has of the executions; see [`concerned`] for which are of interest.
pub fn plan(snapshot: &Snapshot, known: &Known, policy: &Policy, now: Timestamp) -> Plan {
    let sight = Sight::of(snapshot);
    let standings: Vec<Standing<'_>> = snapshot.executions.values().map(Standing::of).collect();
    let judge = Judge {
        sight: &sight,
        policy,
        now,
    };
    let judged = judge_all(&judge, &standings, snapshot, known);
    let mut steps = judged.steps;
    if sight.blind.is_none() {
        let orphans = snapshot.orphans.iter();
        // A ticket may be where nothing was seen: what names an execution may have one after all.
        let orphans = orphans.filter(|o| sight.silent.is_empty() || o.execution.is_none());
        steps.extend(orphans.cloned().map(Step::Sweep));
    }
    if !sight.is_partial() {
        steps.extend(unused_images(snapshot));
    }
    let unseen = || WaitReason::Unknown { what: sight.what() };
    if sight.blind.is_some() {
        let waiting = judged.queued.iter().map(|(execution, _)| Waiting {
            execution: execution.ticket.id,
            reason: unseen(),
        });
        let waiting = waiting.collect();
        return Plan { steps, waiting };
    }
    let mut starts = Starts::new(snapshot, &sight, Ledger::of(&snapshot.nodes, &standings));
    let unknown = Past::default();
    for (execution, casualties) in judged.running {
        let past = known.past(execution.ticket.id).unwrap_or(&unknown);
        starts.repair(execution, casualties, |component, index| {
            past.may_replace(component, index, now)
        });
    }
    starts.go_on(&judged.starting);
    let mut gates = Gates::new(snapshot, known, policy, now);
    for (execution, seen) in judged.queued {
        let closed = if seen {
            gates.closed(execution)
        } else {
            Some(unseen())
        };
        match closed {
            Some(reason) => starts.put_off(execution, reason),
            None if starts.consider(execution) => {
                gates.started(execution, execution.ticket.application.core_reservation());
            }
            None => {}
        }
    }
    starts.fill_up(&mut gates);
    starts.into_plan(steps, *policy)
}

/// What has to be known for a plan to be right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerned {
    /// The executions on whose past it may depend: what it does to them may have to be decided otherwise once that is known.
    pub executions: BTreeSet<ExecutionId>,
    /// The users on whose quota and usage it may depend.
    pub users: BTreeSet<String>,
    /// The executions that others wait for and Docker does not have.
    pub ends: BTreeSet<ExecutionId>,
}

/// What the plan may depend on. Planning again with what is known of it, until there is nothing new, gives the right plan.
pub fn concerned(snapshot: &Snapshot, plan: &Plan) -> Concerned {
    let queued = || {
        let all = snapshot.executions.values();
        all.filter(|e| e.instances.is_empty() && e.mark.is_none())
    };
    let after = queued().flat_map(|e| &e.ticket.terms.after);
    Concerned {
        executions: with_a_past(snapshot, plan),
        users: queued().map(|e| e.ticket.user.clone()).collect(),
        ends: after
            .map(|dependency| dependency.execution)
            .filter(|id| !snapshot.executions.contains_key(id))
            .collect(),
    }
}

fn with_a_past(snapshot: &Snapshot, plan: &Plan) -> BTreeSet<ExecutionId> {
    let steps = plan.steps.iter().filter_map(|step| match step {
        Step::Start { execution, .. }
        | Step::Rollback { execution, .. }
        | Step::Retry { execution, .. }
        | Step::Drop { execution, .. }
        | Step::End {
            execution,
            why: Some(_),
            ..
        } => Some(*execution),
        Step::End { why: None, .. } | Step::Sweep(_) | Step::RemoveImage(_) => None,
    });
    // Somebody may have released it, or holds it, and then it keeps nobody back.
    let held = plan.waiting.iter();
    let held = held.filter(|waiting| match waiting.reason {
        WaitReason::Held
        | WaitReason::Ready
        | WaitReason::NotEnough { .. }
        | WaitReason::NoNodeFits { .. }
        | WaitReason::NodesAway { .. } => true,
        WaitReason::Replacement { .. }
        | WaitReason::Retry { .. }
        | WaitReason::After { .. }
        | WaitReason::ArrayLimit { .. }
        | WaitReason::Quota(_)
        | WaitReason::Again { .. }
        | WaitReason::Behind { .. }
        | WaitReason::Unknown { .. } => false,
    });
    let held = held.map(|waiting| waiting.execution);
    let half_started = snapshot.executions.values();
    let half_started = half_started.filter(|execution| execution.phase() == Phase::Starting);
    steps
        .chain(half_started.map(|e| e.ticket.id))
        .chain(held)
        .collect()
}

/// The executions by what is to become of them, each group in the order of the queue.
#[derive(Default)]
struct Judged<'a> {
    steps: Vec<Step>,
    running: Vec<(&'a Execution, Vec<Casualty<'a>>)>,
    starting: Vec<&'a Execution>,
    /// With whether all of it that there may be was seen.
    queued: Vec<(&'a Execution, bool)>,
}

fn judge_all<'a>(
    judge: &Judge<'_>,
    standings: &[Standing<'a>],
    snapshot: &Snapshot,
    known: &Known,
) -> Judged<'a> {
    let allow_starts = judge.policy.allow_starts;
    let mut judged = Judged::default();
    let mut undone = Vec::new();
    let unknown = Past::default();
    for Standing { execution, survey } in standings {
        let phase = &survey.phase;
        // Nothing is wrong with it, and nothing can be unless its time is up.
        if survey.is_well && execution.ticket.timeout.is_none() {
            continue;
        }
        let id = execution.ticket.id;
        let past = known.past(id).unwrap_or(&unknown);
        match judge.verdict(execution, *phase, past) {
            Verdict::End(mark, why) => judged.steps.push(Step::End {
                execution: id,
                mark,
                why,
            }),
            Verdict::Rollback(why) if allow_starts => {
                undone.push(Step::Rollback { execution: id, why });
            }
            Verdict::Retry { code, why } if allow_starts => undone.push(Step::Retry {
                execution: id,
                code,
                why,
            }),
            Verdict::Queued => match gates::hopeless(execution, snapshot, known) {
                Some(why) => judged.steps.push(Step::End {
                    execution: id,
                    mark: Mark::Failed,
                    why: Some(why),
                }),
                None => judged.queued.push((execution, true)),
            },
            Verdict::Resume => judged.starting.push(execution),
            Verdict::Runs(casualties) if *phase == Phase::Starting || !casualties.is_empty() => {
                judged.running.push((execution, casualties));
            }
            Verdict::Runs(_) if survey.lacks_core || is_unstarted(execution) => {
                judged.running.push((execution, Vec::new()));
            }
            Verdict::Unseen if *phase == Phase::Queued => judged.queued.push((execution, false)),
            Verdict::Rollback(_) | Verdict::Retry { .. } | Verdict::Runs(_) | Verdict::Unseen => {}
        }
    }
    judged.steps.extend(undone);
    judged.running.sort_by_key(|(execution, _)| turn(execution));
    judged.starting.sort_by_key(|execution| turn(execution));
    judged.queued.sort_by_key(|(execution, _)| turn(execution));
    judged
}

/// An execution's place in the queue: first come, first served, the id deciding between equals.
pub(super) fn turn(execution: &Execution) -> (Timestamp, ExecutionId) {
    (execution.ticket.submitted_at, execution.ticket.id)
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
