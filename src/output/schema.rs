//! The JSON that zoe prints, version 1: every key is always there, `null` where nothing is known.
//!
//! `docs/json.md` describes it to users, and tests hold the two together. Keys may be added within a version; none is
//! renamed, removed or given another meaning.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::text::rfc3339;
use crate::model::Cores;
use crate::model::danger::is_dangerous;
use crate::ops::idle::Wish;
use crate::ops::view::{ActivityView, ComponentView, ContainerView, ExecutionView};

/// One execution, as `ps` and `history` have it.
#[derive(Debug, Serialize)]
pub struct Execution {
    /// Identifies it.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// The application's name.
    pub application: String,
    /// `queued`, `starting`, `running`, `ending`, `finished`, `failed` or `cancelled`.
    pub state: &'static str,
    /// Why it waits, or how it ended.
    pub reason: Option<String>,
    /// The greater goes first.
    pub priority: i32,
    /// What has to be over before: `ID:ok` or `ID:any`.
    pub after: Vec<String>,
    /// The array it belongs to.
    pub array: Option<String>,
    /// Its index there.
    pub array_index: Option<u32>,
    /// How often it is run again at the most.
    pub retries: u32,
    /// With which exit codes; with any but 0 where there is none.
    pub retry_on: Vec<i64>,
    /// For the how manieth time it runs, from 1.
    pub attempt: Option<u32>,
    /// Whether somebody holds it back.
    pub held: bool,
    /// How long it may run.
    pub time_limit_seconds: Option<u64>,
    /// For how long it may be idle, if that was said.
    pub idle_timeout: Option<String>,
    /// Whether somebody uses it, of what is ended when nobody does.
    pub activity: Option<Activity>,
    /// RFC 3339, UTC, milliseconds.
    pub submitted_at: String,
    /// Likewise.
    pub started_at: Option<String>,
    /// Likewise.
    pub finished_at: Option<String>,
    /// Once it is over.
    pub exit_code: Option<i64>,
    /// Its web interfaces.
    pub urls: Vec<Url>,
    /// Its parts.
    pub components: Vec<Component>,
}

/// Whether somebody uses an execution.
#[derive(Debug, Serialize)]
pub struct Activity {
    /// For how long it may be idle.
    pub idle_timeout_seconds: u64,
    /// `used`, `idle` or `unreadable`.
    pub state: Option<String>,
    /// RFC 3339, UTC, milliseconds: when it was used last.
    pub used_at: Option<String>,
    /// `jupyter`, `spark` or `http`.
    pub used_by: Option<String>,
    /// When that was looked at.
    pub checked_at: Option<String>,
    /// When its owner was warned.
    pub warned_at: Option<String>,
    /// When it ends, if it stays idle.
    pub ends_at: Option<String>,
    /// Until when somebody wants it kept.
    pub kept_until: Option<String>,
    /// What each sign said.
    pub signs: Vec<Sign>,
}

/// What a sign of use said.
#[derive(Debug, Serialize)]
pub struct Sign {
    /// `jupyter`, `spark` or `http`.
    pub sign: String,
    /// `used`, `idle` or `unreadable`.
    pub state: String,
    /// When it was used last, as far as that sign knows.
    pub used_at: Option<String>,
    /// What it said, or why it can't be read.
    pub text: String,
}

/// What somebody has said of keeping an execution.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// Which execution.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Until when it is kept, if it is.
    pub kept_until: Option<String>,
}

/// A web interface.
#[derive(Debug, Serialize)]
pub struct Url {
    /// Component and port.
    pub name: String,
    /// Where it is.
    pub url: String,
}

/// A part of an execution.
#[derive(Debug, Serialize)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Members it is to have.
    pub wanted: u32,
    /// Members at work.
    pub running: u32,
    /// Processor of one member, in cores.
    pub cores: serde_json::Number,
    /// Memory of one member, in bytes.
    pub memory_bytes: u64,
}

/// One execution with its containers, as `show` has it.
#[derive(Debug, Serialize)]
pub struct Detail {
    /// What `ps` has of it.
    #[serde(flatten)]
    pub execution: Execution,
    /// Its members.
    pub containers: Vec<Container>,
}

/// A member of an execution.
#[derive(Debug, Serialize)]
pub struct Container {
    /// Its component.
    pub component: String,
    /// Which member, from 0.
    pub index: u32,
    /// The node it is on.
    pub node: String,
    /// Docker's id.
    pub container_id: String,
    /// `created`, `running`, `exited`, `rejected`, `lost` or `other`.
    pub state: String,
    /// If it has ended.
    pub exit_code: Option<i64>,
    /// In the execution's network.
    pub address: Option<String>,
    /// Docker's own words about its state.
    pub note: Option<String>,
}

