//! What was: the statements that find executions of the past and add them up. No database here.
//!
//! Each condition can be answered by an index or by going through executions from the newest on; which is better is the database's
//! to know. Pages begin after a key (time and id), so that the last costs as much as the first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::dialect::Dialect;
use super::rows::{EXECUTION_COLUMNS, Value, text, time};
use super::{Query, Record, Result, StoreError, Sum, SumBy};
use crate::model::{Deployment, Outcome};

/// What comes after every id and name with the same beginning.
const LAST: char = char::MAX;

/// The statement that finds what a query asks for, and its values.
pub fn find_statement(
    dialect: Dialect,
    deployment: &Deployment,
    query: &Query,
) -> Result<(String, Vec<Value>)> {
    let state = query.state.as_deref().map(state_condition).transpose()?;
    let found_by = [
        &query.user,
        &query.application,
        &query.name,
        &query.name_prefix,
        &query.id_prefix,
    ];
    let is_by_another = found_by.iter().any(|one| one.is_some());
    let alone = query.limit.filter(|_| !is_by_another && query.at.is_none());
    match (state, alone) {
        // Each of the two has the order of the list in an index; both together have not.
        (Some(FAILED), Some(limit)) => {
            let [failed, timed_out] = ["outcome = 'failed'", "outcome = 'timed_out'"]
                .map(|state| list(dialect, deployment, query, Some(state)));
            let sql = format!(
                "SELECT * FROM ({}) AS failed UNION ALL SELECT * FROM ({}) AS timed_out {ORDER} LIMIT ?",
                failed.0, timed_out.0
            );
            let limit = vec![Value::Number(Some(i64::from(limit)))];
            Ok((sql, [failed.1, timed_out.1, limit].concat()))
        }
        // A database does not know how many of a million ended so, and few have one name: `+` keeps it from the index of states.
        (Some(state), _) if is_by_another && state != OPEN => {
            Ok(list(dialect, deployment, query, Some(&format!("+{state}"))))
        }
        (state, _) => Ok(list(dialect, deployment, query, state)),
    }
}

/// The order of a list.
const ORDER: &str = "ORDER BY submitted_at DESC, id DESC";

/// One list in its order, of those that ended so.
fn list(
    dialect: Dialect,
    deployment: &Deployment,
    query: &Query,
    state: Option<&str>,
) -> (String, Vec<Value>) {
    let (conditions, mut values) = conditions(deployment, query, state);
    // Few of a million ran at a time. Databases don't know that, and look at all in the order that is wanted.
    let by = match query.at {
        Some(_) => dialect.by_index("executions_by_end"),
        None => String::new(),
    };
    let mut sql =
        format!("SELECT {EXECUTION_COLUMNS} FROM executions{by} WHERE {conditions} {ORDER}");
    if let Some(limit) = query.limit {
        sql.push_str(" LIMIT ?");
        values.push(Value::Number(Some(i64::from(limit))));
    }
    (sql, values)
}

/// A row of [`sums_statement`]: user or application, how many, how many failed, core time, memory time.
pub type SumRow = (String, i64, i64, i64, i64);

/// The statement that adds up what a query asks for, and its values.
pub fn sums_statement(
    deployment: &Deployment,
    query: &Query,
    by: SumBy,
) -> Result<(String, Vec<Value>)> {
    let over = Query {
        over: true,
        ..query.clone()
    };
    let state = query.state.as_deref().map(state_condition).transpose()?;
    let (conditions, values) = conditions(deployment, &over, state);
    let by = match by {
        SumBy::User => "user_name",
        SumBy::Application => "application",
    };
    // What never ran has held nothing. Sums are of another kind than what they add up in some databases, and whole MiB keep them
    // within what a number can hold. What an absurd row comes to is more, which is an error in each database in its own way: so it
    // is not whole numbers that are multiplied.
    let sum = |what: &str| format!("CAST(COALESCE(SUM({what}), 0) AS SIGNED INTEGER)");
    let sql = format!(
        "SELECT {by}, COUNT(*), {}, {}, {} FROM executions WHERE {conditions} GROUP BY {by} ORDER BY 4 DESC, 1",
        sum("CASE WHEN outcome IN ('failed', 'timed_out') THEN 1 ELSE 0 END"),
        sum("COALESCE(1.0 * core_time, 1.0 * cores * (ended_at - started_at))"),
        sum(
            "COALESCE(1.0 * memory_time, 1.0 * ((memory - memory % 1048576) / 1048576) * (ended_at - started_at))"
        ),
    );
    Ok((sql, values))
}

