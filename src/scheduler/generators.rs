//! Made-up nodes, applications and snapshots for tests of the scheduler.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::model::{
    Application, Availability, Bytes, Component, Cores, Execution, ExecutionId, Gap, Instance,
    InstanceKey, InstanceState, JobImage, Mark, Node, Orphan, OrphanKind, Quota, Ready, Resources,
    Snapshot, Terms, Ticket,
};

use super::past::{Known, Past, UserKnown};

pub(super) fn id(n: u64) -> ExecutionId {
    ExecutionId::from_bits(n)
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(super) fn resources(millis: u64, mib: u64) -> Resources {
    Resources {
        cores: Cores::from_millis(millis),
        memory: Bytes::from_mib(mib),
    }
}

pub(super) fn node(name: &str, millis: u64, mib: u64) -> Node {
    Node {
        name: name.to_owned(),
        capacity: resources(millis, mib),
        others: Resources::ZERO,
        availability: Availability::Active,
        address: None,
        id: "node".to_owned(),
        labels: BTreeMap::new(),
    }
}

pub(super) fn component(name: &str, core: u32, millis: u64, mib: u64) -> Component {
    Component::bare(
        name.parse().unwrap(),
        "tiny".to_owned(),
        core,
        resources(millis, mib),
    )
}

pub(super) fn application(components: Vec<Component>) -> Application {
    Application {
        name: "made-up".to_owned(),
        description: String::new(),
        monitor: None,
        secrets: Vec::new(),
        activity: None,
        components,
    }
}

/// A question that any answer will do for.
pub(super) fn question() -> Ready {
    Ready {
        port: "web".to_owned(),
        path: "/".to_owned(),
        threshold: None,
    }
}

/// A queued execution.
pub(super) fn execution(n: u64, submitted: i64, components: Vec<Component>) -> Execution {
    Execution {
        ticket: Ticket {
            id: id(n),
            deployment: "test".parse().unwrap(),
            name: format!("job-{n}").parse().unwrap(),
            name_claimed: false,
            user: "ann".to_owned(),
            application: application(components),
            submitted_at: at(submitted),
            key: None,
            timeout: None,
            terms: Terms::default(),
            proxy: None,
            job_image: None,
            registry: String::new(),
        },
        mark: None,
        instances: Vec::new(),
    }
}

/// A member of an execution, of the size its description says.
pub(super) fn instance(
    execution: &Execution,
    component: usize,
    index: u32,
    node: &str,
    state: InstanceState,
) -> Instance {
    let component = &execution.ticket.application.components[component];
    Instance {
        note: None,
        key: InstanceKey {
            execution: execution.ticket.id,
            component: component.name.clone(),
            index,
        },
        container_id: format!("{}-{index}", component.name),
        node: node.to_owned(),
        state,
        created_at: at(50),
        started_at: None,
        finished_at: None,
        out_of_memory: false,
        address: None,
        ports: Vec::new(),
        reservation: component.reservation(),
    }
}

/// The execution with all its core members running on one node.
pub(super) fn running(mut execution: Execution, node: &str) -> Execution {
    for position in 0..execution.ticket.application.components.len() {
        for index in 0..execution.ticket.application.components[position].core {
            let member = instance(&execution, position, index, node, InstanceState::Running);
            execution.instances.push(member);
        }
    }
    execution
}

pub(super) fn snapshot(nodes: Vec<Node>, executions: Vec<Execution>) -> Snapshot {
    let mut snapshot = Snapshot::empty(at(100));
    snapshot.nodes = nodes;
    snapshot.executions = executions.into_iter().map(|e| (e.ticket.id, e)).collect();
    snapshot
}

fn any_labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop_oneof![
        3 => Just(BTreeMap::new()),
        1 => prop_oneof![Just("ssd"), Just("hdd")]
            .prop_map(|disk| BTreeMap::from([("disk".to_owned(), disk.to_owned())])),
    ]
}

