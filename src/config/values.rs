//! The types that settings have beyond those of the standard library. Values only: how text becomes one of
//! them is in [`super::kinds`].

use std::fmt;
use std::path::PathBuf;

use crate::model::Secret;

/// Where history is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file, absolute; it and its directory need not exist yet.
    Sqlite(PathBuf),
    /// A `MySQL` or `MariaDB` server.
    Mysql(MysqlUrl),
}

impl fmt::Display for Database {
    /// As `[db] url` would say it, the password hidden.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Mysql(url) => write!(f, "{}", url.shown),
        }
    }
}

/// A valid `mysql://user:password@host:port/database?options`.
#[derive(Clone, PartialEq, Eq)]
pub struct MysqlUrl {
    /// The whole URL, with scheme `mysql` whatever was written.
    pub url: Secret,
    /// The same with `***` for the password.
    pub shown: String,
}

impl fmt::Debug for MysqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Which kind of Docker is behind the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// What the endpoint's answers say.
    Auto,
    /// One Docker Engine.
    Engine,
    /// Docker's Swarm mode.
    Swarm,
    /// A classic Swarm manager.
    Classic,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// Not at all.
    None,
    /// Begins in the clear and must change to TLS before anything is said.
    Starttls,
    /// TLS from the first byte.
    Tls,
}
