//! Writing to the owner of an execution: whether, to which address, and what; the mail goes into the outbox, and `mail` sends it
//! from there.
//!
//! The outbox has one mail of each execution and topic. Whoever ends an execution puts it there before anything of the execution
//! is removed; who is slower, or goes on after a death, finds it there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;

use crate::engine::LogRange;
use crate::logs::Archive;
use crate::mail::{self, About, Content, Notebook, Run};
use crate::model::{Execution, ExecutionId, InstanceKey, MailKind, MailOn, Mark, Outcome, Ticket};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::idle::culling;
use crate::store::{Bodies, Cover, Letter, Record, Store, User};

/// The topic of the mail about the end of an execution, whatever kind of end it is: there is one.
pub(super) const END: &str = "end";
/// What a reason begins with, or contains, of an execution that was given up before it ran.
pub(in crate::ops) const NOT_STARTED: &str = "could not be started";
/// How many lines of the log are in a mail, of how many characters, and how much is read for them.
const LINES: usize = 20;
const WIDTH: usize = 200;
const MOST_BYTES: usize = 256 * 1024;
/// How long Docker may take to hand them out.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody who wants to be written to.
pub(in crate::ops) struct Recipient<'a> {
    /// Whom mails come from, where a mail server is configured here.
    sender: Option<&'a str>,
    address: String,
    on: MailOn,
}

impl Recipient<'_> {
    /// Whether they want to be told of notebooks that nobody uses.
    pub(in crate::ops) fn wants_notebooks(&self) -> bool {
        self.on.wants_notebooks()
    }
}

/// The owner of an execution, if there is an address. Whether mails can be sent from here does not matter: whoever has a mail
/// server finds them in the outbox.
pub(in crate::ops) async fn recipient<'a>(
    context: &'a Context,
    store: &dyn Store,
    ticket: &Ticket,
) -> Result<Option<Recipient<'a>>, OpsError> {
    // Nobody need be asked.
    if ticket.terms.mail_on == Some(MailOn::Never) {
        return Ok(None);
    }
    let entered = store.users(&context.settings.deployment).await?;
    let own = entered.into_iter().find(|user| user.name == ticket.user);
    let Some(User {
        mail: Some(address),
        mail_on,
        ..
    }) = own
    else {
        return Ok(None);
    };
    let settings = context.settings.mail.as_ref();
    let usual = || settings.map(|mail| mail.on).unwrap_or_default();
    let on = ticket.terms.mail_on.or(mail_on).unwrap_or_else(usual);
    Ok(Some(Recipient {
        sender: settings.map(|mail| mail.server.sender.as_str()),
        address,
        on,
    }))
}

/// Why nobody will be written to though somebody who submits asks for it, as far as that is known here.
pub(in crate::ops) async fn unaddressed(
    context: &Context,
    asked: Option<MailOn>,
) -> Option<String> {
    if matches!(asked, None | Some(MailOn::Never)) {
        return None;
    }
    let settings = &context.settings;
    let store = context.history.open().await.ok()?;
    let entered = store.users(&settings.deployment).await.ok()?;
    let own = entered.into_iter().find(|user| user.name == settings.user);
    let verb = if own.is_some() { "set" } else { "add" };
    if own.is_some_and(|own| own.mail.is_some()) {
        return None;
    }
    let user = &settings.user;
    Some(format!(
        "{user} has no mail address, so nobody is written to; enter one: zoe user {verb} {user} --mail ADDRESS"
    ))
}

/// The id of the mail about this in the outbox.
pub(in crate::ops) fn letter_id(execution: ExecutionId, topic: &str) -> String {
    format!("{execution}.{topic}")
}

/// Puts a mail into the outbox, unless there is one of this execution and topic.
pub(in crate::ops) async fn put(
    context: &Context,
    store: &dyn Store,
    ticket: &Ticket,
    recipient: &Recipient<'_>,
    (kind, topic, letter): (MailKind, &str, Content),
) -> Result<(), OpsError> {
    let deployment = &context.settings.deployment;
    let id = letter_id(ticket.id, topic);
    let host = recipient
        .sender
        .and_then(|sender| sender.rsplit('@').next());
    let host = host.unwrap_or("localhost");
    // An id comes again when a key is used anew after `zoe rm`.
    let submitted = ticket.submitted_at.as_millisecond();
    let posted = Letter {
        cover: Cover {
            message_id: format!("<{id}.{submitted}.{deployment}@{host}>"),
            id,
            execution: ticket.id,
            kind,
            user: ticket.user.clone(),
            recipient: recipient.address.clone(),
            subject: letter.subject,
            created_at: context.now(),
        },
        bodies: Bodies {
            text: letter.text,
            html: letter.html,
        },
    };
    Ok(store.post(deployment, &posted).await?)
}

/// What a mail is about.
pub(in crate::ops) fn about(context: &Context, ticket: &Ticket) -> About {
    About {
        id: ticket.id,
        name: ticket.name.to_string(),
        user: ticket.user.clone(),
        application: ticket.application.name.clone(),
        deployment: context.settings.deployment.clone(),
    }
}

