//! Routes as the file that Apache reads: a map or a fragment. Pure.
//!
//! Both are blocks, one for each execution, each after a comment that names it; so the routes of one that ends are taken out
//! without looking at anything else ([`without`]).

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::routes::Route;
use super::site::{Site, Way};
use crate::model::ExecutionId;

/// How a file of routes begins, of either kind.
pub(super) const BEGINNING: &str = "# The routes of zoe";
/// Begins the block of an execution; its id follows.
const BLOCK: &str = "# execution ";

/// The file for these routes, which are ordered by execution. What is no plain route is left out.
pub fn file(routes: &[Route], site: &Site) -> String {
    let mut text = head(site).to_owned();
    let mut block = None;
    for route in routes.iter().filter(|route| is_plain(route)) {
        if block.replace(route.execution) != Some(route.execution) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{BLOCK}{}", route.execution);
        }
        write(&mut text, route, site);
    }
    text
}

fn write(text: &mut String, route: &Route, site: &Site) {
    match site.way {
        Way::Map => map_line(text, route, site),
        Way::Fragment { .. } => section(text, route, site),
    }
}

fn head(site: &Site) -> &'static str {
    match site.way {
        Way::Map => {
            "# The routes of zoe, for Apache's RewriteMap. Zoe writes this file; `zoe proxy show` shows what is in it.\n"
        }
        Way::Fragment { .. } => {
            "# The routes of zoe, for Apache's configuration. Zoe writes this file; `zoe proxy show` shows what is in it.\n"
        }
    }
}

/// What a map has for a route: the key that follows from a request.
pub fn key(route: &Route, site: &Site) -> String {
    let below = format!("{}/{}", route.token, route.place);
    match site.domain() {
        Some(_) => format!("{}/{below}", route.execution),
        None => below,
    }
}

fn map_line(text: &mut String, route: &Route, site: &Site) {
    let base = if route.base_path { &route.path } else { "" };
    let _ = writeln!(text, "{} {}{base}", key(route, site), route.upstream);
}

fn section(text: &mut String, route: &Route, site: &Site) {
    let Route { path, upstream, .. } = route;
    let base = if route.base_path { path } else { "" };
    let _ = writeln!(text, "<Location \"{path}/\">");
    if site.domain().is_some() {
        let id = route.execution;
        // Beside what the virtual host requires, such as a login, and not in its place.
        let _ = writeln!(text, "    AuthMerging And");
        let _ = writeln!(text, "    Require expr \"%{{HTTP_HOST}} =~ m#^{id}[.]#i\"");
    }
    let _ = writeln!(
        text,
        "    ProxyPass \"http://{upstream}{base}/\" nocanon upgrade=websocket retry=0"
    );
    // What it redirects to: paths that are right already, paths of its own, and itself.
    let host = "${ZOE_DOLLAR}{ZOE_HOST}";
    let _ = writeln!(
        text,
        "    ProxyPassReverse \"http://{host}{path}/\" interpolate"
    );
    let _ = writeln!(
        text,
        "    ProxyPassReverse \"https://{host}{path}/\" interpolate"
    );
    if !route.base_path {
        let _ = writeln!(text, "    ProxyPassReverse \"http://{host}/\" interpolate");
        let _ = writeln!(text, "    ProxyPassReverse \"https://{host}/\" interpolate");
        let _ = writeln!(text, "    ProxyPassReverse \"http://{upstream}/\"");
        let prefix = &site.prefix;
        let _ = writeln!(
            text,
            "    Header edit Location \"^/(?!/|{}/)\" \"{path}/\"",
            prefix.trim_start_matches('/')
        );
    }
    let _ = writeln!(
        text,
        "    ProxyPassReverseCookiePath \"{path}/\" \"{path}/\""
    );
    let _ = writeln!(text, "    ProxyPassReverseCookiePath \"/\" \"{path}/\"");
    let _ = writeln!(text, "</Location>");
}

/// The file without the routes of an execution; the same text if it has none.
pub fn without(text: &str, execution: ExecutionId) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut is_kept = true;
    for line in text.split_inclusive('\n') {
        if let Some(id) = line.strip_prefix(BLOCK) {
            is_kept = id.trim_end() != execution.as_str();
        }
        if is_kept {
            kept.push_str(line);
        }
    }
    kept
}

/// The file without these routes; the same text if it has none of them.
pub fn without_routes(text: &str, routes: &[Route], site: &Site) -> String {
    let mut kept = text.to_owned();
    for route in routes.iter().filter(|route| is_plain(route)) {
        if let Some(rest) = without_route(&kept, route, site) {
            kept = rest;
        }
    }
    kept
}

/// The file without a route, if it has it; its block goes with the last one.
fn without_route(text: &str, route: &Route, site: &Site) -> Option<String> {
    let head = format!("\n{BLOCK}{}\n", route.execution);
    let (before, rest) = text.split_at_checked(text.find(&head)? + 1)?;
    let end = rest.find(&format!("\n{BLOCK}"));
    let (block, after) = rest.split_at_checked(end.map_or(rest.len(), |end| end + 1))?;
    let mut own = "\n".to_owned();
    write(&mut own, route, site);
    let (above, below) = block.split_once(&own)?;
    let is_last = below.is_empty() && !above.contains('\n');
    Some(if is_last {
        format!("{before}{after}")
    } else {
        format!("{before}{above}\n{below}{after}")
    })
}

/// Where in a map each line that is not in `rest`, which has all others, has to get a `#` so that it is a comment, and one that
/// names an execution names it no more.
pub fn comments(text: &str, rest: &str) -> Vec<u64> {
    let mut places = Vec::new();
    let mut kept = rest.split_inclusive('\n').peekable();
    let mut at = 0_u64;
    for line in text.split_inclusive('\n') {
        if kept.next_if_eq(&line).is_none() {
            if line.starts_with(BLOCK) {
                places.push(at + 1);
            } else if !line.trim_end().is_empty() {
                places.push(at);
            }
        }
        at += line.len() as u64;
    }
    places
}

/// Whether a file has a route.
pub fn has(text: &str, route: &Route, site: &Site) -> bool {
    if !is_plain(route) {
        return false;
    }
    let mut own = String::new();
    write(&mut own, route, site);
    // A block begins with a comment, so a line is never found in the middle of another.
    text.contains(&format!("\n{own}"))
}

/// Whether all its texts are what they are made of where they come in: it is the last door before Apache.
fn is_plain(route: &Route) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let pieces = |text: &str, good: fn(char) -> bool| {
        text.split('/')
            .all(|piece| !matches!(piece, "" | "." | "..") && piece.chars().all(good))
    };
    let place_ok = route.place.chars().all(|c| word(c) || c == '/')
        && pieces(&route.place, |_| true)
        && route.place.split('/').count() == 2;
    let path_ok = route
        .path
        .strip_prefix('/')
        .is_some_and(|path| pieces(path, |c| c.is_ascii_alphanumeric() || "._-~".contains(c)));
    let token_ok =
        !route.token.is_empty() && route.token.chars().all(|c| c.is_ascii_alphanumeric());
    let agree = route
        .path
        .ends_with(&format!("/{}/{}", route.token, route.place));
    // Docker's addresses have no zone, which would be written with a `%`.
    let bare = SocketAddr::new(route.upstream.ip(), route.upstream.port());
    let upstream_ok = bare == route.upstream && bare.port() > 0;
    place_ok && path_ok && token_ok && agree && upstream_ok
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
