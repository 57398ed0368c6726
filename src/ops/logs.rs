//! The logs of an execution, from its containers while there are any, from its archive afterwards: the same lines either way.

pub(super) mod archives;
pub(super) mod earlier;
pub(super) mod follow;
pub(super) mod keep;
pub mod retention;
pub(super) mod unread;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::exec;
use super::history::past::ATTEMPT_FAILED;
use super::outage::Outage;
use super::report::{News, Report};
use super::resolve::{self, Found};
use super::wait::{self, Until, Waited};
use crate::engine::{BoxStream, EngineError, LogRange, Scope};
use crate::logs::{self, Piece, Source};
use crate::model::{Execution, ExecutionId, Instance, Phase};
use crate::store::Record;
use archives::{archived, monitor_of, of_archive, open};

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
    /// Those of this run, from 1; without it those of the last one.
    pub attempt: Option<u32>,
    /// Nothing before this.
    pub since: Option<Timestamp>,
    /// Only so many lines of each member, from the end.
    pub tail: Option<u64>,
}

impl LogOptions {
    pub(super) fn range(&self) -> LogRange {
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
    pub(super) fn of(
        alive: Option<ExecutionId>,
        sources: Vec<Source<OpsError>>,
        follow: bool,
    ) -> Self {
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
    let found = match resolve::resolve(context, text).await {
        Err(error) if matches!(error.kind, ErrorKind::Database | ErrorKind::Unreachable) => {
            let kept = archives::without_history(context, text, options).await;
            let kept = kept.filter(|_| options.attempt.is_none());
            let Some(kept) = kept else { return Err(error) };
            report.tell(News::Warning(format!(
                "{error}; these are the logs of {text} that were kept"
            )));
            return kept;
        }
        found => found?,
    };
    if let Some(attempt) = options.attempt {
        let failed = failed_attempts(context, found.id()).await?;
        if attempt <= failed {
            return of_attempt(context, &found, attempt, options).await;
        }
        if attempt > failed.saturating_add(1) {
            let times = match failed {
                0 => "once".to_owned(),
                failed => format!("{} times", failed.saturating_add(1)),
            };
            let message = format!("{} was run {times}", found.id());
            return Err(OpsError::new(ErrorKind::NotFound, message));
        }
    }
    let found = match found {
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
        Found::Past(record) => past(context, &record, options).await,
    }
}

/// Tells why something waits, and warnings; not how it goes on, which whoever follows a log sees there.
struct Quietly<'a>(&'a dyn Report);

impl Report for Quietly<'_> {
    fn tell(&self, news: News) {
        if matches!(news, News::Waiting(_) | News::Setback(_) | News::Warning(_)) {
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
            if is_ending(context, id, &report).await? {
                ended.await?;
            }
            Ok(done)
        }
    }
}

/// Whether an execution is to end; asked again where Docker is away for a while.
async fn is_ending(
    context: &Context,
    id: ExecutionId,
    report: &dyn Report,
) -> Result<bool, OpsError> {
    let mut outage = Outage::new(context, id, report);
    loop {
        match context.backend.observe(Scope::Executions).await {
            Ok(snapshot) => {
                let execution = snapshot.executions.get(&id);
                return Ok(execution.is_some_and(|e| matches!(e.phase(), Phase::Ending(_))));
            }
            Err(error) => outage.bear(error.into())?,
        }
        context.world.sleep(follow::AGAIN).await;
    }
}

async fn alive(
    context: &Context,
    execution: &Execution,
    options: &LogOptions,
) -> Result<Logs, OpsError> {
    if matches!(execution.phase(), Phase::Ending(_))
        && let Some(logs) = archived(context, execution, options).await?
    {
        return Ok(logs);
    }
    let started = |instance: &&Instance| instance.was_started();
    let everybody = || execution.instances.iter().filter(started).collect();
    let members: Vec<_> = match (&options.component, &execution.ticket.application.monitor) {
        (Some(text), _) => exec::select(context, execution, text)
            .await?
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
    let expected = members.len();
    let opened = stream::iter(members).map(|instance| source(context, instance, options.range()));
    let sources: Vec<_> = opened
        .buffered(AT_ONCE)
        .filter_map(|source| async { source })
        .collect()
        .await;
    if sources.len() < expected
        && let Some(logs) = archived(context, execution, options).await?
    {
        return Ok(logs);
    }
    Ok(Logs::of(Some(execution.ticket.id), sources, options.follow))
}

/// A member's log. One that can't be read says why where its lines would be: the others are there all the same.
async fn source(
    context: &Context,
    instance: &Instance,
    range: LogRange,
) -> Option<Source<OpsError>> {
    let log: BoxStream<'static, _> = match context.backend.logs(&instance.key, range).await {
        Ok(chunks) => {
            let log: BoxStream<'static, _> =
                Box::pin(chunks.map(|chunk| chunk.map_err(OpsError::from)));
            if range.follow {
                follow::follow(context, instance, range, log)
            } else {
                log
            }
        }
        // It was removed since it was listed: what it wrote is in the archive by now, or will be.
        Err(EngineError::Gone { .. }) => return None,
        Err(error) => Box::pin(stream::iter([Err(OpsError::from(error))])),
    };
    Some((instance.key.clone(), log))
}

/// How often an execution's program has failed and was to be run again.
pub(super) async fn failed_attempts(context: &Context, id: ExecutionId) -> Result<u32, OpsError> {
    let store = context.history.open().await?;
    let events = store.events(&context.settings.deployment, id).await?;
    let failed = events.iter().filter(|event| event.kind == ATTEMPT_FAILED);
    Ok(u32::try_from(failed.count()).unwrap_or(u32::MAX))
}

/// The logs of a run that failed and was followed by another.
async fn of_attempt(
    context: &Context,
    found: &Found,
    attempt: u32,
    options: &LogOptions,
) -> Result<Logs, OpsError> {
    let (id, submitted_at, description) = match found {
        Found::Alive(execution) => {
            let ticket = &execution.ticket;
            let description = crate::apps::to_json(&ticket.application);
            (ticket.id, ticket.submitted_at, description)
        }
        Found::Past(record) => (record.id, record.submitted_at, record.description.clone()),
    };
    let path = keep::attempt_path(&keep::path_of(context, id, submitted_at), attempt);
    let archive = open(context, id, path).await?;
    of_archive(&archive, monitor_of(id, &description), options)
}

async fn past(context: &Context, record: &Record, options: &LogOptions) -> Result<Logs, OpsError> {
    let Some(path) = &record.logs else {
        return Err(OpsError::new(
            ErrorKind::NotFound,
            format!("{} has no logs: it never started", record.id),
        ));
    };
    let monitor = monitor_of(record.id, &record.description);
    let archive = open(context, record.id, path.into()).await?;
    of_archive(&archive, monitor, options)
}