fn any_node() -> impl Strategy<Value = Node> {
    let sizes = (0u64..17, 0u64..17, 0u64..3, 0u64..3);
    (sizes, prop::bool::weighted(0.85), any_labels()).prop_map(
        |((cores, memory, others_cores, others_memory), available, labels)| Node {
            others: resources(others_cores * 500, others_memory * 512),
            availability: if available {
                Availability::Active
            } else {
                Availability::Drained
            },
            labels,
            ..node("", cores * 500, memory * 512)
        },
    )
}

fn any_component() -> impl Strategy<Value = Component> {
    let members = (1u32..4, 0u32..3, any::<bool>());
    (members, 0u64..7, 0u64..5, any_labels()).prop_map(
        |((core, elastic, replaceable), cores, memory, placement)| Component {
            elastic,
            replaceable,
            placement,
            ..component("part", core, cores * 250, memory * 256)
        },
    )
}

fn any_state() -> impl Strategy<Value = InstanceState> {
    prop_oneof![
        2 => Just(InstanceState::Created),
        6 => Just(InstanceState::Running),
        1 => Just(InstanceState::Other),
        2 => (0i64..3).prop_map(|code| InstanceState::Exited { code }),
        1 => Just(InstanceState::Rejected),
        2 => option::of((0i64..100).prop_map(at)).prop_map(|since| InstanceState::Lost { since }),
    ]
}

/// How far an execution is: how likely each member is there, and in which state it is.
#[derive(Debug, Clone)]
enum Progress {
    Queued,
    Partly(Vec<Option<(usize, InstanceState)>>),
    Wholly(Vec<usize>),
    Mostly(Vec<(usize, InstanceState)>),
}

fn any_progress() -> impl Strategy<Value = Progress> {
    prop_oneof![
        6 => Just(Progress::Queued),
        1 => vec(option::of((0usize..6, any_state())), 15).prop_map(Progress::Partly),
        2 => vec(0usize..6, 15).prop_map(Progress::Wholly),
        2 => vec((0usize..6, prop_oneof![3 => Just(InstanceState::Running), 1 => any_state()]), 15)
            .prop_map(Progress::Mostly),
    ]
}

fn any_mark() -> impl Strategy<Value = Option<Mark>> {
    prop_oneof![
        9 => Just(None),
        1 => prop_oneof![Just(Mark::Ending), Just(Mark::Cancelled), Just(Mark::Failed)].prop_map(Some),
    ]
}

fn any_execution() -> impl Strategy<Value = Execution> {
    let parts = (vec(any_component(), 1..4), any::<bool>(), any_progress());
    let terms = (
        prop_oneof![4 => Just(0), 1 => -1i32..2],
        prop::sample::select(vec!["ann", "bob", "cid"]),
    );
    let rest = (
        any_mark(),
        0i64..8,
        option::of(0i64..300),
        option::of(0u8..3),
        terms,
    );
    (parts, rest).prop_map(
        |((mut components, monitored, progress), (mark, submitted, timeout, image, terms))| {
            for (n, component) in components.iter_mut().enumerate() {
                component.name = format!("part-{n}").parse().unwrap();
            }
            let mut made = execution(0, submitted, components);
            let ticket = &mut made.ticket;
            ticket.timeout = timeout.map(SignedDuration::from_secs);
            ticket.terms.priority = terms.0;
            terms.1.clone_into(&mut ticket.user);
            ticket.job_image = image.map(|n| format!("zoe-job/test:{n}"));
            ticket.application.monitor = monitored.then(|| "part-0".parse().unwrap());
            if monitored {
                ticket.application.components[0].replaceable = false;
                ticket.application.components[0].ready = Some(question());
            }
            made.mark = mark;
            let slots: Vec<(usize, u32)> = ticket
                .application
                .components
                .iter()
                .enumerate()
                .flat_map(|(n, c)| (0..c.members()).map(move |i| (n, i)))
                .collect();
            let states: Vec<Option<(usize, InstanceState)>> = match progress {
                Progress::Queued => Vec::new(),
                Progress::Partly(states) => states,
                Progress::Wholly(nodes) => nodes
                    .into_iter()
                    .map(|node| Some((node, InstanceState::Running)))
                    .collect(),
                Progress::Mostly(states) => states.into_iter().map(Some).collect(),
            };
            for ((position, index), state) in slots.into_iter().zip(states) {
                if let Some((node, state)) = state {
                    let member = instance(&made, position, index, &format!("node-{node}"), state);
                    made.instances.push(member);
                }
            }
            made
        },
    )
}

