//! What ran at a time, of what is in Docker still.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use zoe::engine::faulty::Faulty;
use zoe::engine::gate::Gate;
use zoe::model::{ExecutionId, Gap};
use zoe::ops::kill::{self, Selection};
use zoe::ops::submit::launch::Common;
use zoe::ops::{Silent, history};
use zoe::store::Query;

use crate::lab::{Lab, lab, submitted};

const RUNS: &str = "[\"print\", \"here\", \"run\"]";

/// The executions that ran then, and what is told beside them.
async fn ran(lab: &Lab, then: Timestamp) -> (Vec<ExecutionId>, Option<String>) {
    let query = Query {
        over: true,
        ..Query::default()
    };
    let (views, silent) = history::at(&lab.context, &query, then).await.unwrap();
    let ids = views.iter().map(|view| view.id).collect();
    (ids, silent.map(|error| error.to_string()))
}

/// A moment that is after all that was and before all that will be, as milliseconds count.
async fn moment(lab: &Lab) -> Timestamp {
    let begun = lab.context.now();
    while lab.context.now() == begun {
        tokio::task::yield_now().await;
    }
    let then = lab.context.now();
    while lab.context.now() == then {
        tokio::task::yield_now().await;
    }
    then
}

#[tokio::test]
async fn what_has_ended_and_is_not_cleared_away_is_over() {
    let lab = lab();
    let ends = "[\"exit\", \"0\", \"after\", \"2s\"]";
    let accepted = submitted(&lab, &[("main", ends)], Common::default()).await;
    let id = accepted.id();
    lab.pass().await;
    let after = loop {
        let seen = lab.seen(id).await.unwrap();
        if let Some(exited) = seen.decisive_exit() {
            break exited.finished_at.unwrap();
        }
        tokio::task::yield_now().await;
    };
    let before = after - SignedDuration::from_millis(1);
    assert_eq!(ran(&lab, before).await, (vec![id], None));
    assert_eq!(ran(&lab, after).await, (vec![], None));
    lab.pass().await;
    assert!(lab.seen(id).await.is_none());
    assert_eq!(ran(&lab, before).await, (vec![id], None));
    assert_eq!(ran(&lab, after).await, (vec![], None));
}

#[tokio::test]
async fn what_ends_while_it_is_looked_for_is_not_missed() {
    let mut lab = lab();
    let id = submitted(&lab, &[("main", RUNS)], Common::default())
        .await
        .id();
    lab.pass().await;
    let then = moment(&lab).await;
    let inner = lab.context.clone();
    let faulty = Faulty::new(lab.context.backend.clone(), Gate::open());
    // It is gone just before Docker is looked at.
    faulty.observe_through(Box::new(move |mut snapshot| {
        let inner = inner.clone();
        let end = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime
                .block_on(kill::kill(&inner, &Selection::All, &Silent))
                .unwrap();
        });
        end.join().unwrap();
        snapshot.executions.clear();
        Ok(snapshot)
    }));
    lab.context.backend = Arc::new(faulty);
    assert_eq!(ran(&lab, then).await, (vec![id], None));
}

#[tokio::test]
async fn what_could_not_be_seen_is_told() {
    let mut lab = lab();
    let id = submitted(&lab, &[("main", RUNS)], Common::default())
        .await
        .id();
    lab.pass().await;
    let then = moment(&lab).await;
    let faulty = Faulty::new(lab.context.backend.clone(), Gate::open());
    faulty.observe_through(Box::new(|mut snapshot| {
        snapshot.gaps.push(Gap {
            what: "node n7".to_owned(),
            error: "it is silent".to_owned(),
            node: Some("n7".to_owned()),
        });
        Ok(snapshot)
    }));
    lab.context.backend = Arc::new(faulty);
    let told = Some("node n7: it is silent".to_owned());
    assert_eq!(ran(&lab, then).await, (vec![id], told));
}
