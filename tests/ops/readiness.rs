//! Starts that never come to be ready: undone by anybody's pass, tried again and at last given up; and what was ready once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use zoe::apps::{self, Format};
use zoe::model::{ExecutionId, Outcome, Phase};
use zoe::ops::ready::Reply;
use zoe::ops::reconcile::turns::Turns;
use zoe::ops::submit::launch::{self, Common};
use zoe::ops::wait::{self, Until, Waited};
use zoe::ops::{Silent, World, logs, submit};
use zoe::store::Event;

use crate::lab::{Lab, lab, nothing_left};

const SILENT: u8 = 0;
const ANSWERS: u8 = 1;
const OUT_OF_REACH: u8 = 2;

/// A world in which what is asked answers, or not.
struct Web {
    inner: Arc<dyn World>,
    says: Arc<AtomicU8>,
    asked: Arc<AtomicUsize>,
}

impl World for Web {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.inner.random(bytes);
    }

    fn ask(&self, _: SocketAddr, _: &str, _: Duration) -> BoxFuture<'static, Reply> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let reply = match self.says.load(Ordering::SeqCst) {
            SILENT => Reply::Nothing,
            ANSWERS => Reply::Said(b"ok".to_vec()),
            _ => Reply::OutOfReach,
        };
        std::future::ready(reply).boxed()
    }
}

struct Place {
    lab: Lab,
    says: Arc<AtomicU8>,
    asked: Arc<AtomicUsize>,
    id: ExecutionId,
}

/// Something with a web interface runs, for which nobody waits.
async fn place(says: u8) -> Place {
    let mut lab = lab();
    let says = Arc::new(AtomicU8::new(says));
    let asked = Arc::new(AtomicUsize::new(0));
    lab.context.world = Arc::new(Web {
        inner: Arc::clone(&lab.context.world),
        says: Arc::clone(&says),
        asked: Arc::clone(&asked),
    });
    lab.context.settings.start_deadline = SignedDuration::from_millis(400);
    lab.context.settings.start_tries = 2;
    let text = "schema = 1\nname = \"web\"\nmonitor = \"web\"\n[[component]]\nname = \"web\"\nimage = \"memory/x\"\ncores = 0.5\n\
                memory = \"64m\"\ncommand = [\"print\", \"hello\", \"run\"]\nready = { port = \"web\", path = \"/\" }\n\
                [[component.port]]\nname = \"web\"\ncontainer = 8000\n";
    let application = apps::parse(text, Format::Toml).unwrap();
    let submission = launch::application(application, Common::default()).unwrap();
    let accepted = submit::submit(&lab.context, &submission, &Silent).await;
    let id = accepted.unwrap().id();
    lab.pass().await;
    assert!(matches!(phase(&lab, id).await, Some(Phase::Running { .. })));
    Place {
        lab,
        says,
        asked,
        id,
    }
}

async fn phase(lab: &Lab, id: ExecutionId) -> Option<Phase> {
    lab.seen(id).await.map(|execution| execution.phase())
}

async fn ended(lab: &Lab, id: ExecutionId) -> Outcome {
    let waited = wait::wait_for(&lab.context, id, Until::Ended, None, &Silent).await;
    match waited.unwrap() {
        Waited::Ended(outcome) => outcome,
        Waited::Running(_) => panic!("it runs"),
    }
}

const WHY: &str = "it was not ready in time: web has 0 of 1";

#[tokio::test]
async fn passes_of_others_put_it_back_and_give_it_up() {
    let place = &place(SILENT).await;
    let (lab, id) = (&place.lab, place.id);
    lab.until("it is put back", async |lab| {
        !lab.events(id, "start-failed").await.is_empty()
    })
    .await;
    assert_eq!(lab.events(id, "not-ready").await, ["web has 0 of 1"]);
    assert_eq!(lab.events(id, "start-failed").await, [WHY]);
    // Nobody asks what is not there, and it is started again only after a while.
    let pass = lab.pass().await;
    assert_eq!(phase(lab, id).await, Some(Phase::Queued));
    let reason = pass.waits_for(id).unwrap();
    assert!(reason.starts_with(&format!("its start failed: {WHY}; it is tried again at")));
    lab.until("it is given up", async |lab| phase(lab, id).await.is_none())
        .await;
    let reason = format!("could not be started: {WHY} (tried 2 times)");
    let failed = Outcome::Failed {
        exit_code: 125,
        reason,
    };
    assert_eq!(ended(lab, id).await, failed);
    // What both tries said was kept.
    let options = logs::LogOptions::default();
    let kept = logs::logs(&lab.context, id.as_str(), &options, &Silent).await;
    let pieces = futures_util::StreamExt::count(kept.unwrap().pieces).await;
    assert_eq!(pieces, 2);
    nothing_left(lab).await;
}

