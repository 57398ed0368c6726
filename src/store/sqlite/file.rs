//! The database's file: made where it is missing, recognised when another has taken its place, brought to the current schema.
//!
//! Any number of processes may do this at once. An empty file is published under its name (never a half-written one, never
//! over another), and the schema is written inside one `BEGIN IMMEDIATE`, which `SQLite` gives to one of them at a time.

use std::fs::{DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::super::{Result, StoreError};
use super::errors::{self, BUSY};

/// The schema, one step after the other; a database's version is how many of them it has had.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_history.sql"),
    include_str!("../../../migrations/sqlite/0002_terms.sql"),
    include_str!("../../../migrations/sqlite/0003_mail.sql"),
    include_str!("../../../migrations/sqlite/0004_search.sql"),
    include_str!("../../../migrations/sqlite/0005_activity.sql"),
    include_str!("../../../migrations/sqlite/0006_used.sql"),
    include_str!("../../../migrations/sqlite/0007_state.sql"),
];

/// Marks a file as zoe's (`zoeH`), so that another program's database is not taken for one.
const APPLICATION: i64 = 0x7a6f_6548;

/// Which file a name stands for: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity(u64, u64);

/// How many steps this program knows.
pub fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The file that is there now, if one is.
pub fn identity(path: &Path) -> Option<Identity> {
    let found = std::fs::metadata(path).ok()?;
    Some(Identity(found.dev(), found.ino()))
}

/// Opens the database, making it or bringing it up to date first.
pub async fn open(path: &Path) -> Result<(SqlitePool, Identity)> {
    const ATTEMPTS: u32 = 5;
    let mut last = None;
    for _ in 0..ATTEMPTS {
        make(path)?;
        let before = identity(path);
        let pool = connect(path);
        match prepare(path, &pool).await {
            Ok(()) => {
                // Somebody may delete it meanwhile; what was opened then is a file without a name.
                if let Some(identity) = before
                    && self::identity(path) == before
                {
                    return Ok((pool, identity));
                }
            }
            Err(error) if self::identity(path) == before => return Err(error),
            Err(error) => last = Some(error),
        }
        pool.close().await;
    }
    Err(last.unwrap_or_else(|| refuse(path, "it is deleted again and again")))
}

fn refuse(path: &Path, why: impl Into<String>) -> StoreError {
    StoreError::Open {
        place: path.display().to_string(),
        why: why.into(),
    }
}

/// Makes the directory and an empty file, for the owner only.
fn make(path: &Path) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => return Ok(()),
        Ok(_) => return Err(refuse(path, "it is not a file")),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(refuse(path, error.to_string())),
    }
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| refuse(path, format!("its directory cannot be made ({error})")))?;
    publish(path, directory)
}

/// Gives an empty file the database's name, unless there is one by now.
fn publish(path: &Path, directory: &Path) -> Result<()> {
    // The companions of a deleted database would be taken for those of the new one. They can be removed only while nobody
    // makes a new one, hence the lock. Where a file system has none, one is as likely to be alone as anywhere.
    let lock = File::open(directory).and_then(|lock| lock.lock().map(|()| lock));
    if path.exists() {
        return Ok(());
    }
    for companion in ["-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(companion);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(refuse(
                    path,
                    format!("what an earlier one left as {companion} cannot be removed ({error})"),
                ));
            }
            Ok(()) | Err(_) => {}
        }
    }
    // SQLite's locks are lost when this process closes any descriptor of its file, so the file gets its name only after it was
    // closed. (It is made with mode 0600, and SQLite gives its companions the same.)
    let made = tempfile::Builder::new()
        .prefix(".zoe-new-")
        .tempfile_in(directory)
        .map_err(|error| {
            refuse(
                path,
                format!("its directory cannot be written to ({error})"),
            )
        })?;
    let published = made.into_temp_path().persist_noclobber(path);
    drop(lock);
    match published {
        Ok(()) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(refuse(path, error.error.to_string())),
    }
}

/// One connection: statements of one process wait for each other in order, instead of polling for `SQLite`'s lock.
fn connect(path: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(0)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(BUSY * 6)
        .connect_lazy_with(options(path))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
}

async fn prepare(path: &Path, pool: &SqlitePool) -> Result<()> {
    let known = known();
    match version(path, pool).await? {
        found if found == known => Ok(()),
        found if found > known => Err(StoreError::TooNew {
            place: path.display().to_string(),
            found,
            known,
        }),
        _ => {
            write_ahead(path, pool).await?;
            migrate(path, pool).await
        }
    }
}

/// Version, whose it is, how much is in it, and the software's version.
const READ: &str = "SELECT user_version, application_id, (SELECT COUNT(*) FROM sqlite_master), sqlite_version() \
     FROM pragma_user_version, pragma_application_id";

/// How many migrations it has had; 0 for an empty file.
async fn version(
    path: &Path,
    executor: impl sqlx::Executor<'_, Database = sqlx::Sqlite>,
) -> Result<i64> {
    let (version, application, objects, _): (i64, i64, i64, String) = sqlx::query_as(READ)
        .fetch_one(executor)
        .await
        .map_err(|error| errors::opening(path, &error))?;
    match (application, objects) {
        (APPLICATION, _) => Ok(version),
        (0, 0) if version == 0 => Ok(0),
        _ => Err(refuse(
            path,
            "it belongs to another program; name another file, or move this one away",
        )),
    }
}

/// What a file holds that is not to be changed.
pub struct Found {
    /// The way to it.
    pub connection: SqliteConnection,
    /// Which `SQLite` this program has.
    pub software: String,
    /// How many migrations it has had; `None` where it is not zoe's.
    pub schema: Option<i64>,
    /// Whether there is nothing in it.
    pub is_empty: bool,
}

/// Looks at a file without changing it.
pub async fn look(path: &Path) -> Result<Found> {
    let failed = |error: sqlx::Error| errors::opening(path, &error);
    let mut connection = options(path).connect().await.map_err(failed)?;
    let (version, application, objects, software): (i64, i64, i64, String) = sqlx::query_as(READ)
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    Ok(Found {
        connection,
        software,
        schema: (application == APPLICATION).then_some(version),
        is_empty: objects == 0 && version == 0,
    })
}

/// Switches to the write-ahead log, for good. `SQLite`'s busy timeout does not cover all of this step, so it is repeated.
async fn write_ahead(path: &Path, pool: &SqlitePool) -> Result<()> {
    let begun = Instant::now();
    loop {
        let done = sqlx::query("PRAGMA journal_mode = WAL").execute(pool).await;
        match done {
            Ok(_) => return Ok(()),
            Err(error) if errors::is_busy(&error) && begun.elapsed() < BUSY => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) => return Err(errors::opening(path, &error)),
        }
    }
}

async fn migrate(path: &Path, pool: &SqlitePool) -> Result<()> {
    let failed = |error: sqlx::Error| errors::opening(path, &error);
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    // Others may have been faster: what was read before the lock counts for nothing.
    let had = version(path, &mut *transaction).await?;
    for (number, step) in (1_i64..).zip(MIGRATIONS) {
        if number > had {
            sqlx::raw_sql(*step)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            let mark =
                format!("PRAGMA user_version = {number}; PRAGMA application_id = {APPLICATION}");
            sqlx::raw_sql(AssertSqlSafe(mark))
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
    }
    transaction.commit().await.map_err(failed)
}
