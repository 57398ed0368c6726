//! The store: one truth out of any order of writes, one winner of any race, a sentence for every accident.

// What clippy allows in tests it does not see as such in their helpers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod accounts;
mod file;
mod races;
mod rows;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tempfile::TempDir;
use zoe::model::{Deployment, ExecutionId};
use zoe::store::{Record, SqliteStore};

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
