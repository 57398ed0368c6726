//! The objects of a world as they are kept, and what a container has done by a given moment.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::script::{Inside, Script};
use crate::engine::Output;
use crate::model::InstanceState;

/// A Docker host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRow {
    /// Its name.
    pub name: String,
    /// Its processors, in thousandths of a core.
    pub millicores: u64,
    /// Its memory, in bytes.
    pub memory: u64,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Whether it takes anything new, and answers.
    #[serde(default)]
    pub state: NodeState,
    /// Whether nothing on it can be seen.
    #[serde(default)]
    pub silent: bool,
    /// What it says instead of starting a container, if it starts none.
    #[serde(default)]
    pub rejects: Option<String>,
}

impl NodeRow {
    /// A node of nothing.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            millicores: 0,
            memory: 0,
            labels: BTreeMap::new(),
            state: NodeState::Active,
            silent: false,
            rejects: None,
        }
    }
}

/// What a node is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// It takes what it is given.
    #[default]
    Active,
    /// It takes nothing new.
    Paused,
    /// It is to be empty.
    Drained,
    /// It does not answer. What runs on it may run on.
    Down {
        /// Since when.
        since: Timestamp,
    },
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerRow {
    /// Its name, unique among containers.
    pub name: String,
    /// Its image's id.
    pub image: String,
    /// Its node, by name; the first one where none is said.
    #[serde(default)]
    pub node: Option<String>,
    /// What its node said instead of starting it.
    #[serde(default)]
    pub rejected: Option<String>,
    /// What it runs.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// Its labels.
    #[serde(default)]
    pub labels: HashMap<String, String>,
    /// Its environment, `NAME=value`.
    #[serde(default)]
    pub env: Vec<String>,
    /// Files put into it, by absolute path.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The network it is in, by name.
    #[serde(default)]
    pub network: Option<String>,
    /// Its names there.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its ports, each with its number outside.
    #[serde(default)]
    pub ports: Vec<(u16, u16)>,
    /// Its limit and reservation, in thousandths of a core.
    #[serde(default)]
    pub millicores: u64,
    /// Its limit and reservation, in bytes.
    #[serde(default)]
    pub memory: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was started.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it was stopped from outside.
    #[serde(default)]
    pub stopped_at: Option<Timestamp>,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRow {
    /// Its name, unique among networks.
    pub name: String,
    /// Its labels.
    #[serde(default)]
    pub labels: HashMap<String, String>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRow {
    /// Its names, with their tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Its labels.
    #[serde(default)]
    pub labels: HashMap<String, String>,
    /// The files put on top of its base, by absolute path.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ImageRow {
    /// What it would be called in registries, whether it is there or not.
    pub fn digests(&self, id: &str) -> Vec<String> {
        let repository = |tag: &String| Some(format!("{}@{id}", tag.rsplit_once(':')?.0));
        self.tags.iter().filter_map(repository).collect()
    }
}

impl ContainerRow {
    /// A container as it is asked for, of an image by id.
    pub fn new(name: impl Into<String>, image: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            name: name.into(),
            image: image.into(),
            node: None,
            rejected: None,
            command: None,
            labels: HashMap::new(),
            env: Vec::new(),
            files: BTreeMap::new(),
            network: None,
            aliases: Vec::new(),
            ports: Vec::new(),
            millicores: 0,
            memory: 0,
            created_at,
            started_at: None,
            stopped_at: None,
        }
    }

    fn script(&self) -> Script {
        let command = self.command.as_deref().unwrap_or_default();
        Script::read(command, self).unwrap_or_default()
    }

    /// When it ended and with which code, as seen at `now`.
    pub fn end(&self, now: Timestamp) -> Option<(Timestamp, i64)> {
        let started = self.started_at?;
        let by_itself = self.script().end.and_then(|(after, code)| {
            let at = started.checked_add(after).ok()?;
            (at <= self.stopped_at.unwrap_or(now)).then_some((at, code))
        });
        // Stopped by a signal: 128 + SIGTERM, or SIGKILL for who heeds no other.
        let signal = if self.is_deaf() { 137 } else { 143 };
        by_itself.or(self.stopped_at.map(|at| (at, signal)))
    }

    /// Whether it runs on when it is told to end, until it is killed.
    pub fn is_deaf(&self) -> bool {
        self.script().is_deaf
    }

    /// What it is doing at `now`.
    pub fn state(&self, now: Timestamp) -> InstanceState {
        if self.rejected.is_some() {
            return InstanceState::Rejected;
        }
        match (self.started_at, self.end(now)) {
            (None, _) => InstanceState::Created,
            (Some(_), None) => InstanceState::Running,
            (Some(_), Some((_, code))) => InstanceState::Exited { code },
        }
    }

    /// Whether it runs at `now`.
    pub fn runs(&self, now: Timestamp) -> bool {
        self.state(now) == InstanceState::Running
    }

    /// What it has written by `now`.
    pub fn log(&self, now: Timestamp) -> Vec<(Timestamp, Output, String)> {
        let Some(started) = self.started_at else {
            return Vec::new();
        };
        let last = self.stopped_at.unwrap_or(now);
        let lines = self.script().lines.into_iter();
        lines
            .filter_map(|(after, output, line)| {
                Some((started.checked_add(after).ok()?, output, line))
            })
            .take_while(|(at, ..)| *at <= last)
            .collect()
    }
}

impl Inside for ContainerRow {
    fn env(&self, name: &str) -> Option<String> {
        let pairs = self.env.iter().filter_map(|entry| entry.split_once('='));
        pairs
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
            .next_back()
    }

    fn file(&self, path: &str) -> Option<String> {
        self.files.get(path).cloned()
    }
}
