//! What has happened in Docker, and what must never happen there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use zoe::engine::memory::{ContainerRow, Fault, World};

use crate::pace::Calls;
use crate::table::{Facts, fold};

fn label<'r>(row: &'r ContainerRow, key: &str) -> &'r str {
    row.labels.get(key).map_or("", String::as_str)
}

fn is_ticket(row: &ContainerRow) -> bool {
    label(row, "zoe.kind") == "ticket"
}

/// The execution that a container belongs to.
pub fn execution(row: &ContainerRow) -> &str {
    label(row, "zoe.execution")
}

/// What there is, in one number that is the same for the same things whatever their ids are.
pub fn digest(world: &World, facts: &Facts, networks: bool) -> u64 {
    if networks {
        let mut names: Vec<&String> = world.networks.values().map(|row| &row.name).collect();
        names.sort();
        return fold(names);
    }
    let mut all: Vec<_> = world
        .containers
        .iter()
        .map(|(id, row)| {
            let times = (row.created_at, row.started_at, row.stopped_at);
            (
                facts.origin.get(id),
                &row.name,
                &row.node,
                times,
                &row.rejected,
            )
        })
        .collect();
    all.sort();
    fold(all)
}

/// Looks at what a call has changed.
pub fn note(world: &World, calls: &Calls, call: &str, fault: Option<&Fault>) {
    let (table, actor) = (&calls.table, calls.actor);
    let has_the_lease = calls.has_the_lease();
    let mut wrongs = Vec::new();
    {
        let mut inner = table.lock();
        let now = Timestamp::from_millisecond(inner.now).unwrap();
        let facts = &mut inner.facts;
        for (id, row) in &world.containers {
            if !facts.origin.contains_key(id) {
                let made = facts.made.entry(row.name.clone()).or_default();
                *made += 1;
                facts.origin.insert(id.clone(), (row.name.clone(), *made));
                if is_ticket(row) {
                    facts.tickets.insert(execution(row).to_owned(), actor);
                }
            }
            if is_ticket(row)
                && let Some((_, mark)) = row.name.split_once('.')
            {
                let marks = &mut facts.marks;
                let first = marks.entry(execution(row).to_owned());
                first.or_insert_with(|| mark.to_owned());
            }
        }
        if let (Some(name), None) = (call.strip_prefix("start container "), fault)
            && let Some((id, row)) = world.container(name)
            && row.started_at.is_some()
            // One that was started already does not begin anew.
            && facts.begun.insert(id.clone())
        {
            *facts.starts.entry(name.to_owned()).or_default() += 1;
            let began = facts.began_with_lease.get(&actor) == Some(&true);
            match too_much(world, now) {
                Some(_) if facts.lapsed && began && !has_the_lease => facts.too_late += 1,
                wrong => wrongs.extend(wrong),
            }
        }
    }
    for wrong in wrongs {
        table.wrong(wrong);
    }
}

/// Nodes on which more runs than they have.
fn too_much(world: &World, now: Timestamp) -> Option<String> {
    let mut used: BTreeMap<&str, u64> = BTreeMap::new();
    for row in world.containers.values().filter(|row| row.runs(now)) {
        *used.entry(world.node_of(row)).or_default() += row.millicores;
    }
    let full = |node: &&zoe::engine::memory::NodeRow| {
        used.get(node.name.as_str())
            .is_some_and(|used| *used > node.millicores)
    };
    let node = world.nodes.iter().find(full)?;
    Some(format!(
        "more runs on node {} than it has room for",
        node.name
    ))
}
