//! Users: what each may have, has, and has used.
//!
//! Without an entry a user is the operating system's, with what the configuration says of everybody.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::rights;
use super::submit::Submission;
use crate::engine::Scope;
use crate::model::danger::is_dangerous;
use crate::model::{
    Execution, ExecutionId, Limit, Limits, MailOn, Quota, Resources, Snapshot, ids,
};
use crate::scheduler::{self, Known, UserKnown};
use crate::store::{Role, Store, Usage, UsageQuery, User};

/// A user as people are shown one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// The name.
    pub name: String,
    /// Whether the site has entered it.
    pub is_entered: bool,
    /// Where mail goes.
    pub mail: Option<String>,
    /// When it is written, where the execution does not say; without it as the configuration says.
    pub mail_on: Option<MailOn>,
    /// What the user may do.
    pub role: Role,
    /// What the user may have.
    pub quota: Quota,
    /// Executions that run.
    pub running: u32,
    /// Executions that wait.
    pub queued: u32,
    /// What those that run hold.
    pub held: Resources,
    /// What was used in the time that counts for the quota, in core-seconds.
    pub used: u64,
    /// What was used, what is longer ago counting less, in core-seconds.
    pub usage: u64,
}

/// What is to be entered of a user; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Where mail goes; empty for nowhere.
    pub mail: Option<String>,
    /// When it is written; `Some(None)` is as the configuration says.
    pub mail_on: Option<Option<MailOn>>,
    /// What the user may do.
    pub role: Option<Role>,
    /// The limits; for each `Some(None)` is what everybody has.
    pub limits: LimitsEntry,
}

/// Limits that are to be set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitsEntry {
    /// Executions that run at once.
    pub executions: Option<Option<Limit>>,
    /// Cores that they hold at once, in thousandths.
    pub cores: Option<Option<Limit>>,
    /// Memory that they hold at once, in bytes.
    pub memory: Option<Option<Limit>>,
    /// Core-hours in the time that counts.
    pub hours: Option<Option<Limit>>,
}

impl LimitsEntry {
    fn over(self, before: Limits) -> Limits {
        Limits {
            executions: self.executions.unwrap_or(before.executions),
            cores: self.cores.unwrap_or(before.cores),
            memory: self.memory.unwrap_or(before.memory),
            hours: self.hours.unwrap_or(before.hours),
        }
    }
}

/// Refuses what its owner's quota could never let pass. Where the history can't be had, what everybody may have counts.
pub(super) async fn admit(context: &Context, submission: &Submission) -> Result<(), OpsError> {
    let settings = &context.settings;
    let entered = async {
        let store = context.history.open().await?;
        store.users(&settings.deployment).await
    };
    let entered = entered.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "quotas of users are not known");
        Vec::new()
    });
    let quota = quota(context, &entered, &settings.user);
    let Submission {
        application,
        timeout,
        ..
    } = submission;
    match scheduler::never(quota, application, *timeout, settings.mode) {
        None => Ok(()),
        Some(over) => Err(OpsError::new(
            ErrorKind::Refused,
            format!(
                "the quota of {} can never let this pass: {over}",
                settings.user
            ),
        )
        .hint("ask for less, or have the quota changed with `zoe user set`")),
    }
}

/// What a user may have: what was entered, and for the rest what everybody may.
fn quota(context: &Context, entered: &[User], name: &str) -> Quota {
    let own = entered.iter().find(|user| user.name == name);
    let limits = own.map(|user| user.limits).unwrap_or_default();
    limits.over(context.settings.quota)
}

/// What a user may have, as the history says.
pub(super) async fn quota_of(
    context: &Context,
    store: &dyn Store,
    name: &str,
) -> Result<Quota, OpsError> {
    let entered = store.users(&context.settings.deployment).await?;
    Ok(quota(context, &entered, name))
}

