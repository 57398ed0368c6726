//! From the configuration to what every operation works with: the only place that knows which backends and stores there are.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::context::{Context, Identity, MailSettings, OpenStore, Settings, World};
use super::error::OpsError;
use super::idle::culling::Culling;
use super::proxy::Proxy;
use crate::config::{self, Config, Db, ProxyMode, Scheme, Surroundings};
use crate::engine::Backend;
use crate::engine::credentials::Credentials;
use crate::engine::detect::{Detected, Kind, detect};
use crate::engine::docker::DockerBackend;
use crate::engine::docker::classic::ClassicBackend;
use crate::engine::endpoint::{self, Address, Endpoint};
use crate::engine::gate::{Gate, Latch};
use crate::engine::memory::MemoryBackend;
use crate::engine::swarm::{NodeUrl, SwarmBackend};
use crate::idle::Ages;
use crate::mail::{Login, Password, Server};
use crate::proxy::{Site, Way};
use crate::store::holder::Holder;
use crate::store::{self, Store, StoreError};

/// How long a lease lasts unless it is renewed: a holder on another machine that died is replaced after this.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// How long a container may take to end by itself.
const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// Connects to what the configuration says. Docker is asked what kind it is, where the configuration does not say; the
/// history is opened when it is needed.
pub async fn connect(
    config: &Config,
    around: &Surroundings,
    world: Arc<dyn World>,
) -> Result<Context, OpsError> {
    connect_behind(config, around, world, Latch::default()).await
}

/// The same for who may be told to end: once the latch is shut no call goes out any more.
pub async fn connect_behind(
    config: &Config,
    around: &Surroundings,
    world: Arc<dyn World>,
    latch: Latch,
) -> Result<Context, OpsError> {
    let (endpoint, gate) = way(config, around)?;
    let gate = gate.with_latch(latch);
    let mut detected = None;
    let kind = match (&endpoint.address, config.docker.backend) {
        (Address::Memory(_), _) | (_, config::Backend::Engine) => Kind::Engine,
        (_, config::Backend::Swarm) => Kind::Swarm,
        (_, config::Backend::Classic) => Kind::Classic,
        (_, config::Backend::Auto) => detected.insert(detect(&endpoint, gate.clone()).await?).kind,
    };
    let backend = backend(config, around, &endpoint, kind, gate, detected)?;
    Ok(assemble(config, around, world, backend))
}

/// The same for what needs no Docker: nothing is asked of it.
pub fn connect_to_history(
    config: &Config,
    around: &Surroundings,
    world: Arc<dyn World>,
) -> Result<Context, OpsError> {
    let (endpoint, gate) = way(config, around)?;
    let backend = backend(config, around, &endpoint, Kind::Engine, gate, None)?;
    Ok(assemble(config, around, world, backend))
}

fn way(config: &Config, around: &Surroundings) -> Result<(Endpoint, Gate), OpsError> {
    let endpoint =
        endpoint::find(config, around).map_err(|error| OpsError::failed(error.to_string()))?;
    let gate = Gate::from_env(&|name| around.env.get(name).map(str::to_owned))
        .map_err(|error| OpsError::usage(error.to_string()))?;
    Ok((endpoint, gate))
}

fn assemble(
    config: &Config,
    around: &Surroundings,
    world: Arc<dyn World>,
    backend: Arc<dyn Backend>,
) -> Context {
    let scheduler = &config.scheduler;
    let settings = Settings {
        deployment: config.zoe.deployment.clone(),
        user: around.os_user.clone(),
        registry: config.docker.private_registry.clone().unwrap_or_default(),
        history_path: config.filesystem.history_path.clone(),
        workspaces: config.filesystem.workspace_path.clone(),
        lease: LEASE,
        grace: GRACE,
        start_tries: scheduler.start_tries,
        start_deadline: SignedDuration::try_from(scheduler.start_deadline)
            .unwrap_or(SignedDuration::MAX),
        quota: config.quota.limits,
        quota_window: SignedDuration::try_from(config.quota.window).unwrap_or(SignedDuration::MAX),
        usage_half_life: SignedDuration::try_from(config.quota.half_life)
            .unwrap_or(SignedDuration::MAX),
        node_grace: SignedDuration::try_from(scheduler.node_grace).unwrap_or(SignedDuration::MAX),
        order: scheduler.policy,
        mode: scheduler.mode,
        runtime: SignedDuration::try_from(scheduler.runtime).unwrap_or(SignedDuration::MAX),
        ageing: scheduler.ageing,
        culling: culling(config),
        mail: mail_settings(&config.smtp),
    };
    let history = Arc::new(Opener(config.db.clone()));
    Context {
        backend,
        history,
        world,
        identity: Arc::new(Process(Holder::of_this_process())),
        settings,
        proxy: site(config).map(|site| Arc::new(Proxy::new(site))),
    }
}

