//! Steps being carried out: beside each other, but those on one execution one after the other.
//!
//! What is begun here is decided elsewhere. Starts that come out of two plans must not be under way together unless the
//! second plan has seen all that the first is to make: [`Work::may_start`] tells. Of what ends or is cleared away, only so many
//! at a time are under way: a thousand at once would keep Docker and the database from everything else.

use std::collections::{BTreeMap, VecDeque};

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use std::sync::Arc;

use super::Failure;
use super::end;
use super::lease::Claim;
use super::start::Case;
use crate::model::{Execution, ExecutionId, Placement, Snapshot, Step};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::report::Report;
use crate::scheduler::{Known, Past};
use crate::store::Store;

/// How many subjects at a time have something ended or cleared away. A stop takes up to the grace of its containers, in which
/// nothing is to be done: there have to be many.
const ENDS: usize = 64;

/// What a step is about: nothing is done to it by two steps at the same time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// An execution.
    Execution(ExecutionId),
    /// An object without one, by Docker's id of it.
    Object(String),
}

impl Subject {
    /// What a step is about.
    pub(in crate::ops) fn of(step: &Step) -> Self {
        match step {
            Step::End { execution, .. }
            | Step::Rollback { execution, .. }
            | Step::Retry { execution, .. }
            | Step::Drop { execution, .. }
            | Step::Start { execution, .. } => Self::Execution(*execution),
            Step::Sweep(orphan) => Self::Object(orphan.docker_id.clone()),
            Step::RemoveImage(image) => Self::Object(image.docker_id.clone()),
        }
    }

    fn execution(&self) -> Option<ExecutionId> {
        match self {
            Self::Execution(id) => Some(*id),
            Self::Object(_) => None,
        }
    }
}

/// Whether only the holder of the lease may do it. What is over, or marked, anybody may end; but that something has lost its
/// members is concluded from what history says of it, and that may be younger than what was seen of Docker: without the lease
/// another may have started it in between.
pub(super) fn needs_lease(step: &Step) -> bool {
    match step {
        Step::Start { .. }
        | Step::Rollback { .. }
        | Step::Retry { .. }
        | Step::Drop { .. }
        | Step::End { why: Some(_), .. } => true,
        Step::End { why: None, .. } | Step::Sweep(_) | Step::RemoveImage(_) => false,
    }
}

/// What steps are carried out with: what was seen and known when they were planned, the history, and the lease.
pub(super) struct Round<'r> {
    pub snapshot: &'r Snapshot,
    pub known: &'r Known,
    pub store: Option<&'r Arc<dyn Store>>,
    pub claim: Option<Claim>,
}

/// What has become of all that was to be done to one subject.
pub(super) struct Done {
    pub subject: Subject,
    /// The first thing that could not be done; what was to follow it was not tried.
    pub failure: Option<Failure>,
}

/// What is being done to a subject, or was a moment ago.
struct Busy {
    needs_lease: bool,
    /// Whether it is one of those of which only so many are under way.
    ends: bool,
    /// What a start is to make.
    placements: Vec<Placement>,
}

/// Steps under way.
pub(super) struct Work<'a> {
    context: &'a Context,
    report: &'a dyn Report,
    under_way: FuturesUnordered<BoxFuture<'a, Done>>,
    /// Ends that are to be begun when others are through.
    later: VecDeque<BoxFuture<'a, Done>>,
    /// How many ends are under way.
    ends: usize,
    busy: BTreeMap<Subject, Busy>,
    /// What is through since that was asked last: who has looked meanwhile may have seen it half done.
    done: Vec<(Done, Option<Busy>)>,
}

impl<'a> Work<'a> {
    pub(in crate::ops) fn new(context: &'a Context, report: &'a dyn Report) -> Self {
        Self {
            context,
            report,
            under_way: FuturesUnordered::new(),
            later: VecDeque::new(),
            ends: 0,
            busy: BTreeMap::new(),
            done: Vec::new(),
        }
    }

    /// Begins these steps; what is being done something to already is left to that.
    pub(in crate::ops) fn begin(&mut self, round: &Round<'_>, steps: &[Step]) {
        let mut by_subject: Vec<(Subject, Vec<Step>)> = Vec::new();
        for step in steps {
            let subject = Subject::of(step);
            if self.is_busy(&subject) {
                continue;
            }
            match by_subject.iter_mut().find(|(other, _)| *other == subject) {
                Some((_, steps)) => steps.push(step.clone()),
                None => by_subject.push((subject, vec![step.clone()])),
            }
        }
        for (subject, steps) in by_subject {
            let placements = steps.iter().filter_map(|step| match step {
                Step::Start { placement, .. } => Some(placement.clone()),
                Step::End { .. }
                | Step::Rollback { .. }
                | Step::Retry { .. }
                | Step::Drop { .. }
                | Step::Sweep(_)
                | Step::RemoveImage(_) => None,
            });
            let placements: Vec<Placement> = placements.collect();
            let ends = placements.is_empty();
            let busy = Busy {
                needs_lease: steps.iter().any(needs_lease),
                ends,
                placements,
            };
            self.busy.insert(subject.clone(), busy);
            let tools = Tools::of(self.context, self.report, round, &subject);
            let work = carry_out(tools, subject, steps).boxed();
            if ends && self.ends >= ENDS {
                self.later.push_back(work);
            } else {
                self.ends += usize::from(ends);
                self.under_way.push(work);
            }
        }
    }

