//! Submission: from an application to a ticket, all or nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::files::Packed;
use super::record;
use super::report::{News, Report};
use super::resolve::LAST;
use crate::apps;
use crate::engine::{EngineError, JobFiles, Scope, Submitted};
use crate::model::{
    Application, ExecutionId, ExecutionName, Private, Secret, Snapshot, Terms, Ticket,
};
use crate::scheduler;
use crate::store::Record;

/// How often a fresh id, or an image that somebody swept away in between, is tried again.
const TRIES: usize = 5;

/// How long a key may be taken without the execution that took it being seen: Docker reserves a name before it shows what
/// bears it, and a busy one takes its time in between.
const UNSEEN: SignedDuration = SignedDuration::from_secs(30);

/// How long to wait before looking for it again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What is to be run, and how.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The application, with all settings made.
    pub application: Application,
    /// Files to be sent along.
    pub files: Option<Packed>,
    /// The name, if the user chose one.
    pub name: Option<ExecutionName>,
    /// What a name is made of otherwise, with the id behind it.
    pub stem: String,
    /// Makes the submission idempotent.
    pub key: Option<String>,
    /// How long it may run.
    pub timeout: Option<SignedDuration>,
    /// The user's own environment.
    pub env: BTreeMap<String, Secret>,
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

/// Submits. When this returns an error nothing was left behind; when it returns [`Accepted::New`] the execution exists,
/// whatever happens next.
pub async fn submit(
    context: &Context,
    submission: &Submission,
    report: &dyn Report,
) -> Result<Accepted, OpsError> {
    check_name(submission)?;
    let snapshot = context.backend.observe(Scope::Everything).await?;
    if let Some(existing) = existing(context, &snapshot, submission, report).await? {
        return Ok(existing);
    }
    scheduler::admit(&submission.application, &snapshot.nodes)
        .map_err(|refusal| OpsError::new(ErrorKind::Refused, refusal.to_string()))?;
    free_name(&snapshot, submission)?;
    ensure_images(context, submission, report).await?;
    let mut patience = Patience::new(context);
    loop {
        let ticket = ticket(context, submission, report).await?;
        // Preparing took its time: another with the same key may have come and even gone in between.
        let snapshot = context.backend.observe(Scope::Executions).await?;
        if let Some(existing) = existing(context, &snapshot, submission, report).await? {
            return Ok(existing);
        }
        let private = private(context, submission);
        match context.backend.submit(&ticket, &private).await {
            Ok(Submitted::Created) => {
                report.tell(News::Submitted {
                    id: ticket.id,
                    name: ticket.name.to_string(),
                });
                record::submitted(context, &ticket, report).await;
                return Ok(Accepted::New(Box::new(ticket)));
            }
            Ok(Submitted::Taken) if ticket.name_claimed => return Err(name_taken(&ticket.name)),
            // Another is submitting with this key just now: what it makes will be seen.
            Ok(Submitted::Taken) if ticket.key.is_some() => patience.unseen(context).await?,
            Ok(Submitted::Taken) => patience.again("every id tried is in use")?,
            Err(EngineError::NoImage { .. }) => {
                patience.again("its image is removed as fast as it is made")?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// How often and how long a submission that lost a race is tried again.
struct Patience {
    tries: usize,
    until: Timestamp,
}

impl Patience {
    fn new(context: &Context) -> Self {
        let until = context.now().checked_add(UNSEEN);
        Self {
            tries: TRIES,
            until: until.unwrap_or(Timestamp::MAX),
        }
    }

    fn again(&mut self, why: &str) -> Result<(), OpsError> {
        self.tries = self.tries.checked_sub(1).ok_or_else(|| {
            OpsError::failed(format!("the execution could not be submitted: {why}"))
        })?;
        Ok(())
    }

    async fn unseen(&self, context: &Context) -> Result<(), OpsError> {
        if context.now() >= self.until {
            let message = "the execution could not be submitted: its key is taken by something that Docker does not list";
            return Err(OpsError::failed(message).hint(
                "use another key, or look for what has it with `docker ps -a` or `docker config ls`",
            ));
        }
        context.world.sleep(LOOK_AGAIN).await;
        Ok(())
    }
}

fn check_name(submission: &Submission) -> Result<(), OpsError> {
    match &submission.name {
        Some(name) if name.as_str() == LAST => Err(OpsError::usage(format!(
            "'{LAST}' cannot be a name: it means the submission made last"
        ))),
        _ => Ok(()),
    }
}

/// The id that belongs to a key: everybody who has the key makes the same.
fn id_of_key(context: &Context, key: &str) -> ExecutionId {
    let deployment = context.settings.deployment.as_str();
    let digest = Sha256::digest(format!("{deployment}\0{}\0{key}", context.settings.user));
    ExecutionId::from_bits(
        digest
            .iter()
            .take(8)
            .fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
    )
}

/// The execution with the submission's key, if there is or was one.
async fn existing(
    context: &Context,
    snapshot: &Snapshot,
    submission: &Submission,
    report: &dyn Report,
) -> Result<Option<Accepted>, OpsError> {
    let Some(key) = &submission.key else {
        return Ok(None);
    };
    let id = id_of_key(context, key);
    if let Some(execution) = snapshot.executions.get(&id) {
        if execution.ticket.key.as_ref() != Some(key) {
            let message = format!("the key's id {id} belongs to another execution");
            return Err(OpsError::new(ErrorKind::Conflict, message).hint("use another key"));
        }
        warn_of_change(
            submission,
            &apps::to_json(&execution.ticket.application),
            report,
        );
        return Ok(Some(Accepted::Alive(id)));
    }
    let record = context
        .history
        .open()
        .await?
        .get(&context.settings.deployment, id)
        .await?;
    let over = record.filter(|record| record.end.is_some());
    if let Some(record) = &over {
        warn_of_change(submission, &record.description, report);
    }
    Ok(over.map(|record| Accepted::Over(Box::new(record))))
}

/// A key decides alone; but who uses it for something else should know.
fn warn_of_change(submission: &Submission, earlier: &str, report: &dyn Report) {
    if apps::to_json(&submission.application) != earlier {
        let text = "what was submitted with this key before differs from what is submitted now; the earlier one counts";
        report.tell(News::Warning(text.to_owned()));
    }
}

fn free_name(snapshot: &Snapshot, submission: &Submission) -> Result<(), OpsError> {
    let Some(name) = &submission.name else {
        return Ok(());
    };
    let taken = snapshot.executions.values().any(|e| {
        (e.mark.is_none() && e.ticket.name == *name) || e.ticket.id.as_str() == name.as_str()
    });
    if taken { Err(name_taken(name)) } else { Ok(()) }
}

fn name_taken(name: &ExecutionName) -> OpsError {
    OpsError::new(
        ErrorKind::Conflict,
        format!("there is an execution called '{name}' already"),
    )
    .hint("choose another name, or end that one with `zoe kill`")
}

async fn ensure_images(
    context: &Context,
    submission: &Submission,
    report: &dyn Report,
) -> Result<(), OpsError> {
    let mut images: Vec<String> = submission
        .application
        .components
        .iter()
        .map(|c| reference(context, &c.image))
        .collect();
    images.sort();
    images.dedup();
    for image in images {
        let tell = |progress| {
            report.tell(News::Image {
                image: image.clone(),
                progress,
            });
        };
        context.backend.ensure(&image, &tell).await?;
    }
    Ok(())
}

fn reference(context: &Context, image: &str) -> String {
    apps::image_reference(&context.settings.registry, image)
}

async fn ticket(
    context: &Context,
    submission: &Submission,
    report: &dyn Report,
) -> Result<Ticket, OpsError> {
    let id = match &submission.key {
        Some(key) => id_of_key(context, key),
        None => ExecutionId::from_bits(u64::from_le_bytes(random(context))),
    };
    let name = match &submission.name {
        Some(name) => name.clone(),
        None => made_name(&submission.stem, id)?,
    };
    Ok(Ticket {
        id,
        deployment: context.settings.deployment.clone(),
        name,
        name_claimed: submission.name.is_some() && submission.key.is_none(),
        user: context.settings.user.clone(),
        application: submission.application.clone(),
        submitted_at: context.now(),
        key: submission.key.clone(),
        timeout: submission.timeout,
        terms: Terms::default(),
        job_image: job_image(context, submission, report).await?,
        registry: context.settings.registry.clone(),
    })
}

/// A name for an execution that was given none: what it runs, and its id so that it is the only one.
fn made_name(stem: &str, id: ExecutionId) -> Result<ExecutionName, OpsError> {
    let stem: String = stem
        .to_ascii_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '-'
            }
        })
        .take(24)
        .collect();
    let stem = stem.trim_matches('-');
    let name = if stem.is_empty() {
        id.to_string()
    } else {
        format!("{stem}-{id}")
    };
    name.parse()
        .map_err(|error| OpsError::failed(format!("no name could be made: {error}")))
}

async fn job_image(
    context: &Context,
    submission: &Submission,
    report: &dyn Report,
) -> Result<Option<String>, OpsError> {
    let Some(packed) = &submission.files else {
        return Ok(None);
    };
    let component = submission
        .application
        .components
        .iter()
        .find_map(|c| c.files.as_ref().map(|path| (c, path)));
    let Some((component, directory)) = component else {
        let name = &submission.application.name;
        return Err(OpsError::usage(format!(
            "no component of '{name}' takes files (`files = \"/path\"`)"
        )));
    };
    report.tell(News::Packed {
        files: packed.files,
        bytes: packed.archive.len() as u64,
    });
    let files = JobFiles {
        base: reference(context, &component.image),
        directory: directory.clone(),
        archive: packed.archive.clone().into(),
        digest: packed.digest.clone(),
    };
    for _ in 1..TRIES {
        match context.backend.ensure_files(&files).await {
            // A pass of another zoe took the container in which it was being made for a left-over.
            Err(EngineError::Gone { .. }) => {}
            made => return Ok(Some(made?)),
        }
    }
    Ok(Some(context.backend.ensure_files(&files).await?))
}

fn private(context: &Context, submission: &Submission) -> Private {
    let secrets = submission.application.secrets.iter().map(|name| {
        let bytes: [u8; 32] = random(context);
        (name.clone(), Secret::new(hex(&bytes)))
    });
    Private {
        secrets: secrets.collect(),
        env: submission.env.clone(),
    }
}

fn random<const N: usize>(context: &Context) -> [u8; N] {
    let mut bytes = [0; N];
    context.world.random(&mut bytes);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
