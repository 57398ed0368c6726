//! Pulls images from registries and pushes them there, with the login that the docker CLI would use.

use bollard::models::ImageInspect;
use hyper::Method;

use super::DockerBackend;
use super::api::request;
use super::images::{check_name, split_name};
use super::launch::missing;
use super::registry::with_login;
use crate::engine::{EngineError, ProgressSink, Result};

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
                    | EngineError::OutOfReach { .. }
                    | EngineError::Garbled { .. }) => other,
                })
            })
    }

    pub(super) async fn push_to_registry(
        &self,
        image: &str,
        progress: ProgressSink<'_>,
    ) -> Result<()> {
        check_name(image)?;
        let (repository, tag) = split_name(image);
        let path = format!("/images/{repository}/push");
        let request = request(Method::POST, &path, &[("tag", tag)], None::<&()>);
        let access = self.access(image).await;
        self.api
            .follow(
                &format!("pushing {image}"),
                with_login(request, access.header()),
                progress,
            )
            .await
            .map_err(|error| access.explain(error))
    }
}
