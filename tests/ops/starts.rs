//! Starts that fail: undone, tried again, and at last given up; at every call, whatever happens to it.

use futures_util::StreamExt;
use zoe::engine::gate::Gate;
use zoe::model::{ExecutionId, Outcome, Phase};
use zoe::ops::submit::launch::{self, Common};
use zoe::ops::wait::{self, Until, Waited};
use zoe::ops::{Silent, attach, kill, list, logs, reconcile, submit};

use crate::lab::{Collected, Lab, application, lab, lab_of, nothing_left, submitted};

const JOB: [(&str, &str); 2] = [
    ("main", r#"["print", "ran", "exit", "7", "after", "300ms"]"#),
    ("side", r#"["run"]"#),
];

async fn phase(lab: &Lab, id: ExecutionId) -> Option<Phase> {
    lab.seen(id).await.map(|execution| execution.phase())
}

#[tokio::test]
async fn a_node_that_rejects_is_tried_again_a_few_times() {
    let lab = lab();
    let refuses = |words: Option<&str>| {
        let words = words.map(str::to_owned);
        lab.node("memory", |row| row.rejects = words);
    };
    refuses(Some("mkdir /data: read-only file system"));
    lab.stop_clock();
    let id = submitted(&lab, &JOB, Common::default()).await.id();
    let pass = lab.pass().await;
    assert_eq!(phase(&lab, id).await, Some(Phase::Queued));
    let reason = pass.waits_for(id).unwrap();
    assert!(
        reason.starts_with("its start failed: main-0 was rejected on node memory: mkdir /data: read-only file system; it is tried again at"),
        "{reason}"
    );
    assert!(reason.ends_with("(try 2 of 3)"), "{reason}");
    let listed = list::ps(&lab.context, false).await.unwrap().executions;
    assert_eq!(listed[0].reason.as_ref(), Some(&reason));
    // Nobody waits for it.
    let other = [("main", r#"["run"]"#)];
    refuses(None);
    let other = submitted(&lab, &other, Common::default()).await.id();
    lab.pass().await;
    assert_eq!(lab.running(other).await.len(), 1);
    assert_eq!(lab.running(id).await.len(), 0);
    // It is its turn again after a while, and now it goes well.
    lab.start_clock();
    let outcome = attach::attach(&lab.context, id, &mut Collected::default(), &Silent).await;
    assert_eq!(outcome.unwrap().exit_code(), 7);
    assert_eq!(lab.events(id, "start-failed").await.len(), 1);
}

#[tokio::test]
async fn what_never_starts_is_given_up() {
    let mut lab = lab();
    lab.context.settings.start_tries = 2;
    lab.node("memory", |row| row.rejects = Some("no".to_owned()));
    let id = submitted(&lab, &JOB, Common::default()).await.id();
    let waited = wait::wait_for(&lab.context, id, Until::Ended, None, &Silent).await;
    let reason = "could not be started: main-0 was rejected on node memory: no (tried 2 times)";
    let failed = Outcome::Failed {
        exit_code: 125,
        reason: reason.to_owned(),
    };
    assert_eq!(waited.unwrap(), Waited::Ended(failed));
    nothing_left(&lab).await;
}

/// Its registry may be away for a while.
#[tokio::test]
async fn an_image_that_can_not_be_had_is_asked_for_again_a_few_times() {
    let mut lab = lab();
    lab.context.settings.start_tries = 2;
    let rejects = |words: Option<&str>| {
        let words = words.map(str::to_owned);
        lab.node("memory", |row| row.rejects = words);
    };
    // A node says so.
    rejects(Some("No such image: x:1"));
    let id = submitted(&lab, &JOB, Common::default()).await.id();
    lab.pass().await;
    assert_eq!(phase(&lab, id).await, Some(Phase::Queued));
    let why = "main-0 was rejected on node memory: No such image: x:1";
    assert_eq!(lab.events(id, "start-failed").await, [why]);
    lab.until("it is given up", async |lab| phase(lab, id).await.is_none())
        .await;
    let said = lab.events(id, "failed").await;
    assert_eq!(
        said,
        [format!("could not be started: {why} (tried 2 times)")]
    );
    rejects(None);
    // Whoever makes its members says so.
    let mut job = application(&JOB, "0.5");
    for component in &mut job.components {
        component.image = "reg:5000/x:1".to_owned();
    }
    let submission = launch::application(job, Common::default()).unwrap();
    let accepted = submit::submit(&lab.context, &submission, &Silent).await;
    let id = accepted.unwrap().id();
    let kept = std::cell::RefCell::default();
    lab.world
        .edit(|world| kept.replace(std::mem::take(&mut world.images)))
        .unwrap();
    lab.pass().await;
    assert_eq!(phase(&lab, id).await, Some(Phase::Queued));
    let why = lab.events(id, "start-failed").await;
    assert!(why[0].contains("reg:5000/x:1"), "{why:?}");
    lab.world
        .edit(|world| world.images.extend(kept.take()))
        .unwrap();
    let outcome = attach::attach(&lab.context, id, &mut Collected::default(), &Silent).await;
    assert_eq!(outcome.unwrap().exit_code(), 7);
}

#[tokio::test]
async fn a_helper_that_ends_before_the_start_is_through_makes_it_fail() {
    let lab = lab();
    let job = [
        ("main", r#"["run"]"#),
        ("side", r#"["print", "first", "run"]"#),
    ];
    let id = submitted(&lab, &job, Common::default()).await.id();
    lab.pass().await;
    // As after a restart of Docker in the middle of a start, of which nobody has written down that it went well.
    let store = lab.context.history.open().await.unwrap();
    store
        .forget(&lab.context.settings.deployment, id)
        .await
        .unwrap();
    lab.world
        .edit(|world| {
            let now = jiff::Timestamp::now();
            for row in world.containers.values_mut() {
                if row.name.ends_with("-side-0") {
                    row.stopped_at = Some(now);
                } else if row.name.ends_with("-main-0") {
                    row.started_at = None;
                }
            }
        })
        .unwrap();
    assert_eq!(phase(&lab, id).await, Some(Phase::Starting));
    let pass = lab.pass().await;
    assert_eq!(phase(&lab, id).await, Some(Phase::Queued));
    assert!(
        pass.waits_for(id)
            .unwrap()
            .contains("side-0 exited with 143")
    );
    wait::wait_for(&lab.context, id, Until::Running, None, &Silent)
        .await
        .unwrap();
    assert_eq!(lab.running(id).await.len(), 2);
    // What was said in the start that failed is not lost.
    kill::kill(&lab.context, &kill::Selection::All, &Silent)
        .await
        .unwrap();
    let options = logs::LogOptions {
        component: Some("side".to_owned()),
        ..logs::LogOptions::default()
    };
    let kept = logs::logs(&lab.context, id.as_str(), &options, &Silent).await;
    assert_eq!(kept.unwrap().pieces.count().await, 2);
}

/// Docker refuses any one call of a submission, or its answer gets lost: after one more pass the execution runs or is
/// queued, or has run; it is never started twice at once and its end is the right one.
#[tokio::test]
async fn one_pass_after_trouble_it_runs_or_is_queued() {
    let calls = {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("calls");
        let gate = Gate::parse(&format!("count:{}", file.display())).unwrap();
        let lab = lab_of("cores=4&memory=8g&images=all", gate);
        submitted(&lab, &JOB, Common::default()).await;
        lab.pass().await;
        let calls = std::fs::read_to_string(file).unwrap();
        calls
            .lines()
            .filter(|call| call.starts_with("effect"))
            .count()
    };
    assert!(calls > 5, "{calls}");
    for how in ["fail", "lost"] {
        for n in 1..=calls {
            let gate = Gate::parse(&format!("{how}:{n}")).unwrap();
            let lab = lab_of("cores=4&memory=8g&images=all", gate);
            let about = format!("{how} at call {n}");
            let submission =
                launch::application(application(&JOB, "0.5"), Common::default()).unwrap();
            let accepted = submit::submit(&lab.context, &submission, &Silent).await;
            let first = reconcile::pass(&lab.context, &Silent).await;
            let second = reconcile::pass(&lab.context, &Silent).await.unwrap();
            assert_eq!(second.failures, [], "{about}");
            drop(first);
            let alive: Vec<_> = second.snapshot.executions.into_values().collect();
            for execution in &alive {
                let phase = execution.phase();
                assert!(
                    matches!(phase, Phase::Queued | Phase::Running { .. }),
                    "{about}: {phase:?}"
                );
            }
            if let Ok(accepted) = accepted {
                let id = accepted.id();
                let mut output = Collected::default();
                let outcome = attach::attach(&lab.context, id, &mut output, &Silent).await;
                assert_eq!(outcome.unwrap().exit_code(), 7, "{about}");
                // If main is over before side could be started, that start has failed: what it wrote is kept, and it runs anew.
                let ran = String::from_utf8(output.0).unwrap();
                assert!(
                    ["ran\n", "ran\nran\n"].contains(&ran.as_str()),
                    "{about}: {ran}"
                );
            } else {
                kill::kill(&lab.context, &kill::Selection::All, &Silent)
                    .await
                    .unwrap();
            }
            nothing_left(&lab).await;
        }
    }
}
