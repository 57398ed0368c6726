//! Looking at the web server's routes: which there are, whether they work, and the address of one.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;

use super::{configured, file};
use crate::engine::Scope;
use crate::model::{Execution, ExecutionId, Phase};
use crate::ops::context::Context;
use crate::ops::error::{ErrorKind, OpsError};
use crate::ops::list;
use crate::ops::resolve::{self, Found};
use crate::ops::view::ExecutionView;
use crate::ops::view::NamedUrl;
use crate::proxy::ask::{Answer, Question, ask, no_answer};
use crate::proxy::{Route, Way, access_log, publish, render, routes, setup};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many are asked at once.
const AT_ONCE: usize = 16;

/// A route as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteView {
    /// Whose it is.
    pub execution: ExecutionId,
    /// What that is called.
    pub execution_name: String,
    /// Whose that is.
    pub user: String,
    /// What the route is called: `master/web`.
    pub name: String,
    /// Where a browser finds it.
    pub url: String,
    /// Where it leads to.
    pub upstream: SocketAddr,
    /// Whether the file has it; `None` where no file is written from here.
    pub published: Option<bool>,
}

/// What asking came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRoute {
    /// The route.
    pub route: RouteView,
    /// What the container itself answers with: an HTTP status, or why there is none.
    pub direct: Result<u16, String>,
    /// What comes through the web server.
    pub through: Result<u16, String>,
    /// What is wrong, if anything is.
    pub problem: Option<String>,
    /// Whether its container answers nothing: it may not have begun to, or be about to end. That is no fault of the web
    /// server's.
    pub is_silent: bool,
}

/// The state of the web server and all routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The URL that the web server was asked for.
    pub url: String,
    /// What is wrong with the web server itself, if anything is.
    pub problem: Option<String>,
    /// The routes.
    pub routes: Vec<CheckedRoute>,
}

impl Checked {
    /// Whether all is as it should be.
    pub fn is_well(&self) -> bool {
        self.problem.is_none()
            && self
                .routes
                .iter()
                .all(|r| r.problem.is_none() || r.is_silent)
    }
}

/// The virtual host to install.
pub fn virtual_host(context: &Context) -> Result<String, OpsError> {
    setup::virtual_host(&configured(context)?.site).map_err(OpsError::usage)
}

/// The routes that there are.
pub async fn show(context: &Context) -> Result<Vec<RouteView>, OpsError> {
    let (routes, _) = look(context).await?;
    Ok(routes.into_iter().map(|(_, view)| view).collect())
}

/// All routes, and the executions that have run for longer than a start may take.
async fn look(
    context: &Context,
) -> Result<(Vec<(Route, RouteView)>, BTreeSet<ExecutionId>), OpsError> {
    let site = &configured(context)?.site;
    let snapshot = context.backend.observe(Scope::Executions).await?;
    let all = routes(&snapshot)?;
    let text = match &site.file {
        Some(file) => Some(publish::read(file)?.unwrap_or_default()),
        None => None,
    };
    let views = all.into_iter().map(|route| {
        let ticket = snapshot.executions.get(&route.execution).map(|e| &e.ticket);
        let view = RouteView {
            execution: route.execution,
            execution_name: ticket.map(|t| t.name.to_string()).unwrap_or_default(),
            user: ticket.map(|t| t.user.clone()).unwrap_or_default(),
            name: route.name.clone(),
            url: format!("{}{}/", site.origin(route.execution), route.path),
            upstream: route.upstream,
            published: text.as_ref().map(|text| render::has(text, &route, site)),
        };
        (route, view)
    });
    let is_old = |execution: &&Execution| match execution.phase() {
        Phase::Running { since } => {
            let until = since.checked_add(context.settings.start_deadline);
            until.is_ok_and(|until| until < context.now())
        }
        Phase::Queued | Phase::Starting | Phase::Ending(_) => false,
    };
    let old = snapshot.executions.values().filter(is_old);
    let old = old.map(|execution| execution.ticket.id).collect();
    Ok((views.collect(), old))
}

