//! Actors that do not keep to the protocol: what the explorer must find.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use zoe::engine::{
    Backend, BoxStream, BuildRequest, ExecRequest, ExecSession, ImageInfo, Images, JobFiles,
    LogChunk, LogRange, NodeUse, ProgressSink, Result, Scope, Submitted, Usage, gate,
};
use zoe::model::{
    Deployment, Execution, ExecutionId, InstanceKey, JobImage, Launch, Mark, Orphan, Outcome,
    Private, Snapshot, Ticket,
};
use zoe::ops::OpenStore;
use zoe::store::accounts::{UsageQuery, User};
use zoe::store::{
    self, Bodies, Event, Lease, Letter, LetterChange, LetterClaim, LetterQuery, Posted, Query,
    Record, Store,
};

use crate::store::MemoryStore;

/// What is wrong with an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// It works as if it had the lease, whatever it is told.
    IgnoresTheLease,
    /// It takes those who hold the lease for dead.
    BuriesTheLiving,
    /// It plans with what it saw first.
    LooksOnce,
    /// It removes the ticket before history has the execution.
    RemovesTheTicketFirst,
    /// It does not write down in Docker that an execution is to end.
    MarksNothing,
    /// It removes an execution's members before they are stopped and their logs are kept.
    RemovesBeforeItKeeps,
    /// It takes a history that could not be written for one that was.
    BelievesTheHistory,
    /// It goes on with a start though its lease has lapsed.
    StartsTooLate,
    /// It does not know that anything is held.
    ForgetsHolds,
    /// It does not know that one has to wait for another.
    ForgetsDependencies,
    /// It takes whatever has ended for having ended well.
    BelievesInGoodEnds,
    /// It does not know that only so many of an array may run at once.
    ForgetsArrays,
    /// It writes down of no attempt that it has failed.
    CountsNoAttempts,
    /// It writes down of each attempt twice that it has failed.
    CountsAttemptsTwice,
    /// It finds nothing in any log.
    ReadsNoLogs,
    /// It takes back all members when it is to take back some.
    TakesTheCoreBack,
}

impl Mutant {
    pub fn of(
        self,
        backend: Arc<dyn Backend>,
        store: MemoryStore,
    ) -> (Arc<dyn Backend>, Arc<dyn OpenStore>) {
        let history = History {
            mutant: self,
            store,
        };
        let docker = Docker {
            mutant: self,
            inner: backend,
            first: Mutex::default(),
        };
        (Arc::new(docker), Arc::new(history))
    }
}

#[derive(Clone)]
struct History {
    mutant: Mutant,
    store: MemoryStore,
}

#[async_trait]
impl OpenStore for History {
    async fn open(&self) -> store::Result<Arc<dyn Store>> {
        Ok(Arc::new(self.clone()))
    }
}

impl zoe::store::Activities for History {}

#[async_trait]
impl Store for History {
    fn place(&self) -> String {
        self.store.place()
    }

    async fn record(&self, deployment: &Deployment, record: &Record) -> store::Result<()> {
        match self.store.record(deployment, record).await {
            Err(_) if self.mutant == Mutant::BelievesTheHistory => Ok(()),
            result => result,
        }
    }

    async fn event(&self, deployment: &Deployment, event: &Event) -> store::Result<()> {
        if event.kind == "attempt-failed" {
            match self.mutant {
                Mutant::CountsNoAttempts => return Ok(()),
                Mutant::CountsAttemptsTwice => {
                    let mut other = event.clone();
                    other.detail.push('!');
                    self.store.event(deployment, &other).await?;
                }
                _ => {}
            }
        }
        match self.store.event(deployment, event).await {
            Err(_) if self.mutant == Mutant::BelievesTheHistory => Ok(()),
            result => result,
        }
    }

    async fn events_of(
        &self,
        deployment: &Deployment,
        ids: &[ExecutionId],
    ) -> store::Result<BTreeMap<ExecutionId, Vec<Event>>> {
        let mut found = self.store.events_of(deployment, ids).await?;
        if self.mutant == Mutant::ForgetsHolds {
            let events = found.values_mut();
            events.for_each(|events| events.retain(|event| event.kind != "held"));
        }
        Ok(found)
    }

