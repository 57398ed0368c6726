//! Real Spark on a real Docker Engine, through the binary, as a person would type it.
//!
//! Needs Docker, the images of `zoe images build`, the corpus of Debian's `bible-kjv`, a Java compiler and Chromium: `scripts/test`
//! installs them. Each test fills two cores for a while, so they take turns (`.config/nextest.toml`).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "what is missing in a test is a failure"
)]

#[path = "common/apache.rs"]
mod apache;
#[path = "common/docker.rs"]
#[allow(
    dead_code,
    clippy::expect_used,
    reason = "its image is all that is needed here"
)]
mod docker;
#[path = "common/ports.rs"]
mod ports;

mod spark {
    mod batch;
    mod browser;
    mod chromium;
    mod cluster;
    mod corpus;
    mod handle;
    mod http;
    mod idle;
    mod java;
    mod kernel;
    mod life;
    mod memory;
    mod notebook;
    mod others;
    mod project;
    mod proxied;
    mod site;
}
