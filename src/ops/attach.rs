//! Staying with an execution until it is over: its output as it comes, its end, its exit code.

use std::io;
use std::time::Duration;

use futures_util::StreamExt;

use super::context::Context;
use super::error::OpsError;
use super::logs::archives;
use super::outage::Outage;
use super::report::{News, Only, Report};
use super::wait::{self, Until, Waited};
use super::{logs, reconcile};
use crate::engine::{EngineError, LogChunk, LogRange, Output, Scope};
use crate::model::{Execution, ExecutionId, InstanceKey, Outcome, Phase};

/// How often whoever reads an execution's output looks whether members of it were lost.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Takes output as it comes.
pub trait Sink: Send {
    /// Takes a piece.
    fn chunk(&mut self, chunk: &LogChunk) -> io::Result<()>;
}

/// How much of a log has been passed on, in bytes, by output.
#[derive(Debug, Clone, Copy, Default)]
struct Passed {
    stdout: usize,
    stderr: usize,
}

impl Passed {
    fn of(&mut self, output: Output) -> &mut usize {
        match output {
            Output::Stdout => &mut self.stdout,
            Output::Stderr => &mut self.stderr,
        }
    }

    /// What of a piece is new, where so much of the log is known already.
    fn rest(&mut self, mut chunk: LogChunk) -> LogChunk {
        let known = self.of(chunk.output);
        let skipped = (*known).min(chunk.bytes.len());
        *known -= skipped;
        chunk.bytes = chunk.bytes.slice(skipped..);
        chunk
    }
}

/// Why no more of a log comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// There is no more, or it is not to be had here.
    Reached,
    /// Docker went away.
    CutOff,
}

/// Stays with an execution: passes on the output of its monitor and returns how it ended, when nothing of it is left.
///
/// Output is complete: what the containers could not give any more, because another zoe was quicker to remove them,
/// comes from the archive.
pub async fn attach(
    context: &Context,
    id: ExecutionId,
    sink: &mut dyn Sink,
    report: &dyn Report,
) -> Result<Outcome, OpsError> {
    let mut run = Run::default();
    loop {
        let until = match run.container {
            None => Until::Started,
            Some(_) => Until::Ended,
        };
        let is_new = |execution: &Execution| {
            let seen = run.container.as_ref();
            seen.is_some_and(|seen| container(execution).is_some_and(|now| now != *seen))
        };
        let waited = match wait::wait_where(context, id, until, None, report, is_new).await {
            Ok(waited) => waited,
            Err(error) => {
                // What keeps it from ending does not keep back what it has written.
                run.drain(context, id, sink).await?;
                return Err(error);
            }
        };
        let failed = match &waited {
            // Nobody need ask the history of one that is run only once.
            Waited::Running(execution) if execution.ticket.terms.retries.most == 0 => 0,
            Waited::Running(_) | Waited::Ended(_) => failed_attempts(context, id, report).await?,
        };
        run.catch_up(context, id, failed, sink, report).await?;
        match waited {
            Waited::Ended(outcome) => {
                pass_on_rest(context, id, None, run.passed, sink, report).await?;
                return Ok(outcome);
            }
            Waited::Running(execution) => {
                // One without a monitor has no output of its own: its end is waited for.
                run.container = Some(container(&execution).unwrap_or_default());
                if let Some(monitor) = monitor(&execution) {
                    let end = tokio::select! {
                        end = pass_on(context, &monitor, true, sink, &mut run.passed) => end?,
                        () = wait::past_deadline(context, &execution) => End::Reached,
                        () = wait::tell_readiness(context, &execution, report) => End::Reached,
                        () = tend(context, id, report) => End::Reached,
                    };
                    if end == End::CutOff {
                        context.world.sleep(LOOK_AGAIN).await;
                        // There may be more of what this one writes.
                        run.container = None;
                    }
                }
            }
        }
    }
}

/// How far the output of an execution that may be run several times has been passed on.
#[derive(Debug, Default)]
struct Run {
    /// The runs before this one, all of whose output has been.
    settled: u32,
    /// How much of this one's.
    passed: Passed,
    /// The container of the monitor that was followed.
    container: Option<String>,
}

impl Run {
    /// Passes on what of the runs that failed was not yet, from their archives.
    async fn catch_up(
        &mut self,
        context: &Context,
        id: ExecutionId,
        failed: u32,
        sink: &mut dyn Sink,
        report: &dyn Report,
    ) -> Result<(), OpsError> {
        while self.settled < failed {
            self.settled += 1;
            let passed = std::mem::take(&mut self.passed);
            pass_on_rest(context, id, Some(self.settled), passed, sink, report).await?;
        }
        Ok(())
    }

