//! The web server before the applications: a real Apache, in front of servers of the test's own, and of containers.
//!
//! Needs `apache2`; what runs containers needs Docker as well. `scripts/test` installs them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is missing in a test is a failure"
)]

#[path = "../common/mod.rs"]
mod common;

mod command;
mod engine;
mod publishing;
mod routing;
mod secure;
mod upstream;
