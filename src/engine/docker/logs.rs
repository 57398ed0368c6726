//! Reads logs: every byte as it was written, with its time and its output.
//!
//! Docker cuts lines at 16 KiB; the pieces come as they are, for whoever shows them to put together by their missing
//! newlines.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;

use super::DockerBackend;
use super::api::{Api, error_at, request, status};
use super::frames::{Frame, Frames};
use crate::engine::{BoxStream, EngineError, LogChunk, LogRange, Output, Result};

impl DockerBackend {
    /// A container's log, by its name or id.
    pub(in crate::engine) async fn log_of(
        &self,
        container: &str,
        range: LogRange,
    ) -> Result<BoxStream<'static, Result<LogChunk>>> {
        let path = format!("/containers/{container}/logs");
        let whose = format!("container {container}");
        read(&self.api, &path, &whose, range, Trouble::Shown).await
    }
}

/// What becomes of what the daemon itself says in the middle of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Trouble {
    /// It is shown as if it had been written: a file that Docker can't read to its end must not keep anything from ending.
    Shown,
    /// It is an error.
    Fails,
}

/// The log at `path`, of `whose`: a container's, or a Swarm's of a task.
pub(in crate::engine) async fn read(
    api: &Api,
    path: &str,
    whose: &str,
    range: LogRange,
    trouble: Trouble,
) -> Result<BoxStream<'static, Result<LogChunk>>> {
    let query = query(range);
    let query: Vec<_> = query.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let request = request(hyper::Method::GET, path, &query, None::<&()>);
    let answer = api.raw_patient(request).await.map_err(|error| {
        if status(&error) == Some(404) {
            EngineError::Gone {
                what: whose.to_owned(),
            }
        } else {
            api.error(&format!("reading the log of {whose}"), error)
        }
    })?;
    let chunks = frames(answer.into_body(), api.endpoint().to_owned(), trouble);
    let mut last = Timestamp::UNIX_EPOCH;
    Ok(chunks
        .map_ok(move |(output, line)| {
            let (at, bytes) = split(line, last);
            last = at;
            LogChunk { at, output, bytes }
        })
        .boxed())
}

fn query(range: LogRange) -> Vec<(&'static str, String)> {
    let mut query = vec![
        ("stdout", "true".to_owned()),
        ("stderr", "true".to_owned()),
        ("timestamps", "true".to_owned()),
        ("follow", range.follow.to_string()),
    ];
    if let Some(since) = range.since {
        let seconds = since.as_second();
        query.push((
            "since",
            format!("{seconds}.{:09}", since.subsec_nanosecond()),
        ));
    }
    if let Some(lines) = range.tail {
        query.push(("tail", lines.to_string()));
    }
    query
}

/// Takes off the time that Docker puts before each piece. Should there be none, nothing is taken off.
fn split(mut line: Bytes, last: Timestamp) -> (Timestamp, Bytes) {
    let space = line.iter().position(|byte| *byte == b' ');
    let time = space
        .and_then(|space| line.get(..space))
        .and_then(|text| std::str::from_utf8(text).ok())
        .and_then(|text| text.parse().ok());
    match (time, space) {
        (Some(time), Some(space)) => (time, line.split_off(space + 1)),
        _ => (last, line),
    }
}

/// The frames of a body; one that breaks off in the middle of a frame ends with an error.
pub(super) fn frames(
    body: Incoming,
    endpoint: String,
    trouble: Trouble,
) -> impl futures_util::Stream<Item = Result<(Output, Bytes)>> + Send + 'static {
    let pieces = body
        .into_data_stream()
        .map_err(move |error| error_at(&endpoint, "reading", bollard::errors::Error::from(error)));
    demultiplex(pieces.boxed(), trouble)
}

/// The frames of a stream of bytes.
pub(super) fn demultiplex(
    pieces: BoxStream<'static, Result<Bytes>>,
    trouble: Trouble,
) -> impl futures_util::Stream<Item = Result<(Output, Bytes)>> + Send + 'static {
    let garbled = |why: &str| EngineError::Garbled {
        what: "reading an output".to_owned(),
        why: why.to_owned(),
    };
    let start = (pieces, Frames::default(), VecDeque::new());
    stream::try_unfold(
        start,
        move |(mut pieces, mut frames, mut ready)| async move {
            loop {
                match ready.pop_front() {
                    Some(Frame::Written(output, bytes)) => {
                        return Ok(Some(((output, bytes), (pieces, frames, ready))));
                    }
                    Some(Frame::Trouble(words)) if trouble == Trouble::Shown => {
                        return Ok(Some(((Output::Stderr, words), (pieces, frames, ready))));
                    }
                    Some(Frame::Trouble(words)) => {
                        return Err(EngineError::Refused {
                            what: "reading an output".to_owned(),
                            why: String::from_utf8_lossy(&words).trim().to_owned(),
                        });
                    }
                    None => {}
                }
                match pieces.try_next().await? {
                    Some(piece) => frames.push(&piece),
                    None if frames.is_empty() => return Ok(None),
                    None => return Err(garbled("it broke off in the middle")),
                }
                while let Some(frame) = frames
                    .next()
                    .map_err(|_| garbled("it is not made of Docker's frames"))?
                {
                    ready.push_back(frame);
                }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_comes_off_and_every_byte_stays() {
        let zero = Timestamp::UNIX_EPOCH;
        let (at, rest) = split(
            Bytes::from_static(b"2026-11-22T14:55:00.123456789Z  two  spaces\xff\r\n"),
            zero,
        );
        assert_eq!(at.to_string(), "2026-11-22T14:55:00.123456789Z");
        assert_eq!(&rest[..], b" two  spaces\xff\r\n");
        let (_, empty) = split(Bytes::from_static(b"2026-11-22T14:55:00.1Z \n"), zero);
        assert_eq!(&empty[..], b"\n");
        let odd = split(Bytes::from_static(b"no time here\n"), at);
        assert_eq!(odd, (at, Bytes::from_static(b"no time here\n")));
    }

    #[test]
    fn a_range_is_asked_to_the_nanosecond() {
        let range = LogRange {
            follow: true,
            since: "2026-11-22T14:55:00.000000012Z".parse().ok(),
            tail: Some(7),
        };
        let query = query(range);
        assert!(
            query.contains(&("since", "1795359300.000000012".to_owned())),
            "{query:?}"
        );
        assert!(query.contains(&("tail", "7".to_owned())));
        assert!(query.contains(&("follow", "true".to_owned())));
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_is_an_error() {
        let pieces = [
            &[1, 0, 0, 0, 0, 0, 0, 1, b'a'][..],
            &[2, 0, 0, 0, 0, 0, 0, 9, b'b'][..],
        ];
        let stream = stream::iter(pieces.map(|piece| Ok(Bytes::from_static(piece)))).boxed();
        let seen: Vec<_> = demultiplex(stream, Trouble::Shown).collect().await;
        assert!(matches!(&seen[0], Ok((Output::Stdout, bytes)) if &bytes[..] == b"a"));
        assert!(seen[1].is_err() && seen.len() == 2);
    }
}
