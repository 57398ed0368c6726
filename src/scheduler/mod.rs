//! Decides what is to be done next: pure functions of a snapshot, without clock, I/O or randomness.
//!
//! [`admit`] refuses at the door what could never run; [`plan`] says what one pass is to do, and of everything that
//! waits why; [`check()`] judges a plan from outside, without sharing a line with what made it. The order of
//! the line ([`Ranking`]) and the division of the room ([`Division`]) know no snapshots: a simulation runs them too.

mod admission;
mod backfill;
mod causes;
pub mod check;
mod claims;
mod concerned;
mod division;
mod feeding;
mod forecast;
mod gates;
mod growers;
mod growth;
mod ledger;
mod line;
mod order;
mod outcome;
mod over_quota;
mod packing;
mod past;
mod planning;
mod quotas;
mod reasons;
mod reclaim;
mod refusal;
mod repairs;
mod reserving;
mod room;
mod serving;
mod shortage;
mod sight;
mod standing;
mod starts;
mod verdict;

#[cfg(test)]
mod division_tests;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod gates_tests;
#[cfg(test)]
mod generators;
#[cfg(test)]
mod late_tests;
#[cfg(test)]
mod losses;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod quota_tests;
#[cfg(test)]
mod reasons_tests;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod shown;
#[cfg(test)]
mod standing_tests;
#[cfg(test)]
mod starvation;
#[cfg(test)]
mod unready;

pub use crate::model::{AGEING, Mode, Order};
pub use admission::{Admission, admit};
pub use backfill::{Backfill, Release};
pub use check::{Violation, check};
pub use claims::{Claim, Part, Taken};
pub use concerned::{Concerned, concerned};
pub use division::Division;
pub use forecast::forecast;
pub use growth::{Growth, grow};
pub use order::{Contender, Place, Ranking, WHOLE, Waiter, line_up, share};
pub use past::{Attempt, Known, Past, UserKnown};
pub use planning::{Policy, plan};
pub use quotas::never;
pub use refusal::Refusal;
pub use room::{Ask, Room};
