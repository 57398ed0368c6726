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
    /// These limits, and where there is none the other's.
    #[must_use]
    pub fn or(self, default: Self) -> Self {
        Self {
            executions: self.executions.or(default.executions),
            cores: self.cores.or(default.cores),
            memory: self.memory.or(default.memory),
            hours: self.hours.or(default.hours),
        }
    }

    /// Whether nothing is limited.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
