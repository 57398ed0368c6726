//! Looking after executions that nobody uses: their owners are warned, and later they are ended.
//!
//! A round asks all signs, notes what they said, and does what [`decide`] says. A warning's mail is in the outbox before the warning
//! is noted: the mail has its own place there for each idle period, so that a death in between sends no second one. That it is
//! ended is noted before it is done, by a statement that fails if somebody has said meanwhile that it is to be kept.

mod log;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use jiff::Timestamp;

use self::log::{Log, read_log};
use super::signs;
use crate::engine::EngineError;
use crate::idle::{Ages, Decision, Known, Rule, Said, Seen, Sign, add_up, decide};
use crate::mail::{self, compose};
use crate::model::{Execution, ExecutionId, MailKind, Mark, Phase, Snapshot};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::history::record;
use crate::ops::mail::post;
use crate::ops::{idle, present};
use crate::store::{Activity, Look, Store, Warning};

/// How many executions are asked at once.
const AT_ONCE: usize = 16;
/// What the one begins with who has ended what nobody used: no user is called so.
const BY: &str = "zoe: not used for ";
/// The kind of an event: its owner was warned; the detail says of what.
const WARNED: &str = "idle-warned";

/// How a site looks after what nobody uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Culling {
    /// When owners are warned and executions ended.
    pub ages: Ages,
    /// How often to look, where nothing is due before.
    pub every: Duration,
    /// The web server's access log, if it is read.
    pub access_log: Option<PathBuf>,
}

/// What was done about an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Which.
    pub id: ExecutionId,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// Since when nobody has used it.
    pub idle_since: Timestamp,
    /// When it ends, of one that was warned; it is being ended otherwise.
    pub ends_at: Option<Timestamp>,
}

/// What came of a round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// When something is due, if nothing is used before.
    pub due: Option<Timestamp>,
    /// Warnings and ends.
    pub acts: Vec<Act>,
    /// What could not be done, by what it is about.
    pub troubles: BTreeMap<String, String>,
}

/// The executions that a round is about. Of a Docker that could not be read in full nothing is concluded: none.
pub fn concerned(context: &Context, snapshot: &Snapshot) -> Vec<Execution> {
    if !snapshot.gaps.is_empty() {
        return Vec::new();
    }
    let all = snapshot.executions.values();
    let some = all.filter(|execution| {
        let runs = matches!(execution.phase(), Phase::Running { .. });
        runs && idle::rule(context, execution).is_some()
    });
    some.cloned().collect()
}

/// Looks after these executions once.
pub async fn round(context: &Context, executions: &[Execution]) -> Result<Round, OpsError> {
    let mut round = Round::default();
    if executions.is_empty() {
        return Ok(round);
    }
    let store = context.history.open().await?;
    let ids: Vec<ExecutionId> = executions.iter().map(|e| e.ticket.id).collect();
    let deployment = &context.settings.deployment;
    let known = store.activity_of(deployment, &ids).await?;
    let (log, position) = read_log(context, &store, executions).await?;
    if let Some(why) = log.trouble() {
        let why = format!("{why}; what is behind the web server counts as used");
        round.troubles.insert("access log".to_owned(), why);
    }
    let mut cases = Vec::new();
    for execution in executions {
        let case = Case {
            context,
            store: &store,
            execution,
        };
        let known = known.get(&execution.ticket.id);
        cases.push(case.look_after(known, &log).boxed());
    }
    let done = stream::iter(cases).buffer_unordered(AT_ONCE);
    let done: Vec<(ExecutionId, Result<Done, OpsError>)> = done.collect().await;
    let mut is_noted = true;
    for (id, done) in done {
        match done {
            Ok(done) => {
                round.due = [round.due, done.due].into_iter().flatten().min();
                round.acts.extend(done.act);
            }
            Err(error) => {
                is_noted = false;
                let what = format!("whether {id} is used");
                round.troubles.insert(what, error.to_string());
            }
        }
    }
    // What could not be noted is read once more.
    if let (Some((log, mark)), true) = (position, is_noted) {
        store.set_position(deployment, &log, &mark).await?;
    }
    Ok(round)
}

/// What came of looking after one.
struct Done {
    due: Option<Timestamp>,
    act: Option<Act>,
}

#[derive(Clone, Copy)]
struct Case<'a> {
    context: &'a Context,
    store: &'a Arc<dyn Store>,
    execution: &'a Execution,
}