/// Any snapshot a backend could give, gaps, orphans and half started executions included.
pub(super) fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let docker = (vec(any_node(), 0..7), vec(any_execution(), 0..10));
    let gap = prop_oneof![
        8 => Just(None),
        1 => Just(Some(None)),
        2 => (0usize..6).prop_map(|n| Some(Some(format!("node-{n}")))),
    ];
    let rest = (0usize..3, 0usize..4, gap);
    (docker, rest).prop_map(|((mut nodes, mut executions), (orphans, images, gap))| {
        for (n, node) in nodes.iter_mut().enumerate() {
            node.name = format!("node-{n}");
        }
        for (n, execution) in executions.iter_mut().enumerate() {
            // Ids that are not in the order of submission.
            let id = id((n as u64 * 7 + 3) % 26);
            execution.ticket.id = id;
            for instance in &mut execution.instances {
                instance.key.execution = id;
            }
        }
        let mut snapshot = snapshot(nodes, executions);
        snapshot.orphans = (0..orphans)
            .map(|n| Orphan {
                kind: OrphanKind::Network,
                docker_id: n.to_string(),
                name: format!("orphan-{n}"),
                execution: None,
            })
            .collect();
        snapshot.job_images = (0..images)
            .map(|n| JobImage {
                docker_id: n.to_string(),
                tag: format!("zoe-job/test:{n}"),
            })
            .collect();
        let gap = gap.map(|node| Gap {
            what: "some containers".to_owned(),
            error: "timeout".to_owned(),
            node,
        });
        snapshot.gaps = gap.into_iter().collect();
        snapshot
    })
}

/// Mostly none at all.
fn any_quota() -> impl Strategy<Value = Quota> {
    let limits = (
        option::of(0u32..4),
        option::of(0u64..24),
        option::of(0u64..20),
    );
    let quota = limits.prop_map(|(executions, cores, memory)| Quota {
        executions,
        cores: cores.map(|n| Cores::from_millis(n * 250)),
        memory: memory.map(|n| Bytes::from_mib(n * 256)),
        hours: None,
    });
    prop_oneof![2 => Just(Quota::default()), 1 => quota]
}

/// What history may know of the executions of a snapshot.
pub(super) fn any_known() -> impl Strategy<Value = Known> {
    let asked = (any::<bool>(), option::of(-1000i64..100));
    let past = (
        any::<bool>(),
        asked,
        vec(0i64..100, 0..3),
        option::of(0u32..4),
    )
        .prop_map(
            |(started, (ready, unready_since), mut failures, replaced)| {
                failures.sort_unstable();
                let failures = failures.into_iter().map(|n| (at(n), "why".to_owned()));
                let member = |index| (("part-1".parse().unwrap(), index), vec![at(90); 3]);
                Past {
                    started,
                    ready: ready && started,
                    unready_since: unready_since.map(at),
                    failures: failures.collect(),
                    replaced: replaced.map(member).into_iter().collect(),
                    ..Past::default()
                }
            },
        );
    let nth = |n: u64| id((n * 7 + 3) % 26);
    let entry = (0u64..10, past).prop_map(move |(n, past)| (nth(n), past));
    let unready = vec((0u64..10).prop_map(nth), 0..6);
    let usages = prop::collection::btree_map(
        prop::sample::select(vec!["ann", "bob", "cid"]),
        (0u64..1000, any_quota()),
        0..4,
    );
    (vec(entry, 0..10), usages, unready).prop_map(|(entries, usages, unready)| Known {
        unready: unready
            .into_iter()
            .map(|id| (id, "web has 0 of 1".to_owned()))
            .collect(),
        pasts: entries.into_iter().collect(),
        users: usages
            .into_iter()
            .map(|(user, (usage, quota))| {
                let known = UserKnown {
                    quota,
                    usage,
                    ..UserKnown::default()
                };
                (user.to_owned(), known)
            })
            .collect(),
        ..Known::default()
    })
}
