//! Executions from ticket to removal.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use jiff::SignedDuration;
use zoe::apps;
use zoe::engine::{EngineError, Scope, Submitted, names};
use zoe::labels;
use zoe::model::{InstanceState, JobImage, Mark, Phase, Private, Secret};

use crate::harness::{
    BackendUnderTest, Do, clear, component, everything, execution, fresh_deployment, is_there,
    member, private, run, simple, start, submit, ticket, web,
};

pub async fn what_was_submitted_is_seen_whole(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let mut main = component(
        harness,
        "main",
        &Do::Print("a 'b' \"c\" ${self.index} $$ ü\n"),
    );
    main.env
        .insert("WHO".to_owned(), "${execution.user}\n=…".to_owned());
    main.ports.push(web(8080));
    main.secrets.push("token".to_owned());
    main.elastic = 3;
    let mut full = ticket(harness, vec![main, component(harness, "side", &Do::Run)]);
    full.user = "Ada Lovelace <ada@example.org>".to_owned();
    full.key = Some("nightly 2026-11-22 ☾".to_owned());
    full.timeout = Some(SignedDuration::from_secs(90));
    full.name = "a_name-1.x".parse().unwrap();
    full.name_claimed = true;
    let bare = simple(harness, &Do::Run);
    for ticket in [&full, &bare] {
        submit(&*backend, ticket).await;
    }
    let seen = everything(&*backend).await;
    for ticket in [&full, &bare] {
        let execution = &seen.executions[&ticket.id];
        assert_eq!(execution.ticket, *ticket);
        assert_eq!((execution.phase(), execution.mark), (Phase::Queued, None));
    }
    assert_eq!(seen.executions.len(), 2);
    assert_eq!((&seen.orphans[..], &seen.anomalies[..]), (&[][..], &[][..]));
    assert!(
        seen.nodes
            .iter()
            .all(|node| node.capacity.cores.millis() > 0)
    );
    assert!(!seen.nodes.is_empty());
}

pub async fn the_users_name_decides_a_race(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let tickets: Vec<_> = (0..8)
        .map(|_| {
            let mut ticket = simple(harness, &Do::Run);
            ticket.name = "mine".parse().unwrap();
            ticket.name_claimed = true;
            ticket
        })
        .collect();
    let nothing = Private::default();
    let made = join_all(
        tickets
            .iter()
            .map(|ticket| backend.submit(ticket, &nothing)),
    )
    .await;
    let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        made.iter()
            .filter(|made| **made == Submitted::Created)
            .count(),
        1
    );
    assert_eq!(
        backend
            .observe(Scope::Executions)
            .await
            .unwrap()
            .executions
            .len(),
        1
    );
}

pub async fn a_key_decides_a_race_and_is_taken_until_all_is_gone(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let mut ticket = simple(harness, &Do::Run);
    ticket.key = Some("nightly".to_owned());
    let nothing = Private::default();
    let made = join_all((0..8).map(|_| backend.submit(&ticket, &nothing))).await;
    let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        made.iter()
            .filter(|made| **made == Submitted::Created)
            .count(),
        1
    );
    let found = execution(&*backend, ticket.id).await;
    backend.mark(&found, Mark::Ending).await.unwrap();
    assert_eq!(
        backend.submit(&ticket, &nothing).await.unwrap(),
        Submitted::Taken
    );
    backend.remove_ticket(&found).await.unwrap();
    assert_eq!(
        backend.submit(&ticket, &nothing).await.unwrap(),
        Submitted::Created
    );
}

pub async fn without_its_image_nothing_is_submitted(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let mut ticket = simple(harness, &Do::Run);
    ticket.application.components[0].image = "zoe-test/not-there:1".to_owned();
    let error = backend
        .submit(&ticket, &Private::default())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, EngineError::NoImage { image, .. } if image == "zoe-test/not-there:1"),
        "{error:?}"
    );
    assert_eq!(harness.raw(backend.deployment()), []);
}

pub async fn private_values_read_back_and_are_in_no_label(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let ticket = simple(harness, &Do::Run);
    let secret = |text: &str| Secret::new(text);
    let private = Private {
        secrets: BTreeMap::from([
            ("auth".to_owned(), secret("hidden=1\n2")),
            ("to-ken".to_owned(), secret("hidden")),
        ]),
        env: BTreeMap::from([
            ("API_KEY".to_owned(), secret("hidden \"3\"")),
            ("EMPTY".to_owned(), secret("")),
        ]),
    };
    backend.submit(&ticket, &private).await.unwrap();
    assert_eq!(backend.private(ticket.id).await.unwrap(), private);
    let raw = harness.raw(backend.deployment());
    assert!(raw[0].env.iter().any(|entry| entry.contains("hidden")));
    for text in raw.iter().flat_map(|raw| raw.labels.values()) {
        assert!(!text.contains("hidden"), "{text}");
    }
    let nobody = simple(harness, &Do::Run).id;
    assert!(matches!(
        backend.private(nobody).await,
        Err(EngineError::Gone { .. })
    ));
}

