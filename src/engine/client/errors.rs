//! What the daemon's errors mean, and what they are told as.

use std::error::Error as StdError;

use bollard::errors::Error;
use bytes::Bytes;
use serde::Deserialize;

use super::transport::TransportError;
use crate::engine::EngineError;

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

pub(super) fn unreachable(endpoint: &str, why: String) -> EngineError {
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
pub(super) fn refusal(body: &Bytes) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    serde_json::from_slice::<Refusal>(body).map_or_else(
        |_| String::from_utf8_lossy(body).trim().to_owned(),
        |refusal| refusal.message,
    )
}

/// The status of a refusal. A classic Swarm manager answers 500 to nearly all that its Engines refuse, and so does one of
/// Swarm mode when two make things of one name at the same moment; then their words tell which status it was.
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
    } else if says(&[
        "already in progress",
        "is already in use by container",
        "name conflicts with an existing object",
    ]) {
        409
    } else {
        500
    })
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
                "rpc error: code = Unknown desc = name conflicts with an existing object"
            ),
            Some(409)
        );
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
}
