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
    /// How the connection is protected.
    pub tls: TlsMode,
    /// The certificate of the authority that the server's must come from, beside those the system knows.
    pub ca: Option<PathBuf>,
    /// The certificate to show to the server.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// The server's socket, in place of host and port.
    pub socket: Option<PathBuf>,
}

/// How a connection to a database server is protected, in `MySQL`'s words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// In the clear.
    Disabled,
    /// With TLS if the server has it; whoever sits between can say that it has not.
    Preferred,
    /// With TLS, whoever the server is.
    Required,
    /// With TLS, and a certificate of an authority that is known.
    VerifyCa,
    /// Likewise, and it must be for this host.
    VerifyIdentity,
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

/// What the URLs of the web server begin with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    #[default]
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// Each with its word.
    pub const NAMED: [(&'static str, Self); 2] = [("http", Self::Http), ("https", Self::Https)];
}

/// How the web server learns the routes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProxyMode {
    /// From a file that it looks into at every request.
    #[default]
    Map,
    /// From a piece of its configuration, with a reload for each change.
    Fragment,
}

impl ProxyMode {
    /// Each with its word.
    pub const NAMED: [(&'static str, Self); 2] = [("map", Self::Map), ("fragment", Self::Fragment)];
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
