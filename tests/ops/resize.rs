//! More members for what runs, and fewer.

use futures_util::StreamExt;
use zoe::apps::{self, Format};
use zoe::engine::ExecRequest;
use zoe::engine::gate::Gate;
use zoe::model::{Cores, ExecutionId};
use zoe::ops::kill::{self, Selection};
use zoe::ops::resize::{self, Request, Resized};
use zoe::ops::submit::launch::{self, Common};
use zoe::ops::view::ComponentView;
use zoe::ops::{ErrorKind, OpsError, Silent, exec, list, logs, submit};

use crate::lab::{Lab, lab_of, nothing_left};

const JOB: &str = r#"
schema = 1
name = "job"
monitor = "driver"
[[component]]
name = "driver"
image = "memory/x"
cores = 1
memory = "64m"
command = ["run"]
[[component]]
name = "worker"
image = "memory/x"
core = 1
elastic = 7
cores = 1
memory = "64m"
command = ["print", "worker ${self.index} is here", "run"]
"#;

fn cluster() -> Lab {
    lab_of("nodes=n1:2:4g,n2:2:4g&images=all", Gate::open())
}

async fn started(lab: &Lab, text: &str) -> ExecutionId {
    let application = apps::parse(text, Format::Toml).unwrap();
    let submission = launch::application(application, Common::default()).unwrap();
    let accepted = submit::submit(&lab.context, &submission, &Silent).await;
    let id = accepted.unwrap().id();
    lab.pass().await;
    id
}

async fn resized(lab: &Lab, component: Option<&str>, members: u32) -> Result<Resized, OpsError> {
    resized_of(lab, "last", component, members).await
}

async fn resized_of(
    lab: &Lab,
    execution: &str,
    component: Option<&str>,
    members: u32,
) -> Result<Resized, OpsError> {
    let request = Request {
        execution: execution.to_owned(),
        component: component.map(str::to_owned),
        members,
    };
    resize::resize(&lab.context, &request, &Silent).await
}

async fn end_all(lab: &Lab) {
    kill::kill(&lab.context, &Selection::All, &Silent)
        .await
        .unwrap();
}

#[tokio::test]
async fn it_grows_as_far_as_there_is_room_and_shrinks_again() {
    let lab = cluster();
    let id = started(&lab, JOB).await;
    // It has taken all there was room for when it started.
    assert_eq!(
        lab.running(id).await,
        ["driver-0@n1", "worker-0@n1", "worker-1@n2", "worker-2@n2"]
    );
    let fewer = resized(&lab, None, 1).await.unwrap();
    assert_eq!((fewer.before, fewer.members, fewer.reason), (3, 1, None));
    assert_eq!(lab.running(id).await, ["driver-0@n1", "worker-0@n1"]);
    let more = resized(&lab, Some("worker"), 2).await.unwrap();
    assert_eq!((more.before, more.members, more.reason), (1, 2, None));
    let two = ["driver-0@n1", "worker-0@n1", "worker-1@n2"];
    assert_eq!(lab.running(id).await, two);
    let alone = JOB.replace("core = 1\nelastic = 7", "core = 0");
    let other = started(&lab, &alone).await;
    assert_eq!(lab.running(other).await, ["driver-0@n2"]);
    let partly = resized_of(&lab, id.as_str(), None, 8).await.unwrap();
    assert_eq!((partly.wanted, partly.members), (8, 2));
    let reason = partly.reason.unwrap();
    let holder = format!("({other}, ann) holds 1");
    assert!(
        reason.starts_with("waits for 6 cores: 0 of 4 free;") && reason.contains(&holder),
        "{reason}"
    );
    assert_eq!(
        lab.events(id, "resized").await,
        [
            "worker: from 3 to 1 members, by ann",
            "worker: from 1 to 2 members, by ann"
        ]
    );
    end_all(&lab).await;
    nothing_left(&lab).await;
}

#[tokio::test]
async fn what_was_given_up_is_said_to_be_and_is_not_wanted() {
    let lab = cluster();
    let id = started(&lab, JOB).await;
    let listed = async || {
        let listed = list::ps(&lab.context, false).await.unwrap().executions;
        let sum = |of: fn(&ComponentView) -> u32| listed[0].components.iter().map(of).sum();
        let (running, wanted): (u32, u32) = (sum(|c| c.running), sum(|c| c.wanted));
        (running, wanted)
    };
    assert_eq!(listed().await, (4, 9));
    resized(&lab, None, 2).await.unwrap();
    assert_eq!(listed().await, (3, 3));
    let shown = list::show(&lab.context, id.as_str()).await.unwrap().view;
    assert_eq!(shown.components[1].wanted, 2);
    let gone = async |member: &str| {
        let options = logs::LogOptions {
            component: Some(member.to_owned()),
            ..logs::LogOptions::default()
        };
        let read = logs::logs(&lab.context, id.as_str(), &options, &Silent).await;
        read.err().unwrap().to_string()
    };
    let given_up = "worker-2 was given up by a resize (from 3 to 2 members)";
    assert_eq!(gone("worker-2").await, given_up);
    assert_eq!(gone("worker-8").await, "it has no component 'worker-8'");
    let request = ExecRequest {
        command: vec!["true".to_owned()],
        terminal: None,
        input: false,
    };
    let run = exec::exec(&lab.context, id.as_str(), Some("worker-2"), &request).await;
    assert_eq!(run.err().unwrap().to_string(), given_up);
    end_all(&lab).await;
    nothing_left(&lab).await;
}

