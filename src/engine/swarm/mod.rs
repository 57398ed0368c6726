//! Docker's Swarm mode: a member is a service of one replica, the ticket is a config, the network an overlay.
//!
//! What it leaves out: any decision. Which node a member goes to was decided by the plan, and the service is pinned there;
//! a member that is lost or has ended stays so until zoe does something about it, as Swarm is told to restart nothing.

mod calls;
mod cluster;
mod content;
mod create;
mod directory;
mod events;
mod exec;
mod images;
mod logs;
mod members;
mod network;
mod nodes;
mod observe;
mod recent;
mod start;
mod teardown;
mod ticket;
mod tickets;
mod usage;
mod wait;
mod wire;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::SignedDuration;

use super::client::api::Api;
use super::client::transport::Transport;
use super::credentials::Credentials;
use super::detect::Detected;
use super::docker::DockerBackend;
use super::endpoint::Endpoint;
use super::gate::Gate;
use super::{
    Backend, BoxStream, BuildRequest, ExecRequest, ExecSession, ImageInfo, Images, JobFiles,
    LogChunk, LogRange, NodeUse, ProgressSink, Result, Scope, Submitted, Usage,
};
use crate::model::{
    Deployment, Execution, ExecutionId, InstanceKey, JobImage, Launch, Mark, Orphan, Private,
    Snapshot, Ticket,
};
use directory::Directory;
pub use nodes::NodeUrl;

/// A backend on a Swarm, spoken to through one of its managers.
pub struct SwarmBackend {
    api: Api,
    deployment: Deployment,
    /// The manager's own Engine: images are made there.
    engine: DockerBackend,
    /// Where members are.
    directory: Arc<Directory>,
    /// How the other nodes' Engines are reached, where the site says so.
    nodes: nodes::Nodes,
    /// What the Swarm said of its nodes when it was asked what it is.
    first_nodes: Mutex<Option<Bytes>>,
}

impl SwarmBackend {
    /// A backend on the Swarm whose manager is at `endpoint`. Nothing is connected to before the first call.
    pub fn new(
        endpoint: &Endpoint,
        deployment: Deployment,
        publish: IpAddr,
        node_url: Option<NodeUrl>,
        gate: Gate,
    ) -> Result<Self> {
        let transport = Transport::new(endpoint, gate.clone())?;
        let directory = Directory::new(Api::new(Arc::clone(&transport))?, deployment.clone());
        let engine = DockerBackend::new(endpoint, deployment.clone(), publish, gate.clone())?
            .through(Arc::clone(&transport))?;
        let manager = endpoint.clone();
        Ok(Self {
            api: Api::new(transport)?,
            deployment: deployment.clone(),
            engine,
            directory: Arc::new(directory),
            nodes: nodes::Nodes::new(node_url, manager, deployment, publish, gate),
            first_nodes: Mutex::default(),
        })
    }

    /// Going on with the connection over which it was found out that it is a Swarm, and with what was told then.
    pub fn after(mut self, detected: Detected) -> Result<Self> {
        let transport = detected.transport;
        let api = Api::new(Arc::clone(&transport))?;
        self.directory = Arc::new(Directory::new(api, self.deployment.clone()));
        self.api = Api::new(Arc::clone(&transport))?;
        self.engine = self.engine.through(transport)?;
        self.first_nodes = Mutex::new(detected.nodes);
        Ok(self)
    }

    /// With these logins for registries; without any, it is nobody to them.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.engine = self.engine.with_credentials(credentials);
        self
    }

    /// With a registry that images with files are pushed to, so that every node gets them; without one only the manager
    /// has them.
    #[must_use]
    pub fn with_shared_registry(mut self, registry: impl Into<String>) -> Self {
        self.engine = self.engine.with_shared_registry(registry);
        self
    }
}

#[async_trait]
impl Backend for SwarmBackend {
    async fn describe(&self) -> Result<String> {
        self.describe_swarm().await
    }

    async fn observe(&self, scope: Scope) -> Result<Snapshot> {
        self.look(scope).await
    }

    async fn submit(&self, ticket: &Ticket, private: &Private) -> Result<Submitted> {
        self.make_ticket(ticket, private).await
    }

    async fn private(&self, execution: ExecutionId) -> Result<Private> {
        self.read_private(execution).await
    }

    async fn mark(&self, execution: &Execution, mark: Mark) -> Result<()> {
        self.mark_ticket(execution, mark).await
    }

    async fn start(&self, launch: &Launch) -> Result<()> {
        self.launch(launch).await
    }

    async fn stop(&self, execution: &Execution, grace: SignedDuration) -> Result<()> {
        self.stop_members(execution, grace).await
    }

    async fn remove(&self, execution: &Execution) -> Result<()> {
        self.remove_all_members(execution).await
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
        self.look_again(execution).await
    }

    async fn logs(
        &self,
        instance: &InstanceKey,
        range: LogRange,
    ) -> Result<BoxStream<'static, Result<LogChunk>>> {
        self.read_log(instance, range).await
    }

    async fn usage(&self, instance: &InstanceKey) -> Result<Usage> {
        self.read_usage(instance).await
    }

    async fn nodes_use(&self) -> Result<Vec<NodeUse>> {
        self.read_nodes_use().await
    }

    async fn exec(&self, instance: &InstanceKey, request: &ExecRequest) -> Result<ExecSession> {
        self.run_inside(instance, request).await
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
impl Images for SwarmBackend {
    async fn ensure(&self, image: &str, progress: ProgressSink<'_>) -> Result<String> {
        self.engine.ensure(image, progress).await
    }

    async fn ensure_files(&self, files: &JobFiles) -> Result<String> {
        self.engine.ensure_files(files).await
    }

    async fn remove_job_image(&self, image: &JobImage) -> Result<()> {
        self.remove_unused(image).await
    }

    async fn list_images(&self, prefixes: &[&str]) -> Result<Vec<ImageInfo>> {
        self.engine.list_images(prefixes).await
    }

    async fn build(&self, request: &BuildRequest, progress: ProgressSink<'_>) -> Result<()> {
        self.engine.build(request, progress).await
    }

    async fn tag(&self, image: &str, name: &str) -> Result<()> {
        self.engine.tag(image, name).await
    }

    async fn in_registry(&self, image: &str) -> Result<Option<String>> {
        self.engine.in_registry(image).await
    }

    async fn push(&self, image: &str, progress: ProgressSink<'_>) -> Result<()> {
        self.engine.push(image, progress).await
    }

    async fn import(&self, archive: PathBuf, name: &str) -> Result<()> {
        self.engine.import(archive, name).await
    }
}
