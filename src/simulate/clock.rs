//! The virtual clock: arrivals and ends in order of time, and how far each application has come.
//!
//! An application's rate of progress is the members it has over those that it wants. Work is counted in nanoseconds of one
//! member, so it is a whole number at every moment, and an end is exact but for being rounded up to a nanosecond. Who is
//! given what is [`Scheduler`]'s; nothing is decided here.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::time::Time;
use super::workload::Job;
use crate::model::IdError;

/// Decides who gets how many members.
pub trait Scheduler {
    /// An application is submitted.
    fn submit(&mut self, job: usize, now: Time);

    /// An application that ran has ended: what it held is free.
    fn finish(&mut self, job: usize, now: Time);

    /// Divides what there is, now that all that happens at this moment has happened, and gives those whose number of members
    /// is another one now, with that number. Each once; who has been given any keeps at least its core.
    fn divide(&mut self, now: Time) -> Vec<(usize, u32)>;
}

/// What became of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it was given its core members.
    pub started: Time,
    /// When it ended.
    pub ended: Time,
    /// Whether it did all its work; otherwise its time ran out.
    pub done: bool,
}

/// Looks on: is told after each moment at which something happened.
pub trait Watcher {
    /// From now on these applications have these numbers of members; 0 is an end.
    fn moment(&mut self, now: Time, changes: &[(usize, u32)], counts: Counts);
}

/// How many applications there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that have members.
    pub running: u64,
    /// Those that were submitted and have none.
    pub waiting: u64,
}

/// Why a simulation can't be brought to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// It goes beyond what the clock counts.
    #[error("it takes longer than five centuries; shorten the run times or add nodes")]
    TooLong,
    /// Nothing runs, nothing arrives, and some wait.
    #[error(
        "{waiting} applications wait though nothing else runs: this is a mistake of the scheduler, please report it"
    )]
    Stuck {
        /// How many.
        waiting: u64,
    },
    /// Members can't be called what they are called here.
    #[error(transparent)]
    Name(#[from] IdError),
}

/// An application that runs.
#[derive(Debug, Clone, Copy)]
struct Progress {
    started: Time,
    members: u32,
    /// What is left to do, in nanoseconds of one member, at `since`.
    left: u128,
    since: Time,
    /// When its time is up.
    deadline: Option<Time>,
    /// Which of the ends that were foreseen for it is the right one.
    version: u32,
}

/// An end that is foreseen.
type End = Reverse<(Time, usize, u32)>;

struct Clock<'a> {
    jobs: &'a [Job],
    progress: Vec<Option<Progress>>,
    spans: Vec<Option<Span>>,
    ends: BinaryHeap<End>,
    counts: Counts,
}

/// Runs the workload; `arrivals` are the applications that take part, in order of their submission. Those that do not have
/// no [`Span`]. `look` sees the scheduler after every moment.
pub fn run<S: Scheduler>(
    jobs: &[Job],
    arrivals: &[usize],
    scheduler: &mut S,
    watcher: &mut impl Watcher,
    mut look: impl FnMut(&S, Time),
) -> Result<Vec<Option<Span>>, ClockError> {
    let mut clock = Clock {
        jobs,
        progress: vec![None; jobs.len()],
        spans: vec![None; jobs.len()],
        ends: BinaryHeap::new(),
        counts: Counts::default(),
    };
    let submit = |job: usize| jobs.get(job).map(|job| job.submit);
    let mut arrivals = arrivals.iter().copied().peekable();
    let mut changes = Vec::new();
    loop {
        let arrival = arrivals.peek().copied().and_then(submit);
        let end = clock.next_end();
        let Some(now) = arrival.into_iter().chain(end).min() else {
            break;
        };
        changes.clear();
        while let Some(job) = clock.ended(now) {
            scheduler.finish(job, now);
            changes.push((job, 0));
        }
        while let Some(job) = arrivals.next_if(|job| submit(*job) == Some(now)) {
            scheduler.submit(job, now);
            clock.counts.waiting += 1;
        }
        for (job, members) in scheduler.divide(now) {
            clock.give(job, members, now)?;
            changes.push((job, members));
        }
        watcher.moment(now, &changes, clock.counts);
        look(scheduler, now);
    }
    match clock.counts {
        Counts { waiting: 0, .. } => Ok(clock.spans),
        Counts { waiting, .. } => Err(ClockError::Stuck { waiting }),
    }
}

impl Clock<'_> {
    /// The next end that is still right.
    fn next_end(&mut self) -> Option<Time> {
        while let Some(Reverse((at, job, version))) = self.ends.peek().copied() {
            if self.is_right(job, version) {
                return Some(at);
            }
            self.ends.pop();
        }
        None
    }

    fn is_right(&self, job: usize, version: u32) -> bool {
        let progress = self.progress.get(job).copied().flatten();
        progress.is_some_and(|progress| progress.version == version)
    }

    /// One that ends now.
    fn ended(&mut self, now: Time) -> Option<usize> {
        if self.next_end()? > now {
            return None;
        }
        let Reverse((_, job, _)) = self.ends.pop()?;
        let progress = self.progress.get_mut(job)?.take()?;
        let span = Span {
            started: progress.started,
            ended: now,
            done: progress.left_at(now) == 0,
        };
        *self.spans.get_mut(job)? = Some(span);
        self.counts.running -= 1;
        Some(job)
    }

    /// From now on it has so many members.
    fn give(&mut self, job: usize, members: u32, now: Time) -> Result<(), ClockError> {
        let (Some(one), Some(slot)) = (self.jobs.get(job), self.progress.get_mut(job)) else {
            return Ok(());
        };
        let progress = slot.get_or_insert_with(|| {
            self.counts.waiting -= 1;
            self.counts.running += 1;
            Progress {
                started: now,
                members: 0,
                left: one.work(),
                since: now,
                deadline: one.deadline(now),
                version: 0,
            }
        });
        progress.left = progress.left_at(now);
        progress.since = now;
        progress.members = members;
        progress.version += 1;
        if let Some(end) = progress.end()? {
            self.ends.push(Reverse((end, job, progress.version)));
        }
        Ok(())
    }
}

impl Progress {
    /// What is left to do by then.
    fn left_at(&self, now: Time) -> u128 {
        let done = u128::from(now.since(self.since).nanos()) * u128::from(self.members);
        self.left.saturating_sub(done)
    }

    /// When it ends if nothing changes; never without members and a limit.
    fn end(&self) -> Result<Option<Time>, ClockError> {
        if self.members == 0 {
            return Ok(self.deadline);
        }
        let needed = self.left.div_ceil(u128::from(self.members));
        let done = u64::try_from(needed)
            .ok()
            .and_then(|nanos| self.since.plus(Time::from_nanos(nanos)));
        match (done, self.deadline) {
            (None, None) => Err(ClockError::TooLong),
            (done, deadline) => Ok(done.into_iter().chain(deadline).min()),
        }
    }
}
