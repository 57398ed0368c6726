//! From what Docker and history know to what people are shown.

use super::submit::resubmit;
use super::view::{ComponentView, ContainerView, ExecutionView, NamedUrl, State, TermsView};
use crate::apps;
use crate::model::{
    Component, Execution, Instance, InstanceState, Mark, Outcome, Phase, Plan, Private, Protocol,
    Snapshot, Step, Ticket,
};
use crate::proxy::Site;
use crate::scheduler::{Known, Past};
use crate::store::{Record, Used};

/// An execution that is alive; what it waits for is said with the names of what was seen beside it. With `private` the URLs carry what their owner needs, such as a
/// token; with `site` they are those of the web server, where it was submitted to be behind one.
pub(super) fn alive(
    execution: &Execution,
    plan: Option<(&Plan, &Snapshot)>,
    known: Option<&Known>,
    private: Option<&Private>,
    site: Option<&Site>,
) -> ExecutionView {
    let ticket = &execution.ticket;
    let goes_again = goes_again(execution, plan, known);
    let decisive = execution.decisive_exit().filter(|_| !goes_again);
    let reason = if goes_again {
        Some("it failed, and is run again once that run is cleared away".to_owned())
    } else {
        reason(execution, plan)
    };
    ExecutionView {
        id: ticket.id,
        name: ticket.name.to_string(),
        user: ticket.user.clone(),
        application: ticket.application.name.clone(),
        state: state(execution.phase()),
        reason,
        terms: terms(execution, known.and_then(|known| known.past(ticket.id))),
        activity: None,
        submitted_at: ticket.submitted_at,
        // A list of Docker's has whole seconds; it did not begin before it was submitted.
        started_at: execution.started_at().map(|at| at.max(ticket.submitted_at)),
        finished_at: decisive.and_then(|instance| instance.finished_at),
        run_time: None,
        exit_code: decisive.and_then(Instance::exit_code),
        urls: urls(execution, private, site),
        components: components(ticket, |component| {
            let asked = known.and_then(|known| known.past(ticket.id)?.sizes.get(&component.name));
            let most = component.members();
            (
                running(execution, component),
                asked.map_or(most, |asked| most.min(*asked)),
            )
        }),
        containers: containers(execution),
    }
}

/// Whether its program has failed and is run once more: it is not over, and the plan does not end it.
fn goes_again(
    execution: &Execution,
    plan: Option<(&Plan, &Snapshot)>,
    known: Option<&Known>,
) -> bool {
    let Ticket { id, ref terms, .. } = execution.ticket;
    let ends = |step: &Step| matches!(step, Step::End { execution, .. } if *execution == id);
    let is_known = known.is_some_and(|known| known.past(id).is_some());
    let may = execution.mark.is_none() && terms.retries.most > 0 && is_known;
    let stays = |(plan, snapshot): (&Plan, &Snapshot)| {
        snapshot.gaps.is_empty() && !plan.steps.iter().any(ends)
    };
    may && execution.phase() == Phase::Ending(Mark::Ending) && plan.is_some_and(stays)
}

/// Without a past an execution that may be run again is not known to run for the first time.
fn terms(execution: &Execution, past: Option<&Past>) -> TermsView {
    let Ticket { terms, timeout, .. } = &execution.ticket;
    let held = past.and_then(|past| past.held).unwrap_or(terms.held);
    let failed = match past {
        Some(past) => Some(past.failed()),
        None => (terms.retries.most == 0).then_some(0),
    };
    TermsView {
        priority: terms.priority,
        after: terms.after.iter().map(ToString::to_string).collect(),
        array: terms.array.map(|place| (place.array, place.index)),
        retries: terms.retries.most,
        retry_on: terms.retries.codes.iter().copied().collect(),
        attempt: failed.map(|failed| failed.saturating_add(1)),
        held: held && execution.phase() == Phase::Queued,
        time_limit: *timeout,
        idle_timeout: terms.idle_timeout.map(|timeout| timeout.to_string()),
    }
}

fn state(phase: Phase) -> State {
    match phase {
        Phase::Queued => State::Queued,
        Phase::Starting => State::Starting,
        Phase::Running { .. } => State::Running,
        Phase::Ending(_) => State::Ending,
    }
}

fn reason(execution: &Execution, plan: Option<(&Plan, &Snapshot)>) -> Option<String> {
    match execution.phase() {
        Phase::Queued => {
            let id = execution.ticket.id;
            let (plan, snapshot) = plan?;
            let waiting = plan.waiting.iter().find(|waiting| waiting.execution == id);
            waiting.map(|waiting| waiting.reason.in_words(&snapshot.executions))
        }
        Phase::Starting | Phase::Running { .. } => troubles(execution),
        Phase::Ending(mark) => Some(
            match mark {
                Mark::Ending => "it has ended and is to be removed",
                Mark::Cancelled => "it was cancelled and is to be removed",
                Mark::TimedOut => "it ran out of time and is to be removed",
                Mark::Failed => "it could not be started and is to be removed",
                Mark::Lost => "a node it was on is gone, and it is to be removed",
            }
            .to_owned(),
        ),
    }
}

/// What is wrong with members though the execution goes on.
fn troubles(execution: &Execution) -> Option<String> {
    let troubles: Vec<String> = execution.instances.iter().filter_map(trouble).collect();
    if troubles.is_empty() {
        None
    } else {
        Some(troubles.join(", "))
    }
}

