//! What is to become of one execution, whatever there is room for: whether it ends, has failed to start, goes on, and
//! which of its members are no good any more.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    Cause, Component, Execution, ExecutionId, Instance, InstanceState, Mark, Phase,
};

use super::Policy;
use super::past::Past;
use super::sight::Sight;

/// What is to become of an execution.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    /// It ends.
    End(Mark, Option<Cause>),
    /// Its start has failed and is undone.
    Rollback(Cause),
    /// Its program has failed and is run again.
    Retry {
        /// Its exit code.
        code: i64,
        /// What went wrong.
        why: String,
    },
    /// It waits for its turn.
    Queued,
    /// Its start was interrupted and goes on.
    Resume,
    /// It runs; these members are no good any more.
    Runs(Vec<Casualty<'a>>),
    /// Not enough of it was seen.
    Unseen,
}

/// A member that is no good any more, of an execution that goes on without it.
#[derive(Debug)]
pub(super) struct Casualty<'a> {
    /// The member.
    pub instance: &'a Instance,
    /// What is wrong with it.
    pub cause: Cause,
    /// Whether it is a core member.
    pub core: bool,
    /// Whether it may be made anew.
    pub anew: bool,
}

/// Judges one execution.
pub(super) struct Judge<'a> {
    /// What was seen.
    pub sight: &'a Sight<'a>,
    /// Who is not ready, as far as that was asked, and what is lacking.
    pub unready: &'a BTreeMap<ExecutionId, String>,
    /// What is waited for, and how long.
    pub policy: &'a Policy,
    /// The time now.
    pub now: Timestamp,
}

