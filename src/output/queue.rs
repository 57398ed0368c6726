//! Those that wait: what `queue` and `explain` print.

use std::fmt::Write as _;

use serde::Serialize;

use super::Look;
use super::grid::{Cell, Fit, Grid};
use super::schema::{self, Execution, pretty};
use super::text::{ago, clean, length, rfc3339};
use crate::model::Resources;
use crate::ops::queue::Entry;
use crate::ops::queue::explain::{Explanation, Wait};

/// One that waits, as JSON.
#[derive(Debug, Serialize)]
struct Waiting {
    #[serde(flatten)]
    execution: Execution,
    position: usize,
    waits_for: &'static str,
    latest_start: Option<String>,
}

/// The line as JSON.
pub fn json(entries: &[Entry]) -> String {
    let waiting = entries.iter().map(|entry| Waiting {
        execution: (&entry.view).into(),
        position: entry.position,
        waits_for: entry.code,
        latest_start: entry.latest_start.map(rfc3339),
    });
    pretty(&waiting.collect::<Vec<_>>())
}

/// The line as a table.
pub fn table(entries: &[Entry], look: &Look) -> String {
    let mut grid = Grid::new(&[
        ("#", Fit::Number),
        ("ID", Fit::Whole),
        ("NAME", Fit::Cut(24)),
        ("USER", Fit::Whole),
        ("PRIORITY", Fit::Number),
        ("AGE", Fit::Whole),
        ("STARTS WITHIN", Fit::Whole),
        ("WAITS FOR", Fit::Wrap),
    ]);
    grid.give_up(&["USER", "PRIORITY", "AGE", "STARTS WITHIN"]);
    for entry in entries {
        let view = &entry.view;
        let within = entry.latest_start.map(|at| {
            let left = at.duration_since(look.now);
            length(left.max(jiff::SignedDuration::ZERO))
        });
        grid.row(vec![
            Cell::plain(entry.position.to_string()),
            Cell::plain(view.id.to_string()),
            Cell::plain(&view.name),
            Cell::plain(&view.user),
            Cell::plain(view.terms.priority.to_string()),
            Cell::plain(ago(look.now, view.submitted_at)),
            Cell::maybe(within),
            Cell::plain(view.reason.as_deref().unwrap_or_default()),
        ]);
    }
    grid.render(look)
}

#[derive(Debug, Serialize)]
struct Explained {
    #[serde(flatten)]
    execution: Execution,
    wait: Option<WaitJson>,
}

#[derive(Debug, Serialize)]
struct WaitJson {
    position: usize,
    of: usize,
    waits_for: &'static str,
    before: Vec<Before>,
    needs: Amount,
    holders: Vec<HolderJson>,
    others_hold: Amount,
    missing_labels: Vec<Lack>,
    nodes: Vec<NodeJson>,
    last_failure: Option<FailureJson>,
    latest_start: Option<String>,
}

#[derive(Debug, Serialize)]
struct Before {
    id: String,
    name: String,
}

#[derive(Debug, Serialize)]
struct Amount {
    cores: serde_json::Number,
    memory_bytes: u64,
}

#[derive(Debug, Serialize)]
struct HolderJson {
    id: String,
    name: String,
    user: String,
    holds: Amount,
}

#[derive(Debug, Serialize)]
struct Lack {
    component: String,
    missing: String,
}

#[derive(Debug, Serialize)]
struct NodeJson {
    name: String,
    free: Amount,
    lacks: Vec<Lack>,
}

#[derive(Debug, Serialize)]
struct FailureJson {
    at: String,
    why: String,
}

impl From<Resources> for Amount {
    fn from(amount: Resources) -> Self {
        Self {
            cores: schema::cores(amount.cores),
            memory_bytes: amount.memory.get(),
        }
    }
}

fn lack((component, missing): &(String, String)) -> Lack {
    Lack {
        component: component.clone(),
        missing: missing.clone(),
    }
}

/// An explanation as JSON.
pub fn explanation_json(explanation: &Explanation) -> String {
    pretty(&Explained {
        execution: (&explanation.view).into(),
        wait: explanation.wait.as_ref().map(wait_json),
    })
}

fn wait_json(wait: &Wait) -> WaitJson {
    WaitJson {
        position: wait.position,
        of: wait.of,
        waits_for: wait.code,
        before: wait
            .before
            .iter()
            .map(|(id, name)| Before {
                id: id.clone(),
                name: name.clone(),
            })
            .collect(),
        needs: wait.needs.into(),
        holders: wait
            .holders
            .iter()
            .map(|holder| HolderJson {
                id: holder.execution.to_string(),
                name: holder.name.to_string(),
                user: holder.user.clone(),
                holds: holder.holds.into(),
            })
            .collect(),
        others_hold: wait.others.into(),
        missing_labels: wait.labels.iter().map(lack).collect(),
        nodes: wait
            .nodes
            .iter()
            .map(|node| NodeJson {
                name: node.name.clone(),
                free: node.free.into(),
                lacks: node.missing.iter().map(lack).collect(),
            })
            .collect(),
        last_failure: wait.last_failure.as_ref().map(|(at, why)| FailureJson {
            at: rfc3339(*at),
            why: why.clone(),
        }),
        latest_start: wait.latest_start.map(rfc3339),
    }
}

