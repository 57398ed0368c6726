//! From the ticket to nothing.

use jiff::{SignedDuration, Timestamp};
use zoe::engine::{Backend, EngineError, Scope, Submitted};
use zoe::model::{Execution, Instance, InstanceState, Mark, Phase, Private, Secret};

use crate::support::{Site, cli, key, launch, random_id};

fn sleeping(name: &str) -> (&str, u32, &'static str) {
    (name, 1, "sleep 100")
}

#[tokio::test]
async fn an_execution_goes_all_its_way() {
    let site = Site::new().await;
    let docker = &site.docker;
    let ticket = site.ticket(&[("main", 1, "sleep 0.3; exit 3"), ("side", 2, "sleep 100")]);
    let mut private = Private::default();
    private
        .secrets
        .insert("token".to_owned(), Secret::new("a=b\nc"));
    private.env.insert("KEY".to_owned(), Secret::new("v"));
    let before = Timestamp::now();

    let submitted = docker.submit(&ticket, &private).await.unwrap();
    assert_eq!(submitted, Submitted::Created);
    let execution = site.execution(ticket.id).await;
    assert_eq!(execution.ticket, ticket);
    assert_eq!(execution.phase(), Phase::Queued);
    assert_eq!(docker.private(ticket.id).await.unwrap(), private);

    docker.start(&launch(&ticket)).await.unwrap();
    assert_eq!(docker.wait(&key(&ticket, "main", 0)).await.unwrap(), 3);
    let execution = site.execution(ticket.id).await;
    assert_eq!(execution.phase(), Phase::Ending(Mark::Ending));
    assert_eq!(execution.instances.len(), 3);
    let monitor = execution.decisive_exit().unwrap();
    assert_eq!(monitor.exit_code(), Some(3));
    let (began, ended) = (monitor.started_at.unwrap(), monitor.finished_at.unwrap());
    assert!(before < began && began < ended && ended < Timestamp::now());
    assert!(!monitor.out_of_memory);
    let second = &execution.instances[2];
    assert_eq!(second.state, InstanceState::Running);
    assert!(second.address.is_some());

    docker.mark(&execution, Mark::Ending).await.unwrap();
    docker.stop(&execution, SignedDuration::ZERO).await.unwrap();
    let stopped = docker.inspect(&execution).await.unwrap();
    assert!(
        stopped.instances.iter().all(|i| i.exit_code().is_some()),
        "{stopped:?}"
    );
    docker.remove(&execution).await.unwrap();
    let rest = site.execution(ticket.id).await;
    assert_eq!((rest.mark, rest.instances.len()), (Some(Mark::Ending), 0));
    docker.remove_ticket(&execution).await.unwrap();
    site.assert_empty();
}

#[tokio::test]
async fn everything_can_be_done_twice() {
    let site = Site::new().await;
    let docker = &site.docker;
    let ticket = site.run(&[sleeping("main"), sleeping("side")]).await;
    docker.start(&launch(&ticket)).await.unwrap();
    let execution = site.execution(ticket.id).await;
    assert!(matches!(execution.phase(), Phase::Running { .. }));
    assert_eq!(execution.instances.len(), 2);
    for _ in 0..2 {
        docker.mark(&execution, Mark::Cancelled).await.unwrap();
        docker.stop(&execution, SignedDuration::ZERO).await.unwrap();
    }
    let (one, other) = tokio::join!(docker.remove(&execution), docker.remove(&execution));
    one.unwrap();
    other.unwrap();
    for _ in 0..2 {
        docker.remove(&execution).await.unwrap();
        docker.remove_ticket(&execution).await.unwrap();
    }
    site.assert_empty();
    let gone = docker.mark(&execution, Mark::Ending).await.unwrap_err();
    assert!(matches!(gone, EngineError::Gone { .. }), "{gone}");
    let gone = docker.wait(&key(&ticket, "main", 0)).await.unwrap_err();
    assert!(matches!(gone, EngineError::Gone { .. }), "{gone}");
}

#[tokio::test]
async fn what_has_run_is_not_run_again() {
    let site = Site::new().await;
    let (ticket, key) = site.finished("echo once; exit 7").await;
    site.docker.start(&launch(&ticket)).await.unwrap();
    assert_eq!(site.docker.wait(&key).await.unwrap(), 7);
    let log = cli(&[
        "logs",
        &format!("zoe-{}-{}-main-0", site.deployment, ticket.id),
    ]);
    assert_eq!(log, "once");
}

#[tokio::test]
async fn a_start_that_was_cut_short_is_gone_on_with() {
    let site = Site::new().await;
    let ticket = site.ticket(&[sleeping("main"), sleeping("side")]);
    site.submit(&ticket).await;
    let mut part = launch(&ticket);
    part.instances.truncate(1);
    site.docker.start(&part).await.unwrap();
    assert_eq!(site.execution(ticket.id).await.phase(), Phase::Starting);
    site.docker.start(&launch(&ticket)).await.unwrap();
    let execution = site.execution(ticket.id).await;
    assert!(matches!(execution.phase(), Phase::Running { .. }));
    site.end(&execution).await;
    site.assert_empty();
}

