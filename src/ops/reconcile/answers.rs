//! What executions answered that were asked whether they are ready, by whoever makes passes: kept while that goes on, and
//! written down as far as it decides anything.
//!
//! That an execution was ready once is an event, so that one which hangs later is not taken for a start that failed; so is that
//! it was asked and was not, from which on its time runs. Whoever loses the history asks again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::model::{Execution, ExecutionId, Phase, Snapshot};
use crate::ops::context::Context;
use crate::ops::history::past::{self, READY, STARTED, UNREADY};
use crate::ops::history::record;
use crate::ops::ready::{self, Readiness};
use crate::scheduler::{Known, Past};
use crate::store::Store;

/// How long who makes a single pass waits for an answer of one whose time is over.
const SHORT: Duration = Duration::from_secs(2);
/// For how long what was answered then is good.
const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// How often who stays asks.
const AGAIN: Duration = Duration::from_secs(1);

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Ready,
    /// With what it lacks.
    NotYet(String),
    /// Nothing is known.
    OutOfReach,
}

/// An answer, of the run whose oldest member was made then.
#[derive(Debug, Clone)]
struct Heard {
    run: Timestamp,
    at: Timestamp,
    answer: Answer,
}

type Round = Vec<(ExecutionId, Heard)>;

/// Who asks, and what was answered.
#[derive(Default)]
pub(in crate::ops) struct Answers {
    /// Whether all are asked, beside the passes; otherwise only those whose time is over, in a pass.
    beside: bool,
    heard: BTreeMap<ExecutionId, Heard>,
    /// Those that were ready once, each with its run.
    ready: BTreeMap<ExecutionId, Timestamp>,
    /// Who is to be asked beside the passes.
    open: Vec<Execution>,
    asking: Option<BoxFuture<'static, Round>>,
    /// When they are asked again.
    again: Option<Instant>,
}

impl Answers {
    /// For who stays: [`Answers::news`] asks.
    pub fn beside() -> Self {
        Self {
            beside: true,
            ..Self::default()
        }
    }

    /// What is known without asking anybody. Of executions that are gone it is forgotten.
    pub fn begin(&mut self, snapshot: &Snapshot, known: &mut Known) {
        let run_of = |id: &ExecutionId| snapshot.executions.get(id).and_then(run);
        self.ready.retain(|id, run| run_of(id) == Some(*run));
        self.heard.retain(|id, heard| run_of(id) == Some(heard.run));
        known.ready = self.ready.keys().copied().collect();
    }

    /// Whether there may be something to ask, or to learn from history, of an execution that runs.
    pub fn may_be_late(&self, context: &Context, snapshot: &Snapshot) -> bool {
        let deadline = context.settings.start_deadline;
        let mut executions = snapshot.executions.values();
        executions.any(|execution| {
            let Phase::Running { since } = execution.phase() else {
                return false;
            };
            execution.ticket.application.can_be_asked()
                && !self.ready.contains_key(&execution.ticket.id)
                && context.now().duration_since(since) >= deadline
        })
    }

    /// Somebody who waits for it has asked: what can't be reached from there is of no use to that one.
    pub fn hear(&mut self, context: &Context, execution: &Execution, readiness: &[Readiness]) {
        let Some(run) = run(execution) else { return };
        let answer = if readiness.iter().all(Readiness::holds) {
            Answer::Ready
        } else {
            Answer::NotYet(ready::missing(readiness))
        };
        let at = context.now();
        self.heard
            .insert(execution.ticket.id, Heard { run, at, answer });
    }

    /// Asks, unless that is done beside, and takes what was answered to what is known; whether there is anything new.
    pub async fn learn(
        &mut self,
        context: &Context,
        store: &Arc<dyn Store>,
        snapshot: &Snapshot,
        unready: &BTreeSet<ExecutionId>,
        known: &mut Known,
    ) -> bool {
        let unready = unready.iter();
        let unready = unready.filter_map(|id| snapshot.executions.get(id));
        let unready: Vec<&Execution> = unready.collect();
        if self.beside {
            self.open = unready.iter().copied().cloned().collect();
        } else {
            let late = unready.iter().copied();
            let late = late.filter(|execution| self.is_late(context, execution, known));
            let late: Vec<Execution> = late.cloned().collect();
            self.heard.extend(ask(context, late, SHORT).await);
        }
        let mut new = false;
        for execution in unready {
            let id = execution.ticket.id;
            let Some(heard) = self.heard.get(&id) else {
                continue;
            };
            let past = known.pasts.entry(id).or_default();
            match &heard.answer {
                Answer::Ready => {
                    if write_ready(context, store, execution, past).await {
                        self.ready.insert(id, heard.run);
                        new = true;
                    }
                }
                Answer::NotYet(missing) => {
                    new |= write_unready(context, store, id, past, missing).await;
                    let told = known.unready.insert(id, missing.clone());
                    new |= told.as_ref() != Some(missing);
                }
                Answer::OutOfReach => {}
            }
        }
        new
    }

