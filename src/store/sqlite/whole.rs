//! A `SQLite` file as a whole.

use std::io::{BufRead, Write};
use std::path::Path;

use sqlx::sqlite::SqliteConnection;

use super::super::import::Imported;
use super::super::portable::Counts;
use super::super::whole::{Change, Porter, Standing, State};
use super::super::{Result, StoreError};
use super::{errors, file};

/// Table, column, type, and whether it belongs to the key.
const SHAPES: &str = "SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, c.cid";

/// How the file stands; it is not changed.
pub async fn standing(path: &Path) -> Result<Standing> {
    let mut standing = Standing {
        place: path.display().to_string(),
        kind: "sqlite",
        software: None,
        tls: None,
        state: State::Absent,
        schema: None,
        known: file::known(),
        rows: Counts::new(),
        leases: Vec::new(),
    };
    if !path.exists() {
        return Ok(standing);
    }
    let found = file::look(path).await?;
    standing.software = Some(found.software);
    standing.schema = found.schema;
    standing.state = match found.schema {
        None if found.is_empty => State::Empty,
        None => State::Foreign,
        Some(schema) if schema > standing.known => State::Newer,
        Some(schema) if schema < standing.known => State::Behind,
        Some(_) => State::Current,
    };
    if found.schema.is_some() {
        let mut connection = found.connection;
        let failed = |what, error: &sqlx::Error| errors::running(path, what, error);
        let mut porter = porter(&mut connection, &failed);
        let shapes = porter.shapes(SHAPES).await?;
        (standing.rows, standing.leases) = porter.count(&shapes).await?;
    }
    Ok(standing)
}

/// Makes the file, or brings it up to date.
pub async fn init(path: &Path) -> Result<Change> {
    let before = if path.exists() {
        file::look(path).await?.schema.unwrap_or(0)
    } else {
        0
    };
    let (pool, _) = file::open(path).await?;
    pool.close().await;
    Ok(Change {
        place: path.display().to_string(),
        before,
        after: file::known(),
    })
}

/// Brings a file that is there up to date.
pub async fn migrate(path: &Path) -> Result<Change> {
    if path.exists() {
        return init(path).await;
    }
    Err(StoreError::Open {
        place: path.display().to_string(),
        why: "there is none; `zoe db init` makes it".to_owned(),
    })
}

/// Writes all rows, as they are at one moment.
pub async fn export(path: &Path, out: &mut (dyn Write + Send)) -> Result<Counts> {
    // What is missing is not made in order to write that nothing is in it.
    migrate(path).await?;
    let failed = |what, error: &sqlx::Error| errors::running(path, what, error);
    let mut connection = connection(path).await?;
    run("BEGIN", &mut connection, path).await?;
    let mut porter = porter(&mut connection, &failed);
    let shapes = porter.shapes(SHAPES).await?;
    porter.export(&shapes, file::known(), out).await
}

/// Takes rows in: all of them, or none.
pub async fn import(path: &Path, from: &mut (dyn BufRead + Send)) -> Result<Imported> {
    let failed = |what, error: &sqlx::Error| errors::running(path, what, error);
    let mut connection = connection(path).await?;
    // A connection that is dropped before it commits undoes what it did.
    run("BEGIN IMMEDIATE", &mut connection, path).await?;
    let mut porter = porter(&mut connection, &failed);
    let shapes = porter.shapes(SHAPES).await?;
    let imported = porter.import(&shapes, file::known(), from).await?;
    run("COMMIT", &mut connection, path).await?;
    Ok(imported)
}

fn porter<'c>(
    connection: &'c mut SqliteConnection,
    failed: &'c (dyn Fn(&'static str, &sqlx::Error) -> StoreError + Send + Sync),
) -> Porter<'c, sqlx::Sqlite> {
    Porter { connection, failed }
}

async fn connection(path: &Path) -> Result<SqliteConnection> {
    let (pool, _) = file::open(path).await?;
    let connection = pool.acquire().await;
    connection
        .map(sqlx::pool::PoolConnection::detach)
        .map_err(|error| errors::opening(path, &error))
}

async fn run(sql: &'static str, connection: &mut SqliteConnection, path: &Path) -> Result<()> {
    sqlx::raw_sql(sql)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|error| errors::running(path, "begin or end a transaction", &error))
}
