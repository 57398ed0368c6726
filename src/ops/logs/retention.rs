//! Removing archives of logs that a site keeps no longer. Docker and history say which of them may go.
//!
//! That it is done is written in history before it is done, so that whoever asks for such logs is told; a death in between
//! leaves files that the next one finds. Two at the same time do no harm. Nothing goes whose execution Docker may still have,
//! nor anything written since Docker was looked at.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::logs::ArchiveError;
use crate::logs::retention::{self, Keep, Kept};
use crate::model::{Bytes, ExecutionId, Snapshot};
use crate::ops::context::Context;
use crate::ops::error::{ErrorKind, OpsError};
use crate::ops::history::record;
use crate::store::Store;

/// The kind of an event: the logs were removed; the detail says why.
const RETIRED: &str = "logs-removed";

/// How often all archives are looked through.
const EVERY: Duration = Duration::from_hours(1);

/// How many are removed between two looks at what is to be done otherwise.
const AT_ONCE: usize = 100;

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retired {
    /// Of how many executions.
    pub executions: usize,
    /// How many bytes.
    pub bytes: u64,
}

/// Removes what is kept no longer, if nobody has looked within the hour with the same settings. `None` where it was not time.
pub async fn retire_if_due(
    context: &Context,
    keep: Keep,
    snapshot: &Snapshot,
) -> Result<Option<Retired>, OpsError> {
    if keep.is_for_ever() || !snapshot.gaps.is_empty() {
        return Ok(None);
    }
    let place = directory(context);
    let directory = place.clone();
    let due = beside(move || is_due(&directory, keep)).await?;
    let due = due.map_err(|error| {
        OpsError::failed(format!(
            "old logs in {} can't be removed: {error}",
            place.display()
        ))
        .hint("who runs `zoe watch` must be able to write in [filesystem] history_path")
    })?;
    if !due {
        return Ok(None);
    }
    retire(context, keep, snapshot).await.map(Some)
}

/// Removes what is kept no longer. A snapshot in which something could not be read lets nothing go.
pub async fn retire(
    context: &Context,
    keep: Keep,
    snapshot: &Snapshot,
) -> Result<Retired, OpsError> {
    let mut retired = Retired::default();
    if keep.is_for_ever() || !snapshot.gaps.is_empty() {
        return Ok(retired);
    }
    let place = directory(context);
    let wrong = |error: io::Error, place: &Path| {
        OpsError::failed(format!(
            "cannot look through the logs in {}: {error}",
            place.display()
        ))
    };
    let found = {
        let place = place.clone();
        beside(move || retention::scan(&place)).await?
    };
    let found = found.map_err(|error| wrong(error, &place))?;
    let may = |kept: &Kept| kept.at < snapshot.taken_at && !may_be_there(snapshot, kept.execution);
    let chosen = retention::choose(found, keep, context.now(), may);
    if chosen.is_empty() {
        return Ok(retired);
    }
    let store = context.history.open().await?;
    for some in chosen.chunks(AT_ONCE) {
        note(context, &store, some).await?;
        let kept: Vec<Kept> = some.iter().map(|(kept, _)| kept.clone()).collect();
        let removed = beside(move || {
            kept.iter()
                .map(|kept| retention::remove(kept).map(|()| kept.bytes))
                .collect::<Vec<_>>()
        });
        for result in removed.await? {
            match result {
                Ok(bytes) => {
                    retired.executions += 1;
                    retired.bytes += bytes;
                }
                Err(error) => {
                    return Err(OpsError::failed(format!(
                        "cannot remove old logs in {}: {error}",
                        place.display()
                    )));
                }
            }
        }
    }
    tracing::info!(
        executions = retired.executions,
        freed = %Bytes::new(retired.bytes),
        "removed logs that are kept no longer"
    );
    Ok(retired)
}

/// Writes that they are removed, of those of which it is not written yet.
async fn note(
    context: &Context,
    store: &std::sync::Arc<dyn Store>,
    some: &[(Kept, String)],
) -> Result<(), OpsError> {
    let ids: Vec<ExecutionId> = some.iter().map(|(kept, _)| kept.execution).collect();
    let events = store.events_of(&context.settings.deployment, &ids).await?;
    for (kept, why) in some {
        let of_it = events.get(&kept.execution);
        let is_noted = of_it.is_some_and(|all| all.iter().any(|event| event.kind == RETIRED));
        if !is_noted {
            record::event_or_fail(context, store, kept.execution, RETIRED, why).await?;
        }
    }
    Ok(())
}

/// Whether Docker has, or may have, anything of an execution.
fn may_be_there(snapshot: &Snapshot, id: ExecutionId) -> bool {
    let strange = |object: &str| object.contains(id.as_str());
    snapshot.executions.contains_key(&id)
        || snapshot.orphans.iter().any(|o| o.execution == Some(id))
        || snapshot.anomalies.iter().any(|a| strange(&a.object))
}

/// What to say of logs that could not be read: where they were removed, that.
pub(in crate::ops) async fn explain(
    context: &Context,
    id: ExecutionId,
    error: ArchiveError,
) -> OpsError {
    if !matches!(error, ArchiveError::Missing { .. }) {
        return error.into();
    }
    let events = match context.history.open().await {
        Ok(store) => store.events(&context.settings.deployment, id).await,
        Err(error) => Err(error),
    };
    let events = events.unwrap_or_default();
    match events.iter().rfind(|event| event.kind == RETIRED) {
        Some(event) => OpsError::new(
            ErrorKind::NotFound,
            format!(
                "the logs of {id} were removed at {:.0}: {}",
                event.at, event.detail
            ),
        )
        .hint("[filesystem] history_max_age and history_max_size say how long logs are kept"),
        None => error.into(),
    }
}

fn directory(context: &Context) -> PathBuf {
    let settings = &context.settings;
    settings.history_path.join(settings.deployment.as_str())
}

/// Whether it is time, which it is not again before long: the file that says when it was has the settings in it.
///
/// # Errors
/// Where it can't be written: who can't write there can't remove anything either.
fn is_due(directory: &Path, keep: Keep) -> io::Result<bool> {
    let file = directory.join(".retention");
    let text = format!("{keep:?}\n");
    let same = std::fs::read_to_string(&file).is_ok_and(|found| found == text);
    let age = std::fs::metadata(&file).and_then(|found| found.modified());
    let fresh = age.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < EVERY));
    if same && fresh {
        return Ok(false);
    }
    // It may be another's file, who may not write it but may put another in its place.
    let mut new = match tempfile::Builder::new()
        .prefix(".retention-")
        .tempfile_in(directory)
    {
        Ok(new) => new,
        // Without the directory there is nothing to remove.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    new.write_all(text.as_bytes())?;
    new.as_file()
        .set_permissions(Permissions::from_mode(0o644))?;
    new.persist(&file).map_err(|error| error.error)?;
    Ok(true)
}

/// Does what blocks where it holds up nobody.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OpsError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| OpsError::failed(format!("looking through the logs broke off: {error}")))
}
