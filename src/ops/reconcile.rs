//! One pass: observe, plan, execute, until nothing is left to do now.
//!
//! Every command that changes something makes passes; so does whoever waits for an execution, so that a queue moves
//! without `zoe watch`. A pass holds the lease. If the database can't be had it goes on without and starts nothing.

use std::sync::Arc;

use futures_util::future::join_all;

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::lease::{self, Held};
use super::report::{News, Report};
use super::start::Case;
use super::{end, past};
use crate::engine::Scope;
use crate::model::{Execution, ExecutionId, Phase, Plan, Snapshot, Step};
use crate::scheduler::{Known, Past};
use crate::store::{Store, StoreError};

/// A pass ends what has ended and then starts what fits in the room it made; more rounds than this mean that
/// others change things as fast as this pass does, and the next pass will see to it.
const ROUNDS: usize = 6;

/// What a pass left behind.
#[derive(Debug, Clone)]
pub struct Pass {
    /// What is there now.
    pub snapshot: Snapshot,
    /// What could not be done.
    pub failures: Vec<Failure>,
    /// What still waits, and why; steps that failed are in it again.
    pub plan: Plan,
}

/// A step that could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The execution it was for, if it was for one.
    pub execution: Option<ExecutionId>,
    /// A sentence for people.
    pub message: String,
    /// Docker did not answer: that may pass.
    pub passing: bool,
}

impl Pass {
    /// Why an execution waits, if it does.
    pub fn waits_for(&self, id: ExecutionId) -> Option<String> {
        let waiting = self.plan.waiting.iter().find(|one| one.execution == id);
        waiting.map(|one| one.reason.to_string())
    }

    /// What could not be done for an execution, the first thing that will not pass by itself.
    pub fn failure_of(&self, id: ExecutionId) -> Option<&str> {
        self.failures
            .iter()
            .find(|failure| failure.execution == Some(id) && !failure.passing)
            .map(|failure| failure.message.as_str())
    }
}

/// Makes one pass. Fails only if Docker can't be read; a step that fails is among [`Pass::failures`].
///
/// Where nothing is to be done now it does not ask for the lease. While another holds that, it looks again from time to
/// time: what the other does may be all there was to do, and many at once need not do it one after the other.
pub async fn pass(context: &Context, report: &dyn Report) -> Result<Pass, OpsError> {
    pass_while(context, report, |plan| !plan.steps.is_empty()).await
}

/// Makes a pass so that this execution starts if it can. Where another zoe is at work and this execution is not to be
/// started just now, the rest is left to the other: it looks once more before it is through.
pub async fn pass_for(
    context: &Context,
    id: ExecutionId,
    report: &dyn Report,
) -> Result<Pass, OpsError> {
    let starts = |step: &Step| matches!(step, Step::Start { execution, .. } if *execution == id);
    pass_while(context, report, |plan| plan.steps.iter().any(starts)).await
}

/// Undoes a start all of whose members run and that never came to be ready: it is tried again, or given up. Where another
/// zoe is at work nothing is done; whoever found it out finds it out again.
pub(super) async fn never_ready(
    context: &Context,
    id: ExecutionId,
    why: &str,
    report: &dyn Report,
) -> Result<(), OpsError> {
    let Some((store, held)) = leased(context).await? else {
        return Ok(());
    };
    let undone = async {
        let snapshot = context.backend.observe(Scope::Executions).await?;
        let execution = snapshot.executions.get(&id);
        let Some(execution) = execution.filter(|e| matches!(e.phase(), Phase::Running { .. }))
        else {
            return Ok(());
        };
        let events = store.events(&context.settings.deployment, id).await?;
        let case = Case {
            context,
            store: Some(&store),
            execution,
            past: &past::past(&events),
            report,
        };
        case.never_ready(why).await
    };
    let undone = undone.await;
    held.release().await;
    undone
}

/// Makes a pass; waits for a lease that another holds only while there is something `worth` it.
async fn pass_while(
    context: &Context,
    report: &dyn Report,
    worth: impl Fn(&Plan) -> bool,
) -> Result<Pass, OpsError> {
    let mut waited = false;
    loop {
        let (snapshot, mut plan, _) = look(context, None, true).await?;
        // What history knows may let somebody past who seems to have to wait.
        if plan.steps.is_empty() && !plan.waiting.is_empty() {
            plan = with_history(context, &snapshot).await?.unwrap_or(plan);
        }
        if plan.steps.is_empty() || (waited && !worth(&plan)) {
            return Ok(Pass {
                snapshot,
                failures: Vec::new(),
                plan,
            });
        }
        match leased(context).await {
            Ok(Some((store, held))) => {
                let result = rounds(context, Some(&store), Some(&held), report).await;
                held.release().await;
                return result;
            }
            Ok(None) => waited = true,
            Err(error) => {
                report.tell(News::Warning(format!(
                    "{error}; nothing is started without it"
                )));
                return rounds(context, None, None, report).await;
            }
        }
    }
}

/// The plan with what history knows, if that can be had.
async fn with_history(context: &Context, snapshot: &Snapshot) -> Result<Option<Plan>, OpsError> {
    let store = match context.history.open().await {
        Ok(store) => store,
        Err(error) => {
            tracing::debug!(%error, "planned without the history");
            return Ok(None);
        }
    };
    let (plan, _) = past::plan(context, Some(&store), snapshot, true).await?;
    Ok(Some(plan))
}

