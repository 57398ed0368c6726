//! Which image the nodes are told: the same content on all of them.
//!
//! Nodes pull for themselves, so an image must be in a registry; on a Swarm of one machine what its Engine has is enough.

use std::collections::{BTreeMap, BTreeSet};

use super::SwarmBackend;
use super::cluster::Cluster;
use crate::apps::names_registry;
use crate::engine::client::parallel::each;
use crate::engine::docker::LocalImage;
use crate::engine::{EngineError, Result, names};
use crate::labels;
use crate::model::{InstanceSpec, JobImage};

/// An image as a service names it.
#[derive(Debug, Clone)]
pub(super) struct Pinned {
    /// With its digest, or the id that the only Engine knows it by.
    pub(super) reference: String,
    /// Whether an init is to be put before its program.
    pub(super) init: bool,
}

impl SwarmBackend {
    /// The images that these members are made of.
    pub(super) async fn images_for(
        &self,
        members: &[&InstanceSpec],
        cluster: &Cluster,
    ) -> Result<BTreeMap<String, Pinned>> {
        let names: BTreeSet<_> = members.iter().map(|spec| spec.image.clone()).collect();
        let found = each(names, |name| async move {
            let image = self.image_for_nodes(&name, cluster).await?;
            Ok((name, image))
        })
        .await?;
        Ok(found.into_iter().collect())
    }

    /// An image as all nodes can have it; [`EngineError::NoImage`] where they can't.
    pub(super) async fn image_for_nodes(&self, image: &str, cluster: &Cluster) -> Result<Pinned> {
        // What the manager has tells whether an init is needed; where it has nothing, one more does no harm.
        let local = self.engine.local_image(image).await?;
        let init = local.as_ref().is_none_or(|local| local.needs_init);
        let here = |local: LocalImage| Pinned {
            reference: local.id,
            init,
        };
        if cluster.is_single() && !names_registry(image) {
            return local.map(here).ok_or_else(|| EngineError::NoImage {
                image: image.to_owned(),
                why: "Docker does not have it".to_owned(),
            });
        }
        let error = match self.engine.resolve_digest(image).await {
            Ok(resolved) => {
                let reference = with_digest(image, &resolved);
                return Ok(Pinned { reference, init });
            }
            Err(error) => error,
        };
        // The registry does not answer just now: what it had when the manager last asked, the nodes may have too.
        if let (EngineError::Refused { .. }, Some(local)) = (&error, &local)
            && let Some(known) = known(image, local)
        {
            let reference = with_digest(image, known);
            return Ok(Pinned { reference, init });
        }
        match (error, local) {
            (EngineError::NoImage { .. } | EngineError::Refused { .. }, Some(local))
                if cluster.is_single() =>
            {
                Ok(here(local))
            }
            (EngineError::NoImage { why, .. } | EngineError::Refused { why, .. }, local) => {
                Err(EngineError::NoImage {
                    image: image.to_owned(),
                    why: advice(image, &why, local.is_some(), cluster.len()),
                })
            }
            (error, _) => Err(error),
        }
    }

    /// Removes an image with files unless a ticket is made of it: here nobody but the tickets counts who uses it.
    pub(super) async fn remove_unused(&self, image: &JobImage) -> Result<()> {
        let own = [
            self.label(),
            format!("{}={}", labels::KIND, labels::KIND_TICKET),
        ];
        let configs = self.configs(&own).await?;
        let (tickets, _) = super::tickets::seen(&self.deployment, configs);
        let used = tickets.iter().any(|ticket| {
            let Some(Ok((_, labels::Decoded::Ticket(ticket)))) = labels::decode(&ticket.labels)
            else {
                // What can't be read may use it.
                return true;
            };
            names::ticket_image(&ticket).is_some_and(|used| used == image.tag)
        });
        if used {
            return Ok(());
        }
        crate::engine::Images::remove_job_image(&self.engine, image).await
    }
}

/// The content under which the manager knows the image in its registry.
fn known<'a>(image: &str, local: &'a LocalImage) -> Option<&'a str> {
    let same = |digest: &&String| {
        let repository = digest.split('@').next().unwrap_or_default();
        image
            .strip_prefix(repository)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@']))
    };
    let mut digests = local.digests.iter();
    digests.find(same).map(String::as_str)
}

/// The name as it was asked for, with the digest that it has: people see the tag, Docker the digest.
fn with_digest(image: &str, resolved: &str) -> String {
    match resolved.split_once('@') {
        Some((_, digest)) if !image.contains('@') => format!("{image}@{digest}"),
        _ => resolved.to_owned(),
    }
}

fn advice(image: &str, why: &str, is_here: bool, nodes: usize) -> String {
    let todo = match (is_here, names_registry(image)) {
        (true, true) => {
            "; the manager has it and the other nodes do not: push it (zoe images push)"
        }
        (true, false) => {
            "; the manager has it and the other nodes do not: set [docker] private_registry and push it (zoe images push)"
        }
        (false, _) => "",
    };
    format!("{why}, and each of the {nodes} nodes must be able to pull it{todo}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_knows_what_the_registry_had() {
        let local = LocalImage {
            id: "sha256:1".to_owned(),
            digests: vec![
                "other/x@sha256:2".to_owned(),
                "reg:5000/x@sha256:3".to_owned(),
            ],
            needs_init: true,
        };
        assert_eq!(known("reg:5000/x:1", &local), Some("reg:5000/x@sha256:3"));
        assert_eq!(known("reg:5000/xy:1", &local), None);
    }

    #[test]
    fn the_tag_stays_beside_the_digest() {
        let of = |image: &str| with_digest(image, "reg:5000/x@sha256:12");
        assert_eq!(of("reg:5000/x:1"), "reg:5000/x:1@sha256:12");
        assert_eq!(of("reg:5000/x@sha256:12"), "reg:5000/x@sha256:12");
    }
}
