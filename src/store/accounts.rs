//! Users as rows, and what they have used: the statements, and how their results are understood. No database here.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::dialect::{Merge, Table};
use super::rows::Value;
use super::{Result, StoreError};
use crate::model::quota::{Limit, Limits};
use crate::model::{Deployment, MailOn, ids};

/// How many half-lives back anything is still counted: after so many a 65,536th is left.
const HALF_LIVES: i32 = 16;
/// Into how many parts a half-life is divided: what ended in the same part counts as one.
const PARTS: i64 = 32;

/// What a user may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// What everybody may.
    #[default]
    User,
    /// Also what concerns others.
    Admin,
}

impl Role {
    /// The word for it, in rows and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

/// A user as the site has entered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name, the operating system's.
    pub name: String,
    /// Where mail goes.
    pub mail: Option<String>,
    /// When it is written, where the execution does not say.
    pub mail_on: Option<MailOn>,
    /// What the user may do.
    pub role: Role,
    /// The limits that were set.
    pub limits: Limits,
}

/// What is asked about usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageQuery {
    /// The time now.
    pub now: Timestamp,
    /// Since when counts for the quota.
    pub since: Timestamp,
    /// The time after which something counts half; more than nothing.
    pub half_life: SignedDuration,
}

/// What executions of a user that are over have used, in core-seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// In the time that counts for the quota.
    pub used: u64,
    /// In all, what is longer ago counting less.
    pub decayed: u64,
}

/// The table of users.
pub const USERS: Table = Table {
    name: "users",
    key: &["deployment", "name"],
    columns: &[
        ("deployment", Merge::Keep),
        ("name", Merge::Keep),
        ("mail", Merge::Replace),
        ("mail_on", Merge::Replace),
        ("role", Merge::Replace),
        ("executions", Merge::Replace),
        ("cores", Merge::Replace),
        ("memory", Merge::Replace),
        ("hours", Merge::Replace),
    ],
};

/// The statement that lists users; its value is the deployment.
pub const LIST: &str = "SELECT name, mail, mail_on, role, executions, cores, memory, hours FROM users \
     WHERE deployment = ? ORDER BY name";

/// The statement that removes one; its values are the deployment and the name.
pub const REMOVE: &str = "DELETE FROM users WHERE deployment = ? AND name = ?";