#[tokio::test]
async fn what_those_logged_that_went_is_kept() {
    let lab = cluster();
    let id = started(&lab, JOB).await;
    resized(&lab, None, 1).await.unwrap();
    resized(&lab, None, 2).await.unwrap();
    end_all(&lab).await;
    let options = logs::LogOptions {
        all: true,
        ..logs::LogOptions::default()
    };
    let kept = logs::logs(&lab.context, id.as_str(), &options, &Silent).await;
    let mut kept = kept.unwrap();
    let mut lines = Vec::new();
    while let Some(piece) = kept.pieces.next().await {
        let text = String::from_utf8_lossy(&piece.chunk.unwrap().bytes).into_owned();
        lines.push(text.trim_end().to_owned());
    }
    lines.sort();
    assert_eq!(
        lines,
        [
            "worker 0 is here",
            "worker 1 is here",
            "worker 1 is here",
            "worker 2 is here"
        ]
    );
    let history = lab.directory.path().join("history");
    let left = walkdir::WalkDir::new(history).into_iter().flatten();
    let files = left.filter(|entry| entry.file_type().is_file()).count();
    assert_eq!(files, 1, "the archive alone");
}

#[tokio::test]
async fn what_cannot_be_is_said() {
    let lab = cluster();
    let id = started(&lab, JOB).await;
    let said = |result: Result<Resized, OpsError>| result.unwrap_err().to_string();
    assert_eq!(
        said(resized(&lab, None, 9).await),
        "'worker' has between 1 and 8 members; 9 cannot be"
    );
    assert_eq!(
        said(resized(&lab, Some("driver"), 2).await),
        "'driver' has 1 members, no more and no fewer"
    );
    assert_eq!(
        said(resized(&lab, Some("drivr"), 2).await),
        "there is no component 'drivr'; job has driver, worker"
    );
    started(&lab, &JOB.replace("elastic = 7", "")).await;
    assert_eq!(
        said(resized(&lab, None, 2).await),
        "no component of job may have more members than its core"
    );
    started(&lab, JOB).await;
    let waiting = resized(&lab, None, 2).await.unwrap_err();
    assert_eq!(waiting.kind, ErrorKind::Conflict);
    end_all(&lab).await;
    let over = resized_of(&lab, id.as_str(), None, 2).await.unwrap_err();
    assert_eq!(
        over.to_string(),
        format!("{id} is over; only what runs can be resized")
    );
}

#[tokio::test]
async fn a_call_that_fails_leaves_what_was_there() {
    let mut failed = 0;
    for n in 1..=5 {
        let mut lab = cluster();
        let id = started(&lab, JOB).await;
        resized(&lab, None, 1).await.unwrap();
        let gate = Gate::parse(&format!("fail:{n}")).unwrap();
        let backend = lab.world.clone().with_gate(gate);
        lab.context.backend = std::sync::Arc::new(backend);
        let result = resized(&lab, None, 3).await;
        lab.pass().await;
        if let Ok(resized) = result {
            assert_eq!(resized.members, 3, "call {n}");
        } else {
            failed += 1;
            let before = ["driver-0@n1", "worker-0@n1"];
            assert_eq!(lab.running(id).await, before, "call {n}");
        }
        end_all(&lab).await;
        nothing_left(&lab).await;
    }
    assert!(failed >= 4, "{failed}");
}

#[tokio::test]
async fn nobody_has_more_members_than_the_quota_says() {
    let mut lab = lab_of("nodes=n1:8:8g&images=all", Gate::open());
    lab.context.settings.quota.cores = Some(Cores::from_millis(4000));
    let id = started(&lab, JOB).await;
    // Nobody waits, and there is room for more.
    lab.pass().await;
    lab.pass().await;
    let four = ["driver-0@n1", "worker-0@n1", "worker-1@n1", "worker-2@n1"];
    assert_eq!(lab.running(id).await, four);
    let more = resized(&lab, None, 6).await.unwrap();
    assert_eq!((more.before, more.members), (3, 3));
    assert_eq!(
        more.reason.unwrap(),
        "waits for its owner's quota: it needs 3 cores of at most 4, and 4 are in use"
    );
    assert_eq!(resized(&lab, None, 2).await.unwrap().members, 2);
    let other = started(&lab, &JOB.replace("core = 1\nelastic = 7", "core = 0")).await;
    assert_eq!(lab.running(other).await.len(), 1);
    let most = resized_of(&lab, id.as_str(), None, 3).await.unwrap();
    assert_eq!((most.members, most.reason.is_some()), (2, true));
    end_all(&lab).await;
    nothing_left(&lab).await;
}
