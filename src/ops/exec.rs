//! Running a command inside an execution.

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::history::past;
use super::resolve::{self, Found};
use super::rights;
use crate::engine::{EngineError, ExecRequest, ExecSession};
use crate::model::{Component, Execution, Instance, InstanceKey, InstanceState};

/// Begins a command in a member: of the component named (`worker`, or `worker-1` for one of several), or of the principal
/// one. The caller moves its input and output and then asks [`exit_code`].
pub async fn exec(
    context: &Context,
    text: &str,
    component: Option<&str>,
    request: &ExecRequest,
) -> Result<ExecSession, OpsError> {
    let found = resolve::resolve(context, text).await?;
    rights::check(context, "run a command in it", [&found]).await?;
    let execution = match found {
        Found::Alive(execution) => execution,
        Found::Past(record) => {
            let message = format!("{} is over; nothing can be run in it", record.id);
            return Err(
                OpsError::new(ErrorKind::NotFound, message).hint("`zoe logs` shows what it wrote")
            );
        }
    };
    let key = running_member(context, &execution, component).await?;
    let begun = context.backend.exec(&key, request).await;
    begun.map_err(|error| match way_round(&error, request) {
        Some(hint) => OpsError::failed(error.to_string()).hint(hint),
        None => error.into(),
    })
}

/// How a command gets into a container on a node that zoe can't reach.
fn way_round(error: &EngineError, request: &ExecRequest) -> Option<String> {
    let EngineError::OutOfReach {
        node, container, ..
    } = error
    else {
        return None;
    };
    let plain = |word: &String| {
        let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./=:,@%+".contains(c);
        !word.is_empty() && word.chars().all(harmless)
    };
    // A shell on the way would take other words apart.
    let command = if request.command.iter().all(plain) {
        request.command.join(" ")
    } else {
        "…".to_owned()
    };
    let how = match (request.terminal, request.input) {
        (Some(_), _) => " -it",
        (None, true) => " -i",
        (None, false) => "",
    };
    let tty = if request.terminal.is_some() {
        " -t"
    } else {
        ""
    };
    Some(format!(
        "say where the nodes' Engines are with [docker] node_url, or run: ssh{tty} {node} docker exec{how} {container} {command}"
    ))
}

/// The exit code of a command whose output has ended.
pub async fn exit_code(context: &Context, session: &str) -> Result<i64, OpsError> {
    Ok(context.backend.exec_exit_code(session).await?)
}

/// Tells a command the size of its terminal.
pub async fn resize(
    context: &Context,
    session: &str,
    columns: u16,
    rows: u16,
) -> Result<(), OpsError> {
    Ok(context.backend.exec_resize(session, columns, rows).await?)
}

async fn running_member(
    context: &Context,
    execution: &Execution,
    component: Option<&str>,
) -> Result<InstanceKey, OpsError> {
    let principal = execution
        .ticket
        .application
        .principal()
        .map(|component| component.name.to_string());
    let wanted = component
        .map(str::to_owned)
        .or(principal)
        .unwrap_or_default();
    let members = select(context, execution, &wanted).await?;
    let member = members
        .into_iter()
        .find(|instance| instance.state == InstanceState::Running)
        .ok_or_else(|| {
            OpsError::failed(format!(
                "no member of '{wanted}' is running in {}",
                execution.ticket.id
            ))
        })?;
    Ok(member.key.clone())
}

/// The members that `text` means: all of a component, or the one of that name and index.
pub(super) async fn select<'a>(
    context: &Context,
    execution: &'a Execution,
    text: &str,
) -> Result<Vec<&'a Instance>, OpsError> {
    let members: Vec<_> = execution
        .instances
        .iter()
        .filter(|i| {
            i.key.component.as_str() == text
                || format!("{}-{}", i.key.component, i.key.index) == text
        })
        .collect();
    let components = &execution.ticket.application.components;
    if !members.is_empty() || components.iter().any(|c| c.name.as_str() == text) {
        return Ok(members);
    }
    let member = text.rsplit_once('-').and_then(|(component, index)| {
        let index = index.parse::<u32>().ok()?;
        let component = components.iter().find(|c| c.name.as_str() == component)?;
        (index < component.members()).then_some(component)
    });
    Err(match member {
        Some(component) => no_member(context, execution, component, text).await,
        None => no_component(text, components.iter().map(|c| c.name.to_string())),
    })
}

/// There may be such a member, and there is none now: history knows why.
async fn no_member(
    context: &Context,
    execution: &Execution,
    component: &Component,
    text: &str,
) -> OpsError {
    let id = execution.ticket.id;
    let events = async {
        let store = context.history.open().await?;
        store.events(&context.settings.deployment, id).await
    };
    let events = events.await.unwrap_or_default();
    let why = events.iter().rev().find_map(|event| {
        let resized =
            || past::read_resized(&event.detail).filter(|(name, ..)| *name == component.name);
        match event.kind.as_str() {
            past::RESIZED => resized().map(|(_, before, after)| {
                format!("was given up by a resize (from {before} to {after} members)")
            }),
            past::DROPPED => {
                let why = event.detail.strip_prefix(text)?.strip_prefix(' ')?;
                Some(format!("was removed: it {why}"))
            }
            _ => None,
        }
    });
    let why = why.unwrap_or_else(|| "is not there now".to_owned());
    OpsError::new(ErrorKind::NotFound, format!("{text} {why}"))
        .hint("what it wrote is in `zoe logs` once the execution is over")
}

/// There is no such component; these there are.
pub(super) fn no_component(text: &str, there: impl Iterator<Item = String>) -> OpsError {
    let mut there: Vec<String> = there.collect();
    // Each of its members may have been given.
    there.dedup();
    let message = format!("it has no component '{}'", crate::model::ids::shorten(text));
    OpsError::new(ErrorKind::NotFound, message)
        .hint(format!("its components are: {}", there.join(", ")))
}
