//! A site's own past as a workload: `history --as-workload`.
//!
//! A workload knows applications of members that are all alike; one of several components becomes one whose members are as
//! large as its own are on average, so that the sum is the same. How long it would have taken with all its members is what
//! it did, in member-seconds, over the members that it wants: its events tell how many it had when. That its speed goes
//! with its members is the simulation's own assumption. How it ended makes no difference: what failed took its time, too.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::past::{self, ATTEMPT_FAILED, DROPPED, REPLACED, RESIZED, START_FAILED, STARTED};
use crate::apps;
use crate::model::{Application, Bytes, Cores, Resources};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::submit::resubmit;
use crate::simulate::{Job, MOST_MEMBERS, Time};
use crate::store::{Event, Query, Record};

/// The past as a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Those that ran, in the order of their submission.
    pub jobs: Vec<Job>,
    /// How many are not among them: they never ran, or nobody knows how long, or what they were can't be read.
    pub left_out: usize,
}

/// The executions that the query finds and that have ended, as a workload that begins with the first of them.
pub async fn workload(context: &Context, query: &Query) -> Result<Workload, OpsError> {
    let store = context.history.open().await?;
    let deployment = &context.settings.deployment;
    let found = store.search(deployment, query).await?;
    let left_out = found.unreadable.len();
    let mut records = found.records;
    // What is alive is not the past yet.
    records.retain(|record| record.end.is_some());
    records.sort_by_key(|record| (record.submitted_at, record.id));
    let mut workload = Workload {
        jobs: Vec::with_capacity(records.len()),
        left_out,
    };
    let begin = records.first().map(|record| record.submitted_at);
    let begin = begin.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut users: HashMap<String, Arc<str>> = HashMap::new();
    let ids: Vec<_> = records.iter().map(|record| record.id).collect();
    let mut events = store.events_of(deployment, &ids).await?;
    for record in records {
        let events = events.remove(&record.id).unwrap_or_default();
        match job(&record, &events, begin) {
            Some(mut job) => {
                let user = users.entry(record.user).or_insert_with(|| job.user.clone());
                job.user = Arc::clone(user);
                workload.jobs.push(job);
            }
            None => workload.left_out += 1,
        }
    }
    Ok(workload)
}

fn job(record: &Record, events: &[Event], begin: Timestamp) -> Option<Job> {
    let (ended, _) = record.end.as_ref()?;
    let application = apps::from_json(&record.description).ok()?;
    let sum = |of: fn(&crate::model::Component) -> u32| {
        let counts = application.components.iter().map(of);
        counts.fold(0, u32::saturating_add)
    };
    let (core, all) = (sum(|c| c.core), sum(crate::model::Component::members));
    if all == 0 || all > MOST_MEMBERS {
        return None;
    }
    let work = work(record, events, *ended, all);
    let nanos = work.div_ceil(u128::from(all));
    // What ended in the moment it began ran too, for less than the clock shows.
    let nanos = match record.started_at {
        Some(_) if nanos == 0 => 1_000_000,
        Some(_) | None => nanos,
    };
    let runtime = u64::try_from(nanos).ok().filter(|nanos| *nanos > 0)?;
    // A member is the least that can run.
    let core = core.max(1);
    let terms = resubmit::shown(record.terms.as_deref());
    // Each attempt has all of the limit.
    let attempts = 1 + events.iter().filter(|e| e.kind == ATTEMPT_FAILED).count();
    let limit = terms.time_limit.map(nanos_of);
    let limit = limit.map(|nanos| nanos.saturating_mul(attempts as u64));
    Some(Job {
        submit: length(begin, record.submitted_at),
        user: record.user.as_str().into(),
        runtime: Time::from_nanos(runtime),
        core,
        elastic: all.saturating_sub(core),
        member: mean_member(&application, all),
        time_limit: limit.filter(|nanos| *nanos > 0).map(Time::from_nanos),
        priority: terms.priority,
    })
}

fn length(from: Timestamp, to: Timestamp) -> Time {
    Time::from_nanos(nanos_of(to.duration_since(from)))
}

/// None if it is less than nothing.
fn nanos_of(time: SignedDuration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(0)
}

/// What all members together want, divided among them, rounded up.
fn mean_member(application: &Application, members: u32) -> Resources {
    let components = application.components.iter();
    let total: Resources = components
        .map(|c| c.reservation().times(c.members().into()))
        .sum();
    Resources {
        cores: Cores::from_millis(total.cores.millis().div_ceil(members.into())),
        memory: Bytes::new(total.memory.get().div_ceil(members.into())),
    }
}

/// What it did, in nanoseconds of one member.
fn work(record: &Record, events: &[Event], ended: Timestamp, all: u32) -> u128 {
    let mut work = 0;
    let mut has = 0;
    let mut since = record.started_at.unwrap_or(ended);
    let events = || events.iter().filter(|event| event.at <= ended);
    // Who starts something that is over at once writes that later.
    if !events().any(|event| event.kind == STARTED) {
        has = all;
    }
    for event in events() {
        let Some(now_has) = members_after(event, has, all) else {
            continue;
        };
        work += u128::from(length(since, event.at).nanos()) * u128::from(has);
        since = event.at.max(since);
        has = now_has;
    }
    work + u128::from(length(since, ended).nanos()) * u128::from(has)
}

