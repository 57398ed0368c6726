//! What executions add up to, by user or application: what `history --sum` prints.

use serde_json::{Map, Value};

use super::Look;
use super::columns::csv_lines;
use super::grid::{Cell, Fit, Grid};
use super::schema::pretty;
use crate::store::{Sum, SumBy};

/// What the key is called.
fn word(by: SumBy) -> &'static str {
    match by {
        SumBy::User => "user",
        SumBy::Application => "application",
    }
}

/// Hundredths as a number with two decimals.
fn decimal(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Core-hours with two decimals: from thousandths of a core times milliseconds.
fn core_hours(sum: &Sum) -> String {
    decimal(sum.core_time / 36_000_000)
}

/// GiB-hours with two decimals: from MiB times milliseconds.
fn gib_hours(sum: &Sum) -> String {
    decimal(sum.memory_time / (1024 * 36_000))
}

/// A table, and what all of it adds up to.
pub fn table(sums: &[Sum], by: SumBy, look: &Look) -> String {
    let title = match by {
        SumBy::User => "USER",
        SumBy::Application => "APPLICATION",
    };
    let mut grid = Grid::new(&[
        (title, Fit::Whole),
        ("EXECUTIONS", Fit::Number),
        ("FAILED", Fit::Number),
        ("CORE-HOURS", Fit::Number),
        ("GIB-HOURS", Fit::Number),
    ]);
    let mut all = Sum {
        key: "all".to_owned(),
        ..Sum::default()
    };
    for sum in sums {
        all.executions += sum.executions;
        all.failed += sum.failed;
        all.core_time = all.core_time.saturating_add(sum.core_time);
        all.memory_time = all.memory_time.saturating_add(sum.memory_time);
    }
    for sum in sums.iter().chain((sums.len() > 1).then_some(&all)) {
        grid.row(vec![
            Cell::plain(&sum.key),
            Cell::plain(sum.executions.to_string()),
            Cell::plain(sum.failed.to_string()),
            Cell::plain(core_hours(sum)),
            Cell::plain(gib_hours(sum)),
        ]);
    }
    grid.render(look)
}

/// A JSON array.
pub fn json(sums: &[Sum], by: SumBy) -> String {
    let number = |text: String| text.parse().map_or(Value::Null, Value::Number);
    let objects: Vec<Map<String, Value>> = sums
        .iter()
        .map(|sum| {
            let pairs = [
                (word(by), sum.key.clone().into()),
                ("executions", sum.executions.into()),
                ("failed", sum.failed.into()),
                ("core_hours", number(core_hours(sum))),
                ("gib_hours", number(gib_hours(sum))),
            ];
            pairs
                .map(|(key, value)| (key.to_owned(), value))
                .into_iter()
                .collect()
        })
        .collect();
    pretty(&objects)
}

/// CSV, its keys in the first line unless there is to be none.
pub fn csv(sums: &[Sum], by: SumBy, header: bool) -> String {
    let keys = [word(by), "executions", "failed", "core_hours", "gib_hours"];
    let mut lines = Vec::new();
    if header {
        lines.push(keys.map(str::to_owned).to_vec());
    }
    for sum in sums {
        lines.push(vec![
            sum.key.clone(),
            sum.executions.to_string(),
            sum.failed.to_string(),
            core_hours(sum),
            gib_hours(sum),
        ]);
    }
    csv_lines(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn hours_are_exact_to_two_decimals() {
        let look = Look {
            columns: None,
            color: false,
            header: true,
            now: Timestamp::UNIX_EPOCH,
        };
        let sum = |key: &str, hours: u64| Sum {
            key: key.to_owned(),
            executions: 2,
            failed: 1,
            // So many hours and a half, of 2 cores and 3 GiB.
            core_time: 2000 * (hours * 3_600_000 + 1_800_000),
            memory_time: 3 * 1024 * (hours * 3_600_000 + 1_800_000),
        };
        let sums = [sum("ada", 10), sum("a,b\n\u{1b}[31m", 0)];
        insta::assert_snapshot!(table(&sums, SumBy::User, &look), @r#"
    USER             EXECUTIONS  FAILED  CORE-HOURS  GIB-HOURS
    ada                       2       1       21.00      31.50
    a,b\n\u{1b}[31m           2       1        1.00       1.50
    all                       4       2       22.00      33.00
    "#);
        insta::assert_snapshot!(csv(&sums, SumBy::Application, true), @r#"
    application,executions,failed,core_hours,gib_hours
    ada,2,1,21.00,31.50
    "a,b\n\u{1b}[31m",2,1,1.00,1.50
    "#);
        insta::assert_snapshot!(json(&sums[..1], SumBy::User), @r#"
    [
      {
        "core_hours": 21.0,
        "executions": 2,
        "failed": 1,
        "gib_hours": 31.5,
        "user": "ada"
      }
    ]
    "#);
    }
}
