//! Merging: each log in its order, all by time, and nobody silent holds up the others.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use proptest::prelude::*;
use zoe::engine::{LogChunk, LogRange, Output};
use zoe::logs::{Archive, PATIENCE, Piece, Source, as_they_come, in_order};

use crate::{chunk, key, log, sandbox, write};

type Never = std::convert::Infallible;

fn sources(logs: &[Vec<LogChunk>]) -> Vec<Source<Never>> {
    logs.iter()
        .enumerate()
        .map(|(n, log)| -> Source<Never> {
            let log: Vec<Result<LogChunk, Never>> = log.iter().cloned().map(Ok).collect();
            (
                key("c", u32::try_from(n).unwrap()),
                stream::iter(log).boxed(),
            )
        })
        .collect()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn by_instance(pieces: &[Piece<Never>]) -> BTreeMap<u32, Vec<LogChunk>> {
    let mut logs: BTreeMap<u32, Vec<LogChunk>> = BTreeMap::new();
    for piece in pieces {
        let chunk = match &piece.chunk {
            Ok(chunk) => chunk.clone(),
            Err(never) => match *never {},
        };
        logs.entry(piece.instance.index).or_default().push(chunk);
    }
    logs
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merging_keeps_each_log_and_orders_all_by_time(logs in proptest::collection::vec(log(), 0..5), follow: bool) {
        let merged = |logs: &[Vec<LogChunk>]| {
            let sources = sources(logs);
            block_on(async {
                let pieces = if follow { as_they_come(sources, PATIENCE) } else { in_order(sources) };
                pieces.collect::<Vec<_>>().await
            })
        };
        let expected: BTreeMap<u32, Vec<LogChunk>> = (0..).zip(logs.clone()).filter(|(_, log)| !log.is_empty()).collect();
        prop_assert_eq!(by_instance(&merged(&logs)), expected);

        let mut sorted = logs;
        for log in &mut sorted {
            log.sort_by_key(|chunk| chunk.at);
        }
        let pieces = merged(&sorted);
        prop_assert!(pieces.iter().is_sorted_by_key(|piece| piece.chunk.as_ref().unwrap().at));
    }
}

/// A log that is written by hand.
fn written_by_hand(
    index: u32,
) -> (
    tokio::sync::mpsc::UnboundedSender<Result<LogChunk, String>>,
    Source<String>,
) {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let log = stream::poll_fn(move |context| receiver.poll_recv(context)).boxed();
    (sender, (key("c", index), log))
}

async fn next(pieces: &mut zoe::engine::BoxStream<'static, Piece<String>>) -> (u32, String) {
    let soon = Duration::from_mins(1);
    let piece = tokio::time::timeout(soon, pieces.next())
        .await
        .unwrap()
        .unwrap();
    let text = match piece.chunk {
        Ok(chunk) => String::from_utf8(chunk.bytes.to_vec()).unwrap(),
        Err(error) => format!("error: {error}"),
    };
    (piece.instance.index, text)
}

#[tokio::test]
async fn who_is_silent_does_not_hold_up_the_others() {
    let (talker, a) = written_by_hand(0);
    let (silent, b) = written_by_hand(1);
    let mut pieces = as_they_come(vec![a, b], Duration::from_millis(20));
    for n in 0..50 {
        talker.send(Ok(chunk(n, n.to_string()))).unwrap();
        assert_eq!(next(&mut pieces).await, (0, n.to_string()));
    }
    // What comes late comes at once, however old it says it is.
    silent.send(Ok(chunk(-1000, "late"))).unwrap();
    assert_eq!(next(&mut pieces).await, (1, "late".to_owned()));
    drop((talker, silent));
    assert!(pieces.next().await.is_none());
}

#[tokio::test]
async fn what_is_written_already_comes_in_order_while_following() {
    let (first, a) = written_by_hand(0);
    let (second, b) = written_by_hand(1);
    let (_silent, c) = written_by_hand(2);
    for n in 0..100 {
        let log = if n % 3 == 0 { &first } else { &second };
        log.send(Ok(chunk(n, n.to_string()))).unwrap();
    }
    let mut pieces = as_they_come(vec![a, b, c], Duration::from_millis(20));
    for n in 0..100 {
        assert_eq!(next(&mut pieces).await.1, n.to_string());
    }
}

#[tokio::test]
async fn a_log_that_fails_says_so_and_the_others_go_on() {
    let (failing, a) = written_by_hand(0);
    let (fine, b) = written_by_hand(1);
    failing.send(Ok(chunk(1, "one"))).unwrap();
    failing.send(Err("gone".to_owned())).unwrap();
    fine.send(Ok(chunk(2, "two"))).unwrap();
    drop((failing, fine));
    let mut pieces = in_order(vec![a, b]);
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(next(&mut pieces).await.1);
    }
    assert_eq!(told, ["one", "error: gone", "two"]);
    assert!(pieces.next().await.is_none());
}

#[tokio::test]
async fn the_parts_of_a_line_are_marked() {
    let on = |output, chunk: LogChunk| LogChunk { output, ..chunk };
    let log = vec![
        chunk(0, "begin "),
        on(Output::Stderr, chunk(1, "aside\n")),
        chunk(2, "middle "),
        chunk(3, "end\n"),
        chunk(4, "next\n"),
    ];
    let pieces: Vec<_> = in_order(sources(&[log])).collect().await;
    let continues: Vec<bool> = pieces.iter().map(|piece| piece.continues).collect();
    assert_eq!(continues, [false, false, true, true, false]);
}

#[tokio::test]
async fn archived_logs_merge_like_live_ones() {
    let (_directory, path) = sandbox();
    let logs = vec![
        (key("a", 0), vec![chunk(1, "1"), chunk(4, "4")]),
        (key("b", 0), vec![chunk(2, "2"), chunk(3, "3")]),
    ];
    write(&path, &logs).unwrap();
    let archive = Archive::open(&path).unwrap();
    let sources = logs
        .iter()
        .map(|(key, _)| {
            let log = archive.stream(&key.component, key.index, LogRange::default());
            (key.clone(), log.unwrap())
        })
        .collect();
    let merged: Vec<LogChunk> = in_order(sources)
        .map(|piece| piece.chunk.unwrap())
        .collect()
        .await;
    let expected = ["1", "2", "3", "4"];
    let texts: Vec<&[u8]> = merged.iter().map(|chunk| &chunk.bytes[..]).collect();
    assert_eq!(texts, expected.map(str::as_bytes));
}
