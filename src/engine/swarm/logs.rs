//! A member's log: from its node's Engine where that can be reached, otherwise through the manager.
//!
//! A manager asks the node in turn. It says nothing while the node is silent, and never ends a log that is followed; so
//! here nobody waits for a silent node, and the task itself is asked whether it has ended.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::timeout;

use super::SwarmBackend;
use super::directory::{Directory, Place};
use super::nodes::{SILENT, out_of_reach};
use super::recent::Recent;
use crate::engine::docker::logs::{Trouble, read};
use crate::engine::{BoxStream, EngineError, LogChunk, LogRange, Result};
use crate::model::InstanceKey;

/// How long a log that is not followed may say nothing before it is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a log that is followed may say nothing before its task is asked whether it still runs.
const SILENCE: Duration = Duration::from_secs(1);

type Chunks = BoxStream<'static, Result<LogChunk>>;

impl SwarmBackend {
    pub(super) async fn read_log(&self, key: &InstanceKey, range: LogRange) -> Result<Chunks> {
        let place = self.directory.place_of(key).await?;
        if !place.container.is_empty()
            && let Ok(engine) = self.engine_of(&place.node).await
        {
            match within(&place, engine.log_of(&place.container, range)).await {
                Err(EngineError::Unreachable { .. } | EngineError::OutOfReach { .. }) => {}
                read => return Ok(self.watch_over(key, place, range, read?, Way::Engine)),
            }
        }
        if !place.node.is_up {
            return Err(out_of_reach(&place, SILENT.to_owned()));
        }
        // A manager would follow a task that has ended for ever.
        let range = LogRange {
            follow: range.follow && !place.has_ended,
            ..range
        };
        let chunks = self.directory.log_of(&place, range).await?;
        Ok(self.watch_over(key, place, range, chunks, Way::Manager))
    }

    fn watch_over(
        &self,
        key: &InstanceKey,
        place: Place,
        range: LogRange,
        chunks: Chunks,
        way: Way,
    ) -> Chunks {
        let watched = Watched {
            directory: Arc::clone(&self.directory),
            key: key.clone(),
            place,
            chunks,
            way,
            // From the node's own Engine it ends when the container does; through the manager it never does.
            in_two_goes: way == Way::Manager && range.follow,
            stage: if range.follow {
                Stage::Following
            } else {
                Stage::Reading
            },
            recent: Recent::default(),
        };
        let chunks = stream::unfold(watched, |mut watched| async move {
            let chunk = watched.next().await?;
            Some((chunk, watched))
        });
        chunks.boxed()
    }
}

impl Directory {
    /// A task's log through the manager.
    async fn log_of(&self, place: &Place, range: LogRange) -> Result<Chunks> {
        let path = format!("/tasks/{}/logs", place.task);
        let whose = format!("task {}", place.task);
        let read = read(&self.api, &path, &whose, range, Trouble::Fails);
        within(place, read).await
    }
}

/// What comes of a call that a silent node may hold up.
async fn within<T>(place: &Place, call: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(PATIENCE, call)
        .await
        .unwrap_or_else(|_| Err(silent(place)))
}

fn silent(place: &Place) -> EngineError {
    let seconds = PATIENCE.as_secs();
    out_of_reach(
        place,
        format!("nothing came of its log within {seconds} s; the node may be cut off"),
    )
}

/// Which way a log comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the node's own Engine.
    Engine,
    /// Through the manager.
    Manager,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// More may come for a long time.
    Following,
    /// What is there is being read.
    Reading,
    /// No more is read.
    Over,
}

/// A log and what must be known to see that no more of it will come.
struct Watched {
    directory: Arc<Directory>,
    key: InstanceKey,
    place: Place,
    chunks: Chunks,
    way: Way,
    /// Whether the rest is read again once the task has ended.
    in_two_goes: bool,
    stage: Stage,
    recent: Recent,
}

impl Watched {
    async fn next(&mut self) -> Option<Result<LogChunk>> {
        loop {
            let patience = match self.stage {
                Stage::Following => SILENCE,
                Stage::Reading => PATIENCE,
                Stage::Over => return None,
            };
            match timeout(patience, self.chunks.next()).await {
                Ok(Some(Ok(chunk))) => {
                    if !self.in_two_goes || self.recent.is_new(&chunk) {
                        return Some(Ok(chunk));
                    }
                }
                Ok(Some(Err(error))) => return Some(self.fail(error)),
                Ok(None) if self.stage == Stage::Following && self.in_two_goes => {
                    if let Err(error) = self.read_the_rest().await {
                        return Some(self.fail(error));
                    }
                }
                Ok(None) => return None,
                Err(_) if self.stage == Stage::Following => {
                    if let Err(error) = self.look().await {
                        return Some(self.fail(error));
                    }
                }
                Err(_) => {
                    let error = silent(&self.place);
                    return Some(self.fail(error));
                }
            }
        }
    }

    fn fail(&mut self, error: EngineError) -> Result<LogChunk> {
        self.stage = Stage::Over;
        // The manager says so within the log.
        if self.way == Way::Manager
            && let EngineError::Refused { why, .. } = &error
        {
            let why = format!("its log did not come whole: {why}");
            return Err(out_of_reach(&self.place, why));
        }
        Err(error)
    }

    /// Asks whether a log that says nothing may still say something.
    async fn look(&mut self) -> Result<()> {
        match self.directory.place_of(&self.key).await {
            // It was removed: what it wrote is archived.
            Err(EngineError::Gone { .. }) => {
                self.stage = Stage::Over;
                Ok(())
            }
            // Another member took its place.
            Ok(place) if place.task != self.place.task => self.end().await,
            Ok(place) if !place.node.is_up => Err(out_of_reach(&place, SILENT.to_owned())),
            Ok(place) if place.has_ended => self.end().await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Its container has ended: what has not come yet comes soon, or is asked for.
    async fn end(&mut self) -> Result<()> {
        if self.in_two_goes {
            return self.read_the_rest().await;
        }
        self.stage = Stage::Reading;
        Ok(())
    }

    /// Reads what was written while a followed log was on its way: all of it, less what came already.
    async fn read_the_rest(&mut self) -> Result<()> {
        let range = LogRange {
            follow: false,
            since: self.recent.since(),
            tail: None,
        };
        self.recent.expect_again();
        self.chunks = self.directory.log_of(&self.place, range).await?;
        self.stage = Stage::Reading;
        Ok(())
    }
}
