//! Somebody else works with the lease, for long.

use std::time::Duration;

use jiff::SignedDuration;
use zoe::ops::kill::{self, Killed, Selection};
use zoe::ops::submit::launch::Common;
use zoe::ops::{Silent, reconcile};
use zoe::store::Lease;

use crate::lab::{Lab, lab, submitted};

const OTHER: &str = "host=elsewhere pid=1";

/// Another machine has the lease, and goes on having it.
async fn taken(lab: &Lab) {
    let store = lab.context.history.open().await.unwrap();
    let length = SignedDuration::from_hours(1);
    let (deployment, now) = (&lab.context.settings.deployment, lab.context.now());
    let lease = store.lease(deployment, OTHER, now, length, None).await;
    assert!(matches!(lease.unwrap(), Lease::Held { .. }));
}

async fn given_back(lab: &Lab) {
    let store = lab.context.history.open().await.unwrap();
    let deployment = &lab.context.settings.deployment;
    store.release(deployment, OTHER).await.unwrap();
}

/// What takes longer than this waits for the lease.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    let most = Duration::from_mins(1);
    tokio::time::timeout(most, work).await.expect("it waits")
}

#[tokio::test]
async fn what_is_to_end_ends_and_what_is_to_start_is_left_to_who_has_the_lease() {
    let lab = lab();
    let job = [("main", r#"["run"]"#)];
    let id = submitted(&lab, &job, Common::default()).await.id();
    lab.pass().await;
    let next = submitted(&lab, &job, Common::default()).await.id();
    taken(&lab).await;
    let named = Selection::Named(vec![id.to_string()]);
    let killed = soon(kill::kill(&lab.context, &named, &Silent)).await;
    assert_eq!(killed.unwrap(), [Killed::Gone(id)]);
    let pass = soon(reconcile::pass(&lab.context, &Silent)).await.unwrap();
    assert_eq!(pass.failures, []);
    assert_eq!(lab.running(next).await, [""; 0]);
    given_back(&lab).await;
    lab.pass().await;
    assert_eq!(lab.running(next).await.len(), 1);
}

#[tokio::test]
async fn who_is_to_start_one_ends_others_and_waits_for_the_lease() {
    let lab = lab();
    let ends = [("main", r#"["print", "x", "run"]"#)];
    let over = submitted(&lab, &ends, Common::default()).await.id();
    lab.pass().await;
    let job = [("main", r#"["run"]"#)];
    let id = submitted(&lab, &job, Common::default()).await.id();
    taken(&lab).await;
    lab.ends(over);
    let ended = async {
        while lab.seen(over).await.is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(lab.running(id).await, [""; 0]);
        given_back(&lab).await;
    };
    let pass = reconcile::pass_for(&lab.context, id, &Silent);
    let (pass, ()) = soon(Box::pin(async { futures_util::join!(pass, ended) })).await;
    assert_eq!(pass.unwrap().failures, []);
    assert_eq!(lab.running(id).await.len(), 1);
}
