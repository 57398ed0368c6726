//! From a snapshot to a plan: what ends, what is undone, what is swept, what starts, and why the rest waits.
//!
//! What is being ended in a plan is not free in that same plan: its containers still run. The executor ends first and
//! the caller then observes and plans again; so a plan never counts on an effect that may fail.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    AGEING, Execution, ExecutionId, Mark, Mode, Order, Phase, Plan, Snapshot, Step, Survey,
    WaitReason, Waiting,
};

use super::gates::{self, Gates};
use super::ledger::Ledger;
use super::line::Ranks;
use super::order::Ranking;
use super::past::{Known, Past};
use super::serving::{Begun, Running, line_up, queue};
use super::sight::Sight;
use super::starts::{Starts, is_unstarted};
use super::verdict::{Judge, Verdict};

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
    /// How those that wait are ordered.
    pub order: Order,
    /// How many seconds of waiting take a second of the whole cluster off a size, where the order looks at that.
    pub ageing: u32,
    /// How executions share what there is.
    pub mode: Mode,
    /// How long an execution without a time limit is assumed to run, where the order looks at that.
    pub runtime: SignedDuration,
}

impl Policy {
    /// The usual one: a minute for nodes, three tries of ten minutes for starts; first come, first served, and flexible.
    pub const fn usual(allow_starts: bool) -> Self {
        Self {
            allow_starts,
            node_grace: SignedDuration::from_mins(1),
            start_tries: 3,
            start_deadline: SignedDuration::from_mins(10),
            order: Order::Fifo,
            ageing: AGEING,
            mode: Mode::Flexible,
            runtime: SignedDuration::from_hours(1),
        }
    }

    /// By which rule those that wait are given their places.
    pub const fn ranking(&self) -> Ranking {
        Ranking {
            order: self.order,
            ageing: self.ageing,
        }
    }
}

/// Says what is to be done next.
///
/// Ends come first, then what is undone and removed, then starts. Executions that have lost members are the first to be
/// given room, then half started ones, then the queue in the order of the policy, strictly: the first execution whose core
/// members don't all fit stops all that follow, unless it has to wait anyway (`gates`), or they can't delay it
/// (`backfill`). Where something could not be read, only what was positively seen is acted on.
///
/// `known` is what history has of the executions; see [`super::concerned`] for which are of interest.
pub fn plan(snapshot: &Snapshot, known: &Known, policy: &Policy, now: Timestamp) -> Plan {
    let sight = Sight::of(snapshot);
    let judge = Judge {
        sight: &sight,
        unready: &known.unready,
        policy,
        now,
    };
    let mut ledger = Ledger::new(&snapshot.nodes);
    let mut gates = Gates::new(snapshot, known, policy, now);
    let mut judged = Judged::default();
    let mut limited = Vec::new();
    // One walk over all members, as what a large plan waits for is their memory.
    for execution in snapshot.executions.values() {
        let survey = execution.survey();
        ledger.enter(execution, &survey);
        gates.enter(execution, &survey);
        if !execution.instances.is_empty() && execution.ticket.timeout.is_some() {
            limited.push(execution);
        }
        judged.add(&judge, execution, &survey, snapshot, known);
    }
    let mut steps = judged.settle();
    let over = steps.iter().filter_map(over).collect();
    if sight.blind.is_none() {
        let orphans = snapshot.orphans.iter();
        // A ticket may be where nothing was seen: what names an execution may have one after all.
        let orphans = orphans.filter(|o| sight.silent.is_empty() || o.execution.is_none());
        steps.extend(orphans.cloned().map(Step::Sweep));
    }
    if !sight.is_partial() && !snapshot.job_images.is_empty() {
        steps.extend(unused_images(snapshot));
    }
    judged.begun.kept_back = gates.keep_back(&judged.begun.starting);
    let ranks = Ranks::new(snapshot, known, policy, now);
    let line = line_up(&ranks, &gates, &judged.queued, &sight);
    let ids: Vec<ExecutionId> = line.iter().map(|one| one.place.id()).collect();
    if sight.blind.is_some() {
        let reason = WaitReason::Unknown { what: sight.what() };
        let waiting = ids.into_iter().map(|execution| Waiting {
            execution,
            reason: reason.clone(),
        });
        return Plan {
            steps,
            waiting: waiting.collect(),
            reserved: None,
        };
    }
    let mut starts = Starts::new(snapshot, &sight, ledger, policy.mode, now);
    starts.over = over;
    starts.limited = limited;
    let retried = line.iter().filter(|one| {
        let retry = |reason: &WaitReason| matches!(reason, WaitReason::Retry { .. });
        one.closed.as_deref().is_some_and(retry)
    });
    let running = Running {
        known,
        ranks: &ranks,
        retried: retried.map(|one| one.place).min(),
        now,
    };
    running.serve(&mut starts, &mut gates, judged.begun);
    queue(&mut starts, gates, line);
    starts.into_plan(steps, &ids, policy)
}

