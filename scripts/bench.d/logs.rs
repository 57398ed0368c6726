//! One archive of one large log: `write FILE MIB`, `read FILE`, or `raw FILE MIB` for the bare text, for `scripts/bench`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use zoe::engine::{LogChunk, LogRange, Output};
use zoe::logs::{Archive, ArchiveWriter};
use zoe::model::{ExecutionId, InstanceKey};

/// As large as Docker makes pieces.
const PIECE: usize = 16 << 10;

fn text(n: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PIECE);
    while bytes.len() < PIECE - 64 {
        let line = format!(
            "{n} INFO Executor: Finished task {} in stage 3\n",
            bytes.len()
        );
        bytes.extend_from_slice(line.as_bytes());
    }
    bytes
}

fn key() -> InstanceKey {
    InstanceKey {
        execution: ExecutionId::from_bits(7),
        component: "driver".parse().unwrap(),
        index: 0,
    }
}

fn write(path: &Path, pieces: usize) {
    let key = key();
    let mut writer = ArchiveWriter::create(path, key.execution).unwrap();
    writer.begin_instance(&key).unwrap();
    for n in 0..pieces {
        let chunk = LogChunk {
            at: Timestamp::from_millisecond(1_700_000_000_000 + i64::try_from(n).unwrap()).unwrap(),
            output: Output::Stdout,
            bytes: text(n).into(),
        };
        writer.chunk(&chunk).unwrap();
    }
    writer.finish().unwrap();
}

fn read(path: &Path) {
    let (key, archive) = (key(), Archive::open(path).unwrap());
    let chunks = archive.chunks(&key.component, key.index, LogRange::default());
    let mut out = std::io::sink();
    for chunk in chunks.unwrap() {
        out.write_all(&chunk.unwrap().bytes).unwrap();
    }
}

fn raw(path: &Path, pieces: usize) {
    let mut out = std::fs::File::create(path).unwrap();
    for n in 0..pieces {
        out.write_all(&text(n)).unwrap();
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let path = Path::new(&words[2]);
    let pieces = words
        .get(3)
        .map_or(0, |mib| mib.parse::<usize>().unwrap() << 20)
        / PIECE;
    match words[1].as_str() {
        "write" => write(path, pieces),
        "raw" => raw(path, pieces),
        _ => read(path),
    }
}
