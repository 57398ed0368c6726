//! What comes bit by bit: logs, the output of a command, hints that something changed.

use std::collections::VecDeque;

use bytes::Bytes as Chunk;
use futures_util::stream;
use jiff::Timestamp;

use super::place::PAUSE;
use super::script::Script;
use super::{ContainerRow, MemoryBackend};
use crate::engine::{BoxStream, ExecRequest, ExecSession, LogChunk, LogRange, Output, Result};
use crate::model::InstanceKey;

/// Where a log's reader stands.
struct Reader {
    backend: MemoryBackend,
    instance: InstanceKey,
    range: LogRange,
    ready: VecDeque<LogChunk>,
    /// Lines that were read or passed over.
    passed: usize,
    begun: bool,
    over: bool,
}

/// The log of an instance; one that is followed ends when the container has ended or is gone.
pub(super) fn logs(
    backend: MemoryBackend,
    instance: InstanceKey,
    range: LogRange,
) -> BoxStream<'static, Result<LogChunk>> {
    let reader = Reader {
        backend,
        instance,
        range,
        ready: VecDeque::new(),
        passed: 0,
        begun: false,
        over: false,
    };
    Box::pin(stream::unfold(reader, |mut reader| async move {
        loop {
            if let Some(chunk) = reader.ready.pop_front() {
                return Some((Ok(chunk), reader));
            }
            if reader.over {
                return None;
            }
            if reader.begun {
                reader.backend.pause(PAUSE).await;
            }
            if let Err(error) = reader.fill() {
                reader.over = true;
                return Some((Err(error), reader));
            }
        }
    }))
}

impl Reader {
    /// Takes what was written since the last time.
    fn fill(&mut self) -> Result<()> {
        let backend = &self.backend;
        let seen = backend.glance(|world, now| match backend.find(world, &self.instance) {
            Ok(row) => (row.log(now), row.end(now).is_some()),
            Err(_) => (Vec::new(), true),
        });
        let (lines, ended) = seen?;
        self.over = ended || !self.range.follow;
        let total = lines.len();
        let since = self.range.since.unwrap_or(Timestamp::MIN);
        let fresh = lines.into_iter().skip(self.passed);
        let fresh = fresh.filter(|(at, ..)| *at >= since);
        self.ready.extend(fresh.map(|(at, output, line)| LogChunk {
            at,
            output,
            bytes: line.into(),
        }));
        self.passed = self.passed.max(total);
        if !self.begun {
            let tail = self.range.tail.and_then(|n| usize::try_from(n).ok());
            let surplus = tail.map_or(0, |n| self.ready.len().saturating_sub(n));
            self.ready.drain(..surplus);
            self.begun = true;
        }
        Ok(())
    }
}

/// A hint whenever a call changed something or a container ended by itself.
pub(super) fn changes(backend: MemoryBackend) -> BoxStream<'static, ()> {
    Box::pin(stream::unfold(None, move |before| {
        let backend = backend.clone();
        async move {
            let look = || {
                backend.glance(|world, now| {
                    let ended = world.containers.values().filter(|c| c.end(now).is_some());
                    (world.changes, ended.count())
                })
            };
            let mut last = match before {
                Some(last) => last,
                None => look().ok()?,
            };
            loop {
                let now = look().ok()?;
                if now != last {
                    last = now;
                    return Some(((), Some(last)));
                }
                backend.pause(PAUSE).await;
            }
        }
    }))
}

/// Carries a command out: it is a script, and all it does it has done at once.
pub(super) fn exec(row: &ContainerRow, request: &ExecRequest) -> ExecSession {
    let (lines, code) = if let Some(script) = Script::read(&request.command, row) {
        (script.lines, script.end.map_or(0, |(_, code)| code))
    } else {
        let line = format!("{}: not found\n", request.command.join(" "));
        (
            vec![(jiff::SignedDuration::ZERO, Output::Stderr, line)],
            127,
        )
    };
    let chunks: Vec<_> = lines
        .into_iter()
        .map(|(_, output, line)| Ok((output, Chunk::from(line))))
        .collect();
    ExecSession {
        output: Box::pin(stream::iter(chunks)),
        input: Box::pin(tokio::io::sink()),
        id: format!("exec-{code}"),
    }
}

/// The exit code of a command, which its session's id holds.
pub(super) fn exec_code(session: &str) -> Option<i64> {
    session.strip_prefix("exec-")?.parse().ok()
}
