//! The binary killed with SIGKILL before each of its calls to Docker in turn, refused a call, or left without the answer:
//! the next zoe sees the truth, goes on or cleans up, and nothing is left.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot be set up has failed"
)]

#[path = "../common/mod.rs"]
mod common;

mod engine;
mod memory;
mod nodes;
mod scene;
mod stories;
