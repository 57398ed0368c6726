//! Ending an execution: stop, keep the logs, record, remove; the ticket last.
//!
//! Each step can be repeated, and the order is such that a death between any two leaves something a later pass can go on
//! with: the mark says that it is to end, history has it before anything is removed, the ticket goes when nothing else is left.

use jiff::{SignedDuration, Timestamp};

use super::start::Case;
use crate::model::{Execution, InstanceState, Mark, Outcome};
use crate::ops::error::{ErrorKind, OpsError};
use crate::ops::history::{past, record};
use crate::ops::logs::keep;
use crate::ops::mail::post;
use crate::ops::proxy;
use crate::ops::report::News;
use crate::store::Event;

/// How long one step waits at the most for a time limit to run out.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(10);

/// Ends an execution, whatever is left of it.
///
/// If the history can't be written, or the logs, the containers stay, stopped and holding nothing, and so does the ticket:
/// the error says so, and the next pass tries again.
pub(in crate::ops) async fn end(case: Case<'_>, mark: Mark) -> Result<(), OpsError> {
    let Case {
        context,
        store,
        execution,
        report,
        ..
    } = case;
    if mark == Mark::TimedOut && execution.mark.is_none() && !is_out_of_time(case).await? {
        return Ok(());
    }
    report.tell(News::Ending(execution.ticket.id));
    context.backend.mark(execution, mark).await?;
    proxy::withdraw(context, execution.ticket.id, report).await;
    context
        .backend
        .stop(execution, context.settings.grace)
        .await?;
    let store = store.ok_or_else(|| {
        let message = format!(
            "{} is stopped, but the history cannot be written; its containers are kept until it can be",
            execution.ticket.id
        );
        OpsError::new(ErrorKind::Database, message)
    })?;
    let stopped = context.backend.inspect(execution).await?;
    let events = store
        .events(&context.settings.deployment, execution.ticket.id)
        .await?;
    let known = past::past(&events);
    let archive = keep::keep(context, &stopped, &known).await?;
    let outcome = outcome(&stopped, mark, &events);
    let at = finished_at(&stopped, mark).unwrap_or_else(|| context.now());
    let is_first = known.attempts.is_empty() && known.failures.is_empty();
    let how = outcome.clone();
    record::ended(context, store, &stopped, at, how, archive, is_first).await?;
    post::ended(context, store, &stopped, mark).await?;
    context.backend.remove(execution).await?;
    if !context.backend.remove_ticket(execution).await? {
        // Another was faster, and told.
        return Ok(());
    }
    // The first end that was written is the right one: another may have removed what this one looked at.
    let kept = store.get(&context.settings.deployment, execution.ticket.id);
    let kept = kept.await.ok().flatten().and_then(|record| record.end);
    let ticket = &execution.ticket;
    report.tell(News::Ended {
        id: ticket.id,
        name: ticket.name.to_string(),
        user: ticket.user.clone(),
        outcome: kept.map_or(outcome, |(_, outcome)| outcome),
    });
    Ok(())
}

/// Whether its time is over, which it may be in a moment: Docker lists when containers were made, in whole seconds, and tells
/// when they began only one by one.
async fn is_out_of_time(case: Case<'_>) -> Result<bool, OpsError> {
    let Case {
        context, execution, ..
    } = case;
    let seen = context.backend.inspect(execution).await?;
    let left = |deadline: Timestamp| deadline.duration_since(context.now());
    let left = seen
        .deadline()
        .map(left)
        .filter(SignedDuration::is_positive);
    match left {
        None => Ok(true),
        Some(left) => {
            let pause = left.min(LONGEST_WAIT);
            context.world.sleep(pause.unsigned_abs()).await;
            // It may have ended by itself: then that is how it ended. If there is more time left, a later pass finds it.
            let seen = context.backend.inspect(execution).await?;
            Ok(left == pause && seen.decisive_exit().is_none())
        }
    }
}

/// When it ended: when its decisive member exited, if that is why; otherwise when the last member stopped.
pub(in crate::ops) fn finished_at(execution: &Execution, mark: Mark) -> Option<Timestamp> {
    let decisive = match mark {
        Mark::Ending => execution
            .decisive_exit()
            .and_then(|instance| instance.finished_at),
        Mark::Cancelled | Mark::TimedOut | Mark::Failed | Mark::Lost => None,
    };
    decisive.or_else(|| {
        execution
            .instances
            .iter()
            .filter_map(|instance| instance.finished_at)
            .max()
    })
}

/// How it ended, from what Docker shows and, for what Docker can't show, the events.
pub(in crate::ops) fn outcome(execution: &Execution, mark: Mark, events: &[Event]) -> Outcome {
    let last = |kind: &str| {
        events
            .iter()
            .rev()
            .find(|event| event.kind == kind)
            .map(|event| event.detail.clone())
    };
    match mark {
        Mark::Cancelled => Outcome::Cancelled { by: last("cancel") },
        Mark::TimedOut => Outcome::TimedOut,
        Mark::Failed | Mark::Lost => Outcome::Failed {
            exit_code: 125,
            reason: last("failed").unwrap_or_else(|| {
                let unknown = if mark == Mark::Lost {
                    "a node it was on is gone"
                } else {
                    "it could not be started"
                };
                unknown.to_owned()
            }),
        },
        Mark::Ending => exit_of(execution),
    }
}

fn exit_of(execution: &Execution) -> Outcome {
    let Some(instance) = execution.decisive_exit() else {
        let reason = "its containers were removed by something other than zoe".to_owned();
        return Outcome::Failed {
            exit_code: 125,
            reason,
        };
    };
    let code = match instance.state {
        InstanceState::Exited { code } => code,
        InstanceState::Created
        | InstanceState::Running
        | InstanceState::Rejected
        | InstanceState::Lost { .. }
        | InstanceState::Other => 125,
    };
    let component = &instance.key.component;
    let monitored = execution.ticket.application.monitor.is_some();
    if instance.out_of_memory {
        let limit = instance.reservation.memory;
        let reason =
            format!("{component} was killed: it used more memory than its limit of {limit}");
        return Outcome::Failed {
            exit_code: code,
            reason,
        };
    }
    match (code, monitored) {
        (0, true) => Outcome::Finished,
        (code, true) => Outcome::Failed {
            exit_code: code,
            reason: format!("{component} exited with {code}"),
        },
        (code, false) => Outcome::Failed {
            exit_code: if code == 0 { 125 } else { code },
            reason: format!(
                "{component}-{} exited with {code} while it was still needed",
                instance.key.index
            ),
        },
    }
}
