//! Starting an execution: its network and members; if that can't be, it is undone and tried again, and at last given up.
//! Also what goes the other way: undoing a start, and removing members that are no good any more.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::ops::context::Context;
use crate::ops::error::{ErrorKind, OpsError};

use crate::apps;
use crate::engine::EngineError;
use crate::model::{Cause, Execution, InstanceKey, Mark, Placement};
use crate::ops::history::past::{self, DROPPED, REPLACED, START_FAILED, START_PUT_OFF, STARTED};
use crate::ops::history::record;
use crate::ops::logs::keep;
use crate::ops::mail::post::NOT_STARTED;
use crate::ops::proxy;
use crate::ops::report::{News, Report};
use crate::scheduler::Past;
use crate::store::Store;

/// What a step on an execution works with.
#[derive(Clone, Copy)]
pub(in crate::ops) struct Case<'a> {
    pub context: &'a Context,
    pub store: Option<&'a Arc<dyn Store>>,
    pub execution: &'a Execution,
    /// What history knows of it.
    pub past: &'a Past,
    pub report: &'a dyn Report,
}

impl Case<'_> {
    /// Makes and starts what the plan says, going on with what is there. A start that fails is undone, or the execution is
    /// marked as failed; one that ran already goes on without the new members. If Docker itself is gone nothing is concluded.
    pub(in crate::ops) async fn start(self, placement: &Placement) -> Result<(), OpsError> {
        let id = self.execution.ticket.id;
        if self.past.started {
            return self.add_members(placement).await;
        }
        self.report.tell(News::Starting(id));
        match self.launch(placement).await {
            Ok(()) => {
                let components = &self.execution.ticket.application.components;
                let all: u64 = components.iter().map(|c| u64::from(c.members())).sum();
                let detail = format!("{} of {all} members were started", placement.len());
                self.event(STARTED, &detail).await;
                record::started(self.context, self.store, self.execution, self.report).await;
                proxy::refresh(self.context, self.report).await;
                self.tell_started(placement);
                Ok(())
            }
            Err(Failure::Passing(error)) => Err(error.into()),
            Err(Failure::Ended) => Ok(()),
            Err(Failure::Final(why)) => self.give_up(&why).await,
            Err(Failure::NotNow(why)) => self.put_off(&why).await,
            Err(Failure::Other(why)) => self.failed(&why).await,
        }
    }

    /// Gives an execution that runs the members that it does not have.
    async fn add_members(self, placement: &Placement) -> Result<(), OpsError> {
        let there = |component: &str, index: u32| {
            let mut members = self.execution.members(component);
            members.any(|i| i.key.index == index && i.is_alive())
        };
        for ((component, index), node) in placement {
            if !there(component.as_str(), *index) {
                let key = InstanceKey {
                    execution: self.execution.ticket.id,
                    component: component.clone(),
                    index: *index,
                };
                let detail = past::replaced(&key, &format!("made on {node}"));
                self.event(REPLACED, &detail).await;
            }
        }
        match self.launch(placement).await {
            Ok(()) => {
                proxy::refresh(self.context, self.report).await;
                self.tell_started(placement);
                Ok(())
            }
            Err(Failure::Ended) => Ok(()),
            Err(Failure::Passing(error)) => Err(error.into()),
            Err(Failure::Final(why) | Failure::NotNow(why) | Failure::Other(why)) => {
                self.event("not-replaced", &why).await;
                let id = self.execution.ticket.id;
                self.report.tell(News::Warning(format!(
                    "{id} goes on without some of its members: {why}"
                )));
                Ok(())
            }
        }
    }

    /// Makes and starts these members, whatever was before.
    pub(in crate::ops) async fn make(self, placement: &Placement) -> Result<(), OpsError> {
        self.launch(placement)
            .await
            .map_err(|failure| match failure {
                Failure::Passing(error) => error.into(),
                Failure::Ended => OpsError::new(
                    ErrorKind::Conflict,
                    format!("{} was ended meanwhile", self.execution.ticket.id),
                ),
                Failure::Final(why) | Failure::NotNow(why) | Failure::Other(why) => {
                    OpsError::failed(why)
                }
            })
    }

    async fn launch(self, placement: &Placement) -> Result<(), Failure> {
        let ticket = &self.execution.ticket;
        let private = self.context.backend.private(ticket.id).await?;
        let members: BTreeSet<_> = placement.keys().cloned().collect();
        let mut launch = apps::expand_members(ticket, &private, &members)
            .map_err(|error| Failure::Final(error.to_string()))?;
        for spec in &mut launch.instances {
            let member = (spec.key.component.clone(), spec.key.index);
            spec.node = placement.get(&member).map(ToString::to_string);
        }
        Ok(self.context.backend.start(&launch).await?)
    }

    /// A start has failed: it is undone and waits for another try, unless this was the last one.
    async fn failed(self, why: &str) -> Result<(), OpsError> {
        let tries = self.past.tried().saturating_add(1);
        if tries >= self.context.settings.start_tries {
            return self.give_up(&times(why, tries)).await;
        }
        self.step_back(START_FAILED, why).await
    }

    /// There is no room for a start in what nobody counts, such as Docker's network addresses: it is undone and waits, and that
    /// is no try.
    async fn put_off(self, why: &str) -> Result<(), OpsError> {
        self.step_back(START_PUT_OFF, why).await
    }

    /// Clears away what was made for a start, after writing why.
    async fn step_back(self, kind: &str, why: &str) -> Result<(), OpsError> {
        self.event(kind, why).await;
        self.tell_failed(why.to_owned());
        Ok(self.context.backend.remove(self.execution).await?)
    }

    async fn give_up(self, why: &str) -> Result<(), OpsError> {
        let why = format!("{NOT_STARTED}: {why}");
        self.event("failed", &why).await;
        self.tell_failed(why);
        let marked = self.context.backend.mark(self.execution, Mark::Failed);
        Ok(marked.await?)
    }

    /// Undoes a start that went wrong: the ticket stays, and the execution is queued once more.
    pub(super) async fn undo(self, why: &Cause) -> Result<(), OpsError> {
        let made = self.execution.instances.iter().map(|i| i.created_at);
        let made_at: Option<Timestamp> = made.max();
        // What has begun to run has held what it was given until now.
        if let Some(store) = self.store.filter(|_| self.past.started) {
            let now = self.context.now();
            let written = record::attempt(self.context, store, self.execution, now);
            if let Err(error) = written.await {
                tracing::warn!(%error, "what a start has used was not written");
            }
        }
        // Once written down it counts as a try; whoever goes on with undoing it does not count it again.
        if !past::is_written(self.past, made_at) {
            self.event(START_FAILED, &why.to_string()).await;
            self.tell_failed(why.to_string());
        }
        let Context {
            backend, settings, ..
        } = self.context;
        proxy::withdraw(self.context, self.execution.ticket.id, self.report).await;
        // All of it may run, and says something until it is stopped.
        if let Cause::NotReady { .. } | Cause::Undone { .. } = why {
            backend.stop(self.execution, settings.grace).await?;
        }
        // What they said may tell why.
        let members = self.execution.instances.iter().filter(|i| !i.is_lost());
        let members: Vec<_> = members.map(|i| i.key.clone()).collect();
        keep::keep_members(self.context, self.execution, &members).await?;
        Ok(backend.remove(self.execution).await?)
    }

    /// Clears away a run of its program that failed, so that it is run once more.
    pub(in crate::ops) async fn again(self, code: i64, why: &str) -> Result<(), OpsError> {
        let mut attempts = self.past.failed();
        let newest = self.execution.instances.iter().map(|i| i.created_at).max();
        let written = self.past.attempts.last().map(|attempt| attempt.at);
        // Once written down it counts; whoever goes on with clearing away does not count it again.
        let is_written = !self.past.started && written.is_some() && written >= newest;
        let store = self.store.ok_or_else(|| {
            OpsError::failed("the history can't be written, without which nothing is run again")
        })?;
        if !is_written {
            attempts = attempts.saturating_add(1);
            let detail = past::attempt_failed(code, why);
            let id = self.execution.ticket.id;
            record::event_or_fail(self.context, store, id, past::ATTEMPT_FAILED, &detail).await?;
        }
        let Context {
            backend, settings, ..
        } = self.context;
        proxy::withdraw(self.context, self.execution.ticket.id, self.report).await;
        backend.stop(self.execution, settings.grace).await?;
        let stopped = backend.inspect(self.execution).await?;
        keep::keep_attempt(self.context, &stopped, attempts).await?;
        let ended_at = stopped.instances.iter().filter_map(|i| i.finished_at).max();
        let ended_at = ended_at.unwrap_or_else(|| self.context.now());
        record::attempt(self.context, store, &stopped, ended_at).await?;
        backend.remove(self.execution).await?;
        self.report.tell(News::Again {
            id: self.execution.ticket.id,
            code,
            why: why.to_owned(),
        });
        Ok(())
    }

    /// Removes members that are no good any more.
    pub(super) async fn drop_members(self, causes: &[Cause]) -> Result<(), OpsError> {
        let mut members = Vec::new();
        for cause in causes {
            if let Some(member) = cause.member() {
                self.event(DROPPED, &cause.to_string()).await;
                members.push(member.clone());
            }
        }
        // Nothing can be read of what is lost.
        let readable = causes.iter().filter(|c| !matches!(c, Cause::Lost { .. }));
        let readable: Vec<_> = readable.filter_map(Cause::member).cloned().collect();
        keep::keep_members(self.context, self.execution, &readable).await?;
        proxy::withdraw_members(self.context, self.execution, &members, self.report).await;
        let Context {
            backend, settings, ..
        } = self.context;
        let removed = backend.remove_members(self.execution, &members, settings.grace);
        removed.await?;
        self.report.tell(News::Dropped {
            id: self.execution.ticket.id,
            members: causes.iter().map(ToString::to_string).collect(),
            reclaimed: causes.iter().all(|c| matches!(c, Cause::Reclaimed { .. })),
        });
        Ok(())
    }

    fn tell_started(self, placement: &Placement) {
        let nodes: BTreeSet<_> = placement.values().map(ToString::to_string).collect();
        self.report.tell(News::Started {
            id: self.execution.ticket.id,
            nodes: nodes.into_iter().collect(),
        });
    }

    fn tell_failed(self, why: String) {
        let id = self.execution.ticket.id;
        self.report.tell(News::StartFailed { id, why });
    }

    /// Writes down why an execution ends that Docker does not show to have ended by itself.
    pub(super) async fn write_end(self, mark: Mark, why: &Cause) {
        let text = match (mark, why) {
            (Mark::Failed, Cause::Removed | Cause::Hopeless { .. }) | (Mark::Lost, _) => {
                why.to_string()
            }
            _ => {
                let tries = self.past.tried().saturating_add(1);
                let why = times(&why.to_string(), tries);
                format!("{NOT_STARTED}: {why}")
            }
        };
        self.event("failed", &text).await;
    }

    async fn event(self, kind: &str, detail: &str) {
        let id = self.execution.ticket.id;
        record::event(self.context, self.store, id, kind, detail).await;
    }
}

fn times(why: &str, tries: u32) -> String {
    if tries > 1 {
        format!("{why} (tried {tries} times)")
    } else {
        why.to_owned()
    }
}

/// Why members could not be started.
enum Failure {
    /// Docker could not be reached or understood: nothing is known.
    Passing(EngineError),
    /// The ticket is gone or marked: somebody ended it while it was being started.
    Ended,
    /// It can't be started, however often it is tried.
    Final(String),
    /// It works when others have given something back.
    NotNow(String),
    /// It did not work this time.
    Other(String),
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Unreachable { .. }
            | EngineError::OutOfReach { .. }
            | EngineError::Withheld { .. }
            | EngineError::Garbled { .. } => Self::Passing(error),
            EngineError::Gone { what } => {
                tracing::info!(%what, "an execution was ended while it was started");
                Self::Ended
            }
            EngineError::NotNow { .. } => Self::NotNow(error.to_string()),
            // The registry of an image that can't be had may be away for a while.
            EngineError::NoImage { .. }
            | EngineError::Conflict { .. }
            | EngineError::Refused { .. } => Self::Other(error.to_string()),
        }
    }
}
