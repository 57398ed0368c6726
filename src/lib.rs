//! Container-based analytics as a service: Spark clusters, notebooks and batch jobs on Docker.
//!
//! The modules are floors: each imports only from those below it (see `ARCHITECTURE.md`).

pub mod model;

pub mod apps;
pub mod config;
pub mod idle;
pub mod labels;
pub mod scheduler;
pub mod simulate;

pub mod engine;
pub mod logs;
pub mod mail;
pub mod proxy;
pub mod store;

pub mod ops;

pub mod cli;
pub mod output;
pub mod watch;
