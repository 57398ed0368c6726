//! What is known of the use of executions: each column is written by who it belongs to, and what is decided is decided once.

use std::sync::Arc;

use zoe::idle::{Said, Sign, Verdict};
use zoe::store::{Activity, Kept, Look, Store, Warning};

use crate::{Site, at, deployment, id};

on_both! {
    a_look_comes_back_and_use_only_goes_forward
    there_is_one_warning_in_a_period
    what_is_kept_is_not_ended_and_what_is_ended_is_not_kept
    how_far_a_log_was_read_is_kept_by_its_place
}

pub fn look(n: u64, second: i64) -> Look {
    let said = |verdict| Said {
        verdict,
        at: Some(at(second)),
        text: "naïve 'x' \u{1b}[31m".to_owned(),
        count: Some("app-1:7".to_owned()),
    };
    Look {
        execution: id(n),
        used_at: at(second),
        used_by: Some(Sign::Jupyter),
        requested_at: Some(at(second)),
        checked_at: at(second + 1),
        said: vec![
            (Sign::Jupyter, said(Verdict::Idle)),
            (Sign::Spark, Said::unreadable("it answered 500")),
        ],
    }
}

async fn one(store: &dyn Store, n: u64) -> Activity {
    let mut found = store.activity_of(&deployment(), &[id(n)]).await.unwrap();
    found.remove(&id(n)).unwrap()
}

fn warning(period: i64) -> Warning {
    Warning {
        period: at(period),
        at: at(period + 10),
        ends_at: at(period + 60),
    }
}

fn kept(second: i64) -> Kept {
    Kept {
        until: at(second),
        by: "ada".to_owned(),
    }
}

async fn a_look_comes_back_and_use_only_goes_forward(site: Site) {
    let store = site.open().await;
    let deployment = deployment();
    store.looked(&deployment, &look(1, 100)).await.unwrap();
    let known = one(store.as_ref(), 1).await;
    assert_eq!(known.said, look(1, 100).said);
    assert_eq!(
        (known.used_at, known.used_by),
        (Some(at(100)), Some(Sign::Jupyter))
    );
    assert_eq!(
        (known.warned, known.kept, known.ending_at),
        (None, None, None)
    );
    // Somebody slower has seen less.
    let mut late = look(1, 90);
    late.requested_at = None;
    store.looked(&deployment, &late).await.unwrap();
    let known = one(store.as_ref(), 1).await;
    let times = (known.used_at, known.requested_at, known.checked_at);
    assert_eq!(times, (Some(at(100)), Some(at(100)), Some(at(101))));
    let other = "other".parse().unwrap();
    assert!(
        store
            .activity_of(&other, &[id(1)])
            .await
            .unwrap()
            .is_empty()
    );
    store.forget(&deployment, id(1)).await.unwrap();
    assert!(
        store
            .activity_of(&deployment, &[id(1), id(2)])
            .await
            .unwrap()
            .is_empty()
    );
}

async fn there_is_one_warning_in_a_period(site: Site) {
    let store = site.open().await;
    let deployment = deployment();
    let warn = async |period| {
        store
            .warned(&deployment, id(1), warning(period))
            .await
            .unwrap()
    };
    // Of something that nobody has looked at nothing is decided.
    assert!(!warn(0).await);
    store.looked(&deployment, &look(1, 0)).await.unwrap();
    assert!(warn(0).await && !warn(0).await);
    assert_eq!(one(store.as_ref(), 1).await.warned, Some(warning(0)));
    assert!(warn(50).await && !warn(50).await);
    // Of many who warn at once one does.
    let mut all = Vec::new();
    for _ in 0..8 {
        let (store, deployment) = (Arc::clone(&store), deployment.clone());
        all.push(tokio::spawn(async move {
            store.warned(&deployment, id(1), warning(99)).await.unwrap()
        }));
    }
    let mut times = 0;
    for one in all {
        times += usize::from(one.await.unwrap());
    }
    assert_eq!(times, 1);
}

async fn what_is_kept_is_not_ended_and_what_is_ended_is_not_kept(site: Site) {
    let store = site.open().await;
    let deployment = deployment();
    let keep = async |wish: Option<&Kept>, now| {
        store.keep(&deployment, id(1), wish, at(now)).await.unwrap()
    };
    let end = async |period, now| {
        let ended = store.end_idle(&deployment, id(1), at(period), at(now));
        ended.await.unwrap()
    };
    assert!(!end(0, 100).await);
    // Also before anybody has looked at it.
    assert!(keep(Some(&kept(200)), 0).await);
    store.looked(&deployment, &look(1, 50)).await.unwrap();
    assert_eq!(one(store.as_ref(), 1).await.kept, Some(kept(200)));
    assert!(!end(50, 199).await, "it is kept");
    assert!(!end(40, 200).await, "it was used meanwhile");
    assert!(keep(None, 150).await);
    assert!(end(50, 150).await && !end(50, 151).await, "one ends it");
    assert!(!keep(Some(&kept(500)), 160).await, "it is being ended");
    // Who was to do it is dead.
    assert!(keep(Some(&kept(500)), 211).await);
    assert!(!end(50, 300).await);
    assert!(end(50, 501).await);
}

async fn how_far_a_log_was_read_is_kept_by_its_place(site: Site) {
    let store = site.open().await;
    let deployment = deployment();
    let long = format!("host:/var/log/{} /zoe", "x".repeat(5000));
    assert_eq!(store.position(&deployment, &long).await.unwrap(), None);
    for position in ["1:2:3", "1:2:4"] {
        let set = store.set_position(&deployment, &long, position).await;
        set.unwrap();
        let found = store.position(&deployment, &long).await.unwrap();
        assert_eq!(found.as_deref(), Some(position));
    }
    assert_eq!(
        store.position(&deployment, "host:/var/log").await.unwrap(),
        None
    );
}
