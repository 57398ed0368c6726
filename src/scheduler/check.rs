//! Judges a plan from outside, against the rules and not against the way it was made.
//!
//! It shares no code with packing and planning, so that a mistake there is not repeated here. It can't tell whether a
//! better plan exists, nor the time: only whether this one does anything it must not. Property tests and debug builds
//! run it.

mod order;
mod quotas;
mod reserved;
mod standing;
mod starts;
mod undone;
mod violation;

use starts::over;
pub use violation::Violation;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Known, Policy};
use crate::model::{
    Cause, ComponentName, Execution, ExecutionId, Instance, InstanceKey, InstanceState, Mark, Node,
    Phase, Placement, Plan, Snapshot, Step, WaitReason,
};

/// All rules that a plan breaks that was made of this; none is the only good answer.
pub fn check(
    snapshot: &Snapshot,
    known: &Known,
    policy: &Policy,
    now: Timestamp,
    plan: &Plan,
) -> Vec<Violation> {
    let silent = snapshot.gaps.iter().filter_map(|gap| gap.node.as_deref());
    let mut judge = Judge {
        snapshot,
        known,
        policy,
        now,
        reasons: plan
            .waiting
            .iter()
            .map(|w| (w.execution, &w.reason))
            .collect(),
        in_front: BTreeMap::new(),
        reclaimed: Vec::new(),
        nodes: snapshot
            .nodes
            .iter()
            .map(|n| (n.name.as_str(), n))
            .collect(),
        silent: silent.collect(),
        images_in_use: snapshot
            .executions
            .values()
            .filter_map(|e| e.ticket.job_image.as_deref())
            .collect(),
        ended: BTreeSet::new(),
        dropped: BTreeSet::new(),
        started: BTreeMap::new(),
        violations: Vec::new(),
    };
    judge.steps(&plan.steps);
    judge.stand_in_line();
    judge.drops();
    judge.reclaims(plan);
    judge.reasons(plan);
    judge.every_execution(plan);
    judge.order(plan);
    judge.reservation(plan);
    judge.capacity();
    judge.quotas();
    judge.violations
}

struct Judge<'a> {
    snapshot: &'a Snapshot,
    known: &'a Known,
    policy: &'a Policy,
    now: Timestamp,
    /// Why those wait that do.
    reasons: BTreeMap<ExecutionId, &'a WaitReason>,
    /// What users have in front of each of their queued executions, where that counts.
    in_front: BTreeMap<ExecutionId, u64>,
    /// Members that are taken back.
    reclaimed: Vec<(ExecutionId, &'a Cause)>,
    nodes: BTreeMap<&'a str, &'a Node>,
    /// The nodes that could not be read.
    silent: BTreeSet<&'a str>,
    images_in_use: BTreeSet<&'a str>,
    /// Those that end, or whose start is undone.
    ended: BTreeSet<ExecutionId>,
    /// Members that are removed.
    dropped: BTreeSet<&'a InstanceKey>,
    started: BTreeMap<ExecutionId, &'a Placement>,
    violations: Vec<Violation>,
}