    /// Passes on what a container that is still there has written and was not passed on yet. Who can't be asked has nothing.
    async fn drain(
        &mut self,
        context: &Context,
        id: ExecutionId,
        sink: &mut dyn Sink,
    ) -> Result<(), OpsError> {
        if self.container.is_none() {
            return Ok(());
        }
        let Ok(snapshot) = context.backend.observe(Scope::Executions).await else {
            return Ok(());
        };
        let execution = snapshot.executions.get(&id);
        let same = execution.filter(|execution| container(execution) == self.container);
        if let Some(monitor) = same.and_then(monitor) {
            pass_on(context, &monitor, false, sink, &mut self.passed).await?;
        }
        Ok(())
    }
}

/// How often its program has failed; asked again where the history can't be had for a while.
async fn failed_attempts(
    context: &Context,
    id: ExecutionId,
    report: &dyn Report,
) -> Result<u32, OpsError> {
    let mut outage = Outage::new(context, id, report);
    loop {
        match logs::failed_attempts(context, id).await {
            Ok(failed) => {
                outage.over();
                return Ok(failed);
            }
            Err(error) => outage.bear(error)?,
        }
        context.world.sleep(LOOK_AGAIN).await;
    }
}

/// Docker's id of the container whose output is the execution's own.
fn container(execution: &Execution) -> Option<String> {
    let component = execution.ticket.application.monitor.as_ref()?;
    let mut members = execution.members(component.as_str());
    members.next().map(|instance| instance.container_id.clone())
}

/// Makes passes while members of a running execution are missing, lost, rejected or over, so that they are replaced though
/// whoever started it only reads its output. Returns when it is to end, or is gone.
async fn tend(context: &Context, id: ExecutionId, report: &dyn Report) {
    let report = &Only::of(id, report).once();
    loop {
        context.world.sleep(LOOK_AGAIN).await;
        // Who can't be asked now is asked again.
        let Ok(snapshot) = context.backend.observe(Scope::Executions).await else {
            continue;
        };
        let Some(execution) = snapshot.executions.get(&id) else {
            return;
        };
        if let Phase::Ending(_) = execution.phase() {
            return;
        }
        if execution.survey().is_well {
            continue;
        }
        if let Err(error) = reconcile::pass(context, report).await {
            tracing::warn!(%error, "a lost member is not replaced yet");
        }
    }
}

/// The member whose output is the execution's own.
fn monitor(execution: &Execution) -> Option<InstanceKey> {
    let component = execution.ticket.application.monitor.clone()?;
    Some(InstanceKey {
        execution: execution.ticket.id,
        component,
        index: 0,
    })
}

/// Passes on what a member writes: all that it will, or all that it has.
async fn pass_on(
    context: &Context,
    monitor: &InstanceKey,
    follow: bool,
    sink: &mut dyn Sink,
    passed: &mut Passed,
) -> Result<End, OpsError> {
    let range = LogRange {
        follow,
        ..LogRange::default()
    };
    let mut chunks = match context.backend.logs(monitor, range).await {
        Ok(chunks) => chunks,
        Err(EngineError::Gone { .. }) => return Ok(End::Reached),
        Err(EngineError::Unreachable { .. }) => return Ok(End::CutOff),
        Err(error) => return Err(error.into()),
    };
    // It is read from its beginning, and may have been read before.
    let mut known = *passed;
    while let Some(chunk) = chunks.next().await {
        let chunk = match chunk {
            Ok(chunk) => known.rest(chunk),
            Err(EngineError::Unreachable { .. }) => return Ok(End::CutOff),
            // A log that breaks off otherwise is read on from the archive, once the execution is over.
            Err(_) => break,
        };
        if chunk.bytes.is_empty() {
            continue;
        }
        write(sink, &chunk)?;
        *passed.of(chunk.output) += chunk.bytes.len();
    }
    Ok(End::Reached)
}

fn write(sink: &mut dyn Sink, chunk: &LogChunk) -> Result<(), OpsError> {
    sink.chunk(chunk)
        .map_err(|error| OpsError::failed(format!("cannot write the job's output: {error}")))
}

/// Passes on what the archive has, that of an earlier run or the last, and the containers did not give.
async fn pass_on_rest(
    context: &Context,
    id: ExecutionId,
    attempt: Option<u32>,
    passed: Passed,
    sink: &mut dyn Sink,
    report: &dyn Report,
) -> Result<(), OpsError> {
    let mut to_skip = passed;
    let mut chunks = match archives::of_monitor(context, id, attempt).await {
        Ok(chunks) => chunks,
        Err(error) => {
            report.tell(News::Warning(format!(
                "the end of the output may be missing: {error}"
            )));
            return Ok(());
        }
    };
    while let Some(chunk) = chunks.next().await {
        let chunk = to_skip.rest(chunk?);
        if !chunk.bytes.is_empty() {
            write(sink, &chunk)?;
        }
    }
    Ok(())
}
