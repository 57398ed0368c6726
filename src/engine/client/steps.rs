//! The progress of what takes long (a pull, a push, a build), as the daemon tells it: a line of JSON for each step.
//!
//! Not through bollard, which does not tell which layer a step of a push is about, and whose logins an Engine can't
//! always read.

use bollard::BollardRequest;
use bollard::errors::Error;
use bollard::models::ProgressDetail;
use bytes::BytesMut;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use serde::Deserialize;

use super::api::Api;
use crate::engine::{EngineError, Progress, ProgressSink, Result};

#[derive(Debug, Deserialize)]
struct Step {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    status: Option<String>,
    /// A line of a build's output.
    #[serde(default)]
    stream: Option<String>,
    #[serde(default, rename = "progressDetail")]
    detail: Option<ProgressDetail>,
    #[serde(default)]
    error: Option<String>,
}

impl Api {
    /// Sends a request and tells its steps until it is done. A step that failed is an error.
    pub(in crate::engine) async fn follow(
        &self,
        what: &str,
        request: std::result::Result<BollardRequest, Error>,
        progress: ProgressSink<'_>,
    ) -> Result<()> {
        let answer = self
            .raw_patient(request)
            .await
            .map_err(|error| self.error(what, error))?;
        let mut pieces = answer.into_body().into_data_stream();
        let mut lines = Lines::default();
        while let Some(piece) = pieces.next().await {
            lines
                .0
                .extend_from_slice(&piece.map_err(|error| self.broken(&error))?);
            while let Some(line) = lines.next() {
                if let Some(told) = told(what, &line)? {
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
    let line = step.stream.map(|line| line.trim_end().to_owned());
    let message = line.filter(|line| !line.trim().is_empty()).or(step.status);
    let bytes = step.detail.as_ref().and_then(bytes);
    Ok(message.map(|message| Progress {
        part: step.id.unwrap_or_default(),
        message,
        bytes,
    }))
}

/// Done and to be done, where both are known.
fn bytes(detail: &ProgressDetail) -> Option<(u64, u64)> {
    let done = u64::try_from(detail.current?).ok()?;
    let all = u64::try_from(detail.total?).ok()?;
    (all > 0).then_some((done, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(line: &str) -> Result<Option<Progress>> {
        told("pushing x", line.as_bytes())
    }

    #[test]
    fn a_push_tells_of_its_layers_and_of_its_failure() {
        let step = tell(
            r#"{"status":"Pushing","progressDetail":{"current":5,"total":9},"progress":"[=> ]","id":"4f4f"}"#,
        );
        let step = step.unwrap().unwrap();
        assert_eq!((step.part.as_str(), step.bytes), ("4f4f", Some((5, 9))));
        assert_eq!(
            tell(r#"{"progressDetail":{},"aux":{"Tag":"1"}}"#).unwrap(),
            None
        );
        assert_eq!(tell("\r\n").unwrap(), None);
        let error = tell(r#"{"errorDetail":{"message":"denied"},"error":"denied"}"#);
        assert_eq!(error.unwrap_err().to_string(), "pushing x failed: denied");
    }

    #[test]
    fn a_build_tells_its_lines_without_the_empty_ones() {
        let message = |line: &str| tell(line).unwrap().map(|step| step.message);
        assert_eq!(message(r#"{"stream":"\n"}"#), None);
        assert_eq!(
            message(r#"{"stream":"Step 1/2 : FROM x\n"}"#).as_deref(),
            Some("Step 1/2 : FROM x")
        );
        let layer = tell(r#"{"id":"abc","status":"Pulling"}"#).unwrap();
        assert_eq!(layer.map(|step| step.part), Some("abc".to_owned()));
        assert_eq!(message("{}"), None);
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

    #[test]
    fn bytes_are_shown_where_they_are_known() {
        let of = |current, total| bytes(&ProgressDetail { current, total });
        assert_eq!(of(Some(3), Some(9)), Some((3, 9)));
        assert_eq!(of(Some(3), None), None);
        assert_eq!(of(Some(3), Some(-1)), None);
    }
}
