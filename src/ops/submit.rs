//! Submission: from an application to a ticket, or to as many as an array has, all or nothing.

mod after;
mod existing;
pub mod files;
pub mod launch;
mod maker;
mod parts;
pub mod resubmit;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use self::maker::Maker;
use super::accounts;
use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::kill::{self, Selection};
use super::mail::post;
use super::outage::bear;
use super::report::{News, Report};
use crate::engine::Scope;
use crate::labels::LONGEST_USER;
use crate::model::{
    Application, ExecutionId, ExecutionName, IdleTimeout, MailOn, RequiredEnd, Retries, Secret,
    Ticket, ids,
};
use crate::scheduler;
use crate::store::Record;
use files::Packed;

/// How often a fresh id, or an image that somebody swept away in between, is tried again.
const TRIES: usize = 5;

/// The variable that tells a member of an array its index.
pub const ARRAY_INDEX: &str = "ZOE_ARRAY_INDEX";
/// The variable that tells a member of an array how many members it has.
pub const ARRAY_COUNT: &str = "ZOE_ARRAY_COUNT";

/// What is to be run, and how.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The application, with all settings made.
    pub application: Application,
    /// Files to be sent along.
    pub files: Option<Packed>,
    /// An image that has the files already; it takes the place of `files`.
    pub job_image: Option<String>,
    /// The name, if the user chose one.
    pub name: Option<ExecutionName>,
    /// What a name is made of otherwise, with the id behind it.
    pub stem: String,
    /// Makes the submission idempotent.
    pub key: Option<String>,
    /// How long it may run.
    pub timeout: Option<SignedDuration>,
    /// How it stands to others, and what happens when it fails.
    pub terms: Asked,
    /// The user's own environment.
    pub env: BTreeMap<String, Secret>,
}

/// The terms as a user asks for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The greater goes first.
    pub priority: i32,
    /// What has to be over before.
    pub after: Vec<After>,
    /// As how many it is run.
    pub array: Option<Array>,
    /// What happens when it fails.
    pub retries: Retries,
    /// Whether it waits until somebody releases it.
    pub held: bool,
    /// When its owner is written to, if that is said.
    pub mail_on: Option<MailOn>,
    /// For how long it may be idle, if that is said.
    pub idle_timeout: Option<IdleTimeout>,
}

/// Another that has to be over before, as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// An id, the beginning of one, a name, or `last`.
    pub execution: String,
    /// How it has to end.
    pub end: RequiredEnd,
}

/// The same many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// The index of each; at least one.
    pub indices: BTreeSet<u32>,
    /// How many run at once at the most; at least 1.
    pub at_once: Option<u32>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// A new execution exists.
    New(Box<Ticket>),
    /// One with this key is alive.
    Alive(ExecutionId),
    /// One with this key was, and is over.
    Over(Box<Record>),
}

impl Accepted {
    /// The execution's id.
    pub fn id(&self) -> ExecutionId {
        match self {
            Self::New(ticket) => ticket.id,
            Self::Alive(id) => *id,
            Self::Over(record) => record.id,
        }
    }
}

/// One execution of a submission.
#[derive(Debug, Clone)]
struct Member {
    /// Its index in the array, if there is one.
    index: Option<u32>,
    /// Its own key.
    key: Option<String>,
    /// Its own name, if the user chose one.
    name: Option<ExecutionName>,
    /// What its name is made of otherwise.
    stem: String,
}

/// Submits one execution. When this returns an error nothing was left behind; when it returns [`Accepted::New`] the execution
/// exists, whatever happens next.
pub async fn submit(
    context: &Context,
    submission: &Submission,
    report: &dyn Report,
) -> Result<Accepted, OpsError> {
    let mut accepted = submit_all(context, submission, report).await?;
    accepted
        .pop()
        .ok_or_else(|| OpsError::usage("an array has at least one member"))
}

