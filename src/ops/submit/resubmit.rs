//! The same again: a submission made of an execution that is there, or of what history has of one.
//!
//! What is not said otherwise stays as it was: what is run, sizes, priority, time limit, retries; of an array's member its index.
//! What has to be over before, being held and the place in an array are not taken over: the new one stands for itself. Values of the
//! environment are nowhere but in Docker, so of an execution that is over they have to be given again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::launch::SPARK_CONF;
use super::{ARRAY_COUNT, ARRAY_INDEX, After, Asked, Submission};
use crate::apps;
use crate::engine::Scope;
use crate::model::{ExecutionName, IdleTimeout, MailOn, Private, Retries, Secret, Terms, Ticket};
use crate::ops::context::Context;
use crate::ops::error::{ErrorKind, OpsError};
use crate::ops::resolve::{self, Found};
use crate::ops::view::TermsView;
use crate::store::Record;

/// The terms of a submission as history keeps them: everything that the description does not say.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Written {
    priority: i32,
    retries: String,
    time_limit_ms: Option<i64>,
    job_image: Option<String>,
    /// The names of variables that the user has set.
    env: BTreeSet<String>,
    /// Of a member of an array: its index, and how many there were.
    array: Option<(String, String)>,
    /// The array's id.
    array_id: Option<String>,
    /// When its owner is written to, if that was said.
    mail_on: Option<String>,
    /// For how long it may be idle, if that was said.
    idle_timeout: Option<String>,
}

/// What history is to keep of the terms of an execution.
pub(in crate::ops) fn written(ticket: &Ticket, private: &Private) -> String {
    let own = |name: &&String| ![ARRAY_INDEX, ARRAY_COUNT].contains(&name.as_str());
    let value = |name: &str| private.env.get(name).map(|value| value.reveal().to_owned());
    let written = Written {
        priority: ticket.terms.priority,
        retries: ticket.terms.retries.to_string(),
        time_limit_ms: ticket
            .timeout
            .and_then(|limit| i64::try_from(limit.as_millis()).ok()),
        job_image: ticket.job_image.clone(),
        env: private.env.keys().filter(own).cloned().collect(),
        array: value(ARRAY_INDEX).zip(value(ARRAY_COUNT)),
        array_id: ticket.terms.array.map(|place| place.array.to_string()),
        mail_on: ticket.terms.mail_on.map(|on| on.to_string()),
        idle_timeout: ticket.terms.idle_timeout.map(|timeout| timeout.to_string()),
    };
    serde_json::to_string(&written).unwrap_or_default()
}

/// What people are shown of the terms of an execution that is over.
pub(in crate::ops) fn shown(written: Option<&str>) -> TermsView {
    let written = written.and_then(|text| serde_json::from_str::<Written>(text).ok());
    let Written {
        priority,
        retries,
        time_limit_ms,
        array,
        array_id,
        idle_timeout,
        ..
    } = written.unwrap_or_default();
    let index = array.and_then(|(index, _)| index.parse().ok());
    let retries: Retries = retries.parse().unwrap_or_default();
    TermsView {
        priority,
        array: array_id.and_then(|id| id.parse().ok()).zip(index),
        retries: retries.most,
        retry_on: retries.codes.into_iter().collect(),
        time_limit: time_limit_ms.map(SignedDuration::from_millis),
        idle_timeout,
        ..TermsView::default()
    }
}

/// What may be said otherwise than it was.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// A name of its own.
    pub name: Option<ExecutionName>,
    /// Variables, in addition to those that are known or in their place.
    pub env: BTreeMap<String, Secret>,
    /// Another priority.
    pub priority: Option<i32>,
    /// What has to be over before; without it nothing.
    pub after: Vec<After>,
    /// Whether it is kept back.
    pub held: bool,
    /// Another time limit.
    pub timeout: Option<SignedDuration>,
    /// Another number of retries.
    pub retries: Option<u32>,
    /// Other exit codes with which it is run again; empty: those that there were.
    pub retry_on: BTreeSet<i64>,
    /// When its owner is written to instead.
    pub mail_on: Option<MailOn>,
    /// For how long it may be idle instead.
    pub idle_timeout: Option<IdleTimeout>,
}

/// The submission that makes the same again.
pub async fn again(
    context: &Context,
    text: &str,
    changes: Changes,
) -> Result<Submission, OpsError> {
    let mut submission = match resolve::resolve(context, text).await? {
        Found::Alive(execution) => {
            let private = context.backend.private(execution.ticket.id).await?;
            of_ticket(&execution.ticket, private)
        }
        Found::Past(record) => of_record(context, &record, &changes).await?,
    };
    let says_when = !changes.retry_on.is_empty();
    change(&mut submission, changes);
    if says_when && submission.terms.retries.most == 0 {
        let message =
            format!("'{text}' was not to be run again when it fails, with whatever exit code");
        return Err(OpsError::usage(message).hint("say how often with --retries"));
    }
    Ok(submission)
}

