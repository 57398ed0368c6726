//! Pulls images from registries and pushes them there, with the login that the docker CLI would use.

use std::time::Duration;

use bollard::models::ImageInspect;
use hyper::Method;

use super::DockerBackend;
use super::api::request;
use super::images::{check_name, split_name};
use super::launch::missing;
use super::registry::with_login;
use crate::engine::credentials::Access;
use crate::engine::{EngineError, ProgressSink, Result};

/// How the Engine tells that a registry has failed (500 to 599) or lost its way, not refused.
const STUMBLES: [&str; 4] = [
    "received unexpected HTTP status: 5",
    "blob unknown to registry",
    "blob upload unknown",
    "digest invalid",
];
/// How long to wait after each time.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_millis(700),
    Duration::from_secs(2),
];

impl DockerBackend {
    pub(super) async fn pull(&self, name: &str, progress: ProgressSink<'_>) -> Result<String> {
        let id = |image: Option<ImageInspect>| image.and_then(|image| image.id);
        if let Some(id) = id(self.image(name).await?) {
            return Ok(id);
        }
        self.fetch(name, progress).await?;
        id(self.image(name).await?).ok_or_else(|| missing(name))
    }

    /// Asks the registry for an image, whether it is there or not.
    pub(super) async fn fetch(&self, name: &str, progress: ProgressSink<'_>) -> Result<()> {
        check_name(name)?;
        let (repository, tag) = split_name(name);
        let query = [("fromImage", repository), ("tag", tag)];
        let request = request(Method::POST, "/images/create", &query, None::<&()>);
        let access = self.access(name).await;
        self.api
            .follow("pulling", with_login(request, access.header()), progress)
            .await
            .map_err(|error| {
                access.explain(match error {
                    EngineError::Refused { why, .. } => EngineError::NoImage {
                        image: name.to_owned(),
                        why,
                    },
                    other @ (EngineError::Unreachable { .. }
                    | EngineError::NoImage { .. }
                    | EngineError::Gone { .. }
                    | EngineError::Conflict { .. }
                    | EngineError::NotNow { .. }
                    | EngineError::OutOfReach { .. }
                    | EngineError::Withheld { .. }
                    | EngineError::Garbled { .. }) => other,
                })
            })
    }

    /// Pushes an image. A registry that is being given the same image by somebody else may stumble over that: it is asked
    /// again.
    pub(super) async fn push_to_registry(
        &self,
        image: &str,
        progress: ProgressSink<'_>,
    ) -> Result<()> {
        check_name(image)?;
        let access = self.access(image).await;
        for pause in PAUSES {
            match self.push_once(image, &access, progress).await {
                Err(EngineError::Refused { why, .. })
                    if STUMBLES.iter().any(|words| why.contains(words)) =>
                {
                    tokio::time::sleep(pause).await;
                }
                result => return result.map_err(|error| access.explain(error)),
            }
        }
        let result = self.push_once(image, &access, progress).await;
        result.map_err(|error| access.explain(error))
    }

    async fn push_once(
        &self,
        image: &str,
        access: &Access,
        progress: ProgressSink<'_>,
    ) -> Result<()> {
        let (repository, tag) = split_name(image);
        let path = format!("/images/{repository}/push");
        let request = request(Method::POST, &path, &[("tag", tag)], None::<&()>);
        self.api
            .follow(
                &format!("pushing {image}"),
                with_login(request, access.header()),
                progress,
            )
            .await
    }
}
