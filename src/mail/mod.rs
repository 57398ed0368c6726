//! Mail: what is written to people about their executions ([`compose`]), and how it reaches the site's mail server ([`smtp`]).
//!
//! Who is written to and when, and the outbox in which mails wait, are the business of `ops` and `store`.

pub mod clean;
pub mod compose;
pub mod page;
pub mod smtp;

pub use compose::{About, Notebook, Run};
pub use page::Content;
pub use smtp::{Connection, Envelope, Login, Password, SendError, Server, is_address};
