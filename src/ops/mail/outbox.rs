//! What an operator sees of the outbox, and does about what can't be sent.

use crate::model::ids::shorten;
use crate::ops::context::Context;
use crate::ops::error::{ErrorKind, OpsError};
use crate::store::{LetterChange, LetterQuery, LetterState, Posted};

/// What is to be done with mails in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// They are to be tried again now.
    Retry,
    /// They are not to be sent.
    Drop,
}

/// What is in the outbox, the oldest first; of every state, or of one.
pub async fn queue(context: &Context, state: Option<LetterState>) -> Result<Vec<Posted>, OpsError> {
    let store = context.history.open().await?;
    let query = LetterQuery {
        state,
        ..LetterQuery::default()
    };
    Ok(store.outbox(&context.settings.deployment, &query).await?)
}

/// Has mails tried again, or dropped; those named, by their ids or the beginnings of them, or all that were given up. Returns
/// their ids.
pub async fn change(
    context: &Context,
    wish: Wish,
    named: &[String],
) -> Result<Vec<String>, OpsError> {
    let all = queue(context, None).await?;
    let mut chosen: Vec<&Posted> = Vec::new();
    for text in named {
        let one = choose(&all, text)?;
        if !chosen.iter().any(|other| other.cover.id == one.cover.id) {
            chosen.push(one);
        }
    }
    if named.is_empty() {
        chosen.extend(all.iter().filter(|one| one.state == LetterState::Failed));
    }
    let store = context.history.open().await?;
    let mut changed = Vec::new();
    for one in chosen {
        let at = context.now();
        let change = match wish {
            Wish::Retry => LetterChange::Retry { at },
            Wish::Drop => LetterChange::Drop { at },
        };
        let id = &one.cover.id;
        let deployment = &context.settings.deployment;
        if !store.settle(deployment, id, change).await? {
            return Err(OpsError::new(
                ErrorKind::Conflict,
                format!("{id} was sent already"),
            ));
        }
        changed.push(id.clone());
    }
    Ok(changed)
}

fn choose<'a>(all: &'a [Posted], text: &str) -> Result<&'a Posted, OpsError> {
    if let Some(exact) = all.iter().find(|one| one.cover.id == text) {
        return Ok(exact);
    }
    let mut fitting = all.iter().filter(|one| one.cover.id.starts_with(text));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) if !text.is_empty() => Ok(one),
        (Some(_), _) => Err(OpsError::new(
            ErrorKind::Conflict,
            format!("'{}' fits several mails", shorten(text)),
        )
        .hint("`zoe mail queue --all` lists them with their ids")),
        (None, _) => Err(OpsError::new(
            ErrorKind::NotFound,
            format!("there is no mail '{}'", shorten(text)),
        )
        .hint("`zoe mail queue --all` lists them with their ids")),
    }
}
