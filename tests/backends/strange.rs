//! What zoe did not make, or made and forgot.

use jiff::SignedDuration;
use zoe::apps;
use zoe::engine::{EngineError, names};
use zoe::labels::{self, Labels};
use zoe::model::{ExecutionId, InstanceKey, OrphanKind, Resources};

use crate::harness::{
    BackendUnderTest, Do, clear, everything, execution, fresh_deployment, member, private, run,
    simple, submit,
};

pub async fn orphans_are_seen_and_swept(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let deployment = backend.deployment().clone();
    let kept = run(&*backend, &simple(harness, &Do::Run)).await;
    let lost = ExecutionId::from_bits(rand::random());
    let key = |component: &str| InstanceKey {
        execution: lost,
        component: component.parse().unwrap(),
        index: 0,
    };
    let builder = harness.plant_container(
        &names::builder_name(&deployment, "0"),
        &labels::builder(&deployment),
        None,
    );
    let mut expected = vec![(OrphanKind::Builder, builder, None)];
    for (component, what) in [("made", None), ("runs", Some(Do::Run))] {
        let labels = labels::instance(&deployment, &key(component), Resources::ZERO);
        let name = names::instance_name(&deployment, &key(component));
        let id = harness.plant_container(&name, &labels, what.as_ref());
        expected.push((OrphanKind::Instance, id, Some(lost)));
    }
    let network = names::network_name(&deployment, lost);
    let network = harness.plant_network(&network, &labels::network(&deployment, lost));
    expected.push((OrphanKind::Network, network, Some(lost)));

    let seen = everything(&*backend).await;
    let mut orphans: Vec<_> = seen
        .orphans
        .iter()
        .map(|o| (o.kind, o.docker_id.clone(), o.execution))
        .collect();
    orphans.sort();
    expected.sort();
    assert_eq!(orphans, expected);
    for _ in 0..2 {
        for orphan in &seen.orphans {
            backend.sweep(orphan).await.unwrap();
        }
        let after = everything(&*backend).await;
        assert_eq!(after.orphans, []);
        assert_eq!(after.executions.len(), 1);
    }
    assert_eq!(
        execution(&*backend, kept.ticket.id).await.instances,
        kept.instances
    );
}

pub async fn what_cannot_be_read_is_reported_and_left_alone(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let deployment = backend.deployment().clone();
    let ticket = simple(harness, &Do::Run);
    let found = run(&*backend, &ticket).await;
    let spoil = |mut labels: Labels, key: &str, value: &str| {
        labels.insert(key.to_owned(), value.to_owned());
        labels
    };
    let instance = labels::instance(&deployment, &member(&ticket, "main"), Resources::ZERO);
    let spoiled = [
        spoil(labels::ticket(&ticket), labels::APPLICATION, "{"),
        spoil(instance.clone(), labels::INDEX, "first"),
        spoil(instance.clone(), labels::SCHEMA, "99"),
        spoil(instance, labels::KIND, "teapot"),
    ];
    let name = |index: usize| format!("zoe-test-{deployment}-{index}");
    let mut ids: Vec<_> = spoiled
        .iter()
        .enumerate()
        .map(|(index, labels)| {
            (
                "container",
                harness.called("container", labels),
                harness.plant_container(&name(index), labels, None),
            )
        })
        .collect();
    let network = spoil(
        labels::network(&deployment, ticket.id),
        labels::EXECUTION,
        "NOT AN ID",
    );
    let network = harness.plant_network(&name(100), &network);
    ids.push(("network", "network", network));
    let plain = harness.plant_container(&name(200), &Labels::new(), None);

    let seen = everything(&*backend).await;
    for (_, called, id) in &ids {
        let object = format!("{called} {}", &id[..12]);
        let reported = seen
            .anomalies
            .iter()
            .filter(|a| a.object.starts_with(&object));
        assert_eq!(reported.count(), 1, "{object}: {:?}", seen.anomalies);
    }
    assert!(
        !seen
            .anomalies
            .iter()
            .any(|a| a.object.contains(&plain[..12]))
    );
    assert_eq!(seen.orphans, []);
    assert_eq!(seen.executions.len(), 1);
    assert_eq!(seen.executions[&ticket.id].instances.len(), 1);

    backend
        .stop(&found, SignedDuration::from_secs(1))
        .await
        .unwrap();
    clear(&*backend, &found).await;
    for (kind, _, id) in &ids {
        // What looks like this execution's and can't be read is not touched with it.
        assert!(harness.exists(kind, id), "{kind} {id}");
    }
    assert!(harness.exists("container", &plain));
    assert!(
        !everything(&*backend)
            .await
            .executions
            .contains_key(&ticket.id)
    );
}

pub async fn a_foreign_container_in_the_way_is_a_conflict(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let deployment = backend.deployment().clone();
    let other = labels::instance(
        &fresh_deployment(),
        &member(&simple(harness, &Do::Run), "main"),
        Resources::ZERO,
    );
    for labels in [Labels::new(), other] {
        let ticket = simple(harness, &Do::Run);
        let found = submit(&*backend, &ticket).await;
        let name = names::instance_name(&deployment, &member(&ticket, "main"));
        let foreign = harness.plant_container(&name, &labels, None);
        let launch = apps::expand(&ticket, &private(&ticket), &[].into()).unwrap();
        let error = backend.start(&launch).await.unwrap_err();
        assert!(matches!(error, EngineError::Conflict { .. }), "{error:?}");
        clear(&*backend, &found).await;
        assert!(harness.exists("container", &foreign));
    }
}

pub async fn a_copied_ticket_is_no_second_execution(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let ticket = simple(harness, &Do::Run);
    let found = run(&*backend, &ticket).await;
    let name = format!("zoe-test-{}-copy", backend.deployment());
    let copy = harness.plant_container(&name, &labels::ticket(&ticket), None);
    let seen = everything(&*backend).await;
    assert_eq!(seen.executions.len(), 1);
    assert_eq!(seen.executions[&ticket.id].instances, found.instances);
    assert_eq!(seen.anomalies.len(), 1);
    assert!(seen.anomalies[0].object.contains(&copy[..12]));
}
