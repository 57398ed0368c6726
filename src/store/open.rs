//! From the settings to a database: which one it is is decided here and nowhere else.

use std::io::{BufRead, Write};
use std::sync::Arc;

use super::import::Imported;
use super::mysql::{self, Server};
use super::portable::Counts;
use super::whole::{Change, Standing};
use super::{MysqlStore, Result, SqliteStore, Store, sqlite};
use crate::config::{Database, Db};

/// Opens the database, making it or bringing it up to date first.
pub async fn open(db: &Db) -> Result<Arc<dyn Store>> {
    Ok(match &db.url {
        Database::Sqlite(path) => Arc::new(SqliteStore::open(path).await?),
        Database::Mysql(url) => Arc::new(MysqlStore::open(Server::of(url, db)?).await?),
    })
}

/// How the database stands; nothing is changed.
pub async fn standing(db: &Db) -> Result<Standing> {
    match &db.url {
        Database::Sqlite(path) => sqlite::standing(path).await,
        Database::Mysql(url) => mysql::standing(Server::of(url, db)?).await,
    }
}

/// Makes the database where there is none, and brings it up to date.
pub async fn init(db: &Db) -> Result<Change> {
    match &db.url {
        Database::Sqlite(path) => sqlite::init(path).await,
        Database::Mysql(url) => mysql::init(Server::of(url, db)?).await,
    }
}

/// Brings a database that is there up to date.
pub async fn migrate(db: &Db) -> Result<Change> {
    match &db.url {
        Database::Sqlite(path) => sqlite::migrate(path).await,
        Database::Mysql(url) => mysql::migrate(Server::of(url, db)?).await,
    }
}

/// Writes all rows as lines of JSON (`portable`), as they are at one moment.
pub async fn export(db: &Db, out: &mut (dyn Write + Send)) -> Result<Counts> {
    match &db.url {
        Database::Sqlite(path) => sqlite::export(path, out).await,
        Database::Mysql(url) => mysql::export(Server::of(url, db)?, out).await,
    }
}

/// Takes such lines in: all rows, or none. What is there already and the same is left alone.
pub async fn import(db: &Db, from: &mut (dyn BufRead + Send)) -> Result<Imported> {
    match &db.url {
        Database::Sqlite(path) => sqlite::import(path, from).await,
        Database::Mysql(url) => mysql::import(Server::of(url, db)?, from).await,
    }
}
