//! Real containers behind a real Apache.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use crate::common::apache::Apache;
use crate::common::docker::Deployment;
use crate::common::{Ran, TestEnv};

/// A page below the path that it is told, one from `/` on, and one where nobody listens.
pub const PAGES: &str = r#"
schema = 1
name = "pages"
description = "pages"
monitor = "told"

[[component]]
name = "told"
image = "zoe-test/tiny:1"
cores = 0.1
memory = "16m"
env = { AT = "${self.port.web.path}" }
command = ["sh", "-c", "mkdir -p /www$$AT; echo told $$AT >/www$$AT/index.html; exec httpd -f -p 8000 -h /www"]

[[component.port]]
name = "web"
container = 8000
proxy = true
base_path = true

[component.ready]
port = "web"

[[component]]
name = "plain"
image = "zoe-test/tiny:1"
core = 2
cores = 0.1
memory = "16m"
command = ["sh", "-c", "mkdir -p /www/sub; echo plain ${self.index} >/www/index.html; echo below >/www/sub/index.html; exec httpd -f -p 8000 -h /www"]

[[component.port]]
name = "web"
container = 8000
proxy = true

[[component.port]]
name = "silent"
container = 8001
proxy = true
"#;

struct Place {
    env: TestEnv,
    deployment: Deployment,
    apache: Apache,
    mode: &'static str,
}

impl Place {
    fn new(mode: &'static str) -> Self {
        let place = Self {
            env: TestEnv::new(),
            deployment: Deployment::new(),
            apache: Apache::new(),
            mode,
        };
        place.env.write("pages.toml", PAGES);
        place
    }

    fn zoe(&self, arguments: &[&str]) -> Ran {
        let mut command = self.env.bare();
        command
            .env("PATH", "/usr/sbin:/usr/bin:/bin")
            .env("ZOE_DEPLOYMENT", &self.deployment.name)
            .env("ZOE_APACHE_WEB_SERVER_NAME", self.apache.name())
            .env("ZOE_APACHE_PROXY_CONFIG_FILE", self.apache.routes())
            .env("ZOE_APACHE_PROXY_MODE", self.mode)
            .env("ZOE_APACHE_CONFIGTEST_COMMAND", self.apache.configtest())
            .env("ZOE_APACHE_RELOAD_COMMAND", self.apache.reload())
            .env("ZOE_INTERVALS_PROXY_RELOAD", "1");
        Ran::command(command.args(arguments))
    }

    fn start_apache(&mut self) {
        // Apache does not start without its map.
        if self.mode == "map" {
            self.zoe(&["proxy", "sync"]).expect(0);
        }
        let virtual_host = self.zoe(&["proxy", "setup"]).expect(0);
        self.apache.start(&virtual_host);
    }

    /// The path in a URL of this Apache.
    fn path(&self, url: &str) -> String {
        let path = url
            .trim()
            .strip_prefix(&format!("http://{}", self.apache.name()));
        path.unwrap_or_else(|| panic!("{url} is not Apache's"))
            .to_owned()
    }

    /// Nobody does anything for it any more, but a graceful reload takes its moment.
    fn until(&self, path: &str, status: u16) {
        let begun = Instant::now();
        while self.apache.get(path).status != status {
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "{path} is not {status}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn life(mode: &'static str) {
    let mut place = Place::new(mode);
    place.start_apache();
    place.zoe(&["proxy", "check"]).expect(0);
    let id = place.zoe(&["run", "pages.toml", "-d"]).expect(0);
    let id = id.trim();
    place.zoe(&["wait", "--for", "running", id]).expect(0);
    let told = place.path(&place.zoe(&["open", id]).expect(0));
    place.until(&told, 200);
    let page = place.apache.get(&told);
    assert_eq!(
        page.body.trim(),
        format!("told {}", told.trim_end_matches('/'))
    );
    for index in [0, 1] {
        let path = place.path(
            &place
                .zoe(&["open", id, &format!("plain-{index}/web")])
                .expect(0),
        );
        assert_eq!(
            place.apache.get(&path).body.trim(),
            format!("plain {index}")
        );
        // Its server redirects from a directory to the same with a slash.
        let redirect = place.apache.get(&format!("{path}sub"));
        let location = redirect.header("location").unwrap();
        assert!(location.ends_with(&format!("{path}sub/")), "{location}");
    }
    let silent = place.path(&place.zoe(&["open", id, "plain-0/silent"]).expect(0));
    let page = place.apache.get(&silent);
    assert!(matches!(page.status, 502 | 503), "{page:?}");
    assert!(page.body.contains("does not answer"), "{page:?}");
    // One that is silent is no fault of the web server.
    let checked = place.zoe(&["proxy", "check", "-o", "json"]).expect(0);
    let checked: Value = serde_json::from_str(&checked).unwrap();
    let of = |name: &str| {
        let routes = checked["routes"].as_array().unwrap().iter();
        routes
            .clone()
            .find(|route| route["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(of("told/web")["status"], 200);
    assert_eq!(of("told/web")["problem"], Value::Null);
    assert_eq!(of("plain-1/silent")["direct_status"], Value::Null);
    place.zoe(&["kill", id]).expect(0);
    place.until(&told, 404);
}

#[test]
fn in_a_map_on_the_engine() {
    life("map");
}

#[test]
fn in_a_fragment_on_the_engine() {
    life("fragment");
}

/// While its containers are still being stopped, nothing leads to them any more.
fn order(mode: &'static str) {
    let mut place = Place::new(mode);
    place.start_apache();
    let slow = PAGES.replace("exec httpd -f", "trap '' TERM; httpd -f");
    place.env.write("pages.toml", slow);
    let id = place.zoe(&["run", "pages.toml", "-d"]).expect(0);
    let id = id.trim();
    place.zoe(&["wait", "--for", "running", id]).expect(0);
    let told = place.path(&place.zoe(&["open", id]).expect(0));
    place.until(&told, 200);
    if mode == "fragment" {
        // Apache was reloaded a moment ago, and must not be again just yet.
        let reloaded = place.apache.routes().with_file_name(".routes.reloaded");
        std::fs::write(reloaded, Timestamp::now().as_millisecond().to_string()).unwrap();
    }
    std::thread::scope(|scope| {
        let kill = scope.spawn(|| place.zoe(&["kill", id]).expect(0));
        place.until(&told, 404);
        // A container that does not listen to TERM takes its ten seconds.
        assert!(!place.deployment.containers("instance").is_empty());
        assert!(!kill.is_finished());
    });
    assert_eq!(place.deployment.left(), Vec::<String>::new());
}

#[test]
fn routes_go_before_containers_in_a_map_on_the_engine() {
    order("map");
}

#[test]
fn routes_go_before_containers_in_a_fragment_on_the_engine() {
    order("fragment");
}
