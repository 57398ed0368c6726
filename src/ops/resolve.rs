//! From what a person types to an execution: an id, a unique prefix of one, a name, or `last`; or to all of an array: its name.

use super::arrays;
use super::context::Context;
use super::error::{ErrorKind, OpsError};
use crate::engine::Scope;
use crate::model::{Execution, ExecutionId, Snapshot, ids};
use crate::store::{Query, Record};

/// Names the submission made last.
pub const LAST: &str = "last";

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Docker has it.
    Alive(Box<Execution>),
    /// Only history has it.
    Past(Box<Record>),
}

impl Found {
    /// Its id.
    pub fn id(&self) -> ExecutionId {
        match self {
            Self::Alive(execution) => execution.ticket.id,
            Self::Past(record) => record.id,
        }
    }

    /// Whether that is its id or its name.
    fn is_called(&self, text: &str) -> bool {
        match self {
            Self::Alive(execution) => {
                let ticket = &execution.ticket;
                ticket.id.as_str() == text || ticket.name.as_str() == text
            }
            Self::Past(record) => record.id.as_str() == text || record.name == text,
        }
    }
}

/// Finds what `text` means, among what is alive first, then in history. Of what is over by its whole id Docker need not be asked,
/// and may be away.
pub async fn resolve(context: &Context, text: &str) -> Result<Found, OpsError> {
    let snapshot = match context.backend.observe(Scope::Executions).await {
        Ok(snapshot) => snapshot,
        Err(error) => return over(context, text).await.ok_or_else(|| error.into()),
    };
    match resolve_in(context, &snapshot, text).await {
        Err(error) if error.kind == ErrorKind::NotFound => {
            let members = arrays::members(context, &snapshot, text).await;
            let first = members.ok().and_then(|all| all.into_iter().next());
            Err(first.map_or(error, |first| is_array(text, &first)))
        }
        found => found,
    }
}

/// What is over, by its whole id.
async fn over(context: &Context, text: &str) -> Option<Found> {
    let id: ExecutionId = text.parse().ok()?;
    let store = context.history.open().await.ok()?;
    let record = store.get(&context.settings.deployment, id).await.ok()??;
    let is_over = record.end.is_some();
    is_over.then(|| Found::Past(Box::new(record)))
}

/// That a name means several where one is wanted.
fn is_array(text: &str, first: &Found) -> OpsError {
    let name = match first {
        Found::Alive(execution) => execution.ticket.name.as_str(),
        Found::Past(record) => &record.name,
    };
    let text = ids::shorten(text);
    let message = format!("'{text}' is an array, and one execution is wanted");
    OpsError::new(ErrorKind::Conflict, message).hint(format!("name one of it, such as {name}"))
}

/// Finds what each text means, with one look at Docker; each execution once, in the order they were named. The name of an
/// array means all of it.
pub async fn resolve_all(context: &Context, texts: &[String]) -> Result<Vec<Found>, OpsError> {
    let snapshot = context.backend.observe(Scope::Executions).await?;
    let mut found: Vec<Found> = Vec::new();
    for text in texts {
        for one in resolve_several(context, &snapshot, text).await? {
            if found.iter().all(|other| other.id() != one.id()) {
                found.push(one);
            }
        }
    }
    Ok(found)
}

/// What a text means where it may mean several: one execution, or those of an array, by index.
pub(super) async fn resolve_several(
    context: &Context,
    snapshot: &Snapshot,
    text: &str,
) -> Result<Vec<Found>, OpsError> {
    let one = resolve_in(context, snapshot, text).await;
    let exact = match &one {
        Ok(found) => text == LAST || found.is_called(text),
        Err(error) => !matches!(error.kind, ErrorKind::NotFound | ErrorKind::Conflict),
    };
    if exact {
        return Ok(vec![one?]);
    }
    // A name means more than the beginning of somebody's id.
    let members = arrays::members(context, snapshot, text).await?;
    if members.is_empty() {
        return Ok(vec![one?]);
    }
    Ok(members)
}

