//! The archives of logs: every now and then those go that are kept no longer, beside everything else.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::logs::retention::Keep;
use crate::ops::logs::retention::{Retired, retire_if_due};
use crate::ops::reconcile::turns::Turn;
use crate::ops::{Context, OpsError};

/// How often it is asked whether it is time; how often it is `retire_if_due` knows, for all who watch.
const ASK: Duration = Duration::from_mins(1);

type Done = Result<Option<Retired>, OpsError>;

/// The archives.
pub(super) struct Shelf<'a> {
    context: &'a Context,
    keep: Keep,
    asked: Option<Instant>,
    work: Option<BoxFuture<'a, Done>>,
    /// Why it could not be done the last time, which is told once.
    wrong: Option<String>,
}

impl<'a> Shelf<'a> {
    pub(super) fn new(context: &'a Context, keep: Keep) -> Self {
        Self {
            context,
            keep,
            asked: None,
            work: None,
            wrong: None,
        }
    }

    /// Begins with what there is to do, where it may be time.
    pub(super) fn look_at(&mut self, turn: &Turn) {
        let lately = self.asked.is_some_and(|at| at.elapsed() < ASK);
        // Without the database nobody could be told that they are gone.
        if self.keep.is_for_ever() || lately || self.work.is_some() || turn.database.is_some() {
            return;
        }
        self.asked = Some(Instant::now());
        let (context, keep, snapshot) = (self.context, self.keep, turn.snapshot.clone());
        self.work = Some(async move { retire_if_due(context, keep, &snapshot).await }.boxed());
    }

    /// Goes on; never returns where there is nothing to do.
    pub(super) async fn work(&mut self) {
        match &mut self.work {
            None => std::future::pending().await,
            Some(work) => {
                let done = work.await;
                self.work = None;
                self.tell(done);
            }
        }
    }

    /// Goes on until it is through; what is not as it should be.
    pub(super) async fn through(mut self) -> Option<String> {
        if self.work.is_some() {
            self.work().await;
        }
        self.wrong
    }

    fn tell(&mut self, done: Done) {
        if let Ok(Some(Retired { executions, bytes })) = done
            && executions > 0
        {
            tracing::info!(executions, bytes, "removed old logs");
        }
        let wrong = done.err().map(|error| error.to_string());
        if let Some(why) = wrong.as_ref().filter(|_| wrong != self.wrong) {
            tracing::warn!(why, "old logs are not removed");
        }
        self.wrong = wrong;
    }
}
