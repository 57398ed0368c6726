//! Where Docker is, found as the docker CLI finds it.
//!
//! In this order: `--host` and `[docker] swarm_manager_url` (which come through the configuration), `DOCKER_HOST`,
//! the context that `DOCKER_CONTEXT` or the docker CLI's `config.json` names, the local socket. Over TCP, TLS follows
//! `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`, or what the context keeps. Nothing is connected to here: whether
//! anybody listens is for the backend to see.

mod context;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::docker_cli::{self, Unusable};
use crate::config::{Config, DockerUrl, Origin, Surroundings};

/// Where Docker is and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What to connect to.
    pub address: Address,
    /// Who said so, for messages.
    pub origin: EndpointOrigin,
    /// How long an answer to an ordinary call may take to begin.
    pub patience: Duration,
}

/// [`Endpoint::patience`] where nobody says otherwise.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// What to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket.
    Unix(PathBuf),
    /// A TCP port.
    Tcp {
        /// A name or an address, an IPv6 one without brackets.
        host: String,
        /// The port, a default filled in.
        port: u16,
        /// `None`: plain HTTP.
        tls: Option<TlsFiles>,
    },
    /// The in-memory backend, kept in this file.
    Memory(PathBuf),
}

/// The files of a mutual TLS connection, in PEM. All three are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority that signed the server's certificate.
    pub ca: PathBuf,
    /// The client's certificate.
    pub cert: PathBuf,
    /// The client's key.
    pub key: PathBuf,
}

/// Who said where Docker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointOrigin {
    /// `[docker] swarm_manager_url`, through a file, a variable or `--host`.
    Configured(Origin),
    /// The variable `DOCKER_HOST`.
    DockerHost,
    /// A context of the docker CLI, with its name.
    Context(String),
    /// Nobody: the local socket.
    DefaultSocket,
}

impl fmt::Display for EndpointOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configured(Origin::Flag(flag)) => f.write_str(flag),
            Self::Configured(Origin::Variable(name)) => f.write_str(name),
            Self::Configured(origin) => write!(f, "[docker] swarm_manager_url ({origin})"),
            Self::DockerHost => f.write_str("DOCKER_HOST"),
            Self::Context(name) => write!(f, "docker context {name:?}"),
            Self::DefaultSocket => f.write_str("default socket"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match self {
            Self::Unix(path) => DockerUrl::Unix(path.clone()),
            Self::Memory(path) => DockerUrl::Memory(path.clone()),
            Self::Tcp { host, port, tls } => DockerUrl::Tcp {
                host: host.clone(),
                port: Some(*port),
                tls: tls.is_some(),
            },
        };
        write!(f, "{url}")
    }
}

/// Why no endpoint could be found. Nothing is guessed: a set but wrong variable never falls back to the local socket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The address can't be used.
    #[error("{origin}: {problem}")]
    Address {
        /// Who gave it.
        origin: EndpointOrigin,
        /// What is wrong and what to write.
        problem: String,
    },
    /// A file of the docker CLI's can't be used.
    #[error("{}: {problem}; correct it with the docker CLI, or set DOCKER_HOST", path.display())]
    DockerFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A context is named that does not exist.
    #[error("there is no docker context {name:?} (named by {by}): {} is missing; `docker context ls` lists those that exist", path.display())]
    NoContext {
        /// The context.
        name: String,
        /// The variable or file that names it.
        by: String,
        /// Where it would be.
        path: PathBuf,
    },
    /// TLS is wanted but its files are not there.
    #[error("{origin}: TLS needs {}, missing in {}; put them there, or {todo}", missing.join(", "), directory.display())]
    TlsFiles {
        /// Who wants TLS.
        origin: EndpointOrigin,
        /// Names of the files.
        missing: Vec<&'static str>,
        /// Where they should be.
        directory: PathBuf,
        /// What else can be done.
        todo: &'static str,
    },
    /// TLS without verification is asked for.
    #[error("{origin}: asks for TLS without verifying the server, which zoe does not do; {todo}")]
    Unverified {
        /// Who asks for it.
        origin: EndpointOrigin,
        /// What can be done.
        todo: &'static str,
    },
}

impl From<Unusable> for EndpointError {
    fn from(Unusable { path, problem }: Unusable) -> Self {
        Self::DockerFile { path, problem }
    }
}

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// Docker's usual ports without and with TLS.
const PORTS: (u16, u16) = (2375, 2376);

/// Finds the endpoint; reads the docker CLI's files when it comes to contexts or TLS, and nothing else.
pub fn find(config: &Config, around: &Surroundings) -> Result<Endpoint, EndpointError> {
    Ok(Endpoint {
        patience: config.docker.api_timeout,
        ..found(config, around)?
    })
}

