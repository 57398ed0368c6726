//! Calls to the daemon: bollard's, and ours where bollard's do not do.
//!
//! Ours are those whose answer is big or must keep every byte (lists, logs, a terminal) and those with a parameter that
//! bollard lacks.

use std::sync::Arc;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(in crate::engine) use super::errors::{error_at, status};
use super::errors::{refusal, unreachable};
use super::transport::Transport;
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
