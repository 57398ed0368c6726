//! The tables in a `MariaDB`: made by many at once, gone on with where it was interrupted, left alone where they are another's.

use std::sync::Arc;

use zoe::store::{State, StoreError};

use crate::mariadb::MariaDb;
use crate::{Site, deployment, id, record};

/// The migrations, in their order.
fn migrations() -> Vec<String> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/mysql");
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    files.iter().map(read).collect()
}

/// The newest schema.
pub fn known() -> i64 {
    i64::try_from(migrations().len()).unwrap()
}

/// The statements of a migration, as they are run.
fn statements(migration: &str) -> Vec<String> {
    let lines = migration.lines().filter(|line| !line.starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n") + "\n";
    let options = "ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin";
    text.split(";\n")
        .filter(|statement| !statement.trim().is_empty())
        .map(|statement| statement.replace("{table}", options))
        .collect()
}

fn notes(version: usize, begun: usize, done: usize) -> String {
    format!(
        "CREATE TABLE zoe_schema (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, begun BIGINT NOT NULL, done BIGINT NOT NULL);
         INSERT INTO zoe_schema VALUES (1, {version}, {begun}, {done});"
    )
}

fn within(server: &MariaDb, database: &str, sql: &str) -> String {
    server.sql(&format!("USE {database}; {sql}"))
}

/// All that the server says of the tables.
fn tables(server: &MariaDb, database: &str) -> String {
    let of = |what: &str| {
        within(
            server,
            database,
            &format!(
                "SELECT {what} FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, COLUMN_NAME"
            ),
        )
    };
    let indexes = "SELECT TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1, 2, 3";
    of("TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLLATION_NAME, COLUMN_KEY")
        + &within(server, database, indexes)
}

#[tokio::test]
async fn what_was_interrupted_anywhere_is_told_and_gone_on_with() {
    let server = Arc::new(MariaDb::start());
    let site = Site::in_server(&server);
    site.open().await;
    let whole = tables(&server, "zoe0");
    let mut applied = Vec::new();
    let mut number = 0;
    for (version, migration) in migrations().iter().enumerate() {
        let before = i64::try_from(version).unwrap();
        let steps = statements(migration);
        for (done, step) in steps.iter().enumerate() {
            // Begun and not run; run and not noted.
            for is_run in [false, true] {
                number += 1;
                let site = Site::in_server(&server);
                let database = format!("zoe{number}");
                let mut sql = notes(version, done + 1, done);
                for one in applied.iter().chain(is_run.then_some(step)) {
                    sql = format!("{sql}{one};");
                }
                within(&server, &database, &sql);
                let standing = zoe::store::standing(&site.db).await.unwrap();
                let of = steps.len();
                assert_eq!(standing.state, State::Interrupted { done, of });
                assert_eq!(standing.schema, Some(before));
                let change = zoe::store::migrate(&site.db).await.unwrap();
                assert_eq!((change.before, change.after), (before, known()));
                assert_eq!(
                    tables(&server, &database),
                    whole,
                    "{version}, {done}, {is_run}"
                );
            }
            applied.push(step.clone());
        }
    }
    // What can't be explained by an interruption is not: it is told, and the next attempt goes on once it is gone.
    let site = Site::in_server(&server);
    let database = format!("zoe{}", number + 1);
    within(
        &server,
        &database,
        &format!("{}CREATE TABLE events (x INT);", notes(0, 1, 0)),
    );
    let error = zoe::store::migrate(&site.db).await.unwrap_err().to_string();
    assert!(
        error.contains("between version 0 and 1 (2 of 4 steps are done): Table 'events' already exists; `zoe db migrate` goes on"),
        "{error}"
    );
    within(&server, &database, "DROP TABLE events");
    zoe::store::migrate(&site.db).await.unwrap();
    assert_eq!(tables(&server, &database), whole);
}

#[tokio::test]
async fn a_newer_schema_and_another_programs_tables_are_left_alone() {
    let server = Arc::new(MariaDb::start());
    let known = known();
    for (version, begun) in [(known + 1, 0), (99, 0), (known, 1)] {
        let site = Site::in_server(&server);
        site.open().await;
        let database = site
            .db
            .url
            .to_string()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned();
        within(
            &server,
            &database,
            &format!("UPDATE zoe_schema SET version = {version}, begun = {begun}"),
        );
        let before = tables(&server, &database);
        let error = zoe::store::open(&site.db).await.err().unwrap();
        assert!(matches!(error, StoreError::TooNew { .. }), "{error}");
        let found = if begun > 0 { known + 1 } else { version };
        let sentence = format!(
            "was made by a newer zoe (schema {found}, this one knows {known}); use that version"
        );
        assert!(error.to_string().ends_with(&sentence), "{error}");
        for refused in [
            zoe::store::init(&site.db).await.err(),
            zoe::store::migrate(&site.db).await.err(),
            zoe::store::import(&site.db, &mut "".as_bytes()).await.err(),
            zoe::store::export(&site.db, &mut Vec::new()).await.err(),
        ] {
            assert!(
                matches!(refused, Some(StoreError::TooNew { .. })),
                "{refused:?}"
            );
        }
        let standing = zoe::store::standing(&site.db).await.unwrap();
        assert_eq!(standing.state, State::Newer);
        assert_eq!(tables(&server, &database), before);
    }
    let site = Site::in_server(&server);
    within(&server, "zoe3", "CREATE TABLE users (x INT)");
    let standing = zoe::store::standing(&site.db).await.unwrap();
    assert_eq!(standing.state, State::Foreign);
    let error = zoe::store::open(&site.db).await.err().unwrap().to_string();
    assert!(
        error.ends_with("it has another program's tables; give zoe a database of its own"),
        "{error}"
    );
    assert_eq!(within(&server, "zoe3", "SHOW TABLES"), "users");
}

#[tokio::test]
async fn an_older_database_keeps_its_rows() {
    let server = Arc::new(MariaDb::start());
    let site = Site::in_server(&server);
    let mut sql = notes(1, 0, 0);
    for step in statements(&migrations()[0]) {
        sql = format!("{sql}{step};");
    }
    let one = record(1);
    sql = format!(
        "{sql}INSERT INTO executions (deployment, id, name, user_name, application, description, submitted_at) \
         VALUES ('test', '{}', 'job-1', 'ada', 'spark-submit', '{{}}', {})",
        one.id,
        one.submitted_at.as_millisecond()
    );
    within(&server, "zoe0", &sql);
    let standing = zoe::store::standing(&site.db).await.unwrap();
    assert_eq!(
        (standing.state, standing.rows["executions"]),
        (State::Behind, 1)
    );
    let store = site.open().await;
    assert_eq!(store.get(&deployment(), id(1)).await.unwrap(), Some(one));
}

/// What `SQLite`'s tables and `MariaDB`'s have in common is all that exports rely on.
#[tokio::test]
async fn both_kinds_have_the_same_tables_and_columns() {
    let server = Arc::new(MariaDb::start());
    let site = Site::in_server(&server);
    site.open().await;
    let there = within(
        &server,
        "zoe0",
        "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME, ' ', IF(DATA_TYPE = 'bigint', 'number', IF(CHARACTER_SET_NAME = 'utf8mb4', 'text', DATA_TYPE)), \
         ' ', IF(COLUMN_KEY = 'PRI', 'key', ''), ' ', IS_NULLABLE) FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> 'zoe_schema' ORDER BY BINARY 1",
    );
    let file = Site::sqlite();
    file.open().await;
    let zoe::config::Database::Sqlite(path) = &file.db.url else {
        panic!("no file");
    };
    let pool =
        sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(path))
            .await
            .unwrap();
    let here: Vec<(String,)> = sqlx::query_as(
        "SELECT m.name || '.' || c.name || ' ' || CASE c.type WHEN 'BIGINT' THEN 'number' WHEN 'TEXT' THEN 'text' ELSE c.type END \
         || ' ' || CASE WHEN c.pk > 0 THEN 'key' ELSE '' END || ' ' || CASE WHEN c.\"notnull\" THEN 'NO' ELSE 'YES' END \
         FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut there: Vec<&str> = there.lines().collect();
    there.sort_unstable();
    let here: Vec<String> = here.into_iter().map(|(line,)| line).collect();
    assert_eq!(there, here);
    let indexes: Vec<(String,)> = sqlx::query_as(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let there = within(
        &server,
        "zoe0",
        "SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME <> 'PRIMARY' ORDER BY 1",
    );
    let here: Vec<String> = indexes.into_iter().map(|(line,)| line).collect();
    assert_eq!(there, here.join("\n"));
}
