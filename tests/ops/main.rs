//! Operations over the in-memory backend and a real database file: what each promises, without Docker.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "it is a test, helpers included"
)]

mod at;
mod basics;
mod culling;
mod lab;
mod lease;
mod losses;
mod outage;
mod questions;
mod readiness;
mod resize;
mod retention;
mod rights;
mod routes;
mod same_logs;
mod single;
mod starts;
mod terms;
