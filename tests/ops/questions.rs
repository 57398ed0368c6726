//! What is asked of history does not grow with what there is: as many questions for fifty that wait as for two.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use zoe::model::{Deployment, ExecutionId};
use zoe::ops::submit::Asked;
use zoe::ops::submit::launch::Common;
use zoe::ops::{OpenStore, list, queue};
use zoe::store::{
    Bodies, Event, Lease, Letter, LetterChange, LetterClaim, LetterQuery, Posted, Query, Record,
    Result, Store, StoreError, Usage, UsageQuery, User,
};

use crate::lab::{Lab, lab, submitted};

/// A history that counts what it is asked.
#[derive(Clone)]
struct Counting {
    opens: Arc<dyn OpenStore>,
    store: Option<Arc<dyn Store>>,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl OpenStore for Counting {
    async fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(Self {
            store: Some(self.opens.open().await?),
            ..self.clone()
        }))
    }
}

impl Counting {
    fn store(&self) -> &dyn Store {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.store.as_deref().unwrap()
    }
}

impl zoe::store::Activities for Counting {}

#[async_trait]
impl Store for Counting {
    fn place(&self) -> String {
        self.store().place()
    }

    async fn record(&self, deployment: &Deployment, record: &Record) -> Result<()> {
        self.store().record(deployment, record).await
    }

    async fn event(&self, deployment: &Deployment, event: &Event) -> Result<()> {
        self.store().event(deployment, event).await
    }

    async fn events_of(
        &self,
        deployment: &Deployment,
        ids: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Vec<Event>>> {
        self.store().events_of(deployment, ids).await
    }

    async fn get_all(
        &self,
        deployment: &Deployment,
        ids: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Record>> {
        self.store().get_all(deployment, ids).await
    }

    async fn find(&self, deployment: &Deployment, query: &Query) -> Result<Vec<Record>> {
        self.store().find(deployment, query).await
    }

    async fn forget(&self, deployment: &Deployment, id: ExecutionId) -> Result<()> {
        self.store().forget(deployment, id).await
    }

    async fn users(&self, deployment: &Deployment) -> Result<Vec<User>> {
        self.store().users(deployment).await
    }

    async fn enter(&self, deployment: &Deployment, user: &User) -> Result<()> {
        self.store().enter(deployment, user).await
    }

    async fn expel(&self, deployment: &Deployment, name: &str) -> Result<bool> {
        self.store().expel(deployment, name).await
    }

    async fn usage(
        &self,
        deployment: &Deployment,
        query: &UsageQuery,
    ) -> Result<BTreeMap<String, Usage>> {
        self.store().usage(deployment, query).await
    }

    async fn post(&self, deployment: &Deployment, letter: &Letter) -> Result<()> {
        self.store().post(deployment, letter).await
    }

    async fn outbox(&self, deployment: &Deployment, query: &LetterQuery) -> Result<Vec<Posted>> {
        self.store().outbox(deployment, query).await
    }

    async fn claim(
        &self,
        deployment: &Deployment,
        id: &str,
        claim: LetterClaim<'_>,
    ) -> Result<Option<Bodies>> {
        self.store().claim(deployment, id, claim).await
    }

    async fn settle(
        &self,
        deployment: &Deployment,
        id: &str,
        change: LetterChange<'_>,
    ) -> Result<bool> {
        self.store().settle(deployment, id, change).await
    }

    async fn clear_outbox(&self, deployment: &Deployment, before: Timestamp) -> Result<()> {
        self.store().clear_outbox(deployment, before).await
    }

    async fn lease(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
        displace: Option<&str>,
    ) -> Result<Lease> {
        let lease = self.store();
        lease.lease(deployment, holder, now, length, displace).await
    }

    async fn renew(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<Option<Timestamp>> {
        self.store().renew(deployment, holder, now, length).await
    }

    async fn release(&self, deployment: &Deployment, holder: &str) -> Result<()> {
        self.store().release(deployment, holder).await
    }
}

/// How often `ps`, `queue` and a pass ask.
async fn asked(lab: &Lab, asked: &AtomicUsize) -> [usize; 3] {
    let since = |before: usize| asked.load(Ordering::SeqCst) - before;
    let before = since(0);
    list::ps(&lab.context, false).await.unwrap();
    let ps = since(before);
    let before = since(0);
    queue::queue(&lab.context).await.unwrap();
    let queue = since(before);
    let before = since(0);
    lab.pass().await;
    [ps, queue, since(before)]
}

#[tokio::test]
async fn as_many_questions_however_many_wait() {
    let mut lab = lab();
    let count = Arc::new(AtomicUsize::new(0));
    lab.context.history = Arc::new(Counting {
        opens: Arc::clone(&lab.context.history),
        store: None,
        asked: Arc::clone(&count),
    });
    let held = || Common {
        terms: Asked {
            held: true,
            ..Asked::default()
        },
        ..Common::default()
    };
    let job = [("main", r#"["run"]"#)];
    for _ in 0..2 {
        submitted(&lab, &job, held()).await;
    }
    let few = asked(&lab, &count).await;
    for _ in 0..48 {
        submitted(&lab, &job, held()).await;
    }
    let many = asked(&lab, &count).await;
    assert_eq!(few, many);
    assert!(many.iter().all(|asked| *asked < 8), "{many:?}");
}
