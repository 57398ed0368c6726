//! What has happened in Docker, and what must never happen there.

use std::sync::PoisonError;

use jiff::Timestamp;
use zoe::engine::memory::{ContainerRow, Fault, World};
use zoe::labels::{self, Decoded};

use crate::pace::Calls;
use crate::rules;
use crate::table::{Facts, fold};

fn label<'r>(row: &'r ContainerRow, key: &str) -> &'r str {
    row.labels.get(key).map_or("", String::as_str)
}

pub fn is_ticket(row: &ContainerRow) -> bool {
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
    let mut wrongs = Vec::new();
    {
        let rows = calls.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inner = table.lock();
        let now = Timestamp::from_millisecond(inner.now).unwrap();
        let facts = &mut inner.facts;
        for (id, row) in &world.containers {
            if !facts.origin.contains_key(id) {
                let made = facts.made.entry(row.name.clone()).or_default();
                *made += 1;
                facts.origin.insert(id.clone(), (row.name.clone(), *made));
                note_ticket(facts, row, actor);
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
            wrongs = rules::of_a_start(world, &rows, facts, row, now);
        }
    }
    for wrong in wrongs {
        table.wrong(wrong);
    }
}

fn note_ticket(facts: &mut Facts, row: &ContainerRow, actor: usize) {
    if let Some(Ok((_, Decoded::Ticket(ticket)))) = labels::decode(&row.labels) {
        let id = ticket.id.to_string();
        facts.tickets.insert(id.clone(), actor);
        facts.order.push(id.clone());
        facts.terms.insert(id, *ticket);
    }
}
