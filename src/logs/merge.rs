//! Several logs as one: in the order of time as far as that is possible without waiting for who says nothing.
//!
//! One chunk of each log is held at a time, however long the logs are. The order within a log is never changed, even where
//! its times go backwards by a little (Docker copies standard output and standard error side by side).

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use crate::engine::{BoxStream, LogChunk, Output};
use crate::model::InstanceKey;

/// A log, live or archived, and whose it is.
pub type Source<E> = (InstanceKey, BoxStream<'static, Result<LogChunk, E>>);

/// How long [`as_they_come`] may hold a chunk back to get what is already written in order. A person does not notice it.
pub const PATIENCE: Duration = Duration::from_millis(100);

/// A chunk of one of several logs.
#[derive(Debug)]
pub struct Piece<E> {
    /// Whose it is.
    pub instance: Arc<InstanceKey>,
    /// The chunk, or why that log cannot be read further.
    pub chunk: Result<LogChunk, E>,
    /// Whether it goes on a line of the same instance and output whose first part came before.
    pub continues: bool,
}

/// Merges logs that end, in the order of time. A log that is slow holds up the others.
pub fn in_order<E: Send + 'static>(sources: Vec<Source<E>>) -> BoxStream<'static, Piece<E>> {
    merged(sources, None)
}

/// Merges logs that are being written, as they come. What they hold already comes in the order of time; a log that has once
/// been silent for `patience` (see [`PATIENCE`]) is not waited for any more.
pub fn as_they_come<E: Send + 'static>(
    sources: Vec<Source<E>>,
    patience: Duration,
) -> BoxStream<'static, Piece<E>> {
    merged(sources, Some(patience))
}

fn merged<E: Send + 'static>(
    sources: Vec<Source<E>>,
    patience: Option<Duration>,
) -> BoxStream<'static, Piece<E>> {
    let merge = Merge::new(sources, patience);
    Box::pin(stream::unfold(merge, |mut merge| async move {
        let piece = merge.next().await?;
        Some((piece, merge))
    }))
}

type Log<E> = BoxStream<'static, Result<LogChunk, E>>;
/// A reader and the chunk it has read, if its log has not ended.
type Read<E> = (Reader<E>, Option<Result<LogChunk, E>>);
type Reading<E> = Pin<Box<dyn Future<Output = Read<E>> + Send>>;
type Ready<E> = BTreeMap<(Timestamp, usize), (Reader<E>, Result<LogChunk, E>)>;

/// One of the logs.
struct Reader<E> {
    number: usize,
    instance: Arc<InstanceKey>,
    log: Log<E>,
    /// The time of its last chunk, or of the latest before it.
    at: Timestamp,
    /// Whether standard output and standard error are within a line.
    within: (bool, bool),
}

struct Merge<E> {
    patience: Option<Duration>,
    /// Those that are being read.
    reading: FuturesUnordered<Reading<E>>,
    /// The numbers of those in `reading` that the others wait for.
    awaited: BTreeSet<usize>,
    /// Those that have a chunk, the earliest first.
    ready: Ready<E>,
    /// The numbers of those that are not waited for any more.
    live: BTreeSet<usize>,
}

impl<E: Send + 'static> Merge<E> {
    fn new(sources: Vec<Source<E>>, patience: Option<Duration>) -> Self {
        let mut merge = Self {
            patience,
            reading: FuturesUnordered::new(),
            awaited: BTreeSet::new(),
            ready: BTreeMap::new(),
            live: BTreeSet::new(),
        };
        for (number, (instance, log)) in sources.into_iter().enumerate() {
            merge.read(Reader {
                number,
                instance: Arc::new(instance),
                log,
                at: Timestamp::MIN,
                within: (false, false),
            });
        }
        merge
    }

    fn read(&mut self, mut reader: Reader<E>) {
        if !self.live.contains(&reader.number) {
            self.awaited.insert(reader.number);
        }
        self.reading.push(Box::pin(async move {
            let chunk = reader.log.next().await;
            (reader, chunk)
        }));
    }

    fn take(&mut self, (mut reader, chunk): Read<E>) {
        self.awaited.remove(&reader.number);
        let Some(chunk) = chunk else { return };
        if let Ok(chunk) = &chunk {
            reader.at = reader.at.max(chunk.at);
        }
        self.ready
            .insert((reader.at, reader.number), (reader, chunk));
    }

    async fn next(&mut self) -> Option<Piece<E>> {
        let mut until: Option<Instant> = None;
        loop {
            while let Some(Some(read)) = self.reading.next().now_or_never() {
                self.take(read);
            }
            if self.awaited.is_empty()
                && let Some((_, (reader, chunk))) = self.ready.pop_first()
            {
                return Some(self.emit(reader, chunk));
            }
            let read = match self.patience {
                Some(patience) if !self.ready.is_empty() => {
                    let until = *until.get_or_insert_with(|| Instant::now() + patience);
                    let Ok(read) = timeout_at(until, self.reading.next()).await else {
                        self.live.append(&mut self.awaited);
                        continue;
                    };
                    read
                }
                _ => self.reading.next().await,
            };
            match read {
                Some(read) => self.take(read),
                None if self.ready.is_empty() => return None,
                None => {}
            }
        }
    }

    fn emit(&mut self, mut reader: Reader<E>, chunk: Result<LogChunk, E>) -> Piece<E> {
        let mut continues = false;
        if let Ok(chunk) = &chunk
            && !chunk.bytes.is_empty()
        {
            let within = match chunk.output {
                Output::Stdout => &mut reader.within.0,
                Output::Stderr => &mut reader.within.1,
            };
            continues = std::mem::replace(within, !chunk.bytes.ends_with(b"\n"));
        }
        let instance = Arc::clone(&reader.instance);
        self.read(reader);
        Piece {
            instance,
            chunk,
            continues,
        }
    }
}
