//! A database as a whole: how it stands, and the way of all its rows out of it and into another.
//!
//! Tables and columns are read from the database, so that what a migration adds is in every export by itself. All columns are
//! BIGINT or text: tests see to that.

use std::collections::BTreeMap;
use std::io::Write;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Type};
use sqlx::{FromRow, Row as _};

use super::portable::{self, Counts, Head, Line};
use super::rows::Value;
use super::{Result, StoreError};

/// How far a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Absent,
    /// There is nothing in it.
    Empty,
    /// It has another program's tables.
    Foreign,
    /// A change of its tables was interrupted: so many steps of so many are done.
    Interrupted {
        /// Steps that are done.
        done: usize,
        /// Steps there are.
        of: usize,
    },
    /// Its tables are those of an older version.
    Behind,
    /// All is as it should be.
    Current,
    /// Its tables are those of a newer version.
    Newer,
}

/// How a database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where it is, without a password.
    pub place: String,
    /// `sqlite`, `mysql` or `mariadb`.
    pub kind: &'static str,
    /// The version of the database's software.
    pub software: Option<String>,
    /// How the connection is protected, if it is.
    pub tls: Option<String>,
    /// How far it is.
    pub state: State,
    /// Its schema, if it has one.
    pub schema: Option<i64>,
    /// The newest schema this program knows.
    pub known: i64,
    /// How many rows there are, by table.
    pub rows: Counts,
    /// The leases that are held: deployment, holder, until when.
    pub leases: Vec<(String, String, Timestamp)>,
}

/// What came of making a database, or of bringing it up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it is.
    pub place: String,
    /// Its schema before; 0 where there was none.
    pub before: i64,
    /// Its schema now.
    pub after: i64,
}

/// A table as a database tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// Its columns.
    pub columns: Vec<String>,
    /// Of each column whether it holds numbers.
    pub is_number: Vec<bool>,
    /// The columns of its key.
    pub key: Vec<String>,
}

impl Shape {
    /// The statement that reads all of them.
    pub fn select(&self, table: &str) -> String {
        format!("SELECT {} FROM {table}", self.columns.join(", "))
    }

    /// The same with some columns only.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let columns = self.columns.iter().zip(&self.is_number);
        let (columns, is_number) = columns
            .filter(|(column, _)| wanted(column))
            .map(|(column, is_number)| (column.clone(), *is_number))
            .unzip();
        Self {
            columns,
            is_number,
            key: self.key.clone(),
        }
    }

    /// Those of a row's values that are the key's.
    pub fn key_of(&self, values: &[Value]) -> Vec<Value> {
        let of = |key: &String| {
            let place = self.columns.iter().position(|column| column == key);
            place.and_then(|place| values.get(place)).cloned()
        };
        self.key.iter().filter_map(of).collect()
    }
}

/// Tables by name.
pub type Shapes = BTreeMap<String, Shape>;

/// Leases name processes of the moment: one that is there is not another's business.
pub const LEASES: &str = "leases";

/// A connection of its own, and what its errors mean.
pub struct Porter<'c, DB: Database> {
    /// The connection.
    pub connection: &'c mut DB::Connection,
    /// Puts an error into words.
    pub failed: &'c (dyn Fn(&'static str, &sqlx::Error) -> StoreError + Send + Sync),
}

