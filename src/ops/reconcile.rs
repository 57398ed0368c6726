//! One pass: observe, plan, execute, until nothing is left to do now.
//!
//! Every command that changes something makes passes; so does whoever waits for an execution, so that a queue moves
//! without `zoe watch`. A pass holds the lease. If the database can't be had it goes on without and starts nothing.

pub(super) mod answers;
pub(super) mod end;
pub(super) mod lease;
pub(super) mod start;
pub mod turns;
pub(super) mod work;

use std::sync::Arc;

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::history::past;
use super::proxy;
use super::report::{News, Report};
use crate::engine::Scope;
use crate::model::{ExecutionId, Plan, Snapshot, Step, WaitReason};
use crate::scheduler::Known;
use crate::store::{Store, StoreError};
use answers::Answers;
use lease::{Claim, Held};
use work::{Round, Work, needs_lease};

/// A pass ends what has ended and then starts what fits in the room it made; more rounds than this mean that
/// others change things as fast as this pass does, and the next pass will see to it.
const ROUNDS: usize = 6;

/// How often the lease is asked for, half a second each time, before what needs none is done without.
const LONG_TAKEN: u32 = 2;

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
    /// What kind of failure it is.
    pub kind: ErrorKind,
}

impl Pass {
    /// Why an execution waits, if it does.
    pub fn reason_of(&self, id: ExecutionId) -> Option<&WaitReason> {
        let waiting = self.plan.waiting.iter().find(|one| one.execution == id);
        waiting.map(|one| &one.reason)
    }

    /// The same, in words.
    pub fn waits_for(&self, id: ExecutionId) -> Option<String> {
        let reason = self.reason_of(id)?;
        Some(reason.in_words(&self.snapshot.executions))
    }

    /// What could not be done for an execution, the first thing for which Docker need not answer first.
    pub fn failure_of(&self, id: ExecutionId) -> Option<&Failure> {
        let mut failures = self.failures.iter();
        failures
            .find(|failure| failure.execution == Some(id) && failure.kind != ErrorKind::Unreachable)
    }
}

/// Makes one pass. Fails only if Docker can't be read; a step that fails is among [`Pass::failures`].
///
/// Where nothing is to be done now it does not ask for the lease. While another holds that, it looks again from time to
/// time: what the other does may be all there was to do, and many at once need not do it one after the other. Where it is held for
/// longer than a second only what needs no lease is done, and the rest left to the other, who looks once more before it is through.
pub async fn pass(context: &Context, report: &dyn Report) -> Result<Pass, OpsError> {
    pass_having(context, &mut Answers::default(), report).await
}

/// Makes a pass so that this execution starts if it can. Where another zoe is at work and this execution is not to be
/// started just now, the rest is left to the other: it looks once more before it is through.
pub async fn pass_for(
    context: &Context,
    id: ExecutionId,
    report: &dyn Report,
) -> Result<Pass, OpsError> {
    pass_while(context, &mut Answers::default(), report, Some(id)).await
}

/// Makes a pass, with what was answered to somebody who asked executions whether they are ready.
pub(super) async fn pass_having(
    context: &Context,
    answers: &mut Answers,
    report: &dyn Report,
) -> Result<Pass, OpsError> {
    pass_while(context, answers, report, None).await
}

/// Makes a pass, and puts the web server's routes right if they are not what it has seen at last.
async fn pass_while(
    context: &Context,
    answers: &mut Answers,
    report: &dyn Report,
    starts: Option<ExecutionId>,
) -> Result<Pass, OpsError> {
    let pass = pass_alone(context, answers, report, starts).await?;
    proxy::keep_up(context, &pass.snapshot, report).await;
    Ok(pass)
}

/// Whether the plan has something that this pass is for: to start that one, or anything.
fn is_worth(plan: &Plan, starts: Option<ExecutionId>) -> bool {
    let wanted =
        |step: &Step| matches!(step, Step::Start { execution, .. } if Some(*execution) == starts);
    match starts {
        Some(_) => plan.steps.iter().any(wanted),
        None => !plan.steps.is_empty(),
    }
}

