//! Tickets to instances and URLs.

use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::prelude::*;
use zoe::apps;
use zoe::model::{ExecutionId, Launch, Private, Secret, Terms, Ticket};

use crate::any;

fn ticket(application: &str) -> Ticket {
    Ticket {
        id: ExecutionId::from_bits(3),
        deployment: "ada".parse().unwrap(),
        name: "pi".parse().unwrap(),
        name_claimed: true,
        user: "ada & co".to_owned(),
        application: apps::builtin(application).unwrap(),
        submitted_at: "2026-11-22T10:00:00Z".parse().unwrap(),
        key: None,
        timeout: None,
        terms: Terms::default(),
        proxy: None,
        job_image: Some("zoe-job/ada:0123".to_owned()),
        registry: "registry.example:5000/".to_owned(),
    }
}

fn private() -> Private {
    let secret = |name: &str| (name.to_owned(), Secret::new(format!("{name}-value /")));
    Private {
        secrets: [secret("auth"), secret("token")].into(),
        env: BTreeMap::new(),
    }
}

/// With the values: it is a test's.
fn shown(launch: &Launch) -> String {
    let mut text = String::new();
    for i in &launch.instances {
        let r = i.reservation;
        writeln!(
            text,
            "{}-{} {} ({} cores, {})",
            i.key.component, i.key.index, i.image, r.cores, r.memory
        )
        .unwrap();
        for (name, value) in &i.env {
            writeln!(text, "  {name}={}", value.reveal()).unwrap();
        }
        let secrets: Vec<_> = i
            .secrets
            .iter()
            .map(|(n, v)| (n.as_str(), v.reveal()))
            .collect();
        writeln!(
            text,
            "  command {:?}, secrets {secrets:?}, publish {:?}, aliases {:?}",
            i.command, i.publish, i.aliases
        )
        .unwrap();
    }
    text
}

