//! A node goes down and comes back.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;
use zoe::engine::{Backend, EngineError, LogRange, Scope};
use zoe::model::{
    Availability, Execution, ExecutionId, InstanceState, Mark, Phase, Snapshot, Ticket,
};

use crate::classic::Classic;
use crate::harness::{
    BackendUnderTest, Do, clear, component, execution, is_there, member, submit, ticket,
};
use crate::members::placed;

/// How long a real manager may take to notice: it looks every half to whole minute, and does so three times.
const NOTICE: Duration = Duration::from_mins(6);
const GONE: &str = "n3";

/// Looks until what is there is as expected.
async fn until(backend: &dyn Backend, what: &str, good: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let deadline = Instant::now() + NOTICE;
    loop {
        let seen = backend.observe(Scope::Everything).await.unwrap();
        if good(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "in vain: {what}: {seen:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn availability(seen: &Snapshot) -> Availability {
    let node = seen.nodes.iter().find(|node| node.name == GONE);
    node.unwrap().availability
}

fn is_down(seen: &Snapshot) -> bool {
    matches!(availability(seen), Availability::Down { .. })
}

/// The names of the execution's containers on the node, running or not.
fn on_node(harness: &Classic, id: ExecutionId, kind: &str) -> Vec<String> {
    let execution = format!("label=zoe.execution={id}");
    let kind = format!("label=zoe.kind={kind}");
    let list = [
        "ps",
        "-a",
        "--format",
        "{{.Names}}",
        "--filter",
        &execution,
        "--filter",
        &kind,
    ];
    let names = harness.lab.docker(GONE, &list);
    names.lines().map(str::to_owned).collect()
}

/// What containers on a node reserve of its memory, those that have ended too, as a manager counts it: bytes.
fn reserved(harness: &Classic, node: &str) -> u64 {
    let ids = harness.lab.docker(node, &["ps", "-aq"]);
    let ids: Vec<&str> = ids.lines().collect();
    if ids.is_empty() {
        return 0;
    }
    let inspect = ["inspect", "--format", "{{.HostConfig.Memory}}"];
    let memory = harness.lab.docker(node, &[&inspect[..], &ids].concat());
    memory
        .lines()
        .map(|line| line.parse::<u64>().unwrap())
        .sum()
}

/// Submits so that the ticket is, or is not, on the node that will go down: a manager puts it where least is reserved, so what
/// others may have left on the nodes is outdone for as long as that takes.
async fn submitted(harness: &Classic, backend: &dyn Backend, there: bool) -> Ticket {
    /// More than rounding to a hundredth of a node's memory hides.
    const MARGIN: u64 = 1 << 30;
    let names = harness.lab.nodes().iter().map(|node| node.name.as_str());
    let most = names.clone().map(|node| reserved(harness, node)).max();
    let full = names.filter(|node| (*node == GONE) != there);
    let fillers = full.map(|node| {
        let memory = most.unwrap() - reserved(harness, node) + MARGIN;
        let image = harness.image();
        let create = ["create", "--memory", &memory.to_string(), &image, "true"];
        (node, harness.lab.docker(node, &create).trim().to_owned())
    });
    let fillers: Vec<_> = fillers.collect();
    let mut worker = component(harness, "worker", &Do::PrintAndRun("out", "err"));
    worker.core = 2;
    let ticket = ticket(harness, vec![component(harness, "main", &Do::Run), worker]);
    submit(backend, &ticket).await;
    for (node, id) in &fillers {
        harness.lab.docker(node, &["rm", id]);
    }
    let is_there = !on_node(harness, ticket.id, "ticket").is_empty();
    assert_eq!(is_there, there, "the manager put the ticket elsewhere");
    ticket
}

/// Sweeps as passes do, until there is nothing to be swept.
async fn until_swept(backend: &dyn Backend) -> Snapshot {
    loop {
        let seen = backend.observe(Scope::Everything).await.unwrap();
        if seen.orphans.is_empty() {
            return seen;
        }
        for orphan in &seen.orphans {
            backend.sweep(orphan).await.unwrap();
        }
    }
}

fn worker(found: &Execution, index: u32) -> &zoe::model::Instance {
    let mut members = found.members("worker");
    members.find(|i| i.key.index == index).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_on_a_lost_node_is_lost_replaced_ended_and_swept() {
    let harness = Classic::alone().await;
    let backend = harness.backend();
    let backend = &*backend;
    // A ticket goes only where its image is.
    let image = harness.image();
    backend.ensure(&image, &|_| {}).await.unwrap();
    let near = submitted(&harness, backend, false).await;
    let far = submitted(&harness, backend, true).await;
    for ticket in [&near, &far] {
        let nodes = [("main-0", "n1"), ("worker-0", "n2"), ("worker-1", GONE)];
        backend.start(&placed(ticket, &nodes)).await.unwrap();
    }
    harness.lab.kill(GONE);
    let seen = until(backend, "the node is down", is_down).await;
    assert_eq!(seen.gaps, [], "what is known of it is how it was");
    for ticket in [&near, &far] {
        let found = &seen.executions[&ticket.id];
        assert_eq!(worker(found, 0).state, InstanceState::Running);
        let InstanceState::Lost { since: Some(_) } = worker(found, 1).state else {
            panic!("{found:?}");
        };
    }
    let mut key = member(&near, "worker");
    key.index = 1;
    let error = backend.logs(&key, LogRange::default()).await.err().unwrap();
    assert!(
        matches!(&error, EngineError::OutOfReach { node, .. } if node == GONE),
        "{error:?}"
    );

    // One goes on, with another worker in place of the lost one.
    let found = execution(backend, near.id).await;
    backend
        .remove_members(&found, std::slice::from_ref(&key), SignedDuration::ZERO)
        .await
        .unwrap();
    assert_eq!(
        execution(backend, near.id).await.members("worker").count(),
        1,
        "it is given up"
    );
    let nodes = [("main-0", "n1"), ("worker-0", "n2"), ("worker-1", "n2")];
    for _ in 0..2 {
        backend.start(&placed(&near, &nodes)).await.unwrap();
        let found = execution(backend, near.id).await;
        let anew = worker(&found, 1);
        assert_eq!(
            (anew.state, anew.node.as_str()),
            (InstanceState::Running, "n2")
        );
        assert_eq!(found.instances.len(), 3);
    }

    // The other is ended, though its ticket is out of reach.
    let found = execution(backend, far.id).await;
    backend.mark(&found, Mark::Cancelled).await.unwrap();
    backend.mark(&found, Mark::Lost).await.unwrap();
    let found = execution(backend, far.id).await;
    assert_eq!(
        found.phase(),
        Phase::Ending(Mark::Cancelled),
        "the first mark stays"
    );
    backend.stop(&found, SignedDuration::ZERO).await.unwrap();
    let stopped = backend.inspect(&found).await.unwrap();
    assert!(matches!(
        worker(&stopped, 0).state,
        InstanceState::Exited { .. }
    ));
    for _ in 0..2 {
        backend.remove(&found).await.unwrap();
        backend.remove_ticket(&found).await.unwrap();
        assert!(!is_there(backend, far.id).await, "it is over");
    }

    harness.lab.heal(GONE);
    let seen = until(backend, "the node is back", |seen| {
        !is_down(seen) && !seen.orphans.is_empty()
    })
    .await;
    // What was replaced, and what is left of the one that is over, belongs to nobody any more.
    assert_eq!(worker(&seen.executions[&near.id], 1).node, "n2");
    assert!(
        !seen.executions.contains_key(&far.id),
        "it is not queued once more"
    );
    let seen = until_swept(backend).await;
    assert_eq!(worker(&seen.executions[&near.id], 1).node, "n2");
    let found = execution(backend, near.id).await;
    backend.stop(&found, SignedDuration::ZERO).await.unwrap();
    clear(backend, &found).await;
    for id in [far.id, near.id] {
        for kind in ["instance", "ticket"] {
            assert_eq!(on_node(&harness, id, kind), Vec::<String>::new());
        }
    }
    let left = until(backend, "nothing is left", |seen| {
        seen.executions.is_empty()
    })
    .await;
    assert_eq!(left.orphans, []);
    assert_eq!(harness.raw(backend.deployment()), []);
}
