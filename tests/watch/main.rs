//! `zoe watch`: killed at every effect, without its database, without Docker, told to end, and left alone for a day.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot be set up has failed"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../lab/mod.rs"]
mod lab;
#[path = "../common/mariadb.rs"]
mod mariadb;
#[path = "../swarm/site.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod site;

mod alone;
mod database;
mod ending;
mod flow;
mod killed;
mod lease;
mod manager;
mod packaging;
mod place;
mod readiness;
mod retention;
mod socket;

use common::ports;
