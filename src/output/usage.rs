//! What members of executions use: what `top` prints.

use jiff::SignedDuration;
use serde::Serialize;

use super::Look;
use super::grid::{Cell, Fit, Grid};
use super::schema::pretty;
use crate::model::{Bytes, Cores};

/// One member and what it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The execution's id.
    pub execution: String,
    /// Its name.
    pub name: String,
    /// The component.
    pub component: String,
    /// Which member.
    pub index: u32,
    /// The node it is on.
    pub node: String,
    /// Processor in use, in tenths of a percent of one core; unknown at a first reading.
    pub cpu: Option<u64>,
    /// The member's limit, which is reserved for it.
    pub cores: Cores,
    /// Memory in use, where that could be asked.
    pub memory: Option<Bytes>,
    /// The member's limit, which is reserved for it.
    pub memory_limit: Bytes,
    /// Bytes received and sent, where that could be asked.
    pub network: Option<(u64, u64)>,
    /// Processes, where that could be asked.
    pub processes: Option<u64>,
    /// Why it is not known what it uses.
    pub note: Option<String>,
}

#[derive(Serialize)]
struct Json<'a> {
    execution: &'a str,
    name: &'a str,
    component: &'a str,
    index: u32,
    node: &'a str,
    cpu_percent: Option<serde_json::Number>,
    cores: Option<serde_json::Number>,
    memory_bytes: Option<u64>,
    memory_limit_bytes: u64,
    received_bytes: Option<u64>,
    sent_bytes: Option<u64>,
    processes: Option<u64>,
    note: Option<&'a str>,
}

/// `used` of the time that passed, in tenths of a percent of one core.
pub fn percent(used: SignedDuration, passed: SignedDuration) -> u64 {
    let (used, passed) = (used.as_nanos().max(0), passed.as_nanos().max(0));
    used.saturating_mul(1000)
        .checked_div(passed)
        .and_then(|tenths| u64::try_from(tenths).ok())
        .unwrap_or(0)
}

fn shown(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// As a table.
pub fn table(rows: &[Row], look: &Look) -> String {
    // Where all are on one node, its name tells nothing.
    let several = rows
        .iter()
        .any(|row| rows.first().is_some_and(|first| first.node != row.node));
    let mut columns = vec![
        ("ID", Fit::Whole),
        ("NAME", Fit::Cut(24)),
        ("MEMBER", Fit::Whole),
    ];
    if several {
        columns.push(("NODE", Fit::Cut(24)));
    }
    columns.extend([
        ("CPU %", Fit::Number),
        ("CORES", Fit::Number),
        ("MEMORY", Fit::Number),
        ("LIMIT", Fit::Number),
        ("MEM %", Fit::Number),
        ("IN", Fit::Number),
        ("OUT", Fit::Number),
        ("PROCESSES", Fit::Number),
    ]);
    let mut grid = Grid::new(&columns);
    grid.give_up(&["PROCESSES", "OUT", "IN", "MEM %", "NAME"]);
    for row in rows {
        let share = row.memory.and_then(|memory| {
            memory
                .get()
                .saturating_mul(100)
                .checked_div(row.memory_limit.get())
        });
        let mut cells = vec![
            Cell::plain(&row.execution),
            Cell::plain(&row.name),
            Cell::plain(format!("{}-{}", row.component, row.index)),
        ];
        if several {
            cells.push(Cell::plain(&row.node));
        }
        cells.extend([
            Cell::maybe(row.cpu.map(shown)),
            Cell::plain(row.cores.to_string()),
            Cell::maybe(row.memory),
            Cell::plain(row.memory_limit.to_string()),
            Cell::maybe(share),
            Cell::maybe(row.network.map(|(received, _)| Bytes::new(received))),
            Cell::maybe(row.network.map(|(_, sent)| Bytes::new(sent))),
            Cell::maybe(row.processes),
        ]);
        grid.row(cells);
    }
    grid.render(look)
}

/// As a JSON array.
pub fn json(rows: &[Row]) -> String {
    let rows: Vec<Json<'_>> = rows
        .iter()
        .map(|row| Json {
            execution: &row.execution,
            name: &row.name,
            component: &row.component,
            index: row.index,
            node: &row.node,
            cpu_percent: row.cpu.and_then(|tenths| shown(tenths).parse().ok()),
            cores: row.cores.to_string().parse().ok(),
            memory_bytes: row.memory.map(Bytes::get),
            memory_limit_bytes: row.memory_limit.get(),
            received_bytes: row.network.map(|(received, _)| received),
            sent_bytes: row.network.map(|(_, sent)| sent),
            processes: row.processes,
            note: row.note.as_deref(),
        })
        .collect();
    pretty(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_is_a_share_of_one_core() {
        let ms = SignedDuration::from_millis;
        assert_eq!(percent(ms(500), ms(1000)), 500);
        assert_eq!(percent(ms(2500), ms(1000)), 2500);
        assert_eq!(percent(ms(1), ms(0)), 0);
        assert_eq!(percent(ms(-1), ms(10)), 0);
        assert_eq!(shown(1234), "123.4");
    }
}
