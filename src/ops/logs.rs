//! The logs of an execution, from its containers while there are any, from its archive afterwards: the same lines either way.

use std::path::PathBuf;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::exec;
use super::report::{News, Report};
use super::resolve::{self, Found};
use super::wait::{self, Until, Waited};
use crate::engine::{BoxStream, EngineError, LogChunk, LogRange, Scope};
use crate::logs::{self, Archive, Piece, Source};
use crate::model::{Execution, ExecutionId, Instance, InstanceKey, Phase};
use crate::store::Record;

/// How many logs are opened side by side.
const AT_ONCE: usize = 16;

/// Which part of which logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Only this component's (`worker`), or this member's (`worker-1`). Without it, that of the component whose exit ends the
    /// execution, if there is one and it wrote a log.
    pub component: Option<String>,
    /// Every member's, where no component is named.
    pub all: bool,
    /// Go on as long as there may be more.
    pub follow: bool,
    /// Nothing before this.
    pub since: Option<Timestamp>,
    /// Only so many lines of each member, from the end.
    pub tail: Option<u64>,
}

impl LogOptions {
    fn range(&self) -> LogRange {
        LogRange {
            follow: self.follow,
            since: self.since,
            tail: self.tail,
        }
    }
}

/// Logs as they are handed out.
pub struct Logs {
    /// The execution, if it is alive.
    pub alive: Option<ExecutionId>,
    /// Whether more than one member's are in it, so that each line wants a name before it.
    pub several: bool,
    /// The pieces: in the order of time, as far as what is being written lets it.
    pub pieces: BoxStream<'static, Piece<OpsError>>,
}

impl Logs {
    fn of(alive: Option<ExecutionId>, sources: Vec<Source<OpsError>>, follow: bool) -> Self {
        let several = sources.len() > 1;
        let pieces = if follow {
            logs::as_they_come(sources, logs::PATIENCE)
        } else {
            logs::in_order(sources)
        };
        Self {
            alive,
            several,
            pieces,
        }
    }
}

/// Reads the logs of an execution, alive or past. To follow one that waits, its start is waited for first.
pub async fn logs(
    context: &Context,
    text: &str,
    options: &LogOptions,
    report: &dyn Report,
) -> Result<Logs, OpsError> {
    let found = match resolve::resolve(context, text).await? {
        Found::Alive(execution) if options.follow => {
            let id = execution.ticket.id;
            match wait::wait_for(context, id, Until::Started, None, &Quietly(report)).await? {
                Waited::Running(execution) => Found::Alive(execution),
                Waited::Ended(_) => resolve::resolve(context, id.as_str()).await?,
            }
        }
        found @ (Found::Alive(_) | Found::Past(_)) => found,
    };
    match found {
        Found::Alive(execution) => alive(context, &execution, options).await,
        Found::Past(record) => past(&record, options).await,
    }
}

/// Tells why something waits, and warnings; not how it goes on, which whoever follows a log sees there.
struct Quietly<'a>(&'a dyn Report);

impl Report for Quietly<'_> {
    fn tell(&self, news: News) {
        if matches!(news, News::Waiting(_) | News::Warning(_)) {
            self.0.tell(news);
        }
    }
}

/// Does `work`, which follows the logs of an execution, and sees to it meanwhile that the execution ends when it is over:
/// its members that serve would go on for ever, and so would their logs.
pub async fn while_alive<T>(
    context: &Context,
    id: ExecutionId,
    report: &dyn Report,
    work: impl Future<Output = T>,
) -> Result<T, OpsError> {
    let report = Quietly(report);
    let ended = wait::wait_for(context, id, Until::Ended, None, &report);
    tokio::pin!(ended, work);
    tokio::select! {
        result = &mut ended => {
            let done = work.await;
            result.map(|_| done)
        }
        done = &mut work => {
            let snapshot = context.backend.observe(Scope::Executions).await?;
            let execution = snapshot.executions.get(&id);
            if execution.is_some_and(|execution| matches!(execution.phase(), Phase::Ending(_))) {
                ended.await?;
            }
            Ok(done)
        }
    }
}

