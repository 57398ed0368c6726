//! What keeps a queued execution back though there may be room for it: somebody holds it, another has to be over first, as many
//! of its array run as may, its owner's quota, or the pause after a failure.
//!
//! Who is kept back here waits with that reason and stops nobody behind it. Room on nodes and the order are not looked at.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    Application, Bytes, Cause, Cores, Execution, ExecutionId, Instance, InstanceState, Mode,
    Outcome, OverQuota, Phase, Quota, RequiredEnd, Resource, Resources, Snapshot, Survey,
    WaitReason,
};

use super::Policy;
use super::past::{Known, Past, UserKnown};

/// What stands in the way of executions, as a plan is being made: those that it starts count.
pub(super) struct Gates<'a> {
    snapshot: &'a Snapshot,
    known: &'a Known,
    start_tries: u32,
    mode: Mode,
    now: Timestamp,
    /// How many of each array that has a limit run.
    arrays: BTreeMap<ExecutionId, u32>,
    /// What each user's executions hold.
    users: BTreeMap<&'a str, Held>,
}

/// What the executions of a user hold.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    executions: u32,
    resources: Resources,
}

/// What holds an execution back for ever: one that it had to come after ended otherwise. Of executions that Docker still has
/// nothing is concluded: they are not over.
pub(super) fn hopeless(execution: &Execution, snapshot: &Snapshot, known: &Known) -> Option<Cause> {
    execution.ticket.terms.after.iter().find_map(|dependency| {
        let after = dependency.execution;
        if dependency.end == RequiredEnd::Any || snapshot.executions.contains_key(&after) {
            return None;
        }
        let ended = match known.ends.get(&after)?.as_ref()? {
            Outcome::Finished => return None,
            Outcome::Failed { exit_code, reason } => format!("failed with {exit_code} ({reason})"),
            Outcome::TimedOut => "ran out of time".to_owned(),
            Outcome::Cancelled { .. } => "was cancelled".to_owned(),
        };
        Some(Cause::Hopeless { after, ended })
    })
}

impl<'a> Gates<'a> {
    /// What stands in the way while nobody has anything.
    pub fn new(snapshot: &'a Snapshot, known: &'a Known, policy: &Policy, now: Timestamp) -> Self {
        Self {
            snapshot,
            known,
            start_tries: policy.start_tries,
            mode: policy.mode,
            now,
            arrays: BTreeMap::new(),
            users: BTreeMap::new(),
        }
    }

    /// Notes the members of an execution that were seen. One whose monitor has ended does not run any more, though what is
    /// left of it may take a while to be stopped; what that holds counts until it is.
    pub fn enter(&mut self, execution: &'a Execution, survey: &Survey) {
        if execution.instances.is_empty() {
            return;
        }
        let ends = matches!(survey.phase, Phase::Ending(_));
        if ends && execution.is_over() {
            self.hold(execution, survey.held);
        } else {
            self.count(execution, survey.held);
        }
    }

    /// Notes what an execution holds.
    fn hold(&mut self, execution: &'a Execution, held: Resources) -> Option<&mut Held> {
        let user = execution.ticket.user.as_str();
        let of_user = self
            .known
            .users
            .contains_key(user)
            .then(|| self.users.entry(user))?;
        let of_user = of_user.or_default();
        of_user.resources += held;
        Some(of_user)
    }

    /// Notes that an execution has these members, or is given them.
    pub fn count(&mut self, execution: &'a Execution, held: Resources) {
        let ticket = &execution.ticket;
        if let Some(place) = ticket.terms.array.filter(|place| place.at_once.is_some()) {
            *self.arrays.entry(place.array).or_default() += 1;
        }
        if let Some(user) = self.hold(execution, held) {
            user.executions += 1;
        }
    }

    /// Takes out those that were made and not started, and that may not start now, with the reasons: whoever made them died, or
    /// was slow, and meanwhile somebody held them, or another of their array was started.
    pub fn keep_back(
        &mut self,
        starting: &mut Vec<&'a Execution>,
    ) -> Vec<(ExecutionId, WaitReason)> {
        let is_made = |i: &Instance| i.state == InstanceState::Created;
        let is_only_made = |execution: &&Execution| execution.instances.iter().all(is_made);
        for execution in starting.iter().copied().filter(is_only_made) {
            self.discount(execution);
        }
        let mut kept = Vec::new();
        starting.retain(|execution| {
            if !is_only_made(execution) {
                return true;
            }
            if let Some(reason) = self.held(execution).or_else(|| self.array(execution)) {
                kept.push((execution.ticket.id, reason));
                return false;
            }
            self.count(execution, execution.held());
            true
        });
        kept
    }

    /// Takes back what was noted of an execution.
    fn discount(&mut self, execution: &Execution) {
        let ticket = &execution.ticket;
        let place = ticket.terms.array;
        if let Some(running) = place.and_then(|place| self.arrays.get_mut(&place.array)) {
            *running = running.saturating_sub(1);
        }
        if let Some(user) = self.users.get_mut(ticket.user.as_str()) {
            let held = execution.held();
            user.executions = user.executions.saturating_sub(1);
            user.resources.cores = user.resources.cores.minus(held.cores);
            user.resources.memory = user.resources.memory.minus(held.memory);
        }
    }

    /// What the owner of an execution may be given beside what that user's executions hold; `None` without a limit.
    pub fn left(&self, execution: &Execution) -> Option<Resources> {
        let user = execution.ticket.user.as_str();
        let quota = self.known.users.get(user)?.quota;
        if quota.cores.is_none() && quota.memory.is_none() {
            return None;
        }
        let held = self.users.get(user).copied().unwrap_or_default().resources;
        let most = most(quota);
        Some(Resources {
            cores: most.cores.minus(held.cores),
            memory: most.memory.minus(held.memory),
        })
    }