    async fn get_all(
        &self,
        deployment: &Deployment,
        ids: &[ExecutionId],
    ) -> store::Result<BTreeMap<ExecutionId, Record>> {
        let mut found = self.store.get_all(deployment, ids).await?;
        if self.mutant == Mutant::BelievesInGoodEnds {
            let ends = found.values_mut().flat_map(|record| &mut record.end);
            ends.for_each(|(_, outcome)| *outcome = Outcome::Finished);
        }
        Ok(found)
    }

    async fn find(&self, deployment: &Deployment, query: &Query) -> store::Result<Vec<Record>> {
        self.store.find(deployment, query).await
    }

    async fn forget(&self, deployment: &Deployment, id: ExecutionId) -> store::Result<()> {
        self.store.forget(deployment, id).await
    }

    async fn users(&self, deployment: &Deployment) -> store::Result<Vec<User>> {
        self.store.users(deployment).await
    }

    async fn enter(&self, deployment: &Deployment, user: &User) -> store::Result<()> {
        self.store.enter(deployment, user).await
    }

    async fn expel(&self, deployment: &Deployment, name: &str) -> store::Result<bool> {
        self.store.expel(deployment, name).await
    }

    async fn usage(
        &self,
        deployment: &Deployment,
        query: &UsageQuery,
    ) -> store::Result<BTreeMap<String, store::accounts::Usage>> {
        self.store.usage(deployment, query).await
    }

    async fn post(&self, deployment: &Deployment, letter: &Letter) -> store::Result<()> {
        self.store.post(deployment, letter).await
    }

    async fn outbox(
        &self,
        deployment: &Deployment,
        query: &LetterQuery,
    ) -> store::Result<Vec<Posted>> {
        self.store.outbox(deployment, query).await
    }

    async fn claim(
        &self,
        deployment: &Deployment,
        id: &str,
        claim: LetterClaim<'_>,
    ) -> store::Result<Option<Bodies>> {
        self.store.claim(deployment, id, claim).await
    }

    async fn settle(
        &self,
        deployment: &Deployment,
        id: &str,
        change: LetterChange<'_>,
    ) -> store::Result<bool> {
        self.store.settle(deployment, id, change).await
    }

    async fn clear_outbox(&self, deployment: &Deployment, before: Timestamp) -> store::Result<()> {
        self.store.clear_outbox(deployment, before).await
    }

    async fn lease(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
        displace: Option<&str>,
    ) -> store::Result<Lease> {
        let lease = self
            .store
            .lease(deployment, holder, now, length, displace)
            .await?;
        Ok(match (lease, self.mutant) {
            (Lease::Taken { .. }, Mutant::IgnoresTheLease) => Lease::Held {
                until: now.checked_add(length).unwrap(),
            },
            (Lease::Taken { holder: other, .. }, Mutant::BuriesTheLiving) => {
                self.store
                    .lease(deployment, holder, now, length, Some(&other))
                    .await?
            }
            (lease, _) => lease,
        })
    }

    async fn renew(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> store::Result<Option<Timestamp>> {
        let renewed = self.store.renew(deployment, holder, now, length).await?;
        let ignores = self.mutant == Mutant::IgnoresTheLease;
        Ok(renewed.or_else(|| ignores.then(|| now.checked_add(length).unwrap())))
    }

    async fn release(&self, deployment: &Deployment, holder: &str) -> store::Result<()> {
        self.store.release(deployment, holder).await
    }
}

struct Docker {
    mutant: Mutant,
    inner: Arc<dyn Backend>,
    first: Mutex<Option<Snapshot>>,
}

#[async_trait]
impl Backend for Docker {
    async fn describe(&self) -> Result<String> {
        self.inner.describe().await
    }

    async fn observe(&self, scope: Scope) -> Result<Snapshot> {
        let mut seen = self.inner.observe(scope).await?;
        for execution in seen.executions.values_mut() {
            let terms = &mut execution.ticket.terms;
            match self.mutant {
                Mutant::ForgetsHolds => terms.held = false,
                Mutant::ForgetsDependencies => terms.after.clear(),
                Mutant::ForgetsArrays => terms.array = None,
                _ => {}
            }
        }
        if self.mutant != Mutant::LooksOnce {
            return Ok(seen);
        }
        let mut first = self.first.lock().unwrap();
        // What it has seen once it goes by, twice; then it looks again, as it would never end otherwise.
        Ok(match first.take() {
            Some(before) => before,
            None => first.insert(seen).clone(),
        })
    }

    async fn submit(&self, ticket: &Ticket, private: &Private) -> Result<Submitted> {
        self.inner.submit(ticket, private).await
    }