    /// Forgets what was not begun yet: whoever looks next finds it again.
    pub(super) fn begin_no_more(&mut self) {
        self.later.clear();
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Whether something is being done to it, or was since [`Work::take_done`].
    pub(super) fn is_busy(&self, subject: &Subject) -> bool {
        self.busy.contains_key(subject)
            || self.done.iter().any(|(done, _)| done.subject == *subject)
    }

    /// Whether something is through since [`Work::take_done`].
    pub(super) fn has_done(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether anything is under way that only the holder of the lease may do.
    pub(super) fn needs_lease(&self) -> bool {
        self.busy.values().any(|busy| busy.needs_lease)
    }

    /// Whether a plan over this snapshot may start something: all members are in it that the starts are to make which are
    /// under way, or were since [`Work::take_done`]; so that the room they take was not given to others.
    pub(super) fn may_start(&self, snapshot: &Snapshot) -> bool {
        let done = self.done.iter();
        let done = done.filter_map(|(done, busy)| Some((&done.subject, busy.as_ref()?)));
        self.busy.iter().chain(done).all(|(subject, busy)| {
            let execution = subject.execution();
            let execution = execution.and_then(|id| snapshot.executions.get(&id));
            let all = |execution: &Execution| {
                let made = |component: &str, index| {
                    let mut members = execution.members(component);
                    members.any(|member| member.key.index == index)
                };
                let mut keys = busy.placements.iter().flat_map(Placement::keys);
                keys.all(|(component, index)| made(component.as_str(), *index))
            };
            execution.is_none_or(all)
        })
    }

    /// Waits until something is through; for ever where nothing is under way.
    pub(in crate::ops) async fn some(&mut self) {
        match self.under_way.next().await {
            Some(done) => {
                let busy = self.busy.remove(&done.subject);
                if busy.as_ref().is_some_and(|busy| busy.ends) {
                    match self.later.pop_front() {
                        Some(next) => self.under_way.push(next),
                        None => self.ends = self.ends.saturating_sub(1),
                    }
                }
                self.done.push((done, busy));
            }
            None => std::future::pending().await,
        }
    }

    /// Waits until all is through.
    pub(in crate::ops) async fn all(&mut self) {
        while !self.is_idle() {
            self.some().await;
        }
    }

    /// Goes on with what is under way while something else is waited for.
    pub(in crate::ops) async fn meanwhile<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = std::pin::pin!(other);
        loop {
            tokio::select! {
                biased;
                value = &mut other => return value,
                () = self.some() => {}
            }
        }
    }

    /// What has been got through since this was asked last.
    pub(super) fn take_done(&mut self) -> impl Iterator<Item = Done> {
        std::mem::take(&mut self.done)
            .into_iter()
            .map(|(done, _)| done)
    }
}

/// What a step's own future has of its own.
struct Tools<'a> {
    context: &'a Context,
    report: &'a dyn Report,
    store: Option<Arc<dyn Store>>,
    claim: Option<Claim>,
    execution: Option<Execution>,
    past: Past,
}

impl<'a> Tools<'a> {
    fn of(
        context: &'a Context,
        report: &'a dyn Report,
        round: &Round<'_>,
        subject: &Subject,
    ) -> Self {
        let id = subject.execution();
        let execution = id.and_then(|id| round.snapshot.executions.get(&id));
        Self {
            context,
            report,
            store: round.store.cloned(),
            claim: round.claim.clone(),
            execution: execution.cloned(),
            past: id
                .and_then(|id| round.known.past(id))
                .cloned()
                .unwrap_or_default(),
        }
    }

    fn case(&self) -> Option<Case<'_>> {
        Some(Case {
            context: self.context,
            store: self.store.as_ref(),
            execution: self.execution.as_ref()?,
            past: &self.past,
            report: self.report,
        })
    }

    async fn effect(&self, step: &Step) -> Result<(), OpsError> {
        if !needs_lease(step) {
            return self.carry_out(step).await;
        }
        // The lease can lapse while earlier steps take their time; whoever has it now decides anew.
        match self.claim.as_ref().filter(|claim| claim.is_valid()) {
            Some(claim) => claim.guard(self.carry_out(step)).await,
            None => Err(OpsError::failed(
                "the lease was lost to another zoe; nothing more is started by this one",
            )),
        }
    }

    async fn carry_out(&self, step: &Step) -> Result<(), OpsError> {
        let backend = &self.context.backend;
        match (step, self.case()) {
            (Step::Sweep(orphan), _) => Ok(backend.sweep(orphan).await?),
            (Step::RemoveImage(image), _) => Ok(backend.remove_job_image(image).await?),
            (Step::End { mark, why, .. }, Some(case)) => {
                if let Some(why) = why {
                    case.write_end(*mark, why).await;
                }
                end::end(case, *mark).await
            }
            (Step::Rollback { why, .. }, Some(case)) => case.undo(why).await,
            (Step::Retry { code, why, .. }, Some(case)) => case.again(*code, why).await,
            (Step::Drop { members, .. }, Some(case)) => case.drop_members(members).await,
            (Step::Start { placement, .. }, Some(case)) => case.start(placement).await,
            (
                Step::End { .. }
                | Step::Rollback { .. }
                | Step::Retry { .. }
                | Step::Drop { .. }
                | Step::Start { .. },
                None,
            ) => Ok(()),
        }
    }
}

async fn carry_out(tools: Tools<'_>, subject: Subject, steps: Vec<Step>) -> Done {
    for step in &steps {
        tracing::info!(?step, "carrying out");
        if let Err(error) = tools.effect(step).await {
            let failure = Failure {
                execution: subject.execution(),
                kind: error.kind,
                message: error.to_string(),
            };
            return Done {
                subject,
                failure: Some(failure),
            };
        }
    }
    Done {
        subject,
        failure: None,
    }
}
