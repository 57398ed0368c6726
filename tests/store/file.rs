//! The file: whose it is, what happens when it goes, and what is said of one that is no good.

use std::path::Path;
use std::sync::Arc;

use zoe::store::{Query, SqliteStore, Store, StoreError};

use crate::{database, deployment, id, open, record};

#[tokio::test]
async fn the_file_and_its_companions_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, path) = database();
    let store = open(&path).await;
    store.record(&deployment(), &record(1)).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_database_that_was_deleted_is_made_again() {
    let (_directory, path) = database();
    let store = open(&path).await;
    store.record(&deployment(), &record(1)).await.unwrap();

    // Only the file: what SQLite left beside it must not come back.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(store.get(&deployment(), id(1)).await.unwrap(), None);
    store.record(&deployment(), &record(2)).await.unwrap();

    // Everything.
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    store.record(&deployment(), &record(3)).await.unwrap();
    drop(store);
    let found = open(&path)
        .await
        .find(&deployment(), &Query::default())
        .await
        .unwrap();
    assert_eq!(found, [record(3)]);

    std::fs::remove_file(&path).unwrap();
    let store = open(&path).await;
    let found = store.find(&deployment(), &Query::default()).await.unwrap();
    assert_eq!(found, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_it_again_and_again_under_many_writers_breaks_nothing() {
    let (_directory, path) = database();
    let store = Arc::new(open(&path).await);
    let mut writers = Vec::new();
    for n in 0..4 {
        let (store, path) = (Arc::clone(&store), path.clone());
        writers.push(tokio::spawn(async move {
            for _ in 0..10 {
                // A write that meets the deletion may fail, with a sentence; nothing may hang or panic.
                let _ = store.record(&deployment(), &record(n)).await;
                if n == 0 {
                    let _ = std::fs::remove_file(&path);
                }
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    store.record(&deployment(), &record(9)).await.unwrap();
    drop(store);
    let found = open(&path).await.get(&deployment(), id(9)).await.unwrap();
    assert_eq!(found, Some(record(9)));
}

async fn refusal(path: &Path) -> String {
    let Err(error) = SqliteStore::open(path).await else {
        panic!("{} was opened", path.display());
    };
    assert!(
        error.to_string().contains(&path.display().to_string()),
        "{error}"
    );
    error
        .to_string()
        .replace(&path.display().to_string(), "PATH")
}

#[tokio::test]
async fn what_cannot_be_opened_gets_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "a".repeat(5000)).unwrap();
    insta::assert_snapshot!(refusal(&file).await, @"cannot open the database PATH: the file is damaged or is no database (file is not a database); move it away and zoe makes a new one: history is lost with it, what is running is not");
    insta::assert_snapshot!(refusal(&file.join("zoe.db")).await, @"cannot open the database PATH: Not a directory (os error 20)");
    insta::assert_snapshot!(refusal(directory.path()).await, @"cannot open the database PATH: it is not a file");
    insta::assert_snapshot!(refusal(Path::new("/proc/zoe/zoe.db")).await, @"cannot open the database PATH: its directory cannot be made (No such file or directory (os error 2))");

    let blocked = directory.path().join("zoe.db");
    let companion = directory.path().join("zoe.db-wal");
    std::fs::create_dir(&companion).unwrap();
    insta::assert_snapshot!(refusal(&blocked).await, @"cannot open the database PATH: what an earlier one left as -wal cannot be removed (Is a directory (os error 21))");
    std::fs::remove_dir(&companion).unwrap();
    open(&blocked).await.close().await;
    std::fs::create_dir(&companion).unwrap();
    insta::assert_snapshot!(refusal(&blocked).await, @"cannot open the database PATH: the file or its companions (-wal, -shm) cannot be opened");
    assert_eq!(std::fs::read(&file).unwrap(), "a".repeat(5000).into_bytes());
}

async fn raw(path: &Path) -> sqlx::SqlitePool {
    sqlx::SqlitePool::connect_with(
        sqlx::sqlite::SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true),
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn a_newer_schema_and_another_programs_database_are_left_alone() {
    let (directory, path) = database();
    let store = open(&path).await;
    sqlx::query("PRAGMA user_version = 99")
        .execute(&raw(&path).await)
        .await
        .unwrap();
    let error = SqliteStore::open(&path).await.err().unwrap();
    assert!(
        matches!(error, StoreError::TooNew { found: 99, .. }),
        "{error}"
    );
    drop(store);

    let other = directory.path().join("other.db");
    let pool = raw(&other).await;
    sqlx::query("CREATE TABLE executions (x INTEGER)")
        .execute(&pool)
        .await
        .unwrap();
    insta::assert_snapshot!(refusal(&other).await, @"cannot open the database PATH: it belongs to another program; name another file, or move this one away");
}

#[tokio::test]
async fn damage_found_late_is_told_too_and_so_is_a_row_that_means_nothing() {
    let (_directory, path) = database();
    let store = open(&path).await;
    store.record(&deployment(), &record(1)).await.unwrap();
    let pool = raw(&path).await;
    sqlx::query("UPDATE executions SET ended_at = 1, outcome = 'exploded'")
        .execute(&pool)
        .await
        .unwrap();
    let error = store.get(&deployment(), id(1)).await.unwrap_err();
    insta::assert_snapshot!(error.to_string().replace(id(1).as_str(), "ID"), @"the database holds something unreadable in outcome of execution ID: 'exploded' is none");
    sqlx::query("UPDATE executions SET ended_at = 9223372036854775807, outcome = 'finished'")
        .execute(&pool)
        .await
        .unwrap();
    let error = store.get(&deployment(), id(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Garbled { .. }), "{error}");

    // What tables there are is readable, the rows are not.
    let (page,): (i64,) =
        sqlx::query_as("SELECT rootpage FROM sqlite_master WHERE name = 'executions'")
            .fetch_one(&pool)
            .await
            .unwrap();
    let end = usize::try_from(page).unwrap() * 4096;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    store.close().await;
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[end - 4096..end].fill(0xaa);
    std::fs::write(&path, damaged).unwrap();
    let store = open(&path).await;
    let error = store.get(&deployment(), id(1)).await.unwrap_err();
    let text = error
        .to_string()
        .replace(&path.display().to_string(), "PATH");
    insta::assert_snapshot!(text, @"cannot open the database PATH: the file is damaged or is no database (database disk image is malformed); move it away and zoe makes a new one: history is lost with it, what is running is not");
}
