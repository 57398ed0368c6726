//! What has ended says the same as before its end: the same lines in the same order, whatever part is asked for.

use std::sync::Arc;

use futures_util::StreamExt;
use zoe::engine::faulty::Faulty;
use zoe::engine::gate::Gate;
use zoe::model::ExecutionId;
use zoe::ops::Silent;
use zoe::ops::kill::{self, Selection};
use zoe::ops::logs::{self, LogOptions};
use zoe::ops::submit::launch::Common;

use crate::lab::{Lab, lab, submitted};

/// A piece as it is handed out: whose, when, where to, what, and whether it goes on a line.
type Said = (String, jiff::Timestamp, bool, Vec<u8>, bool);

async fn said(lab: &Lab, id: ExecutionId, options: &LogOptions) -> (bool, Vec<Said>) {
    let logs = logs::logs(&lab.context, id.as_str(), options, &Silent).await;
    let mut logs = logs.unwrap();
    let mut all = Vec::new();
    while let Some(piece) = logs.pieces.next().await {
        let chunk = piece.chunk.unwrap();
        all.push((
            format!("{}-{}", piece.instance.component, piece.instance.index),
            chunk.at,
            chunk.output == zoe::engine::Output::Stderr,
            chunk.bytes.to_vec(),
            piece.continues,
        ));
    }
    (logs.several, all)
}

#[tokio::test]
async fn after_the_end_logs_are_what_they_were_before_it() {
    let lab = lab();
    let job = [
        (
            "main",
            r#"["print", "one", "wait", "20ms", "error", "two", "wait", "30ms", "print", "three", "run"]"#,
        ),
        (
            "side",
            r#"["wait", "10ms", "print", "a", "wait", "30ms", "print", "b", "run"]"#,
        ),
    ];
    let id = submitted(&lab, &job, Common::default()).await.id();
    lab.pass().await;
    let everything = LogOptions {
        all: true,
        ..LogOptions::default()
    };
    lab.until("all is said", async |lab: &Lab| {
        said(lab, id, &everything).await.1.len() == 5
    })
    .await;
    let (_, whole) = said(&lab, id, &everything).await;
    let mut asked = vec![LogOptions::default(), everything.clone()];
    for component in ["main", "side", "side-0"] {
        asked.push(LogOptions {
            component: Some(component.to_owned()),
            ..LogOptions::default()
        });
    }
    for (_, at, ..) in &whole {
        asked.push(LogOptions {
            since: Some(*at),
            ..everything.clone()
        });
    }
    for tail in 0..4 {
        let of_all = LogOptions {
            tail: Some(tail),
            ..everything.clone()
        };
        asked.push(LogOptions {
            since: whole.get(2).map(|(_, at, ..)| *at),
            ..of_all.clone()
        });
        asked.push(of_all);
    }
    let mut before = Vec::new();
    for options in &asked {
        before.push(said(&lab, id, options).await);
    }
    let selection = Selection::Named(vec![id.to_string()]);
    kill::kill(&lab.context, &selection, &Silent).await.unwrap();
    for (options, before) in asked.iter().zip(before) {
        assert_eq!(said(&lab, id, options).await, before, "{options:?}");
    }
}

/// Its members are gone, and its ticket is not yet.
#[tokio::test]
async fn while_it_is_torn_down_its_archive_says_it_all() {
    let mut lab = lab();
    let job = [
        ("main", r#"["print", "one", "run"]"#),
        ("side", r#"["print", "two", "run"]"#),
    ];
    let id = submitted(&lab, &job, Common::default()).await.id();
    lab.pass().await;
    let everything = LogOptions {
        all: true,
        ..LogOptions::default()
    };
    lab.until("all is said", async |lab: &Lab| {
        said(lab, id, &everything).await.1.len() == 2
    })
    .await;
    let whole = said(&lab, id, &everything).await;
    // It is marked (twice, by who kills and by who ends), stopped, and its members are removed; its ticket is not.
    let gate = Gate::parse("fail:5").unwrap();
    let docker = lab.context.backend.clone();
    lab.context.backend = Arc::new(Faulty::new(docker, gate));
    let selection = Selection::Named(vec![id.to_string()]);
    let killed = kill::kill(&lab.context, &selection, &Silent).await;
    let seen = lab.seen(id).await.unwrap();
    assert!(seen.instances.is_empty(), "{killed:?} {seen:?}");
    for follow in [false, true] {
        let options = LogOptions {
            follow,
            ..everything.clone()
        };
        assert_eq!(said(&lab, id, &options).await, whole);
    }
    lab.pass().await;
    assert_eq!(said(&lab, id, &everything).await, whole);
}