impl Judge<'_> {
    /// What is to become of an execution that is in this phase and has this past.
    pub fn verdict<'e>(&self, execution: &'e Execution, phase: Phase, past: &Past) -> Verdict<'e> {
        if let Some(undone) = self.undone(execution, past) {
            return undone;
        }
        if let Some(again) = self.again(execution, phase, past) {
            return again;
        }
        match phase {
            Phase::Ending(mark) => return Verdict::End(mark, None),
            Phase::Starting | Phase::Running { .. }
                if execution.deadline().is_some_and(|at| at <= self.now) =>
            {
                return Verdict::End(Mark::TimedOut, None);
            }
            Phase::Queued | Phase::Starting | Phase::Running { .. } => {}
        }
        if self.sight.blind.is_some() || self.sight.hides(execution) {
            return Verdict::Unseen;
        }
        match phase {
            Phase::Queued if !past.started => Verdict::Queued,
            Phase::Queued if !self.sight.silent.is_empty() => Verdict::Unseen,
            Phase::Queued => Verdict::End(Mark::Failed, Some(Cause::Removed)),
            Phase::Starting if !past.started => self.starts(execution, past),
            Phase::Starting => self.was_interrupted(execution, past),
            Phase::Running { .. } => match self.not_ready(execution, past) {
                Some(cause) => self.failed(cause, past),
                None => self.runs(execution, past),
            },
            Phase::Ending(_) => self.runs(execution, past),
        }
    }

    /// Whether it was written down that this start of it has failed: then it is undone, whatever it looks like by now.
    fn undone<'e>(&self, execution: &Execution, past: &Past) -> Option<Verdict<'e>> {
        if execution.mark.is_some() || !past.has_failed_start(execution) {
            return None;
        }
        if self.sight.blind.is_some() || self.sight.hides(execution) {
            return Some(Verdict::Unseen);
        }
        let (_, why) = past.failures.last()?;
        Some(Verdict::Rollback(Cause::Undone { why: why.clone() }))
    }

    /// What it lacks, if it was not ready when it was first asked, nor since, nor now, and its time is over.
    fn not_ready(&self, execution: &Execution, past: &Past) -> Option<Cause> {
        let missing = self.unready.get(&execution.ticket.id)?;
        let since = past.unready_since.filter(|_| !past.ready)?;
        let over = self.is_over(since, self.policy.start_deadline);
        over.then(|| Cause::NotReady {
            missing: missing.clone(),
        })
    }

    /// Whether its program has failed and is to be run again, or what is there is left of such a run.
    fn again<'e>(&self, execution: &Execution, phase: Phase, past: &Past) -> Option<Verdict<'e>> {
        if execution.mark.is_some() || execution.ticket.terms.retries.most == 0 {
            return None;
        }
        let rest = |i: &Instance| !past.started && past.is_of_failed(i);
        let last = past.attempts.last();
        let (code, why) = if let Some(last) = last.filter(|_| execution.instances.iter().any(rest))
        {
            (last.code, last.why.clone())
        } else {
            let is_over = match phase {
                Phase::Ending(_) => true,
                Phase::Starting => past.started,
                Phase::Queued | Phase::Running { .. } => false,
            };
            let failed = execution.decisive_exit().filter(|_| is_over)?;
            let code = execution.exit_code_of(failed)?;
            let retries = &execution.ticket.terms.retries;
            if !retries.allow(code, past.failed().saturating_add(1)) {
                return None;
            }
            let key = &failed.key;
            let why = format!("{}-{} exited with {code}", key.component, key.index);
            (code, why)
        };
        let unseen = self.sight.blind.is_some() || self.sight.hides(execution);
        Some(if unseen {
            Verdict::Unseen
        } else {
            Verdict::Retry { code, why }
        })
    }

    /// It has never run.
    fn starts<'e>(&self, execution: &'e Execution, past: &Past) -> Verdict<'e> {
        let unmonitored = execution.ticket.application.monitor.is_none();
        let mut causes = core(execution).filter_map(|(instance, _)| match instance.state {
            InstanceState::Exited { code } if code != 0 || unmonitored => {
                self.cause(execution, instance)
            }
            InstanceState::Rejected | InstanceState::Lost { .. } => self.cause(execution, instance),
            InstanceState::Created | InstanceState::Other => self.overdue(instance),
            InstanceState::Running | InstanceState::Exited { .. } => None,
        });
        match causes.next() {
            Some(cause) => self.failed(cause, past),
            None => Verdict::Resume,
        }
    }

    /// A start has failed: it is tried again, unless it was often enough. Also where an image is said not to be there: nodes say
    /// the same of one whose registry does not answer for a while.
    fn failed<'e>(&self, cause: Cause, past: &Past) -> Verdict<'e> {
        if past.tried().saturating_add(1) >= self.policy.start_tries {
            Verdict::End(Mark::Failed, Some(cause))
        } else {
            Verdict::Rollback(cause)
        }
    }

    /// It ran, and not all that it can't do without is there any more.
    fn was_interrupted<'e>(&self, execution: &'e Execution, past: &Past) -> Verdict<'e> {
        if execution.decisive_exit().is_some() {
            return Verdict::End(Mark::Ending, None);
        }
        let fixed = || core(execution).filter(|(_, component)| !component.replaceable);
        let components = &execution.ticket.application.components;
        let wanted: u64 = components
            .iter()
            .filter(|component| !component.replaceable)
            .map(|component| u64::from(component.core))
            .sum();
        if (fixed().count() as u64) < wanted {
            return Verdict::End(Mark::Failed, Some(Cause::Removed));
        }
        // One that Docker rejects has never run, whatever was believed of it.
        let rejected = fixed().find(|(i, _)| i.state == InstanceState::Rejected);
        match rejected.and_then(|(instance, _)| self.cause(execution, instance)) {
            Some(cause) => self.failed(cause, past),
            None => self.runs(execution, past),
        }
    }

    fn runs<'e>(&self, execution: &'e Execution, past: &Past) -> Verdict<'e> {
        let mut casualties = Vec::new();
        let mut uncertain = false;
        for instance in &execution.instances {
            let bad = match instance.state {
                InstanceState::Running | InstanceState::Exited { code: 0 } => None,
                InstanceState::Created | InstanceState::Other => self.overdue(instance),
                InstanceState::Exited { .. }
                | InstanceState::Rejected
                | InstanceState::Lost { .. } => self.cause(execution, instance),
            };
            let lost = matches!(instance.state, InstanceState::Lost { .. });
            let key = &instance.key;
            let Some(component) = execution.ticket.application.component(&key.component) else {
                continue;
            };
            let core = key.index < component.core;
            let fixed = core && !component.replaceable;
            let Some(cause) = bad else {
                uncertain |= lost && fixed;
                continue;
            };
            let exited = instance.exit_code().is_some();
            if fixed {
                if lost {
                    return Verdict::End(Mark::Lost, Some(cause));
                }
                continue;
            }
            let anew = lost || past.may_replace(&key.component, key.index, self.now);
            // One that has ended and is not made anew may stay: it holds nothing, and shows why.
            if anew || !exited {
                casualties.push(Casualty {
                    instance,
                    cause,
                    core,
                    anew,
                });
            }
        }
        // Whether it can go on at all is not known yet.
        if uncertain {
            return Verdict::Unseen;
        }
        Verdict::Runs(casualties)
    }

    /// What is wrong with a member, once it is certain.
    fn cause(&self, execution: &Execution, instance: &Instance) -> Option<Cause> {
        let member = instance.key.clone();
        let node = instance.node.clone();
        match instance.state {
            InstanceState::Lost { since } => {
                let since = since.filter(|at| self.is_over(*at, self.policy.node_grace))?;
                Some(Cause::Lost {
                    monitor: execution.ticket.application.monitor.as_ref()
                        == Some(&member.component),
                    member,
                    node,
                    since,
                })
            }
            InstanceState::Rejected => Some(Cause::Rejected {
                member,
                node,
                note: instance.note.clone(),
            }),
            InstanceState::Exited { code } => Some(Cause::Exited { member, code }),
            InstanceState::Created | InstanceState::Running | InstanceState::Other => None,
        }
    }

    /// Docker has words for why it does not get the member going, and has had them for too long.
    fn overdue(&self, instance: &Instance) -> Option<Cause> {
        let note = instance.note.clone()?;
        let over = self.is_over(instance.created_at, self.policy.start_deadline);
        over.then(|| Cause::Overdue {
            member: instance.key.clone(),
            note,
        })
    }

    fn is_over(&self, since: Timestamp, grace: SignedDuration) -> bool {
        self.now.duration_since(since) >= grace
    }
}

/// The core members, each with its component.
fn core(execution: &Execution) -> impl Iterator<Item = (&Instance, &Component)> {
    execution.instances.iter().filter_map(|instance| {
        let component = execution
            .ticket
            .application
            .component(&instance.key.component)?;
        (instance.key.index < component.core).then_some((instance, component))
    })
}
