//! The whole protocol, explored: zoe's own operations over a Docker and a history that are only values, where one decides at
//! every call who goes on, who dies and what time it is, and where every way that this can go is gone, within bounds.
//!
//! What is explored is what runs: `ops`, the backend's steps, the lease. Only SQL is not: a value with the same semantics
//! stands for it, and is held against `SQLite`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot be set up has failed"
)]

mod acts;
mod both;
mod check;
mod explorer;
mod facts;
mod jobs;
mod like_sqlite;
mod mutants;
mod pace;
mod planted;
mod random;
mod rules;
mod run;
mod site;
mod store;
mod stories;
mod story;
mod table;
mod terms;
