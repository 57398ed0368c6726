//! The executions that have to be over before: who is meant, and what of those that are over already.

use super::After;
use crate::model::{Dependency, Outcome, RequiredEnd, Snapshot};
use crate::ops::context::Context;
use crate::ops::error::{ErrorKind, OpsError};
use crate::ops::resolve::{self, Found};
use crate::store::Record;

/// Those that are not over yet. One that is over is judged at once: it has ended as it had to, or the submission is refused.
pub(super) async fn resolve(
    context: &Context,
    snapshot: &Snapshot,
    asked: &[After],
) -> Result<Vec<Dependency>, OpsError> {
    let mut dependencies = Vec::new();
    for After { execution, end } in asked {
        for found in resolve::resolve_several(context, snapshot, execution).await? {
            match found {
                Found::Alive(found) => dependencies.push(Dependency {
                    execution: found.ticket.id,
                    end: *end,
                }),
                Found::Past(record) => has_ended_as_it_had_to(&record, *end).map_err(|error| {
                    error.hint(format!("--after {execution}:any takes any end"))
                })?,
            }
        }
    }
    dependencies.sort_unstable();
    dependencies.dedup();
    Ok(dependencies)
}

fn has_ended_as_it_had_to(record: &Record, end: RequiredEnd) -> Result<(), OpsError> {
    let ended = record.end.as_ref().map(|(_, outcome)| outcome);
    let why = match (ended, end) {
        (_, RequiredEnd::Any) | (Some(Outcome::Finished), RequiredEnd::Ok) => return Ok(()),
        (None, RequiredEnd::Ok) => "nobody knows how it ended".to_owned(),
        (Some(Outcome::Failed { reason, .. }), RequiredEnd::Ok) => format!("it failed: {reason}"),
        (Some(Outcome::TimedOut), RequiredEnd::Ok) => "it ran out of time".to_owned(),
        (Some(Outcome::Cancelled { .. }), RequiredEnd::Ok) => "it was cancelled".to_owned(),
    };
    let message = format!(
        "{} is over and has not ended well: {why}; this could never start",
        record.id
    );
    Err(OpsError::new(ErrorKind::Refused, message))
}
