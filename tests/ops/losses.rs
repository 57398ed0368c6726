//! Nodes that go down, come back, or can't be read, under executions that run.

use jiff::SignedDuration;
use zoe::apps::{self, Format};
use zoe::engine::gate::Gate;
use zoe::engine::memory::NodeState;
use zoe::model::{Availability, ExecutionId, Outcome};
use zoe::ops::submit::launch::{self, Common};
use zoe::ops::wait::{self, Until, Waited};
use zoe::ops::{Silent, list, submit};

use crate::lab::{Lab, lab_of, nothing_left};

/// Three nodes of two cores; what is lost is lost after a moment.
fn cluster() -> Lab {
    let mut lab = lab_of("nodes=n1:2:4g,n2:2:4g,n3:2:4g&images=all", Gate::open());
    lab.context.settings.node_grace = SignedDuration::from_millis(200);
    lab
}

/// A driver of one core and workers of one core, of which so many are core.
fn job(core: u32, elastic: u32) -> String {
    format!(
        r#"
schema = 1
name = "job"
monitor = "driver"
[[component]]
name = "driver"
image = "memory/x"
cores = 1
memory = "64m"
command = ["print", "ran", "run"]
[[component]]
name = "worker"
image = "memory/x"
core = {core}
elastic = {elastic}
replaceable = true
cores = 1
memory = "64m"
command = ["run"]
"#
    )
}

async fn started(lab: &Lab, text: &str) -> ExecutionId {
    let application = apps::parse(text, Format::Toml).unwrap();
    let submission = launch::application(application, Common::default()).unwrap();
    let accepted = submit::submit(&lab.context, &submission, &Silent).await;
    let id = accepted.unwrap().id();
    lab.pass().await;
    id
}

#[tokio::test]
async fn a_lost_worker_is_made_anew_elsewhere_and_the_job_goes_on() {
    let lab = cluster();
    let id = started(&lab, &job(2, 0)).await;
    assert_eq!(
        lab.running(id).await,
        ["driver-0@n1", "worker-0@n1", "worker-1@n2"]
    );
    lab.stop_clock();
    lab.down("n2");
    let pass = lab.pass().await;
    assert_eq!(pass.plan.steps, [], "nothing before the grace is over");
    lab.start_clock();
    let all = ["driver-0@n1", "worker-0@n1", "worker-1@n3"];
    lab.until("it is replaced", async |lab| lab.running(id).await == all)
        .await;
    let dropped = lab.events(id, "dropped").await;
    assert!(
        dropped[0].starts_with("worker-1 was on node n2, which has been down since"),
        "{dropped:?}"
    );
    assert_eq!(lab.events(id, "replaced").await, ["worker-1: made on n3"]);
    // The node comes back, with what ran there killed: nothing changes.
    lab.world
        .edit(|world| world.node_returns("n2", true))
        .unwrap();
    assert_eq!(lab.pass().await.plan.steps, []);
    assert_eq!(lab.running(id).await, all);
}

#[tokio::test]
async fn what_was_only_silent_is_not_declared_dead() {
    let mut lab = cluster();
    lab.context.settings.node_grace = SignedDuration::from_mins(1);
    let id = started(&lab, &job(2, 0)).await;
    let before = lab.running(id).await;
    lab.down("n2");
    lab.pass().await;
    lab.node("n2", |row| {
        row.state = NodeState::Active;
        row.silent = true;
    });
    let pass = lab.pass().await;
    assert_eq!(pass.plan.steps, []);
    lab.world
        .edit(|world| world.node_returns("n2", false))
        .unwrap();
    lab.node("n2", |row| row.silent = false);
    assert_eq!(lab.pass().await.plan.steps, []);
    assert_eq!(lab.running(id).await, before);
}

#[tokio::test]
async fn what_does_not_fit_any_more_is_waited_for_while_the_rest_goes_on() {
    let lab = cluster();
    let id = started(&lab, &job(5, 0)).await;
    assert_eq!(lab.running(id).await.len(), 6);
    lab.down("n3");
    lab.until("it is concluded", async |lab| {
        !lab.events(id, "dropped").await.is_empty()
    })
    .await;
    let pass = lab.pass().await;
    let reason = pass.waits_for(id).unwrap();
    assert!(
        reason.starts_with("runs, but 2 'worker' members are lost and cannot be replaced yet: 1 of 3 nodes takes nothing new: n3 is down since"),
        "{reason}"
    );
    let state = list::ps(&lab.context, false).await.unwrap().executions;
    assert_eq!(state[0].state.word(), "running");
    lab.world
        .edit(|world| world.node_returns("n3", true))
        .unwrap();
    lab.pass().await;
    assert_eq!(lab.running(id).await.len(), 6);
}

#[tokio::test]
async fn elastic_members_that_are_lost_are_given_up_where_there_is_no_room() {
    let lab = cluster();
    let id = started(&lab, &job(1, 4)).await;
    assert_eq!(lab.running(id).await.len(), 6);
    lab.down("n3");
    lab.until("they are given up", async |lab| {
        !lab.events(id, "dropped").await.is_empty()
    })
    .await;
    let pass = lab.pass().await;
    assert_eq!((pass.waits_for(id), pass.plan.steps), (None, vec![]));
    assert_eq!(lab.running(id).await.len(), 4);
    assert_eq!(lab.seen(id).await.unwrap().instances.len(), 4);
}

#[tokio::test]
async fn without_its_monitor_it_has_failed_and_says_why() {
    let lab = cluster();
    let id = started(&lab, &job(2, 0)).await;
    lab.down("n1");
    let waited = wait::wait_for(&lab.context, id, Until::Ended, None, &Silent).await;
    let Waited::Ended(Outcome::Failed { exit_code, reason }) = waited.unwrap() else {
        panic!("it cannot have gone well")
    };
    assert_eq!(exit_code, 125);
    assert!(
        reason.starts_with("its monitor 'driver' was on node n1, which has been down since"),
        "{reason}"
    );
    nothing_left(&lab).await;
}

#[tokio::test]
async fn nodes_that_take_nothing_new_are_named() {
    let lab = cluster();
    lab.node("n1", |row| {
        row.labels.insert("zoe.disabled".to_owned(), String::new());
    });
    lab.node("n2", |row| row.state = NodeState::Drained);
    let id = started(&lab, &job(4, 0)).await;
    let listing = list::ps(&lab.context, false).await.unwrap().executions;
    assert_eq!(
        listing[0].reason.as_deref().unwrap(),
        "2 of 3 nodes take nothing new: n1 has the label zoe.disabled, n2 is drained"
    );
    lab.node("n2", |row| row.state = NodeState::Active);
    lab.node("n1", |row| row.labels.clear());
    lab.pass().await;
    assert_eq!(lab.running(id).await.len(), 5);
    let snapshot = lab.pass().await.snapshot;
    let active = |node: &&zoe::model::Node| node.availability == Availability::Active;
    assert_eq!(snapshot.nodes.iter().filter(active).count(), 3);
}
