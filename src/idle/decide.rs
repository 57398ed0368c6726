//! The decision: whether an idle execution is warned, ended, or left alone, and when to look again.

use jiff::{SignedDuration, Timestamp};

use super::Rule;

/// What is known of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// When it was used last; now, if it is used.
    pub used_at: Timestamp,
    /// The last warning.
    pub warned: Option<Warned>,
    /// Until when somebody wants it kept.
    pub kept_until: Option<Timestamp>,
}

/// A warning that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warned {
    /// For which idle period: the `used_at` of then.
    pub period: Timestamp,
    /// The end that was announced.
    pub deadline: Timestamp,
    /// Whether the owner can know of it.
    pub told: Told,
}

/// What became of the mail with a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// There is nobody to be written to, or it was so long ago that nothing is known.
    Nobody,
    /// It left then, or was given up.
    At(Timestamp),
    /// It is still to be sent.
    NotYet,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing before then.
    Wait {
        /// When there is something to do, if it is not used before.
        until: Timestamp,
    },
    /// Its owner is warned that it ends.
    Warn {
        /// When.
        ends_at: Timestamp,
    },
    /// It is ended.
    End,
}

fn after(at: Timestamp, length: SignedDuration) -> Timestamp {
    at.checked_add(length).unwrap_or(Timestamp::MAX)
}

/// What is to be done with an execution now.
///
/// It is ended so long after it was used last, not before what was announced, and not before its owner has had the grace after a
/// warning that has left. While its mail can't be sent that is put off, but not for ever: for as long again.
pub fn decide(rule: Rule, known: &Known, now: Timestamp) -> Decision {
    let is_kept = known.kept_until.is_some_and(|until| until > now);
    let is_warned = warning(known).is_some();
    if let (Some(_), false) = (rule.warning, is_warned) {
        let at = warns_at(rule, known);
        if is_kept || now < at {
            return Decision::Wait { until: at };
        }
        return Decision::Warn {
            ends_at: ends_at(rule, known, now),
        };
    }
    let at = ends_at(rule, known, now);
    if is_kept || now < at {
        Decision::Wait { until: at }
    } else {
        Decision::End
    }
}

/// When it is ended, if nothing happens to it.
pub fn ends_at(rule: Rule, known: &Known, now: Timestamp) -> Timestamp {
    let grace = rule.grace();
    let due = after(known.used_at, rule.end).max(known.kept_until.unwrap_or(Timestamp::MIN));
    match (rule.warning, warning(known)) {
        (None, _) => due,
        (Some(_), None) => due.max(after(warns_at(rule, known).max(now), grace)),
        (Some(_), Some(warned)) => {
            let told = match warned.told {
                Told::Nobody => Timestamp::MIN,
                Told::At(at) => after(at, grace),
                Told::NotYet => after(warned.deadline, rule.end),
            };
            due.max(warned.deadline).max(told)
        }
    }
}

/// The warning of this idle period.
fn warning(known: &Known) -> Option<Warned> {
    known.warned.filter(|warned| warned.period == known.used_at)
}

fn warns_at(rule: Rule, known: &Known) -> Timestamp {
    let warning = rule.warning.unwrap_or(rule.end);
    after(known.used_at, warning).max(known.kept_until.unwrap_or(Timestamp::MIN))
}
