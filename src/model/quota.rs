//! How much one user may have.

use super::amount::{Bytes, Cores};

/// The limits of one user; what is `None` has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// Executions that run at once.
    pub executions: Option<u32>,
    /// Cores that they hold at once.
    pub cores: Option<Cores>,
    /// Memory that they hold at once.
    pub memory: Option<Bytes>,
    /// Core-hours in the time that counts.
    pub hours: Option<u64>,
}

impl Quota {
    /// Whether nothing is limited.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A limit that was set for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// There is none, whatever others have.
    Unlimited,
    /// So much: a number, thousandths of a core, bytes, or core-hours.
    At(u64),
}

/// The limits that were set for a user; where there is `None`, what everybody has counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Executions that run at once.
    pub executions: Option<Limit>,
    /// Cores that they hold at once, in thousandths.
    pub cores: Option<Limit>,
    /// Memory that they hold at once, in bytes.
    pub memory: Option<Limit>,
    /// Core-hours in the time that counts.
    pub hours: Option<Limit>,
}

impl Limits {
    /// The quota of a user with these limits where everybody has that one.
    pub fn over(&self, everybody: Quota) -> Quota {
        let limit = |own: Option<Limit>, all: Option<u64>| match own {
            None => all,
            Some(Limit::Unlimited) => None,
            Some(Limit::At(most)) => Some(most),
        };
        let executions = limit(self.executions, everybody.executions.map(u64::from));
        let cores = limit(self.cores, everybody.cores.map(Cores::millis));
        let memory = limit(self.memory, everybody.memory.map(Bytes::get));
        Quota {
            executions: executions.map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
            cores: cores.map(Cores::from_millis),
            memory: memory.map(Bytes::new),
            hours: limit(self.hours, everybody.hours),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_for_a_user_comes_before_what_everybody_has() {
        let everybody = Quota {
            executions: Some(4),
            cores: Some(Cores::from_millis(8000)),
            ..Quota::default()
        };
        assert_eq!(Limits::default().over(everybody), everybody);
        let own = Limits {
            executions: Some(Limit::Unlimited),
            cores: Some(Limit::At(500)),
            hours: Some(Limit::At(10)),
            ..Limits::default()
        };
        let quota = own.over(everybody);
        assert_eq!((quota.executions, quota.hours), (None, Some(10)));
        assert_eq!(quota.cores, Some(Cores::from_millis(500)));
        assert!(!quota.is_none() && Quota::default().is_none());
    }
}
