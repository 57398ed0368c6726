//! What history tells of an execution that Docker does not show: whether it ran, how often its start failed, and which
//! of its members were made anew. Plain values; reading them is the caller's matter.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{ComponentName, ExecutionId};

/// The time before a second try of a start; it doubles with each try after that.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// The longest time between two tries.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// How often a member that fails is made anew in [`WITHIN`].
const MOST_TIMES: usize = 3;
/// The time in which that is counted.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// What is known of one execution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Whether all of it was started once, since its start last failed.
    pub started: bool,
    /// When its starts failed and why, the latest last.
    pub failures: Vec<(Timestamp, String)>,
    /// When its members were made anew, by component and index.
    pub replaced: BTreeMap<(ComponentName, u32), Vec<Timestamp>>,
}

/// What is known, by execution. Of one that is not in it nothing is known yet.
pub type Known = BTreeMap<ExecutionId, Past>;

impl Past {
    /// How often its start failed.
    pub fn tried(&self) -> u32 {
        u32::try_from(self.failures.len()).unwrap_or(u32::MAX)
    }

    /// When its start may be tried again, and what went wrong the last time, if it has failed.
    pub fn retry(&self) -> Option<(Timestamp, &str)> {
        let (at, why) = self.failures.last()?;
        let doublings = self.tried().saturating_sub(1).min(16);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings);
        let pause = pause.min(LONGEST_PAUSE);
        Some((at.checked_add(pause).unwrap_or(Timestamp::MAX), why))
    }

    /// Whether a member may be made anew: one that fails again and again is given up for a while.
    pub fn may_replace(&self, component: &ComponentName, index: u32, now: Timestamp) -> bool {
        let times = self.replaced.get(&(component.clone(), index));
        let recent = |at: &&Timestamp| now.duration_since(**at) < WITHIN;
        times.map_or(0, |times| times.iter().filter(recent).count()) < MOST_TIMES
    }
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
