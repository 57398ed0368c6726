//! What a test may put between a world in this process and those who work on it: a clock of its own, and a say before each
//! call. With it a test decides who goes on, at every single call to the daemon, and time passes when it says so.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Fault;
use crate::engine::Result;

/// Whose turn it is, and what time it is.
#[async_trait]
pub trait Pace: fmt::Debug + Send + Sync {
    /// The time now, for the daemon as for whoever asks it.
    fn now(&self) -> Timestamp;

    /// Returns when the call may happen, which it then does before anything else; or why it does not happen. `effect` says
    /// whether it may change anything.
    async fn before(&self, call: &str, effect: bool) -> Result<()>;

    /// What came of a call that changes something, directly after it. An error is an answer that got lost.
    fn after(&self, call: &str, fault: Option<&Fault>) -> Result<()>;

    /// Returns after this long.
    async fn pause(&self, length: Duration);
}
