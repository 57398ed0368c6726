//! The labels of an execution's terms: each is there only where it says something.

use super::{LabelError, Reader, invalid};
use crate::model::{Dependency, Retries, Terms, TermsError};

/// Its priority, if it is not 0.
pub const PRIORITY: &str = "zoe.priority";
/// The executions that have to be over before it starts, if there are any: `ID:ok` or `ID:any`, with a space between two.
pub const AFTER: &str = "zoe.after";
/// Its place in an array, if it has one: the array's id, its index, and perhaps how many run at once.
pub const ARRAY: &str = "zoe.array";
/// How often it is run again when it fails, if at all, and with which exit codes.
pub const RETRIES: &str = "zoe.retries";
/// `true` if it was submitted to wait until somebody releases it.
pub const HELD: &str = "zoe.held";
/// When its owner is written to, if that was said: `end`, `fail` or `never`.
pub const MAIL_ON: &str = "zoe.mail-on";
/// For how long it may be idle, if that was said: `never`, or such as `4h`.
pub const IDLE_TIMEOUT: &str = "zoe.idle-timeout";

pub(super) fn put(terms: &Terms, mut put: impl FnMut(&str, String) -> Option<String>) {
    let Terms {
        priority,
        after,
        array,
        retries,
        held,
        mail_on,
        idle_timeout,
    } = terms;
    if *priority != 0 {
        put(PRIORITY, priority.to_string());
    }
    if !after.is_empty() {
        let after: Vec<String> = after.iter().map(Dependency::to_string).collect();
        put(AFTER, after.join(" "));
    }
    if let Some(place) = array {
        put(ARRAY, place.to_string());
    }
    if *retries != Retries::default() {
        put(RETRIES, retries.to_string());
    }
    if *held {
        put(HELD, held.to_string());
    }
    if let Some(mail_on) = mail_on {
        put(MAIL_ON, mail_on.to_string());
    }
    if let Some(idle_timeout) = idle_timeout {
        put(IDLE_TIMEOUT, idle_timeout.to_string());
    }
}

pub(super) fn decode(labels: &Reader<'_>) -> Result<Terms, LabelError> {
    let mut after = Vec::new();
    for one in labels.get(AFTER).into_iter().flat_map(|all| all.split(' ')) {
        after.push(
            one.parse()
                .map_err(|why: TermsError| invalid(AFTER, one, &why))?,
        );
    }
    Ok(Terms {
        priority: labels.read_if_there(PRIORITY)?.unwrap_or_default(),
        after,
        array: labels.read_if_there(ARRAY)?,
        retries: labels.read_if_there(RETRIES)?.unwrap_or_default(),
        held: labels.read_if_there(HELD)?.unwrap_or_default(),
        mail_on: labels.read_if_there(MAIL_ON)?,
        idle_timeout: labels.read_if_there(IDLE_TIMEOUT)?,
    })
}