impl<DB> Porter<'_, DB>
where
    DB: Database,
    DB::Arguments: IntoArguments<DB>,
    for<'e> &'e mut DB::Connection: Executor<'e, Database = DB>,
    for<'t> String: Decode<'t, DB> + Encode<'t, DB> + Type<DB>,
    for<'t> i64: Decode<'t, DB> + Encode<'t, DB> + Type<DB>,
    for<'t> Option<String>: Encode<'t, DB>,
    for<'t> Option<i64>: Encode<'t, DB>,
    usize: ColumnIndex<DB::Row>,
    for<'r> (i64,): FromRow<'r, DB::Row>,
    for<'r> (String, String, i64): FromRow<'r, DB::Row>,
    for<'r> (String, String, String, i64): FromRow<'r, DB::Row>,
{
    /// The tables, read by a statement that gives table, column, type, and whether it belongs to the key, in order.
    pub async fn shapes(&mut self, sql: &'static str) -> Result<Shapes> {
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(sql)
            .fetch_all(&mut *self.connection)
            .await
            .map_err(|error| (self.failed)("read which tables there are", &error))?;
        let mut shapes = Shapes::new();
        for (table, column, kind, in_key) in rows {
            let shape = shapes.entry(table).or_default();
            if in_key > 0 {
                shape.key.push(column.clone());
            }
            shape.columns.push(column);
            shape.is_number.push(kind.eq_ignore_ascii_case("bigint"));
        }
        Ok(shapes)
    }

    /// How many rows there are, and which leases are held.
    pub async fn count(
        &mut self,
        shapes: &Shapes,
    ) -> Result<(Counts, Vec<(String, String, Timestamp)>)> {
        let failed = self.failed;
        let failed = |error: sqlx::Error| failed("count its rows", &error);
        let mut counts = Counts::new();
        for table in shapes.keys() {
            let sql = format!("SELECT COUNT(*) FROM {table}");
            let (rows,): (i64,) = sqlx::query_as(AssertSqlSafe(sql))
                .fetch_one(&mut *self.connection)
                .await
                .map_err(failed)?;
            counts.insert(table.clone(), u64::try_from(rows).unwrap_or(0));
        }
        if !shapes.contains_key(LEASES) {
            return Ok((counts, Vec::new()));
        }
        let held: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT deployment, holder, expires_at FROM leases WHERE holder <> '' ORDER BY deployment",
        )
        .fetch_all(&mut *self.connection)
        .await
        .map_err(failed)?;
        let held = held.into_iter().filter_map(|(deployment, holder, ms)| {
            Some((deployment, holder, Timestamp::from_millisecond(ms).ok()?))
        });
        Ok((counts, held.collect()))
    }

    /// Writes everything, in order; the connection must see one state of it.
    pub async fn export(
        &mut self,
        shapes: &Shapes,
        schema: i64,
        out: &mut (dyn Write + Send),
    ) -> Result<Counts> {
        let unwritten = |error: std::io::Error| StoreError::Export {
            why: error.to_string(),
        };
        let head = portable::line(&Line::Head(Head::of(schema)));
        out.write_all(head.as_bytes()).map_err(unwritten)?;
        let mut counts = Counts::new();
        for (table, shape) in shapes {
            let order = shape.key.join(", ");
            let sql = format!("{} ORDER BY {order}", shape.select(table));
            let failed = |error: sqlx::Error| (self.failed)("read what is to be exported", &error);
            let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *self.connection);
            let count = counts.entry(table.clone()).or_default();
            while let Some(row) = rows.try_next().await.map_err(failed)? {
                let values = read::<DB>(shape, &row).map_err(failed)?;
                let line = portable::row_line(table, &shape.columns, values);
                out.write_all(line.as_bytes()).map_err(unwritten)?;
                *count += 1;
            }
        }
        let end = portable::line(&Line::End {
            end: counts.clone(),
        });
        out.write_all(end.as_bytes())
            .and_then(|()| out.flush())
            .map_err(unwritten)?;
        Ok(counts)
    }
}

/// A row's values, in the order of the shape's columns.
pub fn read<DB>(shape: &Shape, row: &DB::Row) -> sqlx::Result<Vec<Value>>
where
    DB: Database,
    for<'t> String: Decode<'t, DB> + Type<DB>,
    for<'t> i64: Decode<'t, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    let each = shape.is_number.iter().enumerate();
    each.map(|(at, is_number)| {
        if *is_number {
            row.try_get(at).map(Value::Number)
        } else {
            row.try_get(at).map(Value::Text)
        }
    })
    .collect()
}
