//! Publishing routes: one zoe at a time, whole files only, and nothing that is published already.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use thiserror::Error;

use super::fragment::{self, Commands};
use super::render;
use super::site::{Site, Way};

/// The longest file that is read back, in bytes: longer ones are not zoe's.
const LONGEST: u64 = 64 << 20;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It was there already.
    Unchanged,
    /// It is there now.
    Written,
    /// The web server was reloaded a moment ago: it is to be tried again in so long.
    Postponed(Duration),
}

/// Why routes can't be published.
#[derive(Debug, Error)]
pub enum PublishError {
    /// A file can't be read or written.
    #[error("the routes cannot be written: {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What came.
        source: io::Error,
    },
    /// There is a file that zoe has not written.
    #[error(
        "the routes cannot be written: {} is there, and zoe has not written it; have [apache] proxy_config_file name a file of zoe's own, or remove that one",
        path.display()
    )]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// Apache would not take them.
    #[error("the web server would not take the new routes, so the last ones stay: {0}")]
    Configtest(String),
    /// Apache could not be reloaded.
    #[error(
        "the web server could not be reloaded, so its last routes were put back; the next pass tries again: {0}"
    )]
    Reload(String),
}

/// Publishing is this one's alone until it is dropped.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

/// Takes the turn, if nobody has it.
pub fn try_turn(file: &Path) -> Result<Option<Turn>, PublishError> {
    let path = beside(file, "lock");
    let failed = |source| PublishError::File {
        path: path.clone(),
        source,
    };
    // Whoever may only read it may lock it, too.
    let opened = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o664)
            .open(&path),
        opened => opened,
    };
    let lock = opened.map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(Turn { _lock: lock })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// What is in the file now; `None` where there is none.
pub fn read(file: &Path) -> Result<Option<String>, PublishError> {
    let failed = |source| PublishError::File {
        path: file.to_owned(),
        source,
    };
    match std::fs::metadata(file) {
        Ok(data) if data.len() > LONGEST => Ok(Some(String::new())),
        Ok(_) => match std::fs::read(file) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Whether the web server has these routes already, as far as files tell.
pub fn is_published(site: &Site, file: &Path, text: &str) -> Result<bool, PublishError> {
    match site.way {
        Way::Map => Ok(read(file)?.as_deref() == Some(text)),
        Way::Fragment { .. } => fragment::is_published(file, text),
    }
}

/// Whether what is in the file is none of zoe's: it does not begin as a file of routes does, and zoe has published none before it.
/// Such a file is somebody's whose name was given by mistake.
fn is_foreign(file: &Path) -> Result<bool, PublishError> {
    let large = std::fs::metadata(file).is_ok_and(|data| data.len() > LONGEST);
    let there = read(file)?.unwrap_or_default();
    let is_own = there.trim().is_empty() || there.starts_with(render::BEGINNING);
    Ok((large || !is_own) && !fragment::was_published(file))
}

/// Publishes routes. Only for who has the turn.
pub async fn publish(
    site: &Site,
    file: &Path,
    text: &str,
    now: Timestamp,
    _turn: &Turn,
) -> Result<Published, PublishError> {
    if is_published(site, file, text)? {
        return Ok(Published::Unchanged);
    }
    if is_foreign(file)? {
        return Err(PublishError::Foreign {
            path: file.to_owned(),
        });
    }
    match &site.way {
        Way::Map => replace(file, text).map(|()| Published::Written),
        Way::Fragment {
            configtest,
            reload,
            interval,
        } => {
            let commands = Commands {
                configtest,
                reload,
                interval: *interval,
            };
            fragment::publish(file, text, &commands, now).await
        }
    }
}

/// Makes comments of some lines of a map where they are, which needs no space on the disk: `places` are those of the bytes that
/// become `#`. Only for who has the turn, and for a file that is as it was when it was read.
pub fn strike(file: &Path, places: &[u64], _turn: &Turn) -> Result<(), PublishError> {
    let write = || -> io::Result<()> {
        let opened = OpenOptions::new().write(true).open(file)?;
        let before = opened.metadata()?.modified()?;
        for place in places {
            opened.write_all_at(b"#", *place)?;
        }
        later(&opened, before)?;
        opened.sync_data()
    };
    write().map_err(|source| PublishError::File {
        path: file.to_owned(),
        source,
    })
}

/// Sees to it that Apache finds a file changed.
fn later(file: &File, before: SystemTime) -> io::Result<()> {
    let least = before + LATER;
    if file.metadata()?.modified()? < least {
        file.set_modified(least)?;
    }
    Ok(())
}

/// A file of zoe's own beside another: `.NAME.KIND`.
pub(super) fn beside(file: &Path, kind: &str) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.{kind}"))
}

/// How much later than the one before it a file is at the least: Apache looks at the time to see whether a map has changed, and
/// two files that are written in the same moment can have the same.
const LATER: Duration = Duration::from_millis(1);

/// Puts a whole file in the place of another, at once. It may be read by whoever may read the one that was there.
pub(super) fn replace(file: &Path, text: &str) -> Result<(), PublishError> {
    let write = || -> io::Result<()> {
        let directory = file.parent().unwrap_or(Path::new("/"));
        let before = std::fs::metadata(file).ok();
        let mode = before
            .as_ref()
            .map_or(0o644, |data| data.permissions().mode() & 0o777);
        let mut new = tempfile::Builder::new()
            .prefix(".zoe-routes-")
            .tempfile_in(directory)?;
        new.write_all(text.as_bytes())?;
        new.as_file()
            .set_permissions(Permissions::from_mode(mode))?;
        if let Some(before) = before.and_then(|data| data.modified().ok()) {
            later(new.as_file(), before)?;
        }
        new.as_file().sync_data()?;
        new.persist(file).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| PublishError::File {
        path: file.to_owned(),
        source: plain(source),
    })
}

/// The same error without the name of the file that was to be renamed: that is another one each time, and the same trouble is
/// to be told in the same words.
fn plain(error: io::Error) -> io::Error {
    if error.get_ref().is_some() {
        io::Error::from(error.kind())
    } else {
        error
    }
}
