//! `zoe proxy` and `zoe open` over a Docker that is a file: what is published when, and what is said.

use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;

use zoe::proxy::access_log::Reader;

use crate::common::{Ran, TestEnv};

/// A place with a web server before it.
struct Place {
    env: TestEnv,
}

impl Place {
    /// Two executions behind the web server: their ids.
    fn two_notebooks(&self) -> [String; 2] {
        let run = || self.zoe(&["run", "jupyter", "-d"]).expect(0);
        [run(), run()].map(|id| id.trim().to_owned())
    }

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

/// Something that nobody can write to, root neither, until it is dropped.
struct Locked(PathBuf, Permissions);

impl Locked {
    fn new(path: PathBuf) -> Self {
        let before = std::fs::metadata(&path).unwrap().permissions();
        let mut bare = before.clone();
        bare.set_readonly(true);
        std::fs::set_permissions(&path, bare).unwrap();
        // For root; others can't, and need not.
        let _ = chattr("+i", &path);
        Self(path, before)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        let _ = chattr("-i", &self.0);
        let _ = std::fs::set_permissions(&self.0, self.1.clone());
    }
}

fn chattr(how: &str, path: &Path) -> std::io::Result<Output> {
    std::process::Command::new("chattr")
        .arg(how)
        .arg(path)
        .output()
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
fn routes_that_cannot_be_published_are_told_by_whoever_watches() {
    let place = Place::new();
    let id = place.zoe(&["run", "jupyter", "-d"]).expect(0);
    std::fs::remove_dir_all(place.env.path("routes")).unwrap();
    let watched = place.zoe(&["watch", "--once"]);
    assert_eq!(watched.code, 1, "{}", watched.stderr);
    assert!(
        watched.stderr.contains("degraded") && watched.stderr.contains("proxy"),
        "{}",
        watched.stderr
    );
    std::fs::create_dir(place.env.path("routes")).unwrap();
    place.zoe(&["watch", "--once"]).expect(0);
    assert!(place.routes().contains(id.trim()));
}

#[test]
fn a_reload_that_failed_is_told_until_one_works() {
    let place = Place::new();
    let works = place.env.path("works");
    let zoe = |arguments: &[&str]| {
        let mut command = place.env.zoe();
        command
            .env("ZOE_APACHE_WEB_SERVER_NAME", "zoe.example.org")
            .env("ZOE_APACHE_PROXY_CONFIG_FILE", place.file())
            .env("ZOE_APACHE_PROXY_MODE", "fragment")
            .env("ZOE_APACHE_CONFIGTEST_COMMAND", "true")
            .env(
                "ZOE_APACHE_RELOAD_COMMAND",
                format!("test -e {}", works.display()),
            );
        Ran::command(command.args(arguments))
    };
    zoe(&["run", "jupyter", "-d"]).expect(0);
    for _ in 0..2 {
        let error = zoe(&["proxy", "sync"]).expect_error(125);
        assert!(error.contains("could not be reloaded"), "{error}");
    }
    let watched = zoe(&["watch", "--once"]);
    assert_eq!(watched.code, 1, "{}", watched.stderr);
    assert!(watched.stderr.contains("could not be reloaded"));
    std::fs::write(&works, "").unwrap();
    // Its time has come.
    std::fs::write(place.env.path("routes/.routes.reloaded"), "0\nfailed").unwrap();
    zoe(&["watch", "--once"]).expect(0);
    zoe(&["proxy", "sync"]).expect(0);
}

/// Zoe before a web server that reads a fragment and was reloaded a moment ago; each reload keeps what Docker had then.
fn a_moment_after_a_reload(place: &Place, interval: &str, arguments: &[&str]) -> Ran {
    let file = place.file();
    let reload = format!(
        "cp {} {}",
        place.env.docker_file().display(),
        file.with_file_name("seen").display()
    );
    let now = jiff::Timestamp::now().as_millisecond();
    std::fs::write(file.with_file_name(".routes.reloaded"), now.to_string()).unwrap();
    let mut command = place.env.zoe();
    command
        .env("ZOE_APACHE_WEB_SERVER_NAME", "zoe.example.org")
        .env("ZOE_APACHE_PROXY_CONFIG_FILE", &file)
        .env("ZOE_APACHE_PROXY_MODE", "fragment")
        .env("ZOE_APACHE_CONFIGTEST_COMMAND", "true")
        .env("ZOE_APACHE_RELOAD_COMMAND", reload)
        .env("ZOE_INTERVALS_PROXY_RELOAD", interval);
    Ran::command(command.args(arguments))
}

#[test]
fn who_ends_something_waits_for_the_reload_and_then_ends_it() {
    let place = Place::new();
    let zoe = |arguments: &[&str]| a_moment_after_a_reload(&place, "1", arguments);
    let run = || zoe(&["run", "jupyter", "-d"]).expect(0).trim().to_owned();
    let ids = [run(), run()];
    zoe(&["proxy", "sync"]).expect(0);
    assert!(ids.iter().all(|id| place.routes().contains(id)));
    let seen = || std::fs::read_to_string(place.env.path("routes/seen")).unwrap();
    zoe(&["kill", &ids[0], &ids[1]]).expect(0);
    assert_eq!(place.routes().lines().count(), 1);
    // All of their containers were there when nothing led to them any more, and one reload was enough.
    let containers = seen();
    for id in &ids {
        assert!(
            containers.contains(&format!("-{id}-notebook-0")),
            "{containers}"
        );
    }
}

#[test]
fn to_sync_is_to_have_published() {
    let place = Place::new();
    let id = a_moment_after_a_reload(&place, "1000", &["run", "jupyter", "-d"]);
    let id = id.expect(0).trim().to_owned();
    assert!(!place.file().exists());
    a_moment_after_a_reload(&place, "1", &["proxy", "sync"]).expect(0);
    assert!(place.routes().contains(&id));
}

/// What `zoe proxy check` asks the web server for is not taken for somebody's use of it.
#[test]
fn a_check_is_no_sign_of_life() {
    let place = Place::new();
    place.zoe(&["run", "jupyter", "-d"]).expect(0);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap().to_string();
    let asked = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = server.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            asked.push(lines.next().unwrap().unwrap());
            while !lines.next().unwrap().unwrap().is_empty() {}
            let answer = "HTTP/1.1 200 OK\r\nX-Zoe-Proxy: 1\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
        }
        asked
    });
    place.zoe(&["proxy", "check", "--at", &at]);
    let asked = asked.join().unwrap();
    assert!(asked[1].contains("/notebook/notebook/"), "{asked:?}");
    let alive = |request: &str| {
        let line = format!("::1 - - [23/Nov/2026:06:52:14 +0000] \"{request}\" 200 5\n");
        let mut reader = Reader::new("/zoe");
        reader.lines(line.as_bytes());
        let seen = reader.finish();
        assert_eq!(seen.bad, 0);
        !seen.last.is_empty()
    };
    assert!(!alive(&asked[1]), "{asked:?}");
    // Whoever asks for the same is there.
    assert!(alive(&asked[1].replace("zoe-check", "")), "{asked:?}");
}

