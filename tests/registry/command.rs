//! The commands, with a registry that wants a login.

use std::process::Command as Process;

use assert_cmd::Command;
use serde_json::Value;

use crate::common::docker::{Deployment, TINY, cli};
use crate::common::{Ran, TestEnv};
use crate::server::{PASSWORD, Registry, USER};

/// Somebody with zoe, a docker directory and a registry.
struct Desk {
    env: TestEnv,
    registry: Registry,
    deployment: Deployment,
}

impl Desk {
    fn new() -> Self {
        Self {
            env: TestEnv::new(),
            registry: Registry::closed(),
            deployment: Deployment::new(),
        }
    }

    fn zoe(&self, words: &[&str]) -> Ran {
        let mut command: Command = self.env.bare();
        command
            .env("DOCKER_HOST", "unix:///var/run/docker.sock")
            .env("DOCKER_CONFIG", self.registry.docker_directory())
            .env("PATH", self.registry.search_path())
            .env("ZOE_DEPLOYMENT", &self.deployment.name)
            .env("ZOE_DOCKER_BACKEND", "engine")
            .env("ZOE_DOCKER_PRIVATE_REGISTRY", &self.registry.address)
            .args(words);
        Ran::command(&mut command)
    }

    /// A name in the registry, for a new image that nobody else has.
    fn fresh(&self, name: &str) -> String {
        let name = format!("{}/{name}", self.registry.address);
        let label = format!("test={}-{name}", self.deployment.name);
        let container = cli(&["create", TINY, "true"]);
        cli(&["commit", "-c", &format!("LABEL {label}"), &container, &name]);
        cli(&["rm", &container]);
        name
    }

    /// What `images ls` says of that name's copy in the registry.
    fn held(&self, name: &str) -> String {
        let listed = self.zoe(&["images", "ls", "-o", "json"]).expect(0);
        let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
        let of = |image: &Value| image["registry"][name].as_str().map(str::to_owned);
        listed.iter().find_map(of).unwrap_or_default()
    }

    fn without_address(&self, text: &str) -> String {
        text.replace(&self.registry.address, "REG")
    }
}

#[test]
fn zoes_images_are_taken_to_the_registry() {
    let desk = Desk::new();
    let names = [desk.fresh("zoe/dask:0.1"), desk.fresh("zoe/dask:latest")];
    assert_eq!(desk.held(&names[0]), "unknown");
    let said = desk.zoe(&["images", "ls"]).expect_error(0);
    assert!(said.contains("run `docker login"), "{said}");
    let refused = desk.zoe(&["images", "push", "dask"]).expect_error(125);
    insta::assert_snapshot!(desk.without_address(&refused), @"
    The push refers to repository [REG/zoe/dask]
    error: pushing REG/zoe/dask:0.1 failed: the registry REG wants a login and there is none for it (no basic auth credentials); run `docker login REG`
    ");

    desk.registry.log_in(USER, PASSWORD);
    assert_eq!(desk.held(&names[0]), "missing");
    for _ in 0..2 {
        let pushed = desk.zoe(&["images", "push", "zoe/dask"]).expect(0);
        assert_eq!(pushed.lines().collect::<Vec<_>>(), names);
    }
    assert_eq!(desk.held(&names[0]), "same");
    let table = desk.zoe(&["images", "ls"]).expect(0);
    assert!(
        table.lines().next().unwrap().ends_with("REGISTRY"),
        "{table}"
    );
    cli(&["tag", TINY, &names[0]]);
    assert_eq!(desk.held(&names[0]), "other");
}

#[test]
fn components_come_from_the_registry_with_a_login() {
    let desk = Desk::new();
    desk.registry.log_in(USER, PASSWORD);
    let image = desk.fresh("zoe-test/job:1");
    let pushed = Process::new("docker")
        .args([
            "--config",
            desk.registry.docker_directory().to_str().unwrap(),
            "push",
            &image,
        ])
        .output()
        .unwrap();
    assert!(pushed.status.success(), "{pushed:?}");
    cli(&["rmi", &image]);
    desk.env.write(
        "app.toml",
        "schema = 1\nname = \"one\"\ndescription = \"a test\"\nmonitor = \"main\"\n\n[[component]]\nname = \"main\"\n\
         image = \"zoe-test/job:1\"\ncores = 0.1\nmemory = \"16m\"\ncommand = [\"sh\", \"-c\", \"echo hello; exit 3\"]\n",
    );
    desk.registry.log_in(USER, "wrong");
    let refused = desk.zoe(&["run", "app.toml"]).expect_error(125);
    insta::assert_snapshot!(desk.without_address(&refused), @"error: getting the image REG/zoe-test/job:1 failed: the registry REG refuses the user 'ada' (unauthorized: authentication required); run `docker login REG` as one who may do this");
    assert_eq!(desk.deployment.left(), Vec::<String>::new());

    desk.registry.log_in(USER, PASSWORD);
    let ran = desk.zoe(&["run", "app.toml"]).expect(3);
    assert_eq!(ran, "hello\n");
    assert_eq!(desk.deployment.left(), Vec::<String>::new());
}

#[test]
fn what_is_not_built_cannot_be_pushed_and_is_said() {
    let env = TestEnv::new();
    let zoe = |words: &[&str]| {
        let mut command = env.zoe();
        command.env("ZOE_DOCKER_PRIVATE_REGISTRY", "reg.example:5000");
        Ran::command(command.args(words))
    };
    let refused = zoe(&["images", "push"]).expect_error(125);
    assert!(
        refused.contains("nothing was pushed; not built yet: spark-master"),
        "{refused}"
    );
    // One is built for the registry, one without, and later than it was for the registry.
    zoe(&["images", "build", "--base", "memory/base", "dask"]).expect(0);
    zoe(&["images", "build", "--base", "memory/base", "jupyter"]).expect(0);
    env.run(&["images", "build", "--base", "memory/base", "jupyter"])
        .expect(0);
    let refused = zoe(&["images", "push", "dask", "spark-worker"]).expect_error(125);
    assert!(refused.contains("not built yet: spark-worker"), "{refused}");
    let pushed = zoe(&["images", "push"]);
    assert!(
        pushed.stderr.contains("not built yet: spark-master"),
        "{}",
        pushed.stderr
    );
    assert_eq!(
        pushed.expect(0),
        "reg.example:5000/zoe/jupyter:latest\nreg.example:5000/zoe/dask:latest\n"
    );
    let table = zoe(&["images", "ls"]).expect(0);
    let rows: Vec<_> = table.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{table}");
    assert!(rows.iter().all(|row| row.ends_with("same")), "{table}");
    let refused = env.run(&["images", "push"]).expect_error(2);
    assert!(refused.contains("there is no registry"), "{refused}");
}
