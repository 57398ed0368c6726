//! A Docker, or a database, that does not answer for a while: it restarts, or the way to it is broken. What runs goes on without zoe,
//! so whoever waits for it asks again instead of giving it up. Whoever submits something asks again too, for less long: there
//! it is somebody's command line that waits.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::report::{News, Report};
use crate::model::ExecutionId;

/// How long silence is borne. A daemon with many containers takes a minute or two to restart.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// How long silence is borne by a command that is to be through soon: a daemon with few containers restarts in seconds.
const SHORT: SignedDuration = SignedDuration::from_mins(1);

/// How soon to ask again then.
const PAUSE: Duration = Duration::from_secs(1);

/// Does something that may be done twice, and again while Docker does not answer, for a minute at the most.
pub async fn bear<T>(
    context: &Context,
    report: &dyn Report,
    mut ask: impl AsyncFnMut() -> Result<T, OpsError>,
) -> Result<T, OpsError> {
    let begun = context.now();
    let mut tries = 0;
    loop {
        let error = match ask().await {
            Err(error) if error.is_unreachable() => error,
            answer => {
                if tries > 0 && answer.is_ok() {
                    report.tell(News::Warning("Docker answers again".to_owned()));
                }
                return answer;
            }
        };
        // Each try may have taken its time.
        let is_long = context.now().duration_since(begun) >= SHORT;
        if is_long || tries >= SHORT.as_secs() {
            return Err(error);
        }
        if tries == 0 {
            let text = format!("{error}; it is asked again for a minute");
            report.tell(News::Warning(text));
        }
        tries += 1;
        context.world.sleep(PAUSE).await;
    }
}

/// Silence, as far as there is one.
pub(super) struct Outage<'a> {
    context: &'a Context,
    execution: ExecutionId,
    report: &'a dyn Report,
    /// Since when, and who does not answer.
    since: Option<(Timestamp, &'static str)>,
}

impl<'a> Outage<'a> {
    /// There is none yet.
    pub(super) fn new(
        context: &'a Context,
        execution: ExecutionId,
        report: &'a dyn Report,
    ) -> Self {
        Self {
            context,
            execution,
            report,
            since: None,
        }
    }

    /// A call failed. Gives the error back where it is another one, or where it has lasted too long.
    pub(super) fn bear(&mut self, error: OpsError) -> Result<(), OpsError> {
        let Some(silent) = who(error.kind) else {
            return Err(error);
        };
        let now = self.context.now();
        let Some((since, _)) = self.since else {
            self.since = Some((now, silent));
            let id = self.execution;
            let text = format!("{error}; {id} is waited for, and {silent} asked again");
            self.report.tell(News::Warning(text));
            return Ok(());
        };
        if now.duration_since(since) < PATIENCE {
            return Ok(());
        }
        let id = self.execution;
        Err(error.hint(format!(
            "{id} may go on all the same: once {silent} answers, `zoe wait {id}` waits for it and `zoe logs {id}` has its output"
        )))
    }

    /// It answers.
    pub(super) fn over(&mut self) {
        if let Some((_, silent)) = self.since.take() {
            self.report
                .tell(News::Warning(format!("{silent} answers again")));
        }
    }
}

/// Who does not answer where something fails in that way.
fn who(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Unreachable => Some("Docker"),
        ErrorKind::Database => Some("the database"),
        ErrorKind::Usage
        | ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Refused
        | ErrorKind::TimedOut
        | ErrorKind::Failed => None,
    }
}
