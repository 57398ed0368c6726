//! Submitting, attaching, waiting, killing, on one node.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use zoe::engine::Scope;
use zoe::model::{Outcome, Phase};
use zoe::ops::kill::{self, Killed, Selection};
use zoe::ops::submit::launch::{self, Common};
use zoe::ops::submit::{self, Accepted};
use zoe::ops::wait::{self, Until, Waited};
use zoe::ops::{ErrorKind, Silent, attach, history, list, logs, resolve};
use zoe::store::Query;

use crate::lab::{Collected, Lab, application, lab, nothing_left, submitted};

#[tokio::test]
async fn an_attached_job_gives_its_output_and_its_code_and_leaves_history_only() {
    let lab = lab();
    let accepted = submitted(
        &lab,
        &[
            ("main", r#"["exit", "3", "after", "300ms"]"#),
            ("side", r#"["run"]"#),
        ],
        Common::default(),
    )
    .await;
    let outcome = attach::attach(
        &lab.context,
        accepted.id(),
        &mut Collected::default(),
        &Silent,
    )
    .await
    .unwrap();
    assert_eq!(outcome.exit_code(), 3);
    nothing_left(&lab).await;
    let history = history::history(&lab.context, &Query::default())
        .await
        .unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(
        (history[0].exit_code, history[0].state.word()),
        (Some(3), "failed")
    );
    assert!(history[0].started_at.is_some() && history[0].finished_at.is_some());
}

#[tokio::test]
async fn what_was_printed_is_passed_on_and_kept() {
    let lab = lab();
    let accepted = submitted(
        &lab,
        &[("main", r#"["print", "hello"]"#)],
        Common::default(),
    )
    .await;
    let mut output = Collected::default();
    let outcome = attach::attach(&lab.context, accepted.id(), &mut output, &Silent)
        .await
        .unwrap();
    assert_eq!(
        (outcome, output.0.as_slice()),
        (Outcome::Finished, b"hello\n".as_slice())
    );
    let mut kept = logs::logs(&lab.context, "last", &logs::LogOptions::default(), &Silent)
        .await
        .unwrap();
    let piece = futures_util::StreamExt::next(&mut kept.pieces)
        .await
        .unwrap();
    assert_eq!(piece.chunk.unwrap().bytes.as_ref(), b"hello\n");
}

#[tokio::test]
async fn what_does_not_fit_waits_and_starts_when_there_is_room() {
    let lab = lab();
    let big = |lab: &Lab| {
        let submission = launch::application(
            application(&[("main", r#"["run"]"#)], "3"),
            Common::default(),
        )
        .unwrap();
        let context = lab.context.clone();
        async move {
            submit::submit(&context, &submission, &Silent)
                .await
                .unwrap()
                .id()
        }
    };
    let (first, second) = (big(&lab).await, big(&lab).await);
    let one = [first.to_string()];
    wait::wait(&lab.context, &one, Until::Running, None, &Silent)
        .await
        .unwrap();
    let listing = list::ps(&lab.context, false).await.unwrap();
    let waiting = listing
        .executions
        .iter()
        .find(|view| view.id == second)
        .unwrap();
    assert_eq!(waiting.state.word(), "queued");
    assert!(
        waiting.reason.as_ref().unwrap().contains(first.as_str()),
        "{:?}",
        waiting.reason
    );
    kill::kill(&lab.context, &Selection::Named(one.to_vec()), &Silent)
        .await
        .unwrap();
    let snapshot = lab
        .context
        .backend
        .observe(Scope::Executions)
        .await
        .unwrap();
    assert!(matches!(
        snapshot.executions[&second].phase(),
        Phase::Running { .. }
    ));
    let killed = kill::kill(&lab.context, &Selection::All, &Silent)
        .await
        .unwrap();
    assert_eq!(killed, [Killed::Gone(second)]);
    nothing_left(&lab).await;
}

#[tokio::test]
async fn what_can_never_run_is_refused() {
    let lab = lab();
    let submission = launch::application(
        application(&[("main", r#"["run"]"#)], "64"),
        Common::default(),
    )
    .unwrap();
    let error = submit::submit(&lab.context, &submission, &Silent)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("64"), "{error}");
    nothing_left(&lab).await;
}

#[tokio::test]
async fn a_key_submits_once() {
    let lab = lab();
    let common = || Common {
        key: Some("nightly".to_owned()),
        ..Common::default()
    };
    let job = [("main", r#"["exit", "7", "after", "200ms"]"#)];
    let first = submitted(&lab, &job, common()).await;
    let second = submitted(&lab, &job, common()).await;
    assert!(matches!(first, Accepted::New(_)));
    assert_eq!(second, Accepted::Alive(first.id()));
    attach::attach(&lab.context, first.id(), &mut Collected::default(), &Silent)
        .await
        .unwrap();
    let Accepted::Over(record) = submitted(&lab, &job, common()).await else {
        panic!("it is over")
    };
    assert_eq!(record.end.unwrap().1.exit_code(), 7);
}

#[tokio::test]
async fn a_name_is_taken_while_its_execution_lives() {
    let lab = lab();
    let common = || Common {
        name: Some("etl".parse().unwrap()),
        ..Common::default()
    };
    submitted(&lab, &[("main", r#"["run"]"#)], common()).await;
    let submission =
        launch::application(application(&[("main", r#"["run"]"#)], "0.5"), common()).unwrap();
    let error = submit::submit(&lab.context, &submission, &Silent)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    kill::kill(
        &lab.context,
        &Selection::Named(vec!["etl".to_owned()]),
        &Silent,
    )
    .await
    .unwrap();
    submit::submit(&lab.context, &submission, &Silent)
        .await
        .unwrap();
}

#[tokio::test]
async fn time_runs_out_without_anybody_attached() {
    let lab = lab();
    let common = Common {
        timeout: Some(SignedDuration::from_millis(500)),
        ..Common::default()
    };
    let accepted = submitted(&lab, &[("main", r#"["run"]"#)], common).await;
    let waited = wait::wait_for(&lab.context, accepted.id(), Until::Ended, None, &Silent)
        .await
        .unwrap();
    assert_eq!(waited, Waited::Ended(Outcome::TimedOut));
    nothing_left(&lab).await;
}

#[tokio::test]
async fn the_database_may_go_away_under_a_running_execution() {
    let lab = lab();
    let accepted = submitted(&lab, &[("main", r#"["run"]"#)], Common::default()).await;
    let id = accepted.id().to_string();
    wait::wait(
        &lab.context,
        std::slice::from_ref(&id),
        Until::Running,
        None,
        &Silent,
    )
    .await
    .unwrap();
    for file in std::fs::read_dir(lab.directory.path()).unwrap() {
        let path = file.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("zoe.db")
        {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(
        list::ps(&lab.context, false)
            .await
            .unwrap()
            .executions
            .len(),
        1
    );
    kill::kill(&lab.context, &Selection::Named(vec![id.clone()]), &Silent)
        .await
        .unwrap();
    nothing_left(&lab).await;
    assert!(matches!(
        resolve::resolve(&lab.context, &id).await.unwrap(),
        resolve::Found::Past(_)
    ));
}

#[tokio::test]
async fn names_that_mean_nothing_or_too_much_are_told_apart() {
    let lab = lab();
    let none = resolve::resolve(&lab.context, "nosuch").await.unwrap_err();
    assert_eq!(none.kind, ErrorKind::NotFound);
    let mut first_letters = BTreeMap::new();
    let mut several = None;
    while several.is_none() {
        let id = submitted(&lab, &[("main", r#"["run"]"#)], Common::default())
            .await
            .id()
            .to_string();
        several = first_letters
            .insert(id[..1].to_owned(), id.clone())
            .map(|_| id);
    }
    let several = several.unwrap();
    let error = resolve::resolve(&lab.context, &several[..1])
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert_eq!(
        resolve::resolve(&lab.context, &several)
            .await
            .unwrap()
            .id()
            .to_string(),
        several
    );
    assert_eq!(
        resolve::resolve(&lab.context, "last")
            .await
            .unwrap()
            .id()
            .to_string(),
        several
    );
}