fn trouble(instance: &Instance) -> Option<String> {
    let what = match (instance.state, &instance.note) {
        (InstanceState::Exited { code }, _) => format!("exited with {code}"),
        (InstanceState::Rejected, Some(note)) => format!("was rejected: {note}"),
        (InstanceState::Rejected, None) => "was rejected".to_owned(),
        (InstanceState::Lost { since }, _) => {
            let since = since.map_or_else(String::new, |since| format!(" since {since:.0}"));
            format!("is on {}, which has been silent{since}", instance.node)
        }
        (InstanceState::Created | InstanceState::Other, Some(note)) => format!("waits: {note}"),
        (InstanceState::Created | InstanceState::Other, None) | (InstanceState::Running, _) => {
            return None;
        }
    };
    let key = &instance.key;
    Some(format!("{}-{} {what}", key.component, key.index))
}

fn running(execution: &Execution, component: &Component) -> u32 {
    let members = execution.members(component.name.as_str());
    u32::try_from(
        members
            .filter(|i| i.state == InstanceState::Running)
            .count(),
    )
    .unwrap_or(u32::MAX)
}

/// With how many members each has and is to have now: somebody may have asked for fewer than it may have.
fn components(ticket: &Ticket, members: impl Fn(&Component) -> (u32, u32)) -> Vec<ComponentView> {
    let components = ticket.application.components.iter();
    components
        .map(|component| {
            let (running, wanted) = members(component);
            ComponentView {
                name: component.name.to_string(),
                image: apps::image_reference(&ticket.registry, &component.image),
                wanted,
                running,
                cores: component.cores,
                memory: component.reservation().memory,
            }
        })
        .collect()
}

fn containers(execution: &Execution) -> Vec<ContainerView> {
    let instances = execution.instances.iter();
    instances
        .map(|instance| ContainerView {
            component: instance.key.component.to_string(),
            index: instance.key.index,
            node: instance.node.clone(),
            container_id: instance.container_id.clone(),
            state: match instance.state {
                InstanceState::Created => "created",
                InstanceState::Running => "running",
                InstanceState::Exited { .. } => "exited",
                InstanceState::Rejected => "rejected",
                InstanceState::Lost { .. } => "lost",
                InstanceState::Other => "other",
            }
            .to_owned(),
            exit_code: instance.exit_code(),
            address: instance.address,
            note: instance.note.clone(),
        })
        .collect()
}

/// The web interfaces that can be reached now: the first member's, and of a component with several each one's.
fn urls(execution: &Execution, private: Option<&Private>, site: Option<&Site>) -> Vec<NamedUrl> {
    let ticket = &execution.ticket;
    let mut urls = Vec::new();
    for component in &execution.ticket.application.components {
        for instance in execution.members(component.name.as_str()) {
            for port in component
                .ports
                .iter()
                .filter(|port| port.protocol == Protocol::Http)
            {
                let Some(address) = instance.public_address(port.container) else {
                    continue;
                };
                let index = instance.key.index;
                let path = ticket.path_of(component, index, port);
                let base = match site.zip(path) {
                    Some((site, path)) => format!("{}{path}", site.origin(ticket.id)),
                    None => format!("http://{address}{}", ticket.base_of(component, index, port)),
                };
                urls.push(NamedUrl {
                    name: port.name_at(component, index),
                    url: apps::port_url(ticket, port, &base, private),
                });
            }
        }
    }
    urls
}

/// An execution that only history knows.
pub(super) fn past(record: &Record) -> ExecutionView {
    let (state, reason) = match record.end.as_ref().map(|(_, outcome)| outcome) {
        None => (
            State::Ending,
            Some("history does not know yet how it ended".to_owned()),
        ),
        Some(Outcome::Finished) => (State::Finished, None),
        Some(Outcome::Failed { reason, .. }) => (State::Failed, Some(reason.clone())),
        Some(Outcome::TimedOut) => (State::Failed, Some("it ran out of time".to_owned())),
        Some(Outcome::Cancelled { by: Some(by) }) => {
            (State::Cancelled, Some(format!("cancelled by {by}")))
        }
        Some(Outcome::Cancelled { by: None }) => (State::Cancelled, None),
    };
    ExecutionView {
        id: record.id,
        name: record.name.clone(),
        user: record.user.clone(),
        application: record.application.clone(),
        state,
        reason,
        terms: past_terms(record),
        activity: None,
        submitted_at: record.submitted_at,
        started_at: record.started_at,
        finished_at: record.end.as_ref().map(|(at, _)| *at),
        run_time: record.used.as_ref().map(Used::ran),
        exit_code: record.end.as_ref().map(|(_, outcome)| outcome.exit_code()),
        urls: Vec::new(),
        components: past_components(record),
        containers: Vec::new(),
    }
}

/// What runs only once has run once, if it did.
fn past_terms(record: &Record) -> TermsView {
    let terms = resubmit::shown(record.terms.as_deref());
    let once = (terms.retries == 0 && record.started_at.is_some()).then_some(1);
    TermsView {
        attempt: once,
        ..terms
    }
}

/// What its parts were; nothing where an older zoe wrote a description that this one can't read.
fn past_components(record: &Record) -> Vec<ComponentView> {
    let Ok(application) = apps::from_json(&record.description) else {
        return Vec::new();
    };
    let components = application.components.iter();
    components
        .map(|component| ComponentView {
            name: component.name.to_string(),
            image: component.image.clone(),
            wanted: component.members(),
            running: 0,
            cores: component.cores,
            memory: component.reservation().memory,
        })
        .collect()
}
