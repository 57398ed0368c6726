//! The built-in applications, and that every application survives being written and read.

use proptest::prelude::*;
use zoe::apps::{self, Format};
use zoe::model::{Bytes, Cores, Resources};

use crate::any;

#[test]
fn each_is_valid_and_survives_being_written() {
    for (name, text) in apps::builtins() {
        let application = apps::parse(text, Format::Toml).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(application.name, *name);
        assert!(!application.description.is_empty(), "{name}");
        assert_eq!(apps::builtin(name).as_ref(), Some(&application));
        let toml = apps::to_toml(&application);
        assert_eq!(
            apps::parse(&toml, Format::Toml).as_ref(),
            Ok(&application),
            "{toml}"
        );
        let json = apps::to_json(&application);
        assert_eq!(apps::from_json(&json).as_ref(), Ok(&application));
        assert_eq!(apps::parse(&json, Format::Json).as_ref(), Ok(&application));
    }
    assert_eq!(apps::builtin("spark"), None);
}

#[test]
fn each_fits_a_small_machine() {
    let machine = Resources {
        cores: Cores::from_millis(2000),
        memory: Bytes::from_mib(8192),
    };
    for (name, _) in apps::builtins() {
        let needs = apps::builtin(name).unwrap().core_reservation();
        assert!(needs.fits(machine), "{name}: {needs:?}");
    }
    let submit = apps::builtin("spark-submit").unwrap().core_reservation();
    assert_eq!(submit.cores, Cores::from_millis(500 + 500 + 2 * 500));
    assert_eq!(
        submit.memory,
        Bytes::from_mib((512 + 384) + (1024 + 384) * 3)
    );
}

proptest! {
    #[test]
    fn any_application_survives_being_written(application in any::application()) {
        let json = apps::to_json(&application);
        prop_assert_eq!(apps::from_json(&json), Ok(application.clone()));
        prop_assert_eq!(apps::parse(&json, Format::Json), Ok(application.clone()));
        let toml = apps::to_toml(&application);
        prop_assert_eq!(apps::parse(&toml, Format::Toml), Ok(application));
    }

    #[test]
    fn reading_never_panics(text in any::<String>()) {
        let _ = apps::parse(&text, Format::Toml);
        let _ = apps::parse(&text, Format::Json);
        let _ = apps::from_json(&text);
    }
}

#[test]
fn what_is_written_is_for_people() {
    insta::assert_snapshot!(apps::to_toml(&apps::builtin("spark-cluster").unwrap()), @r#"
    schema = 1
    name = "spark-cluster"
    description = "An empty Spark cluster"
    monitor = "master"
    secrets = ["auth"]

    [activity]
    idle_timeout = "never"
    spark = "master/web"

    [[component]]
    name = "master"
    image = "zoe/spark-master:latest"
    core = 1
    cores = "0.5"
    memory = "512m"
    secrets = ["auth"]

    [component.overhead]
    percent = 10
    at_least = "384m"

    [component.env]
    SPARK_MASTER_IP = "${master.host}"
    SPARK_REVERSE_PROXY_URL = "${master.port.web.path}"

    [[component.port]]
    name = "spark"
    container = 7077
    protocol = "tcp"

    [[component.port]]
    name = "web"
    container = 8080
    protocol = "http"
    proxy = true

    [component.ready]
    port = "web"
    path = "/json/"
    pointer = "/aliveworkers"
    at_least = "${worker.core}"

    [[component]]
    name = "worker"
    image = "zoe/spark-worker:latest"
    core = 2
    replaceable = true
    cores = "0.5"
    memory = "1g"
    secrets = ["auth"]

    [component.overhead]
    percent = 10
    at_least = "384m"

    [component.env]
    SPARK_MASTER_IP = "${master.host}"
    SPARK_REVERSE_PROXY_URL = "${master.port.web.path}"
    SPARK_WORKER_CORES = "${self.slots}"
    SPARK_WORKER_RAM = "${self.memory.mib}m"

    [[component.port]]
    name = "web"
    container = 8081
    protocol = "http"
    "#);
}
