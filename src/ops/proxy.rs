//! Keeping the web server's routes right: published when something has started, taken out before something is removed, and
//! put right at every pass where they are not what was seen.
//!
//! What is published was looked at while nobody else could publish, so an older look never replaces a newer one. Trouble with
//! the routes keeps no execution from starting or ending: it is told once, and the next pass tries again.

pub mod routes;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::report::{News, Report};
use crate::engine::Scope;
use crate::model::{Execution, ExecutionId, InstanceKey, Snapshot};
use crate::proxy::publish::{self, PublishError, Published, Turn};
use crate::proxy::{Incomplete, Site, Way, render, routes, to, usurpers};

/// How often to ask for the turn while another publishes.
const ASK_AGAIN: Duration = Duration::from_millis(20);
/// How often at the most: a reload may take half a minute.
const ASKED: usize = 2_500;
/// How often the next reload is waited for at the most: another zoe may be faster.
const WAITS: usize = 3;

/// The web server, and what this process does about it.
#[derive(Debug)]
pub struct Proxy {
    /// How it is configured.
    pub site: Site,
    /// How often somebody has asked for the routes to be put right.
    asked: AtomicU64,
    /// Up to which of these it was done.
    served: tokio::sync::Mutex<u64>,
    /// The trouble that was told last.
    told: Mutex<Option<String>>,
    /// Whose routes could not be taken out.
    left: Mutex<BTreeSet<ExecutionId>>,
}

impl Proxy {
    /// Of a web server that is configured so.
    pub fn new(site: Site) -> Self {
        Self {
            site,
            asked: AtomicU64::new(0),
            served: tokio::sync::Mutex::new(0),
            told: Mutex::new(None),
            left: Mutex::default(),
        }
    }
}

impl Proxy {
    fn left(&self) -> std::sync::MutexGuard<'_, BTreeSet<ExecutionId>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wrong with the routes, as far as this process has seen.
pub fn trouble(context: &Context) -> Option<String> {
    let proxy = context.proxy.as_deref()?;
    let told = proxy.told.lock().unwrap_or_else(PoisonError::into_inner);
    told.clone()
}

/// The executions whose routes this process could not take out: they lead where nobody is, or somebody else.
pub fn left(context: &Context) -> Vec<ExecutionId> {
    let proxy = context.proxy.as_deref();
    proxy.map_or_else(Vec::new, |proxy| proxy.left().iter().copied().collect())
}

/// What came of putting the routes right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// How many routes there are.
    pub routes: usize,
    /// Whose are left out, in a sentence, if any are.
    pub left_out: Option<String>,
    /// Whether the web server had them already.
    pub were_there: bool,
}

impl From<PublishError> for OpsError {
    fn from(error: PublishError) -> Self {
        let failed = Self::failed(error.to_string());
        match error {
            PublishError::Foreign { .. } => failed.hint("docs/proxy.md tells where routes are written"),
            PublishError::File { .. } => failed.hint(
                "who runs zoe must be able to write into the directory of [apache] proxy_config_file; docs/proxy.md",
            ),
            PublishError::Configtest(_) | PublishError::Reload(_) => {
                failed.hint("[apache] configtest_command and reload_command say what is run; docs/proxy.md")
            }
        }
    }
}

impl From<Incomplete> for OpsError {
    fn from(error: Incomplete) -> Self {
        Self::new(ErrorKind::Unreachable, error.to_string())
    }
}

/// The web server, or what is to be configured so that there is one.
pub fn configured(context: &Context) -> Result<&Proxy, OpsError> {
    context.proxy.as_deref().ok_or_else(|| {
        OpsError::usage("there is no web server before the applications")
            .hint("set [apache] web_server_name; docs/proxy.md tells the rest")
    })
}

/// The file that routes are written to, or why there is none.
pub fn file(site: &Site) -> Result<&Path, OpsError> {
    site.file.as_deref().ok_or_else(|| {
        OpsError::usage("no routes are written from here")
            .hint("set [apache] proxy_config_file where the web server is")
    })
}