pub async fn the_first_mark_stays_and_frees_the_name(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    for mark in [Mark::Ending, Mark::Cancelled, Mark::TimedOut, Mark::Failed] {
        let mut ticket = simple(harness, &Do::Run);
        ticket.name = "mine".parse().unwrap();
        ticket.name_claimed = true;
        let found = submit(&*backend, &ticket).await;
        backend.mark(&found, mark).await.unwrap();
        for other in [mark, Mark::Cancelled, Mark::Ending] {
            backend.mark(&found, other).await.unwrap();
        }
        let marked = execution(&*backend, ticket.id).await;
        assert_eq!(marked.mark, Some(mark));
        assert_eq!(marked.ticket, ticket);
    }
    let found = submit(&*backend, &simple(harness, &Do::Run)).await;
    clear(&*backend, &found).await;
    let error = backend.mark(&found, Mark::Ending).await.unwrap_err();
    assert!(matches!(error, EngineError::Gone { .. }), "{error:?}");
}

pub async fn members_are_started_seen_and_left_alone(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let mut worker = component(harness, "worker", &Do::Run);
    worker.core = 3;
    worker.ports.push(web(8081));
    let mut main = component(harness, "main", &Do::Run);
    main.ports.push(web(8080));
    let ticket = ticket(harness, vec![main, worker]);
    let before = run(&*backend, &ticket).await;
    assert!(matches!(before.phase(), Phase::Running { .. }));
    let keys: Vec<_> = before
        .instances
        .iter()
        .map(|i| (i.key.component.as_str(), i.key.index))
        .collect();
    assert_eq!(
        keys,
        [("main", 0), ("worker", 0), ("worker", 1), ("worker", 2)]
    );
    let nodes: BTreeSet<_> = everything(&*backend)
        .await
        .nodes
        .into_iter()
        .map(|node| node.name)
        .collect();
    let mut public = BTreeSet::new();
    for instance in &before.instances {
        assert_eq!(instance.state, InstanceState::Running);
        assert_eq!(
            instance.reservation,
            ticket.application.components[0].reservation()
        );
        assert!(nodes.contains(&instance.node), "{instance:?}");
        assert!(instance.address.is_some(), "{instance:?}");
        assert_eq!(instance.ports.len(), 1);
        public.insert((instance.ports[0].host, instance.ports[0].public));
    }
    assert_eq!(public.len(), 4);
    start(&*backend, &ticket).await;
    let after = execution(&*backend, ticket.id).await;
    let ids = |e: &zoe::model::Execution| {
        e.instances
            .iter()
            .map(|i| i.container_id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&before), ids(&after));
    let close = backend.inspect(&after).await.unwrap();
    for instance in &close.instances {
        let started = instance.started_at.unwrap();
        assert!(started >= instance.created_at && !instance.out_of_memory);
        assert_eq!(instance.finished_at, None);
    }
    assert_eq!(ids(&close), ids(&after));
}

pub async fn a_half_made_start_is_gone_on_with(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let deployment = backend.deployment().clone();
    let mut main = component(harness, "main", &Do::Exit(0));
    main.core = 3;
    let ticket = ticket(harness, vec![main]);
    submit(&*backend, &ticket).await;
    let network = names::network_name(&deployment, ticket.id);
    harness.plant_network(&network, &labels::network(&deployment, ticket.id));
    start(&*backend, &ticket).await;
    let key = member(&ticket, "main");
    assert_eq!(backend.wait(&key).await.unwrap(), 0);
    let ended = execution(&*backend, ticket.id).await;
    // One member is missing again, as if it had never been made: the others, which ran, must not run twice.
    let close = backend.inspect(&ended).await.unwrap();
    start(&*backend, &ticket).await;
    let again = backend.inspect(&ended).await.unwrap();
    let times = |e: &zoe::model::Execution| {
        e.instances
            .iter()
            .map(|i| (i.container_id.clone(), i.started_at))
            .collect::<Vec<_>>()
    };
    assert_eq!(times(&close), times(&again));
    let networks = harness
        .raw(&deployment)
        .into_iter()
        .filter(|raw| raw.kind == "network");
    assert_eq!(networks.count(), 1);

    // A member that was made and never started is started, and no other is made in its place.
    let ticket = simple(harness, &Do::Run);
    submit(&*backend, &ticket).await;
    let key = member(&ticket, "main");
    let reservation = ticket.application.components[0].reservation();
    let name = names::instance_name(&deployment, &key);
    let planted = harness.plant_container(
        &name,
        &labels::instance(&deployment, &key, reservation),
        None,
    );
    // On a Swarm a member without a task shows in the list of everything only.
    let seen = everything(&*backend).await;
    assert_eq!(seen.executions[&ticket.id].phase(), Phase::Starting);
    start(&*backend, &ticket).await;
    let found = execution(&*backend, ticket.id).await;
    assert_eq!(found.instances.len(), 1);
    let container = harness.container_of(&planted);
    assert_eq!(found.instances[0].container_id, container);
    assert!(found.instances[0].was_started());
}

