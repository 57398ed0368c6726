//! The way of a whole database's rows into another: into an empty one, or into one that has some of them already.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::BufRead;

use sqlx::database::HasStatementCache;
use sqlx::error::ErrorKind;
use sqlx::{AssertSqlSafe, ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Type};

use super::portable::{self, Counts, Line, Lines};
use super::rows::Value;
use super::sql::bind;
use super::whole::{LEASES, Porter, Shape, Shapes, read};
use super::{Result, StoreError};
use crate::model::ids::shorten;

/// How many rows go into one statement.
const AT_ONCE: usize = 100;
/// How much text goes into one statement at the most, unless one row has more: servers have a limit of some megabytes.
const WEIGHT: usize = 1 << 20;

/// What it is that failed.
const ADD: &str = "add rows";

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows that were added, by table.
    pub added: Counts,
    /// Rows that were there already, the same.
    pub same: u64,
    /// Leases that were there already and stay as they are.
    pub kept: u64,
}

impl<DB> Porter<'_, DB>
where
    DB: Database + HasStatementCache,
    DB::Arguments: IntoArguments<DB>,
    for<'e> &'e mut DB::Connection: Executor<'e, Database = DB>,
    for<'t> String: Decode<'t, DB> + Encode<'t, DB> + Type<DB>,
    for<'t> i64: Decode<'t, DB> + Encode<'t, DB> + Type<DB>,
    for<'t> Option<String>: Encode<'t, DB>,
    for<'t> Option<i64>: Encode<'t, DB>,
    usize: ColumnIndex<DB::Row>,
{
    /// Takes everything in; inside a transaction of the caller's, which an error must undo.
    pub async fn import(
        &mut self,
        shapes: &Shapes,
        known: i64,
        from: &mut (dyn BufRead + Send),
    ) -> Result<Imported> {
        let mut lines = Lines::new(from);
        let wrong = |line: u64, why: String| StoreError::Import { line, why };
        match lines.following().map_err(|why| wrong(1, why))? {
            Some(Line::Head(head)) => {
                if let Some(why) = head.objection(known) {
                    return Err(wrong(1, why));
                }
            }
            Some(Line::Row { .. } | Line::End { .. }) | None => {
                return Err(wrong(1, portable::NO_EXPORT.to_owned()));
            }
        }
        let mut empty = BTreeMap::new();
        for table in shapes.keys() {
            empty.insert(table.as_str(), self.is_empty(table).await?);
        }
        let mut import = Import::default();
        let end = loop {
            let line = lines
                .following()
                .map_err(|why| wrong(lines.number(), why))?;
            match line {
                Some(Line::Row { table, row }) => {
                    let (shape, values) = understood(shapes, &table, &row)
                        .map_err(|why| wrong(lines.number(), why))?;
                    if import.table != table || import.shape != *shape || import.is_full() {
                        self.flush(&mut import).await?;
                    }
                    import.count(&table);
                    if empty.get(table.as_str()) == Some(&true) {
                        import.push(table, shape, (lines.number(), values));
                    } else {
                        let fault = self.add(&table, &shape, values, &mut import.done).await?;
                        if let Some(why) = fault {
                            return Err(wrong(lines.number(), why));
                        }
                    }
                }
                Some(Line::End { end }) => break end,
                Some(Line::Head(_)) => {
                    return Err(wrong(lines.number(), "it begins a second time".to_owned()));
                }
                None => {
                    let why = "it has no last line: the export was cut off";
                    return Err(wrong(lines.number(), why.to_owned()));
                }
            }
        };
        self.flush(&mut import).await?;
        let counted = |counts: &Counts| -> Counts {
            let some = counts.iter().filter(|(_, rows)| **rows > 0);
            some.map(|(table, rows)| (table.clone(), *rows)).collect()
        };
        if counted(&end) != counted(&import.read) {
            let why = "its last line counts other rows: some are missing";
            return Err(wrong(lines.number(), why.to_owned()));
        }
        if !matches!(lines.following(), Ok(None)) {
            return Err(wrong(lines.number(), "it goes on after its end".to_owned()));
        }
        Ok(import.done)
    }

    async fn is_empty(&mut self, table: &str) -> Result<bool> {
        let sql = format!("SELECT 1 FROM {table} LIMIT 1");
        let found = sqlx::query(AssertSqlSafe(sql))
            .fetch_optional(&mut *self.connection)
            .await;
        found
            .map(|row| row.is_none())
            .map_err(|error| (self.failed)("look for rows that are there", &error))
    }

    /// Adds what is waiting for it, to a table that was empty.
    async fn flush(&mut self, import: &mut Import) -> Result<()> {
        let rows = std::mem::take(&mut import.rows);
        import.weight = 0;
        if rows.is_empty() {
            return Ok(());
        }
        let shape = &import.shape;
        let added = import.done.added.entry(import.table.clone()).or_default();
        *added += rows.len() as u64;
        let all: Vec<&[Value]> = rows.iter().map(|(_, row)| row.as_slice()).collect();
        let Err(error) = self.insert(&import.table, shape, &all).await else {
            return Ok(());
        };
        if is_of_a_row(&error) {
            // It is undone whatever comes of it: which one it is remains to be found.
            for (line, row) in &rows {
                if let Err(error) = self.insert(&import.table, shape, &[row]).await {
                    let why = (self.failed)(ADD, &error).to_string();
                    return Err(StoreError::Import { line: *line, why });
                }
            }
        }
        Err((self.failed)(ADD, &error))
    }

    async fn insert(&mut self, table: &str, shape: &Shape, rows: &[&[Value]]) -> sqlx::Result<()> {
        let marks = format!("({})", vec!["?"; shape.columns.len()].join(", "));
        let sql = format!(
            "INSERT INTO {table} ({}) VALUES {}",
            shape.columns.join(", "),
            vec![marks.as_str(); rows.len()].join(", ")
        );
        // Other numbers of rows would each be one more statement to be kept prepared.
        let is_usual = matches!(rows.len(), 1 | AT_ONCE);
        let statement = sqlx::query(AssertSqlSafe(sql)).persistent(is_usual);
        bind(statement, rows.concat())
            .execute(&mut *self.connection)
            .await
            .map(|_| ())
    }

    /// Adds a row unless it is there; says why it can't be where another is in its place.
    async fn add(
        &mut self,
        table: &str,
        shape: &Shape,
        values: Vec<Value>,
        done: &mut Imported,
    ) -> Result<Option<String>> {
        let key: Vec<String> = shape.key.iter().map(|key| format!("{key} = ?")).collect();
        let sql = format!("{} WHERE {}", shape.select(table), key.join(" AND "));
        let failed = |error: sqlx::Error| (self.failed)("look for rows that are there", &error);
        let found = bind(sqlx::query(AssertSqlSafe(sql)), shape.key_of(&values))
            .fetch_optional(&mut *self.connection)
            .await
            .map_err(failed)?;
        let Some(row) = found else {
            *done.added.entry(table.to_owned()).or_default() += 1;
            return match self.insert(table, shape, &[&values]).await {
                Ok(()) => Ok(None),
                Err(error) if is_of_a_row(&error) => {
                    Ok(Some((self.failed)(ADD, &error).to_string()))
                }
                Err(error) => Err((self.failed)(ADD, &error)),
            };
        };
        if read::<DB>(shape, &row).map_err(failed)? == values {
            done.same += 1;
        } else if table == LEASES {
            done.kept += 1;
        } else {
            let key: Vec<String> = shape.key_of(&values).iter().map(shown).collect();
            return Ok(Some(format!(
                "the database has something else in {table} at {}; import into an empty one",
                key.join(", ")
            )));
        }
        Ok(None)
    }
}

