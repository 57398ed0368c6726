//! Reads what is there: nodes, networks, images, containers, one call each.
//!
//! The manager knows the containers of a node that went down as they were, and nothing of those of a node that it has not
//! reached since it was started. The first are lost instances; of the second nothing may be concluded, not even that a member
//! without a ticket belongs to nobody.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::super::wire::{ListedImage, ListedNetwork};
use super::super::{builder, observe};
use super::status::{Info, Told};
use super::{ClassicBackend, create, sort};
use crate::engine::assemble::{Seen, SeenContainer, SeenImage, SeenNetwork, assemble};
use crate::engine::client::parallel::each;
use crate::engine::{EngineError, Result, Scope};
use crate::labels::{self, Decoded};
use crate::model::{
    Availability, Execution, Gap, Instance, InstanceState, Node, Phase, Resources, Snapshot,
};

/// What a manager says of a container whose node has just gone down.
const UNHEALTHY: &str = "unhealthy node";

impl ClassicBackend {
    pub(super) async fn info(&self) -> Result<Info> {
        let what = "asking the manager about its nodes";
        self.docker.api.get(what, "/info", &[]).await
    }

    pub(super) async fn look(&self, scope: Scope) -> Result<Snapshot> {
        let now = Timestamp::now();
        let told = self.info().await?.nodes();
        let (networks, images) = match scope {
            Scope::Executions => (Ok(Vec::new()), Ok(Vec::new())),
            Scope::Everything => futures_util::join!(self.networks(&told), self.job_images(&told)),
        };
        let label = match scope {
            Scope::Executions => self.docker.label(),
            // All deployments' containers: what others hold is not free.
            Scope::Everything => labels::DEPLOYMENT.to_owned(),
        };
        let listed = observe::list(&self.docker.api, &[label]).await?;
        let sorted = sort::sort(&self.docker.deployment, listed, &told, &self.given_up());
        let mut seen = Seen {
            gaps: told.iter().filter_map(gap).collect(),
            ..Seen::default()
        };
        if scope == Scope::Everything {
            seen.nodes = nodes(&told, &sorted.seen);
        }
        seen.networks = or_gap("networks", networks, &mut seen.gaps);
        seen.images = or_gap("images", images, &mut seen.gaps);
        let unseen = told.iter().any(|told| !told.known);
        seen.containers = sorted.seen;
        seen.containers
            .retain(|container| !builder::at_work(&container.labels, container.created_at, now));
        let mut snapshot = assemble(&self.docker.deployment, now, seen);
        snapshot.orphans.extend(sorted.over);
        snapshot
            .orphans
            .retain(|orphan| !unseen && !sorted.out_of_reach.contains(&orphan.docker_id));
        if unseen {
            snapshot.job_images.clear();
        }
        self.settle(&mut snapshot).await?;
        Ok(snapshot)
    }

    /// Looks into the instances of which a list does not show enough.
    async fn settle(&self, snapshot: &mut Snapshot) -> Result<()> {
        let mut open = Vec::new();
        for execution in snapshot.executions.values_mut() {
            let ending = matches!(execution.phase(), Phase::Ending(_));
            open.extend(execution.instances.iter_mut().filter(|instance| {
                let unclear = instance.state == InstanceState::Other;
                unclear || (ending && !is_lost(instance))
            }));
        }
        // One that is gone meanwhile stays as it was seen.
        each(open, |instance| self.inspect_into(instance)).await?;
        Ok(())
    }

    /// What carries the labels of an execution's network, on nodes that can be asked: there should be none.
    async fn networks(&self, told: &[Told]) -> Result<Vec<SeenNetwork>> {
        let mut networks = self.docker.networks(&[self.docker.label()]).await?;
        networks.retain(|network| {
            let node = network.name.split_once('/').map(|(node, _)| node);
            node.is_none_or(|node| reachable(told).any(|known| known.name == node))
        });
        Ok(networks.into_iter().map(ListedNetwork::seen).collect())
    }