/// Asks the web server for itself and for every route, and every container. `at`: the address to find the web server at.
pub async fn check(context: &Context, at: Option<SocketAddr>) -> Result<Checked, OpsError> {
    let site = &configured(context)?.site;
    if site.file.is_some() {
        file(site)?;
    }
    let (routes, is_old) = look(context).await?;
    let anybody = routes.first().map(|(route, _)| route.execution);
    let anybody = anybody.unwrap_or_else(|| ExecutionId::from_bits(0));
    let question = |id: ExecutionId, path: String| Question {
        secure: site.secure,
        authority: site.authority(id),
        path,
        at,
    };
    let own = format!("{}/", site.prefix);
    let url = format!("{}{own}", site.origin(anybody));
    let problem = match ask(&question(anybody, own), PATIENCE).await {
        Err(why) => Some(format!("the web server does not answer: {why}")),
        Ok(Answer { is_zoe: false, .. }) => {
            Some("a web server answers, but not the virtual host of `zoe proxy setup`".to_owned())
        }
        Ok(_) => None,
    };
    let is_there = problem.is_none();
    let unwritten = match &site.file {
        // A fragment that is not there is an empty one to the web server.
        Some(file) if site.way == Way::Map && publish::read(file)?.is_none() => Some(format!(
            "{} is not there, which the web server reads; `zoe proxy sync` writes it",
            file.display()
        )),
        Some(_) | None => None,
    };
    let problems: Vec<String> = problem.into_iter().chain(unwritten).collect();
    let problem = (!problems.is_empty()).then(|| problems.join("; "));
    let checks = routes.into_iter().map(|(route, view)| {
        let asked = format!("{}/?{}", route.path, access_log::CHECK);
        let through = question(route.execution, asked);
        let is_old = is_old.contains(&route.execution);
        async move {
            let (direct, through) = futures_util::join!(ask_directly(&route), async {
                if !is_there {
                    return Err("it was not asked".to_owned());
                }
                ask(&through, PATIENCE).await.map(|answer| answer.status)
            });
            let problem = if is_there || direct.is_err() || view.published == Some(false) {
                trouble(&view, &direct, &through)
            } else {
                Some("the web server was not asked for it".to_owned())
            };
            // Whoever refuses may not have begun, or has nothing to show; who was to have begun long ago and hangs is ill.
            let hangs = direct.as_ref().err() == Some(&no_answer(PATIENCE));
            let may_be_silent = !(hangs && is_old);
            let view_published = view.published != Some(false);
            CheckedRoute {
                route: view,
                is_silent: direct.is_err() && view_published && may_be_silent,
                direct,
                through,
                problem,
            }
        }
    });
    Ok(Checked {
        url,
        problem,
        routes: stream::iter(checks).buffered(AT_ONCE).collect().await,
    })
}

async fn ask_directly(route: &Route) -> Result<u16, String> {
    let base = if route.base_path { &route.path } else { "" };
    let question = Question {
        secure: false,
        authority: route.upstream.to_string(),
        path: format!("{base}/"),
        at: Some(route.upstream),
    };
    ask(&question, PATIENCE).await.map(|answer| answer.status)
}

fn trouble(
    view: &RouteView,
    direct: &Result<u16, String>,
    through: &Result<u16, String>,
) -> Option<String> {
    if view.published == Some(false) {
        return Some("it is not published; `zoe proxy sync` publishes it".to_owned());
    }
    match (direct, through) {
        (Err(why), _) => Some(format!("its container does not answer (yet): {why}")),
        (Ok(_), Err(why)) => Some(format!("the web server does not answer: {why}")),
        (Ok(direct), Ok(404)) if *direct != 404 => Some(
            "the web server does not know it: does it read the file that zoe writes?".to_owned(),
        ),
        (Ok(direct), Ok(502..=504)) if *direct < 500 => {
            Some("the web server does not reach its container".to_owned())
        }
        (Ok(_), Ok(403)) => Some("the web server refuses it".to_owned()),
        (Ok(_), Ok(_)) => None,
    }
}

/// The address of one of an execution's web interfaces, as its owner needs it: the one of that name, by default its
/// principal component's first.
pub async fn address(
    context: &Context,
    text: &str,
    name: Option<&str>,
) -> Result<NamedUrl, OpsError> {
    let execution = match resolve::resolve(context, text).await? {
        Found::Alive(execution) => execution,
        Found::Past(record) => {
            let message = format!("{} is over; it has no web interface any more", record.id);
            return Err(OpsError::new(ErrorKind::NotFound, message));
        }
    };
    let principal = execution.ticket.application.principal();
    let principal = principal.map(|component| component.name.to_string());
    let view = list::owner_view(context, &execution).await?;
    let is_principal = |url: &&NamedUrl| {
        let component = url.name.split('/').next();
        principal.is_some() && component == principal.as_deref()
    };
    let chosen = if let Some(name) = name {
        named(&view.urls, name)?
    } else {
        view.urls.iter().find(is_principal).or(view.urls.first())
    };
    chosen.cloned().ok_or_else(|| none(&view, name))
}

/// The one of that name, or the only one whose component or port has it.
fn named<'u>(urls: &'u [NamedUrl], name: &str) -> Result<Option<&'u NamedUrl>, OpsError> {
    if let Some(url) = urls.iter().find(|url| url.name == name) {
        return Ok(Some(url));
    }
    let has = |url: &&NamedUrl| url.name.split('/').any(|part| part == name);
    let found: Vec<&NamedUrl> = urls.iter().filter(has).collect();
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        // `notebook` is the component of several ports, and the port of one that is called the same.
        [..] => {
            let whole = found
                .iter()
                .find(|url| url.name == format!("{name}/{name}"));
            let names: Vec<&str> = found.iter().map(|url| url.name.as_str()).collect();
            whole.copied().map(Some).ok_or_else(|| {
                OpsError::new(
                    ErrorKind::Conflict,
                    format!(
                        "several of its web interfaces are called so: {}",
                        names.join(", ")
                    ),
                )
            })
        }
    }
}

fn none(view: &ExecutionView, name: Option<&str>) -> OpsError {
    let names: Vec<&str> = view.urls.iter().map(|url| url.name.as_str()).collect();
    match name {
        Some(name) if !names.is_empty() => OpsError::new(
            ErrorKind::NotFound,
            format!(
                "{} has no web interface '{}'; it has {}",
                view.id,
                crate::model::ids::shorten(name),
                names.join(", ")
            ),
        ),
        _ => OpsError::new(
            ErrorKind::NotFound,
            format!("{} has no web interface that can be reached now", view.id),
        )
        .hint("`zoe show` tells where it stands"),
    }
}
