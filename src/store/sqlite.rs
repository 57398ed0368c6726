//! `SQLite`: what is used when nothing is configured.
//!
//! The file is the user's own. It may be deleted at any time, under a running process too: the next call makes a new one.
//! Left out: network file systems without working locks, on which `SQLite` itself is not safe.

mod accounts;
mod errors;
mod file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::AssertSqlSafe;
use sqlx::query::{Query as Statement, QueryAs};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqlitePool};
use tokio::sync::RwLock;

use self::file::Identity;
use super::dialect::{Dialect, Table};
use super::rows::{self, EventRow, ExecutionRow, Value};
use super::{Event, Lease, Query, Record, Result, Store, StoreError, Usage, UsageQuery, User};
use crate::model::{Deployment, ExecutionId};

/// A store in one `SQLite` file.
pub struct SqliteStore {
    path: PathBuf,
    open: RwLock<(SqlitePool, Identity)>,
}

impl SqliteStore {
    /// Opens the database in that file; its directory and itself are made where they are missing, its schema is brought up
    /// to date.
    pub async fn open(path: &Path) -> Result<Self> {
        let opened = file::open(path).await?;
        Ok(Self {
            path: path.to_owned(),
            open: RwLock::new(opened),
        })
    }

    /// Ends all work and closes the file. Not needed for what was written to be there.
    pub async fn close(&self) {
        self.open.read().await.0.close().await;
    }

    /// The pool, of a new file where the old one has gone.
    async fn pool(&self) -> Result<SqlitePool> {
        {
            let open = self.open.read().await;
            if file::identity(&self.path) == Some(open.1) {
                return Ok(open.0.clone());
            }
        }
        let mut open = self.open.write().await;
        if file::identity(&self.path) != Some(open.1) {
            let gone = std::mem::replace(&mut *open, file::open(&self.path).await?);
            gone.0.close().await;
        }
        Ok(open.0.clone())
    }

    async fn upsert(&self, what: &'static str, table: &Table, values: Vec<Value>) -> Result<()> {
        let sql = Dialect::Sqlite.upsert(table);
        self.execute(what, sql, values).await.map(|_| ())
    }

    /// Runs a statement, and tells how many rows it changed.
    async fn execute(&self, what: &'static str, sql: String, values: Vec<Value>) -> Result<u64> {
        let statement = sqlx::query(AssertSqlSafe(sql));
        bind(statement, values)
            .execute(&self.pool().await?)
            .await
            .map(|done| done.rows_affected())
            .map_err(|error| errors::running(&self.path, what, &error))
    }

    async fn executions(&self, sql: String, values: Vec<Value>) -> Result<Vec<Record>> {
        let statement = sqlx::query_as::<_, ExecutionRow>(AssertSqlSafe(sql));
        bind_as(statement, values)
            .fetch_all(&self.pool().await?)
            .await
            .map_err(|error| errors::running(&self.path, "read executions", &error))?
            .into_iter()
            .map(rows::read_record)
            .collect()
    }

    async fn holder(&self, deployment: &Deployment) -> Result<Option<(String, Timestamp)>> {
        let row: Option<(String, i64)> =
            sqlx::query_as("SELECT holder, expires_at FROM leases WHERE deployment = ?")
                .bind(deployment.as_str())
                .fetch_optional(&self.pool().await?)
                .await
                .map_err(|error| errors::running(&self.path, "read the lease", &error))?;
        row.map(|(holder, ms)| Ok((holder, rows::read_time("the lease", ms)?)))
            .transpose()
    }
}

type Plain<'q> = Statement<'q, Sqlite, SqliteArguments>;
type Typed<'q, T> = QueryAs<'q, Sqlite, T, SqliteArguments>;