    /// Whether one is to be asked in a pass: its time is over, and nothing was heard of it just now.
    fn is_late(&self, context: &Context, execution: &Execution, known: &Known) -> bool {
        let id = execution.ticket.id;
        let now = context.now();
        let heard = self.heard.get(&id);
        let is_fresh = heard.is_some_and(|heard| now.duration_since(heard.at) < FRESH);
        let since = known.past(id).and_then(|past| past.unready_since);
        let since = match execution.phase() {
            Phase::Running { since: made } => since.unwrap_or(made),
            Phase::Queued | Phase::Starting | Phase::Ending(_) => return false,
        };
        !is_fresh && now.duration_since(since) >= context.settings.start_deadline
    }

    /// Whether somebody was not asked yet.
    pub fn is_open(&self) -> bool {
        let heard = |execution: &Execution| self.heard.contains_key(&execution.ticket.id);
        !self.open.iter().all(heard)
    }

    /// Asks those that are to be asked, again and again, and returns when there is something new; never, if nobody is.
    /// May be dropped by whoever has something else to do.
    pub async fn news(&mut self, context: &Context) {
        loop {
            if self.open.is_empty() {
                std::future::pending::<()>().await;
            }
            if self.asking.is_none() {
                if let Some(again) = self.again.filter(|_| !self.is_open()) {
                    tokio::time::sleep_until(again).await;
                }
                let (context, open) = (context.clone(), self.open.clone());
                self.asking =
                    Some(async move { ask(&context, open, ready::PATIENCE).await }.boxed());
            }
            let Some(asking) = &mut self.asking else {
                continue;
            };
            let answers = asking.await;
            self.asking = None;
            self.again = Some(Instant::now() + AGAIN);
            let mut new = false;
            for (id, heard) in answers {
                new |= heard.answer == Answer::Ready || !self.heard.contains_key(&id);
                self.heard.insert(id, heard);
            }
            if new {
                return;
            }
        }
    }
}

/// Writes down what was heard of an execution by somebody who makes no pass with it, if that is new.
pub(in crate::ops) async fn remember(
    context: &Context,
    execution: &Execution,
    readiness: &[Readiness],
) {
    if readiness.is_empty() {
        return;
    }
    let id = execution.ticket.id;
    let known = async {
        let store = context.history.open().await?;
        let events = store.events(&context.settings.deployment, id).await?;
        Ok::<_, crate::store::StoreError>((store, past::past(&events)))
    };
    let (store, mut past) = match known.await {
        Ok(known) => known,
        Err(error) => {
            tracing::warn!(%error, %id, "whether it is ready was not written down");
            return;
        }
    };
    if past.ready || past.has_failed_start(execution) {
        return;
    }
    if readiness.iter().all(Readiness::holds) {
        write_ready(context, &store, execution, &mut past).await;
    } else {
        write_unready(context, &store, id, &mut past, &ready::missing(readiness)).await;
    }
}

/// Asks them all at once.
async fn ask(context: &Context, executions: Vec<Execution>, patience: Duration) -> Round {
    let asked = executions.iter().map(async |execution| {
        let readiness = ready::probe(context.world.as_ref(), execution, patience).await;
        let lacking = |one: &&Readiness| !one.holds();
        let answer = if readiness.iter().all(Readiness::holds) {
            Answer::Ready
        } else if readiness.iter().filter(lacking).any(|one| one.reached) {
            Answer::NotYet(ready::missing(&readiness))
        } else {
            Answer::OutOfReach
        };
        let at = context.now();
        let run = run(execution)?;
        Some((execution.ticket.id, Heard { run, at, answer }))
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// When the oldest member of it was made: another run of it has other ones.
fn run(execution: &Execution) -> Option<Timestamp> {
    execution.instances.iter().map(|i| i.created_at).min()
}

/// Writes that it is ready, and before that, where whoever started it could not, that it was started; whether that was done.
async fn write_ready(
    context: &Context,
    store: &Arc<dyn Store>,
    execution: &Execution,
    past: &mut Past,
) -> bool {
    let id = execution.ticket.id;
    let write = async |kind, detail| record::event_or_fail(context, store, id, kind, detail).await;
    let written = async {
        if !past.started {
            write(STARTED, "it was seen to run").await?;
        }
        write(READY, "what was asked answers").await
    };
    let written = written.await;
    if let Err(error) = &written {
        tracing::warn!(%error, %id, "that it is ready was not written down");
        return false;
    }
    past.started = true;
    past.ready = true;
    true
}

/// Writes that it is not ready yet, once for each start; whether that was done now.
async fn write_unready(
    context: &Context,
    store: &Arc<dyn Store>,
    id: ExecutionId,
    past: &mut Past,
    missing: &str,
) -> bool {
    if past.unready_since.is_some() {
        return false;
    }
    let now = context.now();
    let written = record::event_or_fail(context, store, id, UNREADY, missing).await;
    if let Err(error) = &written {
        tracing::warn!(%error, %id, "that it is not ready was not written down");
        return false;
    }
    past.unready_since = Some(now);
    true
}