/// Whether a row can't be as it is: the transaction goes on, and another row may be well. `SQLite` says so in the kind, servers in a
/// state of class 22.
fn is_of_a_row(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else {
        return false;
    };
    let state = error.code().unwrap_or_default();
    !matches!(error.kind(), ErrorKind::Other) || (state.len() == 5 && state.starts_with("22"))
}

/// What an import has read and not yet written, and what it has done.
#[derive(Default)]
struct Import {
    table: String,
    /// The columns that all of the rows have.
    shape: Shape,
    /// Each with its line.
    rows: Vec<(u64, Vec<Value>)>,
    weight: usize,
    read: Counts,
    done: Imported,
}

impl Import {
    fn count(&mut self, table: &str) {
        match self.read.get_mut(table) {
            Some(count) => *count += 1,
            None => drop(self.read.insert(table.to_owned(), 1)),
        }
    }

    fn push(&mut self, table: String, shape: Cow<'_, Shape>, (line, values): (u64, Vec<Value>)) {
        let weight = |value: &Value| match value {
            Value::Text(text) => text.as_ref().map_or(0, String::len),
            Value::Number(_) => 8,
        };
        self.weight += values.iter().map(weight).sum::<usize>();
        if self.rows.is_empty() {
            self.shape = shape.into_owned();
        }
        self.rows.push((line, values));
        self.table = table;
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= AT_ONCE || self.weight >= WEIGHT
    }
}

/// A row's values, and the columns it has: those of an older zoe lack some, which are what a new row has there.
fn understood<'s>(
    shapes: &'s Shapes,
    table: &str,
    row: &serde_json::Map<String, serde_json::Value>,
) -> Result<(Cow<'s, Shape>, Vec<Value>), String> {
    let shape = shapes
        .get(table)
        .ok_or_else(|| format!("there is no table '{}'", shorten(table)))?;
    if let Some(unknown) = row.keys().find(|column| !shape.columns.contains(column)) {
        return Err(format!("{table} has no column '{}'", shorten(unknown)));
    }
    if let Some(missing) = shape.key.iter().find(|key| !row.contains_key(*key)) {
        return Err(format!("a row of {table} lacks its {missing}"));
    }
    let shape = if row.len() == shape.columns.len() {
        Cow::Borrowed(shape)
    } else {
        Cow::Owned(shape.only(|column| row.contains_key(column)))
    };
    let columns = shape.columns.iter().zip(&shape.is_number);
    let values = columns.map(|(column, is_number)| {
        portable::value(row.get(column), *is_number)
            .ok_or_else(|| format!("{column} of {table} is not of the right kind"))
    });
    let values = values.collect::<Result<_, String>>()?;
    Ok((shape, values))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("'{}'", shorten(text.as_deref().unwrap_or_default())),
        Value::Number(number) => number.unwrap_or_default().to_string(),
    }
}
