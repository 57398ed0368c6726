//! A row that can't be understood costs nobody the others.

use sqlx::{Connection, SqliteConnection};
use zoe::model::Outcome;
use zoe::model::quota::Limits;
use zoe::store::{Event, Query, Role, Store, StoreError, User};

use crate::{at, database, deployment, id, open, record};

async fn run(path: &std::path::Path, sql: &'static str) {
    let url = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&url).await.unwrap();
    let done = sqlx::query(sql).execute(&mut connection).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{sql}");
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_is_left_out_and_told() {
    for damage in [
        "UPDATE executions SET outcome = 'exploded', ended_at = 5 WHERE name = 'job-2'",
        "UPDATE executions SET ended_at = 5 WHERE name = 'job-2'",
        "UPDATE executions SET submitted_at = 9223372036854775807 WHERE name = 'job-2'",
        "UPDATE executions SET id = 'NO ID' WHERE name = 'job-2'",
    ] {
        let (_directory, path) = database();
        let store = open(&path).await;
        for n in 1..=3 {
            let mut record = record(n);
            record.end = (n != 2).then(|| (at(9), Outcome::Finished));
            store.record(&deployment(), &record).await.unwrap();
        }
        run(&path, damage).await;
        let found = store
            .search(&deployment(), &Query::default())
            .await
            .unwrap();
        let names: Vec<&str> = found.records.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["job-3", "job-1"], "{damage}");
        assert!(
            matches!(found.unreadable.as_slice(), [StoreError::Garbled { .. }]),
            "{damage}: {:?}",
            found.unreadable
        );
        let all = store.find(&deployment(), &Query::default()).await.unwrap();
        assert_eq!(all.len(), 2);
        let ids = [id(1), id(2), id(3)];
        let some = store.get_all(&deployment(), &ids).await.unwrap();
        assert_eq!(some.len(), 2);
        // Whoever asks for this one alone is not told that there is none.
        let alone = Query {
            name: Some("job-2".to_owned()),
            ..Query::default()
        };
        assert!(store.find(&deployment(), &alone).await.is_err(), "{damage}");
        if !damage.contains("SET id") {
            assert!(store.get(&deployment(), id(2)).await.is_err(), "{damage}");
        }
    }
}

#[tokio::test]
async fn likewise_of_events_and_of_users() {
    let (_directory, path) = database();
    let store = open(&path).await;
    for (n, kind) in [(1, "submitted"), (2, "started"), (3, "ended")] {
        let event = Event {
            execution: id(1),
            at: at(n),
            kind: kind.to_owned(),
            detail: String::new(),
        };
        store.event(&deployment(), &event).await.unwrap();
    }
    run(
        &path,
        "UPDATE events SET happened_at = 9223372036854775807 WHERE kind = 'submitted'",
    )
    .await;
    let events = store.events(&deployment(), id(1)).await.unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["started", "ended"]);
    for name in ["ada", "bob"] {
        let user = User {
            name: name.to_owned(),
            mail: None,
            mail_on: None,
            role: Role::Admin,
            limits: Limits::default(),
        };
        store.enter(&deployment(), &user).await.unwrap();
    }
    run(&path, "UPDATE users SET role = 'king' WHERE name = 'ada'").await;
    let users = store.users(&deployment()).await.unwrap();
    let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["bob"]);
}