#[test]
fn a_route_that_cannot_be_taken_out_anew_is_made_a_comment_or_else_told() {
    let place = Place::new();
    let ids = place.two_notebooks();
    let before = place.routes();
    let keys = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(keys(&before), 2);
    // No new file can be made in the directory; the one that is there can be written to.
    let locked = Locked::new(place.env.path("routes"));
    place.zoe(&["kill", &ids[0]]).expect_error(0);
    let after = place.routes();
    assert_eq!(after.len(), before.len());
    assert_eq!(keys(&after), 1, "{after}");
    let watched = place.zoe(&["watch", "--once"]);
    assert_eq!(watched.code, 1, "{}", watched.stderr);
    // In the same words each time, so that it is told once.
    assert!(
        !watched.stderr.contains(".zoe-routes-"),
        "{}",
        watched.stderr
    );
    // Now it can't.
    let file = Locked::new(place.file());
    let error = place.zoe(&["kill", &ids[1]]).expect_error(1);
    assert!(
        error.contains(&format!("still has the routes of {}", ids[1])),
        "{error}"
    );
    drop((file, locked));
    place.zoe(&["watch", "--once"]).expect(0);
    assert_eq!(place.routes().lines().count(), 1);
}

#[test]
fn a_check_finds_that_no_map_was_ever_written() {
    let place = Place::new();
    let checked = place.zoe(&["proxy", "check", "--at", "127.0.0.1:1"]);
    assert_eq!(checked.code, 1);
    assert!(
        checked.stderr.contains("zoe proxy sync` writes it"),
        "{}",
        checked.stderr
    );
    place.zoe(&["run", "jupyter", "-d"]).expect(0);
    let checked = place.zoe(&["proxy", "check", "--at", "127.0.0.1:1"]);
    assert_eq!(checked.code, 1);
    assert!(!checked.stdout.contains(" ok"), "{}", checked.stdout);
}

#[test]
fn a_path_belongs_to_one_execution() {
    let place = Place::new();
    let ids = place.two_notebooks();
    let routes = place.routes();
    let tokens: Vec<&str> = ids
        .iter()
        .map(|id| {
            let block = routes.split_once(&format!("# execution {id}\n")).unwrap().1;
            block.split_once('/').unwrap().0
        })
        .collect();
    // The second says that its path is the first one's.
    let world = std::fs::read_to_string(place.env.docker_file()).unwrap();
    std::fs::write(place.env.docker_file(), world.replace(tokens[1], tokens[0])).unwrap();
    let watched = place.zoe(&["watch", "--once"]);
    assert_eq!(watched.code, 1, "{}", watched.stderr);
    assert!(
        watched.stderr.contains(&format!(
            "there are no routes to {} (it has the path of {})",
            ids[1], ids[0]
        )),
        "{}",
        watched.stderr
    );
    let routes = place.routes();
    assert!(
        routes.contains(&ids[0]) && !routes.contains(&ids[1]),
        "{routes}"
    );
    assert_eq!(routes.matches(tokens[0]).count(), 2, "{routes}");
    assert_eq!(place.zoe(&["proxy", "sync"]).code, 1);
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