#[tokio::test]
async fn the_first_mark_stays_and_a_claimed_name_is_free_again() {
    let site = Site::new().await;
    let mut first = site.ticket(&[sleeping("main")]);
    first.name_claimed = true;
    assert_eq!(site.submit(&first).await, Submitted::Created);
    let mut second = first.clone();
    second.id = random_id();
    assert_eq!(site.submit(&second).await, Submitted::Taken);

    let seen = site.execution(first.id).await;
    site.docker.mark(&seen, Mark::TimedOut).await.unwrap();
    assert_eq!(site.submit(&second).await, Submitted::Created);
    // By now the name is another's: marking again, from what was seen before, must not touch it.
    site.docker.mark(&seen, Mark::Cancelled).await.unwrap();
    assert_eq!(site.execution(first.id).await.mark, Some(Mark::TimedOut));
    assert_eq!(site.execution(second.id).await.mark, None);
}

#[tokio::test]
async fn a_keyed_execution_is_taken_until_it_is_gone() {
    let site = Site::new().await;
    let mut ticket = site.ticket(&[sleeping("main")]);
    ticket.key = Some("nightly".to_owned());
    assert_eq!(site.submit(&ticket).await, Submitted::Created);
    assert_eq!(site.submit(&ticket).await, Submitted::Taken);
    let execution = site.execution(ticket.id).await;
    site.docker.mark(&execution, Mark::Ending).await.unwrap();
    assert_eq!(site.submit(&ticket).await, Submitted::Taken);
    site.docker.remove_ticket(&execution).await.unwrap();
    assert_eq!(site.submit(&ticket).await, Submitted::Created);
}

#[tokio::test]
async fn of_many_who_submit_the_same_one_wins() {
    let site = Site::new().await;
    let ticket = site.ticket(&[sleeping("main")]);
    let outcomes = futures_util::future::join_all((0..8).map(|_| site.submit(&ticket))).await;
    let created = outcomes.iter().filter(|o| **o == Submitted::Created);
    assert_eq!(created.count(), 1);
}

#[tokio::test]
async fn an_instance_gets_what_it_was_promised() {
    let site = Site::new().await;
    let ticket = site.ticket(&[
        ("main", 1, "httpd -f -p 8080 -h /run/secrets"),
        sleeping("side"),
    ]);
    site.submit(&ticket).await;
    let mut launch = launch(&ticket);
    let main = &mut launch.instances[0];
    main.publish = vec![8080];
    main.secrets = vec![("token".to_owned(), Secret::new("s3cret"))];
    main.env = vec![("COLOUR".to_owned(), Secret::new("blue = green"))];
    site.docker.start(&launch).await.unwrap();

    let execution = site.execution(ticket.id).await;
    let main = &execution.instances[0];
    let [port] = &main.ports[..] else {
        panic!("{main:?}");
    };
    assert_eq!(
        (port.container, port.host.to_string()),
        (8080, "127.0.0.1".to_owned())
    );
    assert_ne!(port.public, 0);
    let id = main.container_id.as_str();
    assert_eq!(
        cli(&["exec", id, "env"])
            .matches("COLOUR=blue = green")
            .count(),
        1
    );
    assert_eq!(cli(&["exec", id, "hostname"]), "main-0");
    assert_eq!(
        cli(&["exec", "-u", "1234", id, "cat", "/run/secrets/token"]),
        "s3cret"
    );
    // A real init is the first process.
    assert!(cli(&["exec", id, "readlink", "/proc/1/exe"]).ends_with("init"));
    let limits = "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}";
    let inspected = cli(&["inspect", "-f", limits, id]);
    assert_eq!(inspected, format!("250000000 {0} {0}", 32 << 20));
    assert!(!cli(&["inspect", id]).contains("s3cret"));
    let neighbour = execution.instances[1].container_id.as_str();
    for host in ["main", "main-0"] {
        let url = format!("http://{host}:8080/token");
        assert_eq!(cli(&["exec", neighbour, "wget", "-qO-", &url]), "s3cret");
    }
}

#[tokio::test]
async fn an_interrupted_removal_still_shows_the_end() {
    let site = Site::new().await;
    let (ticket, _) = site.finished("exit 4").await;
    let execution = site.execution(ticket.id).await;
    assert_eq!(
        execution.decisive_exit().and_then(Instance::exit_code),
        Some(4)
    );
    let summary = |execution: &Execution| (execution.phase(), execution.instances.len());
    assert_eq!(summary(&execution), (Phase::Ending(Mark::Ending), 1));
    // What somebody else removed meanwhile is no error.
    cli(&["rm", &execution.instances[0].container_id]);
    let again = site.docker.inspect(&execution).await.unwrap();
    assert!(again.instances.is_empty());
    site.end(&execution).await;
    site.assert_empty();
}

#[tokio::test]
async fn everything_is_one_node_with_its_size() {
    let site = Site::new().await;
    let snapshot = site.docker.observe(Scope::Everything).await.unwrap();
    let [node] = &snapshot.nodes[..] else {
        panic!("{snapshot:?}");
    };
    let cpus: u64 = cli(&["info", "-f", "{{.NCPU}}"]).parse().unwrap();
    assert_eq!(node.capacity.cores.millis(), cpus * 1000);
    assert_eq!(node.name, cli(&["info", "-f", "{{.Name}}"]));
    assert!(snapshot.gaps.is_empty());
}
