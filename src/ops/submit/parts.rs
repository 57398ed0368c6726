//! What a ticket is made of: images, the image with the files, secrets and environment, a name.

use std::fmt::Write as _;

use super::{ARRAY_COUNT, ARRAY_INDEX, Submission, TRIES};
use crate::apps;
use crate::engine::{EngineError, JobFiles};
use crate::model::{Application, ExecutionId, ExecutionName, Private, ProxyPath, Secret};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::report::{News, Report};

pub(super) async fn ensure_images(
    context: &Context,
    submission: &Submission,
    report: &dyn Report,
) -> Result<(), OpsError> {
    let mut images: Vec<String> = submission
        .application
        .components
        .iter()
        .map(|c| reference(context, &c.image))
        .collect();
    images.sort();
    images.dedup();
    for image in images {
        let tell = |progress| {
            report.tell(News::Image {
                image: image.clone(),
                progress,
            });
        };
        context.backend.ensure(&image, &tell).await?;
    }
    Ok(())
}

fn reference(context: &Context, image: &str) -> String {
    apps::image_reference(&context.settings.registry, image)
}

/// A name for an execution that was given none: what it runs, and its id so that it is the only one.
pub(super) fn made_name(stem: &str, id: ExecutionId) -> Result<ExecutionName, OpsError> {
    let stem = cut(stem, 24);
    let name = if stem.is_empty() {
        id.to_string()
    } else {
        format!("{stem}-{id}")
    };
    name.parse()
        .map_err(|error| OpsError::failed(format!("no name could be made: {error}")))
}

/// What a name may have of a text, and no more characters than that.
pub(super) fn cut(stem: &str, most: usize) -> String {
    let stem: String = stem
        .to_ascii_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '-'
            }
        })
        .take(most)
        .collect();
    stem.trim_matches('-').to_owned()
}

/// Where the execution will be on the web server; `None` without one, and for what has nothing to show there.
pub(super) fn proxy_path(
    context: &Context,
    application: &Application,
) -> Result<Option<ProxyPath>, OpsError> {
    let mut ports = application.components.iter().flat_map(|c| &c.ports);
    let Some(site) = context.site().filter(|_| ports.any(|port| port.proxy)) else {
        return Ok(None);
    };
    let mut bits = [0; 16];
    context.world.random(&mut bits);
    let path = ProxyPath::new(&site.prefix, u128::from_le_bytes(bits));
    path.map(Some)
        .map_err(|error| OpsError::failed(format!("no path could be made: {error}")))
}

pub(super) async fn job_image(
    context: &Context,
    submission: &Submission,
    report: &dyn Report,
) -> Result<Option<String>, OpsError> {
    let Some(packed) = &submission.files else {
        return Ok(submission.job_image.clone());
    };
    let component = submission
        .application
        .components
        .iter()
        .find_map(|c| c.files.as_ref().map(|path| (c, path)));
    let Some((component, directory)) = component else {
        let name = &submission.application.name;
        return Err(OpsError::usage(format!(
            "no component of '{name}' takes files (`files = \"/path\"`)"
        )));
    };
    report.tell(News::Packed {
        files: packed.files,
        bytes: packed.archive.len() as u64,
    });
    let files = JobFiles {
        base: reference(context, &component.image),
        directory: directory.clone(),
        archive: packed.archive.clone().into(),
        digest: packed.digest.clone(),
    };
    for _ in 1..TRIES {
        match context.backend.ensure_files(&files).await {
            // A pass of another zoe took the container in which it was being made for a left-over.
            Err(EngineError::Gone { .. }) => {}
            made => return Ok(Some(made?)),
        }
    }
    Ok(Some(context.backend.ensure_files(&files).await?))
}

/// Secrets of its own for each execution, and the user's environment; a member of an array is told which it is.
pub(super) fn private(context: &Context, submission: &Submission, index: Option<u32>) -> Private {
    let secrets = submission.application.secrets.iter().map(|name| {
        let bytes: [u8; 32] = random(context);
        (name.clone(), Secret::new(hex(&bytes)))
    });
    let mut env = submission.env.clone();
    if let Some((array, index)) = submission.terms.array.as_ref().zip(index) {
        let count = array.indices.len().to_string();
        env.insert(ARRAY_INDEX.to_owned(), Secret::new(index.to_string()));
        env.insert(ARRAY_COUNT.to_owned(), Secret::new(count));
    }
    Private {
        secrets: secrets.collect(),
        env,
    }
}

pub(super) fn random<const N: usize>(context: &Context) -> [u8; N] {
    let mut bytes = [0; N];
    context.world.random(&mut bytes);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
