//! The outbox as rows: mails that are to be sent or were. The statements, and how their results are understood. No database
//! here, and no sending.
//!
//! A mail goes out at least once. Who is about to send one claims it, for as long as that may take: others leave it alone until
//! then. Who dies in between has sent it or has not, and the next one sends it (again) with the same message id.

use jiff::{SignedDuration, Timestamp};

use super::dialect::{Merge, Table};
use super::rows::{self, Value};
use super::{Result, StoreError};
use crate::model::{Deployment, ExecutionId, MailKind, ids};

/// A mail as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What is on its outside.
    pub cover: Cover,
    /// What it says.
    pub bodies: Bodies,
}

/// What is on a mail's outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Made of the execution and what it is about; there is one of each in a deployment.
    pub id: String,
    /// About which execution.
    pub execution: ExecutionId,
    /// About what.
    pub kind: MailKind,
    /// Whose execution it is.
    pub user: String,
    /// To which address.
    pub recipient: String,
    /// The header, with its angle brackets; the same however often it is sent.
    pub message_id: String,
    /// In one line.
    pub subject: String,
    /// When it was written.
    pub created_at: Timestamp,
}

/// What a mail says, twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bodies {
    /// For those who read plain text.
    pub text: String,
    /// The same in HTML.
    pub html: String,
}

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LetterState {
    /// It is still to be sent.
    Waiting,
    /// The server has taken it.
    Sent,
    /// It was given up.
    Failed,
    /// Somebody did not want it to be sent.
    Dropped,
}

impl LetterState {
    const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Failed, Self::Dropped];

    /// The word for it, in rows and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

/// A mail in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// What is on its outside.
    pub cover: Cover,
    /// Where it stands.
    pub state: LetterState,
    /// Since when it has been tried: the first time that it was in vain. Before that, when it was written.
    pub since: Timestamp,
    /// How often that was in vain.
    pub tries: u32,
    /// When it may be tried next; of one that does not wait any more, since when.
    pub next_at: Timestamp,
    /// Who is sending it, and until when nobody else is to.
    pub claim: Option<(String, Timestamp)>,
    /// Why the last try was in vain.
    pub last_error: Option<String>,
}

/// Which mails; the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LetterQuery {
    /// Only in this state.
    pub state: Option<LetterState>,
    /// Only what may be tried by then.
    pub due: Option<Timestamp>,
    /// Only the one of this id.
    pub id: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// Who takes a mail to send it, and for how long nobody else is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterClaim<'a> {
    /// Who.
    pub holder: &'a str,
    /// The time now.
    pub now: Timestamp,
    /// For so long.
    pub length: SignedDuration,
    /// Whose claim counts for nothing any more.
    pub displace: Option<&'a str>,
}

/// What becomes of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetterChange<'a> {
    /// The server has taken it. Its bodies are not needed any more.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// It could not be sent and is tried again; only for who holds the claim.
    Again {
        /// Who.
        holder: &'a str,
        /// Why.
        why: &'a str,
        /// When; of the first time, since when it has been tried.
        at: Timestamp,
        /// Not before then.
        next_at: Timestamp,
    },
    /// It is given up; only for who holds the claim.
    GiveUp {
        /// Who.
        holder: &'a str,
        /// Why.
        why: &'a str,
        /// When.
        at: Timestamp,
    },
    /// It is to be tried again from now on, unless it was sent.
    Retry {
        /// When.
        at: Timestamp,
    },
    /// It is not to be sent, unless it was.
    Drop {
        /// When.
        at: Timestamp,
    },
}

