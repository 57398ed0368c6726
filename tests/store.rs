//! The store: one truth out of any order of writes, one winner of any race, a sentence for every accident.

// What clippy allows in tests it does not see as such in their helpers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tempfile::TempDir;
use zoe::model::{Deployment, ExecutionId, Outcome};
use zoe::store::{Event, Lease, Query, Record, SqliteStore, Store, StoreError};

fn deployment() -> Deployment {
    "test".parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn id(n: u64) -> ExecutionId {
    ExecutionId::from_bits(n)
}

fn record(n: u64) -> Record {
    Record {
        id: id(n),
        name: format!("job-{n}"),
        user: "ada".to_owned(),
        application: "spark-submit".to_owned(),
        description: "{}".to_owned(),
        key: None,
        submitted_at: at(i64::try_from(n).unwrap()),
        started_at: None,
        end: None,
        logs: None,
    }
}

fn database() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data/zoe/zoe ?#%41.db");
    (directory, path)
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn hostile() -> Vec<String> {
    vec![
        "'; DROP TABLE executions; --".to_owned(),
        "\"`\\%_".to_owned(),
        "before\0after".to_owned(),
        "\u{202e}ebircs\u{200f}".to_owned(),
        "👩‍🚀\n\r\t\u{1b}[31m".to_owned(),
        "x".repeat(1 << 20),
    ]
}

/// The parts of a whole record that a writer may have known.
fn partial(whole: &Record, mask: u8) -> Record {
    let knows = |bit: u8| mask & (1 << bit) != 0;
    let text = |bit: u8, value: &str| {
        if knows(bit) {
            value.to_owned()
        } else {
            String::new()
        }
    };
    Record {
        name: text(0, &whole.name),
        user: text(1, &whole.user),
        application: text(2, &whole.application),
        description: text(3, &whole.description),
        key: whole.key.clone().filter(|_| knows(4)),
        started_at: whole.started_at.filter(|_| knows(5)),
        end: whole.end.clone().filter(|_| knows(6)),
        logs: whole.logs.clone().filter(|_| knows(7)),
        ..whole.clone()
    }
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Finished),
        Just(Outcome::TimedOut),
        (any::<i64>(), any::<String>())
            .prop_map(|(exit_code, reason)| Outcome::Failed { exit_code, reason }),
        proptest::option::of(any::<String>()).prop_map(|by| Outcome::Cancelled { by }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_number_of_partial_writes_gives_the_same_row(
        outcome in outcomes(),
        text in "\\PC{1,20}",
        key in proptest::option::of(any::<String>()),
        writes in proptest::collection::vec(any::<u8>(), 1..12),
    ) {
        let whole = Record {
            name: text.clone(),
            description: format!("{{{text}}}"),
            key,
            started_at: Some(at(5)),
            end: Some((at(9), outcome)),
            logs: Some("/history/x.zip".to_owned()),
            ..record(1)
        };
        let known = writes.iter().fold(0, |all, known| all | known);
        let (_directory, path) = database();
        let found = block_on(async {
            let store = open(&path).await;
            for known in &writes {
                store.record(&deployment(), &partial(&whole, *known)).await.unwrap();
            }
            store.get(&deployment(), whole.id).await.unwrap()
        });
        prop_assert_eq!(found, Some(partial(&whole, known)));
    }
}

#[tokio::test]
async fn the_first_end_stays_whatever_comes_later() {
    let (_directory, path) = database();
    let store = open(&path).await;
    let failed = Outcome::Failed {
        exit_code: 3,
        reason: "no".to_owned(),
    };
    let ends = [
        (at(10), failed),
        (at(5), Outcome::Cancelled { by: None }),
        (at(20), Outcome::Finished),
    ];
    for end in &ends {
        let late = Record {
            end: Some(end.clone()),
            ..record(1)
        };
        store.record(&deployment(), &late).await.unwrap();
    }
    store.record(&deployment(), &record(1)).await.unwrap();
    let found = store.get(&deployment(), id(1)).await.unwrap().unwrap();
    assert_eq!(found.end.as_ref(), ends.first());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_at_once_one_end_wins_whole() {
    let (_directory, path) = database();
    open(&path).await;
    let mut writers = Vec::new();
    for n in 0..16_u32 {
        let path = path.clone();
        writers.push(tokio::spawn(async move {
            let outcome = match n % 2 {
                0 => Outcome::Cancelled {
                    by: Some(n.to_string()),
                },
                _ => Outcome::Failed {
                    exit_code: i64::from(n),
                    reason: n.to_string(),
                },
            };
            let mine = Record {
                end: Some((at(i64::from(n)), outcome)),
                ..record(1)
            };
            let store = open(&path).await;
            store.record(&deployment(), &mine).await.unwrap();
            let first = store.get(&deployment(), id(1)).await.unwrap().unwrap();
            (mine, first)
        }));
    }
    let mut written = Vec::new();
    let mut seen = Vec::new();
    for writer in writers {
        let (mine, first) = writer.await.unwrap();
        written.push(mine);
        seen.push(first);
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "everybody sees the same end: {seen:?}");
    assert!(written.contains(&seen[0]), "and it is one that was written");
}

#[tokio::test]
async fn hostile_text_comes_back_as_it_was() {
    let (_directory, path) = database();
    let store = open(&path).await;
    for (n, text) in hostile().into_iter().enumerate() {
        let whole = Record {
            name: text.clone(),
            user: text.clone(),
            application: text.clone(),
            description: text.clone(),
            key: Some(text.clone()),
            end: Some((
                at(3),
                Outcome::Cancelled {
                    by: Some(text.clone()),
                },
            )),
            logs: Some(text.clone()),
            ..record(n as u64)
        };
        let event = Event {
            execution: whole.id,
            at: at(1),
            kind: text.clone(),
            detail: text.clone(),
        };
        store.record(&deployment(), &whole).await.unwrap();
        store.event(&deployment(), &event).await.unwrap();
        let query = Query {
            user: Some(text.clone()),
            name: Some(text.clone()),
            ..Query::default()
        };
        assert_eq!(store.find(&deployment(), &query).await.unwrap(), [whole]);
        let events = store.events(&deployment(), event.execution).await.unwrap();
        assert_eq!(events, [event]);
        assert!(matches!(
            store
                .lease(&deployment(), &text, at(0), SignedDuration::ZERO, None)
                .await
                .unwrap(),
            Lease::Held { .. }
        ));
    }
    let prefix = Query {
        id_prefix: Some("%".to_owned()),
        ..Query::default()
    };
    assert_eq!(store.find(&deployment(), &prefix).await.unwrap(), []);
}

#[tokio::test]
async fn queries_filter_newest_first() {
    let (_directory, path) = database();
    let store = open(&path).await;
    let ends = [
        None,
        Some(Outcome::Finished),
        Some(Outcome::TimedOut),
        Some(Outcome::Failed {
            exit_code: 1,
            reason: String::new(),
        }),
        Some(Outcome::Cancelled { by: None }),
    ];
    let all: Vec<Record> = (0..5_u64)
        .zip(ends)
        .map(|(n, end)| Record {
            user: if n < 2 { "ada" } else { "bob" }.to_owned(),
            end: end.map(|outcome| (at(100), outcome)),
            ..record(n)
        })
        .collect();
    for one in &all {
        store.record(&deployment(), one).await.unwrap();
    }
    let other: Deployment = "other".parse().unwrap();
    store.record(&other, &record(77)).await.unwrap();

    let cases: Vec<(Query, &[u64])> = vec![
        (Query::default(), &[4, 3, 2, 1, 0]),
        (
            Query {
                user: Some("ada".into()),
                ..Query::default()
            },
            &[1, 0],
        ),
        (
            Query {
                application: Some("spark".into()),
                ..Query::default()
            },
            &[],
        ),
        (
            Query {
                name: Some("job-3".into()),
                ..Query::default()
            },
            &[3],
        ),
        (
            Query {
                state: Some("open".into()),
                ..Query::default()
            },
            &[0],
        ),
        (
            Query {
                state: Some("failed".into()),
                ..Query::default()
            },
            &[3, 2],
        ),
        (
            Query {
                state: Some("cancelled".into()),
                ..Query::default()
            },
            &[4],
        ),
        (
            Query {
                state: Some("finished".into()),
                ..Query::default()
            },
            &[1],
        ),
        (
            Query {
                since: Some(at(1)),
                until: Some(at(3)),
                ..Query::default()
            },
            &[2, 1],
        ),
        (
            Query {
                limit: Some(2),
                user: Some("bob".into()),
                ..Query::default()
            },
            &[4, 3],
        ),
        (
            Query {
                id_prefix: Some(id(3).as_str()[..7].to_owned()),
                limit: Some(1),
                ..Query::default()
            },
            &[3],
        ),
    ];
    for (query, expected) in cases {
        let mut found: Vec<ExecutionId> = store
            .find(&deployment(), &query)
            .await
            .unwrap()
            .iter()
            .map(|r| r.id)
            .collect();
        if query.id_prefix.is_some() {
            found.retain(|i| *i == id(3));
        }
        let expected: Vec<ExecutionId> = expected.iter().map(|n| id(*n)).collect();
        assert_eq!(found, expected, "{query:?}");
    }
    let error = store
        .find(
            &deployment(),
            &Query {
                state: Some("exploded".into()),
                ..Query::default()
            },
        )
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"the database failed to find executions: 'exploded' is no state; there are open, finished, failed, timed_out and cancelled");
}

#[tokio::test]
async fn events_are_kept_once_and_told_in_order_and_forgotten() {
    let (_directory, path) = database();
    let store = open(&path).await;
    let event = |second, kind: &str, detail: &str| Event {
        execution: id(1),
        at: at(second),
        kind: kind.to_owned(),
        detail: detail.to_owned(),
    };
    let told = [
        event(1, "submitted", "by ada"),
        event(1, "started", "with 2 workers"),
        event(1, "cancel", "by ada"),
        event(1, "cancel", "by bob"),
        event(1, "ended", "cancelled"),
        event(2, "ended", "cancelled"),
    ];
    for one in told.iter().rev().chain(&told) {
        store.event(&deployment(), one).await.unwrap();
    }
    store.record(&deployment(), &record(1)).await.unwrap();
    assert_eq!(store.events(&deployment(), id(1)).await.unwrap(), told);
    assert_eq!(store.events(&deployment(), id(2)).await.unwrap(), []);
    store.forget(&deployment(), id(1)).await.unwrap();
    store.forget(&deployment(), id(1)).await.unwrap();
    assert_eq!(store.events(&deployment(), id(1)).await.unwrap(), []);
    assert_eq!(store.get(&deployment(), id(1)).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_racers_one_gets_the_lease() {
    let (_directory, path) = database();
    for round in 0..4 {
        let mut racers = Vec::new();
        for n in 0..16 {
            let path = path.clone();
            racers.push(tokio::spawn(async move {
                let length = SignedDuration::from_secs(60);
                open(&path)
                    .await
                    .lease(
                        &deployment(),
                        &format!("racer-{n}"),
                        at(round * 60),
                        length,
                        None,
                    )
                    .await
                    .unwrap()
            }));
        }
        let mut held = 0;
        let mut named = Vec::new();
        for racer in racers {
            match racer.await.unwrap() {
                Lease::Held { until } => {
                    assert_eq!(until, at(round * 60 + 60));
                    held += 1;
                }
                Lease::Taken { holder, .. } => named.push(holder),
            }
        }
        named.dedup();
        assert_eq!((held, named.len()), (1, 1), "round {round}");
    }
}

#[tokio::test]
async fn a_lease_is_renewed_given_back_displaced_and_lapses() {
    let (_directory, path) = database();
    let store = open(&path).await;
    let ask = async |who: &str, second, displace: Option<&str>| {
        let length = SignedDuration::from_secs(10);
        let mine = deployment();
        let lease = store.lease(&mine, who, at(second), length, displace);
        match lease.await.unwrap() {
            Lease::Held { .. } => who.to_owned(),
            Lease::Taken { holder, .. } => holder,
        }
    };
    assert_eq!(ask("a", 0, None).await, "a");
    assert_eq!(ask("b", 1, None).await, "a");
    assert_eq!(ask("a", 9, None).await, "a", "renewed");
    assert_eq!(ask("b", 11, None).await, "a", "so it holds longer");
    assert_eq!(ask("b", 11, Some("c")).await, "a", "another is dead");
    assert_eq!(ask("b", 11, Some("a")).await, "b", "a is dead");
    assert_eq!(
        ask("c", 11, Some("a")).await,
        "b",
        "only the first finds it so"
    );
    store.release(&deployment(), "a").await.unwrap();
    assert_eq!(
        ask("c", 12, None).await,
        "b",
        "only the holder gives it back"
    );
    store.release(&deployment(), "b").await.unwrap();
    assert_eq!(ask("c", 12, None).await, "c");
    assert_eq!(ask("d", 22, None).await, "d", "lapsed");
    let other: Deployment = "other".parse().unwrap();
    let length = SignedDuration::from_secs(1);
    let lease = store.lease(&other, "e", at(22), length, None).await;
    assert!(matches!(lease.unwrap(), Lease::Held { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_make_the_database_at_once() {
    for _ in 0..8 {
        let (_directory, path) = database();
        let mut makers = Vec::new();
        for n in 0..8 {
            let path = path.clone();
            makers.push(tokio::spawn(async move {
                let store = SqliteStore::open(&path).await.unwrap();
                store.record(&deployment(), &record(n)).await.unwrap();
            }));
        }
        for maker in makers {
            maker.await.unwrap();
        }
        let all = open(&path)
            .await
            .find(&deployment(), &Query::default())
            .await
            .unwrap();
        assert_eq!(all.len(), 8);
    }
}

/// What each of the processes below does: this test binary again, with the path in its environment.
#[tokio::test]
#[ignore = "runs as a child of the next test"]
async fn one_process_among_many() {
    let path = PathBuf::from(std::env::var_os("ZOE_TEST_DATABASE").unwrap());
    let store = open(&path).await;
    let me = zoe::store::Holder::of_this_process();
    let pid = u64::from(std::process::id());
    store.record(&deployment(), &record(pid)).await.unwrap();
    let length = SignedDuration::from_secs(60);
    let mine = deployment();
    let lease = store.lease(&mine, me.as_str(), at(0), length, None);
    if let Lease::Held { .. } = lease.await.unwrap() {
        let won = Record {
            logs: Some("winner".to_owned()),
            ..record(pid)
        };
        store.record(&deployment(), &won).await.unwrap();
    }
}

#[tokio::test]
async fn of_many_processes_that_make_the_database_one_gets_the_lease_and_is_found_dead() {
    let (_directory, path) = database();
    let mut children: Vec<_> = (0..8)
        .map(|_| {
            std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "one_process_among_many", "--ignored"])
                .env("ZOE_TEST_DATABASE", &path)
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let store = open(&path).await;
    let all = store.find(&deployment(), &Query::default()).await.unwrap();
    assert_eq!(all.len(), 8);
    assert_eq!(all.iter().filter(|r| r.logs.is_some()).count(), 1);

    let me = zoe::store::Holder::of_this_process();
    let length = SignedDuration::from_secs(60);
    let ask = async |displace: Option<&str>| {
        let mine = deployment();
        store
            .lease(&mine, me.as_str(), at(1), length, displace)
            .await
            .unwrap()
    };
    let Lease::Taken { holder, .. } = ask(None).await else {
        panic!("a lease that has not lapsed was given away");
    };
    assert!(me.is_dead(&holder), "{holder}");
    assert!(matches!(ask(Some(&holder)).await, Lease::Held { .. }));
}

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
    let error = match SqliteStore::open(path).await {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
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

    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    store.close().await;
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[4096..].fill(0xaa);
    std::fs::write(&path, damaged).unwrap();
    let store = open(&path).await;
    let error = store.get(&deployment(), id(1)).await.unwrap_err();
    let text = error
        .to_string()
        .replace(&path.display().to_string(), "PATH");
    insta::assert_snapshot!(text, @"cannot open the database PATH: the file is damaged or is no database (database disk image is malformed); move it away and zoe makes a new one: history is lost with it, what is running is not");
}

#[tokio::test]
#[ignore = "a measurement"]
async fn measure_opening_and_writing() {
    let (_directory, path) = database();
    open(&path).await.close().await;
    let mut times = Vec::new();
    for _ in 0..50 {
        let begun = std::time::Instant::now();
        let store = open(&path).await;
        times.push(begun.elapsed());
        store.close().await;
    }
    times.sort();
    println!("open: median {:?}, worst {:?}", times[25], times[49]);
    let store = open(&path).await;
    let begun = std::time::Instant::now();
    for n in 0..100 {
        store.record(&deployment(), &record(n)).await.unwrap();
    }
    println!("record: {:?}", begun.elapsed() / 100);
    let begun = std::time::Instant::now();
    for _ in 0..100 {
        store.find(&deployment(), &Query::default()).await.unwrap();
    }
    println!("find of 100: {:?}", begun.elapsed() / 100);
}
