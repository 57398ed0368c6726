//! Calls to the daemon: bollard's, and ours where bollard's do not do; and what their errors mean.
//!
//! Ours are those whose answer is big or must keep every byte (lists, logs, a terminal) and those with a parameter that
//! bollard lacks.

use std::error::Error as StdError;
use std::sync::Arc;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::transport::{Transport, TransportError};
use crate::engine::{EngineError, Result};

/// One daemon.
pub(in crate::engine) struct Api {
    transport: Arc<Transport>,
    /// For calls that answer soon.
    pub(in crate::engine) quick: Docker,
    /// For calls that take as long as what they do: waiting, pulling, building.
    pub(in crate::engine) slow: Docker,
}

/// A query: names and values.
pub(in crate::engine) type Query<'a> = &'a [(&'a str, &'a str)];

impl Api {
    pub(in crate::engine) fn new(transport: Arc<Transport>) -> Result<Self> {
        let way = Arc::clone(&transport);
        let send = move |request: BollardRequest| {
            let way = Arc::clone(&way);
            async move { way.send(request).await }
        };
        // The address is never used: the transport puts its own in its place.
        let slow = Docker::connect_with_custom_transport(
            send,
            Some("http://docker"),
            u64::MAX,
            API_DEFAULT_VERSION,
        )
        .map_err(|error| EngineError::Unreachable {
            endpoint: transport.endpoint().to_owned(),
            why: error.to_string(),
        })?;
        Ok(Self {
            quick: slow.clone().with_timeout(transport.patience()),
            transport,
            slow,
        })
    }

    /// Where the daemon is, for people.
    pub(in crate::engine) fn endpoint(&self) -> &str {
        self.transport.endpoint()
    }

    /// Reads a JSON answer.
    pub(in crate::engine) async fn get<T: DeserializeOwned>(
        &self,
        what: &str,
        path: &str,
        query: Query<'_>,
    ) -> Result<T> {
        let request = request(Method::GET, path, query, None::<&()>);
        let answer = self
            .raw(request)
            .await
            .map_err(|error| self.error(what, error))?;
        self.read(what, answer).await
    }

    /// Sends JSON and reads a JSON answer.
    pub(in crate::engine) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> std::result::Result<T, Error> {
        let answer = self
            .raw(request(Method::POST, path, &[], Some(body)))
            .await?;
        let body = answer.into_body().collect().await?.to_bytes();
        Ok(serde_json::from_slice(&body)?)
    }

    /// Reads a JSON answer about a container that may be gone.
    pub(in crate::engine) async fn get_of<T: DeserializeOwned>(
        &self,
        container: &str,
        path: &str,
        query: Query<'_>,
    ) -> Result<T> {
        let what = format!("asking about {container}");
        match self
            .raw(request(Method::GET, path, query, None::<&()>))
            .await
        {
            Ok(answer) => self.read(&what, answer).await,
            Err(error) if status(&error) == Some(404) => Err(EngineError::Gone {
                what: format!("container {container}"),
            }),
            Err(error) => Err(self.error(&what, error)),
        }
    }

    /// Sends a request and gives its answer's body, refusals as errors.
    pub(in crate::engine) async fn ask(
        &self,
        request: std::result::Result<BollardRequest, Error>,
    ) -> std::result::Result<Bytes, Error> {
        let answer = self.raw(request).await?;
        Ok(answer.into_body().collect().await?.to_bytes())
    }

    /// Sends a request and gives its answer, refusals as errors.
    pub(in crate::engine) async fn raw(
        &self,
        request: std::result::Result<BollardRequest, Error>,
    ) -> std::result::Result<Response<Incoming>, Error> {
        tokio::time::timeout(self.transport.patience(), self.raw_patient(request))
            .await
            .unwrap_or(Err(Error::RequestTimeoutError))
    }

