//! Members on several nodes.

use std::collections::BTreeMap;

use zoe::apps;
use zoe::engine::{Backend, EngineError, LogRange};
use zoe::model::{Availability, Bytes, Component, Cores, InstanceState, Launch, Node, Ticket};

use crate::classic::Classic;
use crate::harness::{
    BackendUnderTest, Do, component, everything, execution, files, log, member, private, submit,
    ticket,
};

/// A component of a shell script.
pub fn scripted(harness: &Classic, name: &str, script: &str) -> Component {
    let mut component = component(harness, name, &Do::Run);
    component.command = Some(["sh", "-c", script].map(str::to_owned).to_vec());
    component
}

/// The core members of a ticket, each on the node that is named for its component and number.
pub fn placed(ticket: &Ticket, nodes: &[(&str, &str)]) -> Launch {
    let mut launch = apps::expand(ticket, &private(ticket), &BTreeMap::new()).unwrap();
    for spec in &mut launch.instances {
        let name = format!("{}-{}", spec.key.component, spec.key.index);
        let node = nodes.iter().find(|(member, _)| *member == name);
        spec.node = node.map(|(_, node)| (*node).to_owned());
    }
    launch
}

async fn node(backend: &dyn Backend, name: &str) -> Node {
    let nodes = everything(backend).await.nodes;
    nodes.into_iter().find(|node| node.name == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_told_with_what_they_have() {
    let harness = Classic::new().await;
    let backend = harness.backend();
    let told = everything(&*backend).await.nodes;
    let names: Vec<_> = told.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["n1", "n2", "n3"]);
    assert!(
        told.iter()
            .all(|node| node.availability == Availability::Active)
    );
    for (node, of_lab) in told.iter().zip(harness.lab.nodes()) {
        assert_eq!(node.address, of_lab.address.parse().ok());
        assert!(node.capacity.cores >= Cores::from_millis(1000));
        assert!(node.capacity.memory > Bytes::from_mib(2048));
    }
    assert_eq!(told[1].labels["disk"], "ssd");
    assert!(
        backend
            .describe()
            .await
            .unwrap()
            .starts_with("classic Swarm 1.")
    );
    let uses = backend.nodes_use().await.unwrap();
    let mut names: Vec<_> = uses.iter().map(|one| one.node.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["n1", "n2", "n3"]);
    assert!(uses.iter().all(|one| one.used.is_ok()), "{uses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_go_where_they_were_put_and_reach_each_other_by_name() {
    let harness = Classic::new().await;
    let backend = harness.backend();
    // In the description the one that is named comes last.
    let asks = "for name in $PEER $PEER-0; do ping -c 1 -W 9 $name || exit 1; done; env | grep constraint; echo met";
    let mut client = scripted(&harness, "client", &asks.replace('$', "$$"));
    client
        .env
        .insert("PEER".to_owned(), "${server.host}".to_owned());
    let mut server = scripted(
        &harness,
        "server",
        "ping -c 1 -W 9 ${self.host}; echo self $$?; exec sleep 1000",
    );
    server.cores = Cores::from_millis(1000);
    let ticket = ticket(&harness, vec![client, server]);
    submit(&*backend, &ticket).await;
    let before = node(&*backend, "n2").await;
    let launch = placed(&ticket, &[("client-0", "n1"), ("server-0", "n2")]);
    backend.start(&launch).await.unwrap();
    assert_eq!(backend.wait(&member(&ticket, "client")).await.unwrap(), 0);
    let (out, _) = log(&*backend, &member(&ticket, "client"), LogRange::default()).await;
    assert!(
        out.ends_with("met\n") && !out.contains("constraint"),
        "{out}"
    );
    let (out, _) = log(&*backend, &member(&ticket, "server"), LogRange::default()).await;
    assert!(out.contains("self 0"), "{out}");
    let found = execution(&*backend, ticket.id).await;
    let nodes: Vec<_> = found.instances.iter().map(|i| i.node.as_str()).collect();
    assert_eq!(nodes, ["n1", "n2"]);
    // Others hold what they held before: zoe's own member is not counted twice.
    let after = node(&*backend, "n2").await;
    assert_eq!(after.others, before.others);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_reserved_already_is_refused_in_the_managers_words() {
    let harness = Classic::new().await;
    let backend = harness.backend();
    let mut main = component(&harness, "main", &Do::Run);
    main.core = 2;
    main.memory = Bytes::new(node(&*backend, "n3").await.capacity.memory.get() * 2 / 3);
    let ticket = ticket(&harness, vec![main]);
    submit(&*backend, &ticket).await;
    let launch = placed(&ticket, &[("main-0", "n3"), ("main-1", "n3")]);
    let error = backend.start(&launch).await.unwrap_err();
    let words = "no resources available to schedule container";
    assert!(
        matches!(&error, EngineError::Refused { why, .. } if why.contains(words)),
        "{error:?}"
    );
    // Room elsewhere does it. Which of the two came first is chance.
    let first = execution(&*backend, ticket.id).await.instances[0].key.index;
    let node = |index: u32| if index == first { "n3" } else { "n1" };
    let launch = placed(&ticket, &[("main-0", node(0)), ("main-1", node(1))]);
    backend.start(&launch).await.unwrap();
    let found = execution(&*backend, ticket.id).await;
    let running = |i: &zoe::model::Instance| i.state == InstanceState::Running;
    assert_eq!(found.instances.iter().filter(|i| running(i)).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_with_files_is_on_every_node() {
    let harness = Classic::new().await;
    let backend = harness.backend();
    let tag = backend
        .ensure_files(&files(&harness, &[("a.txt", "from the image")]))
        .await
        .unwrap();
    assert!(tag.starts_with(harness.lab.registry()), "{tag}");
    for node in ["n1", "n2", "n3"] {
        harness.lab.docker(node, &["image", "inspect", &tag]);
    }
    let mut main = scripted(&harness, "main", "cat /job/a.txt");
    main.core = 3;
    main.files = Some("/job".to_owned());
    let mut ticket = ticket(&harness, vec![main]);
    ticket.job_image = Some(tag);
    submit(&*backend, &ticket).await;
    let nodes = [("main-0", "n1"), ("main-1", "n2"), ("main-2", "n3")];
    backend.start(&placed(&ticket, &nodes)).await.unwrap();
    for index in 0..3 {
        let mut key = member(&ticket, "main");
        key.index = index;
        assert_eq!(backend.wait(&key).await.unwrap(), 0);
        let (out, _) = log(&*backend, &key, LogRange::default()).await;
        assert_eq!(out, "from the image");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn components_that_name_each_other_are_refused_before_anything_runs() {
    let harness = Classic::new().await;
    let backend = harness.backend();
    let one = scripted(&harness, "one", "echo ${two.host}");
    let two = scripted(&harness, "two", "echo ${one.host}");
    let ticket = ticket(&harness, vec![one, two]);
    submit(&*backend, &ticket).await;
    let error = backend.start(&placed(&ticket, &[])).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("'one' and 'two' need each other's"),
        "{error}"
    );
    assert_eq!(execution(&*backend, ticket.id).await.instances, []);
}
