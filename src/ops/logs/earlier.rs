//! What was kept of members that were removed while their execution went on: small archives beside the place of the whole
//! one, which takes them in when the execution ends.

use std::path::{Path, PathBuf};

use crate::engine::{BoxStream, LogChunk, LogRange};
use crate::logs::{Archive, ArchiveError};
use crate::model::{ComponentName, ExecutionId, Instance, InstanceKey};

/// The log of one member that is gone.
#[derive(Debug)]
pub(super) struct Earlier {
    path: PathBuf,
    component: ComponentName,
    index: u32,
}

/// Where the small archives of an execution are whose whole one will be at `path`.
fn directory(path: &Path) -> PathBuf {
    path.with_extension("removed")
}

/// Where the log of a member that is removed now belongs: always at the same place for the same one, so that whoever goes on
/// with removing it does not keep its log twice.
pub(in crate::ops) fn part(path: &Path, instance: &Instance) -> PathBuf {
    let (component, index) = (&instance.key.component, instance.key.index);
    // What Docker calls it tells two apart that were made within a second.
    let letters = instance.container_id.chars();
    let id: String = letters.filter(char::is_ascii_alphanumeric).collect();
    let made = instance.created_at.as_millisecond();
    directory(path).join(format!("{component}-{index}-{made}.{id}.zip"))
}

/// What was kept, member by member, the oldest first.
pub(super) fn list(path: &Path) -> Vec<Earlier> {
    let Ok(entries) = std::fs::read_dir(directory(path)) else {
        return Vec::new();
    };
    let mut parts: Vec<Earlier> = entries
        .filter_map(|entry| read(&entry.ok()?.path()))
        .collect();
    parts.sort_by(|a, b| {
        let key = |part: &Earlier| (part.component.clone(), part.index);
        (key(a), &a.path).cmp(&(key(b), &b.path))
    });
    parts
}

fn read(path: &Path) -> Option<Earlier> {
    let name = path.file_name()?.to_str()?.strip_suffix(".zip")?;
    let (member, _) = name.rsplit_once('-')?;
    let (component, index) = member.rsplit_once('-')?;
    Some(Earlier {
        path: path.to_owned(),
        component: component.parse().ok()?,
        index: index.parse().ok()?,
    })
}

/// Removes them, once the whole archive has them.
pub(in crate::ops) fn discard(path: &Path) {
    let directory = directory(path);
    if let Err(error) = std::fs::remove_dir_all(&directory)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %directory.display(), "logs that were taken over are still there");
    }
}

impl Earlier {
    /// Whether this is its place.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        self.path == path
    }

    /// Whether it is that member's.
    pub(super) fn is_of(&self, member: &InstanceKey) -> bool {
        self.component == member.component && self.index == member.index
    }

    /// The member.
    pub(in crate::ops) fn key(&self, execution: ExecutionId) -> InstanceKey {
        InstanceKey {
            execution,
            component: self.component.clone(),
            index: self.index,
        }
    }

    /// What it logged.
    pub(in crate::ops) fn chunks(
        &self,
    ) -> Result<BoxStream<'static, Result<LogChunk, ArchiveError>>, ArchiveError> {
        Archive::open(&self.path)?.stream(&self.component, self.index, LogRange::default())
    }
}
