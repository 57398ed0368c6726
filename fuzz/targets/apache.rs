//! What Apache reads, written from routes with any text in them and read back by the strictest grammar that it fits.

use zoe::model::ExecutionId;
use zoe::proxy::{Route, Site, Way, render};

use super::Input;

const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz";

/// Routes made of the input between two that are as they should be.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.choice;
    let mut routes = vec![good(1, "master/web", choice & 1 == 0)];
    while let Some(token) = input.next() {
        let (place, path) = (input.text(), input.text());
        let path = match path.as_str() {
            // What a route of such a token and place would have.
            "" => format!("/zoe/{token}/{place}"),
            prefix if !prefix.contains('/') => format!("/{prefix}/{token}/{place}"),
            _ => path,
        };
        let upstream = input.text().parse();
        routes.push(Route {
            execution: ExecutionId::from_bits(2 + routes.len() as u64 / 2),
            name: input.text(),
            token,
            place,
            path,
            upstream: upstream.unwrap_or_else(|_| "10.0.0.1:8080".parse().unwrap()),
            base_path: choice & 2 == 0,
        });
    }
    routes.push(good(u64::MAX, "worker.1/web", true));
    let name = if choice & 4 == 0 {
        "zoe.example.org"
    } else {
        "*.zoe.example.org"
    };
    for is_map in [true, false] {
        check(&routes, &site(name, is_map));
    }
}

fn good(bits: u64, place: &str, base_path: bool) -> Route {
    Route {
        execution: ExecutionId::from_bits(bits),
        name: place.to_owned(),
        token: TOKEN.to_owned(),
        place: place.to_owned(),
        path: format!("/zoe/{TOKEN}/{place}"),
        upstream: "[fd00::1]:8081".parse().unwrap(),
        base_path,
    }
}

pub fn site(name: &str, is_map: bool) -> Site {
    Site {
        secure: false,
        name: name.to_owned(),
        prefix: "/zoe".to_owned(),
        file: Some("/var/lib/zoe/routes".into()),
        way: if is_map {
            Way::Map
        } else {
            Way::Fragment {
                configtest: String::new(),
                reload: String::new(),
                interval: std::time::Duration::ZERO,
            }
        },
    }
}

/// Panics unless the file for these routes has nothing in it but them, and all that are as they should be.
pub fn check(routes: &[Route], site: &Site) {
    let text = render::file(routes, site);
    let is_map = matches!(site.way, Way::Map);
    let found = if is_map { map(&text) } else { sections(&text) };
    let plain: Vec<&Route> = routes.iter().filter(|route| is_plain(route)).collect();
    assert_eq!(found.len(), plain.len(), "{text}");
    for (found, route) in found.iter().zip(&plain) {
        let key = if is_map {
            render::key(route, site)
        } else {
            format!("{}/", route.path)
        };
        assert_eq!((&found.0, &found.1), (&route.execution, &key), "{text}");
    }
    for route in routes {
        assert_eq!(
            render::has(&text, route, site),
            plain.contains(&route),
            "{route:?}\n{text}"
        );
        // Without one execution: as if it had never been there.
        let id = route.execution;
        let others: Vec<Route> = routes
            .iter()
            .filter(|r| r.execution != id)
            .cloned()
            .collect();
        assert_eq!(render::without(&text, id), render::file(&others, site));
    }
}

/// What is allowed, said in another way than where it is written.
fn is_plain(route: &Route) -> bool {
    let only = |text: &str, more: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || more.as_bytes().contains(&b))
    };
    let no_dots = |text: &str| {
        text.split('/')
            .all(|part| part != "." && part != ".." && !part.is_empty())
    };
    let Some((component, port)) = route.place.split_once('/') else {
        return false;
    };
    let small = |text: &str| only(text, "-.") && text == text.to_lowercase();
    small(component)
        && small(port)
        && no_dots(&route.place)
        && only(&route.token, "")
        && route.path.starts_with('/')
        && only(&route.path, "/._-~")
        && no_dots(&route.path[1..])
        && route
            .path
            .ends_with(&format!("/{}/{}", route.token, route.place))
        && route.upstream.port() != 0
        && !route.upstream.to_string().contains('%')
}

/// Lines of a map: whose they are, and their keys.
fn map(text: &str) -> Vec<(ExecutionId, String)> {
    let mut found = Vec::new();
    let mut block = None;
    for line in lines(text) {
        if let Some(id) = line.strip_prefix("# execution ") {
            block = Some(id.parse().unwrap());
            continue;
        }
        let words: Vec<&str> = line.split(' ').collect();
        let [key, upstream] = words[..] else {
            panic!("{line:?} is no line of a map");
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "/.-".contains(c);
        assert!(key.chars().all(plain), "{key:?}");
        is_address(upstream);
        found.push((
            block.expect("a block begins with its execution"),
            key.to_owned(),
        ));
    }
    found
}

/// An address with a port, and a plain path perhaps.
fn is_address(text: &str) {
    let (address, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    let _: std::net::SocketAddr = address.parse().expect(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-~".contains(c);
    assert!(path.chars().all(plain), "{text:?}");
}

/// Sections of a fragment: whose they are, and where.
fn sections(text: &str) -> Vec<(ExecutionId, String)> {
    const DIRECTIVES: [&str; 7] = [
        "AuthMerging And",
        "Require expr",
        "ProxyPass",
        "ProxyPassReverse",
        "ProxyPassReverseCookiePath",
        "Header edit Location",
        "</Location>",
    ];
    let mut found = Vec::new();
    let (mut block, mut open) = (None, false);
    for line in lines(text) {
        if let Some(id) = line.strip_prefix("# execution ") {
            assert!(!open, "{text}");
            block = Some(id.parse().unwrap());
            continue;
        }
        if let Some(path) = line.strip_prefix("<Location \"") {
            assert!(!open, "{text}");
            open = true;
            let path = path.strip_suffix("\">").expect(line);
            let plain = |c: char| c.is_ascii_alphanumeric() || "/._-~".contains(c);
            assert!(path.chars().all(plain), "{path:?}");
            found.push((
                block.expect("a block begins with its execution"),
                path.to_owned(),
            ));
            continue;
        }
        assert!(open, "{line:?} is in no section");
        let directive = line.trim_start().split(" \"").next().unwrap();
        assert!(DIRECTIVES.contains(&directive), "{line:?}");
        // Texts in pairs of quotes, and nothing that Apache would take for something else.
        assert_eq!(line.matches('"').count() % 2, 0, "{line:?}");
        assert!(
            !line.contains(['\\', '<', '\'']) || line == "</Location>",
            "{line:?}"
        );
        for (at, _) in line.match_indices('$') {
            assert!(
                line[at..].starts_with("${ZOE_DOLLAR}{ZOE_HOST}"),
                "{line:?}"
            );
        }
        for (at, _) in line.match_indices('%') {
            assert!(line[at..].starts_with("%{HTTP_HOST}"), "{line:?}");
        }
        open = line != "</Location>";
    }
    assert!(!open, "{text}");
    found
}

/// All lines but the first, which is zoe's own.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    assert!(text.ends_with('\n') && text.is_ascii(), "{text:?}");
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text:?}"
    );
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("# The routes of zoe"));
    lines
}
