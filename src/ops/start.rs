//! Starting an execution: its network and members; if that can't be, it has failed and says why.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::Context;
use super::error::OpsError;
use super::record;
use super::report::{News, Report};
use crate::apps;
use crate::engine::EngineError;
use crate::model::{ComponentName, Execution, ExecutionId, Mark};
use crate::store::Store;

/// What the plan says of a start.
#[derive(Clone, Copy)]
pub(super) struct Decided<'a> {
    /// How many members each component gets.
    pub members: &'a BTreeMap<ComponentName, u32>,
    /// The node of each.
    pub placement: &'a BTreeMap<(ComponentName, u32), String>,
}

/// Makes and starts what the plan says, going on with what is there. An execution that can't be started is marked as
/// failed: the next round tears down what was made of it. If Docker itself is gone nothing is concluded.
pub(super) async fn start(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    execution: &Execution,
    decided: Decided<'_>,
    report: &dyn Report,
) -> Result<(), OpsError> {
    let id = execution.ticket.id;
    if was_started(context, store, id).await? {
        let why = "some of its containers were removed by something other than zoe";
        record::event(context, store, id, "failed", why).await;
        return Ok(context.backend.mark(execution, Mark::Failed).await?);
    }
    report.tell(News::Starting(id));
    let why = match launch(context, execution, decided).await {
        Ok(()) => {
            record::event(context, store, id, "started", "all members were started").await;
            record::started(context, store, execution, report).await;
            return Ok(());
        }
        Err(Failure::Engine(
            error @ (EngineError::Unreachable { .. } | EngineError::Garbled { .. }),
        )) => {
            return Err(error.into());
        }
        // Its ticket is gone or renamed: somebody ended it while it was being started.
        Err(Failure::Engine(EngineError::Gone { what })) => {
            tracing::info!(%what, "an execution was ended while it was started");
            return Ok(());
        }
        Err(Failure::Engine(error)) => error.to_string(),
        Err(Failure::Expansion(error)) => error,
    };
    record::event(
        context,
        store,
        id,
        "failed",
        &format!("could not be started: {why}"),
    )
    .await;
    context.backend.mark(execution, Mark::Failed).await?;
    Ok(())
}

/// Whether it ran already: then members are missing because somebody removed them, and starting them again would run
/// the user's program twice.
async fn was_started(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    id: ExecutionId,
) -> Result<bool, OpsError> {
    match store {
        Some(store) => {
            let events = store.events(&context.settings.deployment, id).await?;
            Ok(events.iter().any(|event| event.kind == "started"))
        }
        None => Ok(false),
    }
}

enum Failure {
    Engine(EngineError),
    Expansion(String),
}

async fn launch(
    context: &Context,
    execution: &Execution,
    decided: Decided<'_>,
) -> Result<(), Failure> {
    let private = context
        .backend
        .private(execution.ticket.id)
        .await
        .map_err(Failure::Engine)?;
    let mut launch = apps::expand(&execution.ticket, &private, decided.members)
        .map_err(|error| Failure::Expansion(error.to_string()))?;
    for spec in &mut launch.instances {
        let member = (spec.key.component.clone(), spec.key.index);
        spec.node = decided.placement.get(&member).cloned();
    }
    context
        .backend
        .start(&launch)
        .await
        .map_err(Failure::Engine)
}
