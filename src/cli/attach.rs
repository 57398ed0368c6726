//! Submitting, and staying with what was submitted: shared by `submit`, `run`, `cluster` and `notebook`.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::error::{CommandError, INTERRUPTED};
use super::session::{Done, Session, job_code};
use crate::engine::{LogChunk, Output};
use crate::model::{ExecutionId, Outcome};
use crate::ops::attach::{Sink, attach};
use crate::ops::kill::Selection;
use crate::ops::submit::{Accepted, Submission, submit, submit_all};
use crate::ops::view::ExecutionView;
use crate::ops::wait::{Until, Waited, wait_for};
use crate::ops::{self, Context, News, Report as _};
use crate::output::progress::Reporter;

/// How long to stay with something that serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// Not at all.
    Not,
    /// Until it is ready.
    UntilReady,
    /// Until Ctrl-C, which ends it.
    UntilInterrupted,
}

impl Stay {
    /// Until it is ready, unless detached.
    pub fn leave(detached: bool) -> Self {
        if detached {
            Self::Not
        } else {
            Self::UntilReady
        }
    }
}

/// Ctrl-C: the first is told to whoever waits for it, the second ends the process.
struct Interrupts {
    first: Arc<Notify>,
    submitted: Arc<AtomicBool>,
}

impl Interrupts {
    fn listen() -> Result<Self, CommandError> {
        let mut signals = signal(SignalKind::interrupt())
            .map_err(|error| CommandError::failed(format!("cannot listen for Ctrl-C: {error}")))?;
        let this = Self {
            first: Arc::default(),
            submitted: Arc::default(),
        };
        let (first, submitted) = (Arc::clone(&this.first), Arc::clone(&this.submitted));
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                if !submitted.load(Ordering::Relaxed) {
                    let said = "leaving as soon as it is submitted; Ctrl-C again ends zoe at once";
                    let _ = writeln!(io::stderr(), "{said}");
                }
                first.notify_one();
                if signals.recv().await.is_some() {
                    // Everything zoe does can be cut short: the next zoe goes on with it.
                    std::process::exit(i32::from(INTERRUPTED));
                }
            }
        });
        Ok(this)
    }

    /// From now on there is something to go on without zoe.
    fn submitted(&self) {
        self.submitted.store(true, Ordering::Relaxed);
    }

    async fn first(&self) {
        self.first.notified().await;
    }
}

/// The job's own output and errors, passed on.
struct Streams<'a>(&'a Reporter);

