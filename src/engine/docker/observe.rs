//! Reads what is there.
//!
//! Executions are one list call; everything is four, of which the container list comes after those of networks and
//! images (see `assemble`). Executions that are to end have their instances inspected for the times and the cause of
//! the end, which a list does not show.

use std::collections::HashMap;

use jiff::Timestamp;

use super::api::{Api, label_filter, status};
use super::parallel::each;
use super::wire::{Info, ListedContainer, ListedImage, ListedNetwork, state};
use super::{DockerBackend, builder, create};
use crate::engine::assemble::{Seen, SeenContainer, SeenImage, assemble};
use crate::engine::{Result, Scope};
use crate::labels::{self, Decoded};
use crate::model::{Execution, Gap, Instance, Phase, Snapshot};

/// An image that an Engine has.
pub(in crate::engine) struct LocalImage {
    /// Docker's id of it.
    pub(in crate::engine) id: String,
    /// Its contents in registries, `repository@sha256:…`, as far as it came from there or went there.
    pub(in crate::engine) digests: Vec<String>,
    /// Whether an init is to be put before its program.
    pub(in crate::engine) needs_init: bool,
}

/// What was asked, in messages.
const LISTING: &str = "listing containers";

impl DockerBackend {
    pub(super) async fn look(&self, scope: Scope) -> Result<Snapshot> {
        let now = Timestamp::now();
        let mut seen = match scope {
            Scope::Executions => {
                let listed = list(&self.api, &[self.label()]).await?;
                Seen {
                    containers: seen(listed, now, &self.node),
                    ..Seen::default()
                }
            }
            Scope::Everything => self.everything(now).await?,
        };
        self.reach(&mut seen.containers).await;
        let mut snapshot = assemble(&self.deployment, now, seen);
        let mut ending = Vec::new();
        for execution in snapshot.executions.values_mut() {
            if matches!(execution.phase(), Phase::Ending(_)) {
                ending.extend(&mut execution.instances);
            }
        }
        // One that is gone meanwhile stays as it was seen: an execution must not look younger than it is because somebody
        // is already removing it.
        each(ending, |instance| self.inspect_into(instance)).await?;
        Ok(snapshot)
    }

    /// The label that all our deployment's objects carry.
    pub(super) fn label(&self) -> String {
        format!("{}={}", labels::DEPLOYMENT, self.deployment)
    }

    async fn everything(&self, now: Timestamp) -> Result<Seen> {
        let own = [self.label()];
        let images = [
            self.label(),
            format!("{}={}", labels::KIND, labels::KIND_IMAGE),
        ];
        // All deployments' containers: what others hold is not free.
        let all = [labels::DEPLOYMENT.to_owned()];
        let in_order = async {
            let before = futures_util::join!(self.networks(&own), self.images(&images));
            (before, list(&self.api, &all).await)
        };
        let (info, ((networks, images), containers)) = futures_util::join!(
            self.api
                .get::<Info>("asking the Engine about itself", "/info", &[]),
            in_order
        );
        let mut found = Seen::default();
        let info = or_gap("the node", info, &mut found.gaps);
        let node = info.map(Info::node);
        let name = node.as_ref().map_or(&self.node, |node| &node.name);
        found.containers = seen(containers?, now, name);
        found.nodes.extend(node);
        found.networks = or_gap("networks", networks, &mut found.gaps)
            .into_iter()
            .flatten()
            .map(ListedNetwork::seen)
            .collect();
        found.images = or_gap("images", images, &mut found.gaps)
            .into_iter()
            .flatten()
            .map(ListedImage::seen)
            .collect();
        Ok(found)
    }

    /// Networks with all of these labels.
    pub(super) async fn networks(&self, labels: &[String]) -> Result<Vec<ListedNetwork>> {
        let filter = label_filter(labels);
        self.api
            .get("listing networks", "/networks", &[("filters", &filter)])
            .await
    }

    /// Images with all of these labels.
    async fn images(&self, labels: &[String]) -> Result<Vec<ListedImage>> {
        let filter = label_filter(labels);
        self.api
            .get("listing images", "/images/json", &[("filters", &filter)])
            .await
    }

    /// The images with submitted files, for a Swarm that this Engine manages.
    pub(in crate::engine) async fn job_images(&self) -> Result<Vec<SeenImage>> {
        let images = [
            self.label(),
            format!("{}={}", labels::KIND, labels::KIND_IMAGE),
        ];
        let listed = self.images(&images).await?;
        Ok(listed.into_iter().map(ListedImage::seen).collect())
    }