/// The table; what is there stays as it is.
pub const OUTBOX: Table = Table {
    name: "outbox",
    key: &["deployment", "id"],
    columns: &[
        ("deployment", Merge::Keep),
        ("id", Merge::Keep),
        ("execution", Merge::Keep),
        ("kind", Merge::Keep),
        ("user_name", Merge::Keep),
        ("recipient", Merge::Keep),
        ("message_id", Merge::Keep),
        ("subject", Merge::Keep),
        ("body_text", Merge::Keep),
        ("body_html", Merge::Keep),
        ("created_at", Merge::Keep),
        ("since", Merge::Keep),
        ("state", Merge::Keep),
        ("tries", Merge::Keep),
        ("next_at", Merge::Keep),
        ("claimed_by", Merge::Keep),
        ("claimed_until", Merge::Keep),
    ],
};

/// Removes the mails about an execution; its values are the deployment and the execution.
pub const FORGET: &str = "DELETE FROM outbox WHERE deployment = ? AND execution = ?";

const COLUMNS: &str = "id, execution, kind, user_name, recipient, message_id, subject, created_at, \
     since, state, tries, next_at, claimed_by, claimed_until, last_error";

/// A row of [`find`] as a driver hands it out.
pub type LetterRow = (
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    i64,
    i64,
    String,
    i64,
    i64,
    String,
    i64,
    Option<String>,
);

fn text(value: impl Into<String>) -> Value {
    Value::Text(Some(value.into()))
}

fn time(at: Timestamp) -> Value {
    Value::Number(Some(at.as_millisecond()))
}

/// A new mail's values, in the order of [`OUTBOX`].
pub fn letter_values(deployment: &Deployment, letter: &Letter) -> Vec<Value> {
    let Letter { cover, bodies } = letter;
    vec![
        text(deployment.as_str()),
        text(&cover.id),
        text(cover.execution.as_str()),
        text(cover.kind.word()),
        text(&cover.user),
        text(&cover.recipient),
        text(&cover.message_id),
        text(&cover.subject),
        text(&bodies.text),
        text(&bodies.html),
        time(cover.created_at),
        time(cover.created_at),
        text(LetterState::Waiting.word()),
        Value::Number(Some(0)),
        time(cover.created_at),
        text(""),
        Value::Number(Some(0)),
    ]
}

/// The statement that removes what has not waited any more since before then, and its values.
pub fn clear(deployment: &Deployment, before: Timestamp) -> (String, Vec<Value>) {
    let sql = "DELETE FROM outbox WHERE deployment = ? AND state <> 'waiting' AND next_at < ?";
    (
        sql.to_owned(),
        vec![text(deployment.as_str()), time(before)],
    )
}

/// The statement that reads what a mail says, and its values.
pub fn bodies(deployment: &Deployment, id: &str) -> (String, Vec<Value>) {
    let sql = "SELECT body_text, body_html FROM outbox WHERE deployment = ? AND id = ?";
    (sql.to_owned(), vec![text(deployment.as_str()), text(id)])
}

/// The statement that finds mails, and its values.
pub fn find(deployment: &Deployment, query: &LetterQuery) -> (String, Vec<Value>) {
    let mut sql = format!("SELECT {COLUMNS} FROM outbox WHERE deployment = ?");
    let mut values = vec![text(deployment.as_str())];
    let conditions = [
        (
            " AND state = ?",
            query.state.map(|state| text(state.word())),
        ),
        (" AND next_at <= ?", query.due.map(time)),
        (" AND id = ?", query.id.as_ref().map(text)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            sql.push_str(condition);
            values.push(value);
        }
    }
    sql.push_str(" ORDER BY created_at, id");
    if let Some(limit) = query.limit {
        sql.push_str(" LIMIT ?");
        values.push(Value::Number(Some(limit.into())));
    }
    (sql, values)
}

