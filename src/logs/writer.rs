//! Writing an archive: instance after instance, chunk after chunk, in constant memory.
//!
//! What is under the archive's name is always complete: it is written beside it, brought to the disk and only then given the
//! name, and never over one that is there.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempPath;
use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;

use super::archive::Archive;
use super::manifest::{self, InstanceLog, Manifest};
use super::{ArchiveError, lines, shared};
use crate::engine::LogChunk;
use crate::model::{ExecutionId, InstanceKey};

/// What became of a finished archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is there under its name.
    Written,
    /// A complete one was there already and stays; this one is dropped.
    AlreadyThere,
}

/// An archive that is being written. Dropped unfinished, it leaves nothing.
pub struct ArchiveWriter {
    path: PathBuf,
    zip: ZipWriter<Sink>,
    part: TempPath,
    manifest: Manifest,
    /// Rows of one chunk, kept to be used again.
    rows: Vec<u8>,
}

impl ArchiveWriter {
    /// Begins an archive that will be `path`; its directory is made where it is missing. Where the group of the directory above
    /// may write, it may write in what is made there, and read the archive.
    pub fn create(path: &Path, execution: ExecutionId) -> Result<Self, ArchiveError> {
        let failed = |error: io::Error| denied(path, &error);
        let directory = directory_of(path);
        shared::make(directory).map_err(failed)?;
        let prefix = part_prefix(path);
        sweep(directory, &prefix);
        let (file, part) = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(PART)
            .permissions(Permissions::from_mode(0o640))
            .tempfile_in(directory)
            .map_err(failed)?
            .into_parts();
        shared::let_read(&file, directory).map_err(failed)?;
        // Tells other processes that somebody is at work on it; where the file system has no locks, its age must do.
        let _ = file.try_lock();
        Ok(Self {
            path: path.to_owned(),
            zip: ZipWriter::new(Sink {
                file,
                broken: false,
            }),
            part,
            manifest: Manifest {
                execution,
                instances: Vec::new(),
            },
            rows: Vec::new(),
        })
    }

    /// Begins the log of an instance; all chunks from now on are its.
    pub fn begin_instance(&mut self, key: &InstanceKey) -> Result<(), ArchiveError> {
        if key.execution != self.manifest.execution {
            return Err(self.failed(&format!("{} is another execution", key.execution)));
        }
        let log = InstanceLog::of(key);
        // A second log of the same instance has the same file name, which the archive refuses.
        self.zip
            .start_file(log.file(), options())
            .map_err(|error| self.failed(&underneath(error)))?;
        self.manifest.instances.push(log);
        Ok(())
    }

    /// Adds a chunk to the log of the instance begun last.
    pub fn chunk(&mut self, chunk: &LogChunk) -> Result<(), ArchiveError> {
        let Some(log) = self.manifest.instances.last_mut() else {
            return Err(self.failed(&"there is a chunk before any instance"));
        };
        log.count(chunk);
        self.rows.clear();
        lines::write(&mut self.rows, chunk)
            .and_then(|()| self.zip.write_all(&self.rows))
            .map_err(|error| self.failed(&error))
    }

    /// Notes that the log of the instance begun last could not be read (further), and why.
    pub fn instance_failed(&mut self, reason: impl Into<String>) {
        if let Some(log) = self.manifest.instances.last_mut() {
            log.failed = Some(reason.into());
        }
    }

    /// Completes the archive and gives it its name, unless a complete one has it.
    pub fn finish(mut self) -> Result<Stored, ArchiveError> {
        let json = manifest::to_json(&self.manifest).map_err(|error| self.failed(&error))?;
        self.zip
            .start_file(manifest::NAME, options())
            .map_err(|error| self.failed(&underneath(error)))?;
        self.zip
            .write_all(&json)
            .map_err(|error| self.failed(&error))?;
        let path = self.path;
        let sink = self.zip.finish();
        let sink = sink.map_err(|error| refuse(&path, &underneath(error)))?;
        if sink.broken {
            return Err(refuse(&path, &"an earlier write has failed"));
        }
        sink.file
            .sync_all()
            .map_err(|error| refuse(&path, &error))?;
        publish(self.part, &path)
    }

    fn failed(&self, why: &dyn std::fmt::Display) -> ArchiveError {
        refuse(&self.path, why)
    }
}

/// What came of something for which a place has to be had.
fn denied(path: &Path, error: &io::Error) -> ArchiveError {
    if error.kind() == ErrorKind::PermissionDenied {
        return ArchiveError::Denied {
            path: path.to_owned(),
        };
    }
    refuse(path, error)
}

/// The error of a write, which the archive's own would only mention.
fn underneath(error: ZipError) -> io::Error {
    if let ZipError::Io(error) = error {
        error
    } else {
        io::Error::other(error)
    }
}

fn refuse(path: &Path, why: &dyn std::fmt::Display) -> ArchiveError {
    ArchiveError::Write {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

/// Logs may be larger than 4 GiB, and how large is not known when they begin.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .unix_permissions(0o640)
        .large_file(true)
}

const PART: &str = ".part";

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn part_prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!(".{}.", name.to_string_lossy())
}

fn publish(mut part: TempPath, path: &Path) -> Result<Stored, ArchiveError> {
    const ATTEMPTS: u32 = 2;
    for _ in 0..ATTEMPTS {
        match part.persist_noclobber(path) {
            Ok(()) => {
                // The name, too, must outlive a power cut: what comes next is the removal of the containers.
                let directory = File::open(directory_of(path)).and_then(|d| d.sync_all());
                return directory
                    .map(|()| Stored::Written)
                    .map_err(|error| refuse(path, &error));
            }
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                if Archive::open(path).is_ok() {
                    return Ok(Stored::AlreadyThere);
                }
                // Not an archive, or a damaged one: kept beside, for whoever wants to look at it.
                let aside = path.with_extension("zip.damaged");
                std::fs::rename(path, aside).map_err(|error| refuse(path, &error))?;
                part = error.path;
            }
            Err(error) => return Err(denied(path, &error.error)),
        }
    }
    Err(refuse(path, &"something else takes its name all the time"))
}

/// Removes what killed processes left of earlier attempts at the same archive. Failing to is no harm.
fn sweep(directory: &Path, prefix: &str) {
    const YOUNG: Duration = Duration::from_mins(1);
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let left = name.starts_with(prefix)
            && name.ends_with(PART)
            && entry
                .metadata()
                .and_then(|found| found.modified())
                .is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= YOUNG))
            && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
        if left {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The file underneath. After a failure it takes everything in silence: the failure was told, the file will be dropped, and
/// the zip writer, which tries to complete itself when dropped, has nothing to complain of.
struct Sink {
    file: File,
    broken: bool,
}

impl Sink {
    fn noting<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        let interrupted = |error: &io::Error| error.kind() == ErrorKind::Interrupted;
        if result.as_ref().is_err_and(|error| !interrupted(error)) {
            self.broken = true;
        }
        result
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.broken {
            return Ok(bytes.len());
        }
        let written = self.file.write(bytes);
        self.noting(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Sink {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let sought = self.file.seek(to);
        self.noting(sought)
    }
}