    async fn private(&self, execution: ExecutionId) -> Result<Private> {
        self.inner.private(execution).await
    }

    async fn mark(&self, execution: &Execution, mark: Mark) -> Result<()> {
        match self.mutant {
            Mutant::MarksNothing => Ok(()),
            Mutant::RemovesTheTicketFirst => {
                self.inner.mark(execution, mark).await?;
                self.inner.remove_ticket(execution).await.map(drop)
            }
            _ => self.inner.mark(execution, mark).await,
        }
    }

    async fn start(&self, launch: &Launch) -> Result<()> {
        if self.mutant == Mutant::StartsTooLate {
            let always = Arc::new(|| true);
            return gate::under(always, self.inner.start(launch)).await;
        }
        self.inner.start(launch).await
    }

    async fn stop(&self, execution: &Execution, grace: SignedDuration) -> Result<()> {
        if self.mutant == Mutant::RemovesBeforeItKeeps {
            return self.inner.remove(execution).await;
        }
        self.inner.stop(execution, grace).await
    }

    async fn remove(&self, execution: &Execution) -> Result<()> {
        self.inner.remove(execution).await
    }

    async fn remove_members(
        &self,
        execution: &Execution,
        members: &[InstanceKey],
        grace: SignedDuration,
    ) -> Result<()> {
        if self.mutant == Mutant::TakesTheCoreBack {
            return self.inner.remove(execution).await;
        }
        self.inner.remove_members(execution, members, grace).await
    }

    async fn remove_ticket(&self, execution: &Execution) -> Result<bool> {
        self.inner.remove_ticket(execution).await
    }

    async fn sweep(&self, orphan: &Orphan) -> Result<()> {
        self.inner.sweep(orphan).await
    }

    async fn wait(&self, instance: &InstanceKey) -> Result<i64> {
        self.inner.wait(instance).await
    }

    async fn inspect(&self, execution: &Execution) -> Result<Execution> {
        self.inner.inspect(execution).await
    }

    async fn logs(
        &self,
        instance: &InstanceKey,
        range: LogRange,
    ) -> Result<BoxStream<'static, Result<LogChunk>>> {
        if self.mutant == Mutant::ReadsNoLogs {
            return Ok(futures_util::stream::empty().boxed());
        }
        self.inner.logs(instance, range).await
    }

    async fn usage(&self, instance: &InstanceKey) -> Result<Usage> {
        self.inner.usage(instance).await
    }

    async fn nodes_use(&self) -> Result<Vec<NodeUse>> {
        self.inner.nodes_use().await
    }

    async fn exec(&self, instance: &InstanceKey, request: &ExecRequest) -> Result<ExecSession> {
        self.inner.exec(instance, request).await
    }

    async fn exec_exit_code(&self, session: &str) -> Result<i64> {
        self.inner.exec_exit_code(session).await
    }

    async fn exec_resize(&self, session: &str, columns: u16, rows: u16) -> Result<()> {
        self.inner.exec_resize(session, columns, rows).await
    }

    async fn changes(&self) -> Result<BoxStream<'static, ()>> {
        self.inner.changes().await
    }

    fn deployment(&self) -> &Deployment {
        self.inner.deployment()
    }
}

#[async_trait]
impl Images for Docker {
    async fn ensure(&self, image: &str, progress: ProgressSink<'_>) -> Result<String> {
        self.inner.ensure(image, progress).await
    }

    async fn ensure_files(&self, files: &JobFiles) -> Result<String> {
        self.inner.ensure_files(files).await
    }

    async fn remove_job_image(&self, image: &JobImage) -> Result<()> {
        self.inner.remove_job_image(image).await
    }

    async fn list_images(&self, prefixes: &[&str]) -> Result<Vec<ImageInfo>> {
        self.inner.list_images(prefixes).await
    }

    async fn build(&self, request: &BuildRequest, progress: ProgressSink<'_>) -> Result<()> {
        self.inner.build(request, progress).await
    }

    async fn tag(&self, image: &str, name: &str) -> Result<()> {
        self.inner.tag(image, name).await
    }

    async fn in_registry(&self, image: &str) -> Result<Option<String>> {
        self.inner.in_registry(image).await
    }

    async fn push(&self, image: &str, progress: ProgressSink<'_>) -> Result<()> {
        self.inner.push(image, progress).await
    }

    async fn import(&self, archive: PathBuf, name: &str) -> Result<()> {
        self.inner.import(archive, name).await
    }
}
