//! Decides what is to be done next: pure functions of a snapshot, without clock, I/O or randomness.
//!
//! [`admit`] refuses at the door what could never run; [`plan`] says what one pass is to do, and of everything that
//! waits why; [`check()`] judges a plan from outside, without sharing a line with what made it. Sort policies other than
//! first come, first served, reclaiming of elastic members, quotas and back-off are not here yet.

mod admission;
pub mod check;
mod ledger;
mod packing;
mod planning;
mod reasons;
mod refusal;

#[cfg(test)]
mod faults;
#[cfg(test)]
mod generators;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenarios;

pub use admission::{Admission, admit};
pub use check::{Violation, check};
pub use planning::{Policy, plan};
pub use refusal::Refusal;