/// The statement that takes a mail to send it, and its values: it changes one row if nobody else has it.
pub fn claim(deployment: &Deployment, id: &str, claim: &LetterClaim<'_>) -> (String, Vec<Value>) {
    let sql = "UPDATE outbox SET claimed_by = ?, claimed_until = ? WHERE deployment = ? AND id = ? \
         AND state = 'waiting' AND next_at <= ? AND (claimed_until <= ? OR claimed_by = ?)";
    let until = claim.now.checked_add(claim.length);
    let values = vec![
        text(claim.holder),
        time(until.unwrap_or(Timestamp::MAX)),
        text(deployment.as_str()),
        text(id),
        time(claim.now),
        time(claim.now),
        // Nobody is called so: the claim of somebody who is alive is waited for, one's own as well.
        text(claim.displace.unwrap_or_default()),
    ];
    (sql.to_owned(), values)
}

/// The statement that notes what becomes of a mail, and its values.
pub fn change(
    deployment: &Deployment,
    id: &str,
    change: &LetterChange<'_>,
) -> (String, Vec<Value>) {
    const FREE: &str = "claimed_by = '', claimed_until = 0";
    let (set, condition, values, holder) = match change {
        LetterChange::Sent { at } => (
            format!(
                "state = 'sent', body_text = '', body_html = '', last_error = NULL, next_at = ?, {FREE}"
            ),
            "",
            vec![time(*at)],
            None,
        ),
        LetterChange::Again {
            holder,
            why,
            at,
            next_at,
        } => (
            // MySQL looks at what is changed already: `since` goes first.
            format!(
                "since = CASE WHEN tries = 0 THEN ? ELSE since END, tries = tries + 1, last_error = ?, next_at = ?, {FREE}"
            ),
            " AND state = 'waiting' AND claimed_by = ?",
            vec![time(*at), text(*why), time(*next_at)],
            Some(text(*holder)),
        ),
        LetterChange::GiveUp { holder, why, at } => (
            format!("state = 'failed', tries = tries + 1, last_error = ?, next_at = ?, {FREE}"),
            " AND state = 'waiting' AND claimed_by = ?",
            vec![text(*why), time(*at)],
            Some(text(*holder)),
        ),
        LetterChange::Retry { at } => (
            "state = 'waiting', tries = 0, since = ?, next_at = ?".to_owned(),
            " AND state <> 'sent'",
            vec![time(*at), time(*at)],
            None,
        ),
        LetterChange::Drop { at } => (
            "state = 'dropped', next_at = ?".to_owned(),
            " AND state <> 'sent'",
            vec![time(*at)],
            None,
        ),
    };
    let sql = format!("UPDATE outbox SET {set} WHERE deployment = ? AND id = ?{condition}");
    let key = [text(deployment.as_str()), text(id)];
    let values = values.into_iter().chain(key).chain(holder).collect();
    (sql, values)
}

/// Understands a row of [`find`].
pub fn read_letter(row: LetterRow) -> Result<Posted> {
    let (id, execution, kind, user, recipient, message_id, subject, ..) = row;
    let (created_at, since, state, tries, next_at, holder, until) =
        (row.7, row.8, row.9, row.10, row.11, row.12, row.13);
    let garbled = |column: &str, word: &str| StoreError::Garbled {
        what: format!("{column} of mail '{}'", ids::shorten(&id)),
        why: format!("'{}' is none", ids::shorten(word)),
    };
    let at = |column: &str, ms: i64| rows::read_time(&format!("{column} of a mail"), ms);
    let found = LetterState::ALL.into_iter();
    let found = found
        .into_iter()
        .find(|known| known.word() == state.as_str());
    let claim = match holder.as_str() {
        "" => None,
        _ => Some((holder, at("claimed_until", until)?)),
    };
    Ok(Posted {
        state: found.ok_or_else(|| garbled("the state", &state))?,
        since: at("since", since)?,
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
        next_at: at("next_at", next_at)?,
        claim,
        last_error: row.14,
        cover: Cover {
            execution: rows::read_id(&execution)?,
            kind: kind.parse().map_err(|_| garbled("the kind", &kind))?,
            user,
            recipient,
            message_id,
            subject,
            created_at: at("created_at", created_at)?,
            id,
        },
    })
}