fn change(submission: &mut Submission, changes: Changes) {
    submission.name = changes.name;
    submission.env.extend(changes.env);
    submission.timeout = changes.timeout.or(submission.timeout);
    let terms = &mut submission.terms;
    terms.priority = changes.priority.unwrap_or(terms.priority);
    terms.after = changes.after;
    terms.held = changes.held;
    terms.mail_on = changes.mail_on.or(terms.mail_on);
    terms.idle_timeout = changes.idle_timeout.or(terms.idle_timeout);
    terms.retries.most = changes.retries.unwrap_or(terms.retries.most);
    if !changes.retry_on.is_empty() {
        terms.retries.codes = changes.retry_on;
    }
}

fn of_ticket(ticket: &Ticket, private: Private) -> Submission {
    let Terms {
        priority,
        retries,
        mail_on,
        idle_timeout,
        ..
    } = &ticket.terms;
    Submission {
        application: ticket.application.clone(),
        files: None,
        job_image: ticket.job_image.clone(),
        name: None,
        stem: stem(ticket.name.as_str(), ticket.id.as_str()),
        key: None,
        timeout: ticket.timeout,
        terms: Asked {
            priority: *priority,
            retries: retries.clone(),
            mail_on: *mail_on,
            idle_timeout: *idle_timeout,
            ..Asked::default()
        },
        env: private.env,
    }
}

async fn of_record(
    context: &Context,
    record: &Record,
    changes: &Changes,
) -> Result<Submission, OpsError> {
    let id = record.id;
    let application = apps::from_json(&record.description).map_err(|error| {
        OpsError::failed(format!("the description of {id} can't be read: {error}"))
    })?;
    let written: Written = match &record.terms {
        Some(text) => serde_json::from_str(text).map_err(|error| {
            OpsError::failed(format!("the terms of {id} can't be read: {error}"))
        })?,
        None => Written::default(),
    };
    let missing: Vec<&str> = written
        .env
        .iter()
        .filter(|name| !changes.env.contains_key(*name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        return Err(values_are_gone(id.as_str(), &missing));
    }
    if let Some(image) = &written.job_image {
        let snapshot = context.backend.observe(Scope::Everything).await?;
        if !snapshot.job_images.iter().any(|one| one.tag == *image) {
            return Err(OpsError::new(
                ErrorKind::NotFound,
                format!("the files of {id} are gone: the image that had them is removed once nothing uses it any more"),
            )
            .hint("submit them again with `zoe submit`"));
        }
    }
    let array = written.array.into_iter();
    let array = array.flat_map(|(index, count)| {
        let variable = |name: &str, value| (name.to_owned(), Secret::new(value));
        [variable(ARRAY_INDEX, index), variable(ARRAY_COUNT, count)]
    });
    Ok(Submission {
        application,
        files: None,
        job_image: written.job_image,
        name: None,
        stem: stem(&record.name, id.as_str()),
        key: None,
        timeout: written.time_limit_ms.map(SignedDuration::from_millis),
        terms: Asked {
            priority: written.priority,
            retries: written.retries.parse().unwrap_or_default(),
            mail_on: written.mail_on.and_then(|on| on.parse().ok()),
            idle_timeout: written.idle_timeout.and_then(|text| text.parse().ok()),
            ..Asked::default()
        },
        env: array.collect(),
    })
}

fn values_are_gone(id: &str, names: &[&str]) -> OpsError {
    let options: Vec<String> = names
        .iter()
        .map(|name| match *name {
            SPARK_CONF => "--conf KEY=VALUE".to_owned(),
            name => format!("--env {name}=VALUE"),
        })
        .collect();
    OpsError::usage(format!(
        "{id} was given values that are kept nowhere ({})",
        names.join(", ")
    ))
    .hint(format!("give them again: {}", options.join(" ")))
}

/// What its name was made of, without the id that made it the only one.
fn stem(name: &str, id: &str) -> String {
    let stem = name.strip_suffix(id).unwrap_or(name);
    stem.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_history_keeps_is_read_back_and_holds_no_values() {
        assert_eq!(stem("pi-abcdefgh", "abcdefgh"), "pi");
        assert_eq!(stem("nightly", "abcdefgh"), "nightly");
        assert_eq!(stem("abcdefgh", "abcdefgh"), "");
        let text = r#"{"priority":3,"retries":"2 75","time_limit_ms":60000,"env":["A"],"later":1}"#;
        let read: Written = serde_json::from_str(text).unwrap();
        assert_eq!((read.priority, read.time_limit_ms), (3, Some(60_000)));
        assert_eq!(read.env, ["A".to_owned()].into());
        let gone = values_are_gone("abcdefgh", &["A", SPARK_CONF]);
        assert_eq!(
            gone.hint.unwrap(),
            "give them again: --env A=VALUE --conf KEY=VALUE"
        );
    }
}
