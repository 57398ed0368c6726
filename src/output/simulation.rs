//! What came of simulations: what `simulate` prints. The picture is [`super::simulation_svg`]'s.

use serde::Serialize;

use super::Look;
use super::grid::{Cell, Fit, Grid};
use super::schema::pretty;
use crate::model::{Cores, Resources};
use crate::simulate::{Job, Outcome, Point, Summary};

/// A workload, where it was run, and what came of it, once for each policy and mode.
#[derive(Debug, Clone, Copy)]
pub struct Simulation<'a> {
    /// The applications, in the order of the file.
    pub jobs: &'a [Job],
    /// The nodes as they were written.
    pub nodes: &'a str,
    /// What the nodes have in all.
    pub capacity: Resources,
    /// What came of it.
    pub outcomes: &'a [Outcome],
}

/// The three summaries that a table and a document have, where anything came to its end.
struct Summaries {
    turnaround: Option<Summary>,
    waiting: Option<Summary>,
    slowdown: Option<Summary>,
}

/// What there is of a summary, in the order of the table.
const THREE: [fn(&Summary) -> f64; 3] = [
    |summary| summary.mean,
    |summary| summary.median,
    |summary| summary.p95,
];

impl Summaries {
    fn of(jobs: &[Job], outcome: &Outcome) -> Self {
        let seen = || jobs.iter().zip(&outcome.spans);
        let seen = || seen().filter_map(|(job, span)| Some((job, span.as_ref()?)));
        Self {
            turnaround: Summary::of(seen().map(|(job, span)| span.turnaround(job))),
            waiting: Summary::of(seen().map(|(job, span)| span.waiting(job))),
            slowdown: Summary::of(seen().map(|(job, span)| span.slowdown(job))),
        }
    }
}

/// The share of the nodes that is held on average, cores and memory, from 0 to 1.
fn shares(simulation: &Simulation<'_>, held: Resources) -> (f64, f64) {
    let all = simulation.capacity;
    (
        part(held.cores.millis(), all.cores.millis()),
        part(held.memory.get(), all.memory.get()),
    )
}

#[allow(clippy::cast_precision_loss, reason = "a share, to a few digits")]
pub(super) fn part(some: u64, all: u64) -> f64 {
    if all == 0 {
        0.0
    } else {
        some as f64 / all as f64
    }
}

/// As a table, a row for each policy and mode. Times are in seconds.
pub fn table(simulation: &Simulation<'_>, look: &Look) -> String {
    let all = simulation.outcomes.iter();
    let refused = all.clone().any(|outcome| !outcome.refused.is_empty());
    let timed_out = all.clone().any(|outcome| outcome.timed_out() > 0);
    let mut columns = vec![
        ("POLICY", Fit::Whole),
        ("MODE", Fit::Whole),
        ("DONE", Fit::Number),
    ];
    if timed_out {
        columns.push(("TIMED OUT", Fit::Number));
    }
    if refused {
        columns.push(("REFUSED", Fit::Number));
    }
    columns.extend([
        ("TURNAROUND", Fit::Number),
        ("T50", Fit::Number),
        ("T95", Fit::Number),
        ("WAITING", Fit::Number),
        ("W50", Fit::Number),
        ("W95", Fit::Number),
        ("SLOWDOWN", Fit::Number),
        ("S50", Fit::Number),
        ("S95", Fit::Number),
        ("CORES", Fit::Number),
        ("MEMORY", Fit::Number),
        ("MAKESPAN", Fit::Number),
    ]);
    let mut grid = Grid::new(&columns);
    grid.give_up(&[
        "S95", "S50", "W95", "W50", "MAKESPAN", "T95", "T50", "MEMORY",
    ]);
    for outcome in all {
        let Summaries {
            turnaround,
            waiting,
            slowdown,
        } = Summaries::of(simulation.jobs, outcome);
        let (cores, memory) = shares(simulation, outcome.mean.held);
        let mut cells = vec![
            Cell::plain(outcome.setup.order.name()),
            Cell::plain(outcome.setup.mode.name()),
            Cell::plain(outcome.done().to_string()),
        ];
        if timed_out {
            cells.push(Cell::plain(outcome.timed_out().to_string()));
        }
        if refused {
            cells.push(Cell::plain(outcome.refused.len().to_string()));
        }
        for summary in [turnaround, waiting, slowdown] {
            let three = THREE.map(|of| summary.as_ref().map(of));
            cells.extend(three.map(|value| Cell::maybe(value.map(|value| format!("{value:.2}")))));
        }
        cells.extend([cores, memory].map(|share| Cell::plain(format!("{:.1}%", share * 100.0))));
        let end = turnaround.map(|_| format!("{:.2}", outcome.end.seconds()));
        cells.push(Cell::maybe(end));
        grid.row(cells);
    }
    grid.render(look)
}