    /// Why a queued execution can't be started now whatever room there is, if it can't. Its owner is given `more` in this plan
    /// than was noted.
    pub fn closed(&self, execution: &Execution, more: Resources) -> Option<WaitReason> {
        let unknown = Past::default();
        let past = self.known.past(execution.ticket.id).unwrap_or(&unknown);
        self.held(execution)
            .or_else(|| self.after(execution))
            .or_else(|| self.pause(execution, past))
            .or_else(|| self.array(execution))
            .or_else(|| self.quota(execution, more).map(WaitReason::Quota))
    }

    fn held(&self, execution: &Execution) -> Option<WaitReason> {
        let past = self.known.past(execution.ticket.id);
        let said = past.and_then(|past| past.held);
        let held = said.unwrap_or(execution.ticket.terms.held);
        held.then_some(WaitReason::Held)
    }

    fn after(&self, execution: &Execution) -> Option<WaitReason> {
        let mut after = execution.ticket.terms.after.iter();
        after.find_map(|dependency| {
            let wait = |known| WaitReason::After {
                execution: dependency.execution,
                end: dependency.end,
                known,
            };
            if self.snapshot.executions.contains_key(&dependency.execution) {
                return Some(wait(true));
            }
            match (self.known.ends.get(&dependency.execution), dependency.end) {
                // Docker does not have it: whatever became of it, it is over. What was not seen may be there all the same.
                (Some(None), RequiredEnd::Any) if self.snapshot.gaps.is_empty() => None,
                (Some(None), _) => Some(wait(false)),
                (Some(Some(_)), RequiredEnd::Any) | (Some(Some(Outcome::Finished)), _) => None,
                // Not asked for yet, or to be ended for it.
                (None, _) | (Some(Some(_)), RequiredEnd::Ok) => Some(wait(true)),
            }
        })
    }

    fn pause(&self, execution: &Execution, past: &Past) -> Option<WaitReason> {
        if let Some((at, why)) = past.retry().filter(|(at, _)| *at > self.now) {
            return Some(WaitReason::Retry {
                at,
                tried: past.tried(),
                of: self.start_tries,
                why: why.to_owned(),
            });
        }
        let (at, last) = past.again().filter(|(at, _)| *at > self.now)?;
        Some(WaitReason::Again {
            at,
            failed: past.failed(),
            of: execution.ticket.terms.retries.most,
            why: last.why.clone(),
        })
    }

    fn array(&self, execution: &Execution) -> Option<WaitReason> {
        let place = execution.ticket.terms.array?;
        let at_once = place.at_once?;
        let running = self.arrays.get(&place.array).copied().unwrap_or(0);
        (running >= at_once).then_some(WaitReason::ArrayLimit { at_once })
    }

    fn quota(&self, execution: &Execution, more: Resources) -> Option<OverQuota> {
        let ticket = &execution.ticket;
        let UserKnown { quota, used, .. } = self.known.users.get(&ticket.user)?;
        let held = self.users.get(ticket.user.as_str());
        let held = held.copied().unwrap_or_default();
        let needed = self.mode.needed(&ticket.application);
        let wanted = Wanted {
            needed,
            seconds: core_seconds(needed, ticket.timeout),
        };
        exceeds(
            *quota,
            held.executions,
            held.resources + more,
            *used,
            wanted,
        )
    }
}

/// What an execution asks of its owner's quota.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// What it must be given to start.
    needed: Resources,
    /// What they may use in all, in core-seconds; 0 where that has no limit.
    seconds: u64,
}

/// What could never pass, whatever else the user has: for submission.
pub fn never(
    quota: Quota,
    application: &Application,
    timeout: Option<SignedDuration>,
    mode: Mode,
) -> Option<OverQuota> {
    let needed = mode.needed(application);
    let wanted = Wanted {
        needed,
        seconds: core_seconds(needed, timeout),
    };
    exceeds(quota, 0, Resources::ZERO, 0, wanted)
}

fn exceeds(
    quota: Quota,
    running: u32,
    held: Resources,
    used: u64,
    Wanted { needed, seconds }: Wanted,
) -> Option<OverQuota> {
    if let Some(most) = quota.executions.filter(|most| running >= *most) {
        return Some(OverQuota::Executions { running, most });
    }
    let most = most(quota);
    let sum = held + needed;
    let resource = if sum.cores > most.cores {
        Some(Resource::Cores)
    } else if sum.memory > most.memory {
        Some(Resource::Memory)
    } else {
        None
    };
    if let Some(resource) = resource {
        return Some(OverQuota::AtOnce {
            resource,
            held,
            needed,
            most,
        });
    }
    let most = quota.hours?;
    let allowed = most.saturating_mul(3600);
    let over = used >= allowed || used.saturating_add(seconds) > allowed;
    over.then_some(OverQuota::Hours {
        used,
        needed: seconds,
        most,
    })
}

/// The most of each resource; all there can be where nothing is said.
fn most(quota: Quota) -> Resources {
    Resources {
        cores: quota.cores.unwrap_or(Cores::from_millis(u64::MAX)),
        memory: quota.memory.unwrap_or(Bytes::new(u64::MAX)),
    }
}

/// What so many cores use in that time, in core-seconds; 0 where the time has no limit.
fn core_seconds(needed: Resources, time: Option<SignedDuration>) -> u64 {
    let seconds = time.map_or(0, |time| time.as_secs().unsigned_abs());
    needed.cores.millis().saturating_mul(seconds).div_ceil(1000)
}
