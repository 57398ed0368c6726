//! What a command works with: the face, the surroundings, and from them configuration and context, when they are needed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::args::launch::{ClusterArgs, LaunchArgs, Setting};
use super::args::terms::{self, BatchArgs};
use super::error::{CommandError, Kind};
use super::face::Face;
use super::global::GlobalArgs;
use crate::config::{self, Config, ConfigErrors, Overrides, Surroundings};
use crate::engine::gate::Latch;
use crate::model::{Anomaly, Gap, Secret};
use crate::ops::connect::{connect, connect_behind, connect_to_history};
use crate::ops::submit::launch::Common;
use crate::ops::{Context, OpsError, World};
use crate::output::Look;

/// What a command gives: its exit code.
pub type Done = Result<u8, CommandError>;

/// What a command works with.
pub struct Session {
    /// Where it writes.
    pub face: Face,
    /// Environment, directories, user.
    pub around: Surroundings,
    /// What the command line says of the configuration.
    pub overrides: Overrides,
    world: Arc<dyn World>,
}

impl Session {
    /// Made of the flags and of what the process found.
    pub fn new(
        global: &GlobalArgs,
        face: Face,
        around: Surroundings,
        world: Arc<dyn World>,
    ) -> Self {
        Self {
            face,
            around,
            overrides: global.overrides(),
            world,
        }
    }

    /// The configuration, with all that is wrong in one error.
    pub fn config(&self) -> Result<Config, CommandError> {
        config::load(&self.around, &self.overrides).map_err(|errors| wrong_config(&errors))
    }

    /// Configuration, backend and history. Docker is asked what kind it is at most.
    pub async fn context(&self) -> Result<Context, CommandError> {
        self.context_with(&self.overrides).await
    }

    /// The same for a command that needs no Docker.
    pub fn history(&self) -> Result<Context, CommandError> {
        let config = self.config()?;
        Ok(connect_to_history(
            &config,
            &self.around,
            Arc::clone(&self.world),
        )?)
    }

    /// The same, with this registry in place of the configured one.
    pub async fn context_for(&self, registry: Option<&str>) -> Result<Context, CommandError> {
        let overrides = Overrides {
            registry: registry.map(str::to_owned),
            ..self.overrides.clone()
        };
        self.context_with(&overrides).await
    }

    /// Configuration and backend, for who may be told to end: once the latch is shut no call goes out any more.
    pub async fn connect(&self, config: &Config, latch: Latch) -> Result<Context, OpsError> {
        connect_behind(config, &self.around, Arc::clone(&self.world), latch).await
    }

    async fn context_with(&self, overrides: &Overrides) -> Result<Context, CommandError> {
        let config =
            config::load(&self.around, overrides).map_err(|errors| wrong_config(&errors))?;
        Ok(connect(&config, &self.around, Arc::clone(&self.world)).await?)
    }

    /// The look of a table, perhaps without a header.
    pub fn look(&self, no_header: bool) -> Look {
        Look {
            header: !no_header,
            ..self.face.look
        }
    }

    /// The flags that all launches share, as `ops` wants them; `settings` come before those of `--set`, which override.
    pub fn common(
        &self,
        launch: &LaunchArgs,
        cluster: Option<&ClusterArgs>,
        batch: Option<&BatchArgs>,
        more: Vec<Setting>,
        key: Option<String>,
        arguments: Vec<String>,
    ) -> Result<Common, CommandError> {
        let mut settings = cluster.map(ClusterArgs::settings).unwrap_or_default();
        settings.extend(more);
        settings.extend(launch.set.iter().cloned());
        Ok(Common {
            settings: settings
                .into_iter()
                .map(|(field, value)| format!("{field}={value}"))
                .collect(),
            name: launch.name.clone(),
            key,
            timeout: launch.queue.time_limit,
            terms: terms::asked(&launch.queue, batch),
            env: self.environment(&launch.env)?,
            conf: cluster.map(|args| args.conf.clone()).unwrap_or_default(),
            volumes: launch.volume.clone(),
            arguments,
        })
    }

    /// Variables for the containers; those without a value have the caller's.
    pub fn environment(
        &self,
        asked: &[(String, Option<String>)],
    ) -> Result<BTreeMap<String, Secret>, CommandError> {
        let value = |(key, value): &(String, Option<String>)| {
            let own = || self.around.env.get_even_empty(key).map(str::to_owned);
            let value = value.clone().or_else(own).ok_or_else(|| {
                CommandError::usage(format!("--env {key}: the variable is not set here"))
                    .hint(format!("write --env {key}=VALUE"))
            })?;
            Ok((key.clone(), Secret::new(value)))
        };
        asked.iter().map(value).collect()
    }

    /// Warns of what could not be read or understood; it is never touched.
    pub fn tell_oddities(&self, anomalies: &[Anomaly], gaps: &[Gap]) {
        for anomaly in anomalies {
            self.face.warn(&format!(
                "{} looks like zoe's but is not readable and is left alone: {}",
                anomaly.object, anomaly.problem
            ));
        }
        for gap in gaps {
            let place = gap.node.as_ref().map_or_else(String::new, |node| {
                format!(" on node {node}, which is left as it is,")
            });
            self.face.warn(&format!(
                "{}{place} could not be read: {}",
                gap.what, gap.error
            ));
        }
    }

    /// Warns of rows of the history that are left out.
    pub fn tell_unreadable(&self, rows: &[String]) {
        const NAMED: usize = 5;
        for row in rows.iter().take(NAMED) {
            self.face.warn(&format!("{row}; it is left out"));
        }
        if rows.len() > NAMED {
            let more = rows.len() - NAMED;
            self.face.warn(&format!("{more} more rows are left out"));
        }
    }
}

/// A job's exit code as the process's own; Docker's are never beyond a byte.
pub fn job_code(code: i64) -> u8 {
    u8::try_from(code).unwrap_or(Kind::Failed.code())
}

fn wrong_config(errors: &ConfigErrors) -> CommandError {
    CommandError::usage(errors.to_string())
        .hint("`zoe write-config -` shows every key with its meaning")
}
