//! What gets through Apache, in both ways: paths as they were written, redirects, cookies, websockets; what does not.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use tokio_tungstenite::tungstenite::{self, Message, WebSocket};
use zoe::model::ExecutionId;
use zoe::proxy::{Route, Site, Way, publish, render, setup};

use crate::common::apache::Apache;
use crate::upstream::{nobody, serve};

const ONE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
const TWO: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbb";

pub fn site(apache: &Apache, name: &str, is_map: bool) -> Site {
    Site {
        secure: false,
        name: name.to_owned(),
        prefix: "/zoe".to_owned(),
        file: Some(apache.routes()),
        way: if is_map {
            Way::Map
        } else {
            Way::Fragment {
                configtest: apache.configtest(),
                reload: apache.reload(),
                interval: Duration::ZERO,
            }
        },
    }
}

pub fn route(bits: u64, token: &str, place: &str, upstream: SocketAddr, base_path: bool) -> Route {
    Route {
        execution: ExecutionId::from_bits(bits),
        name: place.to_owned(),
        token: token.to_owned(),
        place: place.to_owned(),
        path: format!("/zoe/{token}/{place}"),
        upstream,
        base_path,
    }
}

/// Publishes routes as they are.
pub fn write(file: &Path, routes: &[Route], site: &Site) {
    std::fs::write(file, render::file(routes, site)).unwrap();
}

/// An Apache in front of two executions.
fn front(pattern: Option<&str>, is_map: bool) -> (Apache, Site) {
    let (mut apache, site, routes) = before(pattern, is_map);
    write(&apache.routes(), &routes, &site);
    apache.start(&setup::virtual_host(&site).unwrap());
    (apache, site)
}

/// One that is not running yet, and the routes of two executions.
fn before(pattern: Option<&str>, is_map: bool) -> (Apache, Site, Vec<Route>) {
    let apache = Apache::new();
    let name = match pattern {
        Some(pattern) => format!("{pattern}:{}", apache.port),
        None => apache.name(),
    };
    let site = site(&apache, &name, is_map);
    let routes = vec![
        route(1, ONE, "master/web", serve("master"), false),
        route(1, ONE, "notebook/notebook", serve("notebook"), true),
        route(1, ONE, "worker.1/web", nobody(), false),
        route(2, TWO, "master/web", serve("another"), false),
    ];
    (apache, site, routes)
}

fn connect(apache: &Apache, host: &str, path: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", apache.port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let (socket, answer) = tungstenite::client(format!("ws://{host}{path}"), stream).unwrap();
    assert_eq!(answer.status(), 101);
    socket
}

fn echoes(socket: &mut WebSocket<TcpStream>, text: &str) {
    socket.send(Message::text(text)).unwrap();
    assert_eq!(socket.read().unwrap(), Message::text(text));
}

fn paths(is_map: bool) {
    let (apache, _) = front(None, is_map);
    let base = format!("/zoe/{ONE}/master/web");
    let page = apache.get(&format!("{base}/"));
    assert_eq!(page.status, 200, "{page:?}\n{}", apache.log());
    assert_eq!(page.header("x-zoe-proxy"), Some("1"));
    let name = apache.name();
    assert!(
        page.body
            .starts_with(&format!("master was asked for / at {name}\n")),
        "{page:?}"
    );
    // As it was written: escapes, dots, slashes, a query.
    for rest in [
        "a%20b%3Fc%2Fd%25e?x=1&y=%20+",
        "%E2%82%AC/;v=1/a:b@c,d",
        "?q=/../x",
        "a//b/%5B1%5D",
    ] {
        let page = apache.get(&format!("{base}/{rest}"));
        let asked = format!("master was asked for /{rest} at");
        assert!(page.body.starts_with(&asked), "{rest}: {page:?}");
    }
    // One that serves below its path is asked for the whole path.
    let below = format!("/zoe/{ONE}/notebook/notebook/lab%2Fx?reset");
    let page = apache.get(&below);
    assert!(
        page.body
            .starts_with(&format!("notebook was asked for {below} at")),
        "{page:?}"
    );
    // Without the slash at the end links of the page would go astray.
    let page = apache.get(&base);
    assert_eq!(page.status, 302);
    assert!(
        page.header("location")
            .unwrap()
            .ends_with(&format!("{base}/")),
        "{page:?}"
    );
    // Each execution has its own.
    let page = apache.get(&format!("/zoe/{TWO}/master/web/x"));
    assert!(
        page.body.starts_with("another was asked for /x at"),
        "{page:?}"
    );
}