/// Understands sums.
pub fn read_sums(rows: Vec<SumRow>) -> Vec<Sum> {
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    let read = |(key, executions, failed, core_time, memory_time): SumRow| Sum {
        key,
        executions: number(executions),
        failed: number(failed),
        core_time: number(core_time),
        memory_time: number(memory_time),
    };
    rows.into_iter().map(read).collect()
}

/// The same of executions that are at hand.
pub fn add_up(records: &[Record], by: SumBy) -> Vec<Sum> {
    let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
    for record in records {
        let key = match by {
            SumBy::User => &record.user,
            SumBy::Application => &record.application,
        };
        let sum = sums.entry(key).or_default();
        sum.executions += 1;
        let Some((ended, outcome)) = &record.end else {
            continue;
        };
        sum.failed += u64::from(matches!(
            outcome,
            Outcome::Failed { .. } | Outcome::TimedOut
        ));
        if let Some(used) = record.used {
            sum.core_time = sum.core_time.saturating_add(used.core_time);
            sum.memory_time = sum.memory_time.saturating_add(used.memory_time);
        } else if let Some((from, held)) = record.started_at.zip(record.allocated) {
            let length = ended.as_millisecond() - from.as_millisecond();
            let length = u64::try_from(length).unwrap_or(0);
            let (cores, memory) = (held.cores.millis(), held.memory.get() >> 20);
            sum.core_time = sum.core_time.saturating_add(cores.saturating_mul(length));
            sum.memory_time = sum
                .memory_time
                .saturating_add(memory.saturating_mul(length));
        }
    }
    let named = sums.into_iter().map(|(key, sum)| Sum {
        key: key.to_owned(),
        ..sum
    });
    let mut sums: Vec<Sum> = named.collect();
    sums.sort_by(|a, b| (Reverse(a.core_time), &a.key).cmp(&(Reverse(b.core_time), &b.key)));
    sums
}

fn conditions(deployment: &Deployment, query: &Query, state: Option<&str>) -> (String, Vec<Value>) {
    let mut sql = "deployment = ?".to_owned();
    let mut values = vec![text(deployment.as_str())];
    let mut and = |condition: &str, bound: Vec<Value>| {
        sql.push_str(" AND ");
        sql.push_str(condition);
        values.extend(bound);
    };
    for (condition, wanted) in [
        ("user_name = ?", &query.user),
        ("application = ?", &query.application),
        ("name = ?", &query.name),
    ] {
        if let Some(wanted) = wanted {
            and(condition, vec![text(wanted)]);
        }
    }
    if let Some(state) = state {
        and(state, vec![]);
    }
    if query.over {
        and("ended_at IS NOT NULL", vec![]);
    }
    if let Some(at) = query.at {
        and("started_at <= ?", vec![time(at)]);
        and("ended_at > ?", vec![time(at)]);
    }
    if let Some(since) = query.since {
        and("submitted_at >= ?", vec![time(since)]);
    }
    if let Some(until) = query.until {
        and("submitted_at < ?", vec![time(until)]);
    }
    if let Some((at, id)) = query.after {
        // The first is what an index is good for; the second leaves out what the first has too much of.
        and("submitted_at <= ?", vec![time(at)]);
        let before = vec![time(at), text(id.as_str())];
        and("(submitted_at < ? OR id < ?)", before);
    }
    for (condition, prefix) in [
        ("id >= ? AND id < ?", &query.id_prefix),
        ("name >= ? AND name < ?", &query.name_prefix),
    ] {
        if let Some(prefix) = prefix {
            and(
                condition,
                vec![text(prefix), text(format!("{prefix}{LAST}"))],
            );
        }
    }
    (sql, values)
}

/// What has not ended.
const OPEN: &str = "ended_at IS NULL";
/// What did not end well.
const FAILED: &str = "outcome IN ('failed', 'timed_out')";

/// `failed` includes what ran out of time: for whoever asks, both did not do their work.
fn state_condition(state: &str) -> Result<&'static str> {
    match state {
        "open" => Ok(OPEN),
        "finished" => Ok("outcome = 'finished'"),
        "failed" => Ok(FAILED),
        "timed_out" => Ok("outcome = 'timed_out'"),
        "cancelled" => Ok("outcome = 'cancelled'"),
        other => Err(StoreError::Query {
            what: "find executions",
            why: format!(
                "'{}' is no state; there are open, finished, failed, timed_out and cancelled",
                crate::model::ids::shorten(other)
            ),
        }),
    }
}
