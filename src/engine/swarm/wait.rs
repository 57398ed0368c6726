//! Waits until a member has ended. The Swarm tells of no task by itself, so it is asked again and again.

use std::time::Duration;

use super::SwarmBackend;
use super::members::{decisive, members};
use super::wire::ListedTask;
use crate::engine::{EngineError, Result, names};
use crate::model::{InstanceKey, InstanceState};

/// How often it is asked.
const PAUSE: Duration = Duration::from_millis(200);

impl SwarmBackend {
    /// A member that its node would not start never ends: that is [`EngineError::Refused`], in the node's words.
    pub(super) async fn wait_for(&self, key: &InstanceKey) -> Result<i64> {
        let name = names::instance_name(&self.deployment, key);
        loop {
            let tasks = self.tasks_called(&name).await?;
            let task = decisive(tasks.clone()).filter(ListedTask::is_over);
            if let Some(task) = task {
                // Who stopped it is no matter here.
                if let ("shutdown", Some(status)) =
                    (task.status.state.as_str(), &task.status.container_status)
                {
                    return Ok(status.exit_code);
                }
                let mut cluster = self.cluster().await?;
                let found = members(&self.deployment, None, tasks, &mut cluster);
                let member = found.instances(&self.deployment).pop();
                let member = member.ok_or_else(|| EngineError::Conflict {
                    what: format!("service {name}"),
                    why: "a service of that name is there, and it is not this instance".to_owned(),
                })?;
                match member.state {
                    InstanceState::Exited { code } => return Ok(code),
                    InstanceState::Rejected => {
                        return Err(EngineError::Refused {
                            what: format!("starting {name}"),
                            why: member.note.unwrap_or_default(),
                        });
                    }
                    // Another may take its place.
                    InstanceState::Created
                    | InstanceState::Running
                    | InstanceState::Lost { .. }
                    | InstanceState::Other => {}
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