fn redirects(is_map: bool) {
    let (apache, _) = front(None, is_map);
    let name = apache.name();
    let base = format!("/zoe/{ONE}/master/web");
    let there = format!("http://{name}{base}/there");
    let to = |path: &str| apache.get(path).header("location").unwrap().to_owned();
    assert_eq!(to(&format!("{base}/to-host")), format!("{there}?a=1"));
    for place in ["to-https", "to-self"] {
        assert_eq!(to(&format!("{base}/{place}")), there);
    }
    assert_eq!(to(&format!("{base}/to-root")), format!("{base}/there"));
    assert_eq!(
        to(&format!("{base}/to-other")),
        "https://elsewhere.example/x"
    );
    assert_eq!(
        to(&format!("{base}/to-same-scheme")),
        "//elsewhere.example/x"
    );
    // One that knows its path redirects rightly by itself.
    let own = format!("/zoe/{ONE}/notebook/notebook");
    assert_eq!(to(&format!("{own}/to-right")), format!("{own}/there"));
    assert_eq!(
        to(&format!("{own}/to-below")),
        format!("http://{name}{own}/there")
    );
    let cookies = |path: &str| {
        let page = apache.get(path);
        let cookies = page
            .head
            .iter()
            .filter_map(|line| line.strip_prefix("Set-Cookie: "));
        cookies.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        cookies(&format!("{base}/to-host")),
        [format!("a=1; Path={base}/"), format!("b=2; Path={base}/")]
    );
    assert_eq!(
        cookies(&format!("{own}/to-right")),
        [format!("a=1; Path={own}/"), format!("b=2; Path={own}/")]
    );
}

fn nothing_there(is_map: bool) {
    let (apache, _) = front(None, is_map);
    for path in [
        "/zoe".to_owned(),
        "/zoe/".to_owned(),
        format!("/zoe/{TWO}/notebook/notebook/"),
        format!("/zoe/{ONE}/"),
        format!("/zoe/{ONE}/master/"),
        format!("/zoe/{ONE}/master/web/../../../etc/passwd"),
        format!("/zoe/{ONE}/master/web/%2e%2e/%2e%2e/%2e%2e/etc/passwd"),
        format!("/zoe/{ONE}/master/web/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/{TWO}/master/web/"),
    ] {
        let page = apache.get(&path);
        let is_other = page.body.contains("was asked for");
        assert!(
            matches!(page.status, 400 | 404) || (page.status == 302 && !is_other),
            "{path}: {page:?}"
        );
    }
    assert!(apache.get("/zoe/x/").body.contains("it has ended"));
    // What an application does not find it says itself.
    let page = apache.get(&format!("/zoe/{ONE}/master/web/missing"));
    assert_eq!(page.status, 404);
    assert!(page.body.starts_with("master was asked"), "{page:?}");
    let page = apache.get(&format!("/zoe/{ONE}/worker.1/web/"));
    assert_eq!(page.status, 503);
    assert!(page.body.contains("does not answer"), "{page:?}");
    // Nobody lets a page believe that it is elsewhere.
    let path = format!("/zoe/{ONE}/master/web/");
    let lies = ["X-Forwarded-Context: /elsewhere", "X-Kept: as it is"];
    let page = apache.get_with(&apache.name(), &path, &lies);
    assert!(page.body.contains("x-kept: as it is"), "{page:?}");
    assert!(!page.body.contains("x-forwarded-context"), "{page:?}");
}

fn websockets(is_map: bool) {
    let (apache, _) = front(None, is_map);
    for path in [
        "master/web/ws?x=1",
        "notebook/notebook/api/kernels/1/channels",
    ] {
        let mut socket = connect(&apache, &apache.name(), &format!("/zoe/{ONE}/{path}"));
        echoes(&mut socket, "hello");
        echoes(&mut socket, &"x".repeat(100_000));
    }
}

