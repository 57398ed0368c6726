//! What nobody uses, beside everything else: a notebook that hangs when it is asked holds up no pass.
//!
//! It looks at intervals, and when something is due; what it looks at is what the last pass saw.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::model::{Execution, ExecutionId};
use crate::ops::idle::culling::{self, Act, Round};
use crate::ops::reconcile::turns::Turn;
use crate::ops::{Context, OpsError};

/// The shortest time between two rounds.
const SHORTEST: Duration = Duration::from_secs(1);

type Troubles = Arc<Mutex<BTreeMap<String, String>>>;

/// Looks after what nobody uses until it is dropped.
pub(super) struct Culler<'a> {
    context: &'a Context,
    seen: watch::Sender<Vec<Execution>>,
    troubles: Troubles,
    task: JoinHandle<()>,
}

impl<'a> Culler<'a> {
    /// Begins.
    pub(super) fn start(context: &'a Context) -> Self {
        let (seen, news) = watch::channel(Vec::new());
        let troubles = Troubles::default();
        let task = tokio::spawn(work(context.clone(), news, Arc::clone(&troubles)));
        Self {
            context,
            seen,
            troubles,
            task,
        }
    }

    /// Takes note of what a turn has seen. Without the database nothing can be decided.
    pub(super) fn look_at(&self, turn: &Turn) {
        let concerned = match turn.database {
            None => culling::concerned(self.context, &turn.snapshot),
            Some(_) => Vec::new(),
        };
        self.seen.send_if_modified(|seen| {
            let is_new = ids(seen) != ids(&concerned);
            *seen = concerned;
            is_new
        });
    }

    /// What could not be done the last time.
    pub(super) fn troubles(&self) -> BTreeMap<String, String> {
        let troubles = self.troubles.lock();
        troubles.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Culler<'_> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn ids(executions: &[Execution]) -> Vec<ExecutionId> {
    executions.iter().map(|e| e.ticket.id).collect()
}

async fn work(context: Context, mut news: watch::Receiver<Vec<Execution>>, troubles: Troubles) {
    loop {
        let seen = news.borrow_and_update().clone();
        let done = culling::round(&context, &seen).await;
        let begun = Instant::now();
        let pause = pause(&context, done.as_ref().ok());
        note(&troubles, done);
        tokio::time::sleep_until(begun + SHORTEST).await;
        // What is new is looked at soon: it may have to be ended soon.
        tokio::select! {
            () = tokio::time::sleep_until(begun + pause) => {}
            changed = news.changed() => if changed.is_err() {
                return;
            }
        }
    }
}

/// How long to wait for the next round.
fn pause(context: &Context, round: Option<&Round>) -> Duration {
    let every = context.settings.culling.every;
    let due = round.and_then(|round| round.due).map(|due| {
        let left = Duration::try_from(due.duration_since(context.now()));
        left.unwrap_or(Duration::ZERO)
    });
    due.map_or(every, |due| due.min(every)).max(SHORTEST)
}

fn note(troubles: &Troubles, done: Result<Round, OpsError>) {
    let new = match done {
        Ok(round) => {
            round.acts.iter().for_each(tell);
            round.troubles
        }
        // The passes tell of a database that can't be had.
        Err(error) => {
            tracing::debug!(%error, "nobody was asked whether they are used");
            return;
        }
    };
    *troubles.lock().unwrap_or_else(PoisonError::into_inner) = new;
}

/// Tells what was done.
pub(super) fn tell(act: &Act) {
    let Act {
        id,
        name,
        user,
        idle_since,
        ends_at,
    } = act;
    match ends_at {
        Some(ends_at) => {
            tracing::info!(execution = %id, name, user, idle_since = %idle_since, ends_at = %ends_at, "idle");
        }
        None => {
            tracing::info!(execution = %id, name, user, idle_since = %idle_since, "ended as idle");
        }
    }
}
