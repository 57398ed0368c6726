//! However large a log is, it passes through: neither who writes the archive nor who reads it holds more than a piece.
//!
//! `ZOE_TEST_LOG_MIB` says how large: 2048 for 2 GiB, best with `--release`.

use std::time::Instant;

use futures_util::StreamExt;
use zoe::engine::{LogChunk, LogRange};
use zoe::logs::{Archive, ArchiveWriter, Piece, in_order};

use crate::{chunk, execution, key, sandbox};

/// What a piece of Docker's is at the most.
const PIECE: usize = 16 << 10;
/// By how much the process may grow.
const MOST: u64 = 8 << 20;

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().split_whitespace().next().unwrap();
    kib.parse::<u64>().unwrap() << 10
}

/// The n-th piece of a member's log: lines that differ, and a length that no line ends at.
fn piece(member: u32, n: u64) -> LogChunk {
    let mut bytes = Vec::with_capacity(PIECE);
    while bytes.len() < PIECE - 64 {
        let line = format!(
            "{n} {member} INFO Executor: Finished task {} in stage 3\n",
            bytes.len()
        );
        bytes.extend_from_slice(line.as_bytes());
    }
    let millisecond = i64::try_from(n * 2).unwrap() + i64::from(member);
    chunk(millisecond, bytes)
}

#[tokio::test]
async fn memory_stays_flat_for_a_large_log() {
    let mib: u64 = std::env::var("ZOE_TEST_LOG_MIB").map_or(16, |text| text.parse().unwrap());
    let pieces = (mib << 20) / (2 * PIECE as u64);
    let (_directory, path) = sandbox();
    let (before, begun) = (peak(), Instant::now());
    let mut writer = ArchiveWriter::create(&path, execution()).unwrap();
    for member in 0..2 {
        writer.begin_instance(&key("worker", member)).unwrap();
        for n in 0..pieces {
            writer.chunk(&piece(member, n)).unwrap();
        }
    }
    writer.finish().unwrap();
    let written = begun.elapsed();
    let begun = Instant::now();
    let archive = Archive::open(&path).unwrap();
    let source = |member, range| {
        let key = key("worker", member);
        let log = archive.stream(&key.component, key.index, range).unwrap();
        (key, log)
    };
    // Both at once, in the order of time.
    let all = [0, 1].map(|member| source(member, LogRange::default()));
    let mut merged = in_order(all.into());
    let mut read = 0;
    while let Some(Piece { chunk, .. }) = merged.next().await {
        let member = u32::try_from(read % 2).unwrap();
        assert_eq!(chunk.unwrap(), piece(member, read / 2));
        read += 1;
    }
    assert_eq!(read, 2 * pieces);
    println!(
        "{mib} MiB: written in {written:?}, read in {:?}",
        begun.elapsed()
    );
    // The end of it, and what is young.
    for range in [
        LogRange {
            tail: Some(3),
            ..LogRange::default()
        },
        LogRange {
            since: Some(piece(1, pieces - 3).at),
            ..LogRange::default()
        },
    ] {
        let (_, log) = source(1, range);
        let last: Vec<u64> = log
            .map(|chunk| chunk.unwrap().bytes.len() as u64)
            .collect()
            .await;
        assert_eq!(last.len(), 3);
    }
    let grown = peak() - before;
    println!("grown by {} KiB", grown >> 10);
    assert!(grown < MOST, "it grew by {grown} bytes for {mib} MiB");
}
