//! What mails say. Pure: values in, text out.

use jiff::{SignedDuration, Timestamp};

use super::page::{Content, Page};
use crate::model::{Deployment, ExecutionId, Outcome, Resources};

/// The execution that a mail is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its id.
    pub id: ExecutionId,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// What was run.
    pub application: String,
    /// Where.
    pub deployment: Deployment,
}

/// How an execution went that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it began, if it did.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How.
    pub outcome: Outcome,
    /// How long it ran, if it did; pauses between its attempts don't count.
    pub ran: Option<SignedDuration>,
    /// What its members held.
    pub allocated: Option<Resources>,
    /// The archive of its logs.
    pub logs: Option<String>,
    /// Whose lines the last ones are, and the lines; cleaned already.
    pub last: Option<(String, Vec<String>)>,
}

/// A notebook that nobody uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notebook {
    /// Since when.
    pub idle_since: Timestamp,
    /// The time now.
    pub now: Timestamp,
    /// When it will be ended, or was.
    pub deadline: Timestamp,
    /// Where it is, while it is there.
    pub url: Option<String>,
    /// The archive of its logs, once it is over.
    pub logs: Option<String>,
}

/// An execution has ended.
pub fn ended(about: &About, run: &Run) -> Content {
    let (state, why) = state(&run.outcome);
    let subject = match &run.outcome {
        Outcome::Failed { exit_code, .. } => format!("{state} (exit code {exit_code})"),
        Outcome::Finished | Outcome::TimedOut | Outcome::Cancelled { .. } => state.to_owned(),
    };
    let name = &about.name;
    let sentence = match &run.outcome {
        Outcome::Finished => format!("{name} has finished."),
        Outcome::Failed { .. } => format!("{name} has failed."),
        Outcome::TimedOut => format!("{name} ran longer than it may and was ended."),
        Outcome::Cancelled { .. } => format!("{name} was cancelled."),
    };
    let page = Page::new(&format!("[zoe] {name} {subject}"))
        .sentence(&sentence)
        .rows(rows(about, run, state, why));
    with_end(page, about, run).finish()
}

/// An execution could not be started, and that is not tried any more.
pub fn start_given_up(about: &About, run: &Run) -> Content {
    let name = &about.name;
    let (state, why) = state(&run.outcome);
    let page = Page::new(&format!("[zoe] {name} could not be started"))
        .sentence(&format!(
            "{name} could not be started and was given up. Nothing of it runs any more."
        ))
        .rows(rows(about, run, state, why));
    with_end(page, about, run)
        .sentence(&format!(
            "\"zoe resubmit {}\" runs the same again.",
            about.id
        ))
        .finish()
}

/// A notebook is idle and will be ended.
pub fn notebook_warning(about: &About, notebook: &Notebook) -> Content {
    let name = &about.name;
    let left = span(notebook.deadline.duration_since(notebook.now));
    let deadline = moment(notebook.deadline);
    Page::new(&format!("[zoe] {name} is idle and will be ended in {left}"))
        .sentence(&format!(
            "{name} has not been used for {}. It will be ended in {left}, at {deadline}, unless it is used before.",
            span(notebook.now.duration_since(notebook.idle_since)),
        ))
        .rows(vec![
            ("Execution", Some(about.id.to_string())),
            ("Notebook", notebook.url.clone()),
            ("Last used", Some(moment(notebook.idle_since))),
            ("Ends", Some(deadline)),
        ])
        .sentence(&format!(
            "To keep it, use it, or say for how long: \"zoe keep {} 4h\". To end it now: \"zoe kill {}\".",
            about.id, about.id
        ))
        .finish()
}