/// Submits one execution, or all of an array in the order of their indices. When this returns an error nothing was left
/// behind: those that could be submitted before one that couldn't are ended. Whoever is killed in between leaves those that
/// there are; with a key, the same submission completes them.
pub async fn submit_all(
    context: &Context,
    submission: &Submission,
    report: &dyn Report,
) -> Result<Vec<Accepted>, OpsError> {
    can_be_idle(submission)?;
    can_own(&context.settings.user)?;
    let members = members(submission)?;
    for member in &members {
        existing::check_name(member)?;
    }
    let look = async || Ok(context.backend.observe(Scope::Everything).await?);
    let snapshot = bear(context, report, look).await?;
    let mut accepted = Vec::new();
    for member in &members {
        accepted.push(existing::existing(context, &snapshot, submission, member, report).await?);
    }
    if accepted.iter().all(Option::is_some) {
        return Ok(accepted.into_iter().flatten().collect());
    }
    let submission = &*workspace::with(&context.settings, submission)?;
    scheduler::admit(
        &submission.application,
        &snapshot.nodes,
        context.settings.mode,
    )
    .map_err(|refusal| OpsError::new(ErrorKind::Refused, refusal.to_string()))?;
    accounts::admit(context, submission).await?;
    let after = after::resolve(context, &snapshot, &submission.terms.after).await?;
    for (member, there) in members.iter().zip(&accepted) {
        if there.is_none() {
            existing::free_name(&snapshot, member)?;
        }
    }
    let images = async || parts::ensure_images(context, submission, report).await;
    bear(context, report, images).await?;
    let mut maker = Maker {
        context,
        submission,
        report,
        after,
        array: existing::array_of_key(context, &members),
        job_image: job_image(context, submission, report).await?,
    };
    let mut made = Vec::new();
    for (member, there) in members.iter().zip(&mut accepted) {
        if there.is_none() {
            match maker.make(member).await {
                Ok(one) => {
                    if let Accepted::New(ticket) = &one {
                        made.push(ticket.id);
                    }
                    *there = Some(one);
                }
                Err(error) => return Err(undone(context, &made, error, report).await),
            }
        }
    }
    if let Some(why) = post::unaddressed(context, submission.terms.mail_on).await {
        report.tell(News::Warning(why));
    }
    Ok(accepted.into_iter().flatten().collect())
}

/// Refuses an owner whose name could not be read back.
fn can_own(user: &str) -> Result<(), OpsError> {
    if user.chars().count() > LONGEST_USER {
        return Err(OpsError::usage(format!(
            "the user's name '{}' is too long; it may have {LONGEST_USER} characters",
            ids::shorten(user)
        )));
    }
    Ok(())
}

/// Refuses what would never be ended though that was asked for.
fn can_be_idle(submission: &Submission) -> Result<(), OpsError> {
    let asked = matches!(submission.terms.idle_timeout, Some(IdleTimeout::After(_)));
    if asked && submission.application.activity.is_none() {
        return Err(OpsError::usage(format!(
            "nothing tells whether {} is used, so that it can have no --idle-timeout",
            submission.application.name
        ))
        .hint("say in [activity] of its description what does; docs/notebooks.md"));
    }
    Ok(())
}

/// The image with the user's files. One that was made already is found again.
async fn job_image(
    context: &Context,
    submission: &Submission,
    report: &dyn Report,
) -> Result<Option<String>, OpsError> {
    let make = async || parts::job_image(context, submission, report).await;
    bear(context, report, make).await
}

/// The executions of a submission.
fn members(submission: &Submission) -> Result<Vec<Member>, OpsError> {
    let Some(array) = &submission.terms.array else {
        return Ok(vec![Member {
            index: None,
            key: submission.key.clone(),
            name: submission.name.clone(),
            stem: submission.stem.clone(),
        }]);
    };
    let member = |index: &u32| {
        let name = submission.name.as_ref();
        let name = name.map(|name| format!("{name}-{index}").parse());
        let name = name.transpose().map_err(|error| {
            OpsError::usage(format!("the members of the array can't be named: {error}"))
        })?;
        Ok(Member {
            index: Some(*index),
            key: submission.key.as_ref().map(|key| format!("{key}[{index}]")),
            name,
            stem: format!("{}-{index}", parts::cut(&submission.stem, 16)),
        })
    };
    array.indices.iter().map(member).collect()
}

/// Takes back what was made before something went wrong.
async fn undone(
    context: &Context,
    made: &[ExecutionId],
    error: OpsError,
    report: &dyn Report,
) -> OpsError {
    if made.is_empty() {
        return error;
    }
    let names = made.iter().map(ToString::to_string).collect();
    match kill::kill(context, &Selection::Named(names), report).await {
        Ok(_) => error,
        Err(other) => error.hint(format!(
            "{} members of the array were submitted and can't be ended now ({other}); `zoe ps` lists them",
            made.len()
        )),
    }
}
