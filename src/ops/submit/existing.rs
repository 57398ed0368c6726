//! What there is already: an execution with the same key, or one with the same name.

use sha2::{Digest, Sha256};

use super::{Accepted, Member, Submission};
use crate::apps;
use crate::model::{ExecutionId, ExecutionName, Snapshot};
use crate::ops::context::Context;
use crate::ops::error::{ErrorKind, OpsError};
use crate::ops::report::{News, Report};
use crate::ops::resolve::LAST;

pub(super) fn check_name(member: &Member) -> Result<(), OpsError> {
    match &member.name {
        Some(name) if name.as_str() == LAST => Err(OpsError::usage(format!(
            "'{LAST}' cannot be a name: it means the submission made last"
        ))),
        _ => Ok(()),
    }
}

/// The id that belongs to a key: everybody who has the key makes the same.
pub(super) fn id_of_key(context: &Context, key: &str) -> ExecutionId {
    let deployment = context.settings.deployment.as_str();
    let digest = Sha256::digest(format!("{deployment}\0{}\0{key}", context.settings.user));
    ExecutionId::from_bits(
        digest
            .iter()
            .take(8)
            .fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
    )
}

/// The id of the array that has these keys: that of its first member, whether that still is or not.
pub(super) fn array_of_key(context: &Context, members: &[Member]) -> Option<ExecutionId> {
    let key = members.first()?.key.as_ref()?;
    Some(id_of_key(context, key))
}

/// The execution with the member's key, if there is or was one.
pub(super) async fn existing(
    context: &Context,
    snapshot: &Snapshot,
    submission: &Submission,
    member: &Member,
    report: &dyn Report,
) -> Result<Option<Accepted>, OpsError> {
    let Some(key) = &member.key else {
        return Ok(None);
    };
    let id = id_of_key(context, key);
    if let Some(execution) = snapshot.executions.get(&id) {
        if execution.ticket.key.as_ref() != Some(key) {
            let message = format!("the key's id {id} belongs to another execution");
            return Err(OpsError::new(ErrorKind::Conflict, message).hint("use another key"));
        }
        warn_of_change(
            submission,
            &apps::to_json(&execution.ticket.application),
            report,
        );
        return Ok(Some(Accepted::Alive(id)));
    }
    let asked = async {
        let store = context.history.open().await?;
        store.get(&context.settings.deployment, id).await
    };
    // Without an answer it might be submitted twice, which is what a key is against.
    let record = asked.await.map_err(|error| {
        OpsError::from(error)
            .hint("only the history knows whether this key was used before; without a key it would be queued")
    })?;
    let over = record.filter(|record| record.end.is_some());
    if let Some(record) = &over {
        warn_of_change(submission, &record.description, report);
    }
    Ok(over.map(|record| Accepted::Over(Box::new(record))))
}

/// A key decides alone; but who uses it for something else should know.
fn warn_of_change(submission: &Submission, earlier: &str, report: &dyn Report) {
    if apps::to_json(&submission.application) != earlier {
        let text = "what was submitted with this key before differs from what is submitted now; the earlier one counts";
        report.tell(News::Warning(text.to_owned()));
    }
}

pub(super) fn free_name(snapshot: &Snapshot, member: &Member) -> Result<(), OpsError> {
    let Some(name) = &member.name else {
        return Ok(());
    };
    let taken = snapshot.executions.values().any(|e| {
        (e.mark.is_none() && e.ticket.name == *name) || e.ticket.id.as_str() == name.as_str()
    });
    if taken { Err(name_taken(name)) } else { Ok(()) }
}

pub(super) fn name_taken(name: &ExecutionName) -> OpsError {
    OpsError::new(
        ErrorKind::Conflict,
        format!("there is an execution called '{name}' already"),
    )
    .hint("choose another name, or end that one with `zoe kill`")
}
