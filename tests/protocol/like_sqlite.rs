//! The value that stands for the database does what `SQLite` does: any sequence of calls has the same answers.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use zoe::model::{Bytes, Cores, Deployment, ExecutionId, Outcome, Resources};
use zoe::store::{Event, Query, Record, SqliteStore, Store, Used};

use crate::store::MemoryStore;

/// A call, by numbers.
#[derive(Debug, Clone)]
enum Call {
    Record(u64, u8, u8),
    Event(u64, i64, u8),
    Forget(u64),
    Lease(u8, i64, Option<u8>),
    Renew(u8, i64),
    Release(u8),
    Find(u8),
}

/// How long leases last.
const LENGTH: SignedDuration = SignedDuration::from_secs(10);

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        (0..3_u64, any::<u8>(), 0..4_u8).prop_map(|(id, mask, end)| Call::Record(id, mask, end)),
        (0..3_u64, 0..3_i64, 0..4_u8).prop_map(|(id, at, kind)| Call::Event(id, at, kind)),
        (0..3_u64).prop_map(Call::Forget),
        (0..3_u8, 0..40_i64, proptest::option::of(0..3_u8))
            .prop_map(|(who, at, displace)| Call::Lease(who, at, displace)),
        (0..3_u8, 0..40_i64).prop_map(|(who, at)| Call::Renew(who, at)),
        (0..3_u8).prop_map(Call::Release),
        (0..4_u8).prop_map(Call::Find),
    ];
    proptest::collection::vec(call, 1..30)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn record(id: u64, mask: u8, end: u8) -> Record {
    let knows = |bit: u8| mask & (1 << bit) != 0;
    let text = |bit: u8| {
        if knows(bit) {
            format!("{mask}")
        } else {
            String::new()
        }
    };
    let outcomes = [
        None,
        Some(Outcome::Finished),
        Some(Outcome::Cancelled { by: None }),
        Some(Outcome::Failed {
            exit_code: 3,
            reason: "no".to_owned(),
        }),
    ];
    Record {
        id: ExecutionId::from_bits(id),
        name: text(0),
        user: text(1),
        application: text(2),
        description: text(3),
        key: knows(4).then(|| format!("{mask}")),
        submitted_at: at(i64::from(mask % 3)),
        started_at: knows(5).then(|| at(i64::from(mask))),
        end: outcomes[usize::from(end)]
            .clone()
            .map(|outcome| (at(9), outcome)),
        logs: knows(6).then(|| format!("{mask}")),
        allocated: knows(7).then(|| Resources {
            cores: Cores::from_millis(u64::from(mask)),
            memory: Bytes::new(u64::from(mask)),
        }),
        used: knows(2).then(|| Used {
            core_time: u64::from(mask),
            memory_time: 1,
            run_time: 2,
            counted_until: at(i64::from(mask)),
        }),
        terms: knows(3).then(|| format!("{mask}")),
    }
}

fn query(kind: u8) -> Query {
    let mut query = Query::default();
    match kind {
        0 => {}
        1 => query.limit = Some(1),
        2 => query.user = Some("7".to_owned()),
        3 => query.name_prefix = Some("7".to_owned()),
        _ => query.id_prefix = Some(ExecutionId::from_bits(1).as_str()[..4].to_owned()),
    }
    query
}

async fn answer(store: &dyn Store, deployment: &Deployment, call: &Call) -> String {
    let who = |n: u8| format!("holder {n}");
    match call.clone() {
        Call::Record(id, mask, end) => {
            store
                .record(deployment, &record(id, mask, end))
                .await
                .unwrap();
            let read = store.get(deployment, ExecutionId::from_bits(id)).await;
            format!("{:?}", read.unwrap())
        }
        Call::Event(id, second, kind) => {
            let kinds = ["submitted", "started", "start-failed", "ended"];
            let execution = ExecutionId::from_bits(id);
            let event = Event {
                execution,
                at: at(second),
                kind: kinds[usize::from(kind)].to_owned(),
                detail: String::new(),
            };
            store.event(deployment, &event).await.unwrap();
            let all: Vec<_> = (0..4).map(ExecutionId::from_bits).collect();
            let events = store.events_of(deployment, &all).await.unwrap();
            let records = store.get_all(deployment, &all).await.unwrap();
            format!("{events:?} {records:?}")
        }
        Call::Forget(id) => {
            let execution = ExecutionId::from_bits(id);
            store.forget(deployment, execution).await.unwrap();
            format!("{:?}", store.events(deployment, execution).await.unwrap())
        }
        Call::Lease(holder, second, displace) => {
            let (holder, displace) = (who(holder), displace.map(who));
            let lease = store.lease(deployment, &holder, at(second), LENGTH, displace.as_deref());
            format!("{:?}", lease.await.unwrap())
        }
        Call::Renew(holder, second) => {
            let holder = who(holder);
            let renewed = store.renew(deployment, &holder, at(second), LENGTH);
            format!("{:?}", renewed.await.unwrap())
        }
        Call::Release(holder) => {
            store.release(deployment, &who(holder)).await.unwrap();
            String::new()
        }
        Call::Find(kind) => {
            format!("{:?}", store.find(deployment, &query(kind)).await.unwrap())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_calls_have_the_same_answers(calls in calls()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let real = SqliteStore::open(&directory.path().join("zoe.db")).await.unwrap();
            let value = MemoryStore { rows: Arc::default(), table: Arc::default(), actor: None };
            let deployment: Deployment = "lab".parse().unwrap();
            for call in &calls {
                let (a, b) = (
                    answer(&real, &deployment, call).await,
                    answer(&value, &deployment, call).await,
                );
                assert_eq!(a, b, "{call:?}");
            }
        });
    }
}
