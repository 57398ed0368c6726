//! `zoe proxy` and `zoe open` over a Docker that is a file: what is published when, and what is said.

use std::path::PathBuf;

use crate::common::{Ran, TestEnv};

/// A place with a web server before it.
struct Place {
    env: TestEnv,
}

impl Place {
    fn new() -> Self {
        let env = TestEnv::with_options("nodes=a:8:16g,b:8:16g&images=all");
        std::fs::create_dir(env.path("routes")).unwrap();
        Self { env }
    }

    fn file(&self) -> PathBuf {
        self.env.path("routes/routes")
    }

    fn routes(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    fn zoe(&self, arguments: &[&str]) -> Ran {
        let mut command = self.env.zoe();
        command
            .env("ZOE_APACHE_WEB_SERVER_NAME", "zoe.example.org")
            .env("ZOE_APACHE_PROXY_CONFIG_FILE", self.file());
        Ran::command(command.args(arguments))
    }
}

#[test]
fn routes_follow_what_is_alive() {
    let place = Place::new();
    let id = place.zoe(&["run", "jupyter", "-d"]).expect(0);
    let id = id.trim();
    let routes = place.routes();
    let line = routes
        .lines()
        .find(|line| line.contains("/notebook/notebook "))
        .unwrap();
    let (key, upstream) = line.split_once(' ').unwrap();
    assert!(
        routes.contains(&format!("\n# execution {id}\n")),
        "{routes}"
    );
    assert!(upstream.ends_with(&format!("/zoe/{key}")), "{line}");
    let url = place.zoe(&["open", id]).expect(0);
    assert!(
        url.starts_with(&format!("http://zoe.example.org/zoe/{key}/lab?token=")),
        "{url}"
    );
    let shown = place.zoe(&["show", id]).expect(0);
    assert!(shown.contains(url.trim()), "{shown}");
    let listed = place.zoe(&["ps", "-o", "json"]).expect(0);
    assert!(
        listed.contains(&format!("http://zoe.example.org/zoe/{key}/lab\"")),
        "{listed}"
    );
    let table = place.zoe(&["proxy", "show"]).expect(0);
    assert!(
        table.contains("notebook/notebook") && table.contains("yes"),
        "{table}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&place.zoe(&["proxy", "show", "-o", "json"]).expect(0)).unwrap();
    assert_eq!(json[0]["name"], "notebook/notebook");
    assert_eq!(json[0]["published"], true);
    // What somebody else did to the file is put right at the next pass.
    std::fs::write(place.file(), "").unwrap();
    let table = place.zoe(&["proxy", "show"]).expect(0);
    assert!(table.contains(" no "), "{table}");
    place.zoe(&["watch", "--once"]).expect(0);
    assert_eq!(place.routes(), routes);
    place.zoe(&["kill", id]).expect(0);
    assert_eq!(place.routes().lines().count(), 1);
    let error = place.zoe(&["open", id]).expect_error(3);
    assert!(error.contains("is over"), "{error}");
}

#[test]
fn no_two_executions_have_the_same_path() {
    let place = Place::new();
    for _ in 0..3 {
        place.zoe(&["run", "jupyter", "-d"]).expect(0);
    }
    let routes = place.routes();
    let keys: std::collections::BTreeSet<_> = routes
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 3, "{routes}");
    assert!(keys.iter().all(|token| token.len() == 26), "{routes}");
}

#[test]
fn what_is_not_seen_whole_changes_no_route() {
    let place = Place::new();
    place.zoe(&["run", "jupyter", "-d"]).expect(0);
    let routes = place.routes();
    let mut world: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(place.env.docker_file()).unwrap()).unwrap();
    world["nodes"][0]["silent"] = true.into();
    std::fs::write(place.env.docker_file(), world.to_string()).unwrap();
    let ran = place.zoe(&["proxy", "sync"]);
    let error = ran.expect_error(125);
    assert!(error.contains("not all of Docker could be seen"), "{error}");
    place.zoe(&["run", "jupyter", "-d"]);
    assert_eq!(place.routes(), routes);
}

#[test]
fn without_a_web_server_nothing_is_written_and_it_is_said_what_to_do() {
    let place = Place::new();
    let error = place.env.run(&["proxy", "sync"]).expect_error(2);
    assert!(error.contains("web_server_name"), "{error}");
    let id = place.env.run(&["run", "jupyter", "-d"]).expect(0);
    let url = place.env.run(&["open", id.trim()]).expect(0);
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    assert!(url.contains("/lab?token="), "{url}");
    assert!(!place.file().exists());
    // What was submitted without one is not behind one that comes later.
    assert_eq!(place.zoe(&["open", id.trim()]).expect(0), url);
    place.zoe(&["proxy", "sync"]).expect(0);
    assert_eq!(place.routes().lines().count(), 1);
}

#[test]
fn routes_that_cannot_be_written_keep_nothing_from_starting() {
    let place = Place::new();
    std::fs::remove_dir(place.env.path("routes")).unwrap();
    let ran = place.zoe(&["run", "jupyter", "-d"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let told = ran.stderr.matches("the routes cannot be written").count();
    assert_eq!(told, 1, "{}", ran.stderr);
    let id = ran.stdout.trim();
    place.zoe(&["kill", id]).expect(0);
}

#[test]
fn a_name_is_chosen_as_people_say_it() {
    let place = Place::new();
    let id = place.zoe(&["notebook", "-d", "--workers", "2"]).expect(0);
    let open = |name: &str| place.zoe(&["open", id.trim(), name]);
    for (name, path) in [
        ("master", "/master/web/"),
        ("master/web", "/master/web/"),
        ("notebook", "/notebook/notebook/lab?token="),
        ("driver", "/notebook/driver/"),
    ] {
        let url = open(name).expect(0);
        assert!(url.contains(path), "{name}: {url}");
    }
    let error = open("web").expect_error(4);
    assert!(error.contains("master/web"), "{error}");
    let error = open("x\u{1b}[31m").expect_error(3);
    assert!(
        error.contains("has no web interface") && !error.contains('\u{1b}'),
        "{error}"
    );
}

#[test]
fn setup_needs_no_docker() {
    let place = Place::new();
    let mut command = place.env.bare();
    command
        .env("DOCKER_HOST", "tcp://127.0.0.1:1")
        .env("ZOE_APACHE_WEB_SERVER_NAME", "*.zoe.example.org")
        .env("ZOE_APACHE_PROXY_CONFIG_FILE", place.file());
    let text = Ran::command(command.args(["proxy", "setup"])).expect(0);
    assert!(text.contains("ServerAlias *.zoe.example.org"), "{text}");
}
