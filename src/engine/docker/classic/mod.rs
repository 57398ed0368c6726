//! A classic Swarm manager: the API of an Engine, spoken over many of them.
//!
//! Here is what is different from one Engine: nodes, which are told in rows for people; names, which carry the node; what is
//! not there (networks of one's own, builds of a stage); images, which each node has for itself; answers from memory, which are
//! older than what has just been done; and nodes that are down, of which the manager goes on telling how they were.

mod containers;
mod create;
mod events;
mod images;
mod observe;
mod sort;
mod start;
mod status;
mod teardown;
mod ticket;

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;

use super::DockerBackend;
use super::wire::ListedContainer;
use crate::engine::credentials::Credentials;
use crate::engine::endpoint::Endpoint;
use crate::engine::gate::Gate;
use crate::engine::{
    Backend, BoxStream, BuildRequest, EngineError, ExecRequest, ExecSession, ImageInfo, Images,
    JobFiles, LogChunk, LogRange, NodeUse, ProgressSink, Result, Scope, Submitted, Usage,
};
use crate::model::{
    Availability, Deployment, Execution, ExecutionId, InstanceKey, InstanceState, JobImage, Launch,
    Mark, Orphan, Private, Resources, Snapshot, Ticket,
};
pub(super) use create::{beside_image, nowhere};

/// A backend on a classic Swarm.
pub struct ClassicBackend {
    /// The manager, spoken to as an Engine.
    docker: DockerBackend,
    /// Containers on nodes that are down, which were to be removed: as far as this process is concerned they are.
    given_up: Mutex<HashSet<String>>,
}

impl ClassicBackend {
    /// A backend on the Swarm whose manager is at `endpoint`, whose instances publish their ports on `publish` of their nodes;
    /// a loopback address, which would be of no use there, means all addresses. Nothing is connected to before the first call.
    pub fn new(
        endpoint: &Endpoint,
        deployment: Deployment,
        publish: IpAddr,
        gate: Gate,
    ) -> Result<Self> {
        let mut docker = DockerBackend::new(endpoint, deployment, publish, gate)?;
        docker.placed = true;
        Ok(Self {
            docker,
            given_up: Mutex::default(),
        })
    }