pub async fn a_start_without_an_image_fails_and_can_be_cleared(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let mut side = component(harness, "side", &Do::Run);
    side.image = "zoe-test/not-there:1".to_owned();
    let ticket = ticket(harness, vec![component(harness, "main", &Do::Run), side]);
    let found = submit(&*backend, &ticket).await;
    let launch = apps::expand(&ticket, &private(&ticket), &BTreeMap::new()).unwrap();
    let error = backend.start(&launch).await.unwrap_err();
    assert!(matches!(error, EngineError::NoImage { .. }), "{error:?}");
    let half = execution(&*backend, ticket.id).await;
    assert!(
        half.instances.iter().all(|i| !i.was_started()),
        "nothing runs before all is made"
    );
    clear(&*backend, &found).await;
    assert_eq!(harness.raw(backend.deployment()), []);
}

pub async fn what_was_removed_is_gone_and_stays_gone(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let mut worker = component(harness, "worker", &Do::Run);
    worker.core = 2;
    let ticket = ticket(
        harness,
        vec![component(harness, "main", &Do::Exit(0)), worker],
    );
    let found = run(&*backend, &ticket).await;
    for _ in 0..2 {
        backend.remove(&found).await.unwrap();
        let kinds: Vec<_> = harness
            .raw(backend.deployment())
            .into_iter()
            .map(|raw| raw.kind)
            .collect();
        assert_eq!(kinds, ["container"], "only the ticket is left");
        assert_eq!(execution(&*backend, ticket.id).await.phase(), Phase::Queued);
    }
    for _ in 0..2 {
        backend.remove_ticket(&found).await.unwrap();
        assert_eq!(harness.raw(backend.deployment()), []);
    }
    backend.remove(&found).await.unwrap();
    backend
        .stop(&found, SignedDuration::from_secs(1))
        .await
        .unwrap();
    assert!(!is_there(&*backend, ticket.id).await);
    assert_eq!(backend.inspect(&found).await.unwrap().instances, []);
}

pub async fn an_image_in_use_stays(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let found = submit(&*backend, &simple(harness, &Do::Run)).await;
    let image = JobImage {
        docker_id: backend.ensure(&harness.image(), &|_| ()).await.unwrap(),
        tag: harness.image(),
    };
    // A ticket that never ran is enough.
    backend.remove_job_image(&image).await.unwrap();
    assert_eq!(
        backend.ensure(&harness.image(), &|_| ()).await.unwrap(),
        image.docker_id
    );
    clear(&*backend, &found).await;
}

pub async fn deployments_do_not_see_each_other(harness: &dyn BackendUnderTest) {
    let (one, two) = (harness.backend(), harness.of(&fresh_deployment()));
    let ticket = simple(harness, &Do::Run);
    run(&*one, &ticket).await;
    let seen = everything(&*two).await;
    assert!(seen.executions.is_empty() && seen.orphans.is_empty());
    let mut twin = ticket.clone();
    twin.deployment = two.deployment().clone();
    let other = run(&*two, &twin).await;
    let others = everything(&*one)
        .await
        .nodes
        .into_iter()
        .map(|node| node.others);
    let held: u64 = others.map(|held| held.cores.millis()).sum();
    assert!(held >= 100, "what others hold is counted: {held}");
    clear(&*two, &other).await;
    assert_eq!(harness.raw(two.deployment()), []);
    assert_eq!(execution(&*one, ticket.id).await.instances.len(), 1);
}

pub async fn observing_beside_others_invents_nothing(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let lives: Vec<_> = (0..4)
        .map(|_| {
            let backend = backend.clone();
            let tickets = [simple(harness, &Do::Run), simple(harness, &Do::Run)];
            tokio::spawn(async move {
                for ticket in tickets {
                    let found = run(&*backend, &ticket).await;
                    clear(&*backend, &found).await;
                }
            })
        })
        .collect();
    while lives.iter().any(|life| !life.is_finished()) {
        let seen = everything(&*backend).await;
        assert_eq!(seen.anomalies, []);
        for orphan in seen.orphans {
            // What was seen is gone by now, or it was never an orphan.
            assert!(
                !harness.exists("container", &orphan.docker_id),
                "{orphan:?}"
            );
            assert!(!harness.exists("network", &orphan.docker_id), "{orphan:?}");
        }
        tokio::task::yield_now().await;
    }
    for life in lives {
        life.await.unwrap();
    }
}

pub async fn changes_are_hinted_at(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let mut changes = backend.changes().await.unwrap();
    let hint = async { assert_eq!(changes.next().await, Some(())) };
    let change = async {
        // The listening may begin a little after the call has returned.
        loop {
            let found = run(&*backend, &simple(harness, &Do::Exit(0))).await;
            clear(&*backend, &found).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = hint => {}
        () = change => {}
    }
}
