//! What people are shown of an execution, alive or from history, as plain values.
//!
//! Neither JSON nor tables: `output` makes those of it. Holds nothing secret except what a URL's query needs, which only
//! the views of a single execution carry.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Bytes, Cores, ExecutionId};

/// Where an execution stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It waits for room.
    Queued,
    /// Some of its core members are there.
    Starting,
    /// All its core members were started.
    Running,
    /// It is being torn down.
    Ending,
    /// It ended well.
    Finished,
    /// It ended otherwise, or ran out of time.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

impl State {
    /// All of them, in the order of an execution's life.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Starting,
        Self::Running,
        Self::Ending,
        Self::Finished,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word for it, as JSON, tables and filters have it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Ending => "ending",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it is over: only history knows it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled)
    }
}

/// An execution as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionView {
    /// Which.
    pub id: ExecutionId,
    /// What it is called.
    pub name: String,
    /// Who it belongs to.
    pub user: String,
    /// The application's name.
    pub application: String,
    /// Where it stands.
    pub state: State,
    /// Why it waits, or how it ended: a sentence for people.
    pub reason: Option<String>,
    /// How it stands to others, and what happens when it fails.
    pub terms: TermsView,
    /// Whether somebody uses it; only of what runs and is ended when nobody does.
    pub activity: Option<ActivityView>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When its first member began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How long it ran in all, where it was run several times and is over.
    pub run_time: Option<SignedDuration>,
    /// Its exit code, once it is over.
    pub exit_code: Option<i64>,
    /// Its web interfaces.
    pub urls: Vec<NamedUrl>,
    /// Its parts, in the order of the description.
    pub components: Vec<ComponentView>,
    /// Its members; only where one execution is shown.
    pub containers: Vec<ContainerView>,
}

impl ExecutionView {
    /// How long it ran, if it did; until then, if it was run only once or still runs.
    pub fn ran(&self, until: Timestamp) -> Option<SignedDuration> {
        let once = self.started_at.map(|from| until.duration_since(from));
        self.run_time.or(once)
    }
}

/// Whether somebody uses an execution, as it was when that was looked at last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityView {
    /// For how long it may be idle.
    pub idle_timeout: SignedDuration,
    /// `used`, `idle` or `unreadable`; `None` if nobody has looked, or not lately.
    pub state: Option<String>,
    /// When it was used last.
    pub used_at: Option<Timestamp>,
    /// What said so: `jupyter`, `spark` or `http`; `None` for its start.
    pub used_by: Option<String>,
    /// When that was looked at.
    pub checked_at: Option<Timestamp>,
    /// When its owner was warned, in this idle period.
    pub warned_at: Option<Timestamp>,
    /// When it ends, if it stays idle.
    pub ends_at: Option<Timestamp>,
    /// Whether the mail with the warning is still to be sent: what [`Self::ends_at`] says is then the latest.
    pub warning_waits: bool,
    /// Until when it is kept, if it is; in the year 9999 until told otherwise.
    pub kept_until: Option<Timestamp>,
    /// What each sign said.
    pub signs: Vec<SignView>,
}

/// What a sign of use said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignView {
    /// `jupyter`, `spark` or `http`.
    pub sign: String,
    /// `used`, `idle` or `unreadable`.
    pub state: String,
    /// When it was used last, as far as that sign knows.
    pub used_at: Option<Timestamp>,
    /// In words: what it said, or why it can't be read.
    pub text: String,
}

/// The terms of an execution, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TermsView {
    /// The greater goes first.
    pub priority: i32,
    /// What has to be over before: `ID:ok` or `ID:any`.
    pub after: Vec<String>,
    /// The array that it belongs to, and its index there.
    pub array: Option<(ExecutionId, u32)>,
    /// How often it is run again at the most when it fails.
    pub retries: u32,
    /// With which exit codes; with any but 0 where there is none.
    pub retry_on: Vec<i64>,
    /// For the how manieth time it runs, from 1; `None` where that is not known.
    pub attempt: Option<u32>,
    /// Whether somebody holds it back; only what waits can be held.
    pub held: bool,
    /// How long it may run.
    pub time_limit: Option<SignedDuration>,
    /// For how long it may be idle, if that was said: `never`, or such as `4h`.
    pub idle_timeout: Option<String>,
}

/// A web interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedUrl {
    /// Component and port: `master/web`.
    pub name: String,
    /// Where a browser finds it.
    pub url: String,
}

/// A part of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentView {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Members it is to have.
    pub wanted: u32,
    /// Members at work.
    pub running: u32,
    /// Processor of one member.
    pub cores: Cores,
    /// Memory of one member: the container's limit.
    pub memory: Bytes,
}

/// A member of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerView {
    /// Its component.
    pub component: String,
    /// Which member, from 0.
    pub index: u32,
    /// The node it is on.
    pub node: String,
    /// Docker's id of the container.
    pub container_id: String,
    /// What it is doing: `created`, `running`, `exited`, `rejected`, `lost`, `other`.
    pub state: String,
    /// Its exit code, if it has ended.
    pub exit_code: Option<i64>,
    /// Its address in the execution's network.
    pub address: Option<IpAddr>,
    /// Docker's own words about what it is doing.
    pub note: Option<String>,
}
