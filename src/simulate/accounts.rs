//! What users have used: core-seconds, of which half are forgotten after each half-life.

use std::collections::HashMap;

use super::time::Time;
use super::workload::Job;

/// After how long half of what was used is forgotten, usually: a week.
pub const HALF_LIFE: Time = Time::from_secs(7 * 24 * 3600);

/// The accounts of all users of a workload.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// Whose each application is.
    owners: Vec<usize>,
    users: Vec<Account>,
    half_life: Time,
}

#[derive(Debug, Clone, Copy, Default)]
struct Account {
    /// In core-seconds, at `at`.
    used: f64,
    at: Time,
    /// What is held from then on, in thousandths of a core.
    held: u64,
}

impl Accounts {
    /// Nobody has used anything.
    pub fn new(jobs: &[Job], half_life: Time) -> Self {
        let mut known: HashMap<&str, usize> = HashMap::new();
        let owners = jobs.iter().map(|job| {
            let next = known.len();
            *known.entry(&job.user).or_insert(next)
        });
        let owners: Vec<usize> = owners.collect();
        Self {
            users: vec![Account::default(); known.len()],
            owners,
            half_life,
        }
    }

    /// The number of an application's user.
    pub fn owner(&self, job: usize) -> usize {
        self.owners.get(job).copied().unwrap_or_default()
    }

    /// An application holds so much more now, and so much less, in thousandths of a core.
    pub fn hold(&mut self, job: usize, more: u64, less: u64, now: Time) {
        let owner = self.owner(job);
        if let Some(account) = self.users.get_mut(owner) {
            account.used = account.used_at(now, self.half_life);
            account.at = now;
            account.held = (account.held + more).saturating_sub(less);
        }
    }

    /// What a user has used by now, in core-seconds.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is positive, and what does not fit is as much as can be said"
    )]
    pub fn used(&self, owner: usize, now: Time) -> u64 {
        let account = self.users.get(owner);
        account.map_or(0, |account| account.used_at(now, self.half_life) as u64)
    }
}

impl Account {
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    fn used_at(&self, now: Time, half_life: Time) -> f64 {
        let halves = now.since(self.at).seconds() / half_life.seconds();
        let kept = (-halves).exp2();
        let rate = self.held as f64 / 1000.0;
        // What is used evenly over some time, each part of it having decayed since.
        let life = half_life.seconds() / std::f64::consts::LN_2;
        self.used * kept + rate * life * (1.0 - kept)
    }
}
