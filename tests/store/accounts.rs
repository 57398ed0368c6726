//! Users, and what they have used.

use jiff::SignedDuration;
use zoe::model::{Bytes, Cores, Limit, Limits, Outcome, Resources};
use zoe::store::{Record, Role, UsageQuery, Used, User};

use crate::{Site, at, id, record};

on_both! {
    users_are_entered_changed_and_removed
    usage_is_what_was_held_for_how_long_and_fades
}

fn ada() -> User {
    User {
        name: "ada".to_owned(),
        mail: Some("ada@example.org".to_owned()),
        mail_on: Some(zoe::model::MailOn::Never),
        role: Role::Admin,
        limits: Limits {
            executions: Some(Limit::At(0)),
            cores: Some(Limit::Unlimited),
            memory: None,
            hours: Some(Limit::At(u64::from(u32::MAX))),
        },
    }
}

async fn users_are_entered_changed_and_removed(site: Site) {
    let store = site.open().await;
    let deployment = "test".parse().unwrap();
    assert_eq!(store.users(&deployment).await.unwrap(), []);
    store.enter(&deployment, &ada()).await.unwrap();
    assert_eq!(store.users(&deployment).await.unwrap(), [ada()]);
    let changed = User {
        mail: None,
        mail_on: None,
        limits: Limits::default(),
        role: Role::User,
        ..ada()
    };
    store.enter(&deployment, &changed).await.unwrap();
    assert_eq!(store.users(&deployment).await.unwrap(), [changed]);
    let other = "other".parse().unwrap();
    assert!(!store.expel(&other, "ada").await.unwrap());
    assert!(store.expel(&deployment, "ada").await.unwrap());
    assert_eq!(store.users(&deployment).await.unwrap(), []);
}

/// One of two cores that ran so long and ended then, in seconds.
fn ran(n: u64, user: &str, from: i64, to: i64) -> Record {
    Record {
        user: user.to_owned(),
        started_at: Some(at(from)),
        end: Some((at(to), Outcome::Finished)),
        allocated: Some(Resources {
            cores: Cores::from_millis(2000),
            memory: Bytes::from_mib(1),
        }),
        ..record(n)
    }
}

async fn usage_is_what_was_held_for_how_long_and_fades(site: Site) {
    let store = site.open().await;
    let deployment = "test".parse().unwrap();
    let day = 86_400;
    for one in [
        ran(1, "ada", 0, 1000),
        ran(2, "ada", 10 * day - 1000, 10 * day),
        ran(3, "bob", 10 * day - 500, 10 * day - 100),
        Record {
            started_at: None,
            ..ran(4, "eve", 0, 100)
        },
        Record {
            end: None,
            ..ran(5, "eve", 0, 0)
        },
    ] {
        store.record(&deployment, &one).await.unwrap();
    }
    let query = UsageQuery {
        now: at(10 * day),
        since: at(10 * day - 300),
        half_life: SignedDuration::from_hours(24),
    };
    // What eve ran twice held nothing in between; the second half of that time counts.
    let twice = Record {
        used: Some(Used {
            core_time: 100 * 2_000_000,
            memory_time: 100_000,
            run_time: 100_000,
            counted_until: at(10 * day - 50),
        }),
        ..ran(6, "eve", 10 * day - 600, 10 * day)
    };
    // Of what has not ended yet nothing counts here.
    let again = Record {
        end: None,
        ..twice.clone()
    };
    store.record(&deployment, &again).await.unwrap();
    let usage = store.usage(&deployment, &query).await.unwrap();
    assert_eq!(usage.get("eve"), None);
    store.record(&deployment, &twice).await.unwrap();
    assert_eq!(store.get(&deployment, id(6)).await.unwrap(), Some(twice));
    let usage = store.usage(&deployment, &query).await.unwrap();
    let eve = usage["eve"];
    assert!((99..=100).contains(&eve.used), "{eve:?}");
    assert!((190..=200).contains(&eve.decayed), "{eve:?}");
    let kept = store.get(&deployment, id(1)).await.unwrap().unwrap();
    assert_eq!(kept.allocated, ran(1, "ada", 0, 1).allocated);
    let usage = store.usage(&deployment, &query).await.unwrap();
    assert_eq!(usage.len(), 3);
    // Of what began before, the part within counts.
    assert_eq!((usage["ada"].used, usage["bob"].used), (600, 400));
    // Ten half-lives have left a 1024th of the first one.
    let (ada, bob) = (usage["ada"].decayed, usage["bob"].decayed);
    assert!(
        (1970..=2002).contains(&ada) && (780..=800).contains(&bob),
        "{usage:?}"
    );
}
