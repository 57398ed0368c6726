//! Routes to the addresses that the Engines publish on, through a real Apache on another machine.

use std::process::Command;

use crate::apache::Apache;
use crate::classic::Classic;
use crate::harness::BackendUnderTest;
use crate::routed::{application, life, settings};

#[tokio::test(flavor = "multi_thread")]
async fn pages_on_several_nodes() {
    let harness = Classic::new().await;
    let backend = harness.backend();
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("pages.toml");
    std::fs::write(&file, application(&harness.image())).unwrap();
    let mut apache = Apache::new();
    let settings = settings(&apache);
    let zoe = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_zoe"))
            .args(args)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .env("ZOE_DEPLOYMENT", backend.deployment().as_str())
            .env("ZOE_DOCKER_SWARM_MANAGER_URL", harness.url())
            .env("ZOE_DOCKER_PRIVATE_REGISTRY", harness.lab.registry())
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let upstreams = life(&mut apache, file.to_str().unwrap(), zoe);
    let nodes = harness.lab.nodes();
    for upstream in &upstreams {
        assert!(
            nodes.iter().any(|node| node.address == *upstream),
            "{upstreams:?}"
        );
    }
    assert_ne!(upstreams[0], upstreams[1]);
}
