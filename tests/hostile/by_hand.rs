//! Containers on the real Engine whose labels somebody wrote by hand, behind a real Apache: zoe reads them back.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use assert_cmd::Command as Zoe;
use serde_json::{Value, json};
use zoe::apps::{Format, parse};
use zoe::labels;
use zoe::model::{Bytes, Cores, InstanceKey, ProxyPath, Resources, Terms, Ticket};

use crate::common::apache::Apache;
use crate::common::docker::{Deployment, TINY, cli};
use crate::common::{Ran, TestEnv};
use crate::evil::{all, files, look_everywhere, shown_safely, texts};
use crate::mariadb::{MariaDb, PASSWORD};

struct Place {
    env: TestEnv,
    deployment: Deployment,
    apache: Apache,
    mode: &'static str,
    /// Where its history is, with the database's name, unless it is in a file.
    server: Option<(MariaDb, String)>,
}

impl Place {
    fn new(mode: &'static str) -> Self {
        Self {
            env: TestEnv::new(),
            deployment: Deployment::new(),
            apache: Apache::new(),
            mode,
            server: None,
        }
    }

    /// With its history in a server.
    fn with_server(mode: &'static str) -> Self {
        let server = MariaDb::start();
        let database = server.create();
        Self {
            server: Some((server, database)),
            ..Self::new(mode)
        }
    }

    fn command(&self) -> Zoe {
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
        if let Some((server, database)) = &self.server {
            command
                .env("ZOE_DB_URL", server.url_without(database))
                .env("ZOE_DB_PASSWORD", PASSWORD);
        }
        command
    }

    fn zoe(&self, arguments: &[&str]) -> Ran {
        Ran::command(self.command().args(arguments))
    }

    /// Makes a container as anybody who may use Docker can.
    fn make(&self, name: &str, labels: &BTreeMap<String, String>, command: &[&str]) -> String {
        let body = json!({
            "Image": TINY,
            "Cmd": command,
            "Labels": labels,
            "ExposedPorts": {"8000/tcp": {}},
            "HostConfig": {"PortBindings": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}},
        });
        let mut curl = Command::new("curl")
            .args([
                "-sS",
                "--unix-socket",
                "/var/run/docker.sock",
                "-H",
                "Content-Type: application/json",
                "-d",
                "@-",
            ])
            .arg(format!(
                "http://docker/containers/create?name=zoe-{}-{name}",
                self.deployment.name
            ))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = curl.stdin.take().unwrap();
        serde_json::to_writer(input, &body).unwrap();
        let output = curl.wait_with_output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let id = answer["Id"].as_str();
        id.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// A ticket of this deployment with any text wherever labels can have one.
    fn ticket(&self, id: &str, image: &str, cores: u32) -> Ticket {
        let evil = all();
        let doubled = evil.replace('$', "$$");
        let plain: String = evil
            .chars()
            .filter(|c| !c.is_control() && !c.is_whitespace() && !"${}?#".contains(*c))
            .collect();
        let description = json!({
            "schema": 1,
            "name": "evil",
            "description": evil.replace(|c: char| c.is_control(), " "),
            "monitor": "main",
            "component": [{
                "name": "main", "image": image, "cores": cores, "memory": "16m",
                "command": ["sh", "-c", "printf '%s\\n' \"$$@\"; sleep 100", "sh", doubled],
                "env": {"EVIL": doubled},
                "port": [{
                    "name": "web", "container": 8000, "proxy": true,
                    "path": format!("/{plain}"), "query": "a=</Location>\"%",
                }],
            }],
        });
        let application = parse(&description.to_string(), Format::Json).unwrap();
        Ticket {
            id: id.parse().unwrap(),
            deployment: self.deployment.name.parse().unwrap(),
            name: format!("evil-{id}").parse().unwrap(),
            name_claimed: false,
            // A longer one can't be read.
            user: format!("ada {evil}")
                .chars()
                .take(labels::LONGEST_USER)
                .collect(),
            application,
            submitted_at: jiff::Timestamp::now(),
            key: Some(evil.clone()),
            timeout: None,
            terms: Terms::default(),
            proxy: Some(ProxyPath::new("/zoe", u128::from(cores) + 7).unwrap()),
            job_image: None,
            registry: String::new(),
        }
    }
}

