//! A Docker Engine that is only a value: containers, networks and images with the daemon's rules for them.
//!
//! Each method is one call to a daemon: it happens whole or not at all. It knows no executions. What a container does
//! follows from its script and the clock, so that a world that lies in a file goes on while nobody looks.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rows::{ContainerRow, ImageRow, NetworkRow, NodeRow, NodeState};

/// Why the daemon refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The name is taken, by the object of this id.
    NameTaken(String),
    /// There is no such image.
    NoImage(String),
    /// There is no such object.
    NotFound(String),
    /// The object is in use, or not in the state for this.
    InUse(String),
}

/// Everything there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// Counts objects ever made, for their ids.
    #[serde(default)]
    pub serial: u64,
    /// Counts calls that changed something.
    #[serde(default)]
    pub changes: u64,
    /// Whether every image can be pulled; if not, only those named `memory/…`, which are always there.
    #[serde(default)]
    pub pull: bool,
    /// The hosts. The first one holds what was given to none.
    pub nodes: Vec<NodeRow>,
    /// Containers by id.
    #[serde(default)]
    pub containers: BTreeMap<String, ContainerRow>,
    /// Networks by id.
    #[serde(default)]
    pub networks: BTreeMap<String, NetworkRow>,
    /// Images by id.
    #[serde(default)]
    pub images: BTreeMap<String, ImageRow>,
    /// What has been pushed: the id of an image by the name it has in its registry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub registry: BTreeMap<String, String>,
}

impl Default for World {
    /// One node of 8 cores and 16 GiB, and nothing on it.
    fn default() -> Self {
        Self {
            serial: 0,
            changes: 0,
            pull: false,
            nodes: vec![NodeRow {
                millicores: 8000,
                memory: 16 << 30,
                ..NodeRow::new("memory")
            }],
            containers: BTreeMap::new(),
            networks: BTreeMap::new(),
            images: BTreeMap::new(),
            registry: BTreeMap::new(),
        }
    }
}

/// `name` with the tag that is meant where none is written.
fn tagged(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) {
        name.to_owned()
    } else {
        format!("{name}:latest")
    }
}

impl World {
    fn fresh_id(&mut self) -> String {
        self.serial += 1;
        format!("{:012x}", self.serial)
    }

    /// Makes a container. Its image must be there, and its name free.
    pub fn create_container(
        &mut self,
        mut row: ContainerRow,
        image: &str,
    ) -> Result<String, Fault> {
        if let Some(node) = row.node.clone() {
            let found = self.nodes.iter().find(|found| found.name == node);
            if found.is_none_or(|found| found.state != NodeState::Active) {
                return Err(Fault::InUse(format!("node {node} takes nothing new")));
            }
        }
        let taken = self.containers.iter().find(|(_, c)| c.name == row.name);
        if let Some((id, _)) = taken {
            return Err(Fault::NameTaken(id.clone()));
        }
        row.image = self
            .find_image(image, row.created_at)
            .ok_or_else(|| Fault::NoImage(image.to_owned()))?;
        if let Some(image) = self.images.get(&row.image) {
            let inherited = image.files.clone();
            row.files.extend(inherited);
        }
        let id = self.fresh_id();
        for (_, public) in &mut row.ports {
            self.serial += 1;
            // Made up, and different for all containers that are there together.
            *public = 20_000 + u16::try_from(self.serial % 40_000).unwrap_or_default();
        }
        self.containers.insert(id.clone(), row);
        Ok(id)
    }

    /// The container of that name or id.
    pub fn container(&self, name: &str) -> Option<(&String, &ContainerRow)> {
        self.containers
            .iter()
            .find(|(id, c)| c.name == name || *id == name)
    }

    fn container_mut(&mut self, id: &str) -> Result<&mut ContainerRow, Fault> {
        self.containers
            .get_mut(id)
            .ok_or_else(|| Fault::NotFound(format!("container {id}")))
    }

    /// Puts files into a container.
    pub fn put_files(
        &mut self,
        id: &str,
        files: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), Fault> {
        self.container_mut(id)?.files.extend(files);
        Ok(())
    }

    /// Starts a container; one that was started stays as it is. Its network must be there.
    pub fn start_container(&mut self, id: &str, now: Timestamp) -> Result<(), Fault> {
        let network = self.container_mut(id)?.network.clone();
        if let Some(network) = network
            && !self.networks.values().any(|n| n.name == network)
        {
            return Err(Fault::NotFound(format!("network {network}")));
        }
        let found = self.containers.get(id).and_then(|row| self.node(row));
        let rejects = found.and_then(|node| node.rejects.clone());
        let row = self.container_mut(id)?;
        match rejects {
            Some(words) if row.started_at.is_none() => row.rejected = Some(words),
            _ => {
                row.started_at.get_or_insert(now);
            }
        }
        Ok(())
    }

    /// Stops a container; one that does not run stays as it is.
    pub fn stop_container(&mut self, id: &str, now: Timestamp) -> Result<(), Fault> {
        let row = self.container_mut(id)?;
        if row.runs(now) {
            row.stopped_at = Some(now);
        }
        Ok(())
    }