impl From<&ExecutionView> for Execution {
    fn from(view: &ExecutionView) -> Self {
        Self {
            id: view.id.to_string(),
            name: view.name.clone(),
            user: view.user.clone(),
            application: view.application.clone(),
            state: view.state.word(),
            reason: view.reason.clone(),
            priority: view.terms.priority,
            after: view.terms.after.clone(),
            array: view.terms.array.map(|(array, _)| array.to_string()),
            array_index: view.terms.array.map(|(_, index)| index),
            retries: view.terms.retries,
            retry_on: view.terms.retry_on.clone(),
            attempt: view.terms.attempt,
            held: view.terms.held,
            time_limit_seconds: view.terms.time_limit.map(|t| t.as_secs().unsigned_abs()),
            idle_timeout: view.terms.idle_timeout.clone(),
            activity: view.activity.as_ref().map(Activity::from),
            submitted_at: rfc3339(view.submitted_at),
            started_at: view.started_at.map(rfc3339),
            finished_at: view.finished_at.map(rfc3339),
            exit_code: view.exit_code,
            urls: view
                .urls
                .iter()
                .map(|u| Url {
                    name: u.name.clone(),
                    url: u.url.clone(),
                })
                .collect(),
            components: view.components.iter().map(Component::from).collect(),
        }
    }
}

impl From<&ActivityView> for Activity {
    fn from(view: &ActivityView) -> Self {
        let signs = view.signs.iter().map(|one| Sign {
            sign: one.sign.clone(),
            state: one.state.clone(),
            used_at: one.used_at.map(rfc3339),
            text: one.text.clone(),
        });
        Self {
            idle_timeout_seconds: view.idle_timeout.as_secs().unsigned_abs(),
            state: view.state.clone(),
            used_at: view.used_at.map(rfc3339),
            used_by: view.used_by.clone(),
            checked_at: view.checked_at.map(rfc3339),
            warned_at: view.warned_at.map(rfc3339),
            ends_at: view.ends_at.map(rfc3339),
            kept_until: view.kept_until.map(rfc3339),
            signs: signs.collect(),
        }
    }
}

impl From<&Wish> for Kept {
    fn from(wish: &Wish) -> Self {
        Self {
            id: wish.id.to_string(),
            name: wish.name.clone(),
            kept_until: wish.until.map(rfc3339),
        }
    }
}

impl From<&ComponentView> for Component {
    fn from(view: &ComponentView) -> Self {
        Self {
            name: view.name.clone(),
            image: view.image.clone(),
            wanted: view.wanted,
            running: view.running,
            cores: cores(view.cores),
            memory_bytes: view.memory.get(),
        }
    }
}

impl From<&ContainerView> for Container {
    fn from(view: &ContainerView) -> Self {
        Self {
            component: view.component.clone(),
            index: view.index,
            node: view.node.clone(),
            container_id: view.container_id.clone(),
            state: view.state.clone(),
            exit_code: view.exit_code,
            address: view.address.map(|a| a.to_string()),
            note: view.note.clone(),
        }
    }
}

impl From<&ExecutionView> for Detail {
    fn from(view: &ExecutionView) -> Self {
        Self {
            execution: view.into(),
            containers: view.containers.iter().map(Container::from).collect(),
        }
    }
}

/// Thousandths written out, so that 0.5 is 0.5; whole numbers stay whole. Always a JSON number.
pub fn cores(cores: Cores) -> serde_json::Number {
    cores.to_string().parse().unwrap_or_else(|_| 0.into())
}

/// The keys of [`Execution`], which templates may name.
pub const EXECUTION_KEYS: [&str; 23] = [
    "id",
    "name",
    "user",
    "application",
    "state",
    "reason",
    "priority",
    "after",
    "array",
    "array_index",
    "retries",
    "retry_on",
    "attempt",
    "held",
    "time_limit_seconds",
    "idle_timeout",
    "activity",
    "submitted_at",
    "started_at",
    "finished_at",
    "exit_code",
    "urls",
    "components",
];

/// As an indented document, with a newline.
pub fn pretty(value: &impl Serialize) -> String {
    harmless(serde_json::to_string_pretty(value).unwrap_or_else(|_| Value::Null.to_string()))
}

/// In one line, with a newline.
pub fn compact(value: &impl Serialize) -> String {
    harmless(serde_json::to_string(value).unwrap_or_else(|_| Value::Null.to_string()))
}

/// JSON escapes most control characters of ASCII itself; what else does something to a terminal is only ever inside of strings,
/// where `\u` means the same.
fn harmless(json: String) -> String {
    // The ends of lines are the document's own.
    let dangerous = |c: char| c != '\n' && is_dangerous(c);
    let mut text = if json.contains(dangerous) {
        json.chars()
            .fold(String::with_capacity(json.len()), |mut safe, c| {
                if dangerous(c) {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        let _ = write!(safe, "\\u{unit:04x}");
                    }
                } else {
                    safe.push(c);
                }
                safe
            })
    } else {
        json
    };
    text.push('\n');
    text
}
