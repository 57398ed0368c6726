//! `SQLite`'s result codes as sentences for people.

use std::path::Path;
use std::time::Duration;

use super::super::StoreError;

/// How long a statement waits for another process's lock.
pub const BUSY: Duration = Duration::from_secs(10);

/// `SQLite`'s primary result code (the low byte of an extended one).
fn code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?.parse::<u32>().ok()?;
    Some(code & 0xff)
}

/// Whether another connection has the lock (`SQLITE_BUSY`, `SQLITE_LOCKED`).
pub fn is_busy(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(5 | 6))
}

/// Whether the file is no (healthy) database (`SQLITE_CORRUPT`, `SQLITE_NOTADB`).
fn is_damaged(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(11 | 26))
}

/// What `SQLite` itself says, without the driver's wrapping.
fn words(error: &sqlx::Error) -> String {
    error
        .as_database_error()
        .map_or_else(|| error.to_string(), |inner| inner.message().to_owned())
}

fn why(error: &sqlx::Error) -> String {
    let words = words(error);
    match code(error) {
        Some(5 | 6) => format!("another process kept it locked for {} s", BUSY.as_secs()),
        Some(8) => "it cannot be written to".to_owned(),
        Some(10) => format!("the disk failed ({words})"),
        Some(11 | 26) => format!(
            "the file is damaged or is no database ({words}); move it away and zoe makes a new one: \
             history is lost with it, what is running is not"
        ),
        Some(13) => "the disk is full".to_owned(),
        Some(14) => "the file or its companions (-wal, -shm) cannot be opened".to_owned(),
        _ => words,
    }
}

/// The error of an attempt to open.
pub fn opening(path: &Path, error: &sqlx::Error) -> StoreError {
    StoreError::Open {
        place: path.display().to_string(),
        why: why(error),
    }
}

/// The error of a statement. Damage that shows only now is told as it is on opening.
pub fn running(path: &Path, what: &'static str, error: &sqlx::Error) -> StoreError {
    if is_damaged(error) {
        return opening(path, error);
    }
    StoreError::Query {
        what,
        why: format!("{} ({})", why(error), path.display()),
    }
}