/// Looks at Docker and publishes the routes that there are; waits where the web server was reloaded a moment ago.
pub async fn sync(context: &Context) -> Result<Synced, OpsError> {
    for _ in 0..WAITS {
        let (synced, later) = sync_or_later(context).await?;
        match later {
            None => return Ok(synced),
            Some(left) => context.world.sleep(left).await,
        }
    }
    Err(always_late())
}

/// Publishes the routes that there are, or says how long it has to wait.
async fn sync_or_later(context: &Context) -> Result<(Synced, Option<Duration>), OpsError> {
    let proxy = configured(context)?;
    let file = file(&proxy.site)?;
    let turn = turn(context, file).await?;
    let snapshot = context.backend.observe(Scope::Executions).await?;
    let routes = routes(&snapshot)?;
    let text = render::file(&routes, &proxy.site);
    let published = publish::publish(&proxy.site, file, &text, context.now(), &turn).await?;
    tracing::debug!(routes = routes.len(), ?published, "routes");
    let later = match published {
        Published::Postponed(left) => Some(left),
        Published::Unchanged | Published::Written => {
            proxy.left().clear();
            None
        }
    };
    let synced = Synced {
        routes: routes.len(),
        left_out: left_out(&snapshot),
        were_there: published == Published::Unchanged,
    };
    Ok((synced, later))
}

fn always_late() -> OpsError {
    OpsError::failed(
        "the routes cannot be published: others have reloaded the web server each time that it might be",
    )
}

/// Waits until no other zoe publishes.
async fn turn(context: &Context, file: &Path) -> Result<Turn, OpsError> {
    for _ in 0..ASKED {
        if let Some(turn) = publish::try_turn(file)? {
            return Ok(turn);
        }
        context.world.sleep(ASK_AGAIN).await;
    }
    Err(OpsError::failed(
        "the routes cannot be written: another zoe has been at it all the time",
    ))
}

/// Puts the routes right after something was started. Several that ask at once are served by one look, if it began after all
/// of them had asked.
pub(super) async fn refresh(context: &Context, report: &dyn Report) {
    let Some((proxy, _)) = here(context) else {
        return;
    };
    let own = proxy.asked.fetch_add(1, Ordering::SeqCst).saturating_add(1);
    let mut served = proxy.served.lock().await;
    if *served >= own {
        return;
    }
    let covered = proxy.asked.load(Ordering::SeqCst);
    let synced = sync_or_later(context).await.map(|(synced, _)| synced);
    if synced.is_ok() {
        *served = covered;
    }
    drop(served);
    tell(proxy, trouble_of(synced), report);
}

/// Whose routes are left out, if any are, as what they ask for is another's.
fn left_out(snapshot: &Snapshot) -> Option<String> {
    let usurpers = usurpers(snapshot);
    let all = usurpers.iter();
    let all: Vec<String> = all
        .map(|(id, owner)| format!("{id} (it has the path of {owner})"))
        .collect();
    (!all.is_empty()).then(|| format!("there are no routes to {}", all.join(", ")))
}

/// Puts the routes right if they are not what was seen.
pub(super) async fn keep_up(context: &Context, snapshot: &Snapshot, report: &dyn Report) {
    let Some((proxy, file)) = here(context) else {
        return;
    };
    let is_right = routes(snapshot).map_err(OpsError::from).and_then(|routes| {
        let text = render::file(&routes, &proxy.site);
        Ok(publish::is_published(&proxy.site, file, &text)?)
    });
    match is_right {
        Ok(true) => tell(proxy, left_out(snapshot), report),
        Ok(false) => refresh(context, report).await,
        Err(error) => tell(proxy, Some(error.to_string()), report),
    }
}

/// Takes the routes of an execution out, before what they lead to is removed. What can't be taken out is told, and is kept in
/// mind ([`left`]).
pub(super) async fn withdraw(context: &Context, id: ExecutionId, report: &dyn Report) {
    take_out(context, id, &|text| render::without(text, id), report).await;
}

