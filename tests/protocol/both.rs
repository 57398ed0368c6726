//! A history that is a value and a real database at once: every call is made of both, and their answers must be the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use zoe::model::{Deployment, ExecutionId};
use zoe::ops::OpenStore;
use zoe::store::accounts::{Usage, UsageQuery, User};
use zoe::store::{
    Bodies, Event, Lease, Letter, LetterChange, LetterClaim, LetterQuery, Posted, Query, Record,
    Result, Store, StoreError,
};

use crate::store::{MemoryStore, NO_ANSWER};

/// The history as one actor has it.
#[derive(Clone)]
pub struct Both {
    pub value: MemoryStore,
    pub real: Arc<dyn Store>,
}

impl Both {
    /// What came of a call to the value, once the real one has done the same.
    async fn same<T: std::fmt::Debug>(
        &self,
        told: Result<T>,
        real: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if let Err(StoreError::Query { why, .. }) = &told
            && why != NO_ANSWER
        {
            return told;
        }
        // It takes no time that anybody could use.
        let _hold = self.value.table.holds_all();
        let real = real.await?;
        let told = told?;
        let (a, b) = (format!("{told:?}"), format!("{real:?}"));
        if a != b {
            let wrong = format!("the value says {a}, and the database {b}");
            self.value.table.wrong(wrong);
        }
        Ok(real)
    }
}

#[async_trait]
impl OpenStore for Both {
    async fn open(&self) -> Result<Arc<dyn Store>> {
        self.value.open().await?;
        Ok(Arc::new(self.clone()))
    }
}

impl zoe::store::Activities for Both {}

#[async_trait]
impl Store for Both {
    fn place(&self) -> String {
        self.real.place()
    }

    async fn record(&self, deployment: &Deployment, record: &Record) -> Result<()> {
        let told = self.value.record(deployment, record).await;
        self.same(told, self.real.record(deployment, record)).await
    }

    async fn event(&self, deployment: &Deployment, event: &Event) -> Result<()> {
        let told = self.value.event(deployment, event).await;
        self.same(told, self.real.event(deployment, event)).await
    }

    async fn events_of(
        &self,
        deployment: &Deployment,
        ids: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Vec<Event>>> {
        let told = self.value.events_of(deployment, ids).await;
        self.same(told, self.real.events_of(deployment, ids)).await
    }

    async fn get_all(
        &self,
        deployment: &Deployment,
        ids: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Record>> {
        let told = self.value.get_all(deployment, ids).await;
        self.same(told, self.real.get_all(deployment, ids)).await
    }

    async fn find(&self, deployment: &Deployment, query: &Query) -> Result<Vec<Record>> {
        let told = self.value.find(deployment, query).await;
        self.same(told, self.real.find(deployment, query)).await
    }

    async fn forget(&self, deployment: &Deployment, id: ExecutionId) -> Result<()> {
        let told = self.value.forget(deployment, id).await;
        self.same(told, self.real.forget(deployment, id)).await
    }

    async fn users(&self, deployment: &Deployment) -> Result<Vec<User>> {
        let told = self.value.users(deployment).await;
        self.same(told, self.real.users(deployment)).await
    }

    async fn enter(&self, deployment: &Deployment, user: &User) -> Result<()> {
        let told = self.value.enter(deployment, user).await;
        self.same(told, self.real.enter(deployment, user)).await
    }

    async fn expel(&self, deployment: &Deployment, name: &str) -> Result<bool> {
        let told = self.value.expel(deployment, name).await;
        self.same(told, self.real.expel(deployment, name)).await
    }

    /// The value does not reckon it.
    async fn usage(
        &self,
        deployment: &Deployment,
        query: &UsageQuery,
    ) -> Result<BTreeMap<String, Usage>> {
        let _hold = self.value.table.holds_all();
        self.real.usage(deployment, query).await
    }

    async fn post(&self, deployment: &Deployment, letter: &Letter) -> Result<()> {
        let told = self.value.post(deployment, letter).await;
        self.same(told, self.real.post(deployment, letter)).await
    }

    async fn outbox(&self, deployment: &Deployment, query: &LetterQuery) -> Result<Vec<Posted>> {
        self.real.outbox(deployment, query).await
    }

    async fn claim(
        &self,
        deployment: &Deployment,
        id: &str,
        claim: LetterClaim<'_>,
    ) -> Result<Option<Bodies>> {
        self.real.claim(deployment, id, claim).await
    }

    async fn settle(
        &self,
        deployment: &Deployment,
        id: &str,
        change: LetterChange<'_>,
    ) -> Result<bool> {
        self.real.settle(deployment, id, change).await
    }

    async fn clear_outbox(&self, deployment: &Deployment, before: Timestamp) -> Result<()> {
        self.real.clear_outbox(deployment, before).await
    }

    async fn lease(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
        displace: Option<&str>,
    ) -> Result<Lease> {
        let told = self.value.lease(deployment, holder, now, length, displace);
        let told = told.await;
        let real = self.real.lease(deployment, holder, now, length, displace);
        self.same(told, real).await
    }

    async fn renew(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<Option<Timestamp>> {
        let told = self.value.renew(deployment, holder, now, length).await;
        let real = self.real.renew(deployment, holder, now, length);
        self.same(told, real).await
    }

    async fn release(&self, deployment: &Deployment, holder: &str) -> Result<()> {
        let told = self.value.release(deployment, holder).await;
        self.same(told, self.real.release(deployment, holder)).await
    }
}
