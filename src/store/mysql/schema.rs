//! The tables, brought to what this program needs by one process at a time.
//!
//! A change of tables is no transaction here: each statement counts at once. So every statement is noted before and after it is
//! run, in a table of its own, and who finds one begun and not done goes on with it; if its effect is there already, that is well.
//! Who does this holds a lock that the server gives to one connection at a time and takes back when the connection ends.

use std::collections::BTreeSet;

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use super::errors;
use super::server::Server;
use crate::store::{Result, StoreError};

/// The schema, one migration after the other; a database's version is how many of them it has had.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/mysql/0001_history.sql"),
    include_str!("../../../migrations/mysql/0002_terms.sql"),
    include_str!("../../../migrations/mysql/0003_mail.sql"),
    include_str!("../../../migrations/mysql/0004_search.sql"),
    include_str!("../../../migrations/mysql/0005_activity.sql"),
    include_str!("../../../migrations/mysql/0006_used.sql"),
    include_str!("../../../migrations/mysql/0007_state.sql"),
];

/// What has been done. A row is there from the moment on at which the first statement is run.
const MAKE_NOTES: &str = "CREATE TABLE IF NOT EXISTS zoe_schema (id BIGINT NOT NULL PRIMARY KEY, \
     version BIGINT NOT NULL, begun BIGINT NOT NULL, done BIGINT NOT NULL)";

/// A lock that the server gives to one connection at a time.
pub struct Lock {
    name: &'static str,
    /// What who has it is changing.
    what: &'static str,
    /// How many seconds are waited for it.
    patience: i64,
}

/// Whoever changes the tables has it.
const TABLES: Lock = Lock {
    name: "schema",
    what: "tables",
    patience: 60,
};

/// Whoever imports has it, which may take a while.
pub const ROWS: Lock = Lock {
    name: "import",
    what: "rows",
    patience: 600,
};

/// How far the tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notes {
    /// How many migrations are done.
    pub version: i64,
    /// How many statements of the next one were begun.
    pub begun: usize,
    /// How many of them are done.
    pub done: usize,
}

/// What a database has in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// Tables of another program.
    Foreign,
    /// Zoe's.
    Zoe(Notes),
}

/// The newest schema this program knows.
pub fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The statements of the migration that follows on a version.
pub fn statements(version: i64) -> Vec<String> {
    let next = usize::try_from(version)
        .ok()
        .and_then(|n| MIGRATIONS.get(n));
    next.map(|text| split(text)).unwrap_or_default()
}

