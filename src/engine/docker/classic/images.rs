//! Images, which every node has for itself. What several nodes need comes from a registry.
//!
//! A manager says that an image is there when any node has it, and pulls on all nodes or fails: so each node is looked at.

use std::sync::atomic::{AtomicBool, Ordering};

use bollard::errors::Error;
use bollard::query_parameters::RemoveImageOptionsBuilder;

use super::super::api::status;
use super::super::images::{check_name, split_name};
use super::super::launch::missing;
use super::super::observe;
use super::super::parallel::each;
use super::super::wire::ListedImage;
use super::{ClassicBackend, containers};
use crate::apps;
use crate::engine::{EngineError, JobFiles, Progress, ProgressSink, Result};
use crate::model::{InstanceSpec, JobImage};

/// How often a push is tried that went to a node which does not answer: a manager says nothing then.
const TRIES: u32 = 8;

impl ClassicBackend {
    /// Makes sure that all nodes which take something new have an image. Returns Docker's id of it.
    pub(super) async fn provide(&self, image: &str, progress: ProgressSink<'_>) -> Result<String> {
        let nodes = self.info().await?.nodes();
        let nodes: Vec<String> = nodes
            .into_iter()
            .filter(|told| told.node.is_available())
            .map(|told| told.node.name)
            .collect();
        self.provide_on(image, &nodes, progress).await?;
        let found = self.docker.image(image).await?;
        found
            .and_then(|image| image.id)
            .ok_or_else(|| missing(image))
    }

    async fn provide_on(
        &self,
        image: &str,
        nodes: &[String],
        progress: ProgressSink<'_>,
    ) -> Result<()> {
        check_name(image)?;
        if self.lacking(image, nodes).await?.is_empty() {
            return Ok(());
        }
        // It fails where any node fails, those that are down too.
        let fetched = self.docker.fetch(image, progress).await;
        let lacking = self.lacking(image, nodes).await?;
        let why = match fetched {
            _ if lacking.is_empty() => return Ok(()),
            Err(EngineError::NoImage { why, .. }) => why,
            Err(error) => return Err(error),
            Ok(()) => "the manager says that it was pulled".to_owned(),
        };
        let hint = if apps::names_registry(image) {
            ""
        } else {
            "; set [docker] private_registry to a registry that every node reaches"
        };
        Err(EngineError::NoImage {
            image: image.to_owned(),
            why: format!("on {}: {why}{hint}", lacking.join(", ")),
        })
    }

    /// Those of the nodes that do not have an image.
    async fn lacking(&self, image: &str, nodes: &[String]) -> Result<Vec<String>> {
        let mut lacking: Vec<String> = each(nodes, |node| async move {
            let filter = serde_json::json!({ "node": [node] }).to_string();
            let query = [("filters", filter.as_str())];
            let listed: Vec<ListedImage> = self
                .docker
                .api
                .get("listing images", "/images/json", &query)
                .await?;
            let there = listed.iter().any(|listed| is_called(listed, image));
            Ok((!there).then(|| node.clone()))
        })
        .await?
        .into_iter()
        .flatten()
        .collect();
        lacking.sort();
        Ok(lacking)
    }

    /// Makes sure that the nodes which members were given have their images: a node may have come later than the ticket.
    pub(super) async fn bring_images(&self, instances: &[InstanceSpec]) -> Result<()> {
        let mut wanted = std::collections::BTreeMap::<&str, Vec<String>>::new();
        for spec in instances {
            wanted
                .entry(&spec.image)
                .or_default()
                .extend(spec.node.clone());
        }
        each(wanted, |(image, mut nodes)| async move {
            nodes.sort();
            nodes.dedup();
            self.provide_on(image, &nodes, &|_| {}).await
        })
        .await?;
        Ok(())
    }

    /// Makes an image with files on one node; the others get it from the registry.
    pub(super) async fn make_layer(&self, files: &JobFiles) -> Result<String> {
        let tag = self.docker.layer_files(files).await?;
        if self.docker.shared.is_empty() {
            return Ok(tag);
        }
        if self.provide(&tag, &|_| {}).await.is_err() {
            // It may have been pushed by a node that does not answer, which is to say, not at all.
            self.push_image(&tag, &|_| {}).await?;
            self.provide(&tag, &|_| {}).await?;
        }
        Ok(tag)
    }