async fn leased(context: &Context) -> Result<Option<(Arc<dyn Store>, Held)>, StoreError> {
    let store = context.history.open().await?;
    let held = lease::acquire(context, &store).await?;
    Ok(held.map(|held| (store, held)))
}

/// What is there, and what is to be done with it. Without the store nothing is known of what was, and a start may turn out
/// not to be one yet.
async fn look(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    allow_starts: bool,
) -> Result<(Snapshot, Plan, Known), OpsError> {
    let snapshot = context.backend.observe(Scope::Everything).await?;
    let (plan, known) = past::plan(context, store, &snapshot, allow_starts).await?;
    Ok((snapshot, plan, known))
}

async fn rounds(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    held: Option<&Held>,
    report: &dyn Report,
) -> Result<Pass, OpsError> {
    let mut failures = Vec::new();
    for round in 1.. {
        let may_start = held.is_some_and(Held::is_valid);
        let (snapshot, plan, known) = look(context, store, may_start).await?;
        for anomaly in &snapshot.anomalies {
            tracing::warn!(object = %anomaly.object, problem = %anomaly.problem, "left alone");
        }
        if plan.steps.is_empty() || round == ROUNDS || !failures.is_empty() {
            return Ok(Pass {
                snapshot,
                failures,
                plan,
            });
        }
        let round = Round {
            context,
            store,
            held,
            snapshot: &snapshot,
            known: &known,
            report,
        };
        failures = round.execute(&plan).await;
    }
    Err(OpsError::failed("a pass did not come to an end"))
}

/// One plan being carried out.
struct Round<'a> {
    context: &'a Context,
    store: Option<&'a Arc<dyn Store>>,
    held: Option<&'a Held>,
    snapshot: &'a Snapshot,
    known: &'a Known,
    report: &'a dyn Report,
}

impl Round<'_> {
    /// Carries out a plan: what makes room first, then the starts. Returns what failed.
    async fn execute(&self, plan: &Plan) -> Vec<Failure> {
        let (starts, others): (Vec<_>, Vec<_>) = plan
            .steps
            .iter()
            .partition(|step| matches!(step, Step::Start { .. }));
        let mut results = Vec::new();
        for steps in [others, starts] {
            results.extend(join_all(steps.into_iter().map(|step| self.carry_out(step))).await);
        }
        results.into_iter().flatten().collect()
    }

    async fn carry_out(&self, step: &Step) -> Option<Failure> {
        tracing::info!(?step, "carrying out");
        let execution = match step {
            Step::End { execution, .. }
            | Step::Rollback { execution, .. }
            | Step::Retry { execution, .. }
            | Step::Drop { execution, .. }
            | Step::Start { execution, .. } => Some(*execution),
            Step::Sweep(_) | Step::RemoveImage(_) => None,
        };
        self.effect(step).await.err().map(|error| Failure {
            execution,
            passing: error.kind == ErrorKind::Unreachable,
            message: error.to_string(),
        })
    }

    async fn effect(&self, step: &Step) -> Result<(), OpsError> {
        let backend = &self.context.backend;
        let unknown = Past::default();
        let case = |id: &ExecutionId| self.case(*id, &unknown);
        match step {
            Step::Sweep(orphan) => Ok(backend.sweep(orphan).await?),
            Step::RemoveImage(image) => Ok(backend.remove_job_image(image).await?),
            Step::End {
                execution,
                mark,
                why,
            } => {
                let Some(case) = case(execution) else {
                    return Ok(());
                };
                if let Some(why) = why {
                    case.write_end(*mark, why).await;
                }
                let Case {
                    context,
                    store,
                    execution,
                    report,
                    ..
                } = case;
                end::end(context, store, execution, *mark, report).await
            }
            // The lease can lapse while earlier steps take their time; whoever has it now decides anew.
            Step::Start { .. } | Step::Rollback { .. } | Step::Retry { .. } | Step::Drop { .. }
                if !self.held.is_some_and(Held::is_valid) =>
            {
                Err(OpsError::failed(
                    "the lease was lost to another zoe; nothing more is started by this one",
                ))
            }
            Step::Rollback { execution, why } => match case(execution) {
                Some(case) => case.undo(why).await,
                None => Ok(()),
            },
            Step::Retry {
                execution,
                code,
                why,
            } => match case(execution) {
                Some(case) => case.again(*code, why).await,
                None => Ok(()),
            },
            Step::Drop { execution, members } => match case(execution) {
                Some(case) => case.drop_members(members).await,
                None => Ok(()),
            },
            Step::Start {
                execution,
                placement,
            } => match case(execution) {
                Some(case) => case.start(placement).await,
                None => Ok(()),
            },
        }
    }

    fn case<'c>(&'c self, id: ExecutionId, unknown: &'c Past) -> Option<Case<'c>> {
        let execution: &Execution = self.snapshot.executions.get(&id)?;
        Some(Case {
            context: self.context,
            store: self.store,
            execution,
            past: self.known.past(id).unwrap_or(unknown),
            report: self.report,
        })
    }
}
