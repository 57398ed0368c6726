use serde_json::{Value, json};

use super::*;
use crate::model::{Availability, Bytes, Cores, ExecutionId};

const DOWN: &str = "2026-11-22T19:00:00Z";

fn deployment() -> Deployment {
    "dep".parse().unwrap()
}

fn key(index: u32) -> InstanceKey {
    InstanceKey {
        execution: ExecutionId::from_bits(1),
        component: "worker".parse().unwrap(),
        index,
    }
}

fn cluster() -> Cluster {
    let node = |id: &str, state: &str| {
        serde_json::from_value(json!({
            "ID": id, "UpdatedAt": DOWN, "Spec": { "Labels": { "disk": "ssd" }, "Availability": "active" },
            "Description": {
                "Hostname": format!("host-{id}"), "Engine": { "Labels": { "disk": "hdd", "rack": "1" } },
                "Resources": { "NanoCPUs": 2_000_000_000_u64, "MemoryBytes": 4096 },
            },
            "Status": { "State": state, "Addr": "10.0.0.1" },
        }))
        .unwrap()
    };
    Cluster::new(&[node("up", "ready"), node("gone", "down")])
}

/// A task of the service `s-INDEX`, as 20.10 lists it, with these changes.
fn task(index: u32, changes: &[(&str, Value)]) -> ListedTask {
    let reservation = Resources {
        cores: Cores::from_millis(500),
        memory: Bytes::new(64),
    };
    let mut task = json!({
        "ID": "t", "CreatedAt": "2026-11-22T18:00:00.5Z", "ServiceID": format!("s-{index}"), "NodeID": "up",
        "Spec": {
            "ContainerSpec": { "Image": "x", "Labels": labels::instance(&deployment(), &key(index), reservation) },
            "Resources": { "Reservations": { "NanoCPUs": 500_000_000, "MemoryBytes": 64 } },
            "Placement": { "Constraints": ["node.id==up"] },
        },
        "Status": {
            "Timestamp": "2026-11-22T18:00:01Z", "State": "running", "Message": "started",
            "ContainerStatus": { "ContainerID": "c", "ExitCode": 0 },
            "PortStatus": { "Ports": [
                { "Protocol": "tcp", "TargetPort": 8080, "PublishedPort": 32768 },
                { "Protocol": "tcp", "TargetPort": 8080, "PublishedPort": 32769 },
            ] },
        },
        "DesiredState": "running",
        "NetworksAttachments": [{ "Network": { "ID": "n" }, "Addresses": ["10.214.1.2/24"] }],
    });
    for (path, value) in changes {
        *task.pointer_mut(path).unwrap() = value.clone();
    }
    serde_json::from_value(task).unwrap()
}

fn of(tasks: Vec<ListedTask>) -> (Vec<Instance>, Cluster) {
    let mut cluster = cluster();
    let found = members(&deployment(), None, tasks, &mut cluster);
    (found.instances(&deployment()), cluster)
}

fn state_of(changes: &[(&str, Value)]) -> InstanceState {
    let (found, _) = of(vec![task(0, changes)]);
    let [only] = &found[..] else {
        panic!("{found:?}");
    };
    only.state
}

#[test]
fn a_running_task_is_a_member_with_its_address_and_ports() {
    let (found, _) = of(vec![task(0, &[])]);
    let [member] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(member.key, key(0));
    assert_eq!(
        (member.node.as_str(), member.state),
        ("host-up", InstanceState::Running)
    );
    assert_eq!(member.address, "10.214.1.2".parse().ok());
    let [port] = &member.ports[..] else {
        panic!("{:?}", member.ports);
    };
    assert_eq!(
        (port.container, port.public, port.host.to_string().as_str()),
        (8080, 32768, "10.0.0.1")
    );
    assert_eq!(member.reservation.cores.millis(), 500);
    assert!(member.started_at.unwrap() > member.created_at);
}

#[test]
fn every_state_has_its_word() {
    let state = |text: &str| ("/Status/State", json!(text));
    let code = |code: i64| ("/Status/ContainerStatus/ExitCode", json!(code));
    let message = |text: &str| ("/Status/Message", json!(text));
    let none = ("/Status/ContainerStatus/ContainerID", json!(""));
    for waiting in ["new", "pending", "assigned", "preparing", "starting"] {
        assert_eq!(state_of(&[state(waiting)]), InstanceState::Created);
    }
    let exited = |code| InstanceState::Exited { code };
    assert_eq!(state_of(&[state("complete"), code(0)]), exited(0));
    let taken_away = state_of(&[state("shutdown"), code(143)]);
    assert!(matches!(taken_away, InstanceState::Lost { .. }));
    assert_eq!(
        state_of(&[state("shutdown"), none.clone()]),
        InstanceState::Created
    );
    assert_eq!(
        state_of(&[state("rejected"), none, message("No such image: x")]),
        InstanceState::Rejected
    );
    assert_eq!(state_of(&[state("remove")]), InstanceState::Other);
    assert_eq!(state_of(&[state("of the future")]), InstanceState::Other);
}