/// One policy and mode.
#[derive(Debug, Serialize)]
struct Json<'a> {
    policy: &'static str,
    mode: &'static str,
    nodes: &'a str,
    cores: serde_json::Number,
    memory_bytes: u64,
    applications: usize,
    finished: usize,
    timed_out: usize,
    refused: Vec<RefusedJson<'a>>,
    mean_turnaround: Option<f64>,
    median_turnaround: Option<f64>,
    p95_turnaround: Option<f64>,
    mean_waiting: Option<f64>,
    median_waiting: Option<f64>,
    p95_waiting: Option<f64>,
    mean_slowdown: Option<f64>,
    median_slowdown: Option<f64>,
    p95_slowdown: Option<f64>,
    makespan: Option<f64>,
    cores_allocated: f64,
    memory_allocated: f64,
    mean_running: f64,
    mean_queued: f64,
    turnarounds: Vec<Option<f64>>,
    waitings: Vec<Option<f64>>,
    slowdowns: Vec<Option<f64>>,
    allocation: Vec<PointJson>,
}

#[derive(Debug, Serialize)]
struct RefusedJson<'a> {
    application: usize,
    user: &'a str,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct PointJson {
    at: f64,
    cores: serde_json::Number,
    memory_bytes: u64,
    running: u64,
    queued: u64,
}

impl From<&Point> for PointJson {
    fn from(point: &Point) -> Self {
        Self {
            at: point.at.seconds(),
            cores: number(point.held.cores),
            memory_bytes: point.held.memory.get(),
            running: point.running,
            queued: point.waiting,
        }
    }
}

/// Thousandths written out, so that 0.5 is 0.5; whole numbers stay whole.
fn number(cores: Cores) -> serde_json::Number {
    cores.to_string().parse().unwrap_or_else(|_| 0.into())
}

/// As a JSON array, an object for each policy and mode.
pub fn json(simulation: &Simulation<'_>) -> String {
    let one = |outcome| json_of(simulation, outcome);
    pretty(&simulation.outcomes.iter().map(one).collect::<Vec<_>>())
}

fn json_of<'a>(simulation: &Simulation<'a>, outcome: &'a Outcome) -> Json<'a> {
    let Summaries {
        turnaround,
        waiting,
        slowdown,
    } = Summaries::of(simulation.jobs, outcome);
    let (cores_allocated, memory_allocated) = shares(simulation, outcome.mean.held);
    let each = |of: &dyn Fn(&crate::simulate::Span, &Job) -> f64| {
        let both = simulation.jobs.iter().zip(&outcome.spans);
        both.map(|(job, span)| span.as_ref().map(|span| of(span, job)))
            .collect()
    };
    Json {
        policy: outcome.setup.order.name(),
        mode: outcome.setup.mode.name(),
        nodes: simulation.nodes,
        cores: number(simulation.capacity.cores),
        memory_bytes: simulation.capacity.memory.get(),
        applications: simulation.jobs.len(),
        finished: outcome.done(),
        timed_out: outcome.timed_out(),
        refused: outcome
            .refused
            .iter()
            .map(|refused| RefusedJson {
                application: refused.job + 1,
                user: simulation.jobs.get(refused.job).map_or("", |job| &job.user),
                reason: &refused.why,
            })
            .collect(),
        mean_turnaround: turnaround.map(|summary| summary.mean),
        median_turnaround: turnaround.map(|summary| summary.median),
        p95_turnaround: turnaround.map(|summary| summary.p95),
        mean_waiting: waiting.map(|summary| summary.mean),
        median_waiting: waiting.map(|summary| summary.median),
        p95_waiting: waiting.map(|summary| summary.p95),
        mean_slowdown: slowdown.map(|summary| summary.mean),
        median_slowdown: slowdown.map(|summary| summary.median),
        p95_slowdown: slowdown.map(|summary| summary.p95),
        makespan: turnaround.map(|_| outcome.end.seconds()),
        cores_allocated,
        memory_allocated,
        mean_running: outcome.mean.running,
        mean_queued: outcome.mean.waiting,
        turnarounds: each(&|span, job| span.turnaround(job)),
        waitings: each(&|span, job| span.waiting(job)),
        slowdowns: each(&|span, job| span.slowdown(job)),
        allocation: outcome.timeline.iter().map(PointJson::from).collect(),
    }
}