    /// Gives a container another name, which must be free.
    pub fn rename_container(&mut self, id: &str, name: &str) -> Result<(), Fault> {
        if let Some((other, _)) = self.containers.iter().find(|(_, c)| c.name == name) {
            return Err(Fault::NameTaken(other.clone()));
        }
        name.clone_into(&mut self.container_mut(id)?.name);
        Ok(())
    }

    /// Removes a container, running or not.
    pub fn remove_container(&mut self, id: &str) -> Result<(), Fault> {
        match self.containers.remove(id) {
            Some(_) => Ok(()),
            None => Err(Fault::NotFound(format!("container {id}"))),
        }
    }

    /// Makes a network; its name must be free.
    pub fn create_network(&mut self, row: NetworkRow) -> Result<String, Fault> {
        if let Some((id, _)) = self.networks.iter().find(|(_, n)| n.name == row.name) {
            return Err(Fault::NameTaken(id.clone()));
        }
        let id = self.fresh_id();
        self.networks.insert(id.clone(), row);
        Ok(id)
    }

    /// Removes a network in which nothing runs.
    pub fn remove_network(&mut self, id: &str, now: Timestamp) -> Result<(), Fault> {
        let Some(row) = self.networks.get(id) else {
            return Err(Fault::NotFound(format!("network {id}")));
        };
        let inside = |c: &&ContainerRow| c.network.as_ref() == Some(&row.name) && c.runs(now);
        if let Some(user) = self.containers.values().find(inside) {
            return Err(Fault::InUse(format!(
                "network {} has active endpoints: {}",
                row.name, user.name
            )));
        }
        self.networks.remove(id);
        Ok(())
    }

    /// The id of an image. Those named `memory/…` are there once they are asked for.
    pub fn find_image(&mut self, name: &str, now: Timestamp) -> Option<String> {
        if self.images.contains_key(name) {
            return Some(name.to_owned());
        }
        let name = tagged(name);
        let known = self.images.iter().find(|(_, i)| i.tags.contains(&name));
        if let Some((id, _)) = known {
            return Some(id.clone());
        }
        let own = name.starts_with("memory/") || name.contains("/memory/");
        own.then(|| self.add_image(&name, HashMap::new(), BTreeMap::new(), now))
    }

    /// Makes sure an image is there.
    pub fn pull(&mut self, name: &str, now: Timestamp) -> Result<String, Fault> {
        if let Some(id) = self.find_image(name, now) {
            return Ok(id);
        }
        if self.pull {
            return Ok(self.add_image(name, HashMap::new(), BTreeMap::new(), now));
        }
        Err(Fault::NoImage(name.to_owned()))
    }

    /// Makes an image; one that had its name loses it.
    pub fn add_image(
        &mut self,
        name: &str,
        labels: HashMap<String, String>,
        files: BTreeMap<String, String>,
        now: Timestamp,
    ) -> String {
        let id = format!("sha256:{}", self.fresh_id());
        let row = ImageRow {
            tags: Vec::new(),
            labels,
            files,
            created_at: now,
        };
        self.images.insert(id.clone(), row);
        self.name_image(&id, name);
        id
    }

    /// Gives an image another name, taking it from the one that had it.
    pub fn name_image(&mut self, id: &str, name: &str) {
        let name = tagged(name);
        for image in self.images.values_mut() {
            image.tags.retain(|tag| *tag != name);
        }
        if let Some(image) = self.images.get_mut(id) {
            image.tags.push(name);
        }
    }

    /// Pushes an image to the registry, where nobody else can replace it.
    pub fn push_image(&mut self, name: &str, now: Timestamp) -> Result<(), Fault> {
        let id = self.find_image(name, now);
        let id = id.ok_or_else(|| Fault::NoImage(name.to_owned()))?;
        self.registry.insert(tagged(name), id);
        Ok(())
    }

    /// What the registry has under that name, `repository@id`.
    pub fn pushed(&self, name: &str) -> Option<String> {
        let name = tagged(name);
        let repository = name.rsplit_once(':')?.0;
        let id = self.registry.get(&name)?;
        Some(format!("{repository}@{id}"))
    }

    /// Makes an image of a container.
    pub fn commit(
        &mut self,
        container: &str,
        name: &str,
        labels: HashMap<String, String>,
        now: Timestamp,
    ) -> Result<String, Fault> {
        let files = self.container_mut(container)?.files.clone();
        Ok(self.add_image(name, labels, files, now))
    }

    /// Removes an image by name or id: the name only where it has others, all of it where no container uses it.
    pub fn remove_image(&mut self, name: &str) -> Result<(), Fault> {
        let full = tagged(name);
        let found = self
            .images
            .iter_mut()
            .find(|(id, i)| *id == name || i.tags.contains(&full));
        let Some((id, image)) = found else {
            return Err(Fault::NotFound(format!("image {name}")));
        };
        if id != name && image.tags.len() > 1 {
            image.tags.retain(|tag| *tag != full);
            return Ok(());
        }
        if let Some(user) = self.containers.values().find(|c| c.image == *id) {
            return Err(Fault::InUse(format!(
                "image {name} is used by container {}",
                user.name
            )));
        }
        let id = id.clone();
        self.images.remove(&id);
        Ok(())
    }
}