/// The execution that a step ends or undoes.
fn over(step: &Step) -> Option<ExecutionId> {
    match step {
        Step::End { execution, .. }
        | Step::Rollback { execution, .. }
        | Step::Retry { execution, .. } => Some(*execution),
        Step::Drop { .. } | Step::Start { .. } | Step::Sweep(_) | Step::RemoveImage(_) => None,
    }
}

/// The executions by what is to become of them, each group in the order of the queue.
#[derive(Default)]
struct Judged<'a> {
    ends: Vec<Step>,
    undone: Vec<Step>,
    begun: Begun<'a>,
    /// With whether all of it that there may be was seen.
    queued: Vec<(&'a Execution, bool)>,
}

impl<'a> Judged<'a> {
    /// Adds one.
    fn add(
        &mut self,
        judge: &Judge<'_>,
        execution: &'a Execution,
        survey: &Survey,
        snapshot: &Snapshot,
        known: &Known,
    ) {
        // Nothing is wrong with it, and nothing can be unless its time is up.
        let is_well = survey.is_well && execution.ticket.timeout.is_none();
        if is_well && !is_doubtful(execution, known) {
            if !judge.sight.is_partial() || !judge.sight.hides(execution) {
                self.begun.well.push(execution);
            }
            return;
        }
        let allow_starts = judge.policy.allow_starts;
        let phase = survey.phase;
        let id = execution.ticket.id;
        let unknown = Past::default();
        let past = known.past(id).unwrap_or(&unknown);
        match judge.verdict(execution, phase, past) {
            Verdict::End(mark, why) => self.ends.push(Step::End {
                execution: id,
                mark,
                why,
            }),
            Verdict::Rollback(why) if allow_starts => {
                self.undone.push(Step::Rollback { execution: id, why });
            }
            Verdict::Retry { code, why } if allow_starts => self.undone.push(Step::Retry {
                execution: id,
                code,
                why,
            }),
            Verdict::Queued => match gates::hopeless(execution, snapshot, known) {
                Some(why) => self.ends.push(Step::End {
                    execution: id,
                    mark: Mark::Failed,
                    why: Some(why),
                }),
                None => self.queued.push((execution, true)),
            },
            Verdict::Resume => self.begun.starting.push(execution),
            Verdict::Runs(casualties) if phase == Phase::Starting || !casualties.is_empty() => {
                self.begun.running.push((execution, casualties));
            }
            Verdict::Runs(_) if survey.lacks_core || is_unstarted(execution) => {
                self.begun.running.push((execution, Vec::new()));
            }
            Verdict::Runs(_) => self.begun.well.push(execution),
            Verdict::Unseen if phase == Phase::Queued => self.queued.push((execution, false)),
            Verdict::Rollback(_) | Verdict::Retry { .. } | Verdict::Unseen => {}
        }
    }

    /// Puts those that have begun in order, now that all are here; the steps for those that have not, or are over.
    fn settle(&mut self) -> Vec<Step> {
        self.begun
            .running
            .sort_by_key(|(execution, _)| turn(execution));
        self.begun.starting.sort_by_key(|execution| turn(execution));
        let mut steps = std::mem::take(&mut self.ends);
        steps.append(&mut self.undone);
        steps
    }
}

/// Whether something may be wrong with the start of one that runs: it is not ready, or was written down as failed.
fn is_doubtful(execution: &Execution, known: &Known) -> bool {
    let id = execution.ticket.id;
    let failed = || {
        known
            .past(id)
            .is_some_and(|past| past.has_failed_start(execution))
    };
    execution.ticket.application.can_be_asked() && (known.unready.contains_key(&id) || failed())
}

/// When it came, the id deciding between equals.
fn turn(execution: &Execution) -> (Timestamp, ExecutionId) {
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
