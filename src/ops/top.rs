//! What executions use now.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use tokio::time::Instant;

use super::context::Context;
use super::error::ErrorKind;
use super::error::OpsError;
use super::resolve::{self, Found};
use crate::engine::{EngineError, Scope, Usage};
use crate::model::{Execution, Instance, InstanceState};

/// How many containers are asked side by side.
const AT_ONCE: usize = 64;
/// The time between two readings of a container's processor use.
const BETWEEN: Duration = Duration::from_millis(500);

/// What one member uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The execution's id.
    pub execution: String,
    /// Its name.
    pub name: String,
    /// The member.
    pub instance: Instance,
    /// What it uses, or why that could not be read.
    pub usage: Result<Usage, String>,
}

/// Asks every running member of one execution, or of all.
pub async fn top(context: &Context, text: Option<&str>) -> Result<Vec<Used>, OpsError> {
    let executions: Vec<Execution> = match text {
        None => context
            .backend
            .observe(Scope::Executions)
            .await?
            .executions
            .into_values()
            .collect(),
        Some(text) => match resolve::resolve(context, text).await? {
            Found::Alive(execution) => vec![*execution],
            Found::Past(record) => {
                let message = format!("{} is over and uses nothing", record.id);
                return Err(OpsError::new(ErrorKind::NotFound, message)
                    .hint("`zoe show` tells what it was"));
            }
        },
    };
    let members = executions.into_iter().flat_map(|execution| {
        let (id, name) = (
            execution.ticket.id.to_string(),
            execution.ticket.name.to_string(),
        );
        let running = execution
            .instances
            .into_iter()
            .filter(|i| i.state == InstanceState::Running);
        running
            .map(move |instance| (id.clone(), name.clone(), instance))
            .collect::<Vec<_>>()
    });
    let asked = stream::iter(members).map(|(execution, name, instance)| async move {
        match twice(context, &instance).await {
            // It ended between the list and the question.
            Err(EngineError::Gone { .. }) => None,
            usage => Some(Used {
                execution,
                name,
                instance,
                usage: usage.map_err(|error| error.to_string()),
            }),
        }
    });
    Ok(asked
        .buffered(AT_ONCE)
        .filter_map(|used| async { used })
        .collect()
        .await)
}

/// Reads twice: processor use is a difference over time.
async fn twice(context: &Context, instance: &Instance) -> Result<Usage, EngineError> {
    let begun = Instant::now();
    let before = context.backend.usage(&instance.key).await?;
    tokio::time::sleep(BETWEEN).await;
    let mut usage = context.backend.usage(&instance.key).await?;
    let between = SignedDuration::try_from(begun.elapsed()).unwrap_or(SignedDuration::MAX);
    usage.cpu_before = Some((before.cpu_time, between));
    Ok(usage)
}
