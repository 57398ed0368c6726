//! Decides what is to be done next: pure functions of a snapshot, without clock, I/O or randomness.
//!
//! [`admit`] refuses at the door what could never run; [`plan`] says what one pass is to do, and of everything that
//! waits why; [`check()`] judges a plan from outside, without sharing a line with what made it. Sort policies other than
//! first come, first served and reclaiming of elastic members are not here yet.

mod admission;
mod causes;
pub mod check;
mod claims;
mod division;
mod forecast;
mod gates;
mod growth;
mod ledger;
mod order;
mod over_quota;
mod packing;
mod past;
mod planning;
mod reasons;
mod reclaim;
mod refusal;
mod room;
mod shortage;
mod sight;
mod starts;
mod verdict;

#[cfg(test)]
mod faults;
#[cfg(test)]
mod gates_tests;
#[cfg(test)]
mod generators;
#[cfg(test)]
mod losses;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenarios;

pub use admission::{Admission, admit};
pub use check::{Violation, check};
pub use claims::{Claim, Part, Taken};
pub use division::Division;
pub use forecast::forecast;
pub use gates::never;
pub use growth::{Growth, grow};
pub use order::{AGEING, Contender, Mode, Order, Place, WHOLE, Waiter, line_up, share};
pub use past::{Attempt, Known, Past, UserKnown};
pub use planning::{Concerned, Policy, concerned, plan};
pub use refusal::Refusal;
pub use room::{Ask, Room};
