//! Which archives are kept no longer: too old, or too many bytes together, the oldest first.
//!
//! All files of an execution (its archive, those of its earlier runs, what a killed writer has left) go together, and their age
//! is that of the newest. Nothing is followed that is a symbolic link, and nothing is touched whose name is not one that zoe
//! gives. Whether an execution still needs its files others know; this module asks.

use std::fs::{DirEntry, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::model::{Bytes, ExecutionId};

/// How long archives are kept, and how many bytes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Since the end of the execution; `None`: for ever.
    pub age: Option<SignedDuration>,
    /// Of all of the deployment together; `None`: any number.
    pub size: Option<Bytes>,
}

impl Keep {
    /// Whether anything is ever removed.
    pub const fn is_for_ever(self) -> bool {
        self.age.is_none() && self.size.is_none()
    }
}

/// What is kept of one execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub execution: ExecutionId,
    /// When the newest of its files was written.
    pub at: Timestamp,
    /// What they take, in bytes.
    pub bytes: u64,
    /// The files, and directories of zoe's own.
    files: Vec<PathBuf>,
}

/// Where all archives of a deployment are looked for: `HISTORY/DEPLOYMENT`. A directory that is not there has none.
pub fn scan(directory: &Path) -> io::Result<Vec<Kept>> {
    let mut all: Vec<Kept> = Vec::new();
    for year in directories(directory)? {
        for month in directories(&year)? {
            let mut of_month: Vec<(ExecutionId, PathBuf, Metadata)> = Vec::new();
            for entry in entries(&month)? {
                // What is gone meanwhile was removed by somebody else.
                if let (Some(id), Ok(found)) = (execution_of(&entry), entry.metadata()) {
                    of_month.push((id, entry.path(), found));
                }
            }
            of_month.sort_by(|(a, path_a, _), (b, path_b, _)| (a, path_a).cmp(&(b, path_b)));
            for (id, path, found) in of_month {
                let at = written_at(&found);
                let bytes = if found.is_dir() {
                    size_of(&path)
                } else {
                    found.len()
                };
                match all.last_mut() {
                    Some(last) if last.execution == id && last.is_in(&month) => {
                        last.at = last.at.max(at);
                        last.bytes += bytes;
                        last.files.push(path);
                    }
                    _ => all.push(Kept {
                        execution: id,
                        at,
                        bytes,
                        files: vec![path],
                    }),
                }
            }
        }
    }
    Ok(all)
}

/// Those that are not kept any longer, the oldest first, each with the reason; of those that `may` not go none is among them,
/// though they take their part of the room.
pub fn choose(
    mut all: Vec<Kept>,
    keep: Keep,
    now: Timestamp,
    may: impl Fn(&Kept) -> bool,
) -> Vec<(Kept, String)> {
    all.sort_by_key(|kept| (kept.at, kept.execution));
    let mut sum: u64 = all.iter().map(|kept| kept.bytes).sum();
    let mut chosen = Vec::new();
    for kept in all {
        let old = keep.age.filter(|age| now.duration_since(kept.at) >= *age);
        let much = keep.size.filter(|size| sum > size.get());
        let why = match (old, much) {
            (Some(age), _) => format!("they are older than {}", days(age)),
            (None, Some(size)) => format!("all logs together took more than {size}"),
            (None, None) => continue,
        };
        if may(&kept) {
            sum = sum.saturating_sub(kept.bytes);
            chosen.push((kept, why));
        }
    }
    chosen
}

fn days(age: SignedDuration) -> String {
    match age.as_hours() / 24 {
        0 => format!("{} s", age.as_secs()),
        1 => "a day".to_owned(),
        days => format!("{days} days"),
    }
}