    /// The same, however long it takes.
    pub(in crate::engine) async fn raw_patient(
        &self,
        request: std::result::Result<BollardRequest, Error>,
    ) -> std::result::Result<Response<Incoming>, Error> {
        let answer = self.transport.send(request?).await?;
        let status = answer.status();
        if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(answer);
        }
        let body = answer.into_body().collect().await?.to_bytes();
        Err(Error::DockerResponseServerError {
            status_code: status.as_u16(),
            message: refusal(&body),
        })
    }

    pub(in crate::engine) async fn read<T: DeserializeOwned>(
        &self,
        what: &str,
        answer: Response<Incoming>,
    ) -> Result<T> {
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(|error| self.broken(&error))?
            .to_bytes();
        serde_json::from_slice(&body).map_err(|error| EngineError::Garbled {
            what: what.to_owned(),
            why: error.to_string(),
        })
    }

    /// The error for an answer that broke off.
    pub(in crate::engine) fn broken(&self, why: &dyn std::fmt::Display) -> EngineError {
        unreachable(self.endpoint(), format!("the connection broke: {why}"))
    }

    /// What an error means, where nothing special is expected of the call.
    pub(in crate::engine) fn error(&self, what: &str, error: Error) -> EngineError {
        if matches!(error, Error::RequestTimeoutError) {
            let seconds = self.transport.patience().as_secs();
            return unreachable(
                self.endpoint(),
                format!("{what}: no answer within {seconds} s"),
            );
        }
        error_at(self.endpoint(), what, error)
    }
}

/// What an error of the daemon at `endpoint` means. What is no refusal and no answer is taken for a broken connection.
#[allow(clippy::wildcard_enum_match_arm)] // bollard may get errors for what we never use
pub(in crate::engine) fn error_at(endpoint: &str, what: &str, error: Error) -> EngineError {
    let garbled = |why: String| EngineError::Garbled {
        what: what.to_owned(),
        why,
    };
    match error {
        Error::DockerResponseServerError { message, .. }
        | Error::DockerStreamError { error: message } => {
            let (what, why) = (what.to_owned(), advice(&message));
            if passes(&message) {
                EngineError::NotNow { what, why }
            } else {
                EngineError::Refused { what, why }
            }
        }
        Error::JsonDataError { message, .. } => garbled(message),
        Error::JsonSerdeError { err } => garbled(err.to_string()),
        Error::IOError { err } => io_error_at(endpoint, err),
        other => unreachable(endpoint, format!("{what}: {other}")),
    }
}

/// What the transport said, if it is its error.
fn io_error_at(endpoint: &str, error: std::io::Error) -> EngineError {
    let text = error.to_string();
    let inner = error
        .into_inner()
        .map(<dyn StdError + Send + Sync>::downcast);
    match inner {
        Some(Ok(transport)) => match *transport {
            TransportError::Gate(gate) => gate.into(),
            TransportError::Connection(why) => unreachable(endpoint, why),
        },
        Some(Err(_)) | None => unreachable(endpoint, text),
    }
}

fn unreachable(endpoint: &str, why: String) -> EngineError {
    EngineError::Unreachable {
        endpoint: endpoint.to_owned(),
        why,
    }
}

/// No addresses are left for another network.
const NO_ADDRESSES: &str = "non-overlapping IPv4 address pool";

/// Whether the daemon's words are of something that is over when others have ended. (Before Docker 25 two that start the same
/// at once see two networks of one name, until the later one is taken back.)
fn passes(message: &str) -> bool {
    let twice = message.contains("is ambiguous") && message.contains("matches found on name");
    message.contains(NO_ADDRESSES) || twice
}

/// The daemon's words, with what to do about them where that is known.
fn advice(message: &str) -> String {
    let message = message.trim();
    let todo = if message.contains("HTTP request to an HTTPS server") {
        "; set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH"
    } else if message.contains(NO_ADDRESSES) {
        "; Docker has no addresses left for another network: remove unused networks, or give dockerd more default-address-pools"
    } else if message.contains("docker-init") {
        "; this Engine has no docker-init (on Debian: apt-get install tini)"
    } else {
        ""
    };
    format!("{message}{todo}")
}

/// The daemon's words in a refusal.
fn refusal(body: &Bytes) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    serde_json::from_slice::<Refusal>(body).map_or_else(
        |_| String::from_utf8_lossy(body).trim().to_owned(),
        |refusal| refusal.message,
    )
}

