//! One execution in full: what `show` prints.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::Look;
use super::grid::{Cell, Fit, Grid, Tone};
use super::listing::tone;
use super::text::{ago, clean, length, rfc3339};
use crate::ops::view::{ExecutionView, NamedUrl, State, TermsView};

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
        ("Exit code", view.exit_code.map(|c| c.to_string())),
        ("Submitted", Some(time(view.submitted_at))),
        ("Started", view.started_at.map(time)),
        ("Ended", view.finished_at.map(time)),
        (
            "Took",
            view.started_at
                .map(|from| length(until.duration_since(from))),
        ),
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
    }
    if let Some(limit) = terms.time_limit {
        said.push(format!("at most {}", length(limit)));
    }
    if terms.held {
        said.push("held".to_owned());
    }
    (!said.is_empty()).then(|| said.join(", "))
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