/// Adds to what is known what users may have and have used, for the ones that are not in it; whether there were any.
pub(super) async fn learn(
    context: &Context,
    store: &dyn Store,
    names: BTreeSet<String>,
    snapshot: &Snapshot,
    known: &mut Known,
) -> Result<bool, OpsError> {
    let names: Vec<String> = names
        .into_iter()
        .filter(|name| !known.users.contains_key(name))
        .collect();
    if names.is_empty() {
        return Ok(false);
    }
    let settings = &context.settings;
    let entered = store.users(&settings.deployment).await?;
    let quota = |name: &str| quota(context, &entered, name);
    // Among executions of one user usage decides nothing, and summing it up has a price.
    let several = names.len() + known.users.len() > 1;
    let counts = several || names.iter().any(|name| quota(name).hours.is_some());
    let usage = if counts {
        usage(context, store, snapshot).await?
    } else {
        BTreeMap::new()
    };
    for name in names {
        let Usage { used, decayed } = usage.get(&name).copied().unwrap_or_default();
        let user = UserKnown {
            quota: quota(&name),
            usage: decayed,
            used,
        };
        known.users.insert(name, user);
    }
    Ok(true)
}

/// What users have used, with what those executions have that still run.
async fn usage(
    context: &Context,
    store: &dyn Store,
    snapshot: &Snapshot,
) -> Result<BTreeMap<String, Usage>, OpsError> {
    let settings = &context.settings;
    let now = context.now();
    let since = now
        .checked_sub(settings.quota_window)
        .unwrap_or(Timestamp::MIN);
    let query = UsageQuery {
        now,
        since,
        half_life: settings.usage_half_life,
    };
    let mut all = store.usage(&settings.deployment, &query).await?;
    for (user, used) in used_before(context, store, snapshot).await? {
        let sum = all.entry(user).or_default();
        sum.used = sum.used.saturating_add(used);
        sum.decayed = sum.decayed.saturating_add(used);
    }
    for execution in snapshot.executions.values() {
        let Some(started) = execution.started_at() else {
            continue;
        };
        let used = |from: Timestamp| {
            let time = now.duration_since(from).max(SignedDuration::ZERO);
            let cores = execution.held().cores.millis();
            cores.saturating_mul(time.as_secs().unsigned_abs()) / 1000
        };
        let sum = all.entry(execution.ticket.user.clone()).or_default();
        sum.used = sum.used.saturating_add(used(started.max(since)));
        sum.decayed = sum.decayed.saturating_add(used(started));
    }
    Ok(all)
}

/// What those have used in attempts that are over which are not over themselves: whose it is, and core-seconds.
async fn used_before(
    context: &Context,
    store: &dyn Store,
    snapshot: &Snapshot,
) -> Result<Vec<(String, u64)>, OpsError> {
    let all = snapshot.executions.values();
    let again = all.filter(|execution| execution.ticket.terms.retries.most > 0);
    let again: Vec<ExecutionId> = again.map(|execution| execution.ticket.id).collect();
    if again.is_empty() {
        return Ok(Vec::new());
    }
    let records = store.get_all(&context.settings.deployment, &again).await?;
    // Of those that have an end already, what is added up has it.
    let open = records.into_values().filter(|record| record.end.is_none());
    let used = open.filter_map(|record| Some((record.user, record.used?.core_time / 1_000_000)));
    Ok(used.collect())
}

/// All users that were entered.
pub async fn list(context: &Context) -> Result<Vec<UserView>, OpsError> {
    let store = context.history.open().await?;
    let entered = store.users(&context.settings.deployment).await?;
    let names = entered.iter().map(|user| user.name.clone()).collect();
    views(context, store.as_ref(), names, &entered).await
}

/// One user, entered or not.
pub async fn show(context: &Context, name: &str) -> Result<UserView, OpsError> {
    check(name)?;
    let store = context.history.open().await?;
    let entered = store.users(&context.settings.deployment).await?;
    let views = views(context, store.as_ref(), vec![name.to_owned()], &entered).await?;
    let mut views = views.into_iter();
    views
        .next()
        .ok_or_else(|| OpsError::failed("a user was not looked at"))
}

