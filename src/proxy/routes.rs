//! From what was seen of Docker to routes. Pure.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use thiserror::Error;

use crate::model::{
    Component, Execution, ExecutionId, Instance, InstanceKey, InstanceState, Phase, Port, Snapshot,
};

/// One web port of one member, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Whose it is.
    pub execution: ExecutionId,
    /// What people call it: `master/web`.
    pub name: String,
    /// The last part of the execution's path, which nobody guesses.
    pub token: String,
    /// The path below that: `master/web`.
    pub place: String,
    /// The whole path on the web server, without `/` at its end.
    pub path: String,
    /// Where the container's port is reached.
    pub upstream: SocketAddr,
    /// Whether it serves below that path; otherwise it serves from `/` on.
    pub base_path: bool,
}

/// Why no routes can be told.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not all of Docker could be seen ({what}), so the routes stay as they are")]
pub struct Incomplete {
    /// What could not be read, and why.
    pub what: String,
}

/// All routes, by execution and in the order of its description: the same ones give the same list. None are told where
/// something could not be read: a route is never dropped because of a silence.
pub fn routes(snapshot: &Snapshot) -> Result<Vec<Route>, Incomplete> {
    if let Some(gap) = snapshot.gaps.first() {
        return Err(Incomplete {
            what: format!("{}: {}", gap.what, gap.error),
        });
    }
    let usurpers = usurpers(snapshot);
    let executions = snapshot.executions.values();
    let executions = executions.filter(|one| !usurpers.contains_key(&one.ticket.id));
    Ok(executions.flat_map(of_execution).collect())
}

/// Those that have the path of another, which zoe gives to nobody, with whose it is: it stays with the one that was submitted
/// first. They get no routes.
pub fn usurpers(snapshot: &Snapshot) -> BTreeMap<ExecutionId, ExecutionId> {
    let mut tickets: Vec<_> = snapshot.executions.values().map(|e| &e.ticket).collect();
    tickets.sort_by_key(|ticket| (ticket.submitted_at, ticket.id));
    let mut owners = BTreeMap::new();
    let mut usurpers = BTreeMap::new();
    for ticket in tickets {
        let Some(path) = &ticket.proxy else {
            continue;
        };
        let owner = *owners.entry(path.token()).or_insert(ticket.id);
        if owner != ticket.id {
            usurpers.insert(ticket.id, owner);
        }
    }
    usurpers
}

/// The routes of one execution, none once it is to end.
fn of_execution(execution: &Execution) -> Vec<Route> {
    if let Phase::Ending(_) | Phase::Queued = execution.phase() {
        return Vec::new();
    }
    to(execution, |_| true)
}

/// The routes to some members of an execution, whatever is to become of it.
pub fn to(execution: &Execution, is_meant: impl Fn(&InstanceKey) -> bool) -> Vec<Route> {
    let mut routes = Vec::new();
    for component in &execution.ticket.application.components {
        let members = execution.members(component.name.as_str());
        for instance in members.filter(|instance| is_meant(&instance.key)) {
            for port in &component.ports {
                routes.extend(route(execution, component, instance, port));
            }
        }
    }
    routes
}

fn route(
    execution: &Execution,
    component: &Component,
    instance: &Instance,
    port: &Port,
) -> Option<Route> {
    // One that is lost may be there still: it is its node that is silent.
    let (InstanceState::Running | InstanceState::Lost { .. }) = instance.state else {
        return None;
    };
    let ticket = &execution.ticket;
    let index = instance.key.index;
    Some(Route {
        execution: ticket.id,
        name: port.name_at(component, index),
        token: ticket.proxy.as_ref()?.token().to_owned(),
        place: ticket.place_of(component, index, port)?,
        path: ticket.path_of(component, index, port)?,
        upstream: instance.public_address(port.container)?,
        base_path: port.base_path,
    })
}