#[tokio::test]
async fn what_was_ready_once_is_not_put_back_when_it_hangs() {
    let place = &place(ANSWERS).await;
    let (lab, id) = (&place.lab, place.id);
    lab.until("it is remembered", async |lab| {
        !lab.events(id, "ready").await.is_empty()
    })
    .await;
    place.says.store(SILENT, Ordering::SeqCst);
    let asked = place.asked.load(Ordering::SeqCst);
    for _ in 0..20 {
        lab.pass().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(matches!(phase(lab, id).await, Some(Phase::Running { .. })));
    assert_eq!(place.asked.load(Ordering::SeqCst), asked);
    assert_eq!(lab.events(id, "start-failed").await, [""; 0]);
    // Without its history it is asked again, and has as long as at first.
    let store = lab.context.history.open().await.unwrap();
    let deployment = &lab.context.settings.deployment;
    store.forget(deployment, id).await.unwrap();
    lab.pass().await;
    assert_eq!(lab.events(id, "not-ready").await, ["web has 0 of 1"]);
    place.says.store(ANSWERS, Ordering::SeqCst);
    lab.until("it is remembered again", async |lab| {
        !lab.events(id, "ready").await.is_empty()
    })
    .await;
    assert_eq!(lab.events(id, "started").await, ["it was seen to run"]);
    assert!(matches!(phase(lab, id).await, Some(Phase::Running { .. })));
}

#[tokio::test]
async fn whoever_waits_for_it_to_be_ready_has_that_remembered() {
    let place = &place(SILENT).await;
    let (lab, id) = (&place.lab, place.id);
    let waits = wait::wait_for(&lab.context, id, Until::Running, None, &Silent);
    let answers = async {
        while lab.events(id, "not-ready").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        place.says.store(ANSWERS, Ordering::SeqCst);
    };
    let (waited, ()) = futures_util::join!(waits, answers);
    assert!(matches!(waited.unwrap(), Waited::Running(_)));
    assert_eq!(lab.events(id, "ready").await.len(), 1);
}

#[tokio::test]
async fn of_what_cannot_be_reached_from_here_nothing_is_concluded() {
    let place = &place(OUT_OF_REACH).await;
    let (lab, id) = (&place.lab, place.id);
    for _ in 0..20 {
        lab.pass().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(matches!(phase(lab, id).await, Some(Phase::Running { .. })));
    assert_eq!(lab.events(id, "not-ready").await, [""; 0]);
}

#[tokio::test]
async fn whoever_undid_it_and_was_killed_is_gone_on_with_and_counts_once() {
    let place = &place(ANSWERS).await;
    let (lab, id) = (&place.lab, place.id);
    let store = lab.context.history.open().await.unwrap();
    let deployment = &lab.context.settings.deployment;
    // Docker tells whole seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let written = Event {
        execution: id,
        at: lab.context.now(),
        kind: "start-failed".to_owned(),
        detail: WHY.to_owned(),
    };
    store.event(deployment, &written).await.unwrap();
    // Though it answers by now.
    lab.pass().await;
    assert_eq!(phase(lab, id).await, Some(Phase::Queued));
    assert_eq!(lab.events(id, "start-failed").await, [WHY]);
    lab.until("it runs", async |lab| lab.running(id).await.len() == 1)
        .await;
    assert_eq!(lab.events(id, "start-failed").await, [WHY]);
}

/// The turns of who stays: it is asked beside them, as soon as it runs.
#[tokio::test]
async fn who_stays_asks_beside_and_needs_nobody() {
    let place = &place(SILENT).await;
    let (lab, id) = (&place.lab, place.id);
    let mut turns = Turns::new(&lab.context, &Silent);
    while phase(lab, id).await.is_some() {
        let turn = turns.turn().await.unwrap();
        assert_eq!(turn.failures, []);
        let due = turn.due.unwrap_or(Duration::from_secs(10));
        tokio::select! {
            () = turns.work() => {}
            () = tokio::time::sleep(due) => {}
        }
    }
    turns.finish(Duration::from_secs(1)).await;
    assert_eq!(lab.events(id, "start-failed").await, [WHY]);
    assert_eq!(lab.events(id, "not-ready").await.len(), 2);
    assert_eq!(ended(lab, id).await.exit_code(), 125);
    nothing_left(lab).await;
}
