//! The routes to members that come and go while their execution goes on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use zoe::apps::{self, Format};
use zoe::engine::gate::Gate;
use zoe::model::ExecutionId;
use zoe::ops::proxy::Proxy;
use zoe::ops::resize::{self, Request};
use zoe::ops::submit::launch::{self, Common};
use zoe::ops::{Silent, submit};
use zoe::proxy::{Site, Way};

use crate::lab::{Lab, lab_of};

const JOB: &str = r#"
schema = 1
name = "job"
monitor = "driver"
[[component]]
name = "driver"
image = "memory/x"
cores = 1
memory = "64m"
command = ["run"]
[[component]]
name = "worker"
image = "memory/x"
elastic = 3
cores = 1
memory = "64m"
command = ["run"]
[[component.port]]
name = "web"
container = 8000
proxy = true
"#;

/// Behind a web server of which each reload keeps what it read, and what there was in Docker.
fn behind_a_web_server() -> Lab {
    let mut lab = lab_of("nodes=n1:2:4g,n2:2:4g&images=all", Gate::open());
    let directory = lab.directory.path();
    std::fs::create_dir(directory.join("reloads")).unwrap();
    let reload = format!(
        "cd {} && n=reloads/$(ls reloads | wc -l) && mkdir $n && cp routes world.json $n",
        directory.display()
    );
    let site = Site {
        secure: false,
        name: "zoe.example.org".to_owned(),
        prefix: "/zoe".to_owned(),
        file: Some(directory.join("routes")),
        way: Way::Fragment {
            configtest: "true".to_owned(),
            reload,
            interval: Duration::ZERO,
        },
    };
    lab.context.proxy = Some(Arc::new(Proxy::new(site)));
    lab
}

async fn started(lab: &Lab) -> ExecutionId {
    let application = apps::parse(JOB, Format::Toml).unwrap();
    let submission = launch::application(application, Common::default()).unwrap();
    let accepted = submit::submit(&lab.context, &submission, &Silent).await;
    let id = accepted.unwrap().id();
    lab.pass().await;
    id
}

async fn resized(lab: &Lab, members: u32) {
    let request = Request {
        execution: "last".to_owned(),
        component: None,
        members,
    };
    let resized = resize::resize(&lab.context, &request, &Silent).await;
    assert_eq!(resized.unwrap().members, members);
}

/// Which workers there are routes to in this directory's file.
fn routed(directory: &Path) -> Vec<u32> {
    let text = std::fs::read_to_string(directory.join("routes")).unwrap();
    let has = |index: &u32| text.contains(&format!("/worker.{index}/web/\">"));
    (0..4).filter(has).collect()
}

/// Whether the web server was reloaded without the route to this worker while its container was there.
fn went_first(lab: &Lab, id: ExecutionId, index: u32) -> bool {
    let reloads = lab.directory.path().join("reloads");
    std::fs::read_dir(reloads).unwrap().any(|reload| {
        let reload = reload.unwrap().path();
        let world = std::fs::read_to_string(reload.join("world.json")).unwrap();
        let is_there = world.contains(&format!("-{id}-worker-{index}\""));
        is_there && !routed(&reload).contains(&index)
    })
}

#[tokio::test]
async fn a_resize_brings_them_and_takes_them_out_first() {
    let lab = behind_a_web_server();
    let id = started(&lab).await;
    let now = || routed(lab.directory.path());
    assert_eq!(now(), [0, 1, 2]);
    assert!((0..3).all(|index| !went_first(&lab, id, index)));
    resized(&lab, 1).await;
    assert_eq!(now(), [0]);
    let first: Vec<bool> = (0..3).map(|index| went_first(&lab, id, index)).collect();
    assert_eq!(first, [false, true, true]);
    resized(&lab, 2).await;
    assert_eq!(now(), [0, 1]);
}

#[tokio::test]
async fn those_of_members_that_are_given_up_go_first() {
    let mut lab = behind_a_web_server();
    lab.context.settings.node_grace = SignedDuration::from_millis(200);
    let id = started(&lab).await;
    assert_eq!(
        lab.running(id).await,
        ["driver-0@n1", "worker-0@n1", "worker-1@n2", "worker-2@n2"]
    );
    lab.down("n2");
    let left = ["driver-0@n1", "worker-0@n1"];
    lab.until("they are given up", async |lab| {
        let seen = lab.seen(id).await.unwrap();
        lab.running(id).await == left && seen.instances.len() == 2
    })
    .await;
    assert_eq!(routed(lab.directory.path()), [0]);
    assert!(went_first(&lab, id, 1) && went_first(&lab, id, 2));
}
