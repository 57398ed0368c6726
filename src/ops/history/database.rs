//! The database as such: made, brought up to date, looked at, written out, taken in.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::config::Db;
use crate::ops::error::{ErrorKind, OpsError};
use crate::store::{self, Change, Counts, Imported, Standing, StoreError};

pub use super::export::export_to;

/// How it stands; nothing is changed.
pub async fn status(db: &Db) -> Result<Standing, OpsError> {
    Ok(store::standing(db).await?)
}

/// Makes it where there is none, and its tables.
pub async fn init(db: &Db) -> Result<Change, OpsError> {
    Ok(store::init(db).await?)
}

/// Brings its tables to what this version needs.
pub async fn migrate(db: &Db) -> Result<Change, OpsError> {
    Ok(store::migrate(db).await?)
}

/// Writes all rows somewhere.
pub async fn export(db: &Db, out: &mut (dyn std::io::Write + Send)) -> Result<Counts, OpsError> {
    Ok(store::export(db, out).await?)
}

/// Takes in what was written out: all of it, or nothing.
pub async fn import(db: &Db, from: &mut (dyn BufRead + Send)) -> Result<Imported, OpsError> {
    store::import(db, from).await.map_err(|error| {
        let is_bad = matches!(error, StoreError::Import { .. });
        let error = OpsError::from(error);
        if is_bad {
            OpsError::new(ErrorKind::Usage, error.message)
        } else {
            error
        }
    })
}

/// The same from a file.
pub async fn import_from(db: &Db, path: &Path) -> Result<Imported, OpsError> {
    let file = File::open(path)
        .map_err(|error| OpsError::usage(format!("{} cannot be read: {error}", path.display())))?;
    import(db, &mut BufReader::new(file)).await
}
