//! Where an export of the database goes: a file that is there when it is whole, or what is there and is no file (a device, a
//! pipe), which is written into.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::config::Db;
use crate::ops::error::OpsError;
use crate::store::{self, Counts};

/// How many symlinks are followed.
const LINKS: usize = 40;
/// How often a file is made again that another has cleared away meanwhile.
const TRIES: usize = 10;
/// What the name of an unfinished file ends with.
const UNFINISHED: &str = ".part";
/// How long what is unlike from one unfinished file to the next is.
const UNLIKE: usize = 6;

/// Writes all rows to a path. A file is made for its owner only, and takes the place of one that was there when it is whole,
/// and not before. Symlinks are followed.
pub async fn export_to(db: &Db, path: &Path) -> Result<Counts, OpsError> {
    let failed = |error: io::Error| {
        OpsError::usage(format!("{} cannot be written: {error}", path.display()))
    };
    let target = followed(path).map_err(failed)?;
    match std::fs::metadata(&target) {
        Ok(data) if !data.is_file() => {
            let file = OpenOptions::new().write(true).open(&target);
            let mut out = BufWriter::new(file.map_err(failed)?);
            let counts = store::export(db, &mut out).await?;
            out.flush().map_err(failed)?;
            return Ok(counts);
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    clear_away(&target);
    let mut file = unfinished(&target).map_err(failed)?;
    let mut out = BufWriter::new(file.as_file_mut());
    let counts = store::export(db, &mut out).await?;
    out.flush().map_err(failed)?;
    drop(out);
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    Ok(counts)
}

/// What a path leads to, which need not be there.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match std::fs::read_link(&path) {
            // One that is absolute takes the place of all before it.
            Ok(link) => path = directory(&path).join(link),
            // It is no link, or there is nothing; what else is wrong the next call tells.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("it is a symlink that leads nowhere"))
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// What the names of unfinished files of a target begin with.
fn prefix(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}.")
}

/// A new file beside the target: `.NAME.XXXXXX.part`. It is locked while it is written, so that it is known whether anybody
/// still does.
fn unfinished(target: &Path) -> io::Result<NamedTempFile> {
    for _ in 0..TRIES {
        let file = tempfile::Builder::new()
            .prefix(&prefix(target))
            .suffix(UNFINISHED)
            .rand_bytes(UNLIKE)
            .tempfile_in(directory(target))?;
        file.as_file().lock()?;
        // Another may have taken it for a left one before it was locked.
        if file.as_file().metadata()?.nlink() > 0 {
            return Ok(file);
        }
    }
    Err(io::Error::other(
        "others clear away what is written for it; try again",
    ))
}

/// Removes what those left who were killed while they wrote. Whatever can't be removed is in nobody's way.
fn clear_away(target: &Path) {
    let Ok(entries) = std::fs::read_dir(directory(target)) else {
        return;
    };
    let prefix = prefix(target);
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let middle = name.strip_prefix(&prefix);
        let middle = middle.and_then(|name| name.strip_suffix(UNFINISHED));
        let is_ours = middle.is_some_and(|middle| {
            middle.len() == UNLIKE && middle.chars().all(|c| c.is_ascii_alphanumeric())
        });
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = remove_if_left(&entry.path());
        }
    }
}

fn remove_if_left(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    if file.try_lock().is_ok() {
        std::fs::remove_file(path)?;
    }
    Ok(())
}