impl Case<'_> {
    async fn look_after(
        self,
        known: Option<&Activity>,
        log: &Log,
    ) -> (ExecutionId, Result<Done, OpsError>) {
        let id = self.execution.ticket.id;
        (id, self.look_and_decide(known, log).await)
    }

    async fn look_and_decide(self, known: Option<&Activity>, log: &Log) -> Result<Done, OpsError> {
        let Self {
            context, execution, ..
        } = self;
        let nothing = Done {
            due: None,
            act: None,
        };
        let (Some(rule), Phase::Running { since }) =
            (idle::rule(context, execution), execution.phase())
        else {
            return Ok(nothing);
        };
        let before = known.and_then(|known| known.requested_at);
        let requested_at = log.last(execution, before);
        let requests = log.requests(context, execution, requested_at);
        let before = known.map_or(&[][..], |known| known.said.as_slice());
        let said = signs::ask(context, execution, requests, before).await;
        let now = context.now();
        let used_at = known.and_then(|known| known.used_at);
        // Members that come later begin nothing anew.
        let begun = execution.started_at().unwrap_or(since);
        let seen = add_up(begun, used_at, &said, now);
        self.note(known, seen, requested_at, said, now).await?;
        let warning = known.and_then(|known| known.warned);
        let warned = match warning.filter(|warning| warning.period == seen.used_at) {
            Some(warning) => {
                let id = execution.ticket.id;
                Some(idle::warned(context, self.store.as_ref(), id, warning).await?)
            }
            None => None,
        };
        let known = Known {
            used_at: seen.used_at,
            warned,
            kept_until: known.and_then(|known| Some(known.kept.as_ref()?.until)),
        };
        let act = match decide(rule, &known, now) {
            Decision::Wait { until } => {
                return Ok(Done {
                    due: Some(until),
                    ..nothing
                });
            }
            Decision::Warn { ends_at } => self.warn(seen.used_at, now, ends_at).await?,
            Decision::End => self.end(rule, seen.used_at, now).await?,
        };
        Ok(Done {
            due: act.as_ref().and_then(|act| act.ends_at),
            act,
        })
    }

    async fn note(
        self,
        known: Option<&Activity>,
        seen: Seen,
        requested_at: Option<Timestamp>,
        said: Vec<(Sign, Said)>,
        now: Timestamp,
    ) -> Result<(), OpsError> {
        let look = Look {
            execution: self.execution.ticket.id,
            used_at: seen.used_at,
            used_by: seen.by.or(known.and_then(|known| known.used_by)),
            requested_at,
            checked_at: now,
            said,
        };
        let deployment = &self.context.settings.deployment;
        Ok(self.store.looked(deployment, &look).await?)
    }

    async fn warn(
        self,
        period: Timestamp,
        now: Timestamp,
        ends_at: Timestamp,
    ) -> Result<Option<Act>, OpsError> {
        let Self {
            context,
            store,
            execution,
        } = self;
        let ticket = &execution.ticket;
        let recipient = post::recipient(context, store.as_ref(), ticket).await?;
        if let Some(recipient) = recipient.filter(post::Recipient::wants_notebooks) {
            let notebook = mail::Notebook {
                idle_since: period,
                now,
                deadline: ends_at,
                url: url(context, execution),
                logs: None,
            };
            let letter = compose::notebook_warning(&post::about(context, ticket), &notebook);
            let topic = idle::topic(period);
            let what = (MailKind::NotebookWarning, topic.as_str(), letter);
            post::put(context, store.as_ref(), ticket, &recipient, what).await?;
        }
        let warning = Warning {
            period,
            at: now,
            ends_at,
        };
        let deployment = &context.settings.deployment;
        if !store.warned(deployment, ticket.id, warning).await? {
            return Ok(None);
        }
        let detail = format!("not used since {period:.0}; it ends at {ends_at:.0}");
        record::event(context, Some(store), ticket.id, WARNED, &detail).await;
        Ok(Some(self.act(period, Some(ends_at))))
    }

    async fn end(
        self,
        rule: Rule,
        period: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Act>, OpsError> {
        let Self {
            context,
            store,
            execution,
        } = self;
        let id = execution.ticket.id;
        let deployment = &context.settings.deployment;
        if !store.end_idle(deployment, id, period, now).await? {
            return Ok(None);
        }
        let idle = now.duration_since(period).max(rule.end);
        let by = format!("{BY}{}", crate::idle::short(idle));
        record::event_or_fail(context, store, id, "cancel", &by).await?;
        match context.backend.mark(execution, Mark::Cancelled).await {
            Ok(()) | Err(EngineError::Gone { .. }) => Ok(Some(self.act(period, None))),
            Err(error) => Err(error.into()),
        }
    }

    fn act(self, idle_since: Timestamp, ends_at: Option<Timestamp>) -> Act {
        let ticket = &self.execution.ticket;
        Act {
            id: ticket.id,
            name: ticket.name.to_string(),
            user: ticket.user.clone(),
            idle_since,
            ends_at,
        }
    }
}

/// Where it is, without anything secret: mail is read on its way.
fn url(context: &Context, execution: &Execution) -> Option<String> {
    let view = present::alive(execution, None, None, None, context.site());
    let principal = execution.ticket.application.principal()?;
    let of_it = format!("{}/", principal.name);
    let mut urls = view.urls.into_iter();
    urls.find(|url| url.name.starts_with(&of_it))
        .map(|url| url.url)
}

/// Whether it was ended so for being idle.
pub(in crate::ops) fn is_by_culling(by: Option<&str>) -> bool {
    by.is_some_and(|by| by.starts_with(BY))
}
