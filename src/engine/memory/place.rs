//! Where a world is kept: in the process, or in a JSON file that several processes change in turn.
//!
//! A change of the file holds a lock on a file beside it, and replaces the file as a whole: who reads needs no lock,
//! and who is killed leaves the file as it was before the change or after it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::world::World;
use crate::engine::{EngineError, Result};

/// How often what waits for a change looks again.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// Where a world is kept.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// In the process.
    Process(Arc<Mutex<World>>),
    /// In a file.
    File(PathBuf),
}

impl Place {
    /// A world that lives as long as the process.
    pub(super) fn process() -> Self {
        Self::Process(Arc::default())
    }

    /// A world in a file.
    pub(super) fn file(path: &Path) -> Self {
        Self::File(path.to_owned())
    }

    /// Reads the world as it is now.
    pub(super) fn read<T>(&self, read: impl FnOnce(&World) -> T) -> Result<T> {
        match self {
            Self::Process(world) => {
                let world = world.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(read(&world))
            }
            Self::File(path) => Ok(read(&load(path)?)),
        }
    }

    /// Changes the world while nobody else does.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> Result<T> {
        match self {
            Self::Process(world) => {
                let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(change(&mut world))
            }
            Self::File(path) => {
                let _lock = lock(path)?;
                let before = load(path)?;
                let mut world = before.clone();
                let value = change(&mut world);
                if world != before {
                    store(path, &world)?;
                }
                Ok(value)
            }
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Process(_) => f.write_str("this process"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

fn unreachable(path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::Unreachable {
        endpoint: format!("memory:{}", path.display()),
        why: error.to_string(),
    }
}

/// `path` with something added to its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Held until the file is dropped, by whatever way the process ends.
fn lock(path: &Path) -> Result<File> {
    let options = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside(path, ".lock"));
    let locked = options.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| unreachable(path, &error))
}

fn load(path: &Path) -> Result<World> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(World::default()),
        Err(error) => return Err(unreachable(path, &error)),
    };
    serde_json::from_slice(&text).map_err(|error| EngineError::Garbled {
        what: path.display().to_string(),
        why: error.to_string(),
    })
}

fn store(path: &Path, world: &World) -> Result<()> {
    let text = serde_json::to_vec_pretty(world).map_err(|error| EngineError::Garbled {
        what: path.display().to_string(),
        why: error.to_string(),
    })?;
    // Only the holder of the lock writes here, so the name needs not be unique.
    let fresh = beside(path, ".new");
    std::fs::write(&fresh, text)
        .and_then(|()| std::fs::rename(&fresh, path))
        .map_err(|error| unreachable(path, &error))
}
