//! The backend's steps on images.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes as Chunk;
use jiff::SignedDuration;

use super::place::PAUSE;
use super::{ContainerRow, Fault, MemoryBackend, gone_is_fine, refused};
use crate::engine::{
    BuildRequest, EngineError, ImageInfo, Images, JobFiles, Progress, ProgressSink, Result, names,
};
use crate::labels;
use crate::model::{Bytes, JobImage};

/// How long somebody else's builder is waited for before it is taken for a leftover.
const PATIENCE: SignedDuration = SignedDuration::from_secs(2);

/// How often making an image is begun again when its builder was swept away under it.
const TRIES: usize = 5;

/// The files of an archive by absolute path.
fn unpack(archive: &Chunk, directory: &str) -> std::io::Result<Vec<(String, String)>> {
    let mut archive = tar::Archive::new(archive.as_ref());
    let mut files = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?.display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        let path = format!("{}/{path}", directory.trim_end_matches('/'));
        files.push((path, String::from_utf8_lossy(&content).into_owned()));
    }
    Ok(files)
}

impl MemoryBackend {
    async fn has_image(&self, name: &str) -> Result<bool> {
        self.look("inspect image", |world, _| {
            world
                .images
                .values()
                .any(|image| image.tags.iter().any(|tag| tag == name))
        })
        .await
    }

    /// Makes the image, unless the builder's name says that somebody else does. `None`: look again.
    async fn try_make(
        &self,
        files: &JobFiles,
        hash: &str,
        content: &[(String, String)],
    ) -> Result<Option<String>> {
        let tag = names::job_tag("", &self.deployment, hash);
        if self.has_image(&tag).await? {
            return Ok(Some(tag));
        }
        let name = names::builder_name(&self.deployment, hash);
        let call = format!("create builder {name}");
        let made = self
            .step(&call, |world, now| {
                let row = ContainerRow {
                    labels: labels::builder(&self.deployment).into_iter().collect(),
                    ..ContainerRow::new(&name, "", now)
                };
                world.create_container(row, &files.base)
            })
            .await?;
        let id = match made {
            Ok(id) => id,
            Err(Fault::NameTaken(id)) => {
                self.clear_leftover(&id, &name).await?;
                return Ok(None);
            }
            Err(fault) => return Err(refused(&call, fault)),
        };
        // Whoever had the name before may have been through with it since the image was looked for.
        if self.has_image(&tag).await? {
            self.remove_builder(&id, &name).await?;
            return Ok(Some(tag));
        }
        let call = format!("upload files {name}");
        let uploaded = self
            .step(&call, |world, _| {
                world.put_files(&id, content.iter().cloned())
            })
            .await?;
        let call = format!("commit image {tag}");
        let committed = match uploaded {
            Ok(()) => {
                self.step(&call, |world, now| {
                    let labels = labels::image(&self.deployment).into_iter().collect();
                    world.commit(&id, &tag, labels, now)
                })
                .await?
            }
            Err(fault) => Err(fault),
        };
        match committed {
            Ok(_) => {}
            // Swept away by a pass that took it for a leftover.
            Err(Fault::NotFound(_)) => return Ok(None),
            Err(fault) => return Err(refused(&call, fault)),
        }
        self.remove_builder(&id, &name).await?;
        Ok(Some(tag))
    }

    async fn remove_builder(&self, id: &str, name: &str) -> Result<()> {
        let call = format!("remove builder {name}");
        self.step(&call, |world, _| gone_is_fine(world.remove_container(id)))
            .await?
            .map_err(|fault| refused(&call, fault))
    }

    /// Removes a builder that has been there for longer than making an image takes.
    async fn clear_leftover(&self, id: &str, name: &str) -> Result<()> {
        let age = self
            .look(&format!("inspect container {name}"), |world, now| {
                let row = world.containers.get(id)?;
                Some(now.duration_since(row.created_at))
            })
            .await?;
        if age.is_none_or(|age| age < PATIENCE) {
            return Ok(());
        }
        self.remove_builder(id, name).await
    }
}

#[async_trait]
impl Images for MemoryBackend {
    async fn ensure(&self, image: &str, progress: ProgressSink<'_>) -> Result<String> {
        self.gate.enter("inspect image", false)?.done()?;
        // An image that is always there is there once somebody looks: that is no step.
        if let Some(id) = self.edit(|world| world.find_image(image, self.now()))? {
            return Ok(id);
        }
        progress(Progress {
            part: String::new(),
            message: format!("Pulling {image}"),
            bytes: None,
        });
        let call = format!("pull image {image}");
        let pulled = self
            .step(&call, |world, now| world.pull(image, now))
            .await?;
        pulled.map_err(|_| EngineError::NoImage {
            image: image.to_owned(),
            why: "this memory has no registry".to_owned(),
        })
    }

