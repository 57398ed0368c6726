//! A registry that wants a login: each node gets what it runs with the login that the docker CLI would use.

use crate::common::Ran;
use crate::server::{PASSWORD, Registry, USER};
use crate::site::Site;

/// Spark's components with a tiny image, each on a node of its own, and a driver that shows the submitted file.
const SETTINGS: [&str; 16] = [
    "master.image=zoe-test/tiny:1",
    "worker.image=zoe-test/tiny:1",
    "driver.image=zoe-test/tiny:1",
    r#"master.command=["sleep", "1000"]"#,
    r#"worker.command=["sleep", "1000"]"#,
    r#"driver.command=["sh", "-c", "cat /opt/zoe/job/*; exit 3"]"#,
    "master.memory=16m",
    "worker.memory=16m",
    "driver.memory=16m",
    "master.overhead.at_least=0m",
    "worker.overhead.at_least=0m",
    "driver.overhead.at_least=0m",
    "worker.cores=0.1",
    "worker.core=3",
    "driver.cores=0.1",
    "driver.placement.labels.disk=hdd",
];

#[test]
fn nodes_get_images_and_files_from_a_registry_that_wants_a_login() {
    let site = Site::shared();
    let (host, _) = site.lab.registry().split_once(':').unwrap();
    let registry = Registry::closed_at(host);
    registry.log_in(USER, PASSWORD);
    let site = site
        .with("ZOE_DOCKER_PRIVATE_REGISTRY", &registry.address)
        .with(
            "DOCKER_CONFIG",
            registry.docker_directory().to_str().unwrap(),
        );
    let image = format!("{}/zoe-test/tiny:1", registry.address);
    let directory = registry.docker_directory();
    site.lab.docker("n1", &["pull", &site.image]);
    site.lab.docker("n1", &["tag", &site.image, &image]);
    site.lab.docker_as(&directory, "n1", &["push", &image]);
    site.lab.docker("n1", &["rmi", &image]);
    let job = site.path("words.py");
    std::fs::write(&job, "here they are\n").unwrap();
    let settings = SETTINGS.map(|setting| format!("--set={setting}"));
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let words = [&["submit"], &settings[..], &[job.to_str().unwrap()]].concat();
    let run = || -> Ran { site.run(&words) };

    registry.log_in(USER, "wrong");
    let refused = run();
    assert_eq!(refused.code, 125, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("refuses the user 'ada'"),
        "{}",
        refused.stderr
    );
    site.until_nothing_is_left();

    registry.log_in(USER, PASSWORD);
    assert_eq!(run().expect(3), "here they are\n");
    site.until_nothing_is_left();
}
