//! What history tells that Docker does not show: of an execution whether it ran, how often its start and its program failed,
//! which of its members were made anew and whether it is held; of users what they may have and have used; and how those
//! ended that others wait for. Plain values; reading them is the caller's matter.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::model::{ComponentName, Execution, ExecutionId, Instance, Outcome, Quota};

/// The time before a second try of a start; it doubles with each try after that.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// The longest time between two tries.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// After how many starts that were put off the pause grows no more.
const PUT_OFF_GROWS: u32 = 5;
/// How often a member that fails is made anew in [`WITHIN`].
const MOST_TIMES: usize = 3;
/// The time in which that is counted.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// What is known of one execution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Whether all of it was started once, since its start last failed.
    pub started: bool,
    /// Whether all of it was ready once, since then.
    pub ready: bool,
    /// Since when it is known not to be ready, if it was asked since its start last failed and never was.
    pub unready_since: Option<Timestamp>,
    /// When its starts failed and why, the latest last.
    pub failures: Vec<(Timestamp, String)>,
    /// When a start was put off since it last ran, and why, the latest last: Docker had none of something that others give
    /// back. That is no failure.
    pub put_off: Vec<(Timestamp, String)>,
    /// When its members were made anew, by component and index.
    pub replaced: BTreeMap<(ComponentName, u32), Vec<Timestamp>>,
    /// When its program failed, with which exit code and why, the latest last. Failures of starts are counted anew after each.
    pub attempts: Vec<Attempt>,
    /// How many members of a component somebody asked for: it is given no more of itself.
    pub sizes: BTreeMap<ComponentName, u32>,
    /// Whether somebody holds it (`Some(true)`) or has released it; `None` leaves it to its terms.
    pub held: Option<bool>,
}

/// A run of an execution's program that failed and was to be followed by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it was found to have failed.
    pub at: Timestamp,
    /// Its exit code.
    pub code: i64,
    /// What went wrong, for people.
    pub why: String,
}

/// What is known. Of what is not in it nothing is known yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Of executions, by id.
    pub pasts: BTreeMap<ExecutionId, Past>,
    /// Of users, by name.
    pub users: BTreeMap<String, UserKnown>,
    /// How executions ended that Docker does not have any more; `None` for one of which history does not know it either.
    pub ends: BTreeMap<ExecutionId, Option<Outcome>>,
    /// Executions that were asked a moment ago and are not ready, each with what it lacks.
    pub unready: BTreeMap<ExecutionId, String>,
    /// Executions that were ready once: their past need not be asked for to know that.
    pub ready: BTreeSet<ExecutionId>,
}

/// What is known of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserKnown {
    /// What the user may have.
    pub quota: Quota,
    /// What was used, in core-seconds, what is long ago counting less.
    pub usage: u64,
    /// What was used in the time that counts for the quota, in core-seconds.
    pub used: u64,
}

impl Known {
    /// What is known of an execution.
    pub fn past(&self, id: ExecutionId) -> Option<&Past> {
        self.pasts.get(&id)
    }
}

impl Past {
    /// How often its start failed.
    pub fn tried(&self) -> u32 {
        u32::try_from(self.failures.len()).unwrap_or(u32::MAX)
    }

    /// It is to be started anew.
    pub fn forget_start(&mut self) {
        self.started = false;
        self.ready = false;
        self.unready_since = None;
    }

    /// Whether what is there of it is left of a start that was found to have failed.
    pub fn has_failed_start(&self, execution: &Execution) -> bool {
        let failed = self.failures.last().filter(|_| !self.started);
        let members = &execution.instances;
        failed.is_some_and(|(at, _)| {
            !members.is_empty() && members.iter().all(|member| member.created_at <= *at)
        })
    }

    /// When its start may be tried again, and what went wrong the last time, if it has failed or was put off.
    pub fn retry(&self) -> Option<(Timestamp, &str)> {
        let failed = self.failures.last();
        let failed = failed.map(|(at, why)| (after_pause(*at, self.tried()), why.as_str()));
        let put_off = self.put_off.last().map(|(at, why)| {
            let times = u32::try_from(self.put_off.len()).unwrap_or(u32::MAX);
            (after_pause(*at, times.min(PUT_OFF_GROWS)), why.as_str())
        });
        failed.into_iter().chain(put_off).max_by_key(|(at, _)| *at)
    }

    /// When its program may be run again, and how it ended the last time, if it has failed.
    pub fn again(&self) -> Option<(Timestamp, &Attempt)> {
        let last = self.attempts.last()?;
        Some((after_pause(last.at, self.failed()), last))
    }

    /// How often its program failed.
    pub fn failed(&self) -> u32 {
        u32::try_from(self.attempts.len()).unwrap_or(u32::MAX)
    }

    /// Whether a member is of a run that was found to have failed already.
    pub fn is_of_failed(&self, instance: &Instance) -> bool {
        let last = self.attempts.last();
        last.is_some_and(|attempt| instance.created_at <= attempt.at)
    }

    /// Whether some member of a component is given up for a while.
    pub fn gives_up(&self, component: &ComponentName, now: Timestamp) -> bool {
        let mut made = self.replaced.keys().filter(|(name, _)| name == component);
        made.any(|(_, index)| !self.may_replace(component, *index, now))
    }

    /// Whether a member may be made anew: one that fails again and again is given up for a while.
    pub fn may_replace(&self, component: &ComponentName, index: u32, now: Timestamp) -> bool {
        let times = self.replaced.get(&(component.clone(), index));
        let recent = |at: &&Timestamp| now.duration_since(**at) < WITHIN;
        times.map_or(0, |times| times.iter().filter(recent).count()) < MOST_TIMES
    }
}

/// When something may be tried again that has failed so often, the last time then.
fn after_pause(at: Timestamp, failed: u32) -> Timestamp {
    let doublings = failed.saturating_sub(1).min(16);
    let pause = FIRST_PAUSE.saturating_mul(1 << doublings);
    at.checked_add(pause.min(LONGEST_PAUSE))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::generators::at;
    use super::*;

    #[test]
    fn pauses_grow_and_have_an_end() {
        let failed = |times: i64| Past {
            failures: (0..times).map(|n| (at(n), format!("{n}"))).collect(),
            ..Past::default()
        };
        assert_eq!(failed(0).retry(), None);
        assert_eq!(failed(1).retry(), Some((at(2), "0")));
        assert_eq!(failed(2).retry(), Some((at(1 + 4), "1")));
        assert_eq!(failed(40).retry(), Some((at(39 + 300), "39")));
        let mut waits = failed(1);
        waits.put_off = (3..30).map(|n| (at(n), "full".to_owned())).collect();
        assert_eq!(waits.retry(), Some((at(29 + 32), "full")));
        assert_eq!(waits.tried(), 1);
    }

    #[test]
    fn a_member_that_keeps_failing_is_given_up_for_a_while() {
        let worker: ComponentName = "worker".parse().unwrap();
        let times = vec![at(0), at(10), at(20)];
        let past = Past {
            replaced: [((worker.clone(), 1), times)].into(),
            ..Past::default()
        };
        assert!(!past.may_replace(&worker, 1, at(30)));
        assert!(past.may_replace(&worker, 0, at(30)));
        assert!(past.may_replace(&worker, 1, at(601)));
    }
}
