//! Waiting for executions, moving the queue meanwhile.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::hints::Hints;
use super::outage::Outage;
use super::ready::{self, Readiness};
use super::reconcile::answers::{self, Answers};
use super::reconcile::{self, Failure, Pass};
use super::report::{News, Only, Report};
use super::resolve::{self, Found};
use crate::model::{Execution, ExecutionId, Outcome, Phase};

/// The longest time between two looks, where no event has come before: a missed event costs no more than this.
const INTERVAL: Duration = Duration::from_secs(2);

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// All core members are started, ready or not.
    Started,
    /// All core members are started and ready.
    Running,
    /// It is over, and nothing of it is left.
    Ended,
}

/// How it turned out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// It runs and is ready.
    Running(Box<Execution>),
    /// It ended so.
    Ended(Outcome),
}

/// Waits for all of them; the outcomes come in the order of `texts`, each execution once.
pub async fn wait(
    context: &Context,
    texts: &[String],
    until: Until,
    deadline: Option<Timestamp>,
    report: &dyn Report,
) -> Result<Vec<(ExecutionId, Waited)>, OpsError> {
    let found = resolve::resolve_all(context, texts).await?;
    let mut results = Vec::new();
    for one in found {
        let waited = match &one {
            Found::Past(record) => match &record.end {
                Some((_, outcome)) => Waited::Ended(outcome.clone()),
                None => return Err(lost(record.id)),
            },
            Found::Alive(execution) => {
                wait_for(context, execution.ticket.id, until, deadline, report).await?
            }
        };
        results.push((one.id(), waited));
    }
    Ok(results)
}

/// Waits for one. Runs out of time with [`Outcome::TimedOut`] of the *wait*, as an error of kind `Failed` would hide it.
pub async fn wait_for(
    context: &Context,
    id: ExecutionId,
    until: Until,
    deadline: Option<Timestamp>,
    report: &dyn Report,
) -> Result<Waited, OpsError> {
    wait_where(context, id, until, deadline, report, |_| false).await
}

/// The same; also content with an execution that runs and of which this holds, whatever is waited for.
pub(super) async fn wait_where(
    context: &Context,
    id: ExecutionId,
    until: Until,
    deadline: Option<Timestamp>,
    report: &dyn Report,
    suits: impl Fn(&Execution) -> bool,
) -> Result<Waited, OpsError> {
    let mut outage = Outage::new(context, id, report);
    // A pass that can't have the database says so each time.
    let report = &Only::of(id, report).once();
    let mut teller = Teller::new(report);
    let mut hints = Hints::default();
    hints.listen(context).await;
    let mut answers = Answers::default();
    let mut remembered = false;
    loop {
        let seen = match reconcile::pass_having(context, &mut answers, report).await {
            Ok(pass) => look_at(context, id, pass).await,
            Err(error) => Err(error),
        };
        let (pass, execution) = match seen {
            Ok(Seen::Alive(pass, execution)) => (pass, execution),
            Ok(Seen::Over(outcome)) => {
                outage.over();
                return Ok(Waited::Ended(outcome));
            }
            Err(error) => {
                outage.bear(error)?;
                let pause = until_next(context, id, until, deadline, INTERVAL, None)?;
                context.world.sleep(pause).await;
                continue;
            }
        };
        outage.over();
        let execution = execution.as_ref();
        teller.tell(execution, &pass, until);
        let mut pause = INTERVAL;
        if let Phase::Running { .. } = execution.phase() {
            if suits(execution) {
                return Ok(Waited::Running(Box::new(execution.clone())));
            }
            let readiness = if until == Until::Running {
                ready::probe(context.world.as_ref(), execution, ready::PATIENCE).await
            } else {
                Vec::new()
            };
            teller.ready(&readiness);
            let is_ready = readiness.iter().all(Readiness::holds);
            if until == Until::Running {
                pause = ready::INTERVAL;
                // The passes made here judge by it, and so does anybody's after that.
                answers.hear(context, execution, &readiness);
                if is_ready || !remembered {
                    answers::remember(context, execution, &readiness).await;
                }
                remembered = true;
            }
            if until != Until::Ended && is_ready {
                return Ok(Waited::Running(Box::new(execution.clone())));
            }
        } else {
            remembered = false;
        }
        let end = execution.deadline();
        let pause = until_next(context, id, until, deadline, pause, end)?;
        hints.next(context, pause).await;
    }
}

/// What a pass shows of an execution.
enum Seen {
    /// It is there.
    Alive(Box<Pass>, Box<Execution>),
    /// It is over.
    Over(Outcome),
}

/// What a pass shows of an execution; what could not be done with it is an error.
async fn look_at(context: &Context, id: ExecutionId, pass: Pass) -> Result<Seen, OpsError> {
    let Some(execution) = pass.snapshot.executions.get(&id).cloned() else {
        return outcome(context, id).await.map(Seen::Over);
    };
    match pass.failure_of(id) {
        None => Ok(Seen::Alive(Box::new(pass), Box::new(execution))),
        Some(failure) => Err(stuck(&execution, failure)),
    }
}