fn names(is_map: bool) {
    let (apache, _) = front(Some("*.zoe.test"), is_map);
    let own = format!("{}.zoe.test:{}", ExecutionId::from_bits(1), apache.port);
    let other = format!("{}.zoe.test:{}", ExecutionId::from_bits(2), apache.port);
    let path = format!("/zoe/{ONE}/master/web/");
    let page = apache.get_as(&own, &path);
    assert_eq!(page.status, 200, "{page:?}\n{}", apache.log());
    assert!(page.body.contains(&own), "{page:?}");
    assert_eq!(apache.get_as(&own.to_uppercase(), &path).status, 200);
    for host in [other.as_str(), "zoe.test", "x.zoe.test.evil.example"] {
        let page = apache.get_as(host, &path);
        assert!(matches!(page.status, 403 | 404), "{host}: {page:?}");
    }
    let redirect = apache.get_as(&own, &format!("{path}to-host"));
    let expected = format!("http://{own}{path}there?a=1");
    assert_eq!(redirect.header("location"), Some(expected.as_str()));
    echoes(&mut connect(&apache, &own, &format!("{path}ws")), "hello");
}

/// A login of the administrator's own holds for what is in the routes, too, whatever these require.
fn logins(is_map: bool) {
    for pattern in [None, Some("*.zoe.test")] {
        let (mut apache, site, routes) = before(pattern, is_map);
        write(&apache.routes(), &routes, &site);
        let passwords = apache.routes().with_file_name("passwords");
        // That of ada, `secret`.
        std::fs::write(&passwords, "ada:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n").unwrap();
        let login = format!(
            "AuthType Basic\nAuthName zoe\nAuthUserFile {}\nRequire valid-user\n",
            passwords.display()
        );
        let virtual_host = setup::virtual_host(&site).unwrap();
        assert!(virtual_host.contains("Require all granted"));
        apache.start(&virtual_host.replace("Require all granted", &login));
        let id = ExecutionId::from_bits(1);
        let own = match pattern {
            Some(_) => format!("{id}.zoe.test:{}", apache.port),
            None => apache.name(),
        };
        let path = format!("/zoe/{ONE}/master/web/");
        let ask = |host: &str, head: &[&str]| apache.get_with(host, &path, head).status;
        let (ada, other) = (
            "Authorization: Basic YWRhOnNlY3JldA==",
            "Authorization: Basic YWRhOndyb25n",
        );
        assert_eq!(ask(&own, &[]), 401, "{pattern:?}");
        assert_eq!(ask(&own, &[other]), 401, "{pattern:?}");
        assert_eq!(ask(&own, &[ada]), 200, "{pattern:?} {}", apache.log());
        if pattern.is_some() {
            // Who has logged in gets no further than the name leads.
            let another = format!("{}.zoe.test", ExecutionId::from_bits(2));
            assert!(matches!(ask(&another, &[ada]), 401 | 403 | 404));
        }
    }
}

macro_rules! both_ways {
    ($($name:ident),*) => {
        mod in_a_map { $(#[test] fn $name() { super::$name(true); })* }
        mod in_a_fragment { $(#[test] fn $name() { super::$name(false); })* }
    };
}

both_ways!(paths, redirects, nothing_there, websockets, names, logins);

/// What makes a map worth it: routes come and go, and an open websocket does not notice.
#[tokio::test]
async fn a_map_changes_from_one_request_to_the_next() {
    let (apache, site) = front(None, true);
    let mut socket = connect(
        &apache,
        &apache.name(),
        &format!("/zoe/{ONE}/master/web/ws"),
    );
    let upstream = serve("coming and going");
    let stays = route(1, ONE, "master/web", upstream, false);
    for round in 0..50_u64 {
        let comes = route(3 + round, TWO, &format!("c{round}/web"), upstream, false);
        let path = format!("{}/", comes.path);
        let turn = publish::try_turn(&apache.routes()).unwrap().unwrap();
        for (routes, status) in [
            (vec![stays.clone(), comes], 200),
            (vec![stays.clone()], 404),
        ] {
            let text = render::file(&routes, &site);
            let now = jiff::Timestamp::now();
            publish::publish(&site, &apache.routes(), &text, now, &turn)
                .await
                .unwrap();
            assert_eq!(apache.get(&path).status, status, "round {round}");
        }
        echoes(&mut socket, "still there");
    }
}