    /// Pushes an image from a node that has it and answers.
    pub(super) async fn push_image(&self, image: &str, progress: ProgressSink<'_>) -> Result<()> {
        for _ in 0..TRIES {
            let told = AtomicBool::new(false);
            let tell = |step: Progress| {
                told.store(true, Ordering::Relaxed);
                progress(step);
            };
            self.docker.push_to_registry(image, &tell).await?;
            if told.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        Err(EngineError::Refused {
            what: format!("pushing {image}"),
            why: "no node that has it answers".to_owned(),
        })
    }

    /// Removes an image with files from all nodes, unless one of them uses it.
    pub(super) async fn remove_layer(&self, image: &JobImage) -> Result<()> {
        let used = observe::list(&self.docker.api, &[self.docker.label()])
            .await?
            .iter()
            .filter(|container| !containers::is_out_of_reach(container))
            .any(|container| container.image == image.tag || container.image_id == image.docker_id);
        if used {
            return Ok(());
        }
        let options = RemoveImageOptionsBuilder::default().build();
        let removed = self
            .docker
            .api
            .quick
            .remove_image(&image.tag, Some(options), None)
            .await;
        match removed {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) || is_harmless(&error) => Ok(()),
            Err(error) => {
                let what = format!("removing the image {}", image.tag);
                Err(self.docker.api.error(&what, error))
            }
        }
    }
}

/// Whether every node that did not remove an image uses it, has none, or is down. Each has a line of its own.
fn is_harmless(error: &Error) -> bool {
    const HARMLESS: [&str; 5] = [
        "conflict",
        "No such image",
        "Cannot connect to the Docker daemon",
        "connection refused",
        "no route to host",
    ];
    let Error::DockerResponseServerError { message, .. } = error else {
        return false;
    };
    let mut lines = message
        .lines()
        .filter(|line| !line.trim().is_empty())
        .peekable();
    lines.peek().is_some() && lines.all(|line| HARMLESS.iter().any(|words| line.contains(words)))
}

/// Whether an image in a list is the one of that name.
fn is_called(listed: &ListedImage, image: &str) -> bool {
    let (repository, tag) = split_name(image);
    let full = if image.contains('@') {
        format!("{repository}@{tag}")
    } else {
        format!("{repository}:{tag}")
    };
    listed.id == image
        || listed.tags().any(|tag| *tag == full)
        || listed.repo_digests.contains(&full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_tag_its_digest_or_its_id() {
        let listed: ListedImage = serde_json::from_str(
            r#"{"Id":"sha256:12","RepoTags":["r:5/zoe/tiny:latest"],"RepoDigests":["r:5/zoe/tiny@sha256:ab"],"Created":1}"#,
        )
        .unwrap();
        for name in [
            "r:5/zoe/tiny",
            "r:5/zoe/tiny:latest",
            "r:5/zoe/tiny@sha256:ab",
            "sha256:12",
        ] {
            assert!(is_called(&listed, name), "{name}");
        }
        for name in [
            "zoe/tiny",
            "r:5/zoe/tiny:1",
            "r:5/zoe/tiny@sha256:cd",
            "sha256:1",
        ] {
            assert!(!is_called(&listed, name), "{name}");
        }
    }

    #[test]
    fn what_each_node_said_of_a_removal_is_judged() {
        let harmless = |message: &str| {
            let message = message.to_owned();
            is_harmless(&Error::DockerResponseServerError {
                status_code: 500,
                message,
            })
        };
        assert!(harmless(
            "n1: Error response from daemon: conflict: unable to remove repository reference\n\
             n2: Cannot connect to the Docker daemon at tcp://10.0.0.2:2375. Is the docker daemon running?\n"
        ));
        assert!(!harmless(
            "n1: Error response from daemon: conflict: x\nn2: disk is broken"
        ));
        assert!(!harmless(""));
    }
}
