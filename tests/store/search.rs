//! What was is found page by page, at a time, and added up; the same on both kinds, and as whoever has all rows at hand would do it.

use jiff::SignedDuration;
use zoe::model::{Bytes, Cores, ExecutionId, Outcome, Resources};
use zoe::store::{Query, Record, Sum, SumBy, UsageQuery, Used, search};

use crate::{Site, at, deployment, record};

on_both! {
    pages_have_everything_once
    states_are_found_with_everything_else
    what_ran_at_a_time
    sums_are_those_of_the_rows
    a_beginning_is_found_whatever_it_has
}

/// Submitted one a second, but three each in the same; run from 10 s after that for as long as its number says.
fn rows() -> Vec<Record> {
    let users = ["ada", "bob", "eve"];
    (0..60_i64)
        .map(|n| {
            let outcome = match n % 4 {
                0 => Outcome::Failed {
                    exit_code: 1,
                    reason: String::new(),
                },
                1 => Outcome::TimedOut,
                _ => Outcome::Finished,
            };
            let number = u64::try_from(n).unwrap();
            Record {
                user: users[usize::try_from(n % 3).unwrap()].to_owned(),
                application: format!("app{}", n % 2),
                submitted_at: at(n / 3),
                started_at: (n % 7 > 0).then(|| at(n / 3 + 10)),
                end: (n % 10 > 0).then(|| (at(n / 3 + 10 + n), outcome)),
                allocated: (n % 5 > 0).then(|| Resources {
                    cores: Cores::from_millis(500 * number),
                    memory: Bytes::new((number << 30) + 7),
                }),
                used: (n % 6 == 5).then(|| Used {
                    core_time: 1000 * number,
                    memory_time: 500 * number,
                    run_time: 700,
                    counted_until: at(n / 3 + 10),
                }),
                ..record(number)
            }
        })
        .collect()
}

async fn filled(site: &Site) -> std::sync::Arc<dyn zoe::store::Store> {
    let store = site.open().await;
    for row in rows() {
        store.record(&deployment(), &row).await.unwrap();
    }
    store
}

/// What is wanted of the rows, in the order in which it is found.
fn wanted(is: impl Fn(&Record) -> bool) -> Vec<ExecutionId> {
    let mut rows = rows();
    rows.retain(is);
    rows.sort_by_key(|row| std::cmp::Reverse((row.submitted_at, row.id)));
    rows.iter().map(|row| row.id).collect()
}

async fn pages_have_everything_once(site: Site) {
    let store = filled(&site).await;
    for user in [None, Some("bob".to_owned())] {
        for most in [1, 2, 7, 100] {
            let mut query = Query {
                user: user.clone(),
                over: true,
                limit: Some(most),
                ..Query::default()
            };
            let mut found = Vec::new();
            loop {
                let page = store.find(&deployment(), &query).await.unwrap();
                assert!(page.len() <= most as usize);
                let Some(last) = page.last() else {
                    break;
                };
                query.after = Some((last.submitted_at, last.id));
                found.extend(page.iter().map(|row| row.id));
            }
            let is = |row: &Record| {
                row.end.is_some() && user.as_ref().is_none_or(|user| row.user == *user)
            };
            assert_eq!(found, wanted(is), "{user:?}, {most} a page");
        }
    }
}

async fn states_are_found_with_everything_else(site: Site) {
    let store = filled(&site).await;
    let is = |state: &str, row: &Record| {
        matches!(
            (state, row.end.as_ref().map(|(_, outcome)| outcome)),
            ("open", None)
                | ("finished", Some(Outcome::Finished))
                | ("failed", Some(Outcome::Failed { .. } | Outcome::TimedOut))
                | ("timed_out", Some(Outcome::TimedOut))
                | ("cancelled", Some(Outcome::Cancelled { .. }))
        )
    };
    for state in ["open", "finished", "failed", "timed_out", "cancelled"] {
        for (user, application, since) in [
            (None, None, None),
            (Some("bob"), None, None),
            (None, Some("app1"), Some(at(5))),
            (None, None, Some(at(7))),
        ] {
            let mut query = Query {
                state: Some(state.to_owned()),
                user: user.map(str::to_owned),
                application: application.map(str::to_owned),
                since,
                ..Query::default()
            };
            let expected = wanted(|row: &Record| {
                is(state, row)
                    && user.is_none_or(|user| row.user == user)
                    && application.is_none_or(|application| row.application == application)
                    && since.is_none_or(|since| row.submitted_at >= since)
            });
            let found = store.find(&deployment(), &query).await.unwrap();
            let found: Vec<ExecutionId> = found.iter().map(|row| row.id).collect();
            assert_eq!(found, expected, "{query:?}");
            // Page by page the same.
            let mut pages = Vec::new();
            query.limit = Some(3);
            loop {
                let page = store.find(&deployment(), &query).await.unwrap();
                let Some(last) = page.last() else {
                    break;
                };
                query.after = Some((last.submitted_at, last.id));
                pages.extend(page.iter().map(|row| row.id));
            }
            assert_eq!(pages, expected, "{query:?}");
        }
    }
}

