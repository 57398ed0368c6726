//! Reading a log on from where it was left, rotations in between included.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
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

/// How much is read in one go, so that what was read is noted before that took too long: a disk that gives 40 MB a second is
/// through in time.
const MOST: u64 = 2 << 30;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    inode: u64,
    offset: u64,
    /// A sum over the last bytes before it.
    tail: u64,
}

/// How far a log has been read. As text it can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    place: Place,
    /// How far the file was that had the name before: a web server goes on writing to it until it is told of the rotation.
    before: Option<Place>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{:x}", self.inode, self.offset, self.tail)
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.place)?;
        self.before.map_or(Ok(()), |before| write!(f, "/{before}"))
    }
}

/// A text is no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it does not say how far a log has been read")]
pub struct MarkError;

impl FromStr for Place {
    type Err = MarkError;

    fn from_str(text: &str) -> Result<Self, MarkError> {
        let mut parts = text.split(':');
        let mut part = || parts.next().ok_or(MarkError);
        let number = |text: &str| text.parse().map_err(|_| MarkError);
        let place = Self {
            inode: number(part()?)?,
            offset: number(part()?)?,
            tail: u64::from_str_radix(part()?, 16).map_err(|_| MarkError)?,
        };
        parts.next().map_or(Ok(place), |_| Err(MarkError))
    }
}

impl FromStr for Mark {
    type Err = MarkError;

    fn from_str(text: &str) -> Result<Self, MarkError> {
        let (place, before) = match text.split_once('/') {
            Some((place, before)) => (place, Some(before.parse()?)),
            None => (text, None),
        };
        Ok(Self {
            place: place.parse()?,
            before,
        })
    }
}

/// Reads what has come since `mark`, or all there is, and says how far that was. A line that is not whole yet is left for the
/// next time, and so is what is more than can be read in one go.
pub fn read_on(path: &Path, prefix: &str, mark: Option<Mark>) -> io::Result<(Seen, Mark)> {
    read_some(path, prefix, mark, MOST)
}

/// The same, with at most so many bytes.
pub(super) fn read_some(
    path: &Path,
    prefix: &str,
    mark: Option<Mark>,
    most: u64,
) -> io::Result<(Seen, Mark)> {
    let mut reading = Reading {
        reader: Reader::new(prefix),
        left: most,
    };
    let file = open(path)?;
    let mark = match mark {
        None => Mark {
            place: reading.read(&file, 0)?,
            before: None,
        },
        Some(mark) if mark.place.inode == file.metadata()?.ino() => {
            let before = match mark.before {
                Some(before) => reading.read_before(path, before)?,
                None => None,
            };
            let mut from = 0;
            if is_reached(&file, mark.place)? {
                from = mark.place.offset;
            } else {
                // It was emptied, and what it had after the mark is gone.
                reading.reader.miss();
            }
            Mark {
                place: reading.read(&file, from)?,
                before,
            }
        }
        Some(mark) => reading.read_rotated(path, mark.place, file)?,
    };
    let behind = reading.left == 0;
    let seen = Seen {
        behind,
        ..reading.reader.finish()
    };
    Ok((seen, mark))
}

/// Opens a log. What is no file, such as a pipe, may have no end.
fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(ErrorKind::InvalidInput, "it is no file"))
    }
}

/// A log that is being read.
struct Reading {
    reader: Reader,
    /// How many bytes may still be read.
    left: u64,
}

impl Reading {
    /// Reads what is left of the file with the mark, those that came between it and the one that has the name now, and that one.
    fn read_rotated(&mut self, path: &Path, mark: Place, newest: File) -> io::Result<Mark> {
        let mut files = Vec::new();
        for older in rotated(path)? {
            // It may be gone, or be compressed, by now.
            let Ok(file) = open(&older) else {
                self.reader.miss();
                continue;
            };
            if !files.is_empty() {
                files.push((file, 0));
            } else if file.metadata()?.ino() == mark.inode && is_reached(&file, mark)? {
                files.push((file, mark.offset));
            }
        }
        if files.is_empty() {
            self.reader.miss();
        }
        files.push((newest, 0));
        let mut before = None;
        let mut place = mark;
        for (n, (file, from)) in files.into_iter().enumerate() {
            if n > 0 {
                if self.left == 0 {
                    break;
                }
                before = Some(place);
            }
            place = self.read(&file, from)?;
        }
        Ok(Mark { place, before })
    }

    /// Reads on in the file that had the name before, as long as it is there.
    fn read_before(&mut self, path: &Path, before: Place) -> io::Result<Option<Place>> {
        for older in rotated(path)? {
            let Ok(file) = open(&older) else {
                continue;
            };
            if file.metadata()?.ino() == before.inode && is_reached(&file, before)? {
                return self.read(&file, before.offset).map(Some);
            }
        }
        Ok(None)
    }

    /// Reads whole lines from a place on, and says how far that was.
    fn read(&mut self, file: &File, from: u64) -> io::Result<Place> {
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
        let mut some = source.take(self.left);
        let within = before != [b'\n'];
        let offset = from + scan(&mut some, CHUNK, within, &mut self.reader)?;
        self.left = some.limit();
        Ok(Place {
            inode,
            offset,
            tail: tail(&mut source, offset)?,
        })
    }
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
fn is_reached(mut file: &File, mark: Place) -> io::Result<bool> {
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
