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
    /// Processor in use, in tenths of a percent of one core; unknown at a first reading.
    pub cpu: Option<u64>,
    /// The member's limit.
    pub cores: Cores,
    /// Memory in use.
    pub memory: Bytes,
    /// The member's limit.
    pub memory_limit: Bytes,
    /// Bytes received and sent.
    pub network: (u64, u64),
    /// Processes.
    pub processes: u64,
}

#[derive(Serialize)]
struct Json<'a> {
    execution: &'a str,
    name: &'a str,
    component: &'a str,
    index: u32,
    cpu_percent: Option<serde_json::Number>,
    cores: Option<serde_json::Number>,
    memory_bytes: u64,
    memory_limit_bytes: u64,
    received_bytes: u64,
    sent_bytes: u64,
    processes: u64,
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
    let columns = [
        ("ID", Fit::Whole),
        ("NAME", Fit::Cut(24)),
        ("MEMBER", Fit::Whole),
        ("CPU %", Fit::Number),
        ("CORES", Fit::Number),
        ("MEMORY", Fit::Number),
        ("LIMIT", Fit::Number),
        ("MEM %", Fit::Number),
        ("IN", Fit::Number),
        ("OUT", Fit::Number),
        ("PROCESSES", Fit::Number),
    ];
    let mut grid = Grid::new(&columns);
    for row in rows {
        let share = row
            .memory
            .get()
            .saturating_mul(100)
            .checked_div(row.memory_limit.get());
        grid.row(vec![
            Cell::plain(&row.execution),
            Cell::plain(&row.name),
            Cell::plain(format!("{}-{}", row.component, row.index)),
            Cell::maybe(row.cpu.map(shown)),
            Cell::plain(row.cores.to_string()),
            Cell::plain(row.memory.to_string()),
            Cell::plain(row.memory_limit.to_string()),
            Cell::maybe(share),
            Cell::plain(Bytes::new(row.network.0).to_string()),
            Cell::plain(Bytes::new(row.network.1).to_string()),
            Cell::plain(row.processes.to_string()),
        ]);
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
            cpu_percent: row.cpu.and_then(|tenths| shown(tenths).parse().ok()),
            cores: row.cores.to_string().parse().ok(),
            memory_bytes: row.memory.get(),
            memory_limit_bytes: row.memory_limit.get(),
            received_bytes: row.network.0,
            sent_bytes: row.network.1,
            processes: row.processes,
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
