//! Logs from archives: of what is over, of what is being torn down, and of members that were removed.

use std::path::PathBuf;

use futures_util::{StreamExt, stream};

use super::{LogOptions, Logs};
use super::{keep, retention};
use crate::engine::{BoxStream, LogChunk, LogRange};
use crate::logs::{self, Archive};
use crate::model::{Execution, ExecutionId, InstanceKey};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::exec;

/// The logs of one that is being torn down, from its archive: that is whole before the first member goes. `None` where it is not
/// there, or not yet.
pub(super) async fn archived(
    context: &Context,
    execution: &Execution,
    options: &LogOptions,
) -> Result<Option<Logs>, OpsError> {
    let id = execution.ticket.id;
    let path = keep::path(context, execution);
    if !path.exists() {
        return Ok(None);
    }
    let archive = open(context, id, path).await?;
    let description = crate::apps::to_json(&execution.ticket.application);
    let logs = of_archive(&archive, monitor_of(id, &description), options)?;
    Ok(Some(Logs {
        alive: Some(id),
        ..logs
    }))
}

/// The logs of one that is over and of which history can't be asked, if `text` is its whole id and its archive is there.
pub(super) async fn without_history(
    context: &Context,
    text: &str,
    options: &LogOptions,
) -> Option<Result<Logs, OpsError>> {
    let id: ExecutionId = text.parse().ok()?;
    let settings = &context.settings;
    let path = logs::find_archive(&settings.history_path, &settings.deployment, id)?;
    let archive = open(context, id, path).await;
    Some(archive.and_then(|archive| of_archive(&archive, None, options)))
}

/// The logs in an archive that are asked for.
pub(in crate::ops) fn of_archive(
    archive: &Archive,
    monitor: Option<InstanceKey>,
    options: &LogOptions,
) -> Result<Logs, OpsError> {
    let all = instances(archive);
    let monitor = monitor.filter(|monitor| !options.all && all.contains(monitor));
    let wanted = |key: &&InstanceKey| match (&options.component, &monitor) {
        (Some(text), _) => {
            key.component.as_str() == text || format!("{}-{}", key.component, key.index) == *text
        }
        (None, Some(monitor)) => key.component == monitor.component,
        (None, None) => true,
    };
    let keys: Vec<&InstanceKey> = all.iter().filter(wanted).collect();
    if let (Some(text), true) = (&options.component, keys.is_empty()) {
        return Err(exec::no_component(
            text,
            all.iter().map(|key| key.component.to_string()),
        ));
    }
    let sources = keys.into_iter().map(|key| {
        let chunks = read(archive, key, options.range())?;
        let broken = stream::iter(broken_off(archive, key).map(Err));
        let chunks: BoxStream<'static, _> = Box::pin(chunks.chain(broken));
        Ok((key.clone(), chunks))
    });
    Ok(Logs::of(
        None,
        sources.collect::<Result<_, OpsError>>()?,
        false,
    ))
}

/// That not all of a member's log is in an archive, and why.
fn broken_off(archive: &Archive, key: &InstanceKey) -> Option<OpsError> {
    let manifest = archive.manifest();
    let mut all = manifest.instances.iter();
    let log = all.find(|log| log.key(manifest.execution) == *key)?;
    let why = log.failed.as_ref()?;
    Some(OpsError::failed(format!("when it was kept, {why}")))
}

fn instances(archive: &Archive) -> Vec<InstanceKey> {
    let manifest = archive.manifest();
    manifest
        .instances
        .iter()
        .map(|log| log.key(manifest.execution))
        .collect()
}

fn read(
    archive: &Archive,
    key: &InstanceKey,
    range: LogRange,
) -> Result<BoxStream<'static, Result<LogChunk, OpsError>>, OpsError> {
    let chunks = archive
        .stream(&key.component, key.index, range)
        .map_err(OpsError::from)?;
    Ok(Box::pin(chunks.map(|chunk| chunk.map_err(OpsError::from))))
}

/// Opens an archive of an execution; of one that was removed it says so.
pub(in crate::ops) async fn open(
    context: &Context,
    id: ExecutionId,
    path: PathBuf,
) -> Result<Archive, OpsError> {
    let shown = path.display().to_string();
    let opened = tokio::task::spawn_blocking(move || Archive::open(&path)).await;
    let opened =
        opened.map_err(|error| OpsError::failed(format!("reading {shown} broke off: {error}")))?;
    match opened {
        Ok(archive) => Ok(archive),
        Err(error) => Err(retention::explain(context, id, error).await),
    }
}

/// What a member has written that was removed with its execution, from the archive; `None` where there is nothing.
pub(in crate::ops) async fn kept(
    context: &Context,
    key: &InstanceKey,
    range: LogRange,
) -> Result<Option<BoxStream<'static, Result<LogChunk, OpsError>>>, OpsError> {
    let store = context.history.open().await?;
    let record = store
        .get(&context.settings.deployment, key.execution)
        .await?;
    let Some(path) = record.and_then(|record| record.logs) else {
        return Ok(None);
    };
    let archive = open(context, key.execution, path.into()).await?;
    let has = instances(&archive).contains(key);
    has.then(|| read(&archive, key, range)).transpose()
}

/// What the monitor of an execution that is over has written, or that of an earlier run, from the archive.
pub(in crate::ops) async fn of_monitor(
    context: &Context,
    id: ExecutionId,
    attempt: Option<u32>,
) -> Result<BoxStream<'static, Result<LogChunk, OpsError>>, OpsError> {
    let nothing =
        || -> BoxStream<'static, Result<LogChunk, OpsError>> { Box::pin(stream::empty()) };
    let record = context
        .history
        .open()
        .await?
        .get(&context.settings.deployment, id)
        .await?;
    let Some(record) = record else {
        return Ok(nothing());
    };
    let path = match (attempt, &record.logs) {
        (Some(attempt), _) => {
            let whole = keep::path_of(context, id, record.submitted_at);
            keep::attempt_path(&whole, attempt)
        }
        (None, Some(path)) => path.into(),
        (None, None) => return Ok(nothing()),
    };
    let monitor = monitor_of(id, &record.description);
    let archive = open(context, id, path).await?;
    match monitor.filter(|key| instances(&archive).contains(key)) {
        Some(key) => read(&archive, &key, LogRange::default()),
        None => Ok(nothing()),
    }
}

/// The member whose log is the first that is asked for.
pub(super) fn monitor_of(execution: ExecutionId, description: &str) -> Option<InstanceKey> {
    let component = crate::apps::from_json(description).ok()?.monitor?;
    Some(InstanceKey {
        execution,
        component,
        index: 0,
    })
}
