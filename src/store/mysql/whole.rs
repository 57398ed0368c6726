//! Such a database as a whole.

use std::io::{BufRead, Write};

use sqlx::mysql::{MySql, MySqlConnection};
use sqlx::{AssertSqlSafe, Connection as _};

use super::errors;
use super::schema::{self, Found};
use super::server::Server;
use crate::store::import::Imported;
use crate::store::portable::Counts;
use crate::store::whole::{Change, Porter, Shapes, Standing, State};
use crate::store::{Result, StoreError};

/// Table, column, type, and whether it belongs to the key. What was done to the schema is no data.
const SHAPES: &str = "SELECT CONVERT(TABLE_NAME USING utf8mb4), CONVERT(COLUMN_NAME USING utf8mb4), \
     CONVERT(DATA_TYPE USING utf8mb4), CAST(COLUMN_KEY = 'PRI' AS SIGNED) FROM information_schema.COLUMNS \
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> 'zoe_schema' ORDER BY TABLE_NAME, ORDINAL_POSITION";

/// How it stands; nothing is changed.
pub async fn standing(server: Server) -> Result<Standing> {
    let mut standing = Standing {
        place: server.shown.clone(),
        kind: "mysql",
        software: None,
        tls: None,
        state: State::Absent,
        schema: None,
        known: schema::known(),
        rows: Counts::new(),
        leases: Vec::new(),
    };
    let failed = |error: sqlx::Error| errors::opening(&server.shown, &error);
    let mut connection = match server.try_connect().await? {
        Ok(connection) => connection,
        Err(error) if errors::is_no_database(&error) => return Ok(standing),
        Err(error) => return Err(failed(error)),
    };
    let (software,): (String,) = sqlx::query_as("SELECT VERSION()")
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    let tls: Option<(String, String)> = sqlx::query_as("SHOW SESSION STATUS LIKE 'Ssl_version'")
        .fetch_optional(&mut connection)
        .await
        .map_err(failed)?;
    if software.to_lowercase().contains("mariadb") {
        standing.kind = "mariadb";
    }
    standing.software = Some(software);
    standing.tls = tls.map(|(_, version)| version).filter(|v| !v.is_empty());
    let notes = match schema::look(&mut connection).await.map_err(failed)? {
        Found::Nothing => {
            standing.state = State::Empty;
            return Ok(standing);
        }
        Found::Foreign => {
            standing.state = State::Foreign;
            return Ok(standing);
        }
        Found::Zoe(notes) => notes,
    };
    standing.schema = Some(notes.version);
    standing.state = if schema::is_newer(notes).is_some() {
        State::Newer
    } else if notes.begun > 0 {
        State::Interrupted {
            done: notes.done,
            of: schema::statements(notes.version).len(),
        }
    } else if notes.version < schema::known() {
        State::Behind
    } else {
        State::Current
    };
    let failed = |what, error: &sqlx::Error| errors::running(&server.shown, what, error);
    let mut porter = porter(&mut connection, &failed);
    let shapes = porter.shapes(SHAPES).await?;
    (standing.rows, standing.leases) = porter.count(&shapes).await?;
    Ok(standing)
}

/// Makes the database where there is none, and brings its tables up to date.
pub async fn init(server: Server) -> Result<Change> {
    let failed = |error: sqlx::Error| errors::opening(&server.shown, &error);
    match server.try_connect().await? {
        Ok(_) => {}
        Err(error) if errors::is_no_database(&error) => {
            let name = server.database().replace('`', "``");
            let sql = format!("CREATE DATABASE IF NOT EXISTS `{name}`");
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut server.connect_beside().await?)
                .await
                .map_err(failed)?;
        }
        Err(error) => return Err(failed(error)),
    }
    migrate(server).await
}

/// Brings the tables of a database that is there up to date.
pub async fn migrate(server: Server) -> Result<Change> {
    let mut connection = server.connect().await?;
    let before = schema::ensure(&server, &mut connection).await?;
    Ok(Change {
        place: server.shown.clone(),
        before,
        after: schema::known(),
    })
}

/// Writes all rows, as they are at one moment.
pub async fn export(server: Server, out: &mut (dyn Write + Send)) -> Result<Counts> {
    let failed = |what, error: &sqlx::Error| errors::running(&server.shown, what, error);
    let mut connection = current(&server).await?;
    run(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        &mut connection,
        &server,
    )
    .await?;
    run(
        "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        &mut connection,
        &server,
    )
    .await?;
    let mut porter = porter(&mut connection, &failed);
    let shapes = porter.shapes(SHAPES).await?;
    porter.export(&shapes, schema::known(), out).await
}

/// Takes rows in: all of them, or none. Makes the database where there is none. Several take their turns: each is to see what
/// the one before it has added.
pub async fn import(server: Server, from: &mut (dyn BufRead + Send)) -> Result<Imported> {
    let failed = |what, error: &sqlx::Error| errors::running(&server.shown, what, error);
    init(server.clone()).await?;
    let mut connection = current(&server).await?;
    schema::lock(&server, &mut connection, &schema::ROWS).await?;
    // A connection that is dropped before it commits undoes what it did.
    run("START TRANSACTION", &mut connection, &server).await?;
    let mut porter = porter(&mut connection, &failed);
    let shapes: Shapes = porter.shapes(SHAPES).await?;
    let imported = porter.import(&shapes, schema::known(), from).await?;
    run("COMMIT", &mut connection, &server).await?;
    // The next one waits until the server has seen that this one is through.
    let _ = connection.close().await;
    Ok(imported)
}

async fn current(server: &Server) -> Result<MySqlConnection> {
    let mut connection = server.connect().await?;
    schema::ensure(server, &mut connection).await?;
    Ok(connection)
}

fn porter<'c>(
    connection: &'c mut MySqlConnection,
    failed: &'c (dyn Fn(&'static str, &sqlx::Error) -> StoreError + Send + Sync),
) -> Porter<'c, MySql> {
    Porter { connection, failed }
}

async fn run(sql: &'static str, connection: &mut MySqlConnection, server: &Server) -> Result<()> {
    sqlx::raw_sql(sql)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|error| errors::running(&server.shown, "begin or end a transaction", &error))
}
