//! What every operation works with: the backend, the history, and what entered through `main`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::fetch::{self, Answer, Question};
use super::idle::culling::Culling;
use super::proxy::Proxy;
use super::ready::{self, Reply};
use crate::engine::Backend;
use crate::mail;
use crate::model::{Deployment, MailOn, Mode, Order, Quota};
use crate::proxy::Site;
use crate::store::{Store, StoreError};

/// Opens the history when it is needed, not before: what only looks at Docker works without it.
#[async_trait]
pub trait OpenStore: Send + Sync {
    /// Opens it anew. A file that was deleted in the meantime is made again.
    async fn open(&self) -> Result<Arc<dyn Store>, StoreError>;
}

/// Time and chance, as `main` provides them.
pub trait World: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Fills `bytes` with unguessable ones.
    fn random(&self, bytes: &mut [u8]);

    /// The time since some moment: nobody sets this clock.
    fn uptime(&self) -> Duration {
        static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGUN.elapsed()
    }

    /// Returns after this long.
    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(length))
    }

    /// Asks a web server for a path, for so long at the most.
    fn ask(
        &self,
        address: SocketAddr,
        path: &str,
        patience: Duration,
    ) -> BoxFuture<'static, Reply> {
        Box::pin(ready::ask(address, path.to_owned(), patience))
    }

    /// Asks a web server in an execution for something, for so long at the most.
    fn fetch(
        &self,
        question: Question,
        patience: Duration,
    ) -> BoxFuture<'static, Result<Answer, String>> {
        Box::pin(fetch::fetch(question, patience))
    }

    /// Does work that blocks where it holds up nobody.
    fn beside(&self, work: Box<dyn FnOnce() + Send>) {
        // Whoever waits for it is told by the work itself.
        drop(tokio::task::spawn_blocking(work));
    }
}

/// Who holds the lease, and whether another holder can be seen to be dead.
pub trait Identity: Send + Sync {
    /// What this process calls itself.
    fn holder(&self) -> &str;

    /// Whether that holder is known to be dead.
    fn is_dead(&self, holder: &str) -> bool;
}

/// What every operation works with.
#[derive(Clone)]
pub struct Context {
    /// Runs the containers.
    pub backend: Arc<dyn Backend>,
    /// Opens the history.
    pub history: Arc<dyn OpenStore>,
    /// Time and chance.
    pub world: Arc<dyn World>,
    /// Who this process is to the lease.
    pub identity: Arc<dyn Identity>,
    /// The settings.
    pub settings: Settings,
    /// The web server before the applications, if there is one.
    pub proxy: Option<Arc<Proxy>>,
}

/// The settings that operations need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The deployment.
    pub deployment: Deployment,
    /// Who asks.
    pub user: String,
    /// The site's registry; empty for Docker Hub.
    pub registry: String,
    /// Where log archives are kept.
    pub history_path: PathBuf,
    /// Where each user has a workspace, if anybody has.
    pub workspaces: Option<PathBuf>,
    /// How long a lease lasts unless it is renewed.
    pub lease: SignedDuration,
    /// How long a container may take to end by itself.
    pub grace: SignedDuration,
    /// How often a start is tried before the execution is given up.
    pub start_tries: u32,
    /// How long a start may take until every core member is ready.
    pub start_deadline: SignedDuration,
    /// What everybody may have.
    pub quota: Quota,
    /// The time that counts for the core-hours of a quota.
    pub quota_window: SignedDuration,
    /// The time after which what was used counts half.
    pub usage_half_life: SignedDuration,
    /// How long a node may be silent before what ran on it is given up.
    pub node_grace: SignedDuration,
    /// How those that wait are ordered.
    pub order: Order,
    /// How executions share what there is.
    pub mode: Mode,
    /// How long an execution without a time limit is assumed to run.
    pub runtime: SignedDuration,
    /// How many seconds of waiting take a second of the whole cluster off a size.
    pub ageing: u32,
    /// How what nobody uses is looked after.
    pub culling: Culling,
    /// How mail is sent, if it is.
    pub mail: Option<MailSettings>,
}

/// How and when mail is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// By which server.
    pub server: mail::Server,
    /// When owners are written to who don't say otherwise.
    pub on: MailOn,
    /// For so long sending a mail is tried; `None`: for ever.
    pub give_up: Option<SignedDuration>,
}

impl Context {
    /// The web server before the applications, if there is one.
    pub fn site(&self) -> Option<&Site> {
        self.proxy.as_deref().map(|proxy| &proxy.site)
    }

    /// The time now, in whole milliseconds, as labels and rows keep it.
    pub fn now(&self) -> Timestamp {
        let now = self.world.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}
