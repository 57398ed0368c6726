//! The scheduler over a virtual clock: what a workload would meet on some nodes, under some policy and mode.
//!
//! Order, packing and division are [`crate::scheduler`]'s own; here are the clock, the workload and what is written down.
//! Nothing fails here that works in a real cluster's way: no lost nodes, no starts that fail, no time to start, no images,
//! no labels of nodes. Pure but for chance, which begins with a seed.

mod accounts;
mod backfill;
mod clock;
mod cluster;
mod generate;
mod line;
mod outcome;
mod queue;
mod read;
mod statistics;
mod time;
mod timeline;
mod workload;
mod write;

#[cfg(test)]
mod properties;

pub use accounts::HALF_LIFE;
pub use clock::{ClockError, Counts, Span};
pub use cluster::Cluster;
pub use generate::{Recipe, generate};
pub use outcome::{Outcome, Refused, Setup, simulate};
pub use read::{COLUMNS, OPTIONAL, WorkloadError, read};
pub use statistics::Summary;
pub use time::Time;
pub use timeline::{Mean, Point};
pub use workload::{Job, MOST_MEMBERS};
pub use write::write;
