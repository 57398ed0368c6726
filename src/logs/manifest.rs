//! What an archive says of itself: `manifest.json`, schema 1.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::LogChunk;
use crate::model::danger::told;
use crate::model::{ComponentName, ExecutionId, InstanceKey};

/// The schema this program writes, and the newest it reads.
const SCHEMA: u32 = 1;

/// The manifest's name in the archive.
pub const NAME: &str = "manifest.json";

/// What is in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Whose logs these are.
    pub execution: ExecutionId,
    /// The instances, in the order they were written.
    pub instances: Vec<InstanceLog>,
}

/// What there is of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceLog {
    /// The component.
    pub component: ComponentName,
    /// Which member.
    pub index: u32,
    /// How many chunks it wrote.
    pub chunks: u64,
    /// How many lines, the last counted without a newline too.
    pub lines: u64,
    /// How many bytes.
    pub bytes: u64,
    /// The time of the first chunk.
    pub first: Option<Timestamp>,
    /// The time of the last chunk.
    pub last: Option<Timestamp>,
    /// Why the log could not be read (to its end), if so.
    pub failed: Option<String>,
    /// Whether the last chunk had a newline.
    ended_line: bool,
}

impl InstanceLog {
    /// An instance of which nothing is known yet.
    pub fn of(key: &InstanceKey) -> Self {
        Self {
            component: key.component.clone(),
            index: key.index,
            chunks: 0,
            lines: 0,
            bytes: 0,
            first: None,
            last: None,
            failed: None,
            ended_line: true,
        }
    }

    /// Counts a chunk.
    pub fn count(&mut self, chunk: &LogChunk) {
        let newlines = chunk.bytes.split(|byte| *byte == b'\n').count() as u64 - 1;
        let begins = u64::from(self.ended_line && !chunk.bytes.is_empty());
        // A line is counted when it begins: each newline but a last one begins another.
        let ends = u64::from(chunk.bytes.ends_with(b"\n"));
        self.lines += begins + newlines - ends;
        if !chunk.bytes.is_empty() {
            self.ended_line = ends == 1;
        }
        self.chunks += 1;
        self.bytes += chunk.bytes.len() as u64;
        self.first = self.first.or(Some(chunk.at));
        self.last = Some(chunk.at);
    }

    /// The name of its file in the archive.
    pub fn file(&self) -> String {
        format!("{}-{}.log", self.component, self.index)
    }

    /// The key of the instance.
    pub fn key(&self, execution: ExecutionId) -> InstanceKey {
        InstanceKey {
            execution,
            component: self.component.clone(),
            index: self.index,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct ManifestJson {
    schema: u32,
    execution: String,
    instances: Vec<InstanceJson>,
}

#[derive(Serialize, Deserialize)]
struct InstanceJson {
    component: String,
    index: u32,
    file: String,
    chunks: u64,
    lines: u64,
    bytes: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    failed: Option<String>,
}

/// Writes a manifest.
pub fn to_json(manifest: &Manifest) -> serde_json::Result<Vec<u8>> {
    let instance = |log: &InstanceLog| InstanceJson {
        component: log.component.to_string(),
        index: log.index,
        file: log.file(),
        chunks: log.chunks,
        lines: log.lines,
        bytes: log.bytes,
        first: log.first,
        last: log.last,
        failed: log.failed.clone(),
    };
    serde_json::to_vec_pretty(&ManifestJson {
        schema: SCHEMA,
        execution: manifest.execution.to_string(),
        instances: manifest.instances.iter().map(instance).collect(),
    })
}

/// Reads a manifest, or says what is wrong with it.
pub fn from_json(json: &[u8]) -> Result<Manifest, String> {
    let wrong = |what: &dyn fmt::Display| format!("{NAME}: {}", told(&what));
    let read: ManifestJson = serde_json::from_slice(json).map_err(|error| wrong(&error))?;
    if read.schema > SCHEMA {
        return Err(format!(
            "a newer zoe wrote it (schema {}, this one knows {SCHEMA})",
            read.schema
        ));
    }
    let instance = |log: InstanceJson| {
        Ok(InstanceLog {
            component: log.component.parse().map_err(|error| wrong(&error))?,
            index: log.index,
            chunks: log.chunks,
            lines: log.lines,
            bytes: log.bytes,
            first: log.first,
            last: log.last,
            failed: log.failed,
            ended_line: true,
        })
    };
    Ok(Manifest {
        execution: read.execution.parse().map_err(|error| wrong(&error))?,
        instances: read
            .instances
            .into_iter()
            .map(instance)
            .collect::<Result<_, String>>()?,
    })
}
