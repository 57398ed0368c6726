//! `SQLite`: what is used when nothing is configured.
//!
//! The file is the user's own. It may be deleted at any time, under a running process too: the next call makes a new one.
//! Left out: network file systems without working locks, on which `SQLite` itself is not safe.

mod errors;
mod file;
mod whole;

use std::path::{Path, PathBuf};

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqlitePool;
use tokio::sync::RwLock;

use self::file::Identity;
use super::dialect::Dialect;
use super::sql::{Bound, Driver, Row, SqlStore, bind, bind_as};
use super::{Result, StoreError};

pub use whole::{export, import, init, migrate, standing};

/// The store in one `SQLite` file.
pub type SqliteStore = SqlStore<SqliteFile>;

/// One `SQLite` file.
pub struct SqliteFile {
    path: PathBuf,
    open: RwLock<(SqlitePool, Identity)>,
}

impl SqlStore<SqliteFile> {
    /// Opens the database in that file; its directory and itself are made where they are missing, its schema is brought up
    /// to date.
    pub async fn open(path: &Path) -> Result<Self> {
        let driver = SqliteFile {
            path: path.to_owned(),
            open: RwLock::new(file::open(path).await?),
        };
        Ok(Self { driver })
    }

    /// Ends all work and closes the file. Not needed for what was written to be there.
    pub async fn close(&self) {
        self.driver.open.read().await.0.close().await;
    }
}

impl SqliteFile {
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

    fn failed(&self, what: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
        move |error| errors::running(&self.path, what, &error)
    }
}

impl Driver for SqliteFile {
    const DIALECT: Dialect = Dialect::Sqlite;

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    async fn execute(&self, what: &'static str, (sql, values): Bound) -> Result<u64> {
        let done = bind(sqlx::query(AssertSqlSafe(sql)), values)
            .execute(&self.pool().await?)
            .await;
        done.map(|done| done.rows_affected())
            .map_err(self.failed(what))
    }

    async fn fetch<T: Row>(&self, what: &'static str, (sql, values): Bound) -> Result<Vec<T>> {
        bind_as(sqlx::query_as(AssertSqlSafe(sql)), values)
            .fetch_all(&self.pool().await?)
            .await
            .map_err(self.failed(what))
    }

    async fn together(&self, what: &'static str, statements: Vec<Bound>) -> Result<()> {
        let pool = self.pool().await?;
        let transaction = pool.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = transaction.map_err(self.failed(what))?;
        for (sql, values) in statements {
            bind(sqlx::query(AssertSqlSafe(sql)), values)
                .execute(&mut *transaction)
                .await
                .map_err(self.failed(what))?;
        }
        transaction.commit().await.map_err(self.failed(what))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Deployment, ExecutionId};
    use crate::store::{Event, Store as _};

    #[tokio::test]
    async fn a_full_disk_is_told_as_such_and_harms_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zoe.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let pool = store.driver.pool().await.unwrap();
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
