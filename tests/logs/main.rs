//! Log archives and merging: every byte comes back, nothing complete is overwritten, nobody silent holds up the others.

// What clippy allows in tests it does not see as such in their helpers.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout
)]

mod archive;
mod big;
mod merge;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use proptest::prelude::*;
use zoe::engine::{LogChunk, LogRange, Output};
use zoe::logs::{Archive, ArchiveError, ArchiveWriter, Stored, archive_path};
use zoe::model::{ExecutionId, InstanceKey};

fn execution() -> ExecutionId {
    "abcdefg2".parse().unwrap()
}

fn key(component: &str, index: u32) -> InstanceKey {
    InstanceKey {
        execution: execution(),
        component: component.parse().unwrap(),
        index,
    }
}

fn chunk(millisecond: i64, bytes: impl AsRef<[u8]>) -> LogChunk {
    LogChunk {
        at: Timestamp::from_millisecond(1_790_000_000_000 + millisecond).unwrap(),
        output: Output::Stdout,
        bytes: bytes.as_ref().to_vec().into(),
    }
}

fn write(path: &Path, logs: &[(InstanceKey, Vec<LogChunk>)]) -> Result<Stored, ArchiveError> {
    let mut writer = ArchiveWriter::create(path, execution())?;
    for (key, chunks) in logs {
        writer.begin_instance(key)?;
        for chunk in chunks {
            writer.chunk(chunk)?;
        }
    }
    writer.finish()
}

fn read(archive: &Archive, key: &InstanceKey, range: LogRange) -> Vec<LogChunk> {
    archive
        .chunks(&key.component, key.index, range)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn sandbox() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = archive_path(
        directory.path(),
        &"team".parse().unwrap(),
        execution(),
        "2026-11-30T23:59:59.999Z".parse().unwrap(),
    );
    (directory, path)
}

/// A log as a container may write it: times that mostly go forward, any bytes.
fn log() -> impl Strategy<Value = Vec<LogChunk>> {
    let bytes = prop_oneof![
        4 => "[a-z]{0,12}\n".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..64),
        1 => Just(vec![b'x'; 20_000]),
    ];
    let one = (0..50_i64, any::<bool>(), bytes);
    proptest::collection::vec(one, 0..30).prop_map(|chunks| {
        let mut now = 0;
        chunks
            .into_iter()
            .map(|(step, error, bytes)| {
                now += step - 5;
                let output = if error {
                    Output::Stderr
                } else {
                    Output::Stdout
                };
                LogChunk {
                    output,
                    ..chunk(now, bytes)
                }
            })
            .collect()
    })
}
