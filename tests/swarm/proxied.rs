//! Routes to the nodes' own addresses, through a real Apache on another machine than theirs.

use crate::common::apache::Apache;
use crate::routed::{application, life, settings};
use crate::site::Site;

fn behind(apache: &Apache, mut site: Site) -> Site {
    for (name, value) in settings(apache) {
        site = site.with(name, &value);
    }
    site
}

#[test]
fn pages_on_several_nodes() {
    let mut apache = Apache::new();
    let site = behind(&apache, Site::shared());
    let file = site.application(&application(&site.image));
    let upstreams = life(&mut apache, &file, |args| site.run(args).expect(0));
    let nodes = site.lab.nodes();
    for upstream in &upstreams {
        assert!(
            nodes.iter().any(|node| node.address == *upstream),
            "{upstreams:?}"
        );
    }
}

/// One Engine, and it is elsewhere: what it publishes on all its addresses is reached at the one that zoe reaches it at.
#[test]
fn pages_on_one_engine_elsewhere() {
    let mut apache = Apache::new();
    let site = behind(&apache, Site::shared());
    let node = site.lab.node("n3").clone();
    let site = site
        .with("ZOE_DOCKER_SWARM_MANAGER_URL", &node.url)
        .with("ZOE_DOCKER_BACKEND", "engine")
        .with("ZOE_DOCKER_PUBLISH_ADDRESS", "0.0.0.0");
    let file = site.application(&application(&site.image));
    let upstreams = life(&mut apache, &file, |args| site.run(args).expect(0));
    assert_eq!(upstreams, [node.address.clone(), node.address]);
}
