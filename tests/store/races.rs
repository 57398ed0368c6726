//! Many at once: tasks and processes.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use zoe::config::{Database, Db};
use zoe::model::{Deployment, Outcome};
use zoe::store::{Lease, Query, Record};

use crate::{Site, at, configured, deployment, id, of_file, record};

on_both! {
    of_many_writers_at_once_one_end_wins_whole
    of_sixteen_racers_one_gets_the_lease
    a_lease_is_renewed_given_back_displaced_and_lapses
    many_may_make_the_database_at_once
    of_many_processes_that_make_the_database_one_gets_the_lease_and_is_found_dead
}

async fn of_many_writers_at_once_one_end_wins_whole(site: Site) {
    site.open().await;
    let mut writers = Vec::new();
    for n in 0..16_u32 {
        let db = site.db.clone();
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
            let store = zoe::store::open(&db).await.unwrap();
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

async fn of_sixteen_racers_one_gets_the_lease(site: Site) {
    for round in 0..4 {
        let mut racers = Vec::new();
        for n in 0..16 {
            let db = site.db.clone();
            racers.push(tokio::spawn(async move {
                let length = SignedDuration::from_secs(60);
                zoe::store::open(&db)
                    .await
                    .unwrap()
                    .lease(
                        // A lease that lapsed is free for all as well, but a server takes its time to that.
                        &format!("round-{round}").parse().unwrap(),
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

async fn a_lease_is_renewed_given_back_displaced_and_lapses(site: Site) {
    let store = site.open().await;
    let ask_for = async |length, who: &str, second, displace: Option<&str>| {
        let length = SignedDuration::from_secs(length);
        let mine = deployment();
        let lease = store.lease(&mine, who, at(second), length, displace);
        match lease.await.unwrap() {
            Lease::Held { .. } => who.to_owned(),
            Lease::Taken { holder, .. } => holder,
        }
    };
    let ask = async |who: &str, second, displace| ask_for(10, who, second, displace).await;
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
    assert_eq!(ask_for(0, "c", 22, None).await, "c");
    assert_eq!(ask("d", 22, None).await, "d", "lapsed");
    let other: Deployment = "other".parse().unwrap();
    let length = SignedDuration::from_secs(1);
    let lease = store.lease(&other, "e", at(22), length, None).await;
    assert!(matches!(lease.unwrap(), Lease::Held { .. }));
}

/// A server's own clock counts, whatever time it is where somebody asks.
#[tokio::test]
async fn who_is_ahead_of_time_takes_no_lease_of_another_on_mariadb() {
    let site = Site::mariadb();
    let store = site.open().await;
    let mine = deployment();
    let year = 365 * 86_400;
    let ask = async |who: &str, second, length| {
        let length = SignedDuration::from_secs(length);
        let asked = store.lease(&mine, who, at(second), length, None).await;
        match asked.unwrap() {
            Lease::Held { until } => {
                assert_eq!(until, at(second) + length);
                who.to_owned()
            }
            Lease::Taken { holder, .. } => holder,
        }
    };
    assert_eq!(ask("a", 0, 600).await, "a");
    assert_eq!(ask("b", year, 600).await, "a");
    let length = SignedDuration::from_secs(1);
    let renewed = store.renew(&mine, "a", at(year), length).await.unwrap();
    assert_eq!(renewed, Some(at(year) + length));
    // It lapses all the same.
    let deadline = Instant::now() + Duration::from_mins(1);
    while ask("b", -year, 600).await != "b" {
        assert!(Instant::now() < deadline, "it never lapsed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let late = store.renew(&mine, "a", at(0), length).await.unwrap();
    assert_eq!(late, None);
}

async fn many_may_make_the_database_at_once(site: Site) {
    for _ in 0..8 {
        let site = site.another();
        let mut makers = Vec::new();
        for n in 0..8 {
            let db = site.db.clone();
            makers.push(tokio::spawn(async move {
                let store = zoe::store::open(&db).await.unwrap();
                store.record(&deployment(), &record(n)).await.unwrap();
            }));
        }
        for maker in makers {
            maker.await.unwrap();
        }
        let all = site
            .open()
            .await
            .find(&deployment(), &Query::default())
            .await
            .unwrap();
        assert_eq!(all.len(), 8);
    }
}

/// What each of the processes below does: makes the database, records itself, and says there if it has got the lease.
async fn one_process(db: &Db) {
    let store = zoe::store::open(db).await.unwrap();
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

/// Where a child finds the database that it is to share: it is this test binary again.
const SHARED: &str = "ZOE_TEST_DATABASE";

#[tokio::test]
async fn one_process_gets_the_lease() {
    if let Ok(place) = std::env::var(SHARED) {
        let db = if place.starts_with('/') {
            of_file(place.into())
        } else {
            configured(&place)
        };
        return one_process(&db).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let db = of_file(directory.path().join("zoe.db"));
    one_process(&db).await;
    let store = zoe::store::open(&db).await.unwrap();
    let all = store.find(&deployment(), &Query::default()).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].logs.as_deref(), Some("winner"));
}

async fn of_many_processes_that_make_the_database_one_gets_the_lease_and_is_found_dead(site: Site) {
    let place = match &site.db.url {
        Database::Sqlite(path) => path.display().to_string(),
        Database::Mysql(url) => url.url.reveal().to_owned(),
    };
    let mut children: Vec<_> = (0..8)
        .map(|_| {
            std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "races::one_process_gets_the_lease"])
                .env(SHARED, &place)
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let store = site.open().await;
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
