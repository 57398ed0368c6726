//! Keeping the logs of an execution beyond its containers.

use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::earlier::{self, Earlier};
use super::unread::Unread;
use crate::engine::{LogChunk, LogRange};
use crate::logs::{self, ArchiveError, ArchiveWriter};
use crate::model::{Execution, ExecutionId, Instance, InstanceKey};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::scheduler::Past;

/// How many pieces of a log may wait to be written.
const WAITING: usize = 256;

/// What is written, in order.
enum Piece {
    Begin(InstanceKey),
    Chunk(LogChunk),
    Unreadable(String),
}

/// Where the archive of an execution belongs.
pub(in crate::ops) fn path(context: &Context, execution: &Execution) -> PathBuf {
    path_of(context, execution.ticket.id, execution.ticket.submitted_at)
}

/// The same, for one that was submitted then.
pub(in crate::ops) fn path_of(
    context: &Context,
    id: ExecutionId,
    submitted_at: Timestamp,
) -> PathBuf {
    let settings = &context.settings;
    logs::archive_path(
        &settings.history_path,
        &settings.deployment,
        id,
        submitted_at,
    )
}

/// Writes the archive of all that the members of a stopped execution have logged, unless there is one: the first complete
/// one is the truth, as later ones may find containers gone. Returns its path; `None` where there was nothing to keep.
///
/// What is left of a run that failed and has an archive of its own is not kept once more: whoever cleared it away was stopped.
pub(in crate::ops) async fn keep(
    context: &Context,
    execution: &Execution,
    past: &Past,
) -> Result<Option<String>, OpsError> {
    let path = path(context, execution);
    let has_own = attempt_path(&path, past.failed()).exists();
    let (of_attempt, members): (Vec<&Instance>, Vec<&Instance>) = execution
        .instances
        .iter()
        .partition(|i| has_own && past.is_of_failed(i));
    if !of_attempt.is_empty() {
        earlier::discard(&path);
    }
    let mut earlier = earlier::list(&path);
    // Whoever kept it was stopped before it was removed: its log is read now, whole.
    let readable = |i: &&Instance| i.was_started() && !i.is_lost();
    for instance in members.iter().copied().filter(readable) {
        earlier.retain(|kept| !kept.is_at(&earlier::part(&path, instance)));
    }
    if path.exists() {
        earlier::discard(&path);
        return Ok(Some(path.display().to_string()));
    }
    if members.is_empty() && earlier.is_empty() {
        return Ok(None);
    }
    let what = (members.as_slice(), earlier);
    archive(context, execution, &path, what, Unread::Awaited).await?;
    earlier::discard(&path);
    Ok(Some(path.display().to_string()))
}

/// Writes down what these members have logged before they are removed while their execution goes on; it becomes part of the
/// archive. While it runs its owner sees the logs of those that are there.
pub(in crate::ops) async fn keep_members(
    context: &Context,
    execution: &Execution,
    keys: &[InstanceKey],
) -> Result<(), OpsError> {
    let path = path(context, execution);
    for instance in &execution.instances {
        if keys.contains(&instance.key) && instance.was_started() {
            let part = earlier::part(&path, instance);
            let own = [instance];
            let what = (own.as_slice(), Vec::new());
            archive(context, execution, &part, what, Unread::Noted).await?;
        }
    }
    Ok(())
}

/// Writes the archive of a run that failed and is followed by another, unless there is one: `attempt` counts from 1.
pub(in crate::ops) async fn keep_attempt(
    context: &Context,
    execution: &Execution,
    attempt: u32,
) -> Result<(), OpsError> {
    let whole = path(context, execution);
    let path = attempt_path(&whole, attempt);
    let earlier = earlier::list(&whole);
    if !path.exists() {
        let members: Vec<&Instance> = execution.instances.iter().collect();
        let what = (members.as_slice(), earlier);
        archive(context, execution, &path, what, Unread::Awaited).await?;
    }
    earlier::discard(&whole);
    Ok(())
}

/// Where the archive of an earlier run of an execution is, whose last one's will be at `path`.
pub(super) fn attempt_path(path: &Path, attempt: u32) -> PathBuf {
    path.with_extension(format!("attempt-{attempt}.zip"))
}

