//! The settings of `[filesystem]` that say how long logs are kept.

use std::time::Duration;

use super::Key;
use crate::config::kinds::Given;
use crate::model::Bytes;

pub(super) const MAX_AGE: Key = Key {
    section: "filesystem",
    name: "history_max_age",
    default: "",
    doc: "After how many days `zoe watch` removes the logs of an ended execution. Empty: never.",
    later: None,
    set: |config, given| {
        let days = given.optional(|g| {
            let days = g.number(1, 36_500);
            days.map_err(|problem| format!("{problem}; it is a time in days"))
        })?;
        let age = days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
        config.filesystem.history_max_age = age;
        Ok(given.text.to_owned())
    },
};

pub(super) const MAX_SIZE: Key = Key {
    section: "filesystem",
    name: "history_max_size",
    default: "",
    doc: "How much the logs of a deployment's ended executions may take together, such as 50g: above that `zoe watch` removes the \
          oldest. Empty: any amount.",
    later: None,
    set: |config, given| {
        let read = |g: &Given<'_>| g.text.parse::<Bytes>().map_err(|error| error.to_string());
        config.filesystem.history_max_size = given.optional(read)?;
        Ok(given.text.to_owned())
    },
};
