//! A classic Swarm over the lab's three Engines: what one node can't show. Through the stand-in, or through a real manager that
//! `ZOE_TEST_CLASSIC` names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::assigning_clones)]

#[path = "../common/apache.rs"]
mod apache;
#[path = "../backends/classic.rs"]
mod classic;
#[path = "../backends/docker.rs"]
#[allow(dead_code)] // the suite uses more of it
mod docker;
#[path = "../backends/harness.rs"]
#[allow(dead_code)]
mod harness;
#[path = "../lab/mod.rs"]
mod lab;
mod loss;
mod members;
#[path = "../common/ports.rs"]
mod ports;
mod proxied;
#[path = "../common/routed.rs"]
mod routed;
mod spark;
mod stand_in;
