//! One execution in full: what `show` prints.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::Look;
use super::grid::{Cell, Fit, Grid, Tone};
use super::listing::tone;
use super::text::{ago, clean, length, rfc3339};
use crate::idle::short;
use crate::ops::idle::is_for_ever;
use crate::ops::view::{ActivityView, ExecutionView, NamedUrl, State, TermsView};

/// What was used so lately is not called idle.
const MOMENT: SignedDuration = SignedDuration::from_mins(1);

/// The execution as paragraphs for people.
pub fn execution(view: &ExecutionView, look: &Look) -> String {
    let mut text = facts(view, look);
    if !view.urls.is_empty() {
        text.push('\n');
        let mut grid = Grid::new(&[("URL OF", Fit::Whole), ("ADDRESS", Fit::Whole)]);
        for url in &view.urls {
            grid.row(vec![Cell::plain(&url.name), Cell::plain(&url.url)]);
        }
        text.push_str(&grid.render(look));
    }
    if let Some(used) = view.activity.as_ref().filter(|used| !used.signs.is_empty()) {
        text.push('\n');
        text.push_str(&signs(used, look));
    }
    text.push('\n');
    text.push_str(&components(view, look));
    if !view.containers.is_empty() {
        text.push('\n');
        text.push_str(&containers(view, look));
    }
    text
}

/// Where something that serves can be reached: an address a line, the name before it where there are several.
pub fn addresses(urls: &[NamedUrl]) -> String {
    let width = urls
        .iter()
        .map(|url| url.name.chars().count())
        .max()
        .unwrap_or(0)
        + 2;
    urls.iter().fold(String::new(), |mut text, url| {
        let name = if urls.len() > 1 {
            format!("{:width$}", clean(&url.name))
        } else {
            String::new()
        };
        let _ = writeln!(text, "{name}{}", clean(&url.url));
        text
    })
}

fn facts(view: &ExecutionView, look: &Look) -> String {
    let time = |t| format!("{} ({})", rfc3339(t), ago(look.now, t));
    let until = view.finished_at.unwrap_or(look.now);
    let facts = [
        ("Id", Some(view.id.to_string())),
        ("Name", Some(view.name.clone())),
        ("User", Some(view.user.clone())),
        ("Application", Some(view.application.clone())),
        ("State", Some(view.state.word().to_owned())),
        ("Reason", view.reason.clone()),
        ("Terms", terms(&view.terms)),
        ("Use", view.activity.as_ref().map(|used| in_use(used, look))),
        ("Exit code", view.exit_code.map(|c| c.to_string())),
        ("Submitted", Some(time(view.submitted_at))),
        ("Started", view.started_at.map(time)),
        ("Ended", view.finished_at.map(time)),
        ("Took", view.ran(until).map(length)),
    ];
    facts
        .into_iter()
        .fold(String::new(), |mut text, (name, value)| {
            if let Some(value) = value {
                let _ = writeln!(text, "{:13}{}", format!("{name}:"), clean(&value));
            }
            text
        })
}

/// What is not as it is without a word about it.
fn terms(terms: &TermsView) -> Option<String> {
    let mut said = Vec::new();
    if terms.priority != 0 {
        said.push(format!("priority {}", terms.priority));
    }
    if let Some((array, index)) = terms.array {
        said.push(format!("{index} of array {array}"));
    }
    if !terms.after.is_empty() {
        said.push(format!("after {}", terms.after.join(" ")));
    }
    if terms.retries > 0 {
        said.push(match terms.attempt {
            Some(attempt) => format!("attempt {attempt} of {}", terms.retries.saturating_add(1)),
            None => format!("{} retries", terms.retries),
        });
        let codes: Vec<String> = terms.retry_on.iter().map(ToString::to_string).collect();
        if !codes.is_empty() {
            said.push(format!("run again after exit code {}", codes.join(", ")));
        }
    }
    if let Some(limit) = terms.time_limit {
        said.push(format!("at most {}", length(limit)));
    }
    if let Some(timeout) = &terms.idle_timeout {
        said.push(format!("idle at most {timeout}").replace("at most never", "for ever"));
    }
    if terms.held {
        said.push("held".to_owned());
    }
    (!said.is_empty()).then(|| said.join(", "))
}

/// `idle 3h, ends in 21h`; nothing of what is used, or was a moment ago.
pub(super) fn idle(used: &ActivityView, look: &Look) -> Option<String> {
    if used.state.as_deref() != Some("idle") {
        return None;
    }
    let idle = look.now.duration_since(used.used_at?);
    if idle < MOMENT {
        return None;
    }
    let idle = format!("idle {}", short(idle));
    let left = |at: Timestamp| short(at.duration_since(look.now));
    Some(match (used.kept_until, used.ends_at) {
        (Some(until), _) if is_for_ever(until) => format!("{idle}, kept"),
        (Some(until), _) => format!("{idle}, kept for {}", left(until)),
        (None, Some(ends_at)) if ends_at > look.now && used.warning_waits => format!(
            "{idle}, ends in {} or sooner: its warning waits to be mailed",
            left(ends_at)
        ),
        (None, Some(ends_at)) if ends_at > look.now => format!("{idle}, ends in {}", left(ends_at)),
        (None, Some(_)) => format!("{idle}, ends now"),
        (None, None) => idle,
    })
}

