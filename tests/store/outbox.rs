//! The outbox: a mail of each id, one who sends it at a time, and what becomes of it.

use std::sync::Arc;

use jiff::SignedDuration;
use zoe::model::MailKind;
use zoe::store::{
    Bodies, Cover, Letter, LetterChange, LetterClaim, LetterQuery, LetterState, Posted, Store,
};

use crate::{Site, at, deployment, id};

on_both! {
    a_mail_is_there_once_and_comes_back_as_it_was
    one_of_many_claims_a_mail_and_others_wait_for_it
    what_becomes_of_a_mail_is_noted
    what_is_old_or_forgotten_is_gone
}

pub fn letter(n: u64) -> Letter {
    Letter {
        cover: Cover {
            id: format!("{}.end", id(n)),
            execution: id(n),
            kind: MailKind::StartGivenUp,
            user: "ada".to_owned(),
            recipient: "ada@example.org".to_owned(),
            message_id: format!("<{n}@example.org>"),
            subject: "naïve 👩‍🚀\r\nBcc: eve@example.org".to_owned(),
            created_at: at(i64::try_from(n).unwrap()),
        },
        bodies: Bodies {
            text: "'; DROP TABLE outbox; --\0\u{1b}".to_owned(),
            html: "x".repeat(1 << 20),
        },
    }
}

fn claim(holder: &str, second: i64) -> LetterClaim<'_> {
    LetterClaim {
        holder,
        now: at(second),
        length: SignedDuration::from_secs(60),
        displace: None,
    }
}