async fn alive(
    context: &Context,
    execution: &Execution,
    options: &LogOptions,
) -> Result<Logs, OpsError> {
    let started = |instance: &&Instance| instance.was_started();
    let everybody = || execution.instances.iter().filter(started).collect();
    let members: Vec<_> = match (&options.component, &execution.ticket.application.monitor) {
        (Some(text), _) => exec::select(execution, text)?
            .into_iter()
            .filter(started)
            .collect(),
        (None, Some(monitor)) if !options.all => {
            let own: Vec<_> = execution
                .members(monitor.as_str())
                .filter(started)
                .collect();
            if own.is_empty() { everybody() } else { own }
        }
        (None, _) => everybody(),
    };
    let opened = stream::iter(members).map(|instance| source(context, instance, options.range()));
    let sources: Vec<_> = opened
        .buffered(AT_ONCE)
        .filter_map(|source| async { source })
        .collect()
        .await;
    Ok(Logs::of(Some(execution.ticket.id), sources, options.follow))
}

/// A member's log. One that can't be read says why where its lines would be: the others are there all the same.
async fn source(
    context: &Context,
    instance: &Instance,
    range: LogRange,
) -> Option<Source<OpsError>> {
    let log: BoxStream<'static, _> = match context.backend.logs(&instance.key, range).await {
        Ok(chunks) => Box::pin(chunks.map(|chunk| chunk.map_err(OpsError::from))),
        // It was removed since it was listed: what it wrote is in the archive by now, or will be.
        Err(EngineError::Gone { .. }) => return None,
        Err(error) => Box::pin(stream::iter([Err(OpsError::from(error))])),
    };
    Some((instance.key.clone(), log))
}

async fn past(record: &Record, options: &LogOptions) -> Result<Logs, OpsError> {
    let Some(path) = &record.logs else {
        return Err(OpsError::new(
            ErrorKind::NotFound,
            format!("{} has no logs: it never started", record.id),
        ));
    };
    let archive = open(path.into()).await?;
    let all = instances(&archive);
    let monitor = monitor_of(record).filter(|monitor| !options.all && all.contains(monitor));
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
    let sources = keys
        .into_iter()
        .map(|key| Ok((key.clone(), read(&archive, key, options.range())?)));
    Ok(Logs::of(
        None,
        sources.collect::<Result<_, OpsError>>()?,
        false,
    ))
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

async fn open(path: PathBuf) -> Result<Archive, OpsError> {
    let shown = path.display().to_string();
    let opened = tokio::task::spawn_blocking(move || Archive::open(&path)).await;
    let opened =
        opened.map_err(|error| OpsError::failed(format!("reading {shown} broke off: {error}")))?;
    Ok(opened?)
}

/// What the monitor of an execution that is over has written, from the archive. `monitor` is where it is known already.
pub(super) async fn of_monitor(
    context: &Context,
    id: ExecutionId,
    monitor: Option<InstanceKey>,
) -> Result<BoxStream<'static, Result<LogChunk, OpsError>>, OpsError> {
    let nothing =
        || -> BoxStream<'static, Result<LogChunk, OpsError>> { Box::pin(stream::empty()) };
    let record = context
        .history
        .open()
        .await?
        .get(&context.settings.deployment, id)
        .await?;
    let Some(path) = record.as_ref().and_then(|record| record.logs.clone()) else {
        return Ok(nothing());
    };
    let monitor = match (monitor, &record) {
        (Some(monitor), _) => Some(monitor),
        (None, Some(record)) => monitor_of(record),
        (None, None) => None,
    };
    let archive = open(path.into()).await?;
    match monitor.filter(|key| instances(&archive).contains(key)) {
        Some(key) => read(&archive, &key, LogRange::default()),
        None => Ok(nothing()),
    }
}

fn monitor_of(record: &Record) -> Option<InstanceKey> {
    let component = crate::apps::from_json(&record.description).ok()?.monitor?;
    Some(InstanceKey {
        execution: record.id,
        component,
        index: 0,
    })
}
