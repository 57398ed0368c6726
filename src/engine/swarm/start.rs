//! Starts members: each is a service, on the node that the plan chose.
//!
//! That the execution is being started is written into its ticket before anything is made, and when all is made the
//! ticket is looked at again: whoever has marked it meanwhile may have cleared away before we were done, so what we made
//! goes.

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::SwarmBackend;
use super::cluster::Cluster;
use super::create::{self, Surroundings};
use super::members::{self, is_unplaced};
use super::wire::ListedService;
use crate::engine::client::parallel::{each, every};
use crate::engine::{EngineError, Result, names};
use crate::labels::{self, Decoded};
use crate::model::instance::tells_of_no_image;
use crate::model::{Instance, InstanceSpec, InstanceState, Launch};

/// How often it is looked how far the members have come.
const PAUSE: Duration = Duration::from_millis(100);
/// How long Swarm may find no node for a member that was told where to go: others may be about to leave.
const UNPLACED: Duration = Duration::from_secs(8);
/// How long getting going may take, pulling the image included.
const LONGEST: Duration = Duration::from_mins(20);
/// After how many looks the ticket and the nodes are looked at too.
const LOOKS: u32 = 20;
/// How many tasks of a member Swarm must keep, so that a stopped one is still known: it and the one that stopped it.
const HISTORY: i64 = 2;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Swarm {
    spec: SwarmSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SwarmSpec {
    #[serde(default)]
    orchestration: Orchestration,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Orchestration {
    #[serde(default)]
    task_history_retention_limit: Option<i64>,
}

fn is_gone(error: &EngineError) -> bool {
    matches!(error, EngineError::Gone { .. })
}

impl SwarmBackend {
    pub(super) async fn launch(&self, launch: &Launch) -> Result<()> {
        let id = launch.execution;
        self.enter_phase(id, labels::PHASE_STARTING).await?;
        let mut made = Vec::new();
        let outcome = self.make_and_wait(launch, &mut made).await;
        let outcome = match outcome {
            Ok(()) => self.enter_phase(id, labels::PHASE_RUNNING).await,
            Err(error) => {
                // Whoever has ended it meanwhile has taken away what its members need.
                let ended = self.enter_phase(id, labels::PHASE_STARTING).await;
                Err(ended.err().filter(is_gone).unwrap_or(error))
            }
        };
        if outcome.as_ref().is_err_and(is_gone) {
            every(&made, |service| self.remove_service(service)).await?;
            self.try_to_remove_connections(id).await?;
        }
        outcome
    }

    async fn make_and_wait(&self, launch: &Launch, made: &mut Vec<String>) -> Result<()> {
        let id = launch.execution;
        let (cluster, services, ()) =
            futures_util::try_join!(self.cluster(), self.services_of(id), self.history_is_kept())?;
        let called = |spec: &InstanceSpec| names::instance_name(&self.deployment, &spec.key);
        let (there, missing): (Vec<_>, Vec<_>) = launch.instances.iter().partition(|spec| {
            let name = called(spec);
            services
                .iter()
                .any(|(key, service)| *key == spec.key && service.spec.name == name)
        });
        // Nothing is made before it is known that all of it can be.
        for spec in &missing {
            node_of(spec, &cluster)?;
        }
        let images = self.images_for(&missing, &cluster).await?;
        let (network, secrets) = if missing.is_empty() {
            (String::new(), Vec::new())
        } else {
            futures_util::try_join!(self.ensure_network(id), self.ensure_secrets(id, &missing))?
        };
        let (cluster, network, secrets) = (&cluster, &network, &secrets[..]);
        let new = each(missing, |spec| {
            let image = images.get(&spec.image);
            async move {
                let image = image.ok_or_else(|| EngineError::NoImage {
                    image: spec.image.clone(),
                    why: "nobody looked for it".to_owned(),
                })?;
                let around = Surroundings {
                    network,
                    node: node_of(spec, cluster)?,
                    secrets,
                    image,
                };
                self.make_member(spec, around).await
            }
        })
        .await?;
        made.extend(new.into_iter().flatten());
        for (key, service) in services {
            if there.iter().any(|spec| spec.key == key) {
                self.fill_service(service).await?;
            }
        }
        self.until_going(launch, cluster.clone()).await
    }

    /// Makes a member. Gives its service's id if it is new.
    async fn make_member(
        &self,
        spec: &InstanceSpec,
        around: Surroundings<'_>,
    ) -> Result<Option<String>> {
        let name = names::instance_name(&self.deployment, &spec.key);
        let body = create::member(&self.deployment, &name, spec, around);
        let login = self.engine.access(&spec.image).await.header();
        let what = format!("making the service {name}");
        let made = self
            .make(&what, "/services/create", &body, Some(login))
            .await?;
        if made.is_some() {
            return Ok(made);
        }
        let found: ListedService = self
            .api
            .get_of(&name, &format!("/services/{name}"), &[])
            .await?;
        let ours = matches!(
            labels::decode(&found.spec.labels),
            Some(Ok((deployment, Decoded::Instance { key, .. })))
                if deployment == self.deployment && key == spec.key
        );
        if ours {
            return Ok(None);
        }
        Err(EngineError::Conflict {
            what: format!("service {name}"),
            why: "a service of that name is there, and it is not this instance".to_owned(),
        })
    }

    /// Has a service that was made without a task get one.
    async fn fill_service(&self, mut service: ListedService) -> Result<()> {
        let what = format!("starting {}", service.spec.name);
        let path = format!("/services/{}", service.id);
        if create::fill(&mut service.spec) {
            // Whoever was faster has done the same.
            self.update(&what, &path, service.version.index, &service.spec)
                .await?;
        }
        Ok(())
    }

    /// Waits until all members run, or have ended; the first that won't is the error.
    ///
    /// The nodes are asked for again as rarely as the ticket: how long a look takes is how long the manager is kept from work.
    async fn until_going(&self, launch: &Launch, mut cluster: Cluster) -> Result<()> {
        let began = Instant::now();
        let labels = self.labels_of(launch.execution, labels::KIND_INSTANCE);
        let mut looks = 0;
        loop {
            let tasks = self.tasks(&labels).await?;
            let unplaced = tasks.iter().filter(|task| is_unplaced(task));
            let unplaced: HashSet<_> = unplaced.map(|task| task.service.clone()).collect();
            let members = members::members(&self.deployment, None, tasks, &mut cluster);
            let members = members.instances(&self.deployment);
            let mut waiting = None;
            for spec in &launch.instances {
                let member = members.iter().find(|member| member.key == spec.key);
                let nowhere = began.elapsed() > UNPLACED
                    && member.is_some_and(|member| unplaced.contains(&member.container_id));
                if !self.is_going(spec, member, nowhere)? {
                    waiting = Some(spec);
                }
            }
            let Some(spec) = waiting else {
                return Ok(());
            };
            if began.elapsed() > LONGEST {
                let name = names::instance_name(&self.deployment, &spec.key);
                let minutes = LONGEST.as_secs() / 60;
                return Err(EngineError::Refused {
                    what: format!("starting {name}"),
                    why: format!("it does not run after {minutes} minutes"),
                });
            }
            looks += 1;
            if looks % LOOKS == 0 {
                self.enter_phase(launch.execution, labels::PHASE_STARTING)
                    .await?;
                cluster = self.cluster().await?;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether a member runs, or has run; an error where it never will.
    fn is_going(
        &self,
        spec: &InstanceSpec,
        member: Option<&Instance>,
        nowhere: bool,
    ) -> Result<bool> {
        let Some(member) = member else {
            return Ok(false);
        };
        let name = names::instance_name(&self.deployment, &spec.key);
        match member.state {
            // One that is lost did run; what is to be done about that is not decided here.
            InstanceState::Running | InstanceState::Exited { .. } | InstanceState::Lost { .. } => {
                Ok(true)
            }
            InstanceState::Rejected => Err(rejected(&name, spec, member)),
            InstanceState::Created if nowhere => Err(EngineError::Refused {
                what: format!("placing {name}"),
                why: member.note.clone().unwrap_or_default(),
            }),
            InstanceState::Created | InstanceState::Other => Ok(false),
        }
    }

    /// That Swarm keeps tasks that have ended: without them there are no exit codes and no logs.
    async fn history_is_kept(&self) -> Result<()> {
        let swarm: Swarm = self
            .api
            .get("asking about the Swarm", "/swarm", &[])
            .await?;
        match swarm.spec.orchestration.task_history_retention_limit {
            Some(limit) if (0..HISTORY).contains(&limit) => Err(EngineError::Refused {
                what: "starting on this Swarm".to_owned(),
                why: format!(
                    "it keeps only {limit} of a service's ended tasks, so that nobody would know how a member ended; run `docker swarm update --task-history-limit 5`"
                ),
            }),
            _ => Ok(()),
        }
    }
}

/// The id of the node that the plan chose.
fn node_of<'a>(spec: &InstanceSpec, cluster: &'a Cluster) -> Result<Option<&'a str>> {
    let Some(name) = &spec.node else {
        return Ok(None);
    };
    let node = cluster.named(name).ok_or_else(|| EngineError::Refused {
        what: format!("starting {}-{}", spec.key.component, spec.key.index),
        why: format!("the node {name}, which it was given, is no longer in the Swarm"),
    })?;
    Ok(Some(&node.id))
}

/// The node's own words, with the node and what it was about.
fn rejected(name: &str, spec: &InstanceSpec, member: &Instance) -> EngineError {
    let words = member.note.as_deref().unwrap_or("no reason was given");
    let why = format!("the node {} says: {words}", member.node);
    if tells_of_no_image(words) {
        return EngineError::NoImage {
            image: spec.image.clone(),
            why,
        };
    }
    EngineError::Refused {
        what: format!("starting {name}"),
        why,
    }
}
