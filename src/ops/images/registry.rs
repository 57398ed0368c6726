//! Zoe's own images here and in the site's registry: listing them, and taking them there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::targets;
use crate::apps;
use crate::engine::ImageInfo;
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::report::{News, Report};

/// How long a registry may take to say what it has; a list is worth no more.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many questions are asked of it at a time.
const AT_ONCE: usize = 8;

/// What the registry has under an image's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The same image.
    Same,
    /// Another one, older or newer.
    Other,
    /// None.
    Missing,
    /// It could not be asked.
    Unknown,
}

/// The images that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Zoe's own, whatever registry they are named for.
    pub images: Vec<ImageInfo>,
    /// What the site's registry has, by the image's name here; `None` where there is no registry.
    pub held: Option<BTreeMap<String, Held>>,
    /// Why the registry could not be asked about some of them.
    pub trouble: Option<String>,
}

/// The images that are there, and what the site's registry has of them.
pub async fn list(context: &Context) -> Result<Listing, OpsError> {
    let images = here(context).await?;
    if context.settings.registry.is_empty() {
        return Ok(Listing {
            images,
            held: None,
            trouble: None,
        });
    }
    let names: BTreeSet<String> = images
        .iter()
        .flat_map(|image| &image.tags)
        .map(|name| there(context, name))
        .collect();
    let answers: BTreeMap<String, Result<Option<String>, String>> = stream::iter(names)
        .map(|name| async {
            let answer = ask(context, &name).await;
            (name, answer)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut held = BTreeMap::new();
    for image in &images {
        for name in &image.tags {
            let state = match answers.get(&there(context, name)) {
                Some(Ok(Some(digest))) if image.digests.contains(digest) => Held::Same,
                Some(Ok(Some(_))) => Held::Other,
                Some(Ok(None)) => Held::Missing,
                Some(Err(_)) | None => Held::Unknown,
            };
            held.insert(name.clone(), state);
        }
    }
    let trouble = answers.into_values().find_map(Result::err);
    Ok(Listing {
        images,
        held: Some(held),
        trouble,
    })
}

async fn ask(context: &Context, name: &str) -> Result<Option<String>, String> {
    match tokio::time::timeout(PATIENCE, context.backend.in_registry(name)).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!(
            "the registry {} did not answer within {} s",
            context.settings.registry,
            PATIENCE.as_secs()
        )),
    }
}

/// Pushes images to the site's registry under all their tags, naming them for it first. Returns the names pushed. Done
/// again it changes nothing.
pub async fn push(
    context: &Context,
    only: &[String],
    report: &dyn Report,
) -> Result<Vec<String>, OpsError> {
    let registry = &context.settings.registry;
    if registry.is_empty() {
        return Err(OpsError::usage("there is no registry to push to")
            .hint("name one with --registry or [docker] private_registry"));
    }
    let wanted = targets(only)?;
    let images = here(context).await?;
    let chosen: Vec<_> = wanted
        .iter()
        .map(|target| newest(context, &images, target))
        .collect();
    let absent: Vec<_> = wanted
        .iter()
        .zip(&chosen)
        .filter(|(_, names)| names.is_empty())
        .map(|(target, _)| *target)
        .collect();
    if !absent.is_empty() {
        let missing = format!("not built yet: {}", absent.join(", "));
        if !only.is_empty() || absent.len() == wanted.len() {
            return Err(OpsError::failed(format!("nothing was pushed; {missing}"))
                .hint(format!("run `zoe images build {}` first", absent.join(" "))));
        }
        report.tell(News::Warning(missing));
    }
    let mut pushed = Vec::new();
    for (name, image) in chosen.into_iter().flatten() {
        context.backend.tag(&image.id, &name).await?;
        let tell = |progress| {
            report.tell(News::Image {
                image: name.clone(),
                progress,
            });
        };
        context.backend.push(&name, &tell).await?;
        pushed.push(name);
    }
    Ok(pushed)
}

/// What is to be pushed of a target: for each of its names in the registry the image made last, whether it was built
/// under that name or without the registry.
fn newest<'a>(
    context: &Context,
    images: &'a [ImageInfo],
    target: &str,
) -> BTreeMap<String, &'a ImageInfo> {
    let mut newest: BTreeMap<String, &ImageInfo> = BTreeMap::new();
    let plain = format!("zoe/{target}:");
    let own = there(context, &plain);
    for image in images {
        let names = image.tags.iter();
        for name in names.filter(|name| name.starts_with(&plain) || name.starts_with(&own)) {
            let best = newest.entry(there(context, name)).or_insert(image);
            if image.created_at > best.created_at {
                *best = image;
            }
        }
    }
    newest
}

async fn here(context: &Context) -> Result<Vec<ImageInfo>, OpsError> {
    let own = there(context, "zoe/");
    Ok(context.backend.list_images(&["zoe/", own.as_str()]).await?)
}

/// The image's name in the site's registry.
fn there(context: &Context, name: &str) -> String {
    apps::image_reference(&context.settings.registry, name)
}
