//! The settings of `[quota]`: what every user may have for whom nothing else was entered.

use super::Key;
use crate::config::Config;
use crate::config::kinds::Given;
use crate::model::{Bytes, Cores};

pub(super) const EXECUTIONS: Key = Key {
    section: "quota",
    name: "executions",
    default: "",
    doc: "How many executions of a user may run at once, unless `zoe user set` says otherwise. Empty: any number.",
    later: None,
    set: |config, given| {
        config.quota.limits.executions = given.optional(|g| g.number(0, 1_000_000))?;
        Ok(given.text.to_owned())
    },
};

pub(super) const CORES: Key = Key {
    section: "quota",
    name: "cores",
    default: "",
    doc: "How many cores the executions of a user may hold together. Empty: any number.",
    later: None,
    set: |config, given| {
        let read = |g: &Given<'_>| g.text.parse::<Cores>().map_err(|error| error.to_string());
        config.quota.limits.cores = given.optional(read)?;
        Ok(given.text.to_owned())
    },
};

pub(super) const MEMORY: Key = Key {
    section: "quota",
    name: "memory",
    default: "",
    doc: "How much memory the executions of a user may hold together, such as 64g. Empty: any amount.",
    later: None,
    set: |config, given| {
        let read = |g: &Given<'_>| g.text.parse::<Bytes>().map_err(|error| error.to_string());
        config.quota.limits.memory = given.optional(read)?;
        Ok(given.text.to_owned())
    },
};

pub(super) const HOURS: Key = Key {
    section: "quota",
    name: "hours",
    default: "",
    doc: "How many core-hours a user may use in the time that `window` says. Empty: any number.",
    later: None,
    set: |config, given| {
        let hours = given.optional(|g| g.number(0, u32::MAX))?;
        config.quota.limits.hours = hours.map(u64::from);
        Ok(given.text.to_owned())
    },
};

pub(super) const WINDOW: Key = Key {
    section: "quota",
    name: "window",
    default: "30",
    doc: "How many days back what was used counts for `hours`.",
    later: None,
    set: |config, given| days(config, given, |config| &mut config.quota.window),
};

pub(super) const HALF_LIFE: Key = Key {
    section: "quota",
    name: "half_life",
    default: "7",
    doc: "After how many days what a user has used counts half where users are served by their fair share.",
    later: None,
    set: |config, given| days(config, given, |config| &mut config.quota.half_life),
};

fn days(
    config: &mut Config,
    given: &Given<'_>,
    place: fn(&mut Config) -> &mut std::time::Duration,
) -> Result<String, String> {
    let days = given
        .number(1, 3_660)
        .map_err(|problem| format!("{problem}; it is a time in days"))?;
    *place(config) = std::time::Duration::from_secs(u64::from(days) * 86_400);
    Ok(given.text.to_owned())
}