/// A row of [`LIST`].
pub type UserRow = (
    String,
    Option<String>,
    Option<String>,
    String,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

/// A row of the statements of [`statements`]: user, end of the part of time, thousandths of a core times milliseconds.
pub type UsageRow = (String, i64, i64);

/// A user's values, in the order of [`USERS`].
pub fn user_values(deployment: &Deployment, user: &User) -> Vec<Value> {
    let text = |text: &str| Value::Text(Some(text.to_owned()));
    let limit = |limit: Option<Limit>| {
        Value::Number(limit.map(|limit| match limit {
            Limit::Unlimited => -1,
            Limit::At(most) => i64::try_from(most).unwrap_or(i64::MAX),
        }))
    };
    vec![
        text(deployment.as_str()),
        text(&user.name),
        Value::Text(user.mail.clone()),
        Value::Text(user.mail_on.map(|on| on.word().to_owned())),
        text(user.role.word()),
        limit(user.limits.executions),
        limit(user.limits.cores),
        limit(user.limits.memory),
        limit(user.limits.hours),
    ]
}

/// Understands a row of users.
pub fn read_user(row: UserRow) -> Result<User> {
    let (name, mail, mail_on, role, executions, cores, memory, hours) = row;
    let garbled = |what: &str, word: &str| StoreError::Garbled {
        what: format!("{what} of user '{}'", ids::shorten(&name)),
        why: format!("'{}' is none", ids::shorten(word)),
    };
    let role = match role.as_str() {
        "user" => Role::User,
        "admin" => Role::Admin,
        other => return Err(garbled("the role", other)),
    };
    let mail_on = match mail_on {
        None => None,
        Some(word) => Some(word.parse().map_err(|_| garbled("what is mailed", &word))?),
    };
    let limit = |number: Option<i64>| {
        number.map(|number| u64::try_from(number).map_or(Limit::Unlimited, Limit::At))
    };
    Ok(User {
        name,
        mail,
        mail_on,
        role,
        limits: Limits {
            executions: limit(executions),
            cores: limit(cores),
            memory: limit(memory),
            hours: limit(hours),
        },
    })
}

/// Two statements over the executions that are over, each with its values: what was used since the time that counts for the
/// quota, and what was used in each part of the time that counts at all. Their cost grows with the executions that ended in
/// that time, which an index has together, and not with the history. Of what was run several times, which began before the time
/// that counts for the quota, as much counts as if it had been used evenly. `1.0`: what an absurd row comes to is no error.
pub fn statements(deployment: &Deployment, query: &UsageQuery) -> [(String, Vec<Value>); 2] {
    let number = |ms: i64| Value::Number(Some(ms));
    let deployment = || Value::Text(Some(deployment.as_str().to_owned()));
    let since = query.since.as_millisecond();
    let used = "SELECT user_name, MAX(ended_at), \
         CAST(SUM(CASE WHEN core_time IS NULL THEN 1.0 * cores * (ended_at - CASE WHEN started_at < ? THEN ? ELSE started_at END) \
         WHEN started_at >= ? THEN 1.0 * core_time \
         ELSE 1.0 * ((core_time - core_time % (ended_at - started_at)) / (ended_at - started_at)) * (ended_at - ?) END) AS SIGNED INTEGER) FROM executions \
         WHERE deployment = ? AND ended_at > ? AND started_at IS NOT NULL AND cores IS NOT NULL GROUP BY user_name";
    let decayed = "SELECT user_name, ended_at - ended_at % ? AS part, CAST(SUM(COALESCE(1.0 * core_time, 1.0 * cores * (ended_at - started_at))) AS SIGNED INTEGER) \
         FROM executions WHERE deployment = ? AND ended_at > ? AND started_at IS NOT NULL AND cores IS NOT NULL \
         GROUP BY user_name, part";
    let half_life = half_life(query);
    let oldest = query
        .now
        .as_millisecond()
        .saturating_sub(half_life.saturating_mul(HALF_LIVES.into()));
    [
        (
            used.to_owned(),
            vec![
                number(since),
                number(since),
                number(since),
                number(since),
                deployment(),
                number(since),
            ],
        ),
        (
            decayed.to_owned(),
            vec![
                number((half_life / PARTS).max(1)),
                deployment(),
                number(oldest),
            ],
        ),
    ]
}

fn half_life(query: &UsageQuery) -> i64 {
    i64::try_from(query.half_life.as_millis())
        .unwrap_or(i64::MAX)
        .max(1)
}

/// What the rows of both statements say, by user.
pub fn read_usage(
    query: &UsageQuery,
    used: Vec<UsageRow>,
    decayed: Vec<UsageRow>,
) -> BTreeMap<String, Usage> {
    let mut all: BTreeMap<String, Usage> = BTreeMap::new();
    for (user, _, amount) in used {
        all.entry(user).or_default().used = core_seconds(amount);
    }
    let half_life = half_life(query);
    for (user, part, amount) in decayed {
        let age = query.now.as_millisecond().saturating_sub(part).max(0);
        let usage = all.entry(user).or_default();
        let left = left(core_seconds(amount), age, half_life);
        usage.decayed = usage.decayed.saturating_add(left);
    }
    all
}

/// From thousandths of a core times milliseconds.
fn core_seconds(amount: i64) -> u64 {
    u64::try_from(amount).unwrap_or(0) / 1_000_000
}

/// What is left of an amount after that time: half of it after each half-life, in between along a straight line, so that whole
/// numbers do.
fn left(amount: u64, age: i64, half_life: i64) -> u64 {
    let halvings = u32::try_from(age / half_life).unwrap_or(u32::MAX);
    let Some(halved) = amount.checked_shr(halvings) else {
        return 0;
    };
    let rest = u128::from((age % half_life).unsigned_abs());
    let gone = u128::from(halved) * rest / (2 * u128::from(half_life.unsigned_abs()));
    halved.saturating_sub(u64::try_from(gone).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_ago_counts_less() {
        let day = 86_400_000;
        assert_eq!(left(1000, 0, day), 1000);
        assert_eq!(left(1000, day / 2, day), 750);
        assert_eq!(left(1000, day, day), 500);
        assert_eq!(left(1000, 3 * day, day), 125);
        assert_eq!(left(u64::MAX, 100 * day, day), 0);
        assert_eq!(left(1000, i64::MAX, 1), 0);
    }
}
