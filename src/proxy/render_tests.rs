use std::net::SocketAddr;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz";

fn site(name: &str, is_map: bool) -> Site {
    Site::example(name, is_map)
}

fn route(bits: u64, place: &str, upstream: &str, base_path: bool) -> Route {
    Route {
        execution: ExecutionId::from_bits(bits),
        name: place.to_owned(),
        token: TOKEN.to_owned(),
        place: place.to_owned(),
        path: format!("/zoe/{TOKEN}/{place}"),
        upstream: upstream.parse().unwrap(),
        base_path,
    }
}

fn some() -> Vec<Route> {
    vec![
        route(1, "master/web", "127.0.0.1:32768", false),
        route(1, "notebook/notebook", "127.0.0.1:32769", true),
        route(2, "worker.1/web", "[fd00::1]:8081", false),
    ]
}

#[test]
fn a_map_has_a_line_for_each() {
    insta::assert_snapshot!(file(&some(), &site("zoe.example.org", true)), @r"
    # The routes of zoe, for Apache's RewriteMap. Zoe writes this file; `zoe proxy show` shows what is in it.
    # execution baaaaaaa
    abcdefghijklmnopqrstuvwxyz/master/web 127.0.0.1:32768
    abcdefghijklmnopqrstuvwxyz/notebook/notebook 127.0.0.1:32769/zoe/abcdefghijklmnopqrstuvwxyz/notebook/notebook
    # execution caaaaaaa
    abcdefghijklmnopqrstuvwxyz/worker.1/web [fd00::1]:8081
    ");
}

#[test]
fn with_names_of_their_own_the_key_begins_with_the_execution() {
    let text = file(&some(), &site("*.zoe.example.org", true));
    assert!(
        text.contains("\nbaaaaaaa/abcdefghijklmnopqrstuvwxyz/master/web 127.0.0.1:32768\n"),
        "{text}"
    );
}

#[test]
fn a_fragment_has_a_section_for_each() {
    let text = file(&some()[..2], &site("*.zoe.example.org", false));
    insta::assert_snapshot!(text, @r##"
    # The routes of zoe, for Apache's configuration. Zoe writes this file; `zoe proxy show` shows what is in it.
    # execution baaaaaaa
    <Location "/zoe/abcdefghijklmnopqrstuvwxyz/master/web/">
        AuthMerging And
        Require expr "%{HTTP_HOST} =~ m#^baaaaaaa[.]#i"
        ProxyPass "http://127.0.0.1:32768/" nocanon upgrade=websocket retry=0
        ProxyPassReverse "http://${ZOE_DOLLAR}{ZOE_HOST}/zoe/abcdefghijklmnopqrstuvwxyz/master/web/" interpolate
        ProxyPassReverse "https://${ZOE_DOLLAR}{ZOE_HOST}/zoe/abcdefghijklmnopqrstuvwxyz/master/web/" interpolate
        ProxyPassReverse "http://${ZOE_DOLLAR}{ZOE_HOST}/" interpolate
        ProxyPassReverse "https://${ZOE_DOLLAR}{ZOE_HOST}/" interpolate
        ProxyPassReverse "http://127.0.0.1:32768/"
        Header edit Location "^/(?!/|zoe/)" "/zoe/abcdefghijklmnopqrstuvwxyz/master/web/"
        ProxyPassReverseCookiePath "/zoe/abcdefghijklmnopqrstuvwxyz/master/web/" "/zoe/abcdefghijklmnopqrstuvwxyz/master/web/"
        ProxyPassReverseCookiePath "/" "/zoe/abcdefghijklmnopqrstuvwxyz/master/web/"
    </Location>
    <Location "/zoe/abcdefghijklmnopqrstuvwxyz/notebook/notebook/">
        AuthMerging And
        Require expr "%{HTTP_HOST} =~ m#^baaaaaaa[.]#i"
        ProxyPass "http://127.0.0.1:32769/zoe/abcdefghijklmnopqrstuvwxyz/notebook/notebook/" nocanon upgrade=websocket retry=0
        ProxyPassReverse "http://${ZOE_DOLLAR}{ZOE_HOST}/zoe/abcdefghijklmnopqrstuvwxyz/notebook/notebook/" interpolate
        ProxyPassReverse "https://${ZOE_DOLLAR}{ZOE_HOST}/zoe/abcdefghijklmnopqrstuvwxyz/notebook/notebook/" interpolate
        ProxyPassReverseCookiePath "/zoe/abcdefghijklmnopqrstuvwxyz/notebook/notebook/" "/zoe/abcdefghijklmnopqrstuvwxyz/notebook/notebook/"
        ProxyPassReverseCookiePath "/" "/zoe/abcdefghijklmnopqrstuvwxyz/notebook/notebook/"
    </Location>
    "##);
}

#[test]
fn what_is_no_plain_route_is_left_out() {
    let plain = route(1, "master/web", "127.0.0.1:1", false);
    let with = |change: fn(&mut Route)| {
        let mut route = plain.clone();
        change(&mut route);
        route
    };
    let odd = [
        with(|r| r.place = "master/web\n<Location>".to_owned()),
        with(|r| r.place = "../web".to_owned()),
        with(|r| r.place = "web".to_owned()),
        with(|r| r.path.push('"')),
        with(|r| r.path = r.path.replace("/zoe/", "/zoe/../")),
        with(|r| r.path = r.path.replace("/zoe/", "/z oe/")),
        with(|r| r.path = r.path.replace("/zoe/", "/%{x}/")),
        with(|r| r.path = r.path.replace("/zoe/", "/$x/")),
        with(|r| r.token = "x y".to_owned()),
        with(|r| r.token = "other".to_owned()),
        with(|r| r.upstream.set_port(0)),
    ];
    for is_map in [true, false] {
        let site = site("z", is_map);
        assert_eq!(file(&odd, &site), file(&[], &site));
        assert_ne!(file(std::slice::from_ref(&plain), &site), file(&[], &site));
    }
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\x00-\\x7f]{0,20}",
        Just(format!("/zoe/{TOKEN}/a/b")),
        Just("a/b".to_owned()),
        Just(TOKEN.to_owned()),
    ]
}

