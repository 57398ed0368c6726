//! Reading a member's log as it is written, through a Docker that goes away for a while: it is read on where it broke off, no
//! piece twice and none left out.

use std::cmp::Ordering;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::archives;
use crate::engine::{BoxStream, EngineError, LogChunk, LogRange, Output, Scope};
use crate::model::{Instance, InstanceState};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::outage::PATIENCE;

/// Docker copies the two outputs side by side: what one wrote before the other may come after it, by this much at the most.
const BESIDE: SignedDuration = SignedDuration::from_secs(1);
/// How soon Docker is asked again.
pub(in crate::ops) const AGAIN: Duration = Duration::from_secs(1);

type Log = BoxStream<'static, Result<LogChunk, OpsError>>;

/// How far one output was read: the time of the last piece, and how many bytes there were of that time.
#[derive(Debug, Clone, Copy, Default)]
struct Read {
    last: Option<(Timestamp, usize)>,
    /// What of that is still to come once more, after a new beginning.
    again: Option<(Timestamp, usize)>,
}

impl Read {
    /// What of a piece is new.
    fn rest(&mut self, mut chunk: LogChunk) -> LogChunk {
        if let Some((at, known)) = self.again {
            match chunk.at.cmp(&at) {
                Ordering::Less => chunk.bytes = chunk.bytes.slice(..0),
                Ordering::Equal => {
                    let skipped = known.min(chunk.bytes.len());
                    chunk.bytes = chunk.bytes.slice(skipped..);
                    self.again = Some((at, known - skipped));
                }
                Ordering::Greater => self.again = None,
            }
        }
        if !chunk.bytes.is_empty() {
            let length = chunk.bytes.len();
            let before = self.last.filter(|(at, _)| *at == chunk.at);
            self.last = Some((chunk.at, length + before.map_or(0, |(_, length)| length)));
        }
        chunk
    }
}

/// A log that is being followed.
struct Following {
    context: Context,
    instance: Instance,
    /// Nothing before this is wanted: what was asked for, or, of the last lines, the time of the first one.
    since: Option<Timestamp>,
    /// When the last lines were asked for, if they were.
    of_last: Option<Timestamp>,
    log: Option<Log>,
    stdout: Read,
    stderr: Read,
    /// Since when Docker has not answered.
    silent_since: Option<Timestamp>,
    /// Whether nothing more comes once this one has ended.
    is_last: bool,
}

/// Goes on with a log that was just opened, until its container has ended.
pub(in crate::ops) fn follow(
    context: &Context,
    instance: &Instance,
    range: LogRange,
    log: Log,
) -> Log {
    let following = Following {
        context: context.clone(),
        instance: instance.clone(),
        since: range.since,
        // When it is opened once more others would be the last ones.
        of_last: range.tail.map(|_| context.now()),
        log: Some(log),
        stdout: Read::default(),
        stderr: Read::default(),
        silent_since: None,
        is_last: false,
    };
    Box::pin(stream::unfold(following, |mut following| async move {
        let chunk = following.next().await?;
        Some((chunk, following))
    }))
}

impl Following {
    async fn next(&mut self) -> Option<Result<LogChunk, OpsError>> {
        loop {
            let Some(log) = &mut self.log else {
                if self.is_last {
                    return None;
                }
                if let Err(error) = self.reopen().await {
                    self.is_last = true;
                    return Some(Err(error));
                }
                continue;
            };
            match log.next().await {
                Some(Ok(chunk)) => {
                    self.silent_since = None;
                    let has_begun = [&self.stdout, &self.stderr]
                        .iter()
                        .any(|read| read.last.is_some());
                    if self.of_last.is_some() && !has_begun {
                        self.since = self.since.max(Some(chunk.at));
                    }
                    let read = match chunk.output {
                        Output::Stdout => &mut self.stdout,
                        Output::Stderr => &mut self.stderr,
                    };
                    let chunk = read.rest(chunk);
                    if !chunk.bytes.is_empty() {
                        return Some(Ok(chunk));
                    }
                }
                Some(Err(error)) => {
                    self.log = None;
                    self.is_last = false;
                    if let Err(error) = self.bear(error).await {
                        self.is_last = true;
                        return Some(Err(error));
                    }
                }
                // It has ended, or Docker has: what it says last is read once more.
                None => self.log = None,
            }
        }
    }

    /// Opens the log where it was left; its last part, where the container has ended.
    async fn reopen(&mut self) -> Result<(), OpsError> {
        loop {
            match self.opened().await {
                Ok(log) => {
                    self.log = log;
                    self.is_last |= self.log.is_none();
                    self.silent_since = None;
                    self.stdout.again = self.stdout.last;
                    self.stderr.again = self.stderr.last;
                    return Ok(());
                }
                Err(error) => self.bear(error).await?,
            }
        }
    }

    async fn opened(&mut self) -> Result<Option<Log>, OpsError> {
        let snapshot = self.context.backend.observe(Scope::Executions).await?;
        let key = &self.instance.key;
        let execution = snapshot.executions.get(&key.execution);
        let mut there = execution.iter().flat_map(|execution| &execution.instances);
        let same = |i: &&Instance| i.key == *key && i.container_id == self.instance.container_id;
        let there = there.find(same);
        if there.is_none() && !snapshot.gaps.is_empty() {
            return Err(OpsError::unreachable("its node could not be read"));
        }
        let runs = there.is_some_and(|i| i.state == InstanceState::Running);
        self.is_last = !runs;
        // The earliest of both outputs; of what was never written to nothing is known.
        let ends = [self.stdout.last, self.stderr.last].into_iter().flatten();
        let read_to = ends.map(|(at, _)| at).min();
        let read_to = read_to.and_then(|at| at.checked_sub(BESIDE).ok());
        let range = LogRange {
            follow: runs,
            since: read_to.or(self.of_last).max(self.since),
            tail: None,
        };
        if there.is_some() {
            match self.context.backend.logs(key, range).await {
                Ok(chunks) => return Ok(Some(Box::pin(chunks.map(|c| c.map_err(OpsError::from))))),
                Err(EngineError::Gone { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // It was removed: then it was kept before.
        self.is_last = true;
        let kept = archives::kept(&self.context, key, range).await;
        Ok(kept.unwrap_or_else(|error| {
            tracing::warn!(%error, "the end of a log may be missing");
            None
        }))
    }

    /// Waits a moment, where Docker did not answer and has not been silent for too long.
    async fn bear(&mut self, error: OpsError) -> Result<(), OpsError> {
        if !error.is_unreachable() {
            return Err(error);
        }
        let now = self.context.now();
        let since = *self.silent_since.get_or_insert(now);
        if now.duration_since(since) >= PATIENCE {
            return Err(error);
        }
        self.context.world.sleep(AGAIN).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(at: i64, text: &'static str) -> LogChunk {
        LogChunk {
            at: Timestamp::from_second(at).unwrap(),
            output: Output::Stdout,
            bytes: bytes::Bytes::from_static(text.as_bytes()),
        }
    }

    #[test]
    fn what_was_read_is_skipped_and_nothing_else() {
        let mut read = Read::default();
        for (at, text) in [(1, "a"), (2, "b"), (2, "c")] {
            assert_eq!(read.rest(piece(at, text)).bytes.as_ref(), text.as_bytes());
        }
        read.again = read.last;
        let again = [(1, "a"), (2, "b"), (2, "cd"), (2, "e"), (3, "f"), (2, "g")];
        let rest = again.map(|(at, text)| read.rest(piece(at, text)).bytes);
        assert_eq!(rest.concat(), b"defg");
    }
}
