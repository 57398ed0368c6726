//! The store: one truth out of any order of writes, one winner of any race, a sentence for every accident.

// What clippy allows in tests it does not see as such in their helpers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

/// Each of these twice: over a file of `SQLite`'s, and in a `MariaDB` of its own.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::Site::sqlite()).await;
            })*
        }
        mod on_mariadb {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::Site::mariadb()).await;
            })*
        }
    };
}

mod accounts;
mod activity;
mod file;
#[path = "../common/mariadb.rs"]
mod mariadb;
mod moved;
mod outbox;
#[path = "../common/ports.rs"]
mod ports;
mod races;
mod rows;
mod schema;
mod search;
mod server;
mod unreadable;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;
use zoe::config::{Database, Db, Overrides, Surroundings};
use zoe::model::{Deployment, ExecutionId};
use zoe::store::{Record, SqliteStore, Store};

fn deployment() -> Deployment {
    "test".parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn id(n: u64) -> ExecutionId {
    ExecutionId::from_bits(n)
}

fn record(n: u64) -> Record {
    Record {
        id: id(n),
        name: format!("job-{n}"),
        user: "ada".to_owned(),
        application: "spark-submit".to_owned(),
        description: "{}".to_owned(),
        key: None,
        submitted_at: at(i64::try_from(n).unwrap()),
        started_at: None,
        end: None,
        logs: None,
        allocated: None,
        used: None,
        terms: None,
    }
}

fn database() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data/zoe/zoe ?#%41.db");
    (directory, path)
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.unwrap()
}

/// A database, wherever it is.
struct Site {
    db: Db,
    _directory: Option<TempDir>,
    server: Option<Arc<mariadb::MariaDb>>,
}

impl Site {
    /// A file that is not there yet.
    fn sqlite() -> Self {
        let (directory, path) = database();
        Self {
            db: of_file(path),
            _directory: Some(directory),
            server: None,
        }
    }

    /// An empty database of a server of its own.
    fn mariadb() -> Self {
        Self::in_server(&Arc::new(mariadb::MariaDb::start()))
    }

    fn in_server(server: &Arc<mariadb::MariaDb>) -> Self {
        Self {
            db: configured(&server.url(&server.create())),
            _directory: None,
            server: Some(Arc::clone(server)),
        }
    }

    /// Another one of the same kind.
    fn another(&self) -> Self {
        self.server
            .as_ref()
            .map_or_else(Self::sqlite, Self::in_server)
    }

    async fn open(&self) -> Arc<dyn Store> {
        zoe::store::open(&self.db).await.unwrap()
    }
}

fn of_file(path: PathBuf) -> Db {
    Db {
        url: Database::Sqlite(path),
        password: None,
        password_file: None,
    }
}

/// As the configuration has it.
fn configured(url: &str) -> Db {
    let around = Surroundings {
        env: [("ZOE_DB_URL", url)].into_iter().collect(),
        cwd: "/".into(),
        home: Some("/".into()),
        os_user: "ada".into(),
        system_dir: "/".into(),
    };
    let config = zoe::config::assemble(None, &around, &Overrides::default());
    config.unwrap().db
}