async fn what_ran_at_a_time(site: Site) {
    let store = filled(&site).await;
    for second in [0, 10, 11, 25, 40, 60, 1000] {
        let then = at(second);
        let query = Query {
            at: Some(then),
            ..Query::default()
        };
        let found = store.find(&deployment(), &query).await.unwrap();
        let found: Vec<ExecutionId> = found.iter().map(|row| row.id).collect();
        let ran = |row: &Record| {
            row.started_at.is_some_and(|started| started <= then)
                && row.end.as_ref().is_some_and(|(ended, _)| *ended > then)
        };
        assert_eq!(found, wanted(ran), "{second}");
    }
}

async fn sums_are_those_of_the_rows(site: Site) {
    let store = filled(&site).await;
    for by in [SumBy::User, SumBy::Application] {
        for state in [None, Some("failed".to_owned())] {
            let query = Query {
                state,
                since: Some(at(3)),
                // It counts for nothing.
                limit: Some(1),
                ..Query::default()
            };
            let all = Query {
                over: true,
                limit: None,
                ..query.clone()
            };
            let sums = store.sums(&deployment(), &query, by).await.unwrap();
            let rows = store.find(&deployment(), &all).await.unwrap();
            assert_eq!(sums, search::add_up(&rows, by), "{query:?}");
            assert!(sums.iter().all(|sum| sum.core_time > 0 && sum.failed > 0));
        }
    }
    // More than a sum of bytes could hold.
    let huge = Record {
        user: "huge".to_owned(),
        started_at: Some(at(0)),
        end: Some((at(86_400 * 365), Outcome::Finished)),
        allocated: Some(Resources {
            cores: Cores::from_millis(1_000_000),
            memory: Bytes::new(64 << 40),
        }),
        ..record(1000)
    };
    store.record(&deployment(), &huge).await.unwrap();
    let query = Query {
        user: Some("huge".to_owned()),
        ..Query::default()
    };
    let sums = store
        .sums(&deployment(), &query, SumBy::User)
        .await
        .unwrap();
    let year = 86_400_000 * 365;
    assert_eq!(
        sums,
        [Sum {
            key: "huge".to_owned(),
            executions: 1,
            failed: 0,
            core_time: 1_000_000 * year,
            memory_time: (64 << 20) * year,
        }]
    );
    // And what no number can hold: that is no reason to tell nothing of the others.
    for number in [1001, 1002] {
        let absurd = Record {
            user: "absurd".to_owned(),
            allocated: Some(Resources {
                cores: Cores::from_millis(u64::MAX),
                memory: Bytes::new(u64::MAX),
            }),
            id: record(number).id,
            ..huge.clone()
        };
        store.record(&deployment(), &absurd).await.unwrap();
    }
    let all = store
        .sums(&deployment(), &Query::default(), SumBy::User)
        .await
        .unwrap();
    assert_eq!(all[0].key, "absurd");
    assert_eq!(all[0].core_time, i64::MAX.unsigned_abs());
    assert!(
        all.iter()
            .any(|sum| sum.key == "huge" && sum.core_time == 1_000_000 * year)
    );
    let asked = UsageQuery {
        now: at(86_400 * 365),
        since: at(0),
        half_life: SignedDuration::from_hours(24),
    };
    let usage = store.usage(&deployment(), &asked).await.unwrap();
    assert!(usage["absurd"].used > usage["huge"].used, "{usage:?}");
    let nobody = Query {
        user: Some("nobody".to_owned()),
        ..Query::default()
    };
    let sums = store.sums(&deployment(), &nobody, SumBy::User).await;
    assert_eq!(sums.unwrap(), []);
}

async fn a_beginning_is_found_whatever_it_has(site: Site) {
    let store = site.open().await;
    let names = ["job", "job-1", "job_", "job%", "jo", "JOB", "jobé", ""];
    for (n, name) in (0..).zip(names) {
        let one = Record {
            name: name.to_owned(),
            ..record(n)
        };
        store.record(&deployment(), &one).await.unwrap();
    }
    for (prefix, expected) in [
        ("job", 5),
        ("job-", 1),
        ("jo", 6),
        ("", 8),
        ("job%", 1),
        ("x", 0),
    ] {
        let query = Query {
            name_prefix: Some(prefix.to_owned()),
            ..Query::default()
        };
        let found = store.find(&deployment(), &query).await.unwrap();
        assert_eq!(found.len(), expected, "{prefix:?}: {found:?}");
        assert!(found.iter().all(|row| row.name.starts_with(prefix)));
    }
}