/// An execution has ended, and history has it: its owner is written to, if that is wanted. What of its log can't be read is left
/// out; if the mail can't be put into the outbox the end is not through.
pub(in crate::ops) async fn ended(
    context: &Context,
    store: &Arc<dyn Store>,
    execution: &Execution,
    mark: Mark,
) -> Result<(), OpsError> {
    let ticket = &execution.ticket;
    let Some(recipient) = recipient(context, store.as_ref(), ticket).await? else {
        return Ok(());
    };
    // The first end that was written is the right one.
    let record = store.get(&context.settings.deployment, ticket.id).await?;
    let Some(record) = record else { return Ok(()) };
    let Some((ended_at, outcome)) = record.end.clone() else {
        return Ok(());
    };
    let known = match &outcome {
        Outcome::Cancelled { by } if culling::is_by_culling(by.as_deref()) => {
            let ids = [ticket.id];
            let known = store
                .activity_of(&context.settings.deployment, &ids)
                .await?;
            known.get(&ticket.id).and_then(|known| known.used_at)
        }
        Outcome::Finished
        | Outcome::Failed { .. }
        | Outcome::TimedOut
        | Outcome::Cancelled { .. } => None,
    };
    if let Some(idle_since) = known {
        if !recipient.wants_notebooks() {
            return Ok(());
        }
        let notebook = Notebook {
            idle_since,
            now: context.now(),
            deadline: ended_at,
            url: None,
            logs: record.logs,
        };
        let letter = mail::compose::notebook_ended(&about(context, ticket), &notebook);
        let what = (MailKind::NotebookEnded, END, letter);
        return put(context, store.as_ref(), ticket, &recipient, what).await;
    }
    if !recipient.on.wants_end(&outcome) {
        return Ok(());
    }
    let given_up = is_given_up(mark, &outcome);
    let last = last_lines(context, execution, &record).await;
    let run = Run {
        submitted_at: record.submitted_at,
        started_at: record.started_at,
        ended_at,
        ran: match (record.used, record.started_at) {
            (Some(used), _) => Some(used.ran()),
            (None, started_at) => started_at.map(|from| ended_at.duration_since(from)),
        },
        outcome,
        allocated: record.allocated,
        logs: record.logs,
        last,
    };
    let about = about(context, ticket);
    let (kind, letter) = if given_up {
        let letter = mail::compose::start_given_up(&about, &run);
        (MailKind::StartGivenUp, letter)
    } else {
        (MailKind::Ended, mail::compose::ended(&about, &run))
    };
    let what = (kind, END, letter);
    put(context, store.as_ref(), ticket, &recipient, what).await
}

fn is_given_up(mark: Mark, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Failed { reason, .. } => mark == Mark::Failed && reason.contains(NOT_STARTED),
        Outcome::Finished | Outcome::TimedOut | Outcome::Cancelled { .. } => false,
    }
}

/// The last lines of the member whose log is the execution's own, with whose they are: from Docker, and where its container is
/// gone already from the archive.
async fn last_lines(
    context: &Context,
    execution: &Execution,
    record: &Record,
) -> Option<(String, Vec<String>)> {
    let own = match &execution.ticket.application.monitor {
        Some(component) => InstanceKey {
            execution: execution.ticket.id,
            component: component.clone(),
            index: 0,
        },
        None => execution.decisive_exit()?.key.clone(),
    };
    let live = tokio::select! {
        written = of_docker(context, &own) => written,
        () = context.world.sleep(PATIENCE) => None,
    };
    let written = match (live, &record.logs) {
        (Some(written), _) => written,
        (None, Some(path)) => of_archive(path.into(), own.clone()).await?,
        (None, None) => return None,
    };
    let lines = mail::clean::last_lines(&written, LINES, WIDTH);
    Some((own.component.to_string(), lines))
}

fn tail() -> LogRange {
    LogRange {
        tail: Some(LINES as u64),
        ..LogRange::default()
    }
}

async fn of_docker(context: &Context, own: &InstanceKey) -> Option<Vec<u8>> {
    let mut written = Vec::new();
    let mut chunks = context.backend.logs(own, tail()).await.ok()?;
    while let Some(chunk) = chunks.next().await {
        add(&mut written, &chunk.ok()?.bytes);
    }
    Some(written)
}

/// A long log is unpacked for it, which takes its time: beside everything else.
async fn of_archive(path: PathBuf, own: InstanceKey) -> Option<Vec<u8>> {
    let read = move |path: &Path| {
        let archive = Archive::open(path).ok()?;
        let mut written = Vec::new();
        for chunk in archive.chunks(&own.component, own.index, tail()).ok()? {
            add(&mut written, &chunk.ok()?.bytes);
        }
        Some(written)
    };
    let done = tokio::task::spawn_blocking(move || read(&path)).await;
    done.ok().flatten()
}

/// Keeps the end of what is too long.
fn add(written: &mut Vec<u8>, bytes: &[u8]) {
    written.extend_from_slice(bytes);
    let over = written.len().saturating_sub(MOST_BYTES);
    written.drain(..over);
}
