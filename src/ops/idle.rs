//! What people are told of the use of executions, and the wish to keep one that nobody uses.

pub mod culling;
pub(super) mod signs;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::error::{ErrorKind, OpsError};
use super::history::record;
use super::mail::post::letter_id;
use super::resolve::{self, Found};
use super::rights;
use super::view::{ActivityView, SignView};
use crate::idle::{Known, Rule, Told, Verdict, Warned, ends_at};
use crate::model::{Execution, ExecutionId, MailKind, Phase};
use crate::store::{Activity, Cover, Kept, LetterQuery, LetterState, Store, Warning};

/// The kinds of events: somebody wants it kept, or not any more; the detail says who, and until when.
const KEPT: &str = "kept";
const NOT_KEPT: &str = "not-kept";
/// How much later than it should a look may come before what it saw is old.
const LATE: SignedDuration = SignedDuration::from_mins(2);

/// Until when something is kept that is kept until told otherwise: the first moment of the year 9999.
const FOR_EVER: i64 = 253_370_764_800;

/// Whether it is kept until told otherwise that is kept until then.
pub fn is_for_ever(until: Timestamp) -> bool {
    until.as_second() >= FOR_EVER
}

/// For how long something is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// For so long from now on.
    For(SignedDuration),
    /// Until somebody says otherwise.
    Always,
    /// Not any more.
    Off,
}

/// What was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Which execution.
    pub id: ExecutionId,
    /// What it is called.
    pub name: String,
    /// Until when it is kept; [`is_for_ever`] says whether that is until told otherwise. `None` if it is not.
    pub until: Option<Timestamp>,
}

/// After how long an execution is ended when nobody uses it; `None` for never.
pub(super) fn rule(context: &Context, execution: &Execution) -> Option<Rule> {
    let ticket = &execution.ticket;
    let activity = ticket.application.activity.as_ref();
    let ages = context.settings.culling.ages;
    Rule::of(ticket.terms.idle_timeout, activity, ages)
}

/// The topic of the mail with the warning for an idle period.
pub(super) fn topic(period: Timestamp) -> String {
    format!("idle-{}", period.as_millisecond())
}

/// Whether a mail warns of the end of something that is over, or that was used since.
pub(super) async fn is_late_warning(
    context: &Context,
    store: &dyn Store,
    cover: &Cover,
) -> Result<bool, OpsError> {
    if cover.kind != MailKind::NotebookWarning {
        return Ok(false);
    }
    let (deployment, id) = (&context.settings.deployment, cover.execution);
    let record = store.get(deployment, id).await?;
    if record.is_some_and(|record| record.end.is_some()) {
        return Ok(true);
    }
    let mut activity = store.activity_of(deployment, &[id]).await?;
    let used_at = activity.remove(&id).and_then(|activity| activity.used_at);
    Ok(used_at.is_some_and(|used_at| cover.id != letter_id(id, &topic(used_at))))
}

/// A warning that was given, and what became of its mail.
pub(super) async fn warned(
    context: &Context,
    store: &dyn Store,
    id: ExecutionId,
    warning: Warning,
) -> Result<Warned, OpsError> {
    let query = LetterQuery {
        id: Some(format!("{id}.{}", topic(warning.period))),
        ..LetterQuery::default()
    };
    let found = store.outbox(&context.settings.deployment, &query).await?;
    let told = match found.first() {
        None => Told::Nobody,
        // Where no mail goes out from here, nobody knows whether it ever does.
        Some(_) if context.settings.mail.is_none() => Told::Nobody,
        Some(posted) if posted.state == LetterState::Waiting => Told::NotYet,
        Some(posted) => Told::At(posted.next_at),
    };
    Ok(Warned {
        period: warning.period,
        deadline: warning.ends_at,
        told,
    })
}

/// The warning of the idle period that an execution is in.
fn current(known: &Activity) -> Option<Warning> {
    known
        .warned
        .filter(|warning| Some(warning.period) == known.used_at)
}

/// Notes that an execution is to be kept, or not any more, whether or not somebody uses it.
pub async fn keep(context: &Context, text: &str, keep: Keep) -> Result<Wish, OpsError> {
    let found = resolve::resolve(context, text).await?;
    rights::check(context, "keep it", [&found]).await?;
    let execution = match &found {
        Found::Alive(execution) => execution,
        Found::Past(record) => return Err(conflict(record.id, "is over")),
    };
    let id = execution.ticket.id;
    if matches!(execution.phase(), Phase::Ending(_)) {
        return Err(conflict(id, "is being ended"));
    }
    if rule(context, execution).is_none() {
        let message = format!("{id} is kept anyway: it is not ended for being idle");
        return Err(OpsError::new(ErrorKind::Conflict, message));
    }
    let now = context.now();
    let for_ever = Timestamp::from_second(FOR_EVER).unwrap_or(Timestamp::MAX);
    let until = match keep {
        Keep::For(length) => Some(now.checked_add(length).unwrap_or(for_ever)),
        Keep::Always => Some(for_ever),
        Keep::Off => None,
    };
    let by = &context.settings.user;
    let kept = until.map(|until| Kept {
        until,
        by: by.clone(),
    });
    let store = context.history.open().await?;
    let deployment = &context.settings.deployment;
    if !store.keep(deployment, id, kept.as_ref(), now).await? {
        return Err(conflict(id, "is being ended"));
    }
    let (kind, detail) = match (keep, until) {
        (Keep::For(_), Some(until)) => (KEPT, format!("until {until:.0}, by {by}")),
        (Keep::Always, _) => (KEPT, format!("until told otherwise, by {by}")),
        (Keep::For(_) | Keep::Off, _) => (NOT_KEPT, format!("by {by}")),
    };
    record::event(context, Some(&store), id, kind, &detail).await;
    Ok(Wish {
        id,
        name: execution.ticket.name.to_string(),
        until,
    })
}