async fn views(
    context: &Context,
    store: &dyn Store,
    names: Vec<String>,
    entered: &[User],
) -> Result<Vec<UserView>, OpsError> {
    let snapshot = context.backend.observe(Scope::Executions).await?;
    let usage = usage(context, store, &snapshot).await?;
    let view = |name: String| {
        let own = entered.iter().find(|user| user.name == name);
        let of_user = || {
            let all = snapshot.executions.values();
            all.filter(|execution| execution.ticket.user == name)
        };
        let count = |some: usize| u32::try_from(some).unwrap_or(u32::MAX);
        let running = of_user().filter(|e| !e.instances.is_empty()).count();
        let Usage { used, decayed } = usage.get(&name).copied().unwrap_or_default();
        UserView {
            is_entered: own.is_some(),
            mail: own.and_then(|user| user.mail.clone()),
            mail_on: own.and_then(|user| user.mail_on),
            role: own.map(|user| user.role).unwrap_or_default(),
            quota: quota(context, entered, &name),
            running: count(running),
            queued: count(of_user().count().saturating_sub(running)),
            held: of_user().map(Execution::held).sum(),
            used,
            usage: decayed,
            name,
        }
    };
    Ok(names.into_iter().map(view).collect())
}

/// Enters a user that was not, or changes one that was.
pub async fn enter(
    context: &Context,
    name: &str,
    entry: Entry,
    is_new: bool,
) -> Result<(), OpsError> {
    check(name)?;
    let store = context.history.open().await?;
    let deployment = &context.settings.deployment;
    let entered = store.users(deployment).await?;
    let only_mail = Entry {
        mail: entry.mail.clone(),
        ..Entry::default()
    };
    // Where one's own mail goes is one's own business.
    if is_new || name != context.settings.user || entry != only_mail {
        rights::check_users(context, &entered)?;
    }
    let before = entered.into_iter().find(|user| user.name == name);
    let before = match (before, is_new) {
        (Some(_), true) => {
            let message = format!("there is a user '{name}' already");
            return Err(OpsError::new(ErrorKind::Conflict, message).hint(format!(
                "`zoe user set {name}` changes what is known of a user"
            )));
        }
        (None, false) => return Err(no_user(name)),
        (Some(user), false) => user,
        (None, true) => User {
            name: name.to_owned(),
            mail: None,
            mail_on: None,
            role: Role::User,
            limits: Limits::default(),
        },
    };
    let user = User {
        mail: match entry.mail {
            None => before.mail,
            Some(mail) => Some(mail).filter(|mail| !mail.is_empty()),
        },
        mail_on: entry.mail_on.unwrap_or(before.mail_on),
        role: entry.role.unwrap_or(before.role),
        limits: entry.limits.over(before.limits),
        name: before.name,
    };
    Ok(store.enter(deployment, &user).await?)
}

/// Removes a user. The executions stay, and what everybody may have counts for them.
pub async fn remove(context: &Context, name: &str) -> Result<(), OpsError> {
    let store = context.history.open().await?;
    let entered = store.users(&context.settings.deployment).await?;
    rights::check_users(context, &entered)?;
    if store.expel(&context.settings.deployment, name).await? {
        Ok(())
    } else {
        Err(no_user(name))
    }
}

fn no_user(name: &str) -> OpsError {
    let message = format!("there is no user '{}'", ids::shorten(name));
    OpsError::new(ErrorKind::NotFound, message)
        .hint("`zoe user ls` lists those that were entered; `zoe user add` enters one")
}

/// A name that an operating system could give a user.
fn check(name: &str) -> Result<(), OpsError> {
    const LONGEST: usize = 64;
    let good = |c: char| !is_dangerous(c) && !c.is_whitespace() && c != ':' && c != '/';
    if name.is_empty() || name.chars().count() > LONGEST || !name.chars().all(good) {
        return Err(OpsError::usage(format!(
            "'{}' is not a user's name",
            ids::shorten(name)
        )));
    }
    Ok(())
}