#[test]
fn a_job_is_filled_in() {
    let mut ticket = ticket("spark-submit");
    apps::append_args(
        &mut ticket.application,
        ["/opt/zoe/job/pi.py", "$1000", "${x}"],
    )
    .unwrap();
    apps::add_env_line(&mut ticket.application, "SPARK_CONF", "spark.x $y").unwrap();
    apps::add_env_line(&mut ticket.application, "SPARK_CONF", "spark.z 1").unwrap();
    let mut private = private();
    private
        .env
        .insert("SPARK_DRIVER_RAM".to_owned(), Secret::new("${5}m"));
    let launch = apps::expand(&ticket, &private, &BTreeMap::new()).unwrap();
    insta::assert_snapshot!(shown(&launch), @r#"
    master-0 registry.example:5000/zoe/spark-master:latest (0.5 cores, 896 MiB)
      SPARK_CONF=spark.x $y
    spark.z 1
      SPARK_DRIVER_RAM=${5}m
      SPARK_MASTER_IP=master
      SPARK_REVERSE_PROXY_URL=
      command None, secrets [("auth", "auth-value /")], publish [8080], aliases ["master", "master-0"]
    worker-0 registry.example:5000/zoe/spark-worker:latest (0.5 cores, 1.3 GiB)
      SPARK_CONF=spark.x $y
    spark.z 1
      SPARK_DRIVER_RAM=${5}m
      SPARK_MASTER_IP=master
      SPARK_REVERSE_PROXY_URL=
      SPARK_WORKER_CORES=1
      SPARK_WORKER_RAM=1024m
      command None, secrets [("auth", "auth-value /")], publish [8081], aliases ["worker", "worker-0"]
    worker-1 registry.example:5000/zoe/spark-worker:latest (0.5 cores, 1.3 GiB)
      SPARK_CONF=spark.x $y
    spark.z 1
      SPARK_DRIVER_RAM=${5}m
      SPARK_MASTER_IP=master
      SPARK_REVERSE_PROXY_URL=
      SPARK_WORKER_CORES=1
      SPARK_WORKER_RAM=1024m
      command None, secrets [("auth", "auth-value /")], publish [8081], aliases ["worker", "worker-1"]
    driver-0 zoe-job/ada:0123 (0.5 cores, 1.3 GiB)
      SPARK_CONF=spark.x $y
    spark.z 1
      SPARK_DRIVER_RAM=${5}m
      SPARK_EXECUTOR_RAM=1024m
      SPARK_MASTER_IP=master
      SPARK_REVERSE_PROXY_URL=
      command Some(["/opt/zoe/job/pi.py", "$1000", "${x}"]), secrets [("auth", "auth-value /")], publish [4040], aliases ["driver", "driver-0"]
    "#);
}

#[test]
fn members_are_as_asked() {
    let mut ticket = ticket("spark-submit");
    let worker: zoe::model::ComponentName = "worker".parse().unwrap();
    apps::set(&mut ticket.application, "worker.elastic=3").unwrap();
    apps::set(
        &mut ticket.application,
        "worker.env.I=${self.index}/${self.members}/${worker.core}/${deployment}/${execution.name}",
    )
    .unwrap();
    let with = |n| apps::expand(&ticket, &private(), &[(worker.clone(), n)].into());
    let envs: Vec<String> = with(4)
        .unwrap()
        .instances
        .iter()
        .flat_map(|i| {
            i.env
                .iter()
                .filter(|(n, _)| n == "I")
                .map(|(_, v)| v.reveal().to_owned())
        })
        .collect();
    assert_eq!(
        envs,
        [
            "0/4/2/ada/pi",
            "1/4/2/ada/pi",
            "2/4/2/ada/pi",
            "3/4/2/ada/pi"
        ]
    );
    insta::assert_snapshot!(with(6).unwrap_err().to_string(), @r#"component 'worker' may have 5 members, not 6"#);
    let none = apps::expand(&ticket, &Private::default(), &BTreeMap::new());
    insta::assert_snapshot!(none.unwrap_err().to_string(), @r#"component 'master' needs the secret 'auth', which was not made for this execution; remove it and submit it again"#);
}

#[test]
fn readiness_follows_the_workers() {
    let mut ticket = ticket("spark-cluster");
    apps::set(&mut ticket.application, "worker.core=7").unwrap();
    let thresholds: Vec<u64> = ticket
        .application
        .components
        .iter()
        .map(|c| apps::ready_threshold(&ticket, c).unwrap())
        .collect();
    assert_eq!(thresholds, [7, 0]);
}

#[test]
fn the_token_is_for_the_owner() {
    let mut ticket = ticket("spark-notebook");
    let notebook = ticket.application.components.get_mut(2).unwrap();
    notebook.ports[0].path = "/of/${execution.user}/lab".to_owned();
    let port = notebook.ports[0].clone();
    let url = |private: Option<&Private>| {
        apps::port_url(&ticket, &port, "http://127.0.0.1:32768/", private)
    };
    assert_eq!(url(None), "http://127.0.0.1:32768/of/ada%20%26%20co/lab");
    assert_eq!(
        url(Some(&private())),
        "http://127.0.0.1:32768/of/ada%20%26%20co/lab?token=token-value%20%2F"
    );
    assert_eq!(
        url(Some(&Private::default())),
        "http://127.0.0.1:32768/of/ada%20%26%20co/lab"
    );
}

#[test]
fn registries_are_told_apart_as_docker_does() {
    for (registry, image, reference) in [
        ("", "zoe/x:1", "zoe/x:1"),
        ("r.example", "zoe/x:1", "r.example/zoe/x:1"),
        ("r.example/team/", "debian:12", "r.example/team/debian:12"),
        ("r.example", "localhost/x", "localhost/x"),
        ("r.example", "other:5000/x", "other:5000/x"),
        (
            "r.example",
            "ghcr.io/a/b@sha256:00",
            "ghcr.io/a/b@sha256:00",
        ),
    ] {
        assert_eq!(apps::image_reference(registry, image), reference);
    }
}

proptest! {
    #[test]
    fn every_valid_ticket_expands_the_same_way_twice(ticket in any::ticket()) {
        let few = ticket.application.components.iter().map(|c| (c.name.clone(), c.core.min(3))).collect();
        let private = Private {
            secrets: ["one", "two"].map(|s| (s.to_owned(), Secret::new("v"))).into(),
            env: BTreeMap::new(),
        };
        let launch = apps::expand(&ticket, &private, &few);
        prop_assert!(launch.is_ok(), "{launch:?}");
        prop_assert_eq!(&launch, &apps::expand(&ticket, &private, &few));
        for component in &ticket.application.components {
            prop_assert!(apps::ready_threshold(&ticket, component).is_ok());
        }
    }

    #[test]
    fn arguments_arrive_as_they_are(args in proptest::collection::vec("[^\0]{0,9}", 1..4)) {
        let mut ticket = ticket("spark-submit");
        apps::append_args(&mut ticket.application, &args).unwrap();
        let launch = apps::expand(&ticket, &private(), &BTreeMap::new()).unwrap();
        prop_assert_eq!(launch.instances.last().unwrap().command.as_ref(), Some(&args));
    }
}

#[test]
fn a_member_knows_whose_hosts_its_texts_name() {
    let ticket = ticket("spark-submit");
    let launch = apps::expand(&ticket, &private(), &BTreeMap::new()).unwrap();
    let needs = |component: &str| {
        let mut members = launch.instances.iter();
        let spec = members.find(|i| i.key.component.as_str() == component);
        let names = spec.unwrap().needs.iter().map(ToString::to_string);
        names.collect::<Vec<_>>()
    };
    assert_eq!(needs("master"), ["master"], "its own");
    assert_eq!(needs("worker"), ["master"]);
    assert_eq!(needs("driver"), ["master"]);
}
