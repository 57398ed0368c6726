//! Builds images with the Engine's own builder, which every Engine has.

use bollard::BollardRequest;
use bollard::errors::Error;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderValue};

use super::DockerBackend;
use super::api::request;
use super::registry::with_header;
use crate::engine::{BuildRequest, EngineError, ProgressSink, Result};

impl DockerBackend {
    pub(super) async fn build_from(
        &self,
        request: &BuildRequest,
        progress: ProgressSink<'_>,
    ) -> Result<()> {
        let (first, more) = request
            .tags
            .split_first()
            .ok_or_else(|| EngineError::Refused {
                what: "building an image".to_owned(),
                why: "it is given no name".to_owned(),
            })?;
        // Which registries the Dockerfile names is for the Engine to read; it gets all logins, as from the docker CLI.
        let logins = self.credentials.all_header().await;
        let request = with_header(call(request, first), "X-Registry-Config", logins);
        self.api
            .follow(&format!("building {first}"), request, progress)
            .await?;
        for name in more {
            self.name_image(first, name).await?;
        }
        Ok(())
    }
}

fn call(build: &BuildRequest, name: &str) -> std::result::Result<BollardRequest, Error> {
    let args: serde_json::Map<_, _> = build
        .args
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    let args = serde_json::Value::Object(args).to_string();
    let query = [
        ("t", name),
        ("target", &build.target),
        ("buildargs", &args),
        // Package registries are reached as from the host, whatever its name server and proxies are.
        ("networkmode", "host"),
        ("rm", "true"),
        ("forcerm", "true"),
    ];
    let empty = request(Method::POST, "/build", &query, None::<&()>)?;
    let (parts, _) = empty.into_parts();
    let body = bollard::body_full(build.context.clone());
    let mut request = BollardRequest::from_parts(parts, body);
    let tar = HeaderValue::from_static("application/x-tar");
    request.headers_mut().insert(CONTENT_TYPE, tar);
    Ok(request)
}
