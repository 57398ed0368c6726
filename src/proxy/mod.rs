//! The web server before the applications: which routes there are, how they are written for Apache, and publishing them.
//!
//! Routes follow from what was seen of Docker ([`routes()`]) and become a file ([`render`]): a map that Apache looks into at
//! every request, or a fragment of its configuration. Only [`publish`] writes and only [`ask`] asks; the rest is pure. When
//! that is to happen is decided in `ops`.
//!
//! Nothing that a user typed gets into Apache's files: a route is made of an id, a token, names that are checked where they come
//! in, and once more here, and an address of Docker's.

pub mod access_log;
pub mod ask;
mod fragment;
pub mod publish;
pub mod render;
mod routes;
pub mod setup;
mod site;

pub use routes::{Incomplete, Route, routes, to, usurpers};
pub use site::{Site, Way};