/// How long to wait until the next look; an error where the time given has run out.
fn until_next(
    context: &Context,
    id: ExecutionId,
    until: Until,
    deadline: Option<Timestamp>,
    pause: Duration,
    end: Option<Timestamp>,
) -> Result<Duration, OpsError> {
    match deadline {
        Some(deadline) if deadline <= context.now() => Err(out_of_time(id, until)),
        deadline => Ok(shorten(context, pause, [deadline, end])),
    }
}

/// `pause`, or the time until the first of these moments if that is sooner.
fn shorten(context: &Context, pause: Duration, moments: [Option<Timestamp>; 2]) -> Duration {
    let now = context.now();
    let left = moments
        .into_iter()
        .flatten()
        .map(|moment| moment.duration_since(now));
    left.map(|left| left.max(SignedDuration::from_millis(10)).unsigned_abs())
        .fold(pause, Duration::min)
}

/// Returns when an execution may not run any longer; never, if it may.
pub(super) async fn past_deadline(context: &Context, execution: &Execution) {
    while let Some(deadline) = execution.deadline() {
        let left = deadline.duration_since(context.now());
        if !left.is_positive() {
            return;
        }
        context.world.sleep(left.unsigned_abs()).await;
    }
    std::future::pending::<()>().await;
}

/// Tells how its components get ready, writes that down, and never returns.
pub(super) async fn tell_readiness(context: &Context, execution: &Execution, report: &dyn Report) {
    let mut teller = Teller::new(report);
    let mut remembered = false;
    loop {
        let readiness = ready::probe(context.world.as_ref(), execution, ready::PATIENCE).await;
        teller.ready(&readiness);
        let is_ready = readiness.iter().all(Readiness::holds);
        if is_ready || !remembered {
            answers::remember(context, execution, &readiness).await;
        }
        remembered = true;
        if is_ready {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(ready::INTERVAL).await;
    }
}

/// How an execution ended that Docker does not have any more.
pub async fn outcome(context: &Context, id: ExecutionId) -> Result<Outcome, OpsError> {
    let record = context
        .history
        .open()
        .await?
        .get(&context.settings.deployment, id)
        .await?;
    record
        .and_then(|record| record.end)
        .map(|(_, outcome)| outcome)
        .ok_or_else(|| lost(id))
}

/// A pass could not do what was to be done with it.
fn stuck(execution: &Execution, failure: &Failure) -> OpsError {
    let id = execution.ticket.id;
    let Failure { message, kind, .. } = failure;
    if *kind == ErrorKind::Database {
        return OpsError::new(*kind, message.clone());
    }
    match execution.phase() {
        Phase::Ending(_) => OpsError::failed(format!("{id} cannot be torn down: {message}"))
            .hint("what is left of it is stopped and holds nothing; any later zoe goes on with it"),
        Phase::Queued | Phase::Starting | Phase::Running { .. } => {
            OpsError::failed(format!("{id} cannot be started now: {message}"))
                .hint("nothing is lost: any later zoe goes on with it")
        }
    }
}

fn lost(id: ExecutionId) -> OpsError {
    OpsError::failed(format!("{id} is gone from Docker and history does not know how it ended"))
        .hint("its containers or its ticket were removed by something other than zoe, or the database was lost; or whoever ended it uses this deployment with another database, which has the record then")
}

/// A wait that ran out of time: its own exit code, 124.
fn out_of_time(id: ExecutionId, until: Until) -> OpsError {
    let what = match until {
        Until::Started => "started",
        Until::Running => "running and ready",
        Until::Ended => "over",
    };
    OpsError::new(
        ErrorKind::TimedOut,
        format!("{id} is not {what} within the time given; it goes on"),
    )
}

/// Tells each thing once, and waiting reasons when they change.
struct Teller<'a> {
    report: &'a dyn Report,
    reason: Option<String>,
    running: bool,
    ready: Vec<Readiness>,
}

impl<'a> Teller<'a> {
    fn new(report: &'a dyn Report) -> Self {
        Self {
            report,
            reason: None,
            running: false,
            ready: Vec::new(),
        }
    }

    fn tell(&mut self, execution: &Execution, pass: &Pass, until: Until) {
        let waiting = pass.reason_of(execution.ticket.id);
        let reason = waiting.map(|why| why.in_words(&pass.snapshot.executions));
        if let (Some(why), Some(text), true) = (waiting, &reason, reason != self.reason) {
            // Of an array several are waited for.
            let ticket = &execution.ticket;
            let text = match ticket.terms.array {
                Some(_) => format!("{}: {text}", ticket.name),
                None => text.clone(),
            };
            self.report.tell(match why.again_at() {
                Some(_) => News::Setback(text),
                None => News::Waiting(text),
            });
        }
        self.reason = reason;
        let awaited = until != Until::Ended && matches!(execution.phase(), Phase::Running { .. });
        if awaited && !self.running {
            self.running = true;
            self.report.tell(News::Running);
        }
    }

    fn ready(&mut self, readiness: &[Readiness]) {
        if self.ready != readiness {
            for one in readiness {
                let (component, have, want) = (one.component.clone(), one.have, one.want);
                self.report.tell(News::Ready {
                    component,
                    have,
                    want,
                });
            }
            self.ready = readiness.to_vec();
        }
    }
}
