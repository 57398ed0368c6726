//! How requests get to the daemon: the connection, the gate that tests use, the version of the API.
//!
//! It is ours and not bollard's for three reasons: a gate must be able to make any call fail or lose its answer; a
//! refused connection is to be told apart by its cause; and some answers are read without bollard (see `api`).
//!
//! **Versions.** Every path gets the version prefix that both sides know: the newest that bollard's types describe, or
//! the Engine's newest where that is older. One `HEAD /_ping` per process tells the latter (a third of a
//! millisecond). Paths without a version would save it, but their meaning changes with each Engine. Who answers the ping
//! without a version (a classic Swarm manager) is spoken to without one.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error as BollardError;
use bollard::{API_DEFAULT_VERSION, BollardRequest};
use bytes::Bytes;
use futures_util::Stream;
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Method, Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use thiserror::Error;
use tokio::sync::OnceCell;

use super::tls::{self, HttpsConnector};
use crate::engine::endpoint::{Address, Endpoint};
use crate::engine::gate::{Gate, GateError};
use crate::engine::{EngineError, Result};

/// A request's body, as bollard makes it.
type Body =
    Either<Full<Bytes>, StreamBody<Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>>>;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a request did not get to the daemon, or its answer not back. Travels through bollard inside an I/O error.
#[derive(Debug, Error)]
pub(in crate::engine) enum TransportError {
    /// The test gate.
    #[error(transparent)]
    Gate(GateError),
    /// The connection.
    #[error("{0}")]
    Connection(String),
}

impl From<TransportError> for BollardError {
    fn from(error: TransportError) -> Self {
        Self::IOError {
            err: io::Error::other(error),
        }
    }
}

enum Link {
    Unix {
        client: Client<hyperlocal::UnixConnector, Body>,
        socket: PathBuf,
    },
    Tcp {
        client: Client<HttpConnector, Body>,
        authority: String,
    },
    Tls {
        client: Client<HttpsConnector, Body>,
        authority: String,
    },
}

/// The way to one daemon. Connections are made when they are first needed, and kept.
pub(in crate::engine) struct Transport {
    link: Link,
    endpoint: String,
    gate: Gate,
    patience: Duration,
    /// `/v1.41`, or nothing where the daemon does not say.
    version: OnceCell<String>,
}

impl Transport {
    /// The way to `endpoint`. Nothing is connected to yet.
    pub(in crate::engine) fn new(endpoint: &Endpoint, gate: Gate) -> Result<Arc<Self>> {
        let builder = || {
            let mut builder = Client::builder(TokioExecutor::new());
            builder.set_host(false);
            builder
        };
        let link = match &endpoint.address {
            Address::Unix(socket) => Link::Unix {
                client: builder().build(hyperlocal::UnixConnector),
                socket: socket.clone(),
            },
            Address::Tcp {
                host,
                port,
                tls: None,
            } => Link::Tcp {
                client: builder().build(tcp()),
                authority: authority(host, *port),
            },
            Address::Tcp {
                host,
                port,
                tls: Some(files),
            } => Link::Tls {
                client: builder().build(tls::connector(tcp(), files).map_err(|why| {
                    EngineError::Unreachable {
                        endpoint: endpoint.address.to_string(),
                        why,
                    }
                })?),
                authority: authority(host, *port),
            },
            Address::Memory(_) => {
                return Err(EngineError::Unreachable {
                    endpoint: endpoint.address.to_string(),
                    why: "it is not Docker but the in-memory backend".to_owned(),
                });
            }
        };
        Ok(Arc::new(Self {
            link,
            endpoint: endpoint.address.to_string(),
            gate,
            patience: endpoint.patience,
            version: OnceCell::new(),
        }))
    }

    /// Where it leads, for people.
    pub(in crate::engine) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// How long an answer to an ordinary call may take to begin.
    pub(in crate::engine) fn patience(&self) -> Duration {
        self.patience
    }

    /// Sends a request whose URI is a path and a query; what stands before those is replaced.
    pub(in crate::engine) async fn send(
        &self,
        request: BollardRequest,
    ) -> std::result::Result<Response<Incoming>, BollardError> {
        let version = self.version.get_or_try_init(|| self.negotiate()).await?;
        self.pass(request, version).await
    }

    /// Asks for the Engine's newest version and takes the older of that and ours.
    async fn negotiate(&self) -> std::result::Result<String, BollardError> {
        let ping = Request::builder()
            .method(Method::HEAD)
            .uri("/_ping")
            .body(bollard::body_full(Bytes::new()))?;
        let answer = self.pass(ping, "").await?;
        let newest = answer
            .headers()
            .get("api-version")
            .and_then(|value| value.to_str().ok());
        Ok(prefix(newest))
    }

    async fn pass(
        &self,
        request: BollardRequest,
        version: &str,
    ) -> std::result::Result<Response<Incoming>, BollardError> {
        let path = request.uri().path();
        let effect = is_effect(request.method(), path);
        let call = format!("{} {path}", request.method());
        let passage = self
            .gate
            .enter(&call, effect)
            .map_err(TransportError::Gate)?;
        let answer = self.link.request(request, version).await;
        passage.done().map_err(TransportError::Gate)?;
        answer.map_err(|error| self.link.explain(&error).into())
    }
}