/// The lines of Apache's file that are neither comments nor blank.
fn lines(place: &Place) -> Vec<String> {
    let text = std::fs::read_to_string(place.apache.routes()).unwrap();
    assert!(
        text.is_ascii() && !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text}"
    );
    let mut comments = text.lines().filter(|line| line.starts_with('#'));
    assert!(comments.next().unwrap().starts_with("# The routes of zoe"));
    assert!(
        comments.all(|line| line == "# execution aaaaaaaa"),
        "{text}"
    );
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    for bad in [
        "SetHandler",
        "jndi",
        "id)",
        "owned",
        "escaped",
        "..",
        "`",
        "'",
        "\\",
    ] {
        assert!(!lines.iter().any(|line| line.contains(bad)), "{text}");
    }
    lines
}

fn hostile(mut place: Place) {
    let mode = place.mode;
    if mode == "map" {
        place.zoe(&["proxy", "sync"]).expect(0);
    }
    place
        .apache
        .start(&place.zoe(&["proxy", "setup"]).expect(0));

    // One that serves, and is as it was written by zoe but for its texts.
    let serving = place.ticket("aaaaaaaa", TINY, 1);
    place.make("aaaaaaaa", &labels::ticket(&serving), &["true"]);
    let key = InstanceKey {
        execution: serving.id,
        component: "main".parse().unwrap(),
        index: 0,
    };
    // The most that can be read.
    let most = Resources {
        cores: Cores::from_millis(1_000_000_000),
        memory: Bytes::new(1 << 60),
    };
    let member = labels::instance(&serving.deployment, &key, most);
    let script = "mkdir -p /www; echo here >/www/index.html; exec httpd -f -p 8000 -h /www";
    let container = place.make("aaaaaaaa-main-0", &member, &["sh", "-c", script]);
    cli(&["start", &container]);
    // One that waits for more than there is.
    let waiting = place.ticket("baaaaaaa", TINY, 9000);
    place.make("baaaaaaa", &labels::ticket(&waiting), &["true"]);
    // And what can't be read: each label in turn with each text, and a megabyte.
    let mut strange = 0;
    let long = "x".repeat(1 << 20);
    for (n, (label, text)) in [
        (
            labels::PROXY_PATH,
            format!("/zoe/{}/aaaaaaaaaaaaaaaaaaaaaaaaaa", texts()[1]),
        ),
        (
            labels::PROXY_PATH,
            "/zoe/../aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
        ),
        (labels::EXECUTION, "../../..".to_owned()),
        (labels::NAME, texts()[5].clone()),
        (labels::APPLICATION, long.clone()),
        (labels::SCHEMA, all()),
        (labels::KIND, long),
        (labels::AFTER, texts()[0].clone()),
        (labels::USER, texts()[7].clone()),
    ]
    .into_iter()
    .enumerate()
    {
        let ticket = place.ticket("caaaaaaa", TINY, 1);
        let mut labels = labels::ticket(&ticket);
        labels.insert(label.to_owned(), text);
        place.make(&format!("strange-{n}"), &labels, &["true"]);
        strange += 1;
    }
    let huge = u64::MAX.to_string();
    for (label, text) in [
        (labels::COMPONENT, "../../x"),
        (labels::COMPONENT, "</Location>"),
        (labels::COMPONENT, "\u{1b}[2J"),
        (labels::CORES, &huge),
        (labels::MEMORY, &huge),
    ] {
        let mut labels = member.clone();
        labels.insert(label.to_owned(), text.to_owned());
        place.make(&format!("strange-{strange}"), &labels, &["true"]);
        strange += 1;
    }

    place.zoe(&["proxy", "sync"]).expect(0);
    let own = serving.proxy.as_ref().unwrap().as_str();
    let published = lines(&place);
    let expected = if mode == "map" {
        1
    } else {
        published
            .iter()
            .filter(|line| line.starts_with("<Location"))
            .count()
    };
    assert_eq!(expected, 1, "{published:#?}");
    if mode == "map" {
        assert_eq!(published.len(), 1, "{published:#?}");
    }
    let page = place.apache.get(&format!("{own}/main/web/"));
    assert_eq!(
        (page.status, page.body.trim()),
        (200, "here"),
        "{page:?}\n{}",
        place.apache.log()
    );
    assert!(
        matches!(place.apache.get("/").status, 403 | 404),
        "nothing else is open"
    );

    let ids = ["aaaaaaaa", "baaaaaaa"];
    look_everywhere(&|| place.command(), &place.env, &ids);
    for arguments in [
        &["proxy", "show"][..],
        &["proxy", "show", "-o", "json"],
        &["explain", "baaaaaaa"],
        &["explain", "baaaaaaa", "-o", "json"],
        &["open", "aaaaaaaa"],
    ] {
        let about = format!("{arguments:?}");
        let ran = place.zoe(arguments);
        shown_safely(&ran.stderr, &about);
        shown_safely(&ran.expect(0), &about);
    }
    // What can't be read is counted, told, and left alone.
    let status: Value =
        serde_json::from_str(&place.zoe(&["status", "-o", "json"]).expect(0)).unwrap();
    assert_eq!(
        status["anomalies"].as_array().map(Vec::len),
        Some(strange),
        "{status:#}"
    );

    // Ended: its archive and its history are where they belong, and its route is gone.
    place.zoe(&["kill", "aaaaaaaa", "baaaaaaa"]).expect(0);
    assert_eq!(lines(&place), [""; 0]);
    assert_eq!(place.apache.get(&format!("{own}/main/web/")).status, 404);
    look_everywhere(&|| place.command(), &place.env, &ids);
    place.zoe(&["logs", "aaaaaaaa"]).expect(0);
    for of in ["user", "application"] {
        place.zoe(&["history", "--sum", of]).expect(0);
    }
    let archives: Vec<String> = files(&place.env.path("data/zoe/history"));
    assert!(!archives.is_empty());
    for file in &archives {
        let parts: Vec<&str> = file.split('/').collect();
        assert!(
            parts.len() == 4 && parts[0] == place.deployment.name,
            "{file}"
        );
        assert!(
            ["aaaaaaaa.zip", "baaaaaaa.zip"].contains(&parts[3]),
            "{file}"
        );
    }
    assert!(!std::path::Path::new("/tmp/zoe-escaped").exists());
    // The strange ones are still there, and nothing else.
    assert_eq!(
        place.deployment.left().len(),
        strange,
        "{:?}",
        place.deployment.left()
    );
}

