//! Records and events as rows: which columns there are, and how a row is understood. No database here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::dialect::{Merge, Table};
use super::{Event, Record, Result, StoreError, Used};
use crate::model::{Bytes, Cores, Deployment, ExecutionId, Outcome, Resources};

/// The table of executions. What is empty or NULL is filled in by a later write; what is known stays, but for what it was given,
/// which changes until the end, for what its attempts have used, which grows until then, and for when it began: who starts it sees that late, so the earliest time counts. The four
/// columns of the end are written together, once.
pub const EXECUTIONS: Table = Table {
    name: "executions",
    key: &["deployment", "id"],
    columns: &[
        ("deployment", Merge::Keep),
        ("id", Merge::Keep),
        ("name", Merge::FillEmpty),
        ("user_name", Merge::FillEmpty),
        ("application", Merge::FillEmpty),
        ("description", Merge::FillEmpty),
        ("user_key", Merge::FillNull),
        ("submitted_at", Merge::Keep),
        ("started_at", Merge::Least),
        ("exit_code", Merge::UnlessSet("ended_at")),
        ("outcome", Merge::UnlessSet("ended_at")),
        ("reason", Merge::UnlessSet("ended_at")),
        ("logs", Merge::FillNull),
        ("cores", Merge::NewestUntil("ended_at")),
        ("memory", Merge::NewestUntil("ended_at")),
        ("terms", Merge::FillNull),
        ("core_time", Merge::NewestUntil("ended_at")),
        ("memory_time", Merge::NewestUntil("ended_at")),
        ("run_time", Merge::NewestUntil("ended_at")),
        ("counted_until", Merge::NewestUntil("ended_at")),
        ("ended_at", Merge::FillNull),
    ],
};

/// The table of events.
pub const EVENTS: Table = Table {
    name: "events",
    key: &["deployment", "execution", "happened_at", "digest"],
    columns: &[
        ("deployment", Merge::Keep),
        ("execution", Merge::Keep),
        ("happened_at", Merge::Keep),
        ("digest", Merge::Keep),
        ("kind", Merge::Keep),
        ("detail", Merge::Keep),
    ],
};

/// The table of leases, as far as a first row is concerned.
pub const LEASES: Table = Table {
    name: "leases",
    key: &["deployment"],
    columns: &[
        ("deployment", Merge::Keep),
        ("holder", Merge::Keep),
        ("expires_at", Merge::Keep),
    ],
};

/// A value to be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, or NULL.
    Text(Option<String>),
    /// A number, or NULL.
    Number(Option<i64>),
}

/// A text to bind.
pub fn text(value: impl Into<String>) -> Value {
    Value::Text(Some(value.into()))
}

/// A time to bind.
pub fn time(at: Timestamp) -> Value {
    Value::Number(Some(at.as_millisecond()))
}

/// A record's values, in the order of [`EXECUTIONS`].
pub fn record_values(deployment: &Deployment, record: &Record) -> Vec<Value> {
    let (outcome, exit_code, reason) = match record.end.as_ref().map(|(_, outcome)| outcome) {
        None => (None, None, None),
        Some(Outcome::Finished) => (Some("finished"), None, None),
        Some(Outcome::Failed { exit_code, reason }) => {
            (Some("failed"), Some(*exit_code), Some(reason.clone()))
        }
        Some(Outcome::TimedOut) => (Some("timed_out"), None, None),
        Some(Outcome::Cancelled { by }) => (Some("cancelled"), None, by.clone()),
    };
    let amount = |of: fn(Resources) -> u64| {
        let amount = record.allocated.map(of);
        Value::Number(amount.map(|amount| i64::try_from(amount).unwrap_or(i64::MAX)))
    };
    let used = |of: fn(&Used) -> u64| {
        let used = record.used.as_ref().map(of);
        Value::Number(used.map(|used| i64::try_from(used).unwrap_or(i64::MAX)))
    };
    let counted = record.used.map(|used| used.counted_until.as_millisecond());
    vec![
        text(deployment.as_str()),
        text(record.id.as_str()),
        text(&record.name),
        text(&record.user),
        text(&record.application),
        text(&record.description),
        Value::Text(record.key.clone()),
        time(record.submitted_at),
        Value::Number(record.started_at.map(Timestamp::as_millisecond)),
        Value::Number(exit_code),
        Value::Text(outcome.map(str::to_owned)),
        Value::Text(reason),
        Value::Text(record.logs.clone()),
        amount(|held| held.cores.millis()),
        amount(|held| held.memory.get()),
        Value::Text(record.terms.clone()),
        used(|used| used.core_time),
        used(|used| used.memory_time),
        used(|used| used.run_time),
        Value::Number(counted),
        Value::Number(record.end.as_ref().map(|(at, _)| at.as_millisecond())),
    ]
}

