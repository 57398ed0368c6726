//! The deployment's lease: whoever may start something holds it.
//!
//! Without the database there is no lease, and a pass that could not get it starts nothing: what runs goes on, what is to
//! end ends, what is queued stays so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::engine::gate;
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::store::{Lease, Store, StoreError};

/// For how long it is kept when nothing that needs it is under way, but something else is: who gets it would see that to do.
pub(in crate::ops) const KEPT: Duration = Duration::from_secs(1);
/// How long to wait before asking again for a lease that another holds.
const ASK_AGAIN: Duration = Duration::from_millis(50);
/// How often to ask before the caller should see whether there is still something to be done.
const TRIES: usize = 10;

/// The lease, held and renewed until it is given back.
pub(in crate::ops) struct Held {
    store: Arc<dyn Store>,
    context: Context,
    /// In milliseconds since 1970.
    until: Arc<AtomicI64>,
    renewal: JoinHandle<()>,
}

/// Tells whether a lease is still held, to those who work under it.
#[derive(Clone)]
pub(in crate::ops) struct Claim {
    context: Context,
    until: Arc<AtomicI64>,
}

impl Claim {
    /// Whether it is still held. Who was slow, or asleep, may not have noticed yet that it has lapsed: the clock tells.
    pub(in crate::ops) fn is_valid(&self) -> bool {
        self.context.now().as_millisecond() < self.until.load(Ordering::SeqCst)
    }

    /// Does what only the holder may do. Once the lease has lapsed not one more call is made that may change something.
    pub(in crate::ops) async fn guard<T>(&self, work: impl Future<Output = T>) -> T {
        let claim = self.clone();
        gate::under(Arc::new(move || claim.is_valid()), work).await
    }
}

impl Held {
    /// Whether it is still held.
    pub(in crate::ops) fn is_valid(&self) -> bool {
        self.claim().is_valid()
    }

    /// What tells others whether it is still held.
    pub(in crate::ops) fn claim(&self) -> Claim {
        Claim {
            context: self.context.clone(),
            until: Arc::clone(&self.until),
        }
    }

    /// Gives it back. If that fails it lapses by itself.
    pub(in crate::ops) async fn release(self) {
        // Not to be taken again once it is given back.
        self.renewal.abort();
        let (deployment, holder) = (
            &self.context.settings.deployment,
            self.context.identity.holder(),
        );
        if let Err(error) = self.store.release(deployment, holder).await {
            tracing::debug!(%error, "the lease was not given back and lapses by itself");
        }
    }
}

/// A pass can be dropped in the middle, when whoever makes it has something better to do: then nobody renews it any more.
impl Drop for Held {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Waits for the lease while another works with it, but not for long; a dead holder is displaced at once.
pub(super) async fn acquire(
    context: &Context,
    store: &Arc<dyn Store>,
) -> Result<Option<Held>, StoreError> {
    for _ in 0..TRIES {
        if let Asked::Held(held) = try_acquire(context, store).await? {
            return Ok(Some(*held));
        }
        context.world.sleep(ASK_AGAIN).await;
    }
    Ok(None)
}

/// Waits for the lease as long as it may take until a holder that is alive but lost is displaced.
pub(in crate::ops) async fn insist(
    context: &Context,
    store: &Arc<dyn Store>,
) -> Result<Held, OpsError> {
    let patience = context.settings.lease.saturating_mul(2);
    let deadline = context.now().checked_add(patience).unwrap_or_default();
    loop {
        if let Some(held) = acquire(context, store).await? {
            return Ok(held);
        }
        if deadline <= context.now() {
            let message = "another zoe has been starting executions all the time";
            return Err(OpsError::failed(message).hint("try again"));
        }
    }
}

/// What came of asking for the lease once.
pub(in crate::ops) enum Asked {
    /// It is held.
    Held(Box<Held>),
    /// Another has it, who is not known to be dead: what it said of itself.
    Taken(String),
}

/// Asks for the lease once; a dead holder is displaced.
pub(super) async fn try_acquire(
    context: &Context,
    store: &Arc<dyn Store>,
) -> Result<Asked, StoreError> {
    let mut lease = ask(context, store.as_ref(), None).await?;
    if let Lease::Taken { holder, .. } = &lease
        && context.identity.is_dead(holder)
    {
        tracing::debug!(%holder, "displacing a dead holder of the lease");
        lease = ask(context, store.as_ref(), Some(holder)).await?;
    }
    let until = match lease {
        Lease::Held { until } => Arc::new(AtomicI64::new(until.as_millisecond())),
        Lease::Taken { holder, .. } => return Ok(Asked::Taken(holder)),
    };
    let renewal = tokio::spawn(renew(
        context.clone(),
        Arc::clone(store),
        Arc::clone(&until),
    ));
    Ok(Asked::Held(Box::new(Held {
        store: Arc::clone(store),
        context: context.clone(),
        until,
        renewal,
    })))
}

async fn ask(
    context: &Context,
    store: &dyn Store,
    displace: Option<&str>,
) -> Result<Lease, StoreError> {
    let Context {
        settings, identity, ..
    } = context;
    store
        .lease(
            &settings.deployment,
            identity.holder(),
            context.now(),
            settings.lease,
            displace,
        )
        .await
}

/// Renews three times in a lease's length, until it has lapsed or is another's. It is never asked for anew: another may have
/// had it in between, and what was planned before is worth nothing then.
async fn renew(context: Context, store: Arc<dyn Store>, until: Arc<AtomicI64>) {
    let Context {
        settings, identity, ..
    } = &context;
    let third = settings.lease.unsigned_abs() / 3;
    loop {
        context.world.sleep(third).await;
        let now = context.now();
        if now.as_millisecond() >= until.load(Ordering::SeqCst) {
            return;
        }
        let deployment = &settings.deployment;
        let renewed = store.renew(deployment, identity.holder(), now, settings.lease);
        match renewed.await {
            Ok(Some(later)) => until.store(later.as_millisecond(), Ordering::SeqCst),
            Ok(None) => return until.store(i64::MIN, Ordering::SeqCst),
            // It is held until it lapses, and there may be time to ask once more.
            Err(error) => tracing::debug!(%error, "the lease was not renewed"),
        }
    }
}