fn split(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n") + "\n";
    let statements = text.split(";\n").map(str::trim);
    statements
        .filter(|statement| !statement.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What there is.
pub async fn look(connection: &mut MySqlConnection) -> sqlx::Result<Found> {
    let tables: Vec<(String,)> = sqlx::query_as(
        "SELECT CONVERT(TABLE_NAME USING utf8mb4) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
    )
    .fetch_all(&mut *connection)
    .await?;
    let tables: BTreeSet<String> = tables.into_iter().map(|(name,)| name).collect();
    if !tables.contains("zoe_schema") {
        return Ok(if tables.is_empty() {
            Found::Nothing
        } else {
            Found::Foreign
        });
    }
    let row: Option<(i64, i64, i64)> =
        sqlx::query_as("SELECT version, begun, done FROM zoe_schema WHERE id = 1")
            .fetch_optional(&mut *connection)
            .await?;
    let (version, begun, done) = row.unwrap_or_default();
    let count = |n: i64| usize::try_from(n).unwrap_or(0);
    Ok(Found::Zoe(Notes {
        version,
        begun: count(begun),
        done: count(done),
    }))
}

/// Whether the notes are those of a newer zoe: all that this one knows is done, and more was begun.
pub fn is_newer(notes: Notes) -> Option<i64> {
    if notes.version > known() {
        return Some(notes.version);
    }
    (notes.version == known() && notes.begun > 0).then_some(notes.version + 1)
}

/// Brings the tables up to date, if they are not, and tells which version they had.
pub async fn ensure(server: &Server, connection: &mut MySqlConnection) -> Result<i64> {
    let failed = |error: sqlx::Error| errors::opening(&server.shown, &error);
    if let Found::Zoe(notes) = look(connection).await.map_err(failed)?
        && notes.version == known()
        && notes.begun == 0
    {
        return Ok(notes.version);
    }
    // The lock lasts as long as its connection.
    let mut locked = server.connect().await?;
    let changed = async {
        lock(server, &mut locked, &TABLES).await?;
        migrate(server, &mut locked).await
    };
    let changed = changed.await;
    // It is over when the server has seen it: who waits for the lock should not wait longer.
    let _ = locked.close().await;
    changed
}

/// Waits until nobody else has a lock; the connection has it for as long as it lasts.
pub async fn lock(server: &Server, connection: &mut MySqlConnection, lock: &Lock) -> Result<()> {
    let sql = "SELECT CAST(GET_LOCK(CONCAT('zoe-', ?, '-', MD5(DATABASE())), ?) AS SIGNED)";
    let (got,): (Option<i64>,) = sqlx::query_as(sql)
        .bind(lock.name)
        .bind(lock.patience)
        .fetch_one(connection)
        .await
        .map_err(|error| errors::opening(&server.shown, &error))?;
    if got == Some(1) {
        return Ok(());
    }
    Err(StoreError::Open {
        place: server.shown.clone(),
        why: format!(
            "another zoe has been changing its {} for {} s; try again when it is through",
            lock.what, lock.patience
        ),
    })
}

async fn migrate(server: &Server, connection: &mut MySqlConnection) -> Result<i64> {
    let failed = |error: sqlx::Error| errors::opening(&server.shown, &error);
    // Others may have been faster: what was seen before the lock counts for nothing.
    let mut notes = match look(connection).await.map_err(failed)? {
        Found::Zoe(notes) => notes,
        Found::Nothing => Notes {
            version: 0,
            begun: 0,
            done: 0,
        },
        Found::Foreign => {
            return Err(StoreError::Open {
                place: server.shown.clone(),
                why: "it has another program's tables; give zoe a database of its own".to_owned(),
            });
        }
    };
    if let Some(found) = is_newer(notes) {
        return Err(StoreError::TooNew {
            place: server.shown.clone(),
            found,
            known: known(),
        });
    }
    let before = notes.version;
    let options = table_options(connection).await.map_err(failed)?;
    run(connection, MAKE_NOTES).await.map_err(failed)?;
    while notes.version < known() {
        let statements = statements(notes.version);
        for (at, statement) in statements.iter().enumerate().skip(notes.done) {
            let statement = statement.replace("{table}", &options);
            let may_be_done = notes.begun > at;
            let stopped = |error: &sqlx::Error| StoreError::Open {
                place: server.shown.clone(),
                why: format!(
                    "its tables are between version {} and {} ({at} of {} steps are done): {}; `zoe db migrate` goes on from there",
                    notes.version,
                    notes.version + 1,
                    statements.len(),
                    errors::cause(error)
                ),
            };
            note(connection, notes.version, at + 1, at)
                .await
                .map_err(|error| stopped(&error))?;
            match run(connection, &statement).await {
                Ok(()) => {}
                Err(error) if may_be_done && errors::is_done_already(&error) => {}
                Err(error) => return Err(stopped(&error)),
            }
        }
        notes = Notes {
            version: notes.version + 1,
            begun: 0,
            done: 0,
        };
        note(connection, notes.version, 0, 0)
            .await
            .map_err(failed)?;
    }
    Ok(before)
}

async fn note(
    connection: &mut MySqlConnection,
    version: i64,
    begun: usize,
    done: usize,
) -> sqlx::Result<()> {
    let sql = format!(
        "INSERT INTO zoe_schema (id, version, begun, done) VALUES (1, {version}, {begun}, {done}) \
         ON DUPLICATE KEY UPDATE version = {version}, begun = {begun}, done = {done}"
    );
    run(connection, &sql).await
}

/// What stands behind each table. Texts are compared byte by byte, trailing spaces included; each server has its own name for that.
async fn table_options(connection: &mut MySqlConnection) -> sqlx::Result<String> {
    let there: Vec<(String,)> = sqlx::query_as(
        "SELECT CONVERT(COLLATION_NAME USING utf8mb4) FROM information_schema.COLLATIONS \
         WHERE COLLATION_NAME IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin')",
    )
    .fetch_all(connection)
    .await?;
    // Servers that are too old for either take spaces at the end for nothing.
    let collation = there
        .first()
        .map_or("utf8mb4_bin", |(collation,)| collation.as_str());
    Ok(format!(
        "ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {collation}"
    ))
}

async fn run(connection: &mut MySqlConnection, sql: &str) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_is_statements_that_do_one_thing_each() {
        for version in 0..known() {
            let statements = statements(version);
            assert!(!statements.is_empty());
            for statement in statements {
                assert!(!statement.contains(';'), "{statement}");
                // A statement that was run and not noted is run again: what it comes upon then is known.
                let begins = [
                    "CREATE TABLE ",
                    "CREATE INDEX ",
                    "ALTER TABLE ",
                    "DROP INDEX ",
                ];
                assert!(
                    begins.iter().any(|b| statement.starts_with(b)),
                    "{statement}"
                );
                assert_eq!(
                    statement.starts_with("CREATE TABLE "),
                    statement.ends_with("{table}"),
                    "{statement}"
                );
                assert!(statement.matches(" ADD ").count() <= 1, "{statement}");
            }
        }
        assert_eq!(statements(known()), Vec::<String>::new());
    }

    #[test]
    fn a_newer_zoe_is_known_from_what_it_has_begun_too() {
        let notes = |version, begun| Notes {
            version,
            begun,
            done: 0,
        };
        assert_eq!(is_newer(notes(known(), 0)), None);
        assert_eq!(is_newer(notes(known() - 1, 1)), None);
        assert_eq!(is_newer(notes(known(), 1)), Some(known() + 1));
        assert_eq!(is_newer(notes(known() + 1, 0)), Some(known() + 1));
    }
}
