use super::*;
use crate::engine::names::tests::ticket;
use crate::model::Node;

fn seen(name: &str, labels: labels::Labels) -> SeenContainer {
    SeenContainer {
        note: None,
        id: format!("id-of-{name}"),
        name: format!("/{name}"),
        labels: labels.into_iter().collect(),
        node: "n1".to_owned(),
        state: InstanceState::Created,
        created_at: Timestamp::UNIX_EPOCH,
        started_at: None,
        finished_at: None,
        out_of_memory: false,
        address: None,
        ports: Vec::new(),
    }
}

fn member(deployment: &str, execution: ExecutionId, index: u32) -> SeenContainer {
    let deployment: Deployment = deployment.parse().unwrap();
    let key = InstanceKey {
        execution,
        component: "main".parse().unwrap(),
        index,
    };
    let reservation = Resources {
        cores: crate::model::Cores::from_millis(500),
        memory: crate::model::Bytes::from_mib(10),
    };
    seen(
        &names::instance_name(&deployment, &key),
        labels::instance(&deployment, &key, reservation),
    )
}

fn snapshot(seen: Seen) -> Snapshot {
    assemble(&"dep".parse().unwrap(), Timestamp::UNIX_EPOCH, seen)
}

#[test]
fn members_go_to_their_ticket_in_order_and_the_rest_are_orphans() {
    let ticket = ticket(1);
    let stranger = ExecutionId::from_bits(2);
    let network = |id| SeenNetwork {
        id: format!("net-{id}"),
        name: names::network_name(&ticket.deployment, id),
        labels: labels::network(&ticket.deployment, id)
            .into_iter()
            .collect(),
    };
    let result = snapshot(Seen {
        containers: vec![
            member("dep", ticket.id, 1),
            member("dep", ticket.id, 0),
            member("dep", stranger, 0),
            seen(&names::ticket_name(&ticket), labels::ticket(&ticket)),
            seen("zoe-dep-build-0", labels::builder(&ticket.deployment)),
            seen("something-else", labels::Labels::new()),
        ],
        networks: vec![network(ticket.id), network(stranger)],
        ..Seen::default()
    });
    let execution = &result.executions[&ticket.id];
    assert_eq!(execution.ticket, ticket);
    let order: Vec<_> = execution.instances.iter().map(|i| i.key.index).collect();
    assert_eq!(order, [0, 1]);
    let orphans: Vec<_> = result
        .orphans
        .iter()
        .map(|o| (o.kind, o.execution))
        .collect();
    assert_eq!(
        orphans,
        [
            (OrphanKind::Builder, None),
            (OrphanKind::Instance, Some(stranger)),
            (OrphanKind::Network, Some(stranger)),
        ]
    );
    assert_eq!(result.anomalies, []);
}

#[test]
fn of_two_tickets_the_marked_one_counts() {
    let ticket = ticket(1);
    let mut old = seen(&names::ticket_name(&ticket), labels::ticket(&ticket));
    old.created_at = "1969-01-01T00:00:00Z".parse().unwrap();
    let marked = names::marked_name(&ticket.deployment, ticket.id, Mark::Cancelled);
    let result = snapshot(Seen {
        containers: vec![old, seen(&marked, labels::ticket(&ticket))],
        ..Seen::default()
    });
    assert_eq!(result.executions[&ticket.id].mark, Some(Mark::Cancelled));
    assert_eq!(result.anomalies.len(), 1);
}

#[test]
fn what_cannot_be_read_is_reported_and_other_deployments_are_counted() {
    let ticket = ticket(1);
    let garbled = |deployment: &str| {
        let mut labels = labels::image(&deployment.parse().unwrap());
        labels.insert(labels::KIND.to_owned(), "teapot".to_owned());
        labels
    };
    let mut ended = member("other", ticket.id, 1);
    ended.state = InstanceState::Exited { code: 0 };
    let result = snapshot(Seen {
        nodes: vec![Node {
            name: "n1".to_owned(),
            capacity: Resources::ZERO,
            others: Resources::ZERO,
            availability: crate::model::Availability::Active,
            address: None,
            id: "node".to_owned(),
            labels: BTreeMap::new(),
        }],
        containers: vec![
            seen("a", garbled("dep")),
            seen("b", garbled("other")),
            member("other", ticket.id, 0),
            ended,
            seen("c", labels::image(&ticket.deployment)),
        ],
        ..Seen::default()
    });
    let objects: Vec<_> = result.anomalies.iter().map(|a| a.object.as_str()).collect();
    assert_eq!(objects, ["container id-of-a (a)", "container id-of-c (c)"]);
    assert_eq!(result.nodes[0].others.cores.millis(), 500);
    assert!(result.orphans.is_empty() && result.executions.is_empty());
}

#[test]
fn a_copy_of_a_members_labels_is_not_the_member() {
    let ticket = ticket(1);
    let genuine = member("dep", ticket.id, 0);
    let mut copy = genuine.clone();
    copy.name = "/mine".to_owned();
    copy.id = "copy".to_owned();
    for pair in [[genuine.clone(), copy.clone()], [copy, genuine.clone()]] {
        let mut containers = vec![seen(&names::ticket_name(&ticket), labels::ticket(&ticket))];
        containers.extend(pair);
        let result = snapshot(Seen {
            containers,
            ..Seen::default()
        });
        let [only] = &result.executions[&ticket.id].instances[..] else {
            panic!("{result:?}");
        };
        assert_eq!(only.container_id, genuine.id);
        assert!(result.anomalies[0].object.contains("copy"));
    }
}

#[test]
fn images_are_known_by_their_tags_or_by_their_id() {
    let deployment: Deployment = "dep".parse().unwrap();
    let image = |id: &str, tags: &[&str]| SeenImage {
        id: id.to_owned(),
        tags: tags.iter().map(|&t| t.to_owned()).collect(),
        labels: labels::image(&deployment).into_iter().collect(),
    };
    let result = snapshot(Seen {
        images: vec![
            image("one", &["zoe-job/dep:0", "mine:latest"]),
            image("two", &[]),
            image("three", &["built-on-a-job-image:1"]),
        ],
        ..Seen::default()
    });
    let tags: Vec<_> = result.job_images.iter().map(|i| i.tag.as_str()).collect();
    assert_eq!(tags, ["zoe-job/dep:0", "two"]);
}

#[test]
fn what_belongs_to_a_ticket_that_cannot_be_read_is_nobodys_orphan() {
    let ticket = ticket(1);
    let mut newer = seen(&names::ticket_name(&ticket), labels::ticket(&ticket));
    newer
        .labels
        .insert(labels::SCHEMA.to_owned(), "2".to_owned());
    let network = SeenNetwork {
        id: "net".to_owned(),
        name: names::network_name(&ticket.deployment, ticket.id),
        labels: labels::network(&ticket.deployment, ticket.id)
            .into_iter()
            .collect(),
    };
    let result = snapshot(Seen {
        nodes: vec![Node {
            name: "n1".to_owned(),
            capacity: Resources::ZERO,
            others: Resources::ZERO,
            availability: crate::model::Availability::Active,
            address: None,
            id: "node".to_owned(),
            labels: BTreeMap::new(),
        }],
        containers: vec![newer, member("dep", ticket.id, 0)],
        networks: vec![network],
        ..Seen::default()
    });
    assert_eq!((result.anomalies.len(), result.orphans), (1, Vec::new()));
    assert_eq!(result.nodes[0].others.cores.millis(), 500);
}