/// How many members it has after an event, if that makes a difference.
fn members_after(event: &Event, has: u32, all: u32) -> Option<u32> {
    let members = match event.kind.as_str() {
        // Once it did not say how many.
        STARTED => event
            .detail
            .split(' ')
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(all),
        START_FAILED | ATTEMPT_FAILED => 0,
        REPLACED => has.saturating_add(1),
        DROPPED => has.saturating_sub(1),
        RESIZED => {
            let (_, before, after) = past::read_resized(&event.detail)?;
            has.saturating_add(after).saturating_sub(before)
        }
        _ => return None,
    };
    Some(members.min(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ExecutionId, Outcome};

    const APPLICATION: &str = "schema = 1\nname = \"a\"\ndescription = \"a\"\nmonitor = \"main\"\n\n\
        [[component]]\nname = \"main\"\nimage = \"i\"\ncores = 1\nmemory = \"512m\"\n\n\
        [[component]]\nname = \"worker\"\nimage = \"i\"\ncores = 2\nmemory = \"1g\"\ncore = 1\nelastic = 2\n";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn record(started: Option<i64>) -> Record {
        let application = apps::parse(APPLICATION, apps::Format::Toml).unwrap();
        Record {
            id: ExecutionId::from_bits(1),
            name: "a".to_owned(),
            user: "ann".to_owned(),
            application: "a".to_owned(),
            description: apps::to_json(&application),
            key: None,
            submitted_at: at(100),
            started_at: started.map(at),
            end: Some((at(210), Outcome::Finished)),
            logs: None,
            allocated: None,
            used: None,
            terms: None,
        }
    }

    fn events(all: &[(i64, &str, &str)]) -> Vec<Event> {
        let event = |(second, kind, detail): &(i64, &str, &str)| Event {
            execution: ExecutionId::from_bits(1),
            at: at(*second),
            kind: (*kind).to_owned(),
            detail: (*detail).to_owned(),
        };
        all.iter().map(event).collect()
    }

    fn runtime(all: &[(i64, &str, &str)]) -> Option<String> {
        let job = job(&record(Some(110)), &events(all), at(40))?;
        Some(job.runtime.to_string())
    }

    #[test]
    fn members_of_several_components_become_as_many_of_the_mean_size() {
        let job = job(&record(Some(110)), &[], at(40)).unwrap();
        assert_eq!((job.core, job.elastic), (2, 2));
        assert_eq!(job.submit, Time::from_secs(60));
        assert_eq!(job.runtime, Time::from_secs(100));
        let all = job.member.times(4);
        assert_eq!(all.cores, Cores::from_millis(7000));
        assert!(all.memory.get() - Bytes::from_mib(3584).get() < 4);
    }

    #[test]
    fn what_had_few_members_would_have_been_done_sooner_with_all() {
        let started = (110, "started", "all members were started");
        assert_eq!(runtime(&[started]).as_deref(), Some("100"));
        // Half of them all the time.
        let half = (110, "started", "2 of 4 members were started");
        assert_eq!(runtime(&[half]).as_deref(), Some("50"));
        // Half of them for half of the time, then three, then two, then all.
        let grown = [
            (100, "submitted", "by ann"),
            half,
            (160, "replaced", "worker-1: made on node-1"),
            (170, "dropped", "worker-1: reclaimed"),
            (180, "resized", "worker: from 1 to 3 members, by ann"),
            (210, "ended", "exit code 0"),
        ];
        assert_eq!(runtime(&grown).as_deref(), Some("67.5"));
        // A failed attempt takes its time; the pause after it does not.
        let again = [
            started,
            (150, "attempt-failed", "1"),
            (190, "started", "4 of 4 members were started"),
        ];
        assert_eq!(runtime(&again).as_deref(), Some("60"));
    }

    #[test]
    fn terms_are_kept_and_each_attempt_has_all_of_the_limit() {
        let mut record = record(Some(110));
        assert_eq!(job(&record, &[], at(0)).unwrap().time_limit, None);
        record.terms = Some(r#"{"priority":2,"retries":"1 75","time_limit_ms":90500}"#.to_owned());
        let once = job(&record, &[], at(0)).unwrap();
        assert_eq!(once.priority, 2);
        assert_eq!(once.time_limit, Some(Time::from_nanos(90_500_000_000)));
        let again = events(&[(150, "attempt-failed", "1"), (190, "started", "4 of 4")]);
        let twice = job(&record, &again, at(0)).unwrap();
        assert_eq!(twice.time_limit, Some(Time::from_secs(181)));
    }

    #[test]
    fn what_never_ran_is_left_out() {
        assert_eq!(
            job(
                &record(None),
                &events(&[(100, "submitted", "by ann")]),
                at(0)
            ),
            None
        );
        let mut unreadable = record(Some(110));
        unreadable.description = "{}".to_owned();
        assert_eq!(job(&unreadable, &[], at(0)), None);
    }
}
