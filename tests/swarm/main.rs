//! Zoe on a real Swarm of three nodes (docs/lab.md): what people get there, and what must be survived.
//!
//! Tests that disturb nodes have the lab for themselves; the others share it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../lab/mod.rs"]
mod lab;
#[path = "../common/routed.rs"]
mod routed;

#[allow(dead_code, reason = "a part of it is used here")]
#[path = "../registry/server.rs"]
mod server;

use common::apache;

mod addresses;
mod everyday;
mod login;
mod losses;
mod manager;
mod proxied;
mod races;
mod site;
mod spark;
mod strangers;
