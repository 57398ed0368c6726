//! Docker goes away under somebody who waits, and comes back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use zoe::engine::EngineError;
use zoe::engine::faulty::Faulty;
use zoe::engine::gate::Gate;
use zoe::model::ExecutionId;
use zoe::ops::launch::Common;
use zoe::ops::logs::{self, LogOptions};
use zoe::ops::wait::{self, Until};
use zoe::ops::{ErrorKind, News, Report, Silent, attach};

use crate::lab::{Collected, Lab, lab, nothing_left, submitted};

/// Keeps the warnings.
#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);

impl Report for Warnings {
    fn tell(&self, news: News) {
        if let News::Warning(text) = news {
            self.0.lock().unwrap().push(text);
        }
    }
}

/// The lab, its Docker behind something that can go wrong.
fn faulty() -> (Lab, Arc<Faulty>) {
    let mut lab = lab();
    let faulty = Arc::new(Faulty::new(lab.context.backend.clone(), Gate::open()));
    lab.context.backend = faulty.clone();
    (lab, faulty)
}

/// Docker does not answer the next so many questions.
fn silent(faulty: &Faulty, answers: usize) {
    let left = AtomicUsize::new(answers);
    faulty.observe_through(Box::new(move |snapshot| {
        let left = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match left {
            Err(_) => Ok(snapshot),
            Ok(_) => Err(EngineError::Unreachable {
                endpoint: "memory".to_owned(),
                why: "connection refused".to_owned(),
            }),
        }
    }));
}

#[tokio::test]
async fn whoever_stays_with_a_job_bears_that_docker_is_away_for_a_while() {
    let (lab, docker) = faulty();
    let job = [("main", r#"["exit", "3", "after", "300ms"]"#)];
    let id = submitted(&lab, &job, Common::default()).await.id();
    silent(&docker, 2);
    let warnings = Warnings::default();
    let outcome = attach::attach(&lab.context, id, &mut Collected::default(), &warnings).await;
    assert_eq!(outcome.unwrap().exit_code(), 3);
    let told = warnings.0.into_inner().unwrap();
    assert_eq!(told.len(), 2, "each thing is told once: {told:?}");
    assert!(
        told[0].contains("connection refused") && told[0].contains(id.as_str()),
        "{told:?}"
    );
    assert_eq!(told[1], "Docker answers again");
    nothing_left(&lab).await;
}

#[tokio::test]
async fn output_that_breaks_off_goes_on_where_it_was_and_nothing_comes_twice() {
    let (lab, docker) = faulty();
    let job = [("main", r#"["print", "hello"]"#)];
    let id = submitted(&lab, &job, Common::default()).await.id();
    docker.cut_the_next_log();
    let mut output = Collected::default();
    attach::attach(&lab.context, id, &mut output, &Silent)
        .await
        .unwrap();
    assert_eq!(
        String::from_utf8(output.0)
            .unwrap()
            .matches("hello")
            .count(),
        1
    );
}

/// What `zoe logs -f` does.
async fn followed(lab: &Lab, id: ExecutionId, tail: Option<u64>) -> String {
    let options = LogOptions {
        follow: true,
        tail,
        ..LogOptions::default()
    };
    let mut logs = logs::logs(&lab.context, id.as_str(), &options, &Silent)
        .await
        .unwrap();
    let mut said = Vec::new();
    let read = async {
        while let Some(piece) = logs.pieces.next().await {
            said.extend_from_slice(&piece.chunk.unwrap().bytes);
        }
    };
    logs::while_alive(&lab.context, id, &Silent, read)
        .await
        .unwrap();
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn a_log_that_is_followed_goes_on_when_docker_is_back() {
    for (answers, tail) in [(0, None), (3, None), (3, Some(5))] {
        let (lab, docker) = faulty();
        let job = [(
            "main",
            r#"["print", "one", "error", "two", "wait", "200ms", "print", "three", "wait", "1500ms", "print", "four"]"#,
        )];
        let id = submitted(&lab, &job, Common::default()).await.id();
        lab.pass().await;
        docker.cut_the_next_log();
        let follows = followed(&lab, id, tail);
        let away = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            silent(&docker, answers);
        };
        let (said, ()) = futures_util::join!(follows, away);
        // Each of them once; those of a time come in any order.
        let mut lines: Vec<&str> = said.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["four", "one", "three", "two"], "{answers} {tail:?}");
        nothing_left(&lab).await;
    }
}

#[tokio::test]
async fn time_runs_out_though_docker_is_away() {
    let (lab, docker) = faulty();
    let id = submitted(&lab, &[("main", r#"["run"]"#)], Common::default())
        .await
        .id();
    silent(&docker, usize::MAX);
    let deadline = Timestamp::now() + SignedDuration::from_millis(200);
    let waited = wait::wait_for(&lab.context, id, Until::Ended, Some(deadline), &Silent).await;
    assert_eq!(waited.unwrap_err().kind, ErrorKind::TimedOut);
}