impl Link {
    async fn request(
        &self,
        request: BollardRequest,
        version: &str,
    ) -> std::result::Result<Response<Incoming>, hyper_util::client::legacy::Error> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let path = format!("{version}{path}");
        // Go's HTTP server wants a host name; over a socket any will do.
        let host = match self {
            Self::Unix { .. } => "docker",
            Self::Tcp { authority, .. } | Self::Tls { authority, .. } => authority,
        };
        if let Ok(host) = host.parse() {
            parts.headers.insert(hyper::header::HOST, host);
        }
        let at = |scheme: &str| format!("{scheme}://{host}{path}").parse::<Uri>();
        match self {
            Self::Unix { client, socket } => {
                parts.uri = hyperlocal::Uri::new(socket, &path).into();
                client.request(Request::from_parts(parts, body)).await
            }
            Self::Tcp { client, .. } => {
                parts.uri = at("http").unwrap_or_default();
                client.request(Request::from_parts(parts, body)).await
            }
            Self::Tls { client, .. } => {
                parts.uri = at("https").unwrap_or_default();
                client.request(Request::from_parts(parts, body)).await
            }
        }
    }

    /// Says what is wrong in words that tell what to do.
    fn explain(&self, error: &hyper_util::client::legacy::Error) -> TransportError {
        let cause = root(error);
        let io = cause.downcast_ref::<io::Error>();
        let text = if !error.is_connect() {
            format!("the connection broke before the answer: {cause}")
        } else if let Some(error) = io {
            match self {
                Self::Unix { .. } => unix_advice(error),
                Self::Tcp { .. } | Self::Tls { .. } => tcp_advice(error),
            }
        } else if cause.is::<rustls::Error>() {
            format!(
                "TLS failed: {cause}; are the certificate files (DOCKER_CERT_PATH) those of this daemon?"
            )
        } else {
            cause.to_string()
        };
        TransportError::Connection(text)
    }
}

/// What to do about the errors that have a usual cause; the others speak for themselves.
#[allow(clippy::wildcard_enum_match_arm)] // of some forty kinds
fn unix_advice(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "there is no such socket; is Docker installed and its daemon running?".to_owned()
        }
        io::ErrorKind::ConnectionRefused => {
            "nobody listens there; is the Docker daemon running (sudo systemctl start docker)?"
                .to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "permission denied; add yourself to the group docker (sudo usermod -aG docker $USER) and log in again"
                .to_owned()
        }
        _ => error.to_string(),
    }
}

#[allow(clippy::wildcard_enum_match_arm)] // of some forty kinds
fn tcp_advice(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "connection refused; is the daemon running, and does it listen on this port?".to_owned()
        }
        io::ErrorKind::TimedOut => {
            "nobody answered; are the address and the network right?".to_owned()
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            "the daemon hung up; does it speak TLS, and does it accept the certificate of DOCKER_CERT_PATH?"
                .to_owned()
        }
        _ => error.to_string(),
    }
}

/// The last error of the chain, looking into I/O errors too.
fn root<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut cause = error;
    loop {
        let inside = cause
            .downcast_ref::<io::Error>()
            .and_then(|error| error.get_ref());
        let next: Option<&'a (dyn StdError + 'static)> = match inside {
            Some(inside) => Some(inside),
            None => cause.source(),
        };
        match next {
            Some(next) => cause = next,
            None => return cause,
        }
    }
}

fn tcp() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_nodelay(true);
    connector.set_keepalive(Some(Duration::from_mins(1)));
    connector.enforce_http(false);
    connector
}

fn authority(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Whether a call can change anything. Waiting and reading output are done with POST as well.
fn is_effect(method: &Method, path: &str) -> bool {
    method != Method::GET && method != Method::HEAD && !path.ends_with("/wait")
}

/// The prefix for the older of the two versions.
fn prefix(newest: Option<&str>) -> String {
    let version = newest.and_then(|text| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse::<usize>().ok()?, minor.parse::<usize>().ok()?))
    });
    let ours = (
        API_DEFAULT_VERSION.major_version,
        API_DEFAULT_VERSION.minor_version,
    );
    version.map_or_else(String::new, |theirs| {
        let (major, minor) = theirs.min(ours);
        format!("/v{major}.{minor}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_version_is_spoken() {
        assert_eq!(prefix(Some("1.41")), "/v1.41");
        assert_eq!(prefix(Some("1.9")), "/v1.9");
        let ours = format!(
            "/v{}.{}",
            API_DEFAULT_VERSION.major_version, API_DEFAULT_VERSION.minor_version
        );
        assert_eq!(prefix(Some("9.0")), ours);
        assert_eq!(prefix(None), "");
        assert_eq!(prefix(Some("latest")), "");
    }

    #[test]
    fn reading_is_no_effect() {
        for (method, path, effect) in [
            (Method::GET, "/containers/json", false),
            (Method::HEAD, "/_ping", false),
            (Method::POST, "/containers/x/wait", false),
            (Method::POST, "/containers/create", true),
            (Method::DELETE, "/networks/x", true),
            (Method::PUT, "/containers/x/archive", true),
        ] {
            assert_eq!(is_effect(&method, path), effect, "{method} {path}");
        }
    }

    #[test]
    fn a_name_and_an_address_make_an_authority() {
        assert_eq!(authority("docker.example", 2376), "docker.example:2376");
        assert_eq!(authority("::1", 2375), "[::1]:2375");
    }
}
