//! What zoe can do: typed options in, typed outcome out; knows neither clap nor tables.

pub mod accounts;
mod arrays;
pub mod attach;
pub mod connect;
mod context;
pub mod error;
pub mod exec;
pub mod fetch;
pub mod hints;
pub mod history;
pub mod hold;
pub mod idle;
pub mod images;
pub mod kill;
pub mod list;
pub mod logs;
pub mod mail;
pub mod outage;
mod present;
pub mod proxy;
pub mod queue;
pub mod ready;
pub mod reconcile;
pub mod report;
pub mod resize;
pub mod resolve;
mod rights;
pub mod submit;
pub mod top;
pub mod view;
pub mod wait;

pub use context::{Context, Identity, MailSettings, OpenStore, Settings, World};
pub use error::{ErrorKind, OpsError};
pub use report::{News, Report, Silent};
