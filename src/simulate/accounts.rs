//! What users have used: core-seconds, of which half are forgotten every [`HALF_LIFE`].

use std::collections::HashMap;

use super::time::Time;
use super::workload::Job;

/// After how long half of what was used is forgotten: a week.
pub const HALF_LIFE: Time = Time::from_secs(7 * 24 * 3600);

/// The accounts of all users of a workload.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// Whose each application is.
    owners: Vec<usize>,
    accounts: Vec<Account>,
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
    pub fn new(jobs: &[Job]) -> Self {
        let mut known: HashMap<&str, usize> = HashMap::new();
        let owners = jobs.iter().map(|job| {
            let next = known.len();
            *known.entry(&job.user).or_insert(next)
        });
        let owners: Vec<usize> = owners.collect();
        Self {
            accounts: vec![Account::default(); known.len()],
            owners,
        }
    }

    /// The number of an application's user.
    pub fn owner(&self, job: usize) -> usize {
        self.owners.get(job).copied().unwrap_or_default()
    }

    /// An application holds so much more now, and so much less, in thousandths of a core.
    pub fn hold(&mut self, job: usize, more: u64, less: u64, now: Time) {
        let owner = self.owner(job);
        if let Some(account) = self.accounts.get_mut(owner) {
            account.used = account.used_at(now);
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
        let account = self.accounts.get(owner);
        account.map_or(0, |account| account.used_at(now) as u64)
    }
}

impl Account {
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    fn used_at(&self, now: Time) -> f64 {
        let halves = now.since(self.at).seconds() / HALF_LIFE.seconds();
        let kept = (-halves).exp2();
        let rate = self.held as f64 / 1000.0;
        // What is used evenly over some time, each part of it having decayed since.
        let life = HALF_LIFE.seconds() / std::f64::consts::LN_2;
        self.used * kept + rate * life * (1.0 - kept)
    }
}
