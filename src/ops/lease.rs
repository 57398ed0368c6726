//! The deployment's lease: whoever may start something holds it.
//!
//! Without the database there is no lease, and a pass that could not get it starts nothing: what runs goes on, what is to
//! end ends, what is queued stays so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::context::Context;
use crate::store::{Lease, Store, StoreError};

/// How long to wait before asking again for a lease that another holds.
const ASK_AGAIN: Duration = Duration::from_millis(50);
/// How often to ask before the caller should see whether there is still something to be done.
const TRIES: usize = 10;

/// The lease, held and renewed until it is given back.
pub(super) struct Held {
    store: Arc<dyn Store>,
    context: Context,
    lost: Arc<AtomicBool>,
    renewal: JoinHandle<()>,
}

impl Held {
    /// Whether it is still held: another may have taken it over if renewing took too long.
    pub(super) fn is_valid(&self) -> bool {
        !self.lost.load(Ordering::SeqCst)
    }

    /// Gives it back. If that fails it lapses by itself.
    pub(super) async fn release(self) {
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
        if let Some(held) = try_acquire(context, Arc::clone(store)).await? {
            return Ok(Some(held));
        }
        context.world.sleep(ASK_AGAIN).await;
    }
    Ok(None)
}

async fn try_acquire(context: &Context, store: Arc<dyn Store>) -> Result<Option<Held>, StoreError> {
    if let Lease::Taken { holder, .. } = ask(context, store.as_ref(), None).await? {
        if !context.identity.is_dead(&holder) {
            return Ok(None);
        }
        tracing::debug!(%holder, "displacing a dead holder of the lease");
        if let Lease::Taken { .. } = ask(context, store.as_ref(), Some(&holder)).await? {
            return Ok(None);
        }
    }
    let lost = Arc::new(AtomicBool::new(false));
    let renewal = tokio::spawn(renew(
        context.clone(),
        Arc::clone(&store),
        Arc::clone(&lost),
    ));
    Ok(Some(Held {
        store,
        context: context.clone(),
        lost,
        renewal,
    }))
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

/// Renews three times in a lease's length; once it can't be renewed before it lapses, it is lost.
async fn renew(context: Context, store: Arc<dyn Store>, lost: Arc<AtomicBool>) {
    let third = context.settings.lease.unsigned_abs() / 3;
    loop {
        context.world.sleep(third).await;
        match ask(&context, store.as_ref(), None).await {
            Ok(Lease::Held { .. }) => {}
            Ok(Lease::Taken { .. }) | Err(_) => {
                lost.store(true, Ordering::SeqCst);
                return;
            }
        }
    }
}
