//! Routes through the web server: what `proxy show` and `proxy check` print.

use serde::Serialize;

use super::Look;
use super::grid::{Cell, Fit, Grid, Tone};
use super::schema::pretty;
use crate::ops::proxy::routes::{Checked, CheckedRoute, RouteView};

#[derive(Serialize)]
struct Route<'a> {
    execution: &'a str,
    execution_name: &'a str,
    user: &'a str,
    name: &'a str,
    url: &'a str,
    upstream: String,
    published: Option<bool>,
}

#[derive(Serialize)]
struct CheckedDocument<'a> {
    url: &'a str,
    problem: Option<&'a str>,
    routes: Vec<CheckedRouteDocument<'a>>,
}

#[derive(Serialize)]
struct CheckedRouteDocument<'a> {
    #[serde(flatten)]
    route: Route<'a>,
    direct_status: Option<u16>,
    status: Option<u16>,
    problem: Option<&'a str>,
}

fn document(view: &RouteView) -> Route<'_> {
    Route {
        execution: view.execution.as_str(),
        execution_name: &view.execution_name,
        user: &view.user,
        name: &view.name,
        url: &view.url,
        upstream: view.upstream.to_string(),
        published: view.published,
    }
}

/// Routes as one JSON array.
pub fn json(routes: &[RouteView]) -> String {
    pretty(&routes.iter().map(document).collect::<Vec<_>>())
}

/// What a check came to, as one JSON object.
pub fn checked_json(checked: &Checked) -> String {
    let routes = checked.routes.iter().map(|one| CheckedRouteDocument {
        route: document(&one.route),
        direct_status: one.direct.as_ref().ok().copied(),
        status: one.through.as_ref().ok().copied(),
        problem: one.problem.as_deref(),
    });
    pretty(&CheckedDocument {
        url: &checked.url,
        problem: checked.problem.as_deref(),
        routes: routes.collect(),
    })
}

/// Routes as a table.
pub fn table(routes: &[RouteView], look: &Look) -> String {
    let mut grid = Grid::new(&[
        ("EXECUTION", Fit::Whole),
        ("NAME", Fit::Whole),
        ("ROUTE", Fit::Whole),
        ("LEADS TO", Fit::Whole),
        ("PUBLISHED", Fit::Whole),
        ("URL", Fit::Wrap),
    ]);
    for route in routes {
        grid.row(vec![
            Cell::plain(route.execution.as_str()),
            Cell::plain(&route.execution_name),
            Cell::plain(&route.name),
            Cell::plain(route.upstream.to_string()),
            published(route.published),
            Cell::plain(&route.url),
        ]);
    }
    grid.render(look)
}

fn published(published: Option<bool>) -> Cell {
    match published {
        Some(true) => Cell::new("yes", Tone::Good),
        Some(false) => Cell::new("no", Tone::Bad),
        None => Cell::plain(""),
    }
}

/// What a check came to, as a table of the routes.
pub fn checked_table(checked: &Checked, look: &Look) -> String {
    let mut grid = Grid::new(&[
        ("EXECUTION", Fit::Whole),
        ("NAME", Fit::Whole),
        ("ROUTE", Fit::Whole),
        ("LEADS TO", Fit::Whole),
        ("DIRECT", Fit::Number),
        ("THROUGH", Fit::Number),
        ("DETAIL", Fit::Wrap),
    ]);
    for CheckedRoute {
        route,
        direct,
        through,
        problem,
        is_silent,
    } in &checked.routes
    {
        let tone = match (problem, is_silent) {
            (Some(_), false) => Tone::Bad,
            (Some(_), true) => Tone::Waiting,
            (None, _) => Tone::Good,
        };
        grid.row(vec![
            Cell::plain(route.execution.as_str()),
            Cell::plain(&route.execution_name),
            Cell::plain(&route.name),
            Cell::plain(route.upstream.to_string()),
            Cell::maybe(direct.as_ref().ok()),
            Cell::maybe(through.as_ref().ok()),
            Cell::new(problem.as_deref().unwrap_or("ok"), tone),
        ]);
    }
    grid.render(look)
}