    /// With these logins for registries; without any, it is nobody to them.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.docker = self.docker.with_credentials(credentials);
        self
    }

    /// With a registry that images with files are pushed to, so that every node gets them; without one only the node has them
    /// where they were made.
    #[must_use]
    pub fn with_shared_registry(mut self, registry: impl Into<String>) -> Self {
        self.docker = self.docker.with_shared_registry(registry);
        self
    }

    fn give_up(&self, ids: impl Iterator<Item = String>) {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.extend(ids);
    }

    fn given_up(&self) -> HashSet<String> {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.clone()
    }

    /// What each node's containers use.
    async fn uses(&self) -> Result<Vec<NodeUse>> {
        let listing = "listing containers";
        let (info, running) = futures_util::join!(
            self.info(),
            self.docker
                .api
                .get::<Vec<ListedContainer>>(listing, "/containers/json", &[])
        );
        let mut by_node: BTreeMap<String, Vec<ListedContainer>> = BTreeMap::new();
        for container in running? {
            let node = containers::node_of(&container).to_owned();
            by_node.entry(node).or_default().push(container);
        }
        let uses = info?.nodes().into_iter().map(|told| {
            let running = by_node.remove(&told.node.name).unwrap_or_default();
            async move {
                let used = match told.node.availability {
                    Availability::Down { .. } => Err(told.error),
                    Availability::Active
                    | Availability::Disabled
                    | Availability::Paused
                    | Availability::Drained => self.load_of(running).await,
                };
                let node = told.node.name;
                NodeUse { node, used }
            }
        });
        Ok(futures_util::future::join_all(uses).await)
    }

    async fn load_of(&self, running: Vec<ListedContainer>) -> Result<Resources, String> {
        let load = self.docker.load_of(running).await;
        load.map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Backend for ClassicBackend {
    async fn describe(&self) -> Result<String> {
        let info = self.info().await?;
        let version = info.version.trim_start_matches("swarm/");
        let nodes = info.nodes().len();
        let endpoint = self.docker.api.endpoint();
        Ok(format!(
            "classic Swarm {version} of {nodes} nodes at {endpoint}"
        ))
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
        self.remove_tickets(execution).await
    }

    async fn sweep(&self, orphan: &Orphan) -> Result<()> {
        self.sweep_away(orphan).await
    }

    async fn wait(&self, instance: &InstanceKey) -> Result<i64> {
        let id = self.reachable(instance).await?;
        let code = self.docker.wait_of(&id).await?;
        let ended = |members: &[ListedContainer]| {
            let own = members.iter().find(|member| member.id == id);
            own.is_none_or(|own| matches!(containers::state(own), InstanceState::Exited { .. }))
        };
        self.until_known(instance.execution, ended).await?;
        Ok(code)
    }

    async fn inspect(&self, execution: &Execution) -> Result<Execution> {
        self.look_again(execution).await
    }

    async fn logs(
        &self,
        instance: &InstanceKey,
        range: LogRange,
    ) -> Result<BoxStream<'static, Result<LogChunk>>> {
        let id = self.reachable(instance).await?;
        self.docker.log_of(&id, range).await
    }

    async fn usage(&self, instance: &InstanceKey) -> Result<Usage> {
        let id = self.reachable(instance).await?;
        self.docker.usage_of(&id).await
    }

    async fn nodes_use(&self) -> Result<Vec<NodeUse>> {
        self.uses().await
    }

    async fn exec(&self, instance: &InstanceKey, request: &ExecRequest) -> Result<ExecSession> {
        let id = self.reachable(instance).await?;
        self.docker.run_in(&id, request).await
    }

    async fn exec_exit_code(&self, session: &str) -> Result<i64> {
        self.docker.exit_code_of(session).await
    }

    async fn exec_resize(&self, session: &str, columns: u16, rows: u16) -> Result<()> {
        self.docker.resize(session, columns, rows).await
    }

    async fn changes(&self) -> Result<BoxStream<'static, ()>> {
        self.watch().await
    }

    fn deployment(&self) -> &Deployment {
        self.docker.deployment()
    }
}

#[async_trait]
impl Images for ClassicBackend {
    async fn ensure(&self, image: &str, progress: ProgressSink<'_>) -> Result<String> {
        self.provide(image, progress).await
    }

    async fn ensure_files(&self, files: &JobFiles) -> Result<String> {
        self.make_layer(files).await
    }

    async fn remove_job_image(&self, image: &JobImage) -> Result<()> {
        self.remove_layer(image).await
    }

    async fn list_images(&self, prefixes: &[&str]) -> Result<Vec<ImageInfo>> {
        self.docker.list_images(prefixes).await
    }

    /// A manager builds the last stage, whichever it was asked for: then nothing is built.
    async fn build(&self, request: &BuildRequest, _progress: ProgressSink<'_>) -> Result<()> {
        Err(EngineError::Refused {
            what: format!("building {}", request.tags.join(", ")),
            why: "a classic Swarm manager cannot build one stage of a Dockerfile; build at a Docker Engine (--host), push to \
                  [docker] private_registry, and every node gets it from there"
                .to_owned(),
        })
    }

    async fn tag(&self, image: &str, name: &str) -> Result<()> {
        self.docker.tag(image, name).await
    }

    async fn in_registry(&self, image: &str) -> Result<Option<String>> {
        Err(EngineError::Refused {
            what: format!("asking the registry for {image}"),
            why: "a classic Swarm manager cannot ask registries".to_owned(),
        })
    }

    async fn push(&self, image: &str, progress: ProgressSink<'_>) -> Result<()> {
        self.push_image(image, progress).await
    }

    async fn import(&self, archive: PathBuf, name: &str) -> Result<()> {
        self.docker.import(archive, name).await
    }
}