impl Sink for Streams<'_> {
    fn chunk(&mut self, chunk: &LogChunk) -> io::Result<()> {
        self.0.step_aside();
        let written = match chunk.output {
            Output::Stdout => io::stdout()
                .write_all(&chunk.bytes)
                .and_then(|()| io::stdout().flush()),
            Output::Stderr => io::stderr().write_all(&chunk.bytes),
        };
        match written {
            // Nobody reads any more; the job goes on, and its exit code is still of interest.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }
}

/// Submits and, unless detached, stays to the end: the job's output is zoe's, and so is its exit code.
pub async fn launch(
    session: &Session,
    context: &Context,
    submission: &Submission,
    detach: bool,
) -> Done {
    if submission.terms.array.is_some() {
        return array(session, context, submission, detach).await;
    }
    let interrupts = Interrupts::listen()?;
    let reporter = session.face.reporter();
    let accepted = submit(context, submission, &reporter).await?;
    interrupts.submitted();
    let id = accepted.id();
    if detach {
        return detached(session, context, id, &reporter).await;
    }
    if let Accepted::Over(record) = &accepted {
        reporter.note(&format!("{id} with this key is over already"));
        return Ok(record
            .end
            .as_ref()
            .map_or(125, |(_, outcome)| job_code(outcome.exit_code())));
    }
    let mut sink = Streams(&reporter);
    tokio::select! {
        outcome = attach(context, id, &mut sink, &reporter) => {
            let outcome = outcome?;
            reporter.step_aside();
            tell(session, id, &outcome);
            Ok(job_code(outcome.exit_code()))
        }
        () = interrupts.first() => {
            reporter.step_aside();
            session.face.note(&format!("{id} goes on; follow it with `zoe logs -f {id}`, end it with `zoe kill {id}`"));
            Ok(INTERRUPTED)
        }
    }
}

/// Submits an array and, unless detached, waits for all of it. The exit code is that of the first, by index, that did not end
/// well. What they write is in their logs: so many at once would drown each other.
async fn array(
    session: &Session,
    context: &Context,
    submission: &Submission,
    detach: bool,
) -> Done {
    let interrupts = Interrupts::listen()?;
    let reporter = session.face.reporter();
    let accepted = submit_all(context, submission, &reporter).await?;
    interrupts.submitted();
    let ids: Vec<ExecutionId> = accepted.iter().map(Accepted::id).collect();
    for id in &ids {
        session.face.print(&format!("{id}\n"))?;
    }
    if detach {
        let pass = async || ops::reconcile::pass(context, &reporter).await;
        if let Err(error) = ops::outage::bear(context, &reporter, pass).await {
            left_queued(session, "they are", error)?;
        }
        return Ok(0);
    }
    let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let waited = tokio::select! {
        waited = ops::wait::wait(context, &texts, Until::Ended, None, &reporter) => waited?,
        () = interrupts.first() => {
            reporter.step_aside();
            session.face.note("they go on; `zoe ps` lists them");
            return Ok(INTERRUPTED);
        }
    };
    reporter.step_aside();
    let mut code = 0;
    for (id, waited) in &waited {
        let Waited::Ended(outcome) = waited else {
            continue;
        };
        tell(session, *id, outcome);
        if code == 0 {
            code = job_code(outcome.exit_code());
        }
    }
    Ok(code)
}

/// Submits something that serves, and prints where it is, in the words of `place`, once it is ready.
pub async fn serve(
    session: &Session,
    context: &Context,
    submission: &Submission,
    stay: Stay,
    place: fn(&ExecutionView) -> String,
) -> Done {
    let interrupts = Interrupts::listen()?;
    let reporter = session.face.reporter();
    let id = submit(context, submission, &reporter).await?.id();
    interrupts.submitted();
    if stay == Stay::Not {
        return detached(session, context, id, &reporter).await;
    }
    let waited = tokio::select! {
        waited = wait_for(context, id, Until::Running, None, &reporter) => waited?,
        () = interrupts.first() => return left(session, context, id, stay, &reporter).await,
    };
    reporter.step_aside();
    let execution = match waited {
        Waited::Running(execution) => execution,
        Waited::Ended(outcome) => return Err(ended_early(id, &outcome)),
    };
    let view = ops::list::owner_view(context, &execution).await?;
    session.face.print(&place(&view))?;
    if stay == Stay::UntilReady {
        return Ok(0);
    }
    session.face.note(&format!("{id} runs until Ctrl-C"));
    tokio::select! {
        waited = wait_for(context, id, Until::Ended, None, &reporter) => match waited? {
            Waited::Ended(outcome) => { tell(session, id, &outcome); Ok(job_code(outcome.exit_code())) }
            Waited::Running(_) => Ok(0),
        },
        () = interrupts.first() => left(session, context, id, stay, &reporter).await,
    }
}

/// Prints the id of what goes on alone. One pass is made, so that it starts now if there is room.
async fn detached(
    session: &Session,
    context: &Context,
    id: ExecutionId,
    reporter: &Reporter,
) -> Done {
    session.face.print(&format!("{id}\n"))?;
    let pass = async || ops::reconcile::pass_for(context, id, reporter).await;
    let pass = match ops::outage::bear(context, reporter, pass).await {
        Ok(pass) => pass,
        Err(error) => {
            left_queued(session, &format!("{id} is"), error)?;
            return Ok(0);
        }
    };
    if let Some(reason) = pass.waits_for(id) {
        reporter.tell(News::Waiting(reason));
    }
    if !pass.snapshot.executions.contains_key(&id)
        && let Outcome::Failed {
            exit_code: 125,
            reason,
        } = ops::wait::outcome(context, id).await?
    {
        return Err(CommandError::failed(format!("{id} failed: {reason}")));
    }
    Ok(0)
}

/// What was asked for is done, as it is submitted, though Docker has gone away before it was started. Any other error is one.
fn left_queued(session: &Session, what: &str, error: ops::OpsError) -> Result<(), CommandError> {
    if !error.is_unreachable() {
        return Err(error.into());
    }
    session.face.warn(&format!(
        "{error}; {what} submitted, and started by `zoe watch` or the next `zoe wait` once it answers"
    ));
    Ok(())
}

async fn left(
    session: &Session,
    context: &Context,
    id: ExecutionId,
    stay: Stay,
    reporter: &Reporter,
) -> Done {
    reporter.step_aside();
    if stay == Stay::UntilInterrupted {
        ops::kill::kill(context, &Selection::Named(vec![id.to_string()]), reporter).await?;
        return Ok(0);
    }
    session.face.note(&format!(
        "{id} goes on; see it with `zoe show {id}`, end it with `zoe kill {id}`"
    ));
    Ok(INTERRUPTED)
}

/// Says how it ended, where the exit code alone does not.
fn tell(session: &Session, id: ExecutionId, outcome: &Outcome) {
    match outcome {
        Outcome::Finished => {}
        Outcome::Failed { reason, .. } => session.face.note(&format!("{id} failed: {reason}")),
        Outcome::TimedOut => session.face.note(&format!("{id} ran out of time")),
        Outcome::Cancelled { by: Some(by) } => {
            session.face.note(&format!("{id} was cancelled by {by}"));
        }
        Outcome::Cancelled { by: None } => session.face.note(&format!("{id} was cancelled")),
    }
}

fn ended_early(id: ExecutionId, outcome: &Outcome) -> CommandError {
    let why = match outcome {
        Outcome::Failed { reason, .. } => format!(": {reason}"),
        Outcome::Finished => String::new(),
        Outcome::TimedOut => ": it ran out of time".to_owned(),
        Outcome::Cancelled { .. } => ": it was cancelled".to_owned(),
    };
    CommandError::failed(format!("{id} ended before it was ready{why}"))
        .hint(format!("`zoe logs {id}` shows what it wrote"))
}