    async fn ensure_files(&self, files: &JobFiles) -> Result<String> {
        let garbled = |error: std::io::Error| EngineError::Refused {
            what: "upload files".to_owned(),
            why: error.to_string(),
        };
        let content = unpack(&files.archive, &files.directory).map_err(garbled)?;
        let base = self.ensure(&files.base, &|_| ()).await?;
        let hash = names::job_hash(&base, &files.digest);
        let begun = self.now();
        for attempt in 0.. {
            if let Some(tag) = self.try_make(files, &hash, &content).await? {
                return Ok(tag);
            }
            let waited = self.now().duration_since(begun);
            if attempt >= TRIES && waited > PATIENCE.saturating_mul(2) {
                break;
            }
            self.pause(PAUSE).await;
        }
        Err(EngineError::Conflict {
            what: format!("container {}", names::builder_name(&self.deployment, &hash)),
            why: "it comes back again and again".to_owned(),
        })
    }

    async fn remove_job_image(&self, image: &JobImage) -> Result<()> {
        let call = format!("remove image {}", image.tag);
        match self
            .step(&call, |world, _| world.remove_image(&image.tag))
            .await?
        {
            Ok(()) | Err(Fault::NotFound(_) | Fault::InUse(_)) => Ok(()),
            Err(fault) => Err(refused(&call, fault)),
        }
    }

    async fn list_images(&self, prefixes: &[&str]) -> Result<Vec<ImageInfo>> {
        self.look("list images", |world, _| {
            let wanted = |tag: &String| prefixes.iter().any(|prefix| tag.starts_with(prefix));
            let images = world
                .images
                .iter()
                .filter(|(_, row)| row.tags.iter().any(wanted));
            images
                .map(|(id, row)| ImageInfo {
                    id: id.clone(),
                    tags: row.tags.clone(),
                    digests: row.digests(id),
                    size: Bytes::new(row.files.values().map(|text| text.len() as u64).sum()),
                    created_at: row.created_at,
                })
                .collect()
        })
        .await
    }

    async fn build(&self, request: &BuildRequest, progress: ProgressSink<'_>) -> Result<()> {
        progress(Progress {
            part: String::new(),
            message: format!("Building {}", request.target),
            bytes: None,
        });
        let call = format!("build image {}", request.target);
        let built = self
            .step(&call, |world, now| {
                let mut tags = request.tags.iter();
                if let Some(first) = tags.next() {
                    let id = world.add_image(first, HashMap::new(), BTreeMap::new(), now);
                    tags.for_each(|tag| world.name_image(&id, tag));
                }
                Ok(())
            })
            .await?;
        built.map_err(|fault| refused(&call, fault))
    }

    async fn tag(&self, image: &str, name: &str) -> Result<()> {
        let call = format!("tag image {image}");
        let tagged = self
            .step(&call, |world, now| {
                let id = world.find_image(image, now);
                let id = id.ok_or_else(|| Fault::NoImage(image.to_owned()))?;
                world.name_image(&id, name);
                Ok(())
            })
            .await?;
        tagged.map_err(|fault| refused(&call, fault))
    }

    async fn in_registry(&self, image: &str) -> Result<Option<String>> {
        self.look("image in registry", |world, _| world.pushed(image))
            .await
    }

    async fn push(&self, image: &str, progress: ProgressSink<'_>) -> Result<()> {
        let call = format!("push image {image}");
        let pushed = self
            .step(&call, |world, now| world.push_image(image, now))
            .await?;
        pushed.map_err(|fault| refused(&call, fault))?;
        progress(Progress {
            part: String::new(),
            message: "Pushed".to_owned(),
            bytes: None,
        });
        Ok(())
    }

    async fn import(&self, archive: PathBuf, name: &str) -> Result<()> {
        let call = format!("import image {name}");
        if !archive.is_file() {
            return Err(EngineError::Refused {
                what: call,
                why: format!("{} is no file", archive.display()),
            });
        }
        let imported = self
            .step(&call, |world, now| {
                Ok(world.add_image(name, HashMap::new(), BTreeMap::new(), now))
            })
            .await?;
        imported.map(drop).map_err(|fault| refused(&call, fault))
    }
}
