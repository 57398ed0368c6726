//! Docker goes away under somebody who waits, and comes back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use zoe::engine::faulty::Faulty;
use zoe::engine::gate::Gate;
use zoe::engine::{EngineError, Scope};
use zoe::logs::Archive;
use zoe::model::ExecutionId;
use zoe::ops::logs::{self, LogOptions};
use zoe::ops::outage::bear;
use zoe::ops::submit::launch::{self, Common};
use zoe::ops::submit::{self, Accepted};
use zoe::ops::wait::{self, Until, Waited};
use zoe::ops::{ErrorKind, News, OpenStore, Report, Silent, World, attach, list, reconcile};
use zoe::store::{Store, StoreError};

use crate::lab::{Collected, Lab, application, lab, nothing_left, submitted};

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
        tail,
        ..LogOptions::default()
    };
    followed_as(lab, id, &options).await
}

async fn followed_as(lab: &Lab, id: ExecutionId, options: &LogOptions) -> String {
    let options = LogOptions {
        follow: true,
        ..options.clone()
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

/// What was not asked for does not come when a log is read on either, whichever output it was written to.
#[tokio::test]
async fn a_log_that_goes_on_has_no_more_than_was_asked_for() {
    for by_time in [true, false] {
        let (lab, docker) = faulty();
        let job = [(
            "main",
            r#"["error", "early", "wait", "300ms", "print", "one", "wait", "2s"]"#,
        )];
        let id = submitted(&lab, &job, Common::default()).await.id();
        let mut since = None;
        lab.until("both are said", async |lab: &Lab| {
            let options = LogOptions::default();
            let Ok(logs) = logs::logs(&lab.context, id.as_str(), &options, &Silent).await else {
                return false;
            };
            let pieces: Vec<_> = logs.pieces.collect().await;
            let at = pieces.get(1).map(|piece| piece.chunk.as_ref().unwrap().at);
            since = at;
            at.is_some()
        })
        .await;
        let options = LogOptions {
            since: since.filter(|_| by_time),
            tail: (!by_time).then_some(1),
            ..LogOptions::default()
        };
        docker.cut_the_next_log();
        let said = followed_as(&lab, id, &options).await;
        assert_eq!(said, "one\n", "{options:?}");
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

/// A history that can't be had the next so many times.
struct Away {
    inner: Arc<dyn OpenStore>,
    left: AtomicUsize,
}

#[async_trait]
impl OpenStore for Away {
    async fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match left {
            Err(_) => self.inner.open().await,
            Ok(_) => Err(StoreError::Open {
                place: "mysql://db".to_owned(),
                why: "connection refused".to_owned(),
            }),
        }
    }
}

/// The lab, its history behind something that can be away.
fn forgetful() -> (Lab, Arc<Away>) {
    let mut lab = lab();
    let away = Arc::new(Away {
        inner: lab.context.history.clone(),
        left: AtomicUsize::new(0),
    });
    lab.context.history = away.clone();
    (lab, away)
}

#[tokio::test]
async fn whoever_stays_with_a_job_bears_that_the_history_is_away_when_it_ends() {
    let (lab, history) = forgetful();
    let job = [(
        "main",
        r#"["print", "hello", "exit", "3", "after", "300ms"]"#,
    )];
    let id = submitted(&lab, &job, Common::default()).await.id();
    lab.pass().await;
    history.left.store(3, Ordering::SeqCst);
    let warnings = Warnings::default();
    let mut output = Collected::default();
    let outcome = attach::attach(&lab.context, id, &mut output, &warnings).await;
    assert_eq!(outcome.unwrap().exit_code(), 3);
    assert_eq!(String::from_utf8(output.0).unwrap(), "hello\n");
    assert_eq!(history.left.load(Ordering::SeqCst), 0, "it was away");
    let told = warnings.0.into_inner().unwrap();
    assert_eq!(told.len(), 3, "each thing is told once: {told:?}");
    assert!(
        told[0].ends_with("connection refused; nothing is started without it"),
        "{told:?}"
    );
    assert!(
        told[1].contains(&format!("{id} is waited for, and the database asked again")),
        "{told:?}"
    );
    assert_eq!(told[2], "the database answers again");
    nothing_left(&lab).await;
    // How it ended is asked again as well.
    history.left.store(2, Ordering::SeqCst);
    let waited = wait::wait_for(&lab.context, id, Until::Ended, None, &Silent).await;
    let Waited::Ended(outcome) = waited.unwrap() else {
        panic!("it is over");
    };
    assert_eq!(outcome.exit_code(), 3);
}

#[tokio::test]
async fn a_history_that_stays_away_is_given_up_with_what_to_do() {
    let (lab, history) = forgetful();
    let job = [("main", r#"["exit", "3"]"#)];
    let id = submitted(&lab, &job, Common::default()).await.id();
    lab.pass().await;
    history.left.store(usize::MAX, Ordering::SeqCst);
    lab.stop_clock();
    let later = async {
        loop {
            lab.later(100);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let error = tokio::select! {
        waited = wait::wait_for(&lab.context, id, Until::Ended, None, &Silent) => waited.unwrap_err(),
        () = later => return,
    };
    assert_eq!(error.kind, ErrorKind::Database);
    let hint = error.hint.unwrap();
    assert!(
        hint.contains("once the database answers, `zoe wait "),
        "{hint}"
    );
}

#[tokio::test]
async fn logs_that_were_kept_are_there_without_the_history() {
    let (lab, history) = forgetful();
    let job = [("main", r#"["print", "hello", "exit", "3"]"#)];
    let id = submitted(&lab, &job, Common::default()).await.id();
    let ended = wait::wait_for(&lab.context, id, Until::Ended, None, &Silent).await;
    assert!(matches!(ended.unwrap(), Waited::Ended(_)));
    history.left.store(usize::MAX, Ordering::SeqCst);
    let warnings = Warnings::default();
    let options = LogOptions::default();
    let kept = logs::logs(&lab.context, id.as_str(), &options, &warnings).await;
    let pieces: Vec<_> = kept.unwrap().pieces.collect().await;
    let said: Vec<u8> = pieces
        .into_iter()
        .flat_map(|piece| piece.chunk.unwrap().bytes.to_vec())
        .collect();
    assert_eq!(said, b"hello\n");
    let told = warnings.0.into_inner().unwrap();
    assert!(told[0].contains("that were kept"), "{told:?}");
    // Of another nothing is there, and who else is meant is not known.
    for text in ["zzzzzzzz", "hello"] {
        let error = logs::logs(&lab.context, text, &options, &Silent).await;
        assert_eq!(error.err().unwrap().kind, ErrorKind::Database, "{text}");
    }
}

/// Whose pauses take no time.
struct Hasty(Arc<dyn World>);

impl World for Hasty {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.0.random(bytes);
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }
}

fn hasty() -> (Lab, Arc<Faulty>) {
    let (mut lab, docker) = faulty();
    lab.context.world = Arc::new(Hasty(lab.context.world.clone()));
    (lab, docker)
}

#[tokio::test]
async fn a_submission_bears_that_docker_is_away_for_a_while() {
    let (lab, docker) = hasty();
    silent(&docker, 7);
    let warnings = Warnings::default();
    let job = application(&[("main", r#"["run"]"#)], "0.5");
    let submission = launch::application(job, Common::default()).unwrap();
    let accepted = submit::submit(&lab.context, &submission, &warnings).await;
    let id = accepted.unwrap().id();
    silent(&docker, 3);
    let pass = async || reconcile::pass_for(&lab.context, id, &Silent).await;
    bear(&lab.context, &warnings, pass).await.unwrap();
    assert_eq!(lab.running(id).await.len(), 1);
    let told = warnings.0.into_inner().unwrap();
    assert_eq!(told.len(), 4, "each thing is told once: {told:?}");
    assert!(told[0].contains("asked again for a minute"), "{told:?}");
    assert_eq!(told[3], "Docker answers again");
}

/// Nothing is submitted twice, and nothing is said to have failed that was done.
#[tokio::test]
async fn a_ticket_whose_answer_was_lost_is_the_one_that_there_is() {
    for key in [None, Some("nightly")] {
        for name in [None, Some("nightly")] {
            // The first effect makes sure of the image, the second sends the ticket.
            let mut lab = lab();
            let gate = Gate::parse("lost:2").unwrap();
            lab.context.backend = Arc::new(Faulty::new(lab.context.backend.clone(), gate));
            lab.context.world = Arc::new(Hasty(lab.context.world.clone()));
            let common = Common {
                key: key.map(str::to_owned),
                name: name.map(|name| name.parse().unwrap()),
                ..Common::default()
            };
            let job = application(&[("main", r#"["run"]"#)], "0.5");
            let submission = launch::application(job, common).unwrap();
            let accepted = submit::submit(&lab.context, &submission, &Silent).await;
            let Accepted::New(ticket) = accepted.unwrap() else {
                panic!("it is new");
            };
            let all = lab.context.backend.observe(Scope::Everything).await;
            let ids: Vec<ExecutionId> = all.unwrap().executions.into_keys().collect();
            assert_eq!(ids, [ticket.id], "{key:?} {name:?}");
            assert_eq!(lab.events(ticket.id, "submitted").await.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_docker_that_stays_away_is_given_up_with_what_to_do() {
    let (lab, docker) = hasty();
    silent(&docker, usize::MAX);
    let job = application(&[("main", r#"["run"]"#)], "0.5");
    let submission = launch::application(job, Common::default()).unwrap();
    let given_up = submit::submit(&lab.context, &submission, &Silent).await;
    assert_eq!(given_up.unwrap_err().kind, ErrorKind::Unreachable);
    // It goes away with the ticket.
    docker.observe_clearly();
    let gate = Gate::parse("lost:2").unwrap();
    let mut context = lab.context.clone();
    let inner = Arc::new(Faulty::new(docker, gate));
    let looked = AtomicUsize::new(0);
    inner.observe_through(Box::new(move |snapshot| {
        // Once at the door, once before the ticket is sent.
        if looked.fetch_add(1, Ordering::SeqCst) < 2 {
            return Ok(snapshot);
        }
        Err(EngineError::Unreachable {
            endpoint: "memory".to_owned(),
            why: "connection refused".to_owned(),
        })
    }));
    context.backend = inner;
    let error = submit::submit(&context, &submission, &Silent).await;
    let error = error.unwrap_err();
    assert!(error.message.contains("is not known"), "{error}");
    let hint = error.hint.unwrap();
    assert!(
        hint.contains("`zoe ps` lists") && hint.contains("`zoe wait "),
        "{hint}"
    );
}

/// One bad moment of Docker's costs nobody a log, and a log that can't be had keeps nothing for ever.
#[tokio::test]
async fn a_log_that_cannot_be_read_is_waited_for_a_while() {
    for comes_back in [true, false] {
        let (lab, docker) = faulty();
        let job = [("main", r#"["print", "hello", "run"]"#)];
        let id = submitted(&lab, &job, Common::default()).await.id();
        lab.pass().await;
        docker.refuse_logs(true);
        lab.ends(id);
        let asked = async || {
            let pass = reconcile::pass(&lab.context, &Silent).await.unwrap();
            let failures: Vec<String> = pass.failures.iter().map(|f| format!("{f:?}")).collect();
            failures.join(" ")
        };
        let deadline = Instant::now() + Duration::from_mins(3);
        let mut failures = asked().await;
        while failures.is_empty() {
            assert!(Instant::now() < deadline, "its end is not tried");
            tokio::time::sleep(Duration::from_millis(20)).await;
            failures = asked().await;
        }
        assert!(failures.contains("main-0 can't be read"), "{failures}");
        let told = lab.events(id, "log-unreadable").await;
        assert_eq!(told, ["main-0: reading a log failed: a server error"]);
        lab.stop_clock();
        lab.later(240);
        assert!(!asked().await.is_empty());
        assert!(lab.seen(id).await.is_some());
        assert_eq!(lab.events(id, "log-unreadable").await.len(), 1, "once");
        docker.refuse_logs(!comes_back);
        lab.later(120);
        assert_eq!(asked().await, "");
        nothing_left(&lab).await;
        docker.refuse_logs(false);
        let store = lab.context.history.open().await.unwrap();
        let record = store.get(&lab.context.settings.deployment, id).await;
        let archive = record.unwrap().unwrap().logs.unwrap();
        let archive = Archive::open(archive.as_ref()).unwrap();
        let log = &archive.manifest().instances[0];
        if comes_back {
            assert_eq!((log.lines, log.failed.as_deref()), (1, None));
        } else {
            let why = "reading a log failed: a server error";
            assert_eq!((log.lines, log.failed.as_deref()), (0, Some(why)));
        }
        // Whoever reads it is told that it is not all of it.
        let options = LogOptions::default();
        let read = logs::logs(&lab.context, id.as_str(), &options, &Silent).await;
        let pieces: Vec<_> = read.unwrap().pieces.collect().await;
        let [piece] = &pieces[..] else {
            panic!("{} pieces", pieces.len())
        };
        match &piece.chunk {
            Ok(chunk) => assert!(comes_back && &chunk.bytes[..] == b"hello\n"),
            Err(error) => assert_eq!(
                (comes_back, error.to_string().as_str()),
                (
                    false,
                    "when it was kept, reading a log failed: a server error"
                )
            ),
        }
    }
}

/// What is over needs no Docker: whoever knows its id sees how it ended and reads its logs.
#[tokio::test]
async fn what_is_over_is_shown_while_docker_is_away() {
    let (lab, docker) = faulty();
    let job = [("main", r#"["print", "hello", "run"]"#)];
    let ended = submitted(&lab, &job, Common::default()).await.id();
    let alive = submitted(&lab, &job, Common::default()).await.id();
    lab.pass().await;
    lab.ends(ended);
    lab.until("it is over", async |lab: &Lab| {
        lab.seen(ended).await.is_none()
    })
    .await;
    docker.observe_through(Box::new(|_| {
        Err(EngineError::Unreachable {
            endpoint: "memory".to_owned(),
            why: "connection refused".to_owned(),
        })
    }));
    let shown = list::show(&lab.context, ended.as_str()).await.unwrap();
    assert_eq!(shown.view.exit_code, Some(0));
    let options = LogOptions::default();
    let read = logs::logs(&lab.context, ended.as_str(), &options, &Silent).await;
    let pieces: Vec<_> = read.unwrap().pieces.collect().await;
    assert_eq!(&pieces[0].chunk.as_ref().unwrap().bytes[..], b"hello\n");
    for text in [alive.as_str(), "last"] {
        let error = list::show(&lab.context, text).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    }
}
