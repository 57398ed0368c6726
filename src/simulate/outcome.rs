//! One run of a workload under one policy and mode, and what is written down of it.

use super::accounts::HALF_LIFE;
use super::clock::{self, ClockError, Counts, Span, Watcher};
use super::line::Line;
use super::time::Time;
use super::timeline::{Mean, Point, Timeline};
use super::workload::Job;
use crate::model::{Component, Node, Resources};
use crate::scheduler::{AGEING, Mode, Order, Ranking};

/// How it is decided who gets what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// Who is first.
    pub order: Order,
    /// Whether elastic members are.
    pub mode: Mode,
    /// How many seconds of waiting take a second of the whole cluster off a size under [`Order::DynSize`].
    pub ageing: u32,
    /// The time after which what a user has used counts half under [`Order::Fair`]; more than nothing.
    pub half_life: Time,
}

impl Setup {
    /// With the usual numbers.
    pub const fn usual(order: Order, mode: Mode) -> Self {
        Self {
            order,
            mode,
            ageing: AGEING,
            half_life: HALF_LIFE,
        }
    }

    /// By which rule those that wait are given their places.
    pub(super) const fn ranking(&self) -> Ranking {
        Ranking {
            order: self.order,
            ageing: self.ageing,
        }
    }
}

/// An application that could never run on these nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the workload, from 0.
    pub job: usize,
    /// Why, for people.
    pub why: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Under which policy and mode.
    pub setup: Setup,
    /// What became of each application, in the order of the workload; nothing of those that were refused.
    pub spans: Vec<Option<Span>>,
    /// Those that could never run.
    pub refused: Vec<Refused>,
    /// What was held over time.
    pub timeline: Vec<Point>,
    /// The same on average, from the beginning until the end.
    pub mean: Mean,
    /// When the last one ended.
    pub end: Time,
    /// From when on each had how many members; empty unless it was asked for.
    pub bars: Vec<Vec<(Time, u32)>>,
}

impl Outcome {
    /// How many did all their work.
    pub fn done(&self) -> usize {
        self.spans.iter().flatten().filter(|span| span.done).count()
    }

    /// How many ran out of time.
    pub fn timed_out(&self) -> usize {
        self.spans
            .iter()
            .flatten()
            .filter(|span| !span.done)
            .count()
    }
}

/// Runs the workload on these nodes; `bars` says whether to write down who had how many members when.
pub fn simulate(
    jobs: &[Job],
    nodes: &[Node],
    setup: Setup,
    bars: bool,
) -> Result<Outcome, ClockError> {
    let name = "member".parse()?;
    let components: Vec<Component> = jobs.iter().map(|job| job.component(&name)).collect();
    let mut line = Line::new(jobs, &components, nodes, setup);
    run(jobs, &mut line, setup, bars, |_, _| ())
}

/// The same, with somebody who looks at the line after every moment.
pub(super) fn run<'a>(
    jobs: &'a [Job],
    line: &mut Line<'a>,
    setup: Setup,
    bars: bool,
    look: impl FnMut(&Line<'a>, Time),
) -> Result<Outcome, ClockError> {
    let mut refused = Vec::new();
    let mut arrivals: Vec<usize> = Vec::with_capacity(jobs.len());
    for job in 0..jobs.len() {
        match line.never(job) {
            Some(why) => refused.push(Refused { job, why }),
            None => arrivals.push(job),
        }
    }
    // A stable sort: those of one moment stay in the order of the file.
    arrivals.sort_by_key(|job| jobs.get(*job).map(|job| job.submit));
    let mut recorder = Recorder::new(jobs, bars);
    let spans = clock::run(jobs, &arrivals, line, &mut recorder, look)?;
    let ends = spans.iter().flatten().map(|span| span.ended);
    let end = ends.max().unwrap_or_default();
    let (timeline, mean) = recorder.timeline.finish();
    Ok(Outcome {
        setup,
        spans,
        refused,
        timeline,
        mean,
        end,
        bars: recorder.bars,
    })
}

/// Writes down what is held.
struct Recorder<'a> {
    jobs: &'a [Job],
    members: Vec<u32>,
    /// In thousandths of a core, and bytes.
    held: (u64, u64),
    timeline: Timeline,
    bars: Vec<Vec<(Time, u32)>>,
}

impl<'a> Recorder<'a> {
    fn new(jobs: &'a [Job], bars: bool) -> Self {
        Self {
            jobs,
            members: vec![0; jobs.len()],
            held: (0, 0),
            timeline: Timeline::default(),
            bars: vec![Vec::new(); if bars { jobs.len() } else { 0 }],
        }
    }
}

impl Watcher for Recorder<'_> {
    fn moment(&mut self, now: Time, changes: &[(usize, u32)], counts: Counts) {
        for &(job, members) in changes {
            let (Some(one), Some(had)) = (self.jobs.get(job), self.members.get_mut(job)) else {
                continue;
            };
            let (old, new) = (
                one.member.times(u64::from(*had)),
                one.member.times(u64::from(members)),
            );
            self.held.0 = (self.held.0 + new.cores.millis()).saturating_sub(old.cores.millis());
            self.held.1 = (self.held.1 + new.memory.get()).saturating_sub(old.memory.get());
            *had = members;
            if let Some(bars) = self.bars.get_mut(job).filter(|_| members > 0) {
                bars.push((now, members));
            }
        }
        self.timeline.step(Point {
            at: now,
            held: Resources {
                cores: crate::model::Cores::from_millis(self.held.0),
                memory: crate::model::Bytes::new(self.held.1),
            },
            running: counts.running,
            waiting: counts.waiting,
        });
    }
}