#[test]
fn a_failure_is_an_exit_only_where_there_was_one() {
    let failed = |words: &str| {
        let mut failed = task(0, &[("/Status/State", json!("failed"))]);
        failed.status.err = words.to_owned();
        failed.status.container_status.as_mut().unwrap().exit_code = 3;
        let (found, _) = of(vec![failed]);
        (found[0].state, found[0].note.clone())
    };
    assert_eq!(
        failed("task: non-zero exit (3)"),
        (InstanceState::Exited { code: 3 }, None)
    );
    let words = "starting container failed: no such device";
    assert_eq!(
        failed(words),
        (InstanceState::Rejected, Some(words.to_owned()))
    );
    let (lost, _) = failed("No such container: c");
    assert!(matches!(lost, InstanceState::Lost { .. }));
}

#[test]
fn what_ran_on_a_node_that_is_down_is_lost_since_then() {
    let changes = [
        ("/NodeID", json!("gone")),
        ("/DesiredState", json!("shutdown")),
    ];
    let lost = state_of(&changes);
    assert_eq!(
        lost,
        InstanceState::Lost {
            since: DOWN.parse().ok()
        }
    );
    let unknown = state_of(&[("/NodeID", json!("never heard of"))]);
    assert_eq!(unknown, InstanceState::Lost { since: None });
}

/// What a member is that was told to stop, with its task in this state and these words.
fn stopped(state: &str, words: &str) -> InstanceState {
    let mut stopped = task(
        0,
        &[
            ("/Status/State", json!(state)),
            ("/Status/ContainerStatus/ExitCode", json!(143)),
        ],
    );
    stopped.status.err = words.to_owned();
    let replacement = task(
        0,
        &[
            ("/CreatedAt", json!("2026-11-22T20:00:00Z")),
            ("/Status/State", json!("pending")),
            ("/Spec/Placement/Constraints", json!([STOPPED])),
            ("/NodeID", json!("")),
        ],
    );
    let (found, _) = of(vec![replacement, stopped]);
    found[0].state
}

#[test]
fn a_stopped_member_is_what_it_was_and_not_what_stopped_it() {
    let exited = InstanceState::Exited { code: 143 };
    assert_eq!(stopped("shutdown", ""), exited);
    // Seen where two of one execution ended on one node at the same moment.
    let stumbled = "error while removing network: unknown network zoe-dep-aaaaaaaa id n";
    assert_eq!(stopped("failed", stumbled), exited);
    assert_eq!(
        stopped("failed", "starting container failed: no such device"),
        InstanceState::Rejected
    );
}

#[test]
fn what_is_being_removed_is_no_member_but_still_there() {
    let removed = [("/DesiredState", json!("remove"))];
    let (found, cluster) = of(vec![task(0, &removed)]);
    assert_eq!(found, []);
    assert_eq!(cluster.node("up").unwrap().others.cores.millis(), 500);
    let (found, cluster) = of(vec![task(0, &[])]);
    assert_eq!(found.len(), 1);
    assert_eq!(cluster.node("up").unwrap().others, Resources::ZERO);
}

#[test]
fn what_strangers_hold_is_counted_until_it_ends() {
    let foreign = |state: &str| {
        task(
            0,
            &[
                ("/Status/State", json!(state)),
                ("/Spec/ContainerSpec/Labels", json!({ "mine": "1" })),
            ],
        )
    };
    let (found, cluster) = of(vec![foreign("running"), foreign("complete")]);
    assert_eq!(found, []);
    assert_eq!(cluster.node("up").unwrap().others.memory.get(), 64);
}

#[test]
fn a_service_without_a_task_is_a_member_that_was_made() {
    let service = serde_json::from_value(json!({
        "ID": "s", "Version": { "Index": 1 }, "CreatedAt": "2026-11-22T18:00:00Z",
        "Spec": {
            "Name": names::instance_name(&deployment(), &key(0)),
            "Labels": labels::instance(&deployment(), &key(0), Resources::ZERO),
        },
    }));
    let services = Some(vec![service.unwrap()]);
    let found = members(&deployment(), services, Vec::new(), &mut cluster());
    let found = found.instances(&deployment());
    assert_eq!(found[0].state, InstanceState::Created);
}

#[test]
fn a_node_has_the_labels_of_its_engine_and_of_the_swarm() {
    let cluster = cluster();
    let node = cluster.node("up").unwrap();
    let labels: Vec<_> = node
        .labels
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(labels, [("disk", "ssd"), ("rack", "1")]);
    assert_eq!(node.availability, Availability::Active);
    assert_eq!(node.capacity.cores.millis(), 2000);
    assert!(cluster.is_silent("gone") && !cluster.is_silent("up"));
}
