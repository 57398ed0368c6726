//! When executions were used last, and what was done about those that are idle, as rows. The statements, and how their results
//! are understood. No database here.
//!
//! What a look has found, a warning, a wish to keep and the intent to end are columns of one row, each written by a statement of
//! its own, so that whoever writes one leaves the others alone. Times of use only go forward.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::dialect::{Merge, Table};
use super::rows::{self, Value, text, time};
use super::{Result, StoreError};
use crate::idle::{Said, Sign, Verdict};
use crate::model::{Deployment, ExecutionId};

/// For how long who has begun to end an execution for being idle may take to mark it: after that it counts for nothing.
pub const ENDING: SignedDuration = SignedDuration::from_secs(60);

/// What is known of the use of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Which.
    pub execution: ExecutionId,
    /// When it was used last, and what said so: the beginning of its idle period.
    pub used_at: Option<Timestamp>,
    /// What said so, if it was a sign.
    pub used_by: Option<Sign>,
    /// When somebody asked for something of it through the web server.
    pub requested_at: Option<Timestamp>,
    /// When it was looked at last.
    pub checked_at: Option<Timestamp>,
    /// What each sign said then.
    pub said: Vec<(Sign, Said)>,
    /// The last warning.
    pub warned: Option<Warning>,
    /// Until when somebody wants it kept.
    pub kept: Option<Kept>,
    /// Since when it is being ended for being idle.
    pub ending_at: Option<Timestamp>,
}

/// What a look has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Of which execution.
    pub execution: ExecutionId,
    /// When it was used last.
    pub used_at: Timestamp,
    /// What said so.
    pub used_by: Option<Sign>,
    /// When somebody asked for something of it through the web server, as far as that is known.
    pub requested_at: Option<Timestamp>,
    /// When it was looked at.
    pub checked_at: Timestamp,
    /// What each sign said.
    pub said: Vec<(Sign, Said)>,
}

/// A warning that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// The beginning of the idle period.
    pub period: Timestamp,
    /// When it was given.
    pub at: Timestamp,
    /// The end that was announced.
    pub ends_at: Timestamp,
}

/// Somebody wants an execution kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Until then.
    pub until: Timestamp,
    /// Who.
    pub by: String,
}