/// Makes a pass. Where another holds the lease for long, as it does while a node pulls an image, what needs none is done without;
/// the lease is waited for no longer than that, unless it is to start one that is to be started just now.
async fn pass_alone(
    context: &Context,
    answers: &mut Answers,
    report: &dyn Report,
    starts: Option<ExecutionId>,
) -> Result<Pass, OpsError> {
    let mut asked = 0;
    loop {
        let (snapshot, mut plan, _) = look(context, None, true, answers).await?;
        // What history knows may let somebody past who seems to have to wait, or show a start to have failed.
        let tells = !plan.waiting.is_empty() || answers.may_be_late(context, &snapshot);
        if plan.steps.is_empty() && tells {
            let better = with_history(context, &snapshot, answers).await?;
            plan = better.unwrap_or(plan);
        }
        if plan.steps.is_empty() || (asked > 0 && !is_worth(&plan, starts)) {
            return Ok(Pass {
                snapshot,
                failures: Vec::new(),
                plan,
            });
        }
        let (store, mut held) = match leased(context).await {
            Ok((store, Some(held))) => (Some(store), Some(held)),
            Ok((store, None)) => {
                asked += 1;
                if asked < LONG_TAKEN || (starts.is_some() && plan.steps.iter().all(needs_lease)) {
                    continue;
                }
                (Some(store), None)
            }
            Err(error) => {
                report.tell(News::Warning(format!(
                    "{error}; nothing is started without it"
                )));
                (None, None)
            }
        };
        let goes_on = store.is_some() && held.is_none() && starts.is_some();
        let result = rounds(context, store.as_ref(), &mut held, answers, report).await;
        if let Some(held) = held {
            held.release().await;
        }
        if let Some(pass) = result?.filter(|_| !goes_on) {
            return Ok(pass);
        }
    }
}

/// The plan with what history knows, if that can be had.
async fn with_history(
    context: &Context,
    snapshot: &Snapshot,
    answers: &mut Answers,
) -> Result<Option<Plan>, OpsError> {
    let store = match context.history.open().await {
        Ok(store) => store,
        Err(error) => {
            tracing::debug!(%error, "planned without the history");
            return Ok(None);
        }
    };
    let (plan, _) = past::plan(context, Some(&store), snapshot, true, answers).await?;
    Ok(Some(plan))
}

/// The history, and the lease if it was to be had in half a second.
async fn leased(context: &Context) -> Result<(Arc<dyn Store>, Option<Held>), StoreError> {
    let store = context.history.open().await?;
    let held = lease::acquire(context, &store).await?;
    Ok((store, held))
}

/// What is there, and what is to be done with it. Without the store nothing is known of what was, and a start may turn out
/// not to be one yet.
async fn look(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    allow_starts: bool,
    answers: &mut Answers,
) -> Result<(Snapshot, Plan, Known), OpsError> {
    let snapshot = context.backend.observe(Scope::Everything).await?;
    let (plan, known) = past::plan(context, store, &snapshot, allow_starts, answers).await?;
    Ok((snapshot, plan, known))
}

/// Round after round until nothing is left to do. `None` where the lease was given back before that: what is to be done then is
/// for who has it now, or has to be asked for anew.
async fn rounds(
    context: &Context,
    store: Option<&Arc<dyn Store>>,
    held: &mut Option<Held>,
    answers: &mut Answers,
    report: &dyn Report,
) -> Result<Option<Pass>, OpsError> {
    let mut failures = Vec::new();
    let mut work = Work::new(context, report);
    let was_held = held.is_some();
    for round in 1.. {
        if was_held && held.is_none() && failures.is_empty() {
            return Ok(None);
        }
        let claim = held.as_ref().map(Held::claim).filter(Claim::is_valid);
        let (snapshot, plan, known) = look(context, store, claim.is_some(), answers).await?;
        for anomaly in &snapshot.anomalies {
            tracing::warn!(object = %anomaly.object, problem = %anomaly.problem, "left alone");
        }
        let may = |step: &&Step| claim.is_some() || !needs_lease(step);
        let steps: Vec<Step> = plan.steps.iter().filter(may).cloned().collect();
        if steps.is_empty() || round == ROUNDS || !failures.is_empty() {
            return Ok(Some(Pass {
                snapshot,
                failures,
                plan,
            }));
        }
        let round = Round {
            snapshot: &snapshot,
            known: &known,
            store,
            claim,
        };
        work.begin(&round, &steps);
        until_through(context, &mut work, held).await;
        failures = work.take_done().filter_map(|done| done.failure).collect();
    }
    Err(OpsError::failed("a pass did not come to an end"))
}

/// Waits until all is through. A container may take its time to stop, and nobody else need wait for that: when nothing has been
/// under way for a while that needs the lease it is given back.
async fn until_through(context: &Context, work: &mut Work<'_>, held: &mut Option<Held>) {
    while work.needs_lease() {
        work.some().await;
    }
    if work.is_idle() {
        return;
    }
    if held.is_some() {
        tokio::select! {
            biased;
            () = work.all() => return,
            () = context.world.sleep(lease::KEPT) => {}
        }
    }
    if let Some(held) = held.take() {
        tracing::debug!("gave the lease back: what is under way needs none");
        futures_util::join!(held.release(), work.all());
    }
    work.all().await;
}
