//! Waits until an instance has ended.

use std::time::Duration;

use bollard::errors::Error;
use bollard::query_parameters::WaitContainerOptionsBuilder;
use futures_util::StreamExt;

use super::DockerBackend;
use super::api::status;
use crate::engine::{EngineError, Result, names};
use crate::model::InstanceKey;

/// How often a container that was not started yet is looked at.
const PAUSE: Duration = Duration::from_millis(100);

impl DockerBackend {
    pub(super) async fn wait_for(&self, key: &InstanceKey) -> Result<i64> {
        self.wait_of(&names::instance_name(&self.deployment, key))
            .await
    }

    /// Waits for a container, by its name or id.
    pub(super) async fn wait_of(&self, name: &str) -> Result<i64> {
        let gone = || EngineError::Gone {
            what: format!("container {name}"),
        };
        // Docker says that a container that was never started is not running, with code 0: that is no end.
        let id = loop {
            let found = match self.api.quick.inspect_container(name, None).await {
                Ok(found) => found,
                Err(error) if status(&error) == Some(404) => return Err(gone()),
                Err(error) => return Err(self.api.error(&format!("inspecting {name}"), error)),
            };
            let state = found.state.and_then(|state| state.status);
            if state.is_none_or(|state| state.to_string() != "created") {
                break found.id.ok_or_else(gone)?;
            }
            tokio::time::sleep(PAUSE).await;
        };
        let options = WaitContainerOptionsBuilder::default()
            .condition("not-running")
            .build();
        let mut answers = Box::pin(self.api.slow.wait_container(&id, Some(options)));
        match answers.next().await {
            Some(Ok(answer)) => Ok(answer.status_code),
            // bollard makes an error of every code but 0.
            Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) if status(&error) == Some(404) => Err(gone()),
            Some(Err(error)) => Err(self.api.error(&format!("waiting for {name}"), error)),
            None => Err(self.api.broken(&"it ended without an answer")),
        }
    }
}