/// An event's values, in the order of [`EVENTS`].
pub fn event_values(deployment: &Deployment, event: &Event) -> Vec<Value> {
    let mut hash = Sha256::new();
    hash.update((event.kind.len() as u64).to_le_bytes());
    hash.update(&event.kind);
    hash.update(&event.detail);
    vec![
        text(deployment.as_str()),
        text(event.execution.as_str()),
        time(event.at),
        text(format!("{:x}", hash.finalize())),
        text(&event.kind),
        text(&event.detail),
    ]
}

/// The columns of [`ExecutionRow`], in its order.
pub const EXECUTION_COLUMNS: &str = "id, name, user_name, application, description, user_key, submitted_at, started_at, \
     exit_code, outcome, reason, logs, ended_at, cores, memory, terms, core_time, memory_time, run_time, counted_until";

/// A row of executions as a driver hands it out.
pub struct ExecutionRow {
    /// The first columns.
    pub first: FirstColumns,
    /// What its attempts have used: core time, memory time, running time, and what was made until when is in it.
    pub used: [Option<i64>; 4],
}

/// The columns of [`ExecutionRow`] up to the terms.
pub type FirstColumns = (
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

/// A row of events as a driver hands it out: the execution, when, kind and detail.
pub type EventRow = (String, i64, String, String);

/// How many executions are asked for in one statement: databases have a limit to the values that are bound in one.
pub const AT_ONCE: usize = 500;

/// The statement that finds the events of these executions, and its values.
pub fn events_statement(
    deployment: &Deployment,
    executions: &[ExecutionId],
) -> (String, Vec<Value>) {
    let sql = "SELECT execution, happened_at, kind, detail FROM events WHERE deployment = ? AND execution";
    among(sql, deployment, executions)
}

/// The statement that finds the records of these executions, and its values.
pub fn get_statement(deployment: &Deployment, executions: &[ExecutionId]) -> (String, Vec<Value>) {
    let sql = format!("SELECT {EXECUTION_COLUMNS} FROM executions WHERE deployment = ? AND id");
    among(&sql, deployment, executions)
}

/// A statement about these executions, and its values: the deployment and they.
pub fn among(
    sql: &str,
    deployment: &Deployment,
    executions: &[ExecutionId],
) -> (String, Vec<Value>) {
    let marks = vec!["?"; executions.len()].join(", ");
    let ids = executions.iter().map(|id| text(id.as_str()));
    let values = std::iter::once(text(deployment.as_str())).chain(ids);
    (format!("{sql} IN ({marks})"), values.collect())
}

/// Understands events: those of each execution in the order in which they can have happened. What can't be understood is left
/// out and told in the log.
pub fn read_events(rows: Vec<EventRow>) -> BTreeMap<ExecutionId, Vec<Event>> {
    let mut all: BTreeMap<ExecutionId, Vec<Event>> = BTreeMap::new();
    for row in rows {
        match read_event(row) {
            Ok(event) => all.entry(event.execution).or_default().push(event),
            Err(error) => tracing::warn!(%error, "left out"),
        }
    }
    for events in all.values_mut() {
        sort_events(events);
    }
    all
}

fn read_event((execution, ms, kind, detail): EventRow) -> Result<Event> {
    let execution = read_id(&execution)?;
    Ok(Event {
        execution,
        at: read_time(&format!("an event of execution {execution}"), ms)?,
        kind,
        detail,
    })
}

/// Understands a row.
pub fn read_record(row: ExecutionRow) -> Result<Record> {
    let ExecutionRow {
        first: row,
        used: attempts,
    } = row;
    let (id, name, user, application, description, key, submitted, started, ..) = row;
    let (exit_code, outcome, reason, logs, ended) = (row.8, row.9, row.10, row.11, row.12);
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    let allocated = row.13.zip(row.14).map(|(cores, memory)| Resources {
        cores: Cores::from_millis(number(cores)),
        memory: Bytes::new(number(memory)),
    });
    let id = read_id(&id)?;
    let at = |column: &str, ms: i64| read_time(&format!("{column} of execution {id}"), ms);
    let end = match (ended, outcome) {
        (Some(ms), Some(outcome)) => Some((
            at("ended_at", ms)?,
            read_outcome(id, &outcome, exit_code, reason)?,
        )),
        (None, _) => None,
        (Some(_), None) => {
            return Err(garbled(
                &format!("outcome of execution {id}"),
                "it ended without one",
            ));
        }
    };
    let attempts = match attempts {
        [Some(cores), Some(memory), Some(run), Some(until)] => Some(Used {
            core_time: number(cores),
            memory_time: number(memory),
            run_time: number(run),
            counted_until: at("counted_until", until)?,
        }),
        _ => None,
    };
    Ok(Record {
        id,
        name,
        user,
        application,
        description,
        key,
        submitted_at: at("submitted_at", submitted)?,
        started_at: started.map(|ms| at("started_at", ms)).transpose()?,
        end,
        logs,
        allocated,
        used: attempts,
        terms: row.15,
    })
}

fn read_outcome(
    id: ExecutionId,
    word: &str,
    exit_code: Option<i64>,
    reason: Option<String>,
) -> Result<Outcome> {
    match word {
        "finished" => Ok(Outcome::Finished),
        "failed" => Ok(Outcome::Failed {
            exit_code: exit_code
                .ok_or_else(|| garbled(&format!("exit_code of execution {id}"), "it is missing"))?,
            reason: reason.unwrap_or_default(),
        }),
        "timed_out" => Ok(Outcome::TimedOut),
        "cancelled" => Ok(Outcome::Cancelled { by: reason }),
        other => Err(garbled(
            &format!("outcome of execution {id}"),
            &format!("'{}' is none", crate::model::ids::shorten(other)),
        )),
    }
}

/// Understands an execution's id.
pub fn read_id(id: &str) -> Result<ExecutionId> {
    id.parse().map_err(|error: crate::model::IdError| {
        garbled("the id of an execution", &error.to_string())
    })
}

/// Understands a time.
pub fn read_time(what: &str, ms: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(ms).map_err(|error| garbled(what, &error.to_string()))
}

fn garbled(what: &str, why: &str) -> StoreError {
    StoreError::Garbled {
        what: what.to_owned(),
        why: why.to_owned(),
    }
}

/// Events of one execution in the order in which they can have happened: by time, and within a millisecond as a life goes.
pub fn sort_events(events: &mut [Event]) {
    fn rank(kind: &str) -> u8 {
        match kind {
            "submitted" => 0,
            "started" => 1,
            "ended" => 3,
            _ => 2,
        }
    }
    events.sort_by(|a, b| {
        (a.at, rank(&a.kind), &a.kind, &a.detail).cmp(&(b.at, rank(&b.kind), &b.kind, &b.detail))
    });
}
