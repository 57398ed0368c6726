//! One Docker Engine: an instance is a container, the ticket is a container that is never started.
//!
//! What it leaves out: a Swarm, classic or not; any decision. The files are by task, so that
//! a backend for a classic Swarm can take over those that are the same there.

mod build;
mod builder;
pub mod classic;
mod create;
mod events;
mod exec;
mod images;
mod launch;
mod load;
pub(in crate::engine) mod logs;
mod network;
mod observe;
mod push;
mod reach;
mod registry;
mod stats;
mod teardown;
mod wait;
mod wire;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;

use super::client::{api, frames, parallel, transport};
use super::credentials::Credentials;
use super::endpoint::{Address, Endpoint};
use super::gate::Gate;
use super::{
    Backend, BoxStream, BuildRequest, EngineError, ExecRequest, ExecSession, ImageInfo, Images,
    JobFiles, LogChunk, LogRange, NodeUse, ProgressSink, Result, Scope, Submitted, Usage, names,
    private,
};
use crate::model::{
    Deployment, Execution, ExecutionId, InstanceKey, JobImage, Launch, Mark, Orphan, Private,
    Snapshot, Ticket,
};
use api::Api;
pub(in crate::engine) use observe::LocalImage;
use transport::Transport;

/// A backend on one Docker Engine.
pub struct DockerBackend {
    api: Api,
    deployment: Deployment,
    /// Where ports are published.
    publish: IpAddr,
    /// What the node is called where the Engine was not asked.
    node: String,
    /// The machine of an Engine that is not behind a socket of this one.
    host: Option<String>,
    /// Who it is to registries.
    credentials: Credentials,
    /// The registry that other nodes get images with files from; empty where there are no others.
    shared: String,
    /// Whether it is no Engine but a manager, which chooses a node for each container.
    placed: bool,
}

impl DockerBackend {
    /// A backend on the Engine at `endpoint`, whose instances publish their ports on `publish`. Nothing is connected
    /// to before the first call; an error means that the endpoint or its certificate files can't be used at all.
    pub fn new(
        endpoint: &Endpoint,
        deployment: Deployment,
        publish: IpAddr,
        gate: Gate,
    ) -> Result<Self> {
        Ok(Self {
            api: Api::new(Transport::new(endpoint, gate)?)?,
            deployment,
            publish,
            node: node_name(&endpoint.address),
            host: reach::host(&endpoint.address),
            credentials: Credentials::default(),
            shared: String::new(),
            placed: false,
        })
    }

    /// With these logins for registries; without any, it is nobody to them.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// With a registry that images with files are pushed to, for nodes that this Engine is not.
    #[must_use]
    pub fn with_shared_registry(mut self, registry: impl Into<String>) -> Self {
        self.shared = registry.into();
        self
    }
}

impl DockerBackend {
    /// The same, through a connection that is there already.
    pub(in crate::engine) fn through(mut self, transport: Arc<Transport>) -> Result<Self> {
        self.api = Api::new(transport)?;
        Ok(self)
    }

    /// The way to its Engine.
    pub(in crate::engine) fn api(&self) -> &Api {
        &self.api
    }
}

/// The node's name as far as it shows from here: a list of containers does not tell it, and a socket's Engine is on this
/// machine.
fn node_name(address: &Address) -> String {
    match address {
        Address::Unix(_) => std::fs::read_to_string("/proc/sys/kernel/hostname")
            .map(|name| name.trim().to_owned())
            .unwrap_or_default(),
        Address::Tcp { host, .. } => host.clone(),
        Address::Memory(_) => String::new(),
    }
}

#[async_trait]
impl Backend for DockerBackend {
    async fn describe(&self) -> Result<String> {
        let version = self
            .api
            .quick
            .version()
            .await
            .map_err(|error| self.api.error("asking for the version", error))?;
        Ok(format!(
            "Docker Engine {} at {}",
            version.version.as_deref().unwrap_or("of unknown version"),
            self.api.endpoint()
        ))
    }

    async fn observe(&self, scope: Scope) -> Result<Snapshot> {
        self.look(scope).await
    }

    async fn submit(&self, ticket: &Ticket, private: &Private) -> Result<Submitted> {
        self.make_ticket(ticket, private).await
    }