fn found(config: &Config, around: &Surroundings) -> Result<Endpoint, EndpointError> {
    if let Some(url) = &config.docker.swarm_manager_url {
        let origin =
            EndpointOrigin::Configured(config.origin("docker", "swarm_manager_url").clone());
        return of_url(url, origin, around);
    }
    if let Some(text) = around.env.get("DOCKER_HOST") {
        let origin = EndpointOrigin::DockerHost;
        let url = parse(text, &origin, around)?;
        return of_url(&url, origin, around);
    }
    match context::current(around)? {
        Some(found) => of_context(found, around),
        None => Ok(Endpoint {
            address: Address::Unix(DEFAULT_SOCKET.into()),
            origin: EndpointOrigin::DefaultSocket,
            patience: PATIENCE,
        }),
    }
}

/// The files with which the Engines of a Swarm's nodes are spoken to: those of the manager's endpoint; where that is a
/// socket, what the environment says.
pub fn tls_of_nodes(
    manager: &Endpoint,
    around: &Surroundings,
) -> Result<Option<TlsFiles>, EndpointError> {
    let node = DockerUrl::Tcp {
        host: "node".to_owned(),
        port: None,
        tls: false,
    };
    let found = match &manager.address {
        Address::Unix(_) => of_url(&node, EndpointOrigin::DockerHost, around)?.address,
        manager @ (Address::Tcp { .. } | Address::Memory(_)) => manager.clone(),
    };
    Ok(match found {
        Address::Tcp { tls, .. } => tls,
        Address::Unix(_) | Address::Memory(_) => None,
    })
}

fn parse(
    text: &str,
    origin: &EndpointOrigin,
    around: &Surroundings,
) -> Result<DockerUrl, EndpointError> {
    DockerUrl::parse(text.trim(), |path| around.resolve(path, &around.cwd)).map_err(|problem| {
        EndpointError::Address {
            origin: origin.clone(),
            problem,
        }
    })
}

/// TLS as the environment wants it.
fn of_url(
    url: &DockerUrl,
    origin: EndpointOrigin,
    around: &Surroundings,
) -> Result<Endpoint, EndpointError> {
    let address = address(url, |asked| {
        let verify = around.env.get("DOCKER_TLS_VERIFY").is_some();
        if !verify && around.env.get("DOCKER_TLS").is_some() {
            let todo = "set DOCKER_TLS_VERIFY=1 instead of DOCKER_TLS";
            return Err(EndpointError::Unverified {
                origin: origin.clone(),
                todo,
            });
        }
        if !verify && !asked {
            return Ok(None);
        }
        let named = around
            .env
            .get("DOCKER_CERT_PATH")
            .map(|path| around.cwd.join(path));
        let directory = named
            .or_else(|| docker_cli::directory(around))
            .unwrap_or_else(|| around.cwd.clone());
        tls_files(
            &directory,
            &origin,
            "name their directory with DOCKER_CERT_PATH, or unset DOCKER_TLS_VERIFY",
        )
        .map(Some)
    })?;
    Ok(Endpoint {
        address,
        origin,
        patience: PATIENCE,
    })
}

/// TLS as the context keeps it: the environment's variables are not for contexts.
fn of_context(found: context::Found, around: &Surroundings) -> Result<Endpoint, EndpointError> {
    let origin = EndpointOrigin::Context(found.name);
    let url = parse(&found.host, &origin, around)?;
    let address = address(&url, |asked| {
        if found.skip_verify {
            let todo = "give the context a ca.pem and make it without skip-tls-verify";
            return Err(EndpointError::Unverified {
                origin: origin.clone(),
                todo,
            });
        }
        if !asked && !found.tls_dir.is_dir() {
            return Ok(None);
        }
        tls_files(
            &found.tls_dir,
            &origin,
            "give them to the context with `docker context update`",
        )
        .map(Some)
    })?;
    Ok(Endpoint {
        address,
        origin,
        patience: PATIENCE,
    })
}

fn address(
    url: &DockerUrl,
    tls: impl FnOnce(bool) -> Result<Option<TlsFiles>, EndpointError>,
) -> Result<Address, EndpointError> {
    Ok(match url {
        DockerUrl::Unix(path) => Address::Unix(path.clone()),
        DockerUrl::Memory(path) => Address::Memory(path.clone()),
        DockerUrl::Tcp {
            host,
            port,
            tls: asked,
        } => {
            let tls = tls(*asked)?;
            let usual = if tls.is_some() { PORTS.1 } else { PORTS.0 };
            Address::Tcp {
                host: host.clone(),
                port: port.unwrap_or(usual),
                tls,
            }
        }
    })
}

fn tls_files(
    directory: &Path,
    origin: &EndpointOrigin,
    todo: &'static str,
) -> Result<TlsFiles, EndpointError> {
    const NAMES: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];
    let missing: Vec<_> = NAMES
        .into_iter()
        .filter(|name| !directory.join(name).is_file())
        .collect();
    if missing.is_empty() {
        let [ca, cert, key] = NAMES.map(|name| directory.join(name));
        return Ok(TlsFiles { ca, cert, key });
    }
    Err(EndpointError::TlsFiles {
        origin: origin.clone(),
        missing,
        directory: directory.into(),
        todo,
    })
}

#[cfg(test)]
mod tests;
