//! Hostile input, end to end: whatever names, labels, files and logs hold, nothing of it gets into Apache's files, onto a terminal
//! as an order, or out of its directory; and the access log as large as it gets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "a test that cannot be set up has failed"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/mariadb.rs"]
mod mariadb;

mod by_hand;
mod evil;
mod long_log;
mod typed;

use common::ports;