/// Writes an archive of what these members have logged, each after what was kept of the ones before it.
async fn archive(
    context: &Context,
    execution: &Execution,
    path: &Path,
    (members, earlier): (&[&Instance], Vec<Earlier>),
    unread: Unread,
) -> Result<(), OpsError> {
    let shown = path.display().to_string();
    let path = path.to_owned();
    let id = execution.ticket.id;
    let (pieces, mut incoming) = mpsc::channel(WAITING);
    let (done, written) = oneshot::channel();
    context.world.beside(Box::new(move || {
        let _ = done.send(write(&path, id, &mut incoming));
    }));
    let read = read(context, id, (members, earlier), unread, &pieces).await;
    drop(pieces);
    let written = written
        .await
        .map_err(|error| OpsError::failed(format!("writing {shown} broke off: {error}")))?;
    let wrong = |error: ArchiveError| {
        let hint = match error {
            ArchiveError::Denied { .. } => {
                "[filesystem] history_path is to be a directory in which everybody may write who ends something, such as `install -d -m 2770 -g GROUP` makes; until then its containers are kept"
            }
            ArchiveError::Write { .. }
            | ArchiveError::Missing { .. }
            | ArchiveError::Read { .. }
            | ArchiveError::NoInstance { .. } => {
                "make room there, or name another place with [filesystem] history_path; until then its containers are kept"
            }
        };
        OpsError::failed(format!("cannot keep the logs of {id} in {shown}: {error}")).hint(hint)
    };
    let finished = written.map_err(wrong)?;
    read?;
    finished.finish().map_err(wrong)?;
    Ok(())
}

/// Reads what every member has logged, first what was kept of those that were removed earlier. What can't be read is written
/// down as such; if Docker is gone, or it may be read a little later, that is an error.
async fn read(
    context: &Context,
    id: ExecutionId,
    (members, mut earlier): (&[&Instance], Vec<Earlier>),
    unread: Unread,
    pieces: &mpsc::Sender<Piece>,
) -> Result<(), OpsError> {
    for instance in members.iter().filter(|instance| instance.was_started()) {
        // A writer that has failed takes nothing any more, and says why when it is asked.
        if pieces
            .send(Piece::Begin(instance.key.clone()))
            .await
            .is_err()
        {
            return Ok(());
        }
        let own = |kept: &mut Earlier| kept.is_of(&instance.key);
        for kept in earlier.extract_if(.., own) {
            pass_on(&kept, pieces).await;
        }
        let mut chunks = match context
            .backend
            .logs(&instance.key, LogRange::default())
            .await
        {
            Ok(chunks) => chunks,
            Err(error) => {
                let why = unread.of(context, instance, error).await?;
                let _ = pieces.send(Piece::Unreadable(why)).await;
                continue;
            }
        };
        while let Some(chunk) = chunks.next().await {
            let piece = match chunk {
                Ok(chunk) => Piece::Chunk(chunk),
                Err(error) => Piece::Unreadable(unread.of(context, instance, error).await?),
            };
            if pieces.send(piece).await.is_err() {
                return Ok(());
            }
        }
    }
    let mut begun = None;
    for kept in earlier {
        let key = kept.key(id);
        if begun.as_ref() != Some(&key) {
            let _ = pieces.send(Piece::Begin(key.clone())).await;
            begun = Some(key);
        }
        pass_on(&kept, pieces).await;
    }
    Ok(())
}

/// Passes on what was kept of a member earlier.
async fn pass_on(kept: &Earlier, pieces: &mpsc::Sender<Piece>) {
    let mut chunks = match kept.chunks() {
        Ok(chunks) => chunks,
        Err(error) => {
            let _ = pieces.send(Piece::Unreadable(error.to_string())).await;
            return;
        }
    };
    while let Some(chunk) = chunks.next().await {
        let piece = match chunk {
            Ok(chunk) => Piece::Chunk(chunk),
            Err(error) => Piece::Unreadable(error.to_string()),
        };
        if pieces.send(piece).await.is_err() {
            return;
        }
    }
}

fn write(
    path: &Path,
    id: ExecutionId,
    incoming: &mut mpsc::Receiver<Piece>,
) -> Result<ArchiveWriter, ArchiveError> {
    let mut writer = ArchiveWriter::create(path, id)?;
    while let Some(piece) = incoming.blocking_recv() {
        match piece {
            Piece::Begin(instance) => writer.begin_instance(&instance)?,
            Piece::Chunk(chunk) => writer.chunk(&chunk)?,
            Piece::Unreadable(why) => writer.instance_failed(why),
        }
    }
    Ok(writer)
}

/// Removes the archives of earlier runs of an execution, whose last one's is or would be at `path`.
pub(in crate::ops) fn discard_attempts(path: &Path) -> Result<(), OpsError> {
    for attempt in 1.. {
        let archive = attempt_path(path, attempt);
        if !archive.exists() {
            return Ok(());
        }
        remove(&archive)?;
    }
    Ok(())
}

/// Removes the archive that history names for an execution; one that is gone already is no error. What is not called as one is
/// stays, whatever the database says: it may be anything.
pub(in crate::ops) fn discard(id: ExecutionId, path: &str) -> Result<(), OpsError> {
    let path = Path::new(path);
    if path.file_name().and_then(|name| name.to_str()) != Some(&format!("{id}.zip")) {
        tracing::warn!(path = %path.display(), "left alone: it is no archive of {id}");
        return Ok(());
    }
    remove(path)
}

fn remove(path: &Path) -> Result<(), OpsError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(OpsError::failed(format!(
            "cannot remove the logs in {}: {error}",
            path.display()
        ))),
    }
}