impl<'a> Judge<'a> {
    fn objects(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    fn steps(&mut self, steps: &'a [Step]) {
        for step in steps {
            if self.is_blind(step) {
                self.objects(Violation::Blind);
            }
            if !matches!(step, Step::Start { .. }) && !self.started.is_empty() {
                self.objects(Violation::StartTooEarly);
            }
            match step {
                Step::End {
                    execution,
                    mark,
                    why,
                } => self.end(*execution, *mark, why.as_ref()),
                Step::Rollback { execution, why } => self.rollback(*execution, why),
                Step::Retry { execution, .. } => self.retry(*execution),
                Step::Drop { execution, members } => self.drop(*execution, members),
                Step::Sweep(orphan) => {
                    if !self.snapshot.orphans.contains(orphan) {
                        self.objects(Violation::NoOrphan(orphan.name.clone()));
                    }
                }
                Step::RemoveImage(image) => {
                    let known = self.snapshot.job_images.contains(image);
                    if !known || self.images_in_use.contains(image.tag.as_str()) {
                        self.objects(Violation::WrongImage(image.tag.clone()));
                    }
                }
                Step::Start {
                    execution,
                    placement,
                } => self.start(*execution, placement),
            }
        }
    }

    /// Whether a step acts on what was not seen.
    fn is_blind(&self, step: &Step) -> bool {
        let gaps = &self.snapshot.gaps;
        if gaps.is_empty() {
            return false;
        }
        let whole = gaps.iter().any(|gap| gap.node.is_none());
        match step {
            Step::End { why: None, .. } => false,
            Step::End { execution, .. }
            | Step::Rollback { execution, .. }
            | Step::Retry { execution, .. }
            | Step::Drop { execution, .. }
            | Step::Start { execution, .. } => {
                let execution = self.snapshot.executions.get(execution);
                whole || execution.is_some_and(|e| self.is_hidden(e))
            }
            Step::Sweep(orphan) => whole || orphan.execution.is_some(),
            Step::RemoveImage(_) => true,
        }
    }

    /// Whether members are, or may be, on a node that could not be read.
    fn is_hidden(&self, execution: &Execution) -> bool {
        let silent = |i: &Instance| self.silent.contains(i.node.as_str());
        let some = !execution.instances.is_empty();
        let missing = || !missing_core(execution, |_| true).is_empty();
        !self.silent.is_empty() && (execution.instances.iter().any(silent) || (some && missing()))
    }

    fn end(&mut self, id: ExecutionId, mark: Mark, why: Option<&Cause>) {
        let Some(execution) = self.snapshot.executions.get(&id) else {
            return self.objects(Violation::Unknown(id));
        };
        if !self.ended.insert(id) || self.started.contains_key(&id) {
            self.objects(Violation::Twice(id));
        }
        let justified = match (execution.phase(), mark, why) {
            (Phase::Ending(seen), _, None) => seen == mark,
            (Phase::Running { .. } | Phase::Starting, Mark::TimedOut, None) => {
                execution.deadline().is_some()
            }
            (Phase::Starting, Mark::Ending, None) => execution.decisive_exit().is_some(),
            (Phase::Running { .. } | Phase::Starting, Mark::Lost, Some(cause)) => {
                matches!(cause, Cause::Lost { .. })
                    && is_true(execution, cause)
                    && !is_expendable(execution, cause)
            }
            (Phase::Running { .. }, Mark::Failed, Some(cause)) => {
                self.was_never_ready(execution, cause)
            }
            (Phase::Starting, Mark::Failed, Some(cause)) => is_true(execution, cause),
            (Phase::Queued, Mark::Failed, Some(Cause::Hopeless { after, .. })) => {
                let terms = &execution.ticket.terms;
                let named = terms.after.iter().any(|d| d.execution == *after);
                named && !self.snapshot.executions.contains_key(after)
            }
            (Phase::Queued, Mark::Failed, Some(cause)) => *cause == Cause::Removed,
            _ => false,
        };
        if !justified {
            self.objects(Violation::WrongEnd(id));
        }
    }

    fn rollback(&mut self, id: ExecutionId, why: &Cause) {
        let Some(execution) = self.snapshot.executions.get(&id) else {
            return self.objects(Violation::Unknown(id));
        };
        if !self.ended.insert(id) || self.started.contains_key(&id) {
            self.objects(Violation::Twice(id));
        }
        let right = match (execution.phase(), why) {
            (_, Cause::Undone { .. }) => self.was_undone(execution),
            (Phase::Running { .. }, _) => self.was_never_ready(execution, why),
            (Phase::Starting, _) => is_true(execution, why),
            (Phase::Queued | Phase::Ending(_), _) => false,
        };
        if !right {
            self.objects(Violation::WrongRollback(id));
        }
    }

    /// Only what has failed of itself is run again, and only if its terms say so.
    fn retry(&mut self, id: ExecutionId) {
        let Some(execution) = self.snapshot.executions.get(&id) else {
            return self.objects(Violation::Unknown(id));
        };
        if !self.ended.insert(id) || self.started.contains_key(&id) {
            self.objects(Violation::Twice(id));
        }
        let right = match execution.phase() {
            Phase::Ending(_) | Phase::Starting => may_run_again(execution),
            Phase::Queued | Phase::Running { .. } => false,
        };
        if !right {
            self.objects(Violation::WrongRollback(id));
        }
    }

    fn drop(&mut self, id: ExecutionId, causes: &'a [Cause]) {
        let Some(execution) = self.snapshot.executions.get(&id) else {
            return self.objects(Violation::Unknown(id));
        };
        let goes_on = matches!(execution.phase(), Phase::Running { .. } | Phase::Starting);
        if self.ended.contains(&id) || causes.is_empty() {
            self.objects(Violation::Twice(id));
        }
        for cause in causes {
            let Some(member) = cause.member() else {
                self.objects(Violation::WrongRollback(id));
                continue;
            };
            let reclaimed = matches!(cause, Cause::Reclaimed { .. });
            if reclaimed {
                self.reclaimed.push((id, cause));
            }
            let right = goes_on
                && (reclaimed || is_true(execution, cause))
                && is_expendable(execution, cause);
            if !right || !self.dropped.insert(member) {
                self.objects(Violation::WrongDrop {
                    execution: id,
                    component: member.component.clone(),
                });
            }
        }
    }

    /// One that has ended is removed only to make place for another.
    fn drops(&mut self) {
        let needless: Vec<_> = self
            .dropped
            .iter()
            .filter(|key| {
                let execution = self.snapshot.executions.get(&key.execution);
                let seen = execution.and_then(|e| e.instances.iter().find(|i| i.key == ***key));
                let exited = seen.is_some_and(|i| i.exit_code().is_some());
                let placement = self.started.get(&key.execution);
                let member = (key.component.clone(), key.index);
                exited && !placement.is_some_and(|p| p.contains_key(&member))
            })
            .map(|key| Violation::WrongDrop {
                execution: key.execution,
                component: key.component.clone(),
            })
            .collect();
        self.violations.extend(needless);
    }

    fn reasons(&mut self, plan: &Plan) {
        let mut seen = BTreeSet::new();
        for waiting in &plan.waiting {
            let id = waiting.execution;
            let Some(execution) = self.snapshot.executions.get(&id) else {
                self.objects(Violation::Unknown(id));
                continue;
            };
            let lost_some = matches!(waiting.reason, WaitReason::Replacement { .. });
            let started = self.started.contains_key(&id) && !lost_some;
            if !seen.insert(id) || started || self.ended.contains(&id) {
                self.objects(Violation::Twice(id));
            }
            let right = match execution.phase() {
                Phase::Queued => !lost_some,
                Phase::Starting => true,
                Phase::Running { .. } => lost_some,
                Phase::Ending(_) => false,
            };
            if !right {
                self.objects(Violation::WrongReason(id));
            }
        }
    }

    fn every_execution(&mut self, plan: &Plan) {
        let waiting: BTreeSet<_> = plan.waiting.iter().map(|w| w.execution).collect();
        for (id, execution) in &self.snapshot.executions {
            let done = self.ended.contains(id) || self.started.contains_key(id);
            match execution.phase() {
                Phase::Queued if !waiting.contains(id) && !done => {
                    self.violations.push(Violation::NoReason(*id));
                }
                Phase::Ending(_)
                    if !self.ended.contains(id)
                        && !may_run_again(execution)
                        && !self.was_undone(execution) =>
                {
                    self.violations.push(Violation::NotEnded(*id));
                }
                Phase::Queued | Phase::Starting | Phase::Running { .. } | Phase::Ending(_) => {}
            }
        }
    }
}

/// Whether it may be run again if it fails, as far as can be seen: how often it did can't.
fn may_run_again(execution: &Execution) -> bool {
    execution.mark.is_none() && execution.ticket.terms.retries.most > 0
}

/// Whether what is said of a member can be seen.
fn is_true(execution: &Execution, cause: &Cause) -> bool {
    let Some(member) = cause.member() else {
        return *cause == Cause::Removed
            && !missing_core(execution, |replaceable| !replaceable).is_empty();
    };
    let Some(seen) = execution.instances.iter().find(|i| i.key == *member) else {
        return false;
    };
    match (cause, seen.state) {
        (Cause::Lost { since, .. }, InstanceState::Lost { since: at }) => at == Some(*since),
        (Cause::Rejected { .. }, InstanceState::Rejected) => true,
        (Cause::Exited { code, .. }, InstanceState::Exited { code: seen }) => *code == seen,
        (Cause::Overdue { note, .. }, InstanceState::Created | InstanceState::Other) => {
            seen.note.as_ref() == Some(note)
        }
        _ => false,
    }
}

/// Whether the execution can go on without that member.
fn is_expendable(execution: &Execution, cause: &Cause) -> bool {
    cause.member().is_some_and(|member| {
        let component = execution.ticket.application.component(&member.component);
        component.is_some_and(|c| c.replaceable || member.index >= c.core)
    })
}

/// The core members that don't exist, of the components that are `wanted` (by whether they are replaceable).
fn missing_core(
    execution: &Execution,
    wanted: impl Fn(bool) -> bool,
) -> Vec<(&ComponentName, u32)> {
    let components = execution.ticket.application.components.iter();
    let core = components
        .filter(|c| wanted(c.replaceable))
        .flat_map(|c| (0..c.core).map(move |i| (&c.name, i)));
    core.filter(|(name, i)| is_at(execution, name, *i).is_none())
        .collect()
}

/// The member, if it exists.
fn is_at<'e>(execution: &'e Execution, name: &ComponentName, index: u32) -> Option<&'e Instance> {
    execution
        .instances
        .iter()
        .find(|i| i.key.component == *name && i.key.index == index)
}
