//! What a Spark master says: which applications there are, and, asked through it, whether their drivers have jobs.
//!
//! A `SparkContext` that is open is no work: only a job that runs is, or tasks that were run since the last look.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Said, Verdict};

/// What the master is asked.
pub const MASTER: &str = "/json/";
/// The most applications whose drivers are asked.
pub const MOST: usize = 16;

#[derive(Deserialize)]
struct Master {
    activeapps: Vec<App>,
    #[serde(default)]
    completedapps: Vec<App>,
}

#[derive(Deserialize)]
struct App {
    id: String,
    #[serde(default)]
    starttime: Option<i64>,
    #[serde(default)]
    duration: Option<i64>,
    #[serde(default)]
    cores: Option<u64>,
}

#[derive(Deserialize)]
struct Job {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Executor {
    #[serde(default)]
    total_tasks: u64,
    #[serde(default)]
    active_tasks: u64,
}

/// An application, and what its driver answered: how many jobs run and how many tasks it has had, or why that is not known.
pub type Driver = (String, Result<(usize, u64), String>);

/// An application on a master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its id: letters, digits and `-`.
    pub id: String,
    /// Whether it may have executors; without cores it has none, and no task runs.
    pub has_executors: bool,
}

/// The applications on a master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applications {
    /// Those that are there now.
    pub active: Vec<Application>,
    /// When one began or ended last.
    pub at: Option<Timestamp>,
}

/// What the master answered.
pub fn applications(answer: &[u8]) -> Result<Applications, String> {
    let master: Master = serde_json::from_slice(answer)
        .map_err(|_| "its answer is not a Spark master's".to_owned())?;
    let plain = |app: &App| {
        let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        (1..=64).contains(&app.id.len()) && app.id.bytes().all(good)
    };
    if master.activeapps.len() > MOST || !master.activeapps.iter().all(plain) {
        return Err(
            "its applications are too many or have ids that are none of Spark's".to_owned(),
        );
    }
    let begun = master.activeapps.iter().filter_map(|app| app.starttime);
    let ended = master.completedapps.iter();
    let ended = ended.filter_map(|app| app.starttime?.checked_add(app.duration?));
    let last = begun.chain(ended).max();
    let active = master.activeapps.into_iter().map(|app| Application {
        id: app.id,
        has_executors: app.cores != Some(0),
    });
    Ok(Applications {
        active: active.collect(),
        at: last.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
    })
}

/// What the driver of an application is asked: for its running jobs, and for its executors.
pub fn questions(id: &str) -> [String; 2] {
    let base = format!("/api/v1/applications/{id}");
    [
        format!("{base}/jobs?status=running"),
        format!("{base}/executors"),
    ]
}

/// Where the driver of an application is below its master, if that leads to drivers.
pub fn through_master(id: &str) -> String {
    format!("/proxy/{id}")
}

/// What a driver answered: how many jobs run, and how many tasks it has had.
pub fn driver(jobs: &[u8], executors: &[u8]) -> Result<(usize, u64), String> {
    let wrong = |what: &str| format!("what it answers about {what} is not Spark's");
    let jobs: Vec<Job> = serde_json::from_slice(jobs).map_err(|_| wrong("jobs"))?;
    let executors: Vec<Executor> =
        serde_json::from_slice(executors).map_err(|_| wrong("executors"))?;
    // Whoever runs a notebook may answer anything here.
    let sum = |of: fn(&Executor) -> u64| executors.iter().map(of).fold(0, u64::saturating_add);
    let active = sum(|one| one.active_tasks);
    let tasks = sum(|one| one.total_tasks);
    Ok((jobs.len().max(usize::from(active > 0)), tasks))
}

/// What it comes to: with what each driver answered, and what was counted the last time.
pub fn read(applications: &Applications, drivers: &[Driver], before: Option<&str>) -> Said {
    let mut running = 0_usize;
    let mut counts = Vec::new();
    for (id, answer) in drivers {
        match answer {
            Ok((jobs, tasks)) => {
                running = running.saturating_add(*jobs);
                counts.push(format!("{id}:{tasks}"));
            }
            Err(why) => return Said::unreadable(format!("{id}: {why}")),
        }
    }
    counts.sort();
    let count = counts.join(" ");
    let has_worked = before.is_some_and(|before| before != count);
    let open = applications.active.len();
    let s = if open == 1 { "" } else { "s" };
    let (verdict, what) = match (running, has_worked) {
        (0, false) => (Verdict::Idle, "no job runs".to_owned()),
        (0, true) => (
            Verdict::Used,
            "jobs were run since the last look".to_owned(),
        ),
        (1, _) => (Verdict::Used, "1 job runs".to_owned()),
        (jobs, _) => (Verdict::Used, format!("{jobs} jobs run")),
    };
    Said {
        verdict,
        at: applications.at,
        text: format!("{open} application{s}, {what}"),
        count: Some(count),
    }
}