pub(super) async fn resolve_in(
    context: &Context,
    snapshot: &Snapshot,
    text: &str,
) -> Result<Found, OpsError> {
    if text == LAST {
        return last(context, snapshot).await;
    }
    let alive = snapshot
        .executions
        .values()
        .filter(|e| matches(text, e.ticket.id, e.ticket.name.as_str()));
    if let Some(execution) = pick(text, alive, |e| (e.ticket.id, e.ticket.name.to_string()))? {
        return Ok(Found::Alive(Box::new(execution.clone())));
    }
    let past = past(context, text).await?;
    match pick(text, past.iter(), |record| (record.id, record.name.clone()))? {
        Some(record) => Ok(Found::Past(Box::new(record.clone()))),
        None => Err(none(&format!(
            "there is no execution '{}'",
            ids::shorten(text)
        ))),
    }
}

fn none(message: &str) -> OpsError {
    OpsError::new(ErrorKind::NotFound, message).hint("`zoe ps -a` lists them")
}

fn matches(text: &str, id: ExecutionId, name: &str) -> bool {
    !text.is_empty() && (id.as_str().starts_with(text) || name == text)
}

/// The one that is meant: an id in full before a name, a name before a prefix; several prefixes are a conflict.
fn pick<'a, T>(
    text: &str,
    candidates: impl Iterator<Item = &'a T>,
    facts: impl Fn(&T) -> (ExecutionId, String),
) -> Result<Option<&'a T>, OpsError> {
    let mut named = None;
    let mut prefixed = Vec::new();
    for candidate in candidates {
        let (id, name) = facts(candidate);
        if id.as_str() == text {
            return Ok(Some(candidate));
        }
        if name == text {
            // History lists the newest first; that is the one a name means.
            named = named.or(Some(candidate));
        } else {
            prefixed.push(candidate);
        }
    }
    match (named, prefixed.as_slice()) {
        (Some(one), _) => Ok(Some(one)),
        (None, [one]) => Ok(Some(*one)),
        (None, []) => Ok(None),
        (None, several) => {
            let list: Vec<String> = several
                .iter()
                .take(5)
                .map(|one| facts(one).0.to_string())
                .collect();
            let message = format!(
                "'{}' may mean {} executions: {}",
                ids::shorten(text),
                several.len(),
                list.join(", ")
            );
            Err(OpsError::new(ErrorKind::Conflict, message).hint("write more of the id"))
        }
    }
}

async fn past(context: &Context, text: &str) -> Result<Vec<Record>, OpsError> {
    let deployment = &context.settings.deployment;
    let store = context.history.open().await?;
    let by_name = Query {
        name: Some(text.to_owned()),
        limit: Some(1),
        ..Query::default()
    };
    let mut records = store.find(deployment, &by_name).await?;
    let is_prefix = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if is_prefix {
        let by_id = Query {
            id_prefix: Some(text.to_owned()),
            limit: Some(6),
            ..Query::default()
        };
        let known: Vec<ExecutionId> = records.iter().map(|record| record.id).collect();
        records.extend(
            store
                .find(deployment, &by_id)
                .await?
                .into_iter()
                .filter(|r| !known.contains(&r.id)),
        );
    }
    Ok(records)
}

async fn last(context: &Context, snapshot: &Snapshot) -> Result<Found, OpsError> {
    let user = &context.settings.user;
    let alive = snapshot
        .executions
        .values()
        .filter(|e| e.ticket.user == *user)
        .max_by_key(|e| e.ticket.submitted_at);
    let query = Query {
        user: Some(user.clone()),
        limit: Some(1),
        ..Query::default()
    };
    let past = match context.history.open().await {
        Ok(store) => store
            .find(&context.settings.deployment, &query)
            .await?
            .into_iter()
            .next(),
        // What is alive is known without the history.
        Err(error) if alive.is_none() => return Err(error.into()),
        Err(_) => None,
    };
    match (alive, past) {
        (Some(execution), Some(record)) if record.submitted_at > execution.ticket.submitted_at => {
            Ok(Found::Past(Box::new(record)))
        }
        (Some(execution), _) => Ok(Found::Alive(Box::new(execution.clone()))),
        (None, Some(record)) => Ok(Found::Past(Box::new(record))),
        (None, None) => Err(none(
            "you have not submitted anything yet, so there is no last execution",
        )),
    }
}