/// How what nobody uses is looked after.
fn culling(config: &Config) -> Culling {
    let intervals = &config.intervals;
    let age = |age: Option<Duration>| age.and_then(|age| SignedDuration::try_from(age).ok());
    Culling {
        ages: Ages {
            warning: age(intervals.notebook_warning_age),
            end: age(intervals.notebook_max_age),
        },
        every: intervals.proxy_update_accesses,
        access_log: config.apache.access_log.clone(),
    }
}

/// The web server before the applications, if one is configured.
pub fn site(config: &Config) -> Option<Site> {
    let apache = &config.apache;
    Some(Site {
        name: apache.web_server_name.clone()?,
        secure: apache.scheme == Scheme::Https,
        prefix: apache.proxy_path_prefix.clone(),
        file: apache.proxy_config_file.clone(),
        way: match apache.proxy_mode {
            ProxyMode::Map => Way::Map,
            ProxyMode::Fragment => Way::Fragment {
                configtest: apache.configtest_command.clone(),
                reload: apache.reload_command.clone(),
                interval: config.intervals.proxy_reload,
            },
        },
    })
}

/// How mail is sent, where a server is configured.
fn mail_settings(smtp: &config::Smtp) -> Option<MailSettings> {
    let password = match (&smtp.password, &smtp.password_file) {
        (Some(password), _) => Some(Password::Given(password.clone())),
        (None, Some(file)) => Some(Password::File(file.clone())),
        (None, None) => None,
    };
    let login = smtp.user.clone().zip(password);
    Some(MailSettings {
        server: Server {
            host: smtp.server.clone()?,
            port: smtp.port,
            security: smtp.security,
            trust: smtp.ca_file.clone(),
            login: login.map(|(user, password)| Login { user, password }),
            sender: smtp.sender.clone()?,
        },
        on: smtp.mail_on,
        give_up: smtp
            .give_up
            .map(|longest| SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX)),
    })
}

fn backend(
    config: &Config,
    around: &Surroundings,
    endpoint: &Endpoint,
    kind: Kind,
    gate: Gate,
    detected: Option<Detected>,
) -> Result<Arc<dyn Backend>, OpsError> {
    let deployment = config.zoe.deployment.clone();
    let docker = &config.docker;
    let publish = docker.publish_address;
    let registry = docker.private_registry.clone().unwrap_or_default();
    let credentials = || Credentials::of(around);
    Ok(match (&endpoint.address, kind) {
        (Address::Memory(path), _) => Arc::new(
            MemoryBackend::open(path, deployment, gate)
                .map_err(|error| OpsError::usage(error.to_string()))?,
        ),
        (Address::Unix(_) | Address::Tcp { .. }, Kind::Engine) => Arc::new(
            DockerBackend::new(endpoint, deployment, publish, gate)?
                .with_credentials(credentials()),
        ),
        (Address::Unix(_) | Address::Tcp { .. }, Kind::Classic) => Arc::new(
            ClassicBackend::new(endpoint, deployment, publish, gate)?
                .with_credentials(credentials())
                .with_shared_registry(registry),
        ),
        (Address::Unix(_) | Address::Tcp { .. }, Kind::Swarm) => {
            let node_url = match &docker.node_url {
                Some(template) => {
                    let tls = endpoint::tls_of_nodes(endpoint, around)
                        .map_err(|error| OpsError::failed(error.to_string()))?;
                    Some(NodeUrl::new(template.clone(), tls))
                }
                None => None,
            };
            let mut backend = SwarmBackend::new(endpoint, deployment, publish, node_url, gate)?;
            if let Some(detected) = detected {
                backend = backend.after(detected)?;
            }
            Arc::new(
                backend
                    .with_credentials(credentials())
                    .with_shared_registry(registry),
            )
        }
    })
}

/// Opens the database that is configured.
struct Opener(Db);

#[async_trait]
impl OpenStore for Opener {
    async fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        store::open(&self.0).await
    }
}

/// The process itself as a holder of the lease.
struct Process(Holder);

impl Identity for Process {
    fn holder(&self) -> &str {
        self.0.as_str()
    }

    fn is_dead(&self, holder: &str) -> bool {
        self.0.is_dead(holder)
    }
}

/// The real time and the operating system's randomness: for `main`; tests bring their own.
#[derive(Debug, Clone, Copy)]
pub struct RealWorld;

impl World for RealWorld {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn random(&self, bytes: &mut [u8]) {
        rand::fill(bytes);
    }
}