/// An explanation as paragraphs for people.
pub fn explanation(explanation: &Explanation, look: &Look) -> String {
    let view = &explanation.view;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(text, "{:13}{}", format!("{name}:"), clean(value));
    };
    fact("Execution", &format!("{} ({})", view.id, view.name));
    fact("State", view.state.word());
    if let Some(reason) = &view.reason {
        fact("Reason", reason);
    }
    let Some(wait) = &explanation.wait else {
        return text;
    };
    fact("Place", &format!("{} of {}", wait.position, wait.of));
    if !wait.before.is_empty() {
        let before: Vec<String> = wait
            .before
            .iter()
            .map(|(id, name)| format!("{name} ({id})"))
            .collect();
        fact("Behind", &before.join(", "));
    }
    let Resources { cores, memory } = wait.needs;
    fact("Needs", &format!("{}, {memory}", cores.in_words()));
    fact(
        "Starts",
        &match wait.latest_start {
            Some(at) => format!(
                "at {} at the latest, if all that has a time limit takes all of it",
                rfc3339(at)
            ),
            None => format!("nobody can say when: {}", unknown_because(wait)),
        },
    );
    if let Some((at, why)) = &wait.last_failure {
        fact("Last try", &format!("{}: {why}", rfc3339(*at)));
    }
    for (component, label) in &wait.labels {
        fact(
            "No node has",
            &format!("{label}, which '{component}' asks for"),
        );
    }
    text.push('\n');
    text.push_str(&nodes(wait, look));
    if !wait.holders.is_empty() || wait.others != Resources::ZERO {
        text.push('\n');
        text.push_str(&holders(wait, look));
    }
    text
}

/// Why it is not known when it starts.
fn unknown_because(wait: &Wait) -> &'static str {
    match wait.code {
        "held" => "it is held until somebody releases it (`zoe release`)",
        "after" => "what has to be over before it has no time limit, or waits itself",
        "quota" => "it starts when its owner's executions leave it room in the quota",
        "unknown" => "not everything could be read",
        "nodes-away" => "it starts when nodes that it could be on take something again",
        "no-label" => "it starts when a node has the labels that it asks for",
        "array-limit" => {
            "it starts when others of its array are over, and not all of them have a time limit"
        }
        "not-enough-cores" | "not-enough-memory"
            if wait.before.is_empty() && wait.others != Resources::ZERO =>
        {
            "other deployments hold some of what it needs, and nobody here knows until when"
        }
        "retry" | "again" => "it is tried again first, and there may be no room for it then",
        _ => "not all that is before it has a time limit",
    }
}

fn nodes(wait: &Wait, look: &Look) -> String {
    let mut grid = Grid::new(&[
        ("NODE", Fit::Whole),
        ("FREE CORES", Fit::Number),
        ("FREE MEMORY", Fit::Number),
        ("MISSING FOR ONE MEMBER", Fit::Wrap),
    ]);
    for node in &wait.nodes {
        let missing: Vec<String> = node
            .missing
            .iter()
            .map(|(component, missing)| format!("{component}: {missing}"))
            .collect();
        let missing = if missing.is_empty() {
            "nothing".to_owned()
        } else {
            missing.join("; ")
        };
        grid.row(vec![
            Cell::plain(&node.name),
            Cell::plain(node.free.cores.to_string()),
            Cell::plain(node.free.memory.to_string()),
            Cell::plain(missing),
        ]);
    }
    grid.render(look)
}

fn holders(wait: &Wait, look: &Look) -> String {
    let mut grid = Grid::new(&[
        ("HELD BY", Fit::Whole),
        ("NAME", Fit::Cut(24)),
        ("USER", Fit::Whole),
        ("CORES", Fit::Number),
        ("MEMORY", Fit::Number),
    ]);
    for holder in &wait.holders {
        grid.row(vec![
            Cell::plain(holder.execution.to_string()),
            Cell::plain(holder.name.as_str()),
            Cell::plain(&holder.user),
            Cell::plain(holder.holds.cores.to_string()),
            Cell::plain(holder.holds.memory.to_string()),
        ]);
    }
    if wait.others != Resources::ZERO {
        grid.row(vec![
            Cell::plain("other deployments"),
            Cell::plain(""),
            Cell::plain(""),
            Cell::plain(wait.others.cores.to_string()),
            Cell::plain(wait.others.memory.to_string()),
        ]);
    }
    grid.render(look)
}