fn any_route() -> impl Strategy<Value = Route> {
    let texts = (hostile(), hostile(), hostile(), hostile());
    let well = ("[a-z][a-z0-9-]{0,5}(\\.[0-9])?", "[a-z0-9-]{1,5}").prop_map(|(c, p)| (c, p));
    (
        0u64..4,
        texts,
        well,
        any::<SocketAddr>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(
                bits,
                (name, token, place, path),
                (component, port),
                upstream,
                base_path,
                is_well,
            )| {
                let good = format!("{component}/{port}");
                Route {
                    execution: ExecutionId::from_bits(bits),
                    name,
                    token: if is_well { TOKEN.to_owned() } else { token },
                    path: if is_well {
                        format!("/zoe/{TOKEN}/{good}")
                    } else {
                        path
                    },
                    place: if is_well { good } else { place },
                    upstream,
                    base_path,
                }
            },
        )
}

fn by_execution() -> impl Strategy<Value = Vec<Route>> {
    vec(any_route(), 0..12).prop_map(|mut routes| {
        routes.sort_by_key(|route| route.execution);
        routes
    })
}

proptest! {
    #[test]
    fn nothing_but_plain_words_gets_into_a_map(routes in by_execution()) {
        let text = file(&routes, &site("*.zoe.example.org", true));
        for line in text.lines().skip(1) {
            let plain = |c: char| c.is_ascii_alphanumeric() || "/.-:[]~_".contains(c);
            if let Some(id) = line.strip_prefix("# execution ") {
                prop_assert!(id.parse::<ExecutionId>().is_ok(), "{line:?}");
            } else {
                let (key, value) = line.split_once(' ').unwrap();
                prop_assert!(key.chars().all(plain) && value.chars().all(plain), "{line:?}");
            }
        }
    }

    #[test]
    fn a_fragment_is_sections_and_no_more(routes in by_execution()) {
        let text = file(&routes, &site("zoe.example.org", false));
        let sections = routes.iter().filter(|route| is_plain(route)).count();
        prop_assert_eq!(text.matches("<Location \"/").count(), sections);
        prop_assert_eq!(text.matches('<').count(), 2 * sections);
        for line in text.lines().filter(|line| line.contains("ProxyPass \"")) {
            let url = line.split('"').nth(1).unwrap();
            prop_assert!(!url.contains(['$', '%', '\\', ' ', '?']), "{line:?}");
        }
    }

    #[test]
    fn some_routes_are_taken_out(routes in by_execution(), gone in vec(any::<bool>(), 12), is_map: bool) {
        let site = site("zoe.example.org", is_map);
        // No port has two routes.
        let mut routes = routes;
        let mut seen = std::collections::BTreeSet::new();
        routes.retain(|route| seen.insert((route.execution, route.place.clone())));
        let parted = routes.iter().cloned().zip(gone);
        let (gone, kept): (Vec<_>, Vec<_>) = parted.partition(|(_, is_gone)| *is_gone);
        let of = |all: Vec<(Route, bool)>| all.into_iter().map(|(route, _)| route).collect::<Vec<_>>();
        let (gone, kept, text) = (of(gone), of(kept), file(&routes, &site));
        let rest = without_routes(&text, &gone, &site);
        prop_assert_eq!(&rest, &file(&kept, &site));
        prop_assert_eq!(without_routes(&rest, &gone, &site), rest);
    }

    #[test]
    fn what_is_made_a_comment_is_no_route_any_more(routes in by_execution(), bits in 0u64..5) {
        let site = site("zoe.example.org", true);
        let text = file(&routes, &site);
        let rest = without(&text, ExecutionId::from_bits(bits));
        let mut bytes = text.clone().into_bytes();
        for place in comments(&text, &rest) {
            bytes[usize::try_from(place).unwrap()] = b'#';
        }
        let struck = String::from_utf8(bytes).unwrap();
        let real = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.starts_with('#') || line.starts_with(BLOCK));
            lines.map(str::to_owned).collect()
        };
        prop_assert_eq!(real(&struck), real(&rest));
    }

    #[test]
    fn the_routes_of_one_are_taken_out(routes in by_execution(), bits in 0u64..5, is_map: bool) {
        let site = site("zoe.example.org", is_map);
        let gone = ExecutionId::from_bits(bits);
        let kept: Vec<Route> = routes.iter().filter(|r| r.execution != gone).cloned().collect();
        prop_assert_eq!(without(&file(&routes, &site), gone), file(&kept, &site));
        for route in routes.iter().filter(|route| is_plain(route)) {
            prop_assert!(has(&file(&routes, &site), route, &site));
        }
    }
}