    async fn private(&self, execution: ExecutionId) -> Result<Private> {
        let gone = || EngineError::Gone {
            what: format!("execution {execution}"),
        };
        let ticket = self.genuine_ticket(execution).await?.ok_or_else(gone)?;
        let found = match self.api.quick.inspect_container(&ticket, None).await {
            Ok(found) => found,
            Err(error) if api::status(&error) == Some(404) => return Err(gone()),
            Err(error) => return Err(self.api.error("inspecting a ticket", error)),
        };
        let env = found.config.and_then(|config| config.env);
        Ok(private::from_env(env.unwrap_or_default()))
    }

    async fn mark(&self, execution: &Execution, mark: Mark) -> Result<()> {
        self.rename_ticket(execution, mark).await
    }

    async fn start(&self, launch: &Launch) -> Result<()> {
        self.launch(launch).await
    }

    async fn stop(&self, execution: &Execution, grace: SignedDuration) -> Result<()> {
        self.stop_instances(execution, grace).await
    }

    async fn remove(&self, execution: &Execution) -> Result<()> {
        self.remove_instances(execution).await
    }

    async fn remove_members(
        &self,
        execution: &Execution,
        members: &[InstanceKey],
        grace: SignedDuration,
    ) -> Result<()> {
        self.retire(execution, members, grace).await
    }

    async fn remove_ticket(&self, execution: &Execution) -> Result<bool> {
        self.remove_tickets(execution.ticket.id).await
    }

    async fn sweep(&self, orphan: &Orphan) -> Result<()> {
        self.sweep_away(orphan).await
    }

    async fn wait(&self, instance: &InstanceKey) -> Result<i64> {
        self.wait_for(instance).await
    }

    async fn inspect(&self, execution: &Execution) -> Result<Execution> {
        let mut execution = execution.clone();
        self.fill_in(&mut execution).await?;
        Ok(execution)
    }

    async fn logs(
        &self,
        instance: &InstanceKey,
        range: LogRange,
    ) -> Result<BoxStream<'static, Result<LogChunk>>> {
        self.log_of(&names::instance_name(&self.deployment, instance), range)
            .await
    }

    async fn usage(&self, instance: &InstanceKey) -> Result<Usage> {
        self.usage_of(&names::instance_name(&self.deployment, instance))
            .await
    }

    async fn nodes_use(&self) -> Result<Vec<NodeUse>> {
        Ok(vec![self.node_use().await?])
    }

    async fn exec(&self, instance: &InstanceKey, request: &ExecRequest) -> Result<ExecSession> {
        self.run_in(&names::instance_name(&self.deployment, instance), request)
            .await
    }

    async fn exec_exit_code(&self, session: &str) -> Result<i64> {
        self.exit_code_of(session).await
    }

    async fn exec_resize(&self, session: &str, columns: u16, rows: u16) -> Result<()> {
        self.resize(session, columns, rows).await
    }

    async fn changes(&self) -> Result<BoxStream<'static, ()>> {
        Ok(self.watch())
    }

    fn deployment(&self) -> &Deployment {
        &self.deployment
    }
}

#[async_trait]
impl Images for DockerBackend {
    async fn ensure(&self, image: &str, progress: ProgressSink<'_>) -> Result<String> {
        self.pull(image, progress).await
    }

    async fn ensure_files(&self, files: &JobFiles) -> Result<String> {
        self.layer_files(files).await
    }

    async fn remove_job_image(&self, image: &JobImage) -> Result<()> {
        self.remove_tag(image).await
    }

    async fn list_images(&self, prefixes: &[&str]) -> Result<Vec<ImageInfo>> {
        self.images_named(prefixes).await
    }

    async fn build(&self, request: &BuildRequest, progress: ProgressSink<'_>) -> Result<()> {
        self.build_from(request, progress).await
    }

    async fn tag(&self, image: &str, name: &str) -> Result<()> {
        self.name_image(image, name).await
    }

    async fn in_registry(&self, image: &str) -> Result<Option<String>> {
        self.digest_in_registry(image).await
    }

    async fn push(&self, image: &str, progress: ProgressSink<'_>) -> Result<()> {
        self.push_to_registry(image, progress).await
    }

    async fn import(&self, archive: PathBuf, name: &str) -> Result<()> {
        self.import_root(&archive, name).await
    }
}