    /// The containers in which somebody was making such images, likewise.
    pub(in crate::engine) async fn builders(&self, now: Timestamp) -> Result<Vec<SeenContainer>> {
        let builders = [
            self.label(),
            format!("{}={}", labels::KIND, labels::KIND_BUILDER),
        ];
        Ok(seen(list(&self.api, &builders).await?, now, &self.node))
    }

    /// An image as this Engine has it, if it does.
    pub(in crate::engine) async fn local_image(&self, name: &str) -> Result<Option<LocalImage>> {
        let found = self.image(name).await?;
        Ok(found.and_then(|image| {
            let entrypoint = image.config.and_then(|config| config.entrypoint);
            Some(LocalImage {
                id: image.id?,
                digests: image.repo_digests.unwrap_or_default(),
                needs_init: create::needs_init(&entrypoint.unwrap_or_default()),
            })
        }))
    }

    /// Those of the listed containers whose labels can be read and say that they are such objects of ours: what only
    /// looks like ours is not touched.
    pub(super) fn own(
        &self,
        mut listed: Vec<ListedContainer>,
        kind: impl Fn(&Decoded) -> bool,
    ) -> Vec<ListedContainer> {
        listed.retain(|container| self.is_own(&container.labels, &kind));
        listed
    }

    /// Whether labels can be read and are those of such an object of ours.
    pub(super) fn is_own(
        &self,
        labels: &HashMap<String, String>,
        kind: impl Fn(&Decoded) -> bool,
    ) -> bool {
        matches!(
            labels::decode(labels),
            Some(Ok((deployment, decoded))) if deployment == self.deployment && kind(&decoded)
        )
    }

    /// Reads the instances again, one by one, with what a list does not show. Those that are gone are left out.
    pub(super) async fn fill_in(&self, execution: &mut Execution) -> Result<()> {
        let there = each(&mut execution.instances, |instance| {
            self.id_if_there(instance)
        })
        .await?;
        execution
            .instances
            .retain(|instance| there.contains(&Some(instance.container_id.clone())));
        Ok(())
    }

    async fn id_if_there(&self, instance: &mut Instance) -> Result<Option<String>> {
        let there = self.inspect_into(instance).await?;
        Ok(there.then(|| instance.container_id.clone()))
    }

    /// Whether the instance is there; if so, it is as it is now.
    pub(super) async fn inspect_into(&self, instance: &mut Instance) -> Result<bool> {
        let answer = self
            .api
            .quick
            .inspect_container(&instance.container_id, None)
            .await;
        let found = match answer {
            Ok(found) => found.state.unwrap_or_default(),
            Err(error) if status(&error) == Some(404) => return Ok(false),
            Err(error) => return Err(self.api.error("inspecting a container", error)),
        };
        let code = found.exit_code.unwrap_or_default();
        let word = found.status.map(|status| status.to_string());
        instance.state = state(&word.unwrap_or_default(), &format!("({code})"));
        instance.started_at = time(found.started_at.as_deref());
        // Docker may note the end of what ends at once before its start.
        instance.finished_at = time(found.finished_at.as_deref())
            .map(|end| instance.started_at.map_or(end, |start| end.max(start)));
        instance.out_of_memory = found.oom_killed.unwrap_or_default();
        Ok(true)
    }
}

/// Containers, running or not, with all of these labels.
pub(super) async fn list(api: &Api, labels: &[String]) -> Result<Vec<ListedContainer>> {
    let filter = label_filter(labels);
    let query = [("all", "true"), ("filters", filter.as_str())];
    api.get(LISTING, "/containers/json", &query).await
}

/// The containers in the common words of the backends, without builders that somebody is at work with.
fn seen(listed: Vec<ListedContainer>, now: Timestamp, node: &str) -> Vec<SeenContainer> {
    listed
        .into_iter()
        .map(|container| container.seen(node))
        .filter(|container| !builder::at_work(&container.labels, container.created_at, now))
        .collect()
}

/// Docker writes the year 1 for "never".
fn time(text: Option<&str>) -> Option<Timestamp> {
    text?
        .parse()
        .ok()
        .filter(|time: &Timestamp| *time > Timestamp::UNIX_EPOCH)
}

fn or_gap<T>(what: &str, answer: Result<T>, gaps: &mut Vec<Gap>) -> Option<T> {
    answer
        .map_err(|error| {
            gaps.push(Gap {
                what: what.to_owned(),
                error: error.to_string(),
                node: None,
            });
        })
        .ok()
}