/// The same of some members, while the execution goes on.
pub(super) async fn withdraw_members(
    context: &Context,
    execution: &Execution,
    members: &[InstanceKey],
    report: &dyn Report,
) {
    let Some(site) = context.site() else {
        return;
    };
    let gone = to(execution, |key| members.contains(key));
    let rest = |text: &str| render::without_routes(text, &gone, site);
    take_out(context, execution.ticket.id, &rest, report).await;
}

/// What is left of a file.
type Rest<'a> = &'a (dyn Fn(&str) -> String + Sync);

async fn take_out(context: &Context, id: ExecutionId, rest: Rest<'_>, report: &dyn Report) {
    let Some((proxy, file)) = here(context) else {
        return;
    };
    match until_out(context, &proxy.site, file, rest).await {
        Ok(()) => {
            proxy.left().remove(&id);
        }
        Err(error) => {
            proxy.left().insert(id);
            tell(proxy, Some(error.to_string()), report);
        }
    }
}

/// Waits where the web server was reloaded a moment ago: whoever gets a port next is not to be found under another's path.
async fn until_out(
    context: &Context,
    site: &Site,
    file: &Path,
    rest: Rest<'_>,
) -> Result<(), OpsError> {
    let has = |text: &str| rest(text).len() < text.len();
    for _ in 0..WAITS {
        let there = publish::read(file)?;
        let is_out = match site.way {
            Way::Map => !there.is_some_and(|text| has(&text)),
            // What another has just written the web server may not have read.
            Way::Fragment { .. } => there.is_none(),
        };
        if is_out {
            return Ok(());
        }
        let turn = turn(context, file).await?;
        // Another may have published meanwhile.
        let Some(text) = publish::read(file)?.filter(|text| has(text)) else {
            return Ok(());
        };
        let left = out_or_later(context, site, file, (&text, rest), &turn).await?;
        drop(turn);
        match left {
            None => return Ok(()),
            Some(left) => context.world.sleep(left).await,
        }
    }
    Err(always_late())
}

/// Takes it out, or says how long it has to wait.
async fn out_or_later(
    context: &Context,
    site: &Site,
    file: &Path,
    (text, rest): (&str, Rest<'_>),
    turn: &Turn,
) -> Result<Option<Duration>, OpsError> {
    let seen = match site.way {
        Way::Map => None,
        // One reload serves all that end now.
        Way::Fragment { .. } => context.backend.observe(Scope::Executions).await.ok(),
    };
    let seen = seen.and_then(|snapshot| Some(render::file(&routes(&snapshot).ok()?, site)));
    let new = rest(seen.as_deref().unwrap_or(text));
    let published = publish::publish(site, file, &new, context.now(), turn).await;
    match (published, &site.way) {
        (Ok(Published::Postponed(left)), _) => Ok(Some(left)),
        (Ok(Published::Unchanged | Published::Written), _) => Ok(None),
        // A disk that is full has no room for a new file, but the old one can be changed where it is.
        (Err(error @ PublishError::File { .. }), Way::Map) => {
            match publish::strike(file, &render::comments(text, &new), turn) {
                Ok(()) => Ok(None),
                Err(_) => Err(error.into()),
            }
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// The web server and the file for its routes, where they are written from here.
fn here(context: &Context) -> Option<(&Proxy, &Path)> {
    let proxy = context.proxy.as_deref()?;
    Some((proxy, proxy.site.file.as_deref()?))
}

fn trouble_of(synced: Result<Synced, OpsError>) -> Option<String> {
    synced.map_or_else(|error| Some(error.to_string()), |synced| synced.left_out)
}

/// Tells of trouble when it begins, and not at each pass again.
fn tell(proxy: &Proxy, trouble: Option<String>, report: &dyn Report) {
    let is_new = proxy.told.lock().is_ok_and(|mut told| {
        let is_new = *told != trouble;
        told.clone_from(&trouble);
        is_new
    });
    if let Some(trouble) = trouble.filter(|_| is_new) {
        report.tell(News::Warning(trouble));
    }
}
