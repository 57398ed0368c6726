//! What a registry has, asked through the daemon: zoe itself speaks to no registry, so that what the daemon can reach,
//! trusts and has mirrors for is what counts.

use bollard::BollardRequest;
use bollard::errors::Error;
use hyper::Method;
use hyper::header::HeaderValue;
use serde::Deserialize;

use super::DockerBackend;
use super::api::{request, status};
use super::images::{check_name, split_name};
use crate::engine::credentials::{Access, registry_of};
use crate::engine::{EngineError, Result};

#[derive(Deserialize)]
struct Distribution {
    #[serde(rename = "Descriptor")]
    descriptor: Descriptor,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

impl DockerBackend {
    /// How to get at this image's registry; for who has to hand it on, as `X-Registry-Auth` of another call.
    pub(in crate::engine) async fn access(&self, image: &str) -> Access {
        self.credentials.access(image).await
    }

    /// The image by its content, `repository@sha256:…`: what its registry has under that name just now; `None` where it
    /// has nothing. A registry that does not answer, or wants another login, is [`EngineError::Refused`].
    pub(super) async fn digest_in_registry(&self, image: &str) -> Result<Option<String>> {
        check_name(image)?;
        let (repository, tag) = split_name(image);
        let separator = if is_digest(tag) { '@' } else { ':' };
        let path = format!("/distribution/{repository}{separator}{tag}/json");
        let request = request(Method::GET, &path, &[], None::<&()>);
        let access = self.access(image).await;
        let what = format!("asking the registry for {image}");
        match self.api.raw(with_login(request, access.header())).await {
            Ok(answer) => {
                let found: Distribution = self.api.read(&what, answer).await?;
                Ok(Some(format!("{repository}@{}", found.descriptor.digest)))
            }
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(access.explain(self.api.error(&what, error))),
        }
    }

    /// The same for who starts it on several nodes and wants the same on all: [`EngineError::NoImage`] where the registry
    /// has nothing of that name. A name that says its digest is taken as it is.
    pub async fn resolve_digest(&self, image: &str) -> Result<String> {
        if is_digest(split_name(image).1) {
            return Ok(image.to_owned());
        }
        let found = self.digest_in_registry(image).await?;
        found.ok_or_else(|| EngineError::NoImage {
            image: image.to_owned(),
            why: format!(
                "the registry {} has nothing of that name",
                registry_of(image)
            ),
        })
    }
}

fn is_digest(tag: &str) -> bool {
    tag.contains(':')
}

/// The request with `X-Registry-Auth`.
pub(super) fn with_login(
    request: std::result::Result<BollardRequest, Error>,
    login: HeaderValue,
) -> std::result::Result<BollardRequest, Error> {
    with_header(request, "X-Registry-Auth", login)
}

/// The request with a header more.
pub(super) fn with_header(
    request: std::result::Result<BollardRequest, Error>,
    name: &'static str,
    value: HeaderValue,
) -> std::result::Result<BollardRequest, Error> {
    request.map(|mut request| {
        request.headers_mut().insert(name, value);
        request
    })
}
