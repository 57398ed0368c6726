//! What is written comes back, in whatever order it was written.

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use zoe::model::{Deployment, ExecutionId, Limits, Outcome};
use zoe::store::{Event, Lease, Query, Record, Role, Used, User};

use crate::{Site, at, deployment, id, record};

on_both! {
    the_first_end_stays_whatever_comes_later
    hostile_text_comes_back_as_it_was
    queries_filter_newest_first
    events_are_kept_once_and_told_in_order_and_forgotten
    spaces_and_capitals_make_a_difference
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
        allocated: whole.allocated.filter(|_| knows(6) || knows(5)),
        terms: whole.terms.clone().filter(|_| knows(4)),
        used: whole.used.filter(|_| knows(3)),
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

#[test]
fn any_order_and_number_of_partial_writes_gives_the_same_row_on_sqlite() {
    any_order_and_number_of_partial_writes_gives_the_same_row(&Site::sqlite());
}

#[test]
fn any_order_and_number_of_partial_writes_gives_the_same_row_on_mariadb() {
    any_order_and_number_of_partial_writes_gives_the_same_row(&Site::mariadb());
}

fn any_order_and_number_of_partial_writes_gives_the_same_row(site: &Site) {
    let cases = (
        outcomes(),
        "\\PC{1,20}",
        proptest::option::of(any::<String>()),
        proptest::collection::vec(any::<u8>(), 1..12),
    );
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 32,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let done = runner.run(&cases, |(outcome, text, key, writes)| {
        let whole = Record {
            name: text.clone(),
            description: format!("{{{text}}}"),
            key,
            started_at: Some(at(5)),
            end: Some((at(9), outcome)),
            logs: Some("/history/x.zip".to_owned()),
            used: Some(Used {
                core_time: 1 << 40,
                memory_time: 1 << 41,
                run_time: 1 << 30,
                counted_until: at(5),
            }),
            ..record(1)
        };
        let known = writes.iter().fold(0, |all, known| all | known);
        let site = site.another();
        let found = block_on(async {
            let store = site.open().await;
            for known in &writes {
                store
                    .record(&deployment(), &partial(&whole, *known))
                    .await
                    .unwrap();
            }
            store.get(&deployment(), whole.id).await.unwrap()
        });
        prop_assert_eq!(found, Some(partial(&whole, known)));
        Ok(())
    });
    done.unwrap();
}

async fn the_first_end_stays_whatever_comes_later(site: Site) {
    let store = site.open().await;
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

async fn hostile_text_comes_back_as_it_was(site: Site) {
    let store = site.open().await;
    for (n, text) in hostile().into_iter().enumerate() {
        let whole = Record {
            name: text.clone(),
            // Names of users are part of indexes, which hold no more.
            user: text.chars().take(255).collect(),
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
            user: Some(whole.user.clone()),
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

async fn queries_filter_newest_first(site: Site) {
    let store = site.open().await;
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

    let text = |text: &str| Some(text.to_owned());
    let all = Query::default;
    #[rustfmt::skip]
    let cases: Vec<(Query, &[u64])> = vec![
        (all(), &[4, 3, 2, 1, 0]),
        (Query { user: text("ada"), ..all() }, &[1, 0]),
        (Query { application: text("spark"), ..all() }, &[]),
        (Query { name: text("job-3"), ..all() }, &[3]),
        (Query { state: text("open"), ..all() }, &[0]),
        (Query { state: text("finished"), ..all() }, &[1]),
        (Query { state: text("failed"), ..all() }, &[3, 2]),
        (Query { state: text("timed_out"), ..all() }, &[2]),
        (Query { state: text("cancelled"), ..all() }, &[4]),
        (Query { since: Some(at(1)), until: Some(at(3)), ..all() }, &[2, 1]),
        (Query { user: text("bob"), limit: Some(2), ..all() }, &[4, 3]),
        (Query { id_prefix: text(id(3).as_str()), ..all() }, &[3]),
        (Query { name_prefix: text("job-"), limit: Some(2), ..all() }, &[4, 3]),
        (Query { name_prefix: text("job-3"), ..all() }, &[3]),
        (Query { name_prefix: text("ob-3"), ..all() }, &[]),
        (Query { id_prefix: text(&id(3).as_str()[..1]), ..all() }, &[3]),
        (Query { id_prefix: text("d_"), ..all() }, &[]),
    ];
    for (query, expected) in cases {
        let found = store.find(&deployment(), &query).await.unwrap();
        let found: Vec<ExecutionId> = found.iter().map(|r| r.id).collect();
        let expected: Vec<ExecutionId> = expected.iter().map(|n| id(*n)).collect();
        assert_eq!(found, expected, "{query:?}");
    }
    let unknown = Query {
        state: text("exploded"),
        ..all()
    };
    let error = store.find(&deployment(), &unknown).await.unwrap_err();
    insta::assert_snapshot!(error, @"the database failed to find executions: 'exploded' is no state; there are open, finished, failed, timed_out and cancelled");
}

async fn events_are_kept_once_and_told_in_order_and_forgotten(site: Site) {
    let store = site.open().await;
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
    // As many as one likes at once, more than one statement can hold too.
    let many: Vec<_> = (0..1300).map(id).collect();
    let of_many = store.events_of(&deployment(), &many).await.unwrap();
    assert_eq!(
        of_many.into_iter().collect::<Vec<_>>(),
        [(id(1), told.to_vec())]
    );
    let all = store.get_all(&deployment(), &many).await.unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), [&id(1)]);
    let none = store.events_of(&deployment(), &[]).await.unwrap();
    assert!(none.is_empty());
    store.forget(&deployment(), id(1)).await.unwrap();
    store.forget(&deployment(), id(1)).await.unwrap();
    assert_eq!(store.events(&deployment(), id(1)).await.unwrap(), []);
    assert_eq!(store.get(&deployment(), id(1)).await.unwrap(), None);
}

/// Texts are compared byte by byte everywhere.
async fn spaces_and_capitals_make_a_difference(site: Site) {
    let store = site.open().await;
    let texts = ["a", "a ", "A", "á", "a\u{301}"];
    for (n, text) in (0..).zip(texts) {
        let one = Record {
            name: text.to_owned(),
            user: text.to_owned(),
            ..record(n)
        };
        store.record(&deployment(), &one).await.unwrap();
        let event = Event {
            execution: id(1),
            at: at(1),
            kind: text.to_owned(),
            detail: String::new(),
        };
        store.event(&deployment(), &event).await.unwrap();
        let user = User {
            name: text.to_owned(),
            mail: None,
            mail_on: None,
            role: Role::User,
            limits: Limits::default(),
        };
        store.enter(&deployment(), &user).await.unwrap();
    }
    for text in texts {
        let query = Query {
            name: Some(text.to_owned()),
            user: Some(text.to_owned()),
            ..Query::default()
        };
        let found = store.find(&deployment(), &query).await.unwrap();
        assert_eq!(found.len(), 1, "{text:?}");
    }
    let events = store.events(&deployment(), id(1)).await.unwrap();
    assert_eq!(events.len(), texts.len());
    let users = store.users(&deployment()).await.unwrap();
    let mut sorted = texts;
    sorted.sort_unstable();
    assert_eq!(
        users
            .iter()
            .map(|user| user.name.as_str())
            .collect::<Vec<_>>(),
        sorted
    );
}