/// Whether somebody uses it, in full.
fn in_use(used: &ActivityView, look: &Look) -> String {
    let limit = short(used.idle_timeout);
    let looked = used.checked_at.map(|at| ago(look.now, at));
    let last = used.used_at.map(|at| {
        let by = used.used_by.as_deref();
        let by = by.map_or_else(String::new, |by| format!(" ({by})"));
        format!("used {}{by}", ago(look.now, at))
    });
    let state = match used.state.as_deref() {
        Some("used") => Some("in use".to_owned()),
        Some("unreadable") => Some("not known, which counts as use".to_owned()),
        Some(_) => idle(used, look).or(last),
        None => last,
    };
    let warned = used
        .warned_at
        .map(|at| format!("warned {}", ago(look.now, at)));
    let kept = used.kept_until.map(|until| {
        if is_for_ever(until) {
            "kept until told otherwise".to_owned()
        } else {
            format!("kept until {}", rfc3339(until))
        }
    });
    let looked = match (looked, &used.state) {
        (Some(ago), Some(_)) => format!("looked at {ago}"),
        (Some(ago), None) => format!("not looked at since {ago}"),
        (None, _) => "not looked at yet: `zoe watch` does".to_owned(),
    };
    let limit = format!("ended when idle for {limit}");
    let parts = [state, warned, kept, Some(limit), Some(looked)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("; ")
}

/// What each sign said.
fn signs(used: &ActivityView, look: &Look) -> String {
    let mut grid = Grid::new(&[
        ("SIGN OF USE", Fit::Whole),
        ("STATE", Fit::Whole),
        ("USED", Fit::Whole),
        ("SAYS", Fit::Wrap),
    ]);
    for one in &used.signs {
        let tone = match one.state.as_str() {
            "used" => Tone::Good,
            "unreadable" => Tone::Bad,
            _ => Tone::Plain,
        };
        grid.row(vec![
            Cell::plain(&one.sign),
            Cell::new(&one.state, tone),
            Cell::maybe(one.used_at.map(|at| ago(look.now, at))),
            Cell::plain(&one.text),
        ]);
    }
    grid.render(look)
}

fn components(view: &ExecutionView, look: &Look) -> String {
    let columns = [
        ("COMPONENT", Fit::Whole),
        ("RUNNING", Fit::Number),
        ("WANTED", Fit::Number),
        ("CORES", Fit::Number),
        ("MEMORY", Fit::Number),
        ("IMAGE", Fit::Wrap),
    ];
    let mut grid = Grid::new(&columns);
    for component in &view.components {
        let tone = match view.state {
            State::Running if component.running < component.wanted => Tone::Waiting,
            State::Running => tone(State::Running),
            State::Queued
            | State::Starting
            | State::Ending
            | State::Finished
            | State::Failed
            | State::Cancelled => Tone::Plain,
        };
        grid.row(vec![
            Cell::plain(&component.name),
            Cell::new(component.running.to_string(), tone),
            Cell::plain(component.wanted.to_string()),
            Cell::plain(component.cores.to_string()),
            Cell::plain(component.memory.to_string()),
            Cell::plain(&component.image),
        ]);
    }
    grid.render(look)
}

fn containers(view: &ExecutionView, look: &Look) -> String {
    let noted = view.containers.iter().any(|c| c.note.is_some());
    let mut columns = vec![
        ("MEMBER", Fit::Whole),
        ("STATE", Fit::Whole),
        ("EXIT", Fit::Number),
        ("ADDRESS", Fit::Whole),
        ("CONTAINER", Fit::Whole),
        ("NODE", if noted { Fit::Cut(32) } else { Fit::Wrap }),
    ];
    if noted {
        columns.push(("DOCKER SAYS", Fit::Wrap));
    }
    let mut grid = Grid::new(&columns);
    for container in &view.containers {
        let short: String = container.container_id.chars().take(12).collect();
        let tone = match (container.state.as_str(), container.exit_code) {
            ("running", _) => Tone::Good,
            ("rejected" | "lost", _) => Tone::Bad,
            (_, Some(code)) if code != 0 => Tone::Bad,
            _ => Tone::Plain,
        };
        let mut cells = vec![
            Cell::plain(format!("{}-{}", container.component, container.index)),
            Cell::new(&container.state, tone),
            Cell::maybe(container.exit_code),
            Cell::maybe(container.address),
            Cell::plain(short),
            Cell::plain(&container.node),
        ];
        if noted {
            cells.push(Cell::maybe(container.note.as_ref()));
        }
        grid.row(cells);
    }
    grid.render(look)
}

/// Something that happened to an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happening<'a> {
    /// When.
    pub at: Timestamp,
    /// A word for it.
    pub kind: &'a str,
    /// A sentence about it.
    pub detail: &'a str,
}

/// What happened, as a paragraph; nothing if nothing did.
pub fn timeline(happenings: &[Happening<'_>], look: &Look) -> String {
    if happenings.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&[
        ("TIME", Fit::Whole),
        ("EVENT", Fit::Whole),
        ("DETAIL", Fit::Wrap),
    ]);
    for one in happenings {
        grid.row(vec![
            Cell::plain(rfc3339(one.at)),
            Cell::plain(one.kind),
            Cell::plain(one.detail),
        ]);
    }
    format!("\n{}", grid.render(look))
}
