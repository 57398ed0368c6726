//! Log lines: merging, following, and the archive that outlives containers.
//!
//! A log is a sequence of [`LogChunk`](crate::engine::LogChunk)s, live or archived, and both are read in the same way: the archive gives back exactly
//! the chunks that were put in. How a line is shown (prefix, time, colour) is the output's business.

pub mod archive;
pub mod lines;
pub mod manifest;
pub mod merge;
pub mod retention;
mod shared;
pub mod writer;

use std::path::PathBuf;

use thiserror::Error;

pub use archive::{Archive, Chunks, archive_path, find_archive};
pub use manifest::{InstanceLog, Manifest};
pub use merge::{PATIENCE, Piece, Source, as_they_come, in_order};
pub use writer::{ArchiveWriter, Stored};

/// Why an archive cannot be written or read.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// It cannot be written.
    #[error("cannot write the log archive {}: {why}", path.display())]
    Write {
        /// The archive.
        path: PathBuf,
        /// What came instead.
        why: String,
    },
    /// It may not be written there.
    #[error("cannot write the log archive {}: permission denied", path.display())]
    Denied {
        /// The archive.
        path: PathBuf,
    },
    /// It is not there.
    #[error("there is no log archive {}", path.display())]
    Missing {
        /// The archive.
        path: PathBuf,
    },
    /// It cannot be read, or what is in it makes no sense.
    #[error("cannot read the log archive {}: {why}", path.display())]
    Read {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It has no log of that instance.
    #[error("the log archive {} has nothing of {component}-{index}", path.display())]
    NoInstance {
        /// The archive.
        path: PathBuf,
        /// The component.
        component: String,
        /// Which member.
        index: u32,
    },
}