/// A notebook was idle and has been ended.
pub fn notebook_ended(about: &About, notebook: &Notebook) -> Content {
    let name = &about.name;
    let idle = span(notebook.deadline.duration_since(notebook.idle_since));
    Page::new(&format!("[zoe] {name} was idle and has been ended"))
        .sentence(&format!(
            "{name} had not been used for {idle} and has been ended. What was only in its memory is gone; files in a workspace \
             or on a volume are still there."
        ))
        .rows(vec![
            ("Execution", Some(about.id.to_string())),
            ("Last used", Some(moment(notebook.idle_since))),
            ("Ended", Some(moment(notebook.deadline))),
            ("Logs", notebook.logs.clone()),
        ])
        .sentence(&format!(
            "\"zoe logs {}\" shows what it wrote, \"zoe notebook\" starts a new one.",
            about.id
        ))
        .finish()
}

/// A mail that only shows that mail arrives.
pub fn test(deployment: &Deployment, user: &str, now: Timestamp) -> Content {
    Page::new(&format!("[zoe] a test from {deployment}"))
        .sentence(&format!(
            "This is a test. {user} has asked zoe to send it, with \"zoe mail test\", at {}. If you can read it, mail from zoe \
             arrives.",
            moment(now)
        ))
        .finish()
}

/// The word for how it ended, and what else there is to say of it.
fn state(outcome: &Outcome) -> (&'static str, Option<String>) {
    match outcome {
        Outcome::Finished => ("finished", None),
        Outcome::Failed { reason, .. } => ("failed", Some(reason.clone())),
        Outcome::TimedOut => ("timed out", None),
        Outcome::Cancelled { by } => ("cancelled", by.as_ref().map(|by| format!("by {by}"))),
    }
}

fn rows(
    about: &About,
    run: &Run,
    state: &str,
    why: Option<String>,
) -> Vec<(&'static str, Option<String>)> {
    let ran = run.ran;
    let resources = run.allocated.filter(|held| *held != Resources::ZERO);
    vec![
        ("Execution", Some(about.id.to_string())),
        ("Name", Some(about.name.clone())),
        ("Application", Some(about.application.clone())),
        ("User", Some(about.user.clone())),
        ("State", Some(state.to_owned())),
        ("Exit code", Some(run.outcome.exit_code().to_string())),
        ("Reason", why),
        ("Submitted", Some(moment(run.submitted_at))),
        ("Started", run.started_at.map(moment)),
        ("Ended", Some(moment(run.ended_at))),
        ("Runtime", ran.map(span)),
        (
            "Resources",
            resources.zip(ran).map(|(held, ran)| used(held, ran)),
        ),
        ("Logs", run.logs.clone()),
        ("Deployment", Some(about.deployment.to_string())),
    ]
}

fn with_end(page: Page, about: &About, run: &Run) -> Page {
    let page = match &run.last {
        Some((whose, lines)) if !lines.is_empty() => {
            page.block(&format!("The last lines of {whose}"), lines)
        }
        Some(_) | None => page,
    };
    if run.logs.is_some() {
        page.sentence(&format!("\"zoe logs {}\" shows all of it.", about.id))
    } else {
        page
    }
}

/// `2 cores, 4 GiB: 1.5 core-hours, 3 GiB-hours`.
fn used(held: Resources, ran: SignedDuration) -> String {
    let seconds = u128::from(ran.as_secs().max(0).unsigned_abs());
    let cores = u128::from(held.cores.millis()) * seconds / 36_000;
    let memory = u128::from(held.memory.get()) * seconds / (36 << 30);
    format!(
        "{} cores, {}: {} core-hours, {} GiB-hours",
        held.cores,
        held.memory,
        hundredths(cores),
        hundredths(memory)
    )
}

fn hundredths(amount: u128) -> String {
    let (whole, rest) = (amount / 100, amount % 100);
    match (rest, rest % 10) {
        (0, _) => whole.to_string(),
        (_, 0) => format!("{whole}.{}", rest / 10),
        _ => format!("{whole}.{rest:02}"),
    }
}

/// `2026-11-22 14:03:21 UTC`.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A length of time in its two largest units: `45 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`.
fn span(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    let units = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)];
    let Some(first) = units.iter().position(|(_, size)| seconds >= *size) else {
        return "0 s".to_owned();
    };
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (name, size) in units.iter().skip(first).take(2) {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            parts.push(format!("{count} {name}"));
        }
    }
    parts.join(" ")
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
