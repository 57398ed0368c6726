//! What only a Swarm does: compare-and-swap on tickets, nodes that refuse, others' services, counting calls.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use zoe::apps;
use zoe::engine::gate::Gate;
use zoe::engine::{Backend, EngineError, Scope};
use zoe::labels::Labels;
use zoe::model::{InstanceState, Launch, Mark, Ticket, Volume};

use crate::harness::{
    BackendUnderTest, Do, clear, component, everything, execution, is_there, member, private, run,
    simple, submit, ticket,
};
use crate::swarm::Swarm;

fn launch(ticket: &Ticket) -> Launch {
    apps::expand(ticket, &private(ticket), &BTreeMap::new()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_marks_at_once_one_is_first_for_all() {
    let harness = Swarm::new().await;
    let backend = harness.backend();
    let mut claimed = simple(&harness, &Do::Run);
    claimed.name_claimed = true;
    let found = submit(&*backend, &claimed).await;
    let marks = [
        Mark::Ending,
        Mark::Cancelled,
        Mark::TimedOut,
        Mark::Failed,
        Mark::Lost,
    ];
    let marking = marks.iter().cycle().take(15);
    let made = join_all(marking.map(|mark| backend.mark(&found, *mark))).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    let seen = everything(&*backend).await;
    let first = seen.executions[&claimed.id].mark;
    assert!(first.is_some());
    assert_eq!(seen.anomalies, []);
    assert_eq!(harness.raw(backend.deployment()).len(), 1, "the copy alone");
    for mark in marks {
        backend.mark(&found, mark).await.unwrap();
    }
    assert_eq!(execution(&*backend, claimed.id).await.mark, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_marked_is_not_started_and_what_was_being_started_goes() {
    let harness = Swarm::new().await;
    let backend = harness.backend();
    let marked = simple(&harness, &Do::Run);
    let found = submit(&*backend, &marked).await;
    backend.mark(&found, Mark::Cancelled).await.unwrap();
    let error = backend.start(&launch(&marked)).await.unwrap_err();
    assert!(matches!(error, EngineError::Gone { .. }), "{error:?}");
    assert_eq!(harness.raw(backend.deployment()).len(), 1);
    clear(&*backend, &found).await;

    // Whoever ends it while it is being started finds only a part.
    let mut worker = component(&harness, "worker", &Do::Run);
    worker.core = 3;
    let members = || vec![component(&harness, "main", &Do::Run), worker.clone()];
    let undisturbed = ticket(&harness, members());
    submit(&*backend, &undisturbed).await;
    let directory = tempfile::tempdir().unwrap();
    let (calls, held) = (
        directory.path().join("calls"),
        directory.path().join("held"),
    );
    let counting = Gate::parse(&format!("count:{}", calls.display())).unwrap();
    let counted = harness.detected(counting).await;
    counted.start(&launch(&undisturbed)).await.unwrap();
    clear(&*backend, &execution(&*backend, undisturbed.id).await).await;
    let calls = std::fs::read_to_string(calls).unwrap();
    let makes = (1..).zip(calls.lines());
    let makes = makes.filter(|(_, call)| call.ends_with("POST /services/create"));
    let (last, _) = makes.last().unwrap();

    let raced = ticket(&harness, members());
    let found = submit(&*backend, &raced).await;
    let holding = Gate::parse(&format!("hold:{last}:{}", held.display())).unwrap();
    let slow = harness.detected(holding).await;
    let launched = launch(&raced);
    let started = tokio::spawn(async move { slow.start(&launched).await });
    while !held.exists() {
        assert!(
            !started.is_finished(),
            "it makes as many calls as the one before"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    backend.mark(&found, Mark::Cancelled).await.unwrap();
    clear(&*backend, &found).await;
    std::fs::remove_file(&held).unwrap();
    let error = started.await.unwrap().unwrap_err();
    assert!(matches!(error, EngineError::Gone { .. }), "{error:?}");
    for orphan in everything(&*backend).await.orphans {
        backend.sweep(&orphan).await.unwrap();
    }
    assert_eq!(harness.raw(backend.deployment()), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_start_the_same_start_it_once() {
    let harness = Swarm::new().await;
    let (one, two) = (harness.backend(), harness.backend());
    let mut main = component(&harness, "main", &Do::Run);
    main.core = 3;
    main.secrets.push("auth".to_owned());
    let twice = ticket(&harness, vec![main]);
    submit(&*one, &twice).await;
    let launched = launch(&twice);
    let (first, second) = futures_util::join!(one.start(&launched), two.start(&launched));
    first.unwrap();
    second.unwrap();
    let seen = everything(&*one).await;
    assert_eq!(seen.executions[&twice.id].instances.len(), 3);
    assert_eq!((&seen.orphans[..], &seen.anomalies[..]), (&[][..], &[][..]));
    let found = &seen.executions[&twice.id];
    let (first, second) = futures_util::join!(one.remove(found), two.remove(found));
    first.unwrap();
    second.unwrap();
    assert_eq!(harness.raw(one.deployment()).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_refuses_is_told_with_its_words() {
    let harness = Swarm::new().await;
    let backend = harness.backend();
    let mut main = component(&harness, "main", &Do::Run);
    main.volumes.push(Volume {
        source: "/nowhere/at/all".to_owned(),
        target: "/data".to_owned(),
        read_only: true,
        group: None,
    });
    let refused = ticket(&harness, vec![main]);
    let found = submit(&*backend, &refused).await;
    let mut launched = launch(&refused);
    launched.instances[0].node = Some("n2".to_owned());
    let error = backend.start(&launched).await.unwrap_err().to_string();
    assert!(
        error.contains("n2") && error.contains("/nowhere/at/all"),
        "{error}"
    );
    let half = execution(&*backend, refused.id).await;
    assert_eq!(half.instances[0].state, InstanceState::Rejected);
    assert_eq!(half.instances[0].node, "n2");
    assert!(
        half.instances[0]
            .note
            .as_ref()
            .unwrap()
            .contains("/nowhere")
    );
    clear(&*backend, &found).await;

    launched.instances[0].node = Some("n99".to_owned());
    submit(&*backend, &refused).await;
    let error = backend.start(&launched).await.unwrap_err().to_string();
    assert!(error.contains("n99"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fits_on_no_node_is_refused_with_the_swarms_words() {
    let harness = Swarm::new().await;
    let backend = harness.backend();
    let mut main = component(&harness, "main", &Do::Run);
    main.cores = zoe::model::Cores::from_millis(900_000);
    let huge = ticket(&harness, vec![main]);
    let found = submit(&*backend, &huge).await;
    let mut launched = launch(&huge);
    launched.instances[0].node = Some("n1".to_owned());
    let error = backend.start(&launched).await.unwrap_err();
    let EngineError::Refused { why, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(why.contains("insufficient resources"), "{why}");
    clear(&*backend, &found).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_services_are_counted_and_never_touched() {
    let harness = Swarm::new().await;
    let backend = harness.backend();
    let held = async || -> u64 {
        let nodes = everything(&*backend).await.nodes;
        nodes.iter().map(|node| node.others.cores.millis()).sum()
    };
    let foreign = format!("foreign-{}", backend.deployment());
    harness.plant_container(&foreign, &Labels::new(), Some(&Do::Run));
    harness.reserve(&foreign, "0.25");
    while held().await < 250 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let found = run(&*backend, &simple(&harness, &Do::Run)).await;
    assert!(held().await >= 250, "own members are not others'");
    backend.stop(&found, SignedDuration::ZERO).await.unwrap();
    clear(&*backend, &found).await;
    assert!(harness.exists("container", &foreign));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn executions_are_four_calls_however_many_there_are() {
    let harness = Swarm::new().await;
    let backend = harness.backend();
    for _ in 0..2 {
        run(&*backend, &simple(&harness, &Do::Run)).await;
    }
    for _ in 0..5 {
        submit(&*backend, &simple(&harness, &Do::Run)).await;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let counting = Gate::parse(&format!("count:{}", file.path().display())).unwrap();
    let counted = harness.detected(counting).await;
    let seen = counted.observe(Scope::Executions).await.unwrap();
    assert_eq!(seen.executions.len(), 7);
    let calls = std::fs::read_to_string(file.path()).unwrap();
    assert_eq!(
        calls.lines().collect::<Vec<_>>(),
        [
            "read HEAD /_ping",
            "read GET /nodes",
            "read GET /tasks",
            "read GET /configs"
        ]
    );
    // Later the nodes are asked for again.
    counted.observe(Scope::Executions).await.unwrap();
    let again = std::fs::read_to_string(file.path()).unwrap();
    assert_eq!(again.lines().count(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_removed_leaves_no_task_and_no_network_on_any_node() {
    let harness = Swarm::new().await;
    let backend = harness.backend();
    let mut worker = component(&harness, "worker", &Do::Run);
    worker.core = 4;
    let main = component(&harness, "main", &Do::Exit(0));
    let spread = ticket(&harness, vec![main, worker]);
    submit(&*backend, &spread).await;
    let mut launched = launch(&spread);
    for (index, spec) in launched.instances.iter_mut().enumerate() {
        spec.node = Some(["n1", "n2", "n3"][index % 3].to_owned());
    }
    backend.start(&launched).await.unwrap();
    backend.wait(&member(&spread, "main")).await.unwrap();
    let found = execution(&*backend, spread.id).await;
    let nodes: Vec<_> = found.instances.iter().map(|i| i.node.as_str()).collect();
    assert_eq!(nodes, ["n1", "n2", "n3", "n1", "n2"]);
    backend.mark(&found, Mark::Ending).await.unwrap();
    backend.stop(&found, SignedDuration::ZERO).await.unwrap();
    clear(&*backend, &found).await;
    assert!(!is_there(&*backend, spread.id).await);
    assert_eq!(harness.raw(backend.deployment()), []);
    assert!(!harness.has_tasks(backend.deployment()));
    harness.until_nodes_are_clean().await;
}
