//! No daemon, and calls that go wrong.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use zoe::engine::docker::DockerBackend;
use zoe::engine::endpoint::{Address, Endpoint, EndpointOrigin};
use zoe::engine::gate::Gate;
use zoe::engine::{Backend, EngineError, Scope, Submitted};
use zoe::model::{Deployment, Mark, Private};

use crate::support::{LOCALHOST, Site, backend, launch};

async fn error_at(address: Address) -> String {
    error_within(address, zoe::engine::endpoint::PATIENCE).await
}

async fn error_within(address: Address, patience: Duration) -> String {
    let endpoint = Endpoint {
        address,
        origin: EndpointOrigin::DockerHost,
        patience,
    };
    let deployment: Deployment = "nobody".parse().unwrap();
    let docker = DockerBackend::new(&endpoint, deployment, LOCALHOST, Gate::open()).unwrap();
    let error = docker.observe(Scope::Executions).await.unwrap_err();
    assert!(matches!(error, EngineError::Unreachable { .. }), "{error}");
    error.to_string()
}

#[tokio::test]
async fn where_there_is_no_docker_it_is_said_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("docker.sock");
    let error = error_at(Address::Unix(socket.clone())).await;
    assert!(error.contains("is Docker installed"), "{error}");
    assert!(error.contains(socket.to_str().unwrap()), "{error}");

    drop(UnixListener::bind(&socket).unwrap());
    let error = error_at(Address::Unix(socket)).await;
    assert!(error.contains("systemctl start docker"), "{error}");

    let error = error_at(Address::Tcp {
        host: "127.0.0.1".to_owned(),
        port: 1,
        tls: None,
    })
    .await;
    assert!(error.contains("connection refused"), "{error}");
}

#[tokio::test]
async fn whoever_does_not_answer_is_waited_for_as_long_as_the_configuration_says() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("docker.sock");
    // Connections are taken by the kernel, and nobody ever answers.
    let _listener = UnixListener::bind(&socket).unwrap();
    let begun = Instant::now();
    let error = error_within(Address::Unix(socket), Duration::from_secs(1)).await;
    assert!(error.contains("no answer within 1 s"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn whoever_hangs_up_is_no_docker() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            drop(stream);
        }
    });
    let error = error_at(Address::Unix(socket)).await;
    assert!(error.contains("connection broke"), "{error}");
}

/// Lets the n-th call of a whole life go wrong, for every n, and sees that doing it again ends well and leaves nothing.
async fn every_call_goes_wrong(kind: &str, components: &[(&str, u32, &str)]) {
    let mut reached_the_end = false;
    for n in 1..40 {
        let site = Site::new().await;
        let ticket = site.ticket(components);
        let gated = backend(
            &site.deployment,
            Gate::parse(&format!("{kind}:{n}")).unwrap(),
        );
        let clean = life(&gated, &ticket).await.is_ok();
        life(&site.docker, &ticket).await.unwrap();
        site.assert_empty();
        if clean {
            reached_the_end = true;
            break;
        }
    }
    assert!(reached_the_end);
}

async fn life(docker: &DockerBackend, ticket: &zoe::model::Ticket) -> zoe::engine::Result<()> {
    let submitted = docker.submit(ticket, &Private::default()).await?;
    assert!(matches!(submitted, Submitted::Created | Submitted::Taken));
    let mut snapshot = docker.observe(Scope::Everything).await?;
    let Some(execution) = snapshot.executions.remove(&ticket.id) else {
        return Ok(());
    };
    docker.start(&launch(ticket)).await?;
    docker.mark(&execution, Mark::Ending).await?;
    docker.stop(&execution, jiff::SignedDuration::ZERO).await?;
    docker.remove(&execution).await?;
    docker.remove_ticket(&execution).await.map(drop)
}

#[tokio::test]
async fn after_a_refused_call_everything_can_be_done_again() {
    every_call_goes_wrong("fail", &[("main", 1, "exit 0")]).await;
}

#[tokio::test]
async fn after_a_lost_answer_everything_can_be_done_again() {
    every_call_goes_wrong("lost", &[("main", 1, "exit 0"), ("side", 1, "sleep 100")]).await;
}