async fn one(store: &dyn Store, n: u64) -> Posted {
    let query = LetterQuery {
        id: Some(letter(n).cover.id),
        ..LetterQuery::default()
    };
    let mut found = store.outbox(&deployment(), &query).await.unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

async fn a_mail_is_there_once_and_comes_back_as_it_was(site: Site) {
    let store = site.open().await;
    let deployment = deployment();
    for n in [2, 1] {
        store.post(&deployment, &letter(n)).await.unwrap();
    }
    let other = Letter {
        bodies: Bodies::default(),
        ..letter(1)
    };
    store.post(&deployment, &other).await.unwrap();
    let all = store.outbox(&deployment, &LetterQuery::default()).await;
    let all = all.unwrap();
    let expected = |n| Posted {
        cover: letter(n).cover,
        state: LetterState::Waiting,
        since: letter(n).cover.created_at,
        tries: 0,
        next_at: letter(n).cover.created_at,
        claim: None,
        last_error: None,
    };
    assert_eq!(all, [expected(1), expected(2)]);
    let due = LetterQuery {
        due: Some(at(1)),
        state: Some(LetterState::Waiting),
        limit: Some(5),
        ..LetterQuery::default()
    };
    assert_eq!(store.outbox(&deployment, &due).await.unwrap().len(), 1);
    let id = &letter(1).cover.id;
    let said = store.claim(&deployment, id, claim("me", 5)).await.unwrap();
    assert_eq!(said, Some(letter(1).bodies));
    let elsewhere = "other".parse().unwrap();
    assert_eq!(
        store
            .outbox(&elsewhere, &LetterQuery::default())
            .await
            .unwrap(),
        []
    );
}

async fn one_of_many_claims_a_mail_and_others_wait_for_it(site: Site) {
    let store: Arc<dyn Store> = site.open().await;
    let deployment = deployment();
    store.post(&deployment, &letter(1)).await.unwrap();
    let id = letter(1).cover.id;
    let racers = (0..16).map(|n| {
        let (store, id, deployment) = (Arc::clone(&store), id.clone(), deployment.clone());
        tokio::spawn(async move {
            let holder = format!("holder {n}");
            let claimed = store.claim(&deployment, &id, claim(&holder, 5)).await;
            claimed.unwrap().is_some()
        })
    });
    let mut winners = 0;
    for racer in racers.collect::<Vec<_>>() {
        winners += usize::from(racer.await.unwrap());
    }
    assert_eq!(winners, 1);
    let (holder, until) = one(store.as_ref(), 1).await.claim.unwrap();
    assert_eq!(until, at(65));
    // Not before it is over, unless the holder is dead; and not before the mail is due.
    let claimed = async |claim| {
        store
            .claim(&deployment, &id, claim)
            .await
            .unwrap()
            .is_some()
    };
    assert!(!claimed(claim("later", 64)).await);
    let dead = LetterClaim {
        displace: Some("somebody else"),
        ..claim("later", 64)
    };
    assert!(!claimed(dead).await);
    let dead = LetterClaim {
        displace: Some(&holder),
        ..claim("later", 64)
    };
    assert!(claimed(dead).await);
    assert!(claimed(claim("last", 124)).await);
    assert!(!claimed(claim("early", 0)).await);
}

async fn what_becomes_of_a_mail_is_noted(site: Site) {
    let store = site.open().await;
    let deployment = deployment();
    let id = &letter(1).cover.id;
    let settle = async |change| store.settle(&deployment, id, change).await.unwrap();
    let again = |holder| LetterChange::Again {
        holder,
        why: "no",
        at: at(15),
        next_at: at(20),
    };
    let give_up = |holder| LetterChange::GiveUp {
        holder,
        why: "never",
        at: at(30),
    };
    assert!(!settle(again("me")).await);
    store.post(&deployment, &letter(1)).await.unwrap();
    store.claim(&deployment, id, claim("me", 5)).await.unwrap();
    // Who has lost it says nothing any more.
    assert!(!settle(again("another")).await && !settle(give_up("another")).await);
    assert!(settle(again("me")).await);
    let now = one(store.as_ref(), 1).await;
    assert_eq!((now.tries, now.next_at, now.claim), (1, at(20), None));
    assert_eq!((now.cover.created_at, now.since), (at(1), at(15)));
    assert_eq!(now.last_error.as_deref(), Some("no"));
    assert_eq!(
        store.claim(&deployment, id, claim("me", 19)).await.unwrap(),
        None
    );
    store.claim(&deployment, id, claim("me", 20)).await.unwrap();
    let later = LetterChange::Again {
        holder: "me",
        why: "still no",
        at: at(21),
        next_at: at(22),
    };
    assert!(settle(later).await);
    assert_eq!(one(store.as_ref(), 1).await.since, at(15), "the first try");
    store.claim(&deployment, id, claim("me", 22)).await.unwrap();
    assert!(settle(give_up("me")).await);
    let now = one(store.as_ref(), 1).await;
    assert_eq!(
        (now.state, now.tries, now.next_at),
        (LetterState::Failed, 3, at(30))
    );
    assert_eq!(
        store.claim(&deployment, id, claim("me", 99)).await.unwrap(),
        None
    );
    assert!(settle(LetterChange::Retry { at: at(40) }).await);
    let now = one(store.as_ref(), 1).await;
    assert_eq!(
        (now.state, now.tries, now.since),
        (LetterState::Waiting, 0, at(40))
    );
    assert!(settle(LetterChange::Drop { at: at(41) }).await);
    assert_eq!(one(store.as_ref(), 1).await.state, LetterState::Dropped);
    assert!(settle(LetterChange::Retry { at: at(42) }).await);
    let said = store.claim(&deployment, id, claim("me", 50)).await.unwrap();
    assert_eq!(said, Some(letter(1).bodies));
    // Sent is sent, whoever says so; and that is the end of it.
    assert!(settle(LetterChange::Sent { at: at(51) }).await);
    let now = one(store.as_ref(), 1).await;
    assert_eq!((now.state, now.next_at), (LetterState::Sent, at(51)));
    assert_eq!((now.claim, now.last_error), (None, None));
    for change in [
        again("me"),
        give_up("me"),
        LetterChange::Retry { at: at(60) },
        LetterChange::Drop { at: at(60) },
    ] {
        assert!(!settle(change).await);
    }
    store.post(&deployment, &letter(1)).await.unwrap();
    assert_eq!(one(store.as_ref(), 1).await.state, LetterState::Sent);
}

async fn what_is_old_or_forgotten_is_gone(site: Site) {
    let store = site.open().await;
    let deployment = deployment();
    for n in 1..=4 {
        store.post(&deployment, &letter(n)).await.unwrap();
    }
    let settle = async |n, at| {
        let change = LetterChange::Sent { at };
        store
            .settle(&deployment, &letter(n).cover.id, change)
            .await
            .unwrap();
    };
    settle(1, at(10)).await;
    settle(2, at(20)).await;
    store.clear_outbox(&deployment, at(20)).await.unwrap();
    store.forget(&deployment, id(4)).await.unwrap();
    let left = store
        .outbox(&deployment, &LetterQuery::default())
        .await
        .unwrap();
    let left: Vec<_> = left.into_iter().map(|one| one.cover.execution).collect();
    assert_eq!(left, [id(2), id(3)]);
}