    /// The images with files, on nodes that can be asked.
    async fn job_images(&self, told: &[Told]) -> Result<Vec<SeenImage>> {
        let label = [
            self.docker.label(),
            format!("{}={}", labels::KIND, labels::KIND_IMAGE),
        ];
        let names: Vec<&str> = reachable(told).map(|node| node.name.as_str()).collect();
        let filter = serde_json::json!({ "label": label, "node": names }).to_string();
        let query = [("filters", filter.as_str())];
        let listed: Vec<ListedImage> = self
            .docker
            .api
            .get("listing images", "/images/json", &query)
            .await?;
        Ok(listed.into_iter().map(ListedImage::seen).collect())
    }

    /// Reads the instances again, one by one, with what a list does not show. Those that are gone are left out.
    pub(super) async fn look_again(&self, execution: &Execution) -> Result<Execution> {
        let mut again = execution.clone();
        let open = again
            .instances
            .iter_mut()
            .filter(|instance| !is_lost(instance));
        let gone: HashSet<String> = each(open, |instance| async move {
            let there = self.inspect_into(instance).await?;
            Ok((!there).then(|| instance.container_id.clone()))
        })
        .await?
        .into_iter()
        .flatten()
        .collect();
        if !gone.is_empty() {
            // Is it gone, or does the manager not know its node (any more)?
            if let Some(gap) = self.info().await?.nodes().iter().find_map(gap) {
                return Err(EngineError::Refused {
                    what: gap.what,
                    why: gap.error,
                });
            }
        }
        again
            .instances
            .retain(|instance| !gone.contains(&instance.container_id));
        Ok(again)
    }

    /// Whether the instance is there; if so, it is as it is now.
    async fn inspect_into(&self, instance: &mut Instance) -> Result<bool> {
        match self.docker.inspect_into(instance).await {
            Err(EngineError::Refused { why, .. }) if why.contains(UNHEALTHY) => {
                instance.state = InstanceState::Lost { since: None };
                Ok(true)
            }
            answer => answer,
        }
    }
}

fn is_lost(instance: &Instance) -> bool {
    matches!(instance.state, InstanceState::Lost { .. })
}

/// The nodes of which the manager has news.
pub(super) fn reachable(told: &[Told]) -> impl Iterator<Item = &Node> {
    told.iter()
        .map(|told| &told.node)
        .filter(|node| !matches!(node.availability, Availability::Down { .. }))
}

fn or_gap<T>(what: &str, answer: Result<Vec<T>>, gaps: &mut Vec<Gap>) -> Vec<T> {
    answer.unwrap_or_else(|error| {
        gaps.push(Gap {
            what: what.to_owned(),
            error: error.to_string(),
            node: None,
        });
        Vec::new()
    })
}

/// What the manager does not know of a node.
fn gap(told: &Told) -> Option<Gap> {
    (!told.known).then(|| Gap {
        what: format!("the containers of node {}", told.node.name),
        error: if told.error.is_empty() {
            "the manager has not reached it yet".to_owned()
        } else {
            told.error.clone()
        },
        node: Some(told.node.name.clone()),
    })
}

/// The nodes, with what others hold of each: all that is reserved without what the manager counts for zoe's own members.
/// It goes on counting what has ended, which for zoe holds nothing: so that is others', until it is removed.
fn nodes(told: &[Told], containers: &[SeenContainer]) -> Vec<Node> {
    let mut ours: HashMap<&str, Resources> = HashMap::new();
    for container in containers {
        if let Some(Ok((_, Decoded::Instance { reservation, .. }))) =
            labels::decode(&container.labels)
            && !matches!(container.state, InstanceState::Exited { .. })
        {
            *ours.entry(container.node.as_str()).or_default() += create::reserved(reservation);
        }
    }
    told.iter()
        .map(|told| {
            let mut node = told.node.clone();
            let all = node.others;
            node.others = all.minus(ours.get(node.name.as_str()).copied().unwrap_or_default());
            // Amounts are told with four digits.
            if node.others.memory.get() <= all.memory.get() / 1000 {
                node.others.memory = Resources::ZERO.memory;
            }
            node
        })
        .collect()
}
