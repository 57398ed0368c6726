//! What must hold whenever a container is set going, whatever has happened before.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use zoe::engine::memory::{ContainerRow, World};
use zoe::model::{Outcome, RequiredEnd, Ticket};

use crate::facts::{execution, is_ticket};
use crate::store::Rows;
use crate::table::Facts;

/// What is wrong with it that this container was started just now.
pub fn of_a_start(
    world: &World,
    rows: &Rows,
    facts: &Facts,
    started: &ContainerRow,
    now: Timestamp,
) -> Vec<String> {
    let id = execution(started);
    let mut wrong: Vec<String> = too_much(world, now).into_iter().collect();
    let Some(ticket) = facts.terms.get(id) else {
        wrong.push(format!("{id} was started without a ticket"));
        return wrong;
    };
    wrong.extend(at_once(world, facts, ticket, now));
    let mut tickets = world.containers.values().filter(|row| is_ticket(row));
    if !tickets.any(|row| execution(row) == id) {
        wrong.push(format!("{id} was started after its ticket was gone"));
    }
    if facts.history_broken {
        return wrong;
    }
    if rows.held(id).unwrap_or(ticket.terms.held) {
        wrong.push(format!("{id} was started while it was held"));
    }
    wrong.extend(before_its_turn(world, rows, ticket));
    wrong.extend(too_often(rows, facts, id));
    wrong
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

/// Whether more of an array run than may: their monitors, as one whose program has ended does not run any more.
fn at_once(world: &World, facts: &Facts, ticket: &Ticket, now: Timestamp) -> Option<String> {
    let place = ticket.terms.array?;
    let most = place.at_once?;
    let of_it = |id: &&str| {
        let terms = facts.terms.get(*id).map(|ticket| &ticket.terms);
        let array = terms.and_then(|terms| terms.array);
        array.is_some_and(|other| other.array == place.array)
    };
    let running = world.containers.values().filter(|row| row.runs(now));
    let running = running.filter(|row| row.name.ends_with("-main-0"));
    let running: BTreeSet<&str> = running.map(execution).filter(of_it).collect();
    let many = running.len() > most as usize;
    many.then(|| format!("{} of an array run at once, not {most}", running.len()))
}

/// Whether it had to wait for another that is not over, or not over as it has to be.
fn before_its_turn(world: &World, rows: &Rows, ticket: &Ticket) -> Option<String> {
    let id = &ticket.id;
    ticket.terms.after.iter().find_map(|dependency| {
        let other = dependency.execution.as_str();
        let mut tickets = world.containers.values().filter(|row| is_ticket(row));
        if tickets.any(|row| execution(row) == other) {
            return Some(format!("{id} was started while {other} was still there"));
        }
        let end = rows.records.get(other).and_then(|row| row.end.as_ref());
        match (dependency.end, end) {
            (RequiredEnd::Any, Some(_)) | (_, Some((_, Outcome::Finished))) => None,
            (_, end) => Some(format!("{id} was started though {other} ended as {end:?}")),
        }
    })
}

/// Whether its program was started once more than is written down.
fn too_often(rows: &Rows, facts: &Facts, id: &str) -> Option<String> {
    let starts = facts.starts.get(&format!("zoe-lab-{id}-main-0"))?;
    let count = |kind| rows.events_of(id, kind).len();
    let (failed, attempts) = (count("start-failed"), count("attempt-failed"));
    (*starts > 1 + failed + attempts).then(|| {
        format!(
            "the program of {id} was started {starts} times, {failed} starts and {attempts} attempts failed"
        )
    })
}
