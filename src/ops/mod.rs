//! What zoe can do: typed options in, typed outcome out; knows neither clap nor tables.

pub mod accounts;
mod answers;
mod arrays;
pub mod attach;
pub mod connect;
mod context;
pub mod error;
pub mod exec;
pub mod explain;
pub mod files;
mod follow;
pub mod hints;
pub mod hold;
pub mod images;
pub mod kill;
pub mod launch;
pub mod list;
pub mod logs;
pub mod outage;
pub mod queue;
pub mod ready;
pub mod reconcile;
pub mod report;
pub mod resize;
pub mod resolve;
pub mod resubmit;
pub mod submit;
pub mod top;
pub mod turns;
pub mod view;
pub mod wait;
pub mod workload;

mod earlier;
mod end;
mod keep;
mod lease;
mod past;
mod present;
mod record;
mod rights;
mod start;
mod work;

pub use context::{Context, Identity, OpenStore, Settings, World};
pub use error::{ErrorKind, OpsError};
pub use report::{News, Report, Silent};
