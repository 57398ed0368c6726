//! Images: seeing, naming, importing; and those with submitted files.
//!
//! What has to do with registries is elsewhere.

use std::path::Path;
use std::time::Duration;

use bollard::models::{ContainerConfig, ImageInspect};
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, CreateImageOptionsBuilder, RemoveImageOptionsBuilder,
    TagImageOptionsBuilder,
};
use bytes::BytesMut;
use futures_util::{Stream, StreamExt, stream};
use jiff::Timestamp;
use tokio::io::AsyncReadExt;

use super::api::status;
use super::launch::{Made, missing};
use super::wire::ListedImage;
use super::{DockerBackend, builder, create};
use crate::engine::{EngineError, ImageInfo, JobFiles, Result, names};
use crate::labels;
use crate::model::{Bytes, JobImage};

/// How often making an image with files is begun again after somebody swept its container away.
const ATTEMPTS: u32 = 5;
/// How long somebody else who makes the same image is waited for, and how often it is looked at.
const OTHERS: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(100);
/// How long a manager may take to know an image that was made through it.
const KNOWN: Duration = Duration::from_secs(5);
/// How often a manager is asked again that has asked a node which does not answer: it gives an empty answer then.
const ASKED: u32 = 8;
/// How much of a file is read at a time.
const PIECE: usize = 256 << 10;

impl DockerBackend {
    /// The image, if it is there.
    pub(super) async fn image(&self, name: &str) -> Result<Option<ImageInspect>> {
        // The name becomes part of a path.
        check_name(name)?;
        let what = format!("inspecting the image {name}");
        let mut asked = 0;
        loop {
            let error = match self.api.quick.inspect_image(name).await {
                Ok(image) => return Ok(Some(image)),
                Err(error) if status(&error) == Some(404) => return Ok(None),
                Err(error) => self.api.error(&what, error),
            };
            asked += 1;
            let empty = matches!(error, EngineError::Garbled { .. });
            if !self.placed || !empty || asked == ASKED {
                return Err(error);
            }
        }
    }

    pub(super) async fn layer_files(&self, files: &JobFiles) -> Result<String> {
        let base = self
            .image(&files.base)
            .await?
            .ok_or_else(|| missing(&files.base))?;
        let hash = names::job_hash(base.id.as_deref().unwrap_or_default(), &files.digest);
        let tag = names::job_tag(&self.shared, &self.deployment, &hash);
        if self.shared.is_empty() {
            self.make_layer(files, &base, &hash, &tag).await?;
            return Ok(tag);
        }
        // Where the registry has it, what it has is taken: nodes may be using it already, by its digest. Why it could not be
        // had matters only if it can't be pushed either.
        if self.pull(&tag, &|_| {}).await.is_err() {
            self.make_layer(files, &base, &hash, &tag).await?;
        }
        match self.push_to_registry(&tag, &|_| {}).await {
            // Swept away by a pass that found nobody using it.
            Err(EngineError::Refused { .. }) if self.image(&tag).await?.is_none() => {
                Err(EngineError::Gone {
                    what: format!("image {tag}"),
                })
            }
            pushed => pushed.map(|()| tag),
        }
    }

