//! What is not ours, or of nobody.

use zoe::engine::{Backend, EngineError, Scope};
use zoe::model::OrphanKind::{Instance, Network};

use crate::support::{Site, TINY, cli, launch};

#[tokio::test]
async fn what_looks_like_ours_is_reported_and_left_alone() {
    let site = Site::new().await;
    let ours = format!("zoe.deployment={}", site.deployment);
    let id = cli(&[
        "create",
        "--label",
        &ours,
        "--label",
        "zoe.kind=teapot",
        TINY,
        "true",
    ]);
    for scope in [Scope::Executions, Scope::Everything] {
        let snapshot = site.docker.observe(scope).await.unwrap();
        let [anomaly] = &snapshot.anomalies[..] else {
            panic!("{snapshot:?}");
        };
        assert!(anomaly.object.contains(&id[..12]), "{anomaly:?}");
        assert!(snapshot.orphans.is_empty() && snapshot.executions.is_empty());
    }
    assert_eq!(cli(&["inspect", "-f", "{{.State.Status}}", &id]), "created");
}

#[tokio::test]
async fn what_has_no_ticket_is_swept() {
    let site = Site::new().await;
    let ticket = site
        .run(&[("main", 1, "sleep 100"), ("side", 1, "sleep 100")])
        .await;
    let execution = site.execution(ticket.id).await;
    site.docker.remove_ticket(&execution).await.unwrap();
    let mut orphans = site.look().await.orphans;
    orphans.sort_by_key(|orphan| orphan.kind);
    let kinds: Vec<_> = orphans.iter().map(|orphan| orphan.kind).collect();
    assert_eq!(kinds, [Instance, Instance, Network]);
    assert!(orphans.iter().all(|o| o.execution == Some(ticket.id)));
    for _ in 0..2 {
        for orphan in &orphans {
            site.docker.sweep(orphan).await.unwrap();
        }
    }
    site.assert_empty();
}

#[tokio::test]
async fn somebody_elses_container_in_the_way_is_a_conflict() {
    let site = Site::new().await;
    let ticket = site.ticket(&[("main", 1, "sleep 100")]);
    site.submit(&ticket).await;
    let name = format!("zoe-{}-{}-main-0", site.deployment, ticket.id);
    let id = cli(&["create", "--name", &name, TINY, "true"]);
    let error = site.docker.start(&launch(&ticket)).await.unwrap_err();
    let left = cli(&["inspect", "-f", "{{.State.Status}}", &id]);
    cli(&["rm", &id]);
    assert!(matches!(error, EngineError::Conflict { .. }), "{error}");
    assert_eq!(left, "created");
}

#[tokio::test]
async fn another_deployments_containers_take_their_room() {
    let (site, other) = (Site::new().await, Site::new().await);
    let before = site.look().await.nodes[0].others.memory;
    let ticket = other.run(&[("main", 2, "sleep 100")]).await;
    let snapshot = site.look().await;
    let others = snapshot.nodes[0].others;
    // Tests run side by side: others' containers come and go meanwhile.
    assert!(
        others.memory.mib() >= 64 && others.cores.millis() >= 500,
        "{before} {others:?}"
    );
    assert!(!snapshot.executions.contains_key(&ticket.id));
}

#[tokio::test]
async fn a_second_network_of_the_name_is_no_trouble() {
    let site = Site::new().await;
    let ticket = site.ticket(&[("main", 1, "sleep 100")]);
    site.submit(&ticket).await;
    let name = format!("zoe-{}-{}", site.deployment, ticket.id);
    let labels = [
        format!("zoe.deployment={}", site.deployment),
        "zoe.schema=1".to_owned(),
        "zoe.kind=network".to_owned(),
        format!("zoe.execution={}", ticket.id),
    ];
    let mut args = vec!["network", "create"];
    for label in &labels {
        args.extend(["--label", label]);
    }
    args.push(&name);
    cli(&args);
    site.docker.start(&launch(&ticket)).await.unwrap();
    let execution = site.execution(ticket.id).await;
    assert!(execution.instances[0].was_started());
    site.end(&execution).await;
    site.assert_empty();
}