/// Removes what is kept of an execution; what is gone already is no error, and what is left after one is found again.
pub fn remove(kept: &Kept) -> io::Result<()> {
    for file in &kept.files {
        let removed = match std::fs::symlink_metadata(file) {
            Ok(found) if found.is_dir() => std::fs::remove_dir_all(file),
            Ok(_) => std::fs::remove_file(file),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

impl Kept {
    fn is_in(&self, directory: &Path) -> bool {
        let file = self.files.first();
        file.is_some_and(|file| file.parent() == Some(directory))
    }
}

/// The directories in one that have a number for a name, as those of years and months have.
fn directories(path: &Path) -> io::Result<Vec<PathBuf>> {
    let is_number = |entry: &DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_directory = |entry: &DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let mut found: Vec<PathBuf> = entries(path)?
        .into_iter()
        .filter(|entry| is_number(entry) && is_directory(entry))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    Ok(found)
}

fn entries(path: &Path) -> io::Result<Vec<DirEntry>> {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whose an entry is: `ID.zip`, `ID.attempt-1.zip`, `.ID.zip.x.part` and the like are, links and what is called otherwise are not.
fn execution_of(entry: &DirEntry) -> Option<ExecutionId> {
    let kind = entry.file_type().ok()?;
    let name = entry.file_name();
    let name = name.to_str()?;
    let (id, rest) = name.strip_prefix('.').unwrap_or(name).split_once('.')?;
    let own = if kind.is_dir() {
        rest == "removed"
    } else {
        kind.is_file() && (rest.ends_with("zip") || rest.ends_with("part") || rest == "zip.damaged")
    };
    own.then(|| id.parse().ok()).flatten()
}

fn written_at(found: &Metadata) -> Timestamp {
    let at = found.modified().ok();
    // What has no time is not known to be old.
    at.and_then(|at| Timestamp::try_from(at).ok())
        .unwrap_or(Timestamp::MAX)
}

/// What the files of a directory take.
fn size_of(directory: &Path) -> u64 {
    let entries = entries(directory).unwrap_or_default().into_iter();
    let sizes = entries.filter_map(|entry| entry.metadata().ok());
    sizes.map(|found| found.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(n: u64, second: i64, bytes: u64) -> Kept {
        Kept {
            execution: ExecutionId::from_bits(n),
            at: Timestamp::from_second(second).unwrap(),
            bytes,
            files: Vec::new(),
        }
    }

    fn chosen(all: &[Kept], keep: Keep, may: impl Fn(&Kept) -> bool) -> Vec<u64> {
        let now = Timestamp::from_second(1000).unwrap();
        let chosen = choose(all.to_vec(), keep, now, may);
        chosen.iter().map(|(kept, _)| kept.bytes).collect()
    }

    #[test]
    fn the_oldest_go_first_and_what_may_not_go_takes_its_room() {
        let all = [kept(1, 900, 40), kept(2, 100, 30), kept(3, 500, 20)];
        let of_age = |seconds| Keep {
            age: Some(SignedDuration::from_secs(seconds)),
            size: None,
        };
        let of_size = |bytes| Keep {
            age: None,
            size: Some(Bytes::new(bytes)),
        };
        assert_eq!(chosen(&all, Keep::default(), |_| true), Vec::<u64>::new());
        assert_eq!(chosen(&all, of_age(500), |_| true), [30, 20]);
        assert_eq!(chosen(&all, of_size(90), |_| true), Vec::<u64>::new());
        assert_eq!(chosen(&all, of_size(89), |_| true), [30]);
        assert_eq!(chosen(&all, of_size(60), |_| true), [30]);
        assert_eq!(chosen(&all, of_size(0), |_| true), [30, 20, 40]);
        assert_eq!(chosen(&all, of_size(60), |kept| kept.bytes != 30), [20, 40]);
        let both = Keep {
            age: of_age(500).age,
            ..of_size(10)
        };
        let now = Timestamp::from_second(1000).unwrap();
        let why: Vec<String> = choose(all.to_vec(), both, now, |_| true)
            .into_iter()
            .map(|(_, why)| why)
            .collect();
        assert_eq!(why[0], "they are older than 500 s");
        assert_eq!(why[2], "all logs together took more than 10 B");
    }
}
