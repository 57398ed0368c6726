//! Mail, at a real SMTP server: once for each case, also when the server, the database or `zoe watch` was away for a while.

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
#[path = "../watch/place.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod place;
#[path = "../swarm/site.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod site;

mod away;
mod cases;
mod hostile;
mod notebooks;
mod operator;
mod server;
