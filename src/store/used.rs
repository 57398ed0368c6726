//! What an execution has used that was run several times: each attempt held something for a while, and nothing was held in between.

use jiff::{SignedDuration, Timestamp};

use crate::model::Resources;

/// What attempts have used together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// What they held times how long they ran: thousandths of a core times milliseconds.
    pub core_time: u64,
    /// Likewise: MiB times milliseconds.
    pub memory_time: u64,
    /// How long they ran, in milliseconds.
    pub run_time: u64,
    /// What was made until then is in it.
    pub counted_until: Timestamp,
}

/// One attempt that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// When the newest of its members was made.
    pub made_at: Timestamp,
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// What its members held.
    pub held: Resources,
}

impl Used {
    /// How long they ran.
    pub fn ran(&self) -> SignedDuration {
        SignedDuration::from_millis(i64::try_from(self.run_time).unwrap_or(i64::MAX))
    }

    /// With another attempt; the same if that one is in it already.
    #[must_use]
    pub fn and(before: Option<Self>, attempt: &Attempt) -> Self {
        // Docker lists when something was made in whole seconds and tells it exactly one by one.
        let made_at = Timestamp::from_second(attempt.made_at.as_second());
        let made_at = made_at.unwrap_or(attempt.made_at);
        let used = before.unwrap_or(Self {
            core_time: 0,
            memory_time: 0,
            run_time: 0,
            counted_until: Timestamp::UNIX_EPOCH,
        });
        if made_at <= used.counted_until {
            return used;
        }
        let length = attempt.to.duration_since(attempt.from).as_millis();
        let length = u64::try_from(length).unwrap_or(0);
        let held = attempt.held;
        let cores = held.cores.millis().saturating_mul(length);
        let memory = (held.memory.get() >> 20).saturating_mul(length);
        Self {
            core_time: used.core_time.saturating_add(cores),
            memory_time: used.memory_time.saturating_add(memory),
            run_time: used.run_time.saturating_add(length),
            counted_until: made_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bytes, Cores};

    #[test]
    fn each_attempt_counts_once_and_the_time_between_them_does_not() {
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
        let attempt = |from: i64, to: i64| Attempt {
            made_at: at(from),
            from: at(from),
            to: at(to),
            held: Resources {
                cores: Cores::from_millis(1500),
                memory: Bytes::from_mib(64),
            },
        };
        let first = Used::and(None, &attempt(10_400, 12_400));
        assert_eq!(Used::and(Some(first), &attempt(10_000, 13_000)), first);
        let second = Used::and(Some(first), &attempt(60_000, 61_000));
        let sums = (second.core_time, second.memory_time, second.run_time);
        assert_eq!(sums, (4_500_000, 192_000, 3000));
    }
}
