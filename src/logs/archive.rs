//! Reading an archive: the same chunks that were put in, in constant memory, any number of instances at a time.
//!
//! An archive is `HISTORY/DEPLOYMENT/YYYY/MM/ID.zip` (the month of submission, UTC): any later invocation that knows an
//! execution finds it, and no directory grows without end. It is an ordinary zip file: `COMPONENT-INDEX.log` for each instance
//! (see [`lines`]) and `manifest.json` (see [`manifest`]).

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Crc;
use flate2::read::DeflateDecoder;
use futures_util::stream;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use walkdir::WalkDir;
use zip::{CompressionMethod, ZipArchive};

use super::manifest::{self, InstanceLog, Manifest};
use super::{ArchiveError, lines};
use crate::engine::{BoxStream, LogChunk, LogRange};
use crate::model::{ComponentName, Deployment, ExecutionId};

/// Where the archive of an execution is, or will be.
pub fn archive_path(
    history: &Path,
    deployment: &Deployment,
    execution: ExecutionId,
    submitted_at: Timestamp,
) -> PathBuf {
    let day = submitted_at.to_zoned(TimeZone::UTC);
    history
        .join(deployment.as_str())
        .join(format!("{:04}", day.year()))
        .join(format!("{:02}", day.month()))
        .join(format!("{execution}.zip"))
}

/// The archive of an execution of which is not known when it was submitted, if there is one.
pub fn find_archive(
    history: &Path,
    deployment: &Deployment,
    execution: ExecutionId,
) -> Option<PathBuf> {
    let name = format!("{execution}.zip");
    let months = WalkDir::new(history.join(deployment.as_str()))
        .min_depth(3)
        .max_depth(3);
    let mut files = months.into_iter().filter_map(Result::ok);
    let found = files.find(|file| file.file_name().to_str() == Some(&name))?;
    Some(found.into_path())
}

/// A complete archive.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    file: Arc<File>,
    manifest: Manifest,
    /// Where the compressed logs are, in the manifest's order.
    entries: Vec<Entry>,
}

/// Where a file's compressed content is in the archive.
#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u64,
    size: u64,
    crc: u32,
}

impl Archive {
    /// Opens an archive and reads its manifest.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let file = File::open(path).map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                ArchiveError::Missing {
                    path: path.to_owned(),
                }
            } else {
                unreadable(path, &error)
            }
        })?;
        let (manifest, entries) = read_directory(&file).map_err(|why| unreadable(path, &why))?;
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(file),
            manifest,
            entries,
        })
    }

    /// What is in it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The log of an instance, or the part of it that `range` asks for, as a running container would give it. There is
    /// nothing to follow.
    pub fn chunks(
        &self,
        component: &ComponentName,
        index: u32,
        range: LogRange,
    ) -> Result<Chunks, ArchiveError> {
        let wanted = |log: &InstanceLog| log.component == *component && log.index == index;
        let mut found = self.manifest.instances.iter().zip(&self.entries);
        let (log, entry) =
            found
                .find(|(log, _)| wanted(log))
                .ok_or_else(|| ArchiveError::NoInstance {
                    path: self.path.clone(),
                    component: component.to_string(),
                    index,
                })?;
        Ok(Chunks {
            path: self.path.clone(),
            input: Some(BufReader::new(Content::new(Arc::clone(&self.file), *entry))),
            skip: range.tail.map_or(0, |tail| log.chunks.saturating_sub(tail)),
            since: range.since,
        })
    }

    /// The same as a stream. It never waits: it reads from the disk when it is asked.
    pub fn stream(
        &self,
        component: &ComponentName,
        index: u32,
        range: LogRange,
    ) -> Result<BoxStream<'static, Result<LogChunk, ArchiveError>>, ArchiveError> {
        let chunks = self.chunks(component, index, range)?;
        Ok(Box::pin(stream::iter(chunks)))
    }
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> ArchiveError {
    ArchiveError::Read {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

fn read_directory(file: &File) -> Result<(Manifest, Vec<Entry>), String> {
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    zip.by_name(manifest::NAME)
        .map_err(|error| format!("{}: {error}", manifest::NAME))?
        .read_to_end(&mut json)
        .map_err(|error| format!("{}: {error}", manifest::NAME))?;
    let manifest = manifest::from_json(&json)?;
    let entries = manifest
        .instances
        .iter()
        .map(|log| {
            let entry = zip
                .by_name(&log.file())
                .map_err(|error| format!("{}: {error}", log.file()))?;
            if entry.compression() != CompressionMethod::Deflated {
                return Err(format!("{}: packed as {}", log.file(), entry.compression()));
            }
            Ok(Entry {
                start: entry.data_start(),
                size: entry.compressed_size(),
                crc: entry.crc32(),
            })
        })
        .collect::<Result<_, String>>()?;
    Ok((manifest, entries))
}

/// The chunks of one instance, read one by one. After an error there is nothing more.
pub struct Chunks {
    path: PathBuf,
    input: Option<BufReader<Content>>,
    skip: u64,
    since: Option<Timestamp>,
}

impl Chunks {
    /// The last so many first, then those from a time on, as Docker does it.
    fn read(
        input: &mut impl BufRead,
        skip: &mut u64,
        since: Option<Timestamp>,
    ) -> io::Result<Option<LogChunk>> {
        loop {
            let Some(chunk) = lines::read(input)? else {
                return Ok(None);
            };
            if *skip > 0 {
                *skip -= 1;
            } else if since.is_none_or(|since| chunk.at >= since) {
                return Ok(Some(chunk));
            }
        }
    }
}

impl Iterator for Chunks {
    type Item = Result<LogChunk, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        let input = self.input.as_mut()?;
        match Self::read(input, &mut self.skip, self.since) {
            Ok(Some(chunk)) => Some(Ok(chunk)),
            Ok(None) => {
                self.input = None;
                None
            }
            Err(error) => {
                self.input = None;
                Some(Err(unreadable(&self.path, &error)))
            }
        }
    }
}

/// The unpacked content of a file of the archive, its checksum verified at the end.
struct Content {
    packed: DeflateDecoder<BufReader<Range>>,
    expected: u32,
    crc: Crc,
}

impl Content {
    fn new(file: Arc<File>, entry: Entry) -> Self {
        let range = Range {
            file,
            at: entry.start,
            left: entry.size,
        };
        Self {
            packed: DeflateDecoder::new(BufReader::new(range)),
            expected: entry.crc,
            crc: Crc::new(),
        }
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.packed.read(buffer)?;
        self.crc.update(buffer.get(..count).unwrap_or_default());
        if count == 0 && !buffer.is_empty() && self.crc.sum() != self.expected {
            let why = "the checksum does not match: the archive is damaged";
            return Err(io::Error::new(ErrorKind::InvalidData, why));
        }
        Ok(count)
    }
}

/// A range of a file, read without moving anybody else's place in it.
struct Range {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Range {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = self
            .file
            .read_at(buffer.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
