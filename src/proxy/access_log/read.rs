//! Reading a log on from where it was left, rotations in between included.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use memchr::{memchr, memrchr};
use thiserror::Error;

use super::{Reader, Seen};

/// How much is read at once.
const CHUNK: usize = 1 << 20;
/// How much before the place where reading stopped must be the same for it to be the same log.
const TAIL: u64 = 64;

/// How far a log has been read. As text it can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    inode: u64,
    offset: u64,
    /// A sum over the last bytes before it.
    tail: u64,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{:x}", self.inode, self.offset, self.tail)
    }
}

/// A text is no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it does not say how far a log has been read")]
pub struct MarkError;

impl FromStr for Mark {
    type Err = MarkError;

    fn from_str(text: &str) -> Result<Self, MarkError> {
        let mut parts = text.split(':');
        let mut part = || parts.next().ok_or(MarkError);
        let number = |text: &str| text.parse().map_err(|_| MarkError);
        let mark = Self {
            inode: number(part()?)?,
            offset: number(part()?)?,
            tail: u64::from_str_radix(part()?, 16).map_err(|_| MarkError)?,
        };
        parts.next().map_or(Ok(mark), |_| Err(MarkError))
    }
}

/// Reads what has come since `mark`, or all there is, and says how far that was. A line that is not whole yet is left for the
/// next time.
pub fn read_on(path: &Path, prefix: &str, mark: Option<Mark>) -> io::Result<(Seen, Mark)> {
    let mut reader = Reader::new(prefix);
    let file = File::open(path)?;
    let mut from = 0;
    if let Some(mark) = mark {
        if mark.inode == file.metadata()?.ino() {
            if is_reached(&file, mark)? {
                from = mark.offset;
            } else {
                // It was emptied, and what it had after the mark is gone.
                reader.miss();
            }
        } else {
            read_rotated(path, mark, &mut reader)?;
        }
    }
    let mark = read(&file, from, &mut reader)?;
    Ok((reader.finish(), mark))
}

/// Reads what is left of the file with the mark, and those that came between it and the one that has the name now.
fn read_rotated(path: &Path, mark: Mark, reader: &mut Reader) -> io::Result<()> {
    let mut found = false;
    for older in rotated(path)? {
        // It may be gone, or be compressed, by now.
        let Ok(file) = File::open(&older) else {
            reader.miss();
            continue;
        };
        if found {
            read(&file, 0, reader)?;
        } else if file.metadata()?.ino() == mark.inode && is_reached(&file, mark)? {
            found = true;
            read(&file, mark.offset, reader)?;
        }
    }
    if !found {
        reader.miss();
    }
    Ok(())
}

/// The files beside a log that have its name with something behind it, the oldest first; but not those that are compressed.
fn rotated(path: &Path) -> io::Result<Vec<PathBuf>> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut files = Vec::new();
    for entry in directory.read_dir()? {
        let entry = entry?;
        let other = entry.file_name();
        let other = other.to_string_lossy();
        let behind = other.strip_prefix(&*name).unwrap_or_default();
        let compressed = [".gz", ".bz2", ".xz", ".zst"];
        if behind.starts_with(['.', '-']) && !compressed.iter().any(|end| behind.ends_with(end)) {
            let data = entry.metadata()?;
            if data.is_file() {
                files.push(((data.mtime(), data.mtime_nsec()), entry.path()));
            }
        }
    }
    // Of the same moment, the one with the higher number is the older one.
    files.sort_by(|(at, path), (other_at, other)| at.cmp(other_at).then(other.cmp(path)));
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// Whether a file has what was before the mark.
fn is_reached(mut file: &File, mark: Mark) -> io::Result<bool> {
    Ok(file.metadata()?.len() >= mark.offset && tail(&mut file, mark.offset)? == mark.tail)
}

/// A sum over the last bytes before a place (FNV-1a).
fn tail(file: &mut &File, offset: u64) -> io::Result<u64> {
    let length = offset.min(TAIL);
    file.seek(SeekFrom::Start(offset - length))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    let start = 0xcbf2_9ce4_8422_2325_u64;
    Ok(bytes.into_iter().fold(start, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }))
}

/// Reads whole lines from a place on, and says how far that was.
fn read(file: &File, from: u64, reader: &mut Reader) -> io::Result<Mark> {
    let inode = file.metadata()?.ino();
    let mut source = file;
    // Where it stopped within a line, that line was too long to be looked at, and its end says nothing either.
    let mut before = [b'\n'];
    if from > 0 {
        source.seek(SeekFrom::Start(from - 1))?;
        source.read_exact(&mut before)?;
    } else {
        source.rewind()?;
    }
    let offset = from + scan(&mut source, CHUNK, before != [b'\n'], reader)?;
    Ok(Mark {
        inode,
        offset,
        tail: tail(&mut source, offset)?,
    })
}

/// Reads whole lines, so much at once, and says how many bytes they had; no line that is longer is looked at. `within`: whether
/// the source begins within such a line.
pub fn scan(
    source: &mut impl Read,
    chunk: usize,
    mut within: bool,
    reader: &mut Reader,
) -> io::Result<u64> {
    let mut buffer = vec![0; chunk];
    let mut filled = 0;
    let mut taken = 0_u64;
    loop {
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let read = match source.read(room) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read == 0 {
            return Ok(taken);
        }
        filled += read;
        let have = buffer.get(..filled).unwrap_or_default();
        let Some(end) = memrchr(b'\n', have) else {
            // What there is of a long line is passed over.
            if filled == buffer.len() {
                taken += filled as u64;
                filled = 0;
                within = true;
            }
            continue;
        };
        let whole = end.saturating_add(1);
        let mut lines = have.get(..whole).unwrap_or_default();
        if std::mem::take(&mut within) {
            let rest = memchr(b'\n', lines).map(|end| end.saturating_add(1));
            lines = lines.get(rest.unwrap_or_default()..).unwrap_or_default();
        }
        reader.lines(lines);
        taken += whole as u64;
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
}