    /// Makes the image, or waits until somebody else has.
    async fn make_layer(
        &self,
        files: &JobFiles,
        base: &ImageInspect,
        hash: &str,
        tag: &str,
    ) -> Result<()> {
        let deadline = tokio::time::Instant::now() + OTHERS;
        let mut attempts = 0;
        loop {
            if self.image(tag).await?.is_some() {
                return Ok(());
            }
            match self.try_layer(files, base, hash, tag).await {
                Ok(Some(())) => return Ok(()),
                Ok(None) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(None) => {
                    return Err(EngineError::Conflict {
                        what: format!("container {}", names::builder_name(&self.deployment, hash)),
                        why: "somebody has been making the same image for too long".to_owned(),
                    });
                }
                Err(EngineError::Gone { .. }) if attempts < ATTEMPTS => attempts += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes the image; `None` where somebody else is at it.
    async fn try_layer(
        &self,
        files: &JobFiles,
        base: &ImageInspect,
        hash: &str,
        tag: &str,
    ) -> Result<Option<()>> {
        let name = names::builder_name(&self.deployment, hash);
        let mut marks = labels::builder(&self.deployment);
        marks.insert(builder::OWNER.to_owned(), builder::owner());
        let mut body = create::idle(files.base.clone(), marks);
        let config = base.config.as_ref();
        // What the container is told to run would become the image's own.
        let runs = |words: Option<&Vec<String>>| words.is_some_and(|words| !words.is_empty());
        if runs(config.and_then(|c| c.cmd.as_ref()))
            || runs(config.and_then(|c| c.entrypoint.as_ref()))
        {
            body.cmd = None;
        }
        let id = match self.make(&name, body).await? {
            Made::New(id) => id,
            Made::Taken => {
                self.clear_dead_builder(&name).await?;
                return Ok(None);
            }
        };
        // Whoever had the name before may have been through with it since the image was looked for.
        let made = match self.image(tag).await {
            Ok(None) => self.fill(&id, files, hash).await,
            Ok(Some(_)) => Ok(()),
            Err(error) => Err(error),
        };
        let removed = self.remove_container(&id).await;
        made?;
        removed?;
        Ok(Some(()))
    }

    /// Removes a builder whose zoe is dead.
    async fn clear_dead_builder(&self, name: &str) -> Result<()> {
        let found = match self.api.quick.inspect_container(name, None).await {
            Ok(found) => found,
            Err(error) if status(&error) == Some(404) => return Ok(()),
            Err(error) => return Err(self.api.error(&format!("inspecting {name}"), error)),
        };
        let labels = found
            .config
            .and_then(|config| config.labels)
            .unwrap_or_default();
        let created = found.created.and_then(|text| text.parse().ok());
        let ours = labels.get(labels::KIND).map(String::as_str) == Some(labels::KIND_BUILDER)
            && labels.get(labels::DEPLOYMENT).map(String::as_str) == Some(self.deployment.as_str());
        if !ours {
            return Err(EngineError::Conflict {
                what: format!("container {name}"),
                why: "a container of that name is there, and it is not zoe's".to_owned(),
            });
        }
        let now = Timestamp::now();
        match found.id {
            Some(id) if !builder::at_work(&labels, created.unwrap_or(now), now) => {
                self.remove_container(&id).await
            }
            _ => Ok(()),
        }
    }

    /// Puts the files into the container and makes an image of it.
    async fn fill(&self, id: &str, files: &JobFiles, hash: &str) -> Result<()> {
        let directory =
            create::directory(&files.directory).map_err(|error| EngineError::Garbled {
                what: format!("making {}", files.directory),
                why: error.to_string(),
            })?;
        self.upload(id, "/", directory.into()).await?;
        self.upload(id, &files.directory, files.archive.clone())
            .await?;
        let tag = names::job_tag(&self.shared, &self.deployment, hash);
        let (repository, tag) = split_name(&tag);
        let options = CommitContainerOptionsBuilder::default()
            .container(id)
            .repo(repository)
            .tag(tag)
            .build();
        let mut marks = create::label_map(labels::image(&self.deployment));
        // The container's own would be taken along.
        marks.insert(builder::OWNER.to_owned(), String::new());
        let config = ContainerConfig {
            labels: Some(marks),
            ..ContainerConfig::default()
        };
        match self.api.slow.commit_container(options, config).await {
            Ok(_) => {
                self.until_known(&names::job_tag(&self.shared, &self.deployment, hash))
                    .await
            }
            Err(error) if status(&error) == Some(404) => Err(EngineError::Gone {
                what: format!("container {id}"),
            }),
            Err(error) => Err(self.api.error("making an image of the files", error)),
        }
    }

    /// Waits until what was made is known. To a manager it is only when its Engine has told of it.
    async fn until_known(&self, tag: &str) -> Result<()> {
        let deadline = tokio::time::Instant::now() + KNOWN;
        while self.placed && tokio::time::Instant::now() < deadline {
            if self.image(tag).await?.is_some() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    pub(super) async fn remove_tag(&self, image: &JobImage) -> Result<()> {
        let options = RemoveImageOptionsBuilder::default().build();
        let removed = self
            .api
            .quick
            .remove_image(&image.tag, Some(options), None)
            .await;
        match removed {
            Ok(_) => Ok(()),
            // 409: a container uses it.
            Err(error) if matches!(status(&error), Some(404 | 409)) => Ok(()),
            Err(error) => Err(self
                .api
                .error(&format!("removing the image {}", image.tag), error)),
        }
    }

    pub(super) async fn images_named(&self, prefixes: &[&str]) -> Result<Vec<ImageInfo>> {
        let listed: Vec<ListedImage> = self.api.get("listing images", "/images/json", &[]).await?;
        let wanted = |tag: &&String| prefixes.iter().any(|prefix| tag.starts_with(prefix));
        Ok(listed
            .into_iter()
            .filter(|image| image.tags().any(|tag| wanted(&tag)))
            .map(|image| ImageInfo {
                tags: image.tags().filter(wanted).cloned().collect(),
                size: Bytes::new(image.size),
                created_at: Timestamp::from_second(image.created).unwrap_or_default(),
                digests: image.repo_digests,
                id: image.id,
            })
            .collect())
    }

    pub(super) async fn name_image(&self, image: &str, name: &str) -> Result<()> {
        check_name(image)?;
        check_name(name)?;
        let (repository, tag) = split_name(name);
        let options = TagImageOptionsBuilder::default()
            .repo(repository)
            .tag(tag)
            .build();
        match self.api.quick.tag_image(image, Some(options)).await {
            Ok(()) => Ok(()),
            Err(error) if status(&error) == Some(404) => Err(missing(image)),
            Err(error) => Err(self.api.error(&format!("naming {image} {name}"), error)),
        }
    }

    pub(super) async fn import_root(&self, archive: &Path, name: &str) -> Result<()> {
        check_name(name)?;
        let what = format!("importing {}", archive.display());
        let file = tokio::fs::File::open(archive)
            .await
            .map_err(|error| EngineError::Refused {
                what: what.clone(),
                why: error.to_string(),
            })?;
        let (repository, tag) = split_name(name);
        let options = CreateImageOptionsBuilder::default()
            .from_src("-")
            .repo(repository)
            .tag(tag)
            .build();
        let body = bollard::body_try_stream(pieces(file));
        let mut steps = self.api.slow.create_image(Some(options), Some(body), None);
        while let Some(step) = steps.next().await {
            step.map_err(|error| self.api.error(&what, error))?;
        }
        Ok(())
    }
}

fn pieces(file: tokio::fs::File) -> impl Stream<Item = std::io::Result<bytes::Bytes>> + Send {
    stream::try_unfold(file, |mut file| async move {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = file.read_buf(&mut piece).await?;
        Ok((read > 0).then(|| (piece.freeze(), file)))
    })
}

/// Repository and tag. Without a tag it is `latest`: Docker would pull all of them. A digest counts as a tag.
pub(super) fn split_name(name: &str) -> (&str, &str) {
    if let Some((repository, digest)) = name.split_once('@') {
        return (repository, digest);
    }
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (name, "latest"),
    }
}

/// Refuses what can't be the name of an image; Docker decides about the rest.
pub(super) fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    let good = !name.is_empty()
        && name.len() <= 400
        && name.chars().all(allowed)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !name.contains("..")
        && !name.contains("//");
    if good {
        Ok(())
    } else {
        Err(EngineError::NoImage {
            image: format!("'{}'", crate::model::ids::shorten(name)),
            why: "that is no image name; write something like registry.example:5000/team/name:tag"
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (name, parts) in [
            ("busybox", ("busybox", "latest")),
            ("zoe/spark:3.5", ("zoe/spark", "3.5")),
            ("reg:5000/zoe", ("reg:5000/zoe", "latest")),
            ("reg:5000/zoe:1", ("reg:5000/zoe", "1")),
            ("zoe@sha256:abc", ("zoe", "sha256:abc")),
        ] {
            assert_eq!(split_name(name), parts);
        }
    }

    #[test]
    fn what_is_no_name_never_becomes_a_path() {
        for good in ["busybox", "reg.example:5000/a/b-c_d:1.0", "sha256:abcdef"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "../x",
            "a/../b",
            "/a",
            "a?b",
            "a#b",
            "ä",
            "a\n",
            "-a",
            &"x".repeat(500),
        ] {
            let error = check_name(bad).unwrap_err().to_string();
            assert!(error.contains("no image name"), "{error}");
        }
    }
}