#[test]
fn labels_by_hand_behind_a_map_on_the_engine() {
    hostile(Place::new("map"));
}

#[test]
fn labels_by_hand_behind_a_fragment_on_the_engine() {
    hostile(Place::with_server("fragment"));
}

/// Environment, arguments and output of a job that zoe starts itself: they reach the program as they are, and nothing else.
#[test]
fn a_job_gets_its_texts_as_they_are_on_the_engine() {
    let place = Place::new("map");
    let description = json!({
        "schema": 1, "name": "echo", "monitor": "main",
        "component": [{
            "name": "main", "image": TINY, "cores": 0.1, "memory": "16m",
            "command": ["sh", "-c", "for text in \"$$EVIL\" \"$$@\"; do printf '%s\\0' \"$$text\"; done", "sh"],
        }],
    });
    place.env.write("echo.json", description.to_string());
    let evil = texts();
    let value = format!("EVIL={}", all());
    let mut arguments = vec!["run", "-d", "echo.json", "--env", &value, "--"];
    arguments.extend(evil.iter().map(String::as_str));
    let id = place.zoe(&arguments).expect(0);
    let id = id.trim();
    place.zoe(&["wait", id]).expect(0);
    let output = place.command().args(["logs", id]).output().unwrap();
    let said: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
    let expected: Vec<String> = [all()]
        .into_iter()
        .chain(evil)
        .chain([String::new()])
        .collect();
    assert_eq!(
        said,
        expected.iter().map(String::as_bytes).collect::<Vec<_>>()
    );
    // The environment is for the job alone: no label, no list, no history has it.
    let found = place.zoe(&["show", id, "-o", "json"]).expect(0)
        + &place.zoe(&["ps", "-a", "-o", "json"]).expect(0);
    assert!(!found.contains("EVIL"), "{found}");
    look_everywhere(&|| place.command(), &place.env, &[id]);
    assert_eq!(place.deployment.left(), [""; 0]);
}