/// The status of a refusal. A classic Swarm manager answers 500 to nearly all that its Engines refuse; then their words
/// tell which status it was.
pub(in crate::engine) fn status(error: &Error) -> Option<u16> {
    let Error::DockerResponseServerError {
        status_code,
        message,
    } = error
    else {
        return None;
    };
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    Some(if *status_code != 500 {
        *status_code
    } else if says(&["No such container", "No such image"]) {
        404
    } else if says(&["already in progress", "is already in use by container"]) {
        409
    } else {
        500
    })
}

/// A request with a JSON body, if there is one.
pub(in crate::engine) fn request(
    method: Method,
    path: &str,
    query: Query<'_>,
    body: Option<&impl Serialize>,
) -> std::result::Result<BollardRequest, Error> {
    let mut uri = path.to_owned();
    if !query.is_empty() {
        uri.push('?');
        uri.push_str(
            &url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(query)
                .finish(),
        );
    }
    let body = match body {
        Some(body) => serde_json::to_vec(body)?,
        None => Vec::new(),
    };
    Ok(Request::builder()
        .method(method)
        .uri(uri)
        .header(CONTENT_TYPE, "application/json")
        .body(bollard::body_full(body.into()))?)
}

/// The `filters` of a list call: objects with all of these labels.
pub(in crate::engine) fn label_filter(labels: &[String]) -> String {
    serde_json::json!({ "label": labels }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_daemons_words() {
        let body = |text: &'static str| refusal(&Bytes::from_static(text.as_bytes()));
        assert_eq!(body(r#"{"message":"no such thing"}"#), "no such thing");
        assert_eq!(body("404 page not found\n"), "404 page not found");
        let error = error_at(
            "unix:///x",
            "starting a-0",
            Error::DockerResponseServerError {
                status_code: 500,
                message: "no space left".to_owned(),
            },
        );
        assert_eq!(error.to_string(), "starting a-0 failed: no space left");
    }

    #[test]
    fn what_others_will_give_back_is_no_failure() {
        let words = |message: &str| {
            let message = message.to_owned();
            let error = Error::DockerResponseServerError {
                status_code: 500,
                message,
            };
            error_at("unix:///x", "making the network a", error)
        };
        let full = words(
            "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
        );
        assert!(matches!(full, EngineError::NotNow { .. }), "{full}");
        assert!(
            full.to_string()
                .contains("give dockerd more default-address-pools")
        );
        let twice = words("network a is ambiguous (2 matches found on name)");
        assert!(matches!(twice, EngineError::NotNow { .. }), "{twice}");
        let taken = words("network with name a already exists");
        assert!(matches!(taken, EngineError::Refused { .. }), "{taken}");
    }

    #[test]
    fn a_managers_500_is_what_its_engine_meant() {
        let of = |status_code, message: &str| {
            let message = message.to_owned();
            status(&Error::DockerResponseServerError {
                status_code,
                message,
            })
        };
        assert_eq!(of(404, "page not found"), Some(404));
        assert_eq!(of(500, "no resources available"), Some(500));
        assert_eq!(of(500, "Error: No such container: 12"), Some(404));
        assert_eq!(
            of(
                500,
                "Error response from daemon: removal of container 12 is already in progress"
            ),
            Some(409)
        );
    }

    #[test]
    fn what_the_transport_says_comes_through_bollard() {
        let error = TransportError::Connection("nobody listens there".to_owned());
        assert_eq!(
            error_at("unix:///x", "listing", error.into()).to_string(),
            "cannot reach Docker at unix:///x: nobody listens there"
        );
    }

    #[test]
    fn a_query_is_escaped() {
        let request = request(
            Method::GET,
            "/containers/json",
            &[
                ("all", "true"),
                ("filters", &label_filter(&["a=b&c".to_owned()])),
            ],
            None::<&()>,
        )
        .unwrap();
        assert_eq!(
            request.uri().to_string(),
            "/containers/json?all=true&filters=%7B%22label%22%3A%5B%22a%3Db%26c%22%5D%7D"
        );
    }
}
