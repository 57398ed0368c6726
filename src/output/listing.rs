//! Lists of executions: what `ps` and `history` print.

use super::columns::{self, Column};
use super::detail::idle;
use super::grid::{Cell, Fit, Grid, Tone};
use super::schema::{self, Execution};
use super::template::{Template, TemplateError};
use super::text::{ago, length};
use super::{Format, Look};
use crate::model::{Bytes, Cores};
use crate::ops::view::{ExecutionView, State};

/// Which list it is: the table differs, the JSON does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What is alive (and perhaps the last that were).
    Live,
    /// What has been.
    Past,
}

/// How a list is asked for.
#[derive(Debug)]
pub enum Shape {
    /// In one of the forms.
    Format(Format),
    /// A table with columns that were chosen.
    Columns(Vec<Column>),
    /// CSV with columns that were chosen.
    Csv(Vec<Column>),
    /// By the user's template.
    Template(Box<Template>),
}

/// The list as text.
pub fn executions(
    views: &[ExecutionView],
    kind: Kind,
    shape: &Shape,
    look: &Look,
) -> Result<String, TemplateError> {
    let schema = || views.iter().map(Execution::from);
    Ok(match shape {
        Shape::Format(Format::Json) => schema::pretty(&schema().collect::<Vec<_>>()),
        Shape::Format(Format::Jsonl) => schema().map(|e| schema::compact(&e)).collect(),
        Shape::Format(Format::Name) => views
            .iter()
            .flat_map(|v| [v.id.to_string(), "\n".to_owned()])
            .collect(),
        Shape::Format(Format::Table) => table(views, kind, false, look),
        Shape::Format(Format::Wide) => table(views, kind, true, look),
        Shape::Columns(columns) => columns::table(views, columns, look),
        Shape::Csv(columns) => columns::csv(views, columns, look.header),
        Shape::Template(template) => {
            let mut text = String::new();
            for execution in schema() {
                text.push_str(&template.line(&execution)?);
            }
            text
        }
    })
}

fn table(views: &[ExecutionView], kind: Kind, wide: bool, look: &Look) -> String {
    let mut columns = vec![
        ("ID", Fit::Whole),
        ("NAME", Fit::Cut(24)),
        ("USER", Fit::Whole),
        ("APPLICATION", Fit::Whole),
        ("STATE", Fit::Whole),
    ];
    match kind {
        Kind::Live => columns.extend([("AGE", Fit::Whole), ("MEMBERS", Fit::Whole)]),
        Kind::Past => columns.extend([
            ("EXIT", Fit::Number),
            ("ENDED", Fit::Whole),
            ("TOOK", Fit::Whole),
        ]),
    }
    if wide {
        columns.extend([("CORES", Fit::Number), ("MEMORY", Fit::Number)]);
        columns.push(("PRIORITY", Fit::Number));
        if kind == Kind::Live {
            columns.push(("EXIT", Fit::Number));
        }
        columns.push(("URLS", Fit::Wrap));
    }
    columns.push(("DETAIL", Fit::Wrap));
    let mut grid = Grid::new(&columns);
    // `show` has them all.
    grid.give_up(&["APPLICATION", "USER", "MEMBERS", "TOOK", "AGE", "ENDED"]);
    for view in views {
        grid.row(row(view, kind, wide, look));
    }
    grid.render(look)
}

fn row(view: &ExecutionView, kind: Kind, wide: bool, look: &Look) -> Vec<Cell> {
    let id = view.id.to_string();
    let mut cells = vec![
        Cell::plain(&id),
        Cell::plain(&view.name),
        Cell::plain(&view.user),
        Cell::plain(&view.application),
        Cell::new(view.state.word(), tone(view.state)),
    ];
    match kind {
        Kind::Live => cells.extend([
            Cell::plain(ago(look.now, view.submitted_at)),
            Cell::plain(members(view)),
        ]),
        Kind::Past => {
            let took = view.finished_at.and_then(|to| view.ran(to)).map(length);
            cells.extend([
                Cell::maybe(view.exit_code),
                Cell::maybe(view.finished_at.map(|t| ago(look.now, t))),
                Cell::maybe(took),
            ]);
        }
    }
    if wide {
        let urls: Vec<&str> = view.urls.iter().map(|u| u.url.as_str()).collect();
        cells.extend([
            Cell::plain(total_cores(view).to_string()),
            Cell::plain(total_memory(view).to_string()),
            Cell::plain(view.terms.priority.to_string()),
        ]);
        if kind == Kind::Live {
            cells.push(Cell::maybe(view.exit_code));
        }
        cells.push(Cell::plain(urls.join(" ")));
    }
    cells.push(Cell::plain(remark(view, look)));
    cells
}

/// Why it waits, or how it ended; of what runs, what is wrong, and whether nobody uses it.
fn remark(view: &ExecutionView, look: &Look) -> String {
    let idle = view.activity.as_ref().and_then(|used| idle(used, look));
    let parts = [view.reason.clone(), idle];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("; ")
}

/// Members at work of those wanted; a dash once there is nothing to count.
fn members(view: &ExecutionView) -> String {
    if view.state.is_over() {
        return String::new();
    }
    let running: u32 = view.components.iter().map(|c| c.running).sum();
    let wanted: u32 = view.components.iter().map(|c| c.wanted).sum();
    format!("{running}/{wanted}")
}

/// Processor of all members together.
pub fn total_cores(view: &ExecutionView) -> Cores {
    let millis = view
        .components
        .iter()
        .map(|c| c.cores.times(u64::from(c.wanted)).millis())
        .fold(0, u64::saturating_add);
    Cores::from_millis(millis)
}

/// Memory of all members together.
pub fn total_memory(view: &ExecutionView) -> Bytes {
    Bytes::new(
        view.components
            .iter()
            .map(|c| c.memory.times(u64::from(c.wanted)).get())
            .fold(0, u64::saturating_add),
    )
}

/// What a state's colour says.
pub fn tone(state: State) -> Tone {
    match state {
        State::Queued => Tone::Waiting,
        State::Starting | State::Ending => Tone::Busy,
        State::Running => Tone::Good,
        State::Finished | State::Cancelled => Tone::Dim,
        State::Failed => Tone::Bad,
    }
}