fn conflict(id: ExecutionId, why: &str) -> OpsError {
    OpsError::new(ErrorKind::Conflict, format!("{id} {why}"))
}

/// What is known of the use of those that run and are ended when nobody uses them. History is asked only if there are any; where
/// it can't be had, nothing is known.
pub(super) async fn views<'e>(
    context: &Context,
    executions: impl Iterator<Item = &'e Execution>,
) -> BTreeMap<ExecutionId, ActivityView> {
    let ruled = executions.filter_map(|execution| {
        let runs = matches!(execution.phase(), Phase::Running { .. });
        let rule = rule(context, execution).filter(|_| runs)?;
        Some((execution, rule))
    });
    let ruled: Vec<(&Execution, Rule)> = ruled.collect();
    if ruled.is_empty() {
        return BTreeMap::new();
    }
    let ids: Vec<ExecutionId> = ruled.iter().map(|(e, _)| e.ticket.id).collect();
    let (known, warnings) = match known_of(context, &ids).await {
        Ok(known) => known,
        Err(error) => {
            tracing::warn!(%error, "what is used is not known");
            return BTreeMap::new();
        }
    };
    let view = |(execution, rule): (&Execution, Rule)| {
        let id = execution.ticket.id;
        let known = known.get(&id).map(|known| (known, warnings.get(&id)));
        (id, view(context, execution, rule, known))
    };
    ruled.into_iter().map(view).collect()
}

type ById<T> = BTreeMap<ExecutionId, T>;

/// What is known of the use of executions, and the warnings of those that are idle.
async fn known_of(
    context: &Context,
    ids: &[ExecutionId],
) -> Result<(ById<Activity>, ById<Warned>), OpsError> {
    let store = context.history.open().await?;
    let known = store.activity_of(&context.settings.deployment, ids);
    let known = known.await?;
    let mut warnings = BTreeMap::new();
    for (id, warning) in known
        .iter()
        .filter_map(|(id, known)| Some((*id, current(known)?)))
    {
        let warned = warned(context, store.as_ref(), id, warning).await?;
        warnings.insert(id, warned);
    }
    Ok((known, warnings))
}

fn view(
    context: &Context,
    execution: &Execution,
    rule: Rule,
    known: Option<(&Activity, Option<&Warned>)>,
) -> ActivityView {
    let now = context.now();
    let mut view = ActivityView {
        idle_timeout: rule.end,
        state: None,
        used_at: None,
        used_by: None,
        checked_at: None,
        warned_at: None,
        ends_at: None,
        warning_waits: false,
        kept_until: None,
        signs: Vec::new(),
    };
    let Some((known, warned)) = known else {
        return view;
    };
    let kept = known.kept.as_ref().map(|kept| kept.until);
    view.kept_until = kept.filter(|until| *until > now);
    let (Some(used_at), Some(checked_at)) = (known.used_at, known.checked_at) else {
        return view;
    };
    // What was looked at is another run of it, before it was started once more.
    if execution.started_at().is_some_and(|at| checked_at < at) {
        return view;
    }
    view.checked_at = Some(checked_at);
    view.used_at = Some(used_at);
    view.used_by = known.used_by.map(|sign| sign.word().to_owned());
    let signs = known.said.iter().map(|(sign, said)| SignView {
        sign: sign.word().to_owned(),
        state: said.verdict.word().to_owned(),
        used_at: said.at,
        text: said.text.clone(),
    });
    view.signs = signs.collect();
    let every = SignedDuration::try_from(context.settings.culling.every);
    let late = every.unwrap_or(SignedDuration::MAX).saturating_add(LATE);
    if now.duration_since(checked_at) > late {
        // Nobody watches: it may be used, and it is not ended.
        return view;
    }
    let verdicts = known.said.iter().map(|(_, said)| said.verdict);
    let verdict = verdicts.max().unwrap_or(Verdict::Unreadable);
    view.state = Some(verdict.word().to_owned());
    view.warned_at = current(known).map(|warning| warning.at);
    if verdict == Verdict::Idle {
        view.warning_waits = warned.is_some_and(|warned| warned.told == Told::NotYet);
        let known = Known {
            used_at,
            warned: warned.copied(),
            kept_until: kept,
        };
        let ends_at = ends_at(rule, &known, now);
        view.ends_at = Some(ends_at).filter(|at| !is_for_ever(*at));
    }
    view
}
