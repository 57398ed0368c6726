//! Columns of a list that somebody has chosen, as a table or as CSV: the keys of the JSON that hold one value each, and a few more that can
//! be counted from it.

use super::Look;
use super::grid::{Cell, Fit, Grid};
use super::listing::{total_cores, total_memory};
use super::text::{clean, rfc3339};
use crate::model::ids::shorten;
use crate::ops::view::ExecutionView;

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// What it is called, in CSV and by whoever chooses it.
    pub key: &'static str,
    title: &'static str,
    value: fn(&ExecutionView) -> Option<String>,
}

const fn column(
    key: &'static str,
    title: &'static str,
    value: fn(&ExecutionView) -> Option<String>,
) -> Column {
    Column { key, title, value }
}

/// All there are, in the order in which CSV has them.
pub const COLUMNS: [Column; 18] = [
    column("id", "ID", |v| Some(v.id.to_string())),
    column("name", "NAME", |v| Some(v.name.clone())),
    column("user", "USER", |v| Some(v.user.clone())),
    column("application", "APPLICATION", |v| {
        Some(v.application.clone())
    }),
    column("state", "STATE", |v| Some(v.state.word().to_owned())),
    column("exit_code", "EXIT", |v| v.exit_code.map(|c| c.to_string())),
    column("submitted_at", "SUBMITTED", |v| {
        Some(rfc3339(v.submitted_at))
    }),
    column("started_at", "STARTED", |v| v.started_at.map(rfc3339)),
    column("finished_at", "FINISHED", |v| v.finished_at.map(rfc3339)),
    column("waited_seconds", "WAITED", |v| {
        let started = v.started_at?;
        Some(started.duration_since(v.submitted_at).as_secs().to_string())
    }),
    column("runtime_seconds", "RUNTIME", |v| {
        Some(v.ran(v.finished_at?)?.as_secs().to_string())
    }),
    column("cores", "CORES", |v| Some(total_cores(v).to_string())),
    column("memory_bytes", "MEMORY", |v| {
        Some(total_memory(v).get().to_string())
    }),
    column("priority", "PRIORITY", |v| {
        Some(v.terms.priority.to_string())
    }),
    column("array", "ARRAY", |v| {
        v.terms.array.map(|(array, _)| array.to_string())
    }),
    column("array_index", "INDEX", |v| {
        v.terms.array.map(|(_, index)| index.to_string())
    }),
    column("attempt", "ATTEMPT", |v| {
        v.terms.attempt.map(|attempt| attempt.to_string())
    }),
    column("reason", "REASON", |v| v.reason.clone()),
];

/// The columns of a list of keys: `id,user,state`.
pub fn chosen(text: &str) -> Result<Vec<Column>, String> {
    let find = |key: &str| {
        let found = COLUMNS.into_iter().find(|column| column.key == key);
        found.ok_or_else(|| {
            let keys: Vec<&str> = COLUMNS.iter().map(|column| column.key).collect();
            format!(
                "'{}' is no column; there are {}",
                shorten(key),
                keys.join(", ")
            )
        })
    };
    text.split(',').map(|key| find(key.trim())).collect()
}

/// A table with these columns.
pub fn table(views: &[ExecutionView], columns: &[Column], look: &Look) -> String {
    let titles: Vec<(&'static str, Fit)> = columns
        .iter()
        .map(|column| match column.key {
            "reason" => (column.title, Fit::Wrap),
            _ => (column.title, Fit::Whole),
        })
        .collect();
    let mut grid = Grid::new(&titles);
    for view in views {
        let cells = columns
            .iter()
            .map(|column| Cell::maybe((column.value)(view)));
        grid.row(cells.collect());
    }
    grid.render(look)
}

/// CSV with these columns, their keys in the first line unless there is to be none. What could move a terminal is shown as it is in tables.
pub fn csv(views: &[ExecutionView], columns: &[Column], header: bool) -> String {
    let keys = columns.iter().map(|column| column.key.to_owned());
    let mut lines = Vec::new();
    if header {
        lines.push(keys.collect());
    }
    for view in views {
        let values = columns.iter().map(|column| (column.value)(view));
        lines.push(values.map(Option::unwrap_or_default).collect());
    }
    csv_lines(&lines)
}

/// Lines of CSV.
pub fn csv_lines(lines: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        // Writing to memory does not fail, and all lines are as long.
        let _ = writer.write_record(line.iter().map(|value| clean(value).into_owned()));
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
