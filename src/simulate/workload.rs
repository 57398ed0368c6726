//! What is to be run, and when: the applications of a workload.

use std::sync::Arc;

use super::time::Time;
use crate::model::Resources;

/// The most members one application may have.
pub const MOST_MEMBERS: u32 = 100_000;

/// One application: members that are all alike, some of which it can't do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// When it is submitted.
    pub submit: Time,
    /// By whom.
    pub user: Arc<str>,
    /// How long it takes with all its members; more than nothing.
    pub runtime: Time,
    /// Members without which it does nothing; at least one.
    pub core: u32,
    /// Members it may have in addition.
    pub elastic: u32,
    /// What one member holds.
    pub member: Resources,
    /// How long it may run; then it is ended, done or not.
    pub time_limit: Option<Time>,
    /// The greater goes first.
    pub priority: i32,
}

impl Job {
    /// Members it has at full allocation.
    pub const fn members(&self) -> u32 {
        self.core.saturating_add(self.elastic)
    }

    /// Gives it a time limit, if it has none: so many times its runtime.
    pub fn limit(&mut self, factor: f64) {
        self.time_limit = self.time_limit.or_else(|| self.runtime.times(factor));
    }

    /// When its time is up if it starts at `start`.
    pub fn deadline(&self, start: Time) -> Option<Time> {
        self.time_limit.and_then(|limit| start.plus(limit))
    }

    /// All there is to do, in nanoseconds of one member.
    pub fn work(&self) -> u128 {
        u128::from(self.runtime.nanos()) * u128::from(self.members())
    }
}
