//! How to talk to a Docker daemon, whatever kind it is: calls, their transport, their errors, many at once.
//!
//! What is asked and what it means is the backends' matter.

pub(in crate::engine) mod api;
mod errors;
pub(in crate::engine) mod frames;
pub(in crate::engine) mod parallel;
mod steps;
mod tls;
pub(in crate::engine) mod transport;
