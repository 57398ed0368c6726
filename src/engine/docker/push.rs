//! Pushes images to registries, anonymously: credentials are not read here.
//!
//! Not through bollard, which does not tell which layer a step of the progress is about.

use bollard::models::ProgressDetail;
use bytes::BytesMut;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::Method;
use hyper::header::HeaderValue;
use serde::Deserialize;

use super::DockerBackend;
use super::api::request;
use super::images::{check_name, split_name, step_of};
use crate::engine::{EngineError, Progress, ProgressSink, Result};

/// `{}` in base64. Old Engines want the header even from nobody.
const NOBODY: HeaderValue = HeaderValue::from_static("e30=");

#[derive(Debug, Deserialize)]
struct Step {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default, rename = "progressDetail")]
    detail: Option<ProgressDetail>,
    #[serde(default)]
    error: Option<String>,
}

impl DockerBackend {
    pub(super) async fn push_to_registry(
        &self,
        image: &str,
        progress: ProgressSink<'_>,
    ) -> Result<()> {
        check_name(image)?;
        let what = format!("pushing {image}");
        let (repository, tag) = split_name(image);
        let path = format!("/images/{repository}/push");
        let request =
            request(Method::POST, &path, &[("tag", tag)], None::<&()>).map(|mut request| {
                request.headers_mut().insert("X-Registry-Auth", NOBODY);
                request
            });
        let answer = self
            .api
            .raw_patient(request)
            .await
            .map_err(|error| self.api.error(&what, error))?;
        let mut pieces = answer.into_body().into_data_stream();
        let mut lines = Lines::default();
        while let Some(piece) = pieces.next().await {
            lines
                .0
                .extend_from_slice(&piece.map_err(|error| self.api.broken(&error))?);
            while let Some(line) = lines.next() {
                if let Some(told) = told(&what, &line)? {
                    progress(told);
                }
            }
        }
        Ok(())
    }
}

/// Cuts what comes into lines; the daemon ends each with one.
#[derive(Default)]
struct Lines(BytesMut);

impl Lines {
    fn next(&mut self) -> Option<BytesMut> {
        let end = self.0.iter().position(|byte| *byte == b'\n')?;
        Some(self.0.split_to(end + 1))
    }
}

/// What a line tells; a refusal is an error.
fn told(what: &str, line: &[u8]) -> Result<Option<Progress>> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let step: Step = serde_json::from_slice(line).map_err(|error| EngineError::Garbled {
        what: what.to_owned(),
        why: error.to_string(),
    })?;
    if let Some(why) = step.error {
        return Err(EngineError::Refused {
            what: what.to_owned(),
            why,
        });
    }
    Ok(step
        .status
        .map(|status| step_of(step.id, Some(status), step.detail.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_tells_of_its_layers_and_of_its_failure() {
        let told = |line: &str| told("pushing x", line.as_bytes());
        let step = told(
            r#"{"status":"Pushing","progressDetail":{"current":5,"total":9},"progress":"[=> ]","id":"4f4f"}"#,
        );
        let step = step.unwrap().unwrap();
        assert_eq!((step.part.as_str(), step.bytes), ("4f4f", Some((5, 9))));
        assert_eq!(
            told(r#"{"progressDetail":{},"aux":{"Tag":"1"}}"#).unwrap(),
            None
        );
        assert_eq!(told("\r\n").unwrap(), None);
        let error = told(r#"{"errorDetail":{"message":"denied"},"error":"denied"}"#);
        assert_eq!(error.unwrap_err().to_string(), "pushing x failed: denied");
    }

    #[test]
    fn lines_come_out_however_they_were_cut() {
        let mut lines = Lines::default();
        lines.0.extend_from_slice(b"{\"a\"");
        assert!(lines.next().is_none());
        lines.0.extend_from_slice(b":1}\n{}\n{");
        assert_eq!(lines.next().as_deref(), Some(&b"{\"a\":1}\n"[..]));
        assert_eq!(lines.next().as_deref(), Some(&b"{}\n"[..]));
        assert!(lines.next().is_none());
    }
}