fn bind(statement: Plain<'_>, values: Vec<Value>) -> Plain<'_> {
    values
        .into_iter()
        .fold(statement, |statement, value| match value {
            Value::Text(text) => statement.bind(text),
            Value::Number(number) => statement.bind(number),
        })
}

fn bind_as<T>(statement: Typed<'_, T>, values: Vec<Value>) -> Typed<'_, T> {
    values
        .into_iter()
        .fold(statement, |statement, value| match value {
            Value::Text(text) => statement.bind(text),
            Value::Number(number) => statement.bind(number),
        })
}

fn text(value: &str) -> Value {
    Value::Text(Some(value.to_owned()))
}

#[async_trait]
impl Store for SqliteStore {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    async fn record(&self, deployment: &Deployment, record: &Record) -> Result<()> {
        let values = rows::record_values(deployment, record);
        self.upsert("record an execution", &rows::EXECUTIONS, values)
            .await
    }

    async fn event(&self, deployment: &Deployment, event: &Event) -> Result<()> {
        let values = rows::event_values(deployment, event);
        self.upsert("record an event", &rows::EVENTS, values).await
    }

    async fn events_of(
        &self,
        deployment: &Deployment,
        executions: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Vec<Event>>> {
        let mut events = Vec::new();
        for some in executions.chunks(rows::AT_ONCE) {
            let (sql, values) = rows::events_statement(deployment, some);
            let statement = sqlx::query_as::<_, EventRow>(AssertSqlSafe(sql));
            let found = bind_as(statement, values)
                .fetch_all(&self.pool().await?)
                .await
                .map_err(|error| errors::running(&self.path, "read events", &error))?;
            events.extend(found);
        }
        rows::read_events(events)
    }

    async fn get_all(
        &self,
        deployment: &Deployment,
        executions: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Record>> {
        let mut records = BTreeMap::new();
        for some in executions.chunks(rows::AT_ONCE) {
            let (sql, values) = rows::get_statement(deployment, some);
            let found = self.executions(sql, values).await?;
            records.extend(found.into_iter().map(|record| (record.id, record)));
        }
        Ok(records)
    }

    async fn find(&self, deployment: &Deployment, query: &Query) -> Result<Vec<Record>> {
        let (sql, values) = rows::find_statement(deployment, query)?;
        self.executions(sql, values).await
    }

    async fn forget(&self, deployment: &Deployment, execution: ExecutionId) -> Result<()> {
        let key = || vec![text(deployment.as_str()), text(execution.as_str())];
        let failed =
            |error: sqlx::Error| errors::running(&self.path, "forget an execution", &error);
        let mut transaction = self
            .pool()
            .await?
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed)?;
        for sql in [
            "DELETE FROM events WHERE deployment = ? AND execution = ?",
            "DELETE FROM executions WHERE deployment = ? AND id = ?",
        ] {
            bind(sqlx::query(sql), key())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn users(&self, deployment: &Deployment) -> Result<Vec<User>> {
        self.list_users(deployment).await
    }

    async fn enter(&self, deployment: &Deployment, user: &User) -> Result<()> {
        self.write_user(deployment, user).await
    }

    async fn expel(&self, deployment: &Deployment, name: &str) -> Result<bool> {
        self.delete_user(deployment, name).await
    }

    async fn usage(
        &self,
        deployment: &Deployment,
        query: &UsageQuery,
    ) -> Result<BTreeMap<String, Usage>> {
        self.sum_usage(deployment, query).await
    }

    async fn lease(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
        displace: Option<&str>,
    ) -> Result<Lease> {
        const WHAT: &str = "ask for the lease";
        const SWAP: &str = "UPDATE leases SET holder = ?, expires_at = ? \
             WHERE deployment = ? AND (holder = ? OR holder = ? OR holder = '' OR expires_at <= ?)";
        // Two rounds do where nobody interferes; each further one means that another came or went in between.
        const ROUNDS: u32 = 16;
        let until = now.checked_add(length).unwrap_or(Timestamp::MAX);
        let expires = Value::Number(Some(until.as_millisecond()));
        for _ in 0..ROUNDS {
            let values = vec![
                text(holder),
                expires.clone(),
                text(deployment.as_str()),
                text(holder),
                text(displace.unwrap_or(holder)),
                Value::Number(Some(now.as_millisecond())),
            ];
            if self.execute(WHAT, SWAP.to_owned(), values).await? > 0 {
                let until = rows::read_time("the lease", until.as_millisecond())?;
                return Ok(Lease::Held { until });
            }
            match self.holder(deployment).await? {
                Some((other, until)) if !other.is_empty() && other != holder => {
                    return Ok(Lease::Taken {
                        holder: other,
                        until,
                    });
                }
                Some(_) => {}
                None => {
                    let values = vec![text(deployment.as_str()), text(""), Value::Number(Some(0))];
                    self.upsert(WHAT, &rows::LEASES, values).await?;
                }
            }
        }
        Err(StoreError::Query {
            what: WHAT,
            why: "others took and gave it back all the time".to_owned(),
        })
    }

    async fn renew(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<Option<Timestamp>> {
        let sql = "UPDATE leases SET expires_at = ? \
             WHERE deployment = ? AND holder = ? AND expires_at > ?";
        let until = now.checked_add(length).unwrap_or(Timestamp::MAX);
        let values = vec![
            Value::Number(Some(until.as_millisecond())),
            text(deployment.as_str()),
            text(holder),
            Value::Number(Some(now.as_millisecond())),
        ];
        let changed = self.execute("renew the lease", sql.to_owned(), values);
        let until = rows::read_time("the lease", until.as_millisecond())?;
        Ok((changed.await? > 0).then_some(until))
    }

    async fn release(&self, deployment: &Deployment, holder: &str) -> Result<()> {
        let values = vec![text(deployment.as_str()), text(holder)];
        let sql =
            "UPDATE leases SET holder = '', expires_at = 0 WHERE deployment = ? AND holder = ?";
        self.execute("give the lease back", sql.to_owned(), values)
            .await
            .map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_told_as_such_and_harms_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zoe.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let pool = store.pool().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 16")
            .execute(&pool)
            .await
            .unwrap();
        let deployment: Deployment = "test".parse().unwrap();
        let event = |detail: String| Event {
            execution: ExecutionId::from_bits(1),
            at: Timestamp::UNIX_EPOCH,
            kind: "started".to_owned(),
            detail,
        };
        let small = event("small".to_owned());
        store.event(&deployment, &small).await.unwrap();
        let large = event("x".repeat(1 << 20));
        let error = store.event(&deployment, &large).await.unwrap_err();
        let told = error.to_string().replace(&store.place(), "PATH");
        insta::assert_snapshot!(told, @"the database failed to record an event: the disk is full (PATH)");
        let kept = store.events(&deployment, small.execution).await.unwrap();
        assert_eq!(kept, [small]);
    }
}