/// The part of a store that knows what is used. One that keeps none of it knows of none.
#[async_trait]
pub trait Activities: Send + Sync {
    /// What is known of executions; one of which nothing is known, or nothing that can be understood, is not in it.
    async fn activity_of(
        &self,
        _deployment: &Deployment,
        _executions: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Activity>> {
        Ok(BTreeMap::new())
    }

    /// Notes what a look has found. Times of use only go forward.
    async fn looked(&self, _deployment: &Deployment, _look: &Look) -> Result<()> {
        Ok(())
    }

    /// Notes a warning; whether there was none of this idle period before.
    async fn warned(
        &self,
        _deployment: &Deployment,
        _execution: ExecutionId,
        _warning: Warning,
    ) -> Result<bool> {
        Ok(false)
    }

    /// Notes that somebody wants it kept, or not any more; whether it is not being ended already.
    async fn keep(
        &self,
        _deployment: &Deployment,
        _execution: ExecutionId,
        _kept: Option<&Kept>,
        _now: Timestamp,
    ) -> Result<bool> {
        Ok(false)
    }

    /// Notes that it is going to be ended, for being idle since then; whether that is so, nobody wants it kept and nobody else is
    /// at it. It is to be marked within [`ENDING`].
    async fn end_idle(
        &self,
        _deployment: &Deployment,
        _execution: ExecutionId,
        _period: Timestamp,
        _now: Timestamp,
    ) -> Result<bool> {
        Ok(false)
    }

    /// How far an access log was read.
    async fn position(&self, _deployment: &Deployment, _log: &str) -> Result<Option<String>> {
        Ok(None)
    }

    /// Notes how far an access log was read.
    async fn set_position(
        &self,
        _deployment: &Deployment,
        _log: &str,
        _position: &str,
    ) -> Result<()> {
        Ok(())
    }
}

/// The table, as far as looks are concerned.
pub const LOOKS: Table = Table {
    name: "activity",
    key: &["deployment", "execution"],
    columns: &[
        ("deployment", Merge::Keep),
        ("execution", Merge::Keep),
        ("used_at", Merge::Greatest),
        ("used_by", Merge::Replace),
        ("requested_at", Merge::Greatest),
        ("checked_at", Merge::Greatest),
        ("said", Merge::Replace),
    ],
};

/// The table, for a row of which nothing is known yet.
pub const BLANK: Table = Table {
    name: "activity",
    key: &["deployment", "execution"],
    columns: &[("deployment", Merge::Keep), ("execution", Merge::Keep)],
};

/// The table of access logs.
pub const ACCESS_LOGS: Table = Table {
    name: "access_logs",
    key: &["deployment", "digest"],
    columns: &[
        ("deployment", Merge::Keep),
        ("digest", Merge::Keep),
        ("place", Merge::Keep),
        ("position", Merge::Replace),
    ],
};

/// Removes what is known of an execution; its values are the deployment and the execution.
pub const FORGET: &str = "DELETE FROM activity WHERE deployment = ? AND execution = ?";

/// A row of [`find`] as a driver hands it out.
pub type ActivityRow = (
    String,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
);

/// A statement and its values.
type Bound = (String, Vec<Value>);

/// What a sign said, as it is kept.
#[derive(Serialize, Deserialize)]
struct Written {
    sign: String,
    verdict: String,
    at: Option<i64>,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<String>,
}

/// The values of a look, in the order of [`LOOKS`].
pub fn look_values(deployment: &Deployment, look: &Look) -> Vec<Value> {
    let written = look.said.iter().map(|(sign, said)| Written {
        sign: sign.word().to_owned(),
        verdict: said.verdict.word().to_owned(),
        at: said.at.map(Timestamp::as_millisecond),
        text: said.text.clone(),
        count: said.count.clone(),
    });
    let written: Vec<Written> = written.collect();
    vec![
        text(deployment.as_str()),
        text(look.execution.as_str()),
        time(look.used_at),
        Value::Text(look.used_by.map(|sign| sign.word().to_owned())),
        Value::Number(look.requested_at.map(Timestamp::as_millisecond)),
        time(look.checked_at),
        text(serde_json::to_string(&written).unwrap_or_default()),
    ]
}

/// The statement that finds what is known of these executions.
pub fn find(deployment: &Deployment, executions: &[ExecutionId]) -> Bound {
    rows::among(
        "SELECT execution, used_at, used_by, requested_at, checked_at, said, warned_for, warned_at, ends_at, kept_until, kept_by, \
         ending_at FROM activity WHERE deployment = ? AND execution",
        deployment,
        executions,
    )
}

/// The statement that notes a warning: it changes a row if there was none of this period.
pub fn warn(deployment: &Deployment, execution: ExecutionId, warning: Warning) -> Bound {
    let sql = "UPDATE activity SET warned_for = ?, warned_at = ?, ends_at = ? WHERE deployment = ? AND execution = ? \
         AND (warned_for IS NULL OR warned_for <> ?)";
    let values = vec![
        time(warning.period),
        time(warning.at),
        time(warning.ends_at),
        text(deployment.as_str()),
        text(execution.as_str()),
        time(warning.period),
    ];
    (sql.to_owned(), values)
}

/// The statement that notes that an execution is to be kept: it changes a row if it is not being ended.
pub fn keep(
    deployment: &Deployment,
    execution: ExecutionId,
    kept: Option<&Kept>,
    now: Timestamp,
) -> Bound {
    let sql = "UPDATE activity SET kept_until = ?, kept_by = ? WHERE deployment = ? AND execution = ? \
         AND (ending_at IS NULL OR ending_at < ?)";
    let values = vec![
        Value::Number(kept.map(|kept| kept.until.as_millisecond())),
        Value::Text(kept.map(|kept| kept.by.clone())),
        text(deployment.as_str()),
        text(execution.as_str()),
        time(lapsed(now)),
    ];
    (sql.to_owned(), values)
}

/// The statement that notes that an execution is going to be ended: it changes a row if it may be.
pub fn end(
    deployment: &Deployment,
    execution: ExecutionId,
    period: Timestamp,
    now: Timestamp,
) -> Bound {
    let sql = "UPDATE activity SET ending_at = ? WHERE deployment = ? AND execution = ? AND used_at = ? \
         AND (kept_until IS NULL OR kept_until <= ?) AND (ending_at IS NULL OR ending_at < ?)";
    let values = vec![
        time(now),
        text(deployment.as_str()),
        text(execution.as_str()),
        time(period),
        time(now),
        time(lapsed(now)),
    ];
    (sql.to_owned(), values)
}

fn lapsed(now: Timestamp) -> Timestamp {
    now.checked_sub(ENDING).unwrap_or(Timestamp::MIN)
}

/// The statement that finds how far a log was read.
pub fn position(deployment: &Deployment, log: &str) -> Bound {
    let sql = "SELECT place, position FROM access_logs WHERE deployment = ? AND digest = ?";
    let values = vec![text(deployment.as_str()), text(digest(log))];
    (sql.to_owned(), values)
}

/// The values of a position, in the order of [`ACCESS_LOGS`].
pub fn position_values(deployment: &Deployment, log: &str, position: &str) -> Vec<Value> {
    vec![
        text(deployment.as_str()),
        text(digest(log)),
        text(log),
        text(position),
    ]
}

fn digest(log: &str) -> String {
    format!("{:x}", Sha256::digest(log))
}

/// Understands a row of [`find`].
pub fn read(row: ActivityRow) -> Result<Activity> {
    let (id, used_at, used_by, requested_at, checked_at, said, ..) = row;
    let (warned_for, warned_at, ends_at) = (row.6, row.7, row.8);
    let (kept_until, kept_by, ending_at) = (row.9, row.10, row.11);
    let execution = rows::read_id(&id)?;
    let at = |column: &str, ms: Option<i64>| {
        let what = format!("{column} of the activity of {execution}");
        ms.map(|ms| rows::read_time(&what, ms)).transpose()
    };
    let warned = match (
        at("warned_for", warned_for)?,
        at("warned_at", warned_at)?,
        at("ends_at", ends_at)?,
    ) {
        (Some(period), Some(at), Some(ends_at)) => Some(Warning {
            period,
            at,
            ends_at,
        }),
        _ => None,
    };
    let kept = at("kept_until", kept_until)?.map(|until| Kept {
        until,
        by: kept_by.unwrap_or_default(),
    });
    Ok(Activity {
        execution,
        used_at: at("used_at", used_at)?,
        used_by: used_by.as_deref().and_then(Sign::of),
        requested_at: at("requested_at", requested_at)?,
        checked_at: at("checked_at", checked_at)?,
        said: read_said(execution, said.as_deref().unwrap_or("[]"))?,
        warned,
        kept,
        ending_at: at("ending_at", ending_at)?,
    })
}

fn read_said(execution: ExecutionId, text: &str) -> Result<Vec<(Sign, Said)>> {
    let garbled = |why: String| StoreError::Garbled {
        what: format!("what was said of {execution}"),
        why,
    };
    let written: Vec<Written> =
        serde_json::from_str(text).map_err(|error| garbled(error.to_string()))?;
    let read = written.into_iter().map(|one| {
        let known = Sign::of(&one.sign).zip(Verdict::of(&one.verdict));
        let (sign, verdict) = known.ok_or_else(|| garbled("a word is unknown".to_owned()))?;
        let at = one.at.map(|ms| rows::read_time("a sign's time", ms));
        Ok((
            sign,
            Said {
                verdict,
                at: at.transpose()?,
                text: one.text,
                count: one.count,
            },
        ))
    });
    read.collect()
}
