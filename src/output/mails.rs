//! Mails in the outbox: what `mail queue` prints.

use serde::Serialize;

use super::Look;
use super::grid::{Cell, Fit, Grid, Tone};
use super::schema::pretty;
use super::text::{ago, length, rfc3339};
use crate::store::{LetterState, Posted};

#[derive(Debug, Serialize)]
struct Document<'a> {
    id: &'a str,
    execution: &'a str,
    kind: &'static str,
    user: &'a str,
    recipient: &'a str,
    subject: &'a str,
    message_id: &'a str,
    state: &'static str,
    created_at: String,
    tries: u32,
    next_at: Option<String>,
    settled_at: Option<String>,
    error: Option<&'a str>,
}

/// Mails as one JSON array.
pub fn json(mails: &[Posted]) -> String {
    let documents = mails.iter().map(|one| {
        let waits = one.state == LetterState::Waiting;
        let at = rfc3339(one.next_at);
        Document {
            id: &one.cover.id,
            execution: one.cover.execution.as_str(),
            kind: one.cover.kind.word(),
            user: &one.cover.user,
            recipient: &one.cover.recipient,
            subject: &one.cover.subject,
            message_id: &one.cover.message_id,
            state: one.state.word(),
            created_at: rfc3339(one.cover.created_at),
            tries: one.tries,
            next_at: waits.then(|| at.clone()),
            settled_at: (!waits).then_some(at),
            error: one.last_error.as_deref(),
        }
    });
    pretty(&documents.collect::<Vec<_>>())
}

/// Mails as a table.
pub fn table(mails: &[Posted], look: &Look) -> String {
    let mut grid = Grid::new(&[
        ("ID", Fit::Whole),
        ("TO", Fit::Cut(32)),
        ("ABOUT", Fit::Whole),
        ("STATE", Fit::Whole),
        ("TRIES", Fit::Number),
        ("AGE", Fit::Whole),
        ("NEXT TRY", Fit::Whole),
        ("LAST ERROR", Fit::Wrap),
    ]);
    grid.give_up(&["AGE", "ABOUT"]);
    for one in mails {
        let next = (one.state == LetterState::Waiting).then(|| {
            let left = one.next_at.duration_since(look.now);
            if left.is_positive() {
                format!("in {}", length(left))
            } else {
                "now".to_owned()
            }
        });
        let tone = match one.state {
            LetterState::Failed => Tone::Bad,
            LetterState::Waiting | LetterState::Sent | LetterState::Dropped => Tone::Plain,
        };
        grid.row(vec![
            Cell::plain(&one.cover.id),
            Cell::plain(&one.cover.recipient),
            Cell::plain(one.cover.kind.word()),
            Cell::new(one.state.word(), tone),
            Cell::plain(one.tries.to_string()),
            Cell::plain(ago(look.now, one.cover.created_at)),
            Cell::maybe(next),
            Cell::plain(one.last_error.as_deref().unwrap_or_default()),
        ]);
    }
    grid.render(look)
}
