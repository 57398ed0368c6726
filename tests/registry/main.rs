//! Images and a real registry: who zoe is to it, what is pushed there and comes from there.
//!
//! Each test has a registry of its own (Debian's `docker-registry`) on an address of 127.0.0.0/8, which every Engine
//! takes without TLS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

mod command;
#[path = "../common/mod.rs"]
mod common;
mod jobs;
mod login;
mod server;
