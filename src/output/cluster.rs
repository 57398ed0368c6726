//! The cluster and what it holds: what `status` prints.

use std::fmt::Write as _;

use serde::Serialize;

use super::Look;
use super::grid::{Cell, Fit, Grid, Tone};
use super::schema::pretty;
use super::text::clean;
use crate::model::{Availability, Bytes, Cores, Resources};

/// The cluster, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// What zoe talks to.
    pub backend: String,
    /// The deployment.
    pub deployment: String,
    /// Its nodes.
    pub nodes: Vec<NodeRow>,
    /// How many executions are in each state.
    pub states: Vec<(&'static str, usize)>,
    /// Objects that the next pass removes.
    pub orphans: usize,
    /// Objects that can't be read, and why.
    pub anomalies: Vec<(String, String)>,
    /// What could not be asked, and what came instead.
    pub gaps: Vec<(String, String)>,
}

/// A node, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// Its name.
    pub name: String,
    /// Whether it takes anything new.
    pub availability: Availability,
    /// What it has.
    pub capacity: Resources,
    /// What this deployment holds.
    pub held: Resources,
    /// What others hold.
    pub others: Resources,
}

impl NodeRow {
    fn free(&self) -> Resources {
        self.capacity.minus(self.held).minus(self.others)
    }
}

/// For people.
pub fn text(cluster: &Cluster, look: &Look) -> String {
    let mut text = String::new();
    let states: Vec<String> = cluster
        .states
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    for (name, value) in [
        ("Docker", cluster.backend.clone()),
        ("Deployment", cluster.deployment.clone()),
        ("Executions", states.join(", ")),
    ] {
        let _ = writeln!(text, "{:12}{}", format!("{name}:"), clean(&value));
    }
    if cluster.orphans > 0 {
        let _ = writeln!(
            text,
            "{:12}{} objects of no execution, removed by the next pass",
            "Left over:", cluster.orphans
        );
    }
    let columns = [
        ("NODE", Fit::Wrap),
        ("STATE", Fit::Whole),
        ("CORES", Fit::Number),
        ("HELD", Fit::Number),
        ("OTHERS", Fit::Number),
        ("FREE", Fit::Number),
        ("MEMORY", Fit::Number),
        ("HELD", Fit::Number),
        ("OTHERS", Fit::Number),
        ("FREE", Fit::Number),
    ];
    let mut grid = Grid::new(&columns);
    for node in &cluster.nodes {
        let state = if node.availability == Availability::Active {
            Cell::new("ready", Tone::Good)
        } else {
            Cell::new("unavailable", Tone::Bad)
        };
        let mut cells = vec![Cell::plain(&node.name), state];
        let amounts = [node.capacity, node.held, node.others, node.free()];
        cells.extend(amounts.iter().map(|r| Cell::plain(r.cores.to_string())));
        cells.extend(amounts.iter().map(|r| Cell::plain(r.memory.to_string())));
        grid.row(cells);
    }
    text.push('\n');
    text + &grid.render(look)
}

#[derive(Serialize)]
struct Json<'a> {
    backend: &'a str,
    deployment: &'a str,
    executions: serde_json::Map<String, serde_json::Value>,
    nodes: Vec<JsonNode<'a>>,
    orphans: usize,
    anomalies: Vec<JsonPair<'a>>,
    gaps: Vec<JsonPair<'a>>,
}

#[derive(Serialize)]
struct JsonPair<'a> {
    what: &'a str,
    problem: &'a str,
}

#[derive(Serialize)]
struct JsonNode<'a> {
    name: &'a str,
    available: bool,
    capacity: Amount,
    held: Amount,
    others: Amount,
    free: Amount,
}

#[derive(Serialize)]
struct Amount {
    cores: Option<serde_json::Number>,
    memory_bytes: u64,
}

impl From<Resources> for Amount {
    fn from(resources: Resources) -> Self {
        let (cores, memory): (Cores, Bytes) = (resources.cores, resources.memory);
        Self {
            cores: cores.to_string().parse().ok(),
            memory_bytes: memory.get(),
        }
    }
}

/// For programs.
pub fn json(cluster: &Cluster) -> String {
    fn pairs(of: &[(String, String)]) -> Vec<JsonPair<'_>> {
        of.iter()
            .map(|(what, problem)| JsonPair { what, problem })
            .collect()
    }
    let nodes = cluster.nodes.iter().map(|node| JsonNode {
        name: &node.name,
        available: node.availability == Availability::Active,
        capacity: node.capacity.into(),
        held: node.held.into(),
        others: node.others.into(),
        free: node.free().into(),
    });
    pretty(&Json {
        backend: &cluster.backend,
        deployment: &cluster.deployment,
        executions: cluster
            .states
            .iter()
            .map(|(state, count)| ((*state).to_owned(), (*count).into()))
            .collect(),
        nodes: nodes.collect(),
        orphans: cluster.orphans,
        anomalies: pairs(&cluster.anomalies),
        gaps: pairs(&cluster.gaps),
    })
}
