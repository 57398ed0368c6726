//! The docker CLI's own files: where they are, and reading one of them.
//!
//! What is in them is for those who need it: contexts for the endpoint, logins for the registries.

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::config::Surroundings;

/// A file that is there and can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct Unusable {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: String,
}

/// `$DOCKER_CONFIG` or `~/.docker`; `None` for an account without a home.
pub(super) fn directory(around: &Surroundings) -> Option<PathBuf> {
    let named = around
        .env
        .get("DOCKER_CONFIG")
        .map(|path| around.cwd.join(path));
    named.or_else(|| Some(around.home.as_ref()?.join(".docker")))
}

/// The file's content, `None` when it is not there.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Unusable> {
    let unusable = |problem| Unusable {
        path: path.into(),
        problem,
    };
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| unusable(format!("is not what the docker CLI writes: {error}"))),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(unusable(format!("can't be read: {error}"))),
    }
}
