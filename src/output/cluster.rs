//! The cluster and what it holds: what `status` prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use serde::Serialize;

use super::Look;
use super::grid::{Cell, Fit, Grid, Tone};
use super::schema::pretty;
use super::text::{ago, clean, rfc3339};
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
    /// What could not be asked, what came instead, and the node that was silent, if it is one.
    pub gaps: Vec<(String, String, Option<String>)>,
}

/// A node, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// Its name.
    pub name: String,
    /// Where other machines reach it, as far as that is known.
    pub address: Option<IpAddr>,
    /// Whether it takes anything new.
    pub availability: Availability,
    /// What it has.
    pub capacity: Resources,
    /// What this deployment reserves.
    pub held: Resources,
    /// What others reserve.
    pub others: Resources,
    /// What all that runs on it uses, or why that is not known.
    pub used: Result<Resources, String>,
}

impl NodeRow {
    fn free(&self) -> Resources {
        self.capacity.minus(self.held).minus(self.others)
    }
}

/// The word for it.
fn word(availability: Availability) -> &'static str {
    match availability {
        Availability::Active => "active",
        Availability::Disabled => "disabled",
        Availability::Paused => "paused",
        Availability::Drained => "drained",
        Availability::Down { .. } => "down",
    }
}

fn state(availability: Availability, look: &Look) -> Cell {
    match availability {
        Availability::Active => Cell::new(word(availability), Tone::Good),
        Availability::Disabled | Availability::Paused | Availability::Drained => {
            Cell::new(word(availability), Tone::Waiting)
        }
        Availability::Down { since: Some(since) } => {
            let long = ago(look.now, since);
            let long = long.strip_suffix(" ago").unwrap_or_default();
            Cell::new(format!("{} {long}", word(availability)), Tone::Bad)
        }
        Availability::Down { since: None } => Cell::new(word(availability), Tone::Bad),
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
    text.push('\n');
    text.push_str(&nodes(&cluster.nodes, look));
    text + &unknown(&cluster.nodes)
}

fn nodes(nodes: &[NodeRow], look: &Look) -> String {
    let addresses = nodes.iter().any(|node| node.address.is_some());
    let mut columns = vec![("NODE", Fit::Cut(24)), ("STATE", Fit::Whole)];
    if addresses {
        columns.push(("ADDRESS", Fit::Whole));
    }
    for of in ["CORES", "MEMORY"] {
        columns.push((of, Fit::Number));
        columns.extend(["ZOE", "OTHERS", "FREE", "USED"].map(|what| (what, Fit::Number)));
    }
    let mut grid = Grid::new(&columns);
    grid.give_up(&["ADDRESS", "OTHERS", "OTHERS"]);
    for node in nodes {
        let mut cells = vec![Cell::plain(&node.name), state(node.availability, look)];
        if addresses {
            cells.push(Cell::maybe(node.address));
        }
        // What is free on a node that takes nothing new is of no use to anybody.
        let free = (node.availability == Availability::Active).then(|| node.free());
        let amounts = [
            Some(node.capacity),
            Some(node.held),
            Some(node.others),
            free,
            node.used.as_ref().ok().copied(),
        ];
        cells.extend(amounts.map(|amount| Cell::maybe(amount.map(|r| r.cores))));
        cells.extend(amounts.map(|amount| Cell::maybe(amount.map(|r| r.memory))));
        grid.row(cells);
    }
    grid.render(look)
}

/// Which nodes' use is not known, and why: one line for each reason.
fn unknown(nodes: &[NodeRow]) -> String {
    let mut silent: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in nodes {
        if let Err(why) = &node.used {
            silent.entry(why).or_default().push(&node.name);
        }
    }
    let mut text = String::new();
    for (why, names) in silent {
        let names = names.join(", ");
        let _ = writeln!(
            text,
            "\nWhat is used on {} is not known: {}",
            clean(&names),
            clean(why)
        );
    }
    text
}

#[derive(Serialize)]
struct Json<'a> {
    backend: &'a str,
    deployment: &'a str,
    executions: serde_json::Map<String, serde_json::Value>,
    nodes: Vec<JsonNode<'a>>,
    orphans: usize,
    anomalies: Vec<JsonProblem<'a>>,
    gaps: Vec<JsonProblem<'a>>,
}

#[derive(Serialize)]
struct JsonProblem<'a> {
    what: &'a str,
    problem: &'a str,
    node: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonNode<'a> {
    name: &'a str,
    address: Option<String>,
    available: bool,
    availability: &'static str,
    down_since: Option<String>,
    capacity: Amount,
    held: Amount,
    others: Amount,
    free: Amount,
    used: Option<Amount>,
    used_unknown: Option<&'a str>,
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

impl<'a> From<&'a NodeRow> for JsonNode<'a> {
    fn from(node: &'a NodeRow) -> Self {
        let since = match node.availability {
            Availability::Down { since } => since,
            Availability::Active
            | Availability::Disabled
            | Availability::Paused
            | Availability::Drained => None,
        };
        Self {
            name: &node.name,
            address: node.address.map(|address| address.to_string()),
            available: node.availability == Availability::Active,
            availability: word(node.availability),
            down_since: since.map(rfc3339),
            capacity: node.capacity.into(),
            held: node.held.into(),
            others: node.others.into(),
            free: node.free().into(),
            used: node.used.as_ref().ok().map(|used| (*used).into()),
            used_unknown: node.used.as_ref().err().map(String::as_str),
        }
    }
}

/// For programs.
pub fn json(cluster: &Cluster) -> String {
    let anomalies = cluster.anomalies.iter().map(|(what, problem)| JsonProblem {
        what,
        problem,
        node: None,
    });
    let gaps = cluster
        .gaps
        .iter()
        .map(|(what, problem, node)| JsonProblem {
            what,
            problem,
            node: node.as_deref(),
        });
    pretty(&Json {
        backend: &cluster.backend,
        deployment: &cluster.deployment,
        executions: cluster
            .states
            .iter()
            .map(|(state, count)| ((*state).to_owned(), (*count).into()))
            .collect(),
        nodes: cluster.nodes.iter().map(JsonNode::from).collect(),
        orphans: cluster.orphans,
        anomalies: anomalies.collect(),
        gaps: gaps.collect(),
    })
}
