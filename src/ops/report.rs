//! What an operation tells while it works; how that is shown is the face's business.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::engine::Progress;
use crate::model::{ExecutionId, Outcome};

/// Something worth telling while an operation goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// An image is being pulled, built or pushed.
    Image {
        /// Which.
        image: String,
        /// How far it is.
        progress: Progress,
    },
    /// Files have been packed.
    Packed {
        /// How many.
        files: usize,
        /// Their size in bytes.
        bytes: u64,
    },
    /// The execution exists.
    Submitted {
        /// Its id.
        id: ExecutionId,
        /// What it is called.
        name: String,
    },
    /// It was there already.
    Found {
        /// Its id.
        id: ExecutionId,
        /// What it is called.
        name: String,
    },
    /// It waits, for this reason.
    Waiting(String),
    /// It failed, in its start or by itself, and is tried again: why and when.
    Setback(String),
    /// The containers of this execution are being made.
    Starting(ExecutionId),
    /// All its core members run.
    Running,
    /// A component is getting ready: so many of so many.
    Ready {
        /// Which component was asked.
        component: String,
        /// What it said.
        have: u64,
        /// What it is to say.
        want: u64,
    },
    /// This execution is being torn down.
    Ending(ExecutionId),
    /// The members that this execution was given were started.
    Started {
        /// Which.
        id: ExecutionId,
        /// The nodes that it has members on, each once.
        nodes: Vec<String>,
    },
    /// A start of this execution came to nothing and was, or is being, undone.
    StartFailed {
        /// Which.
        id: ExecutionId,
        /// A sentence for people.
        why: String,
    },
    /// The program of this execution has failed and is to be run again.
    Again {
        /// Which.
        id: ExecutionId,
        /// Its exit code.
        code: i64,
        /// A sentence for people.
        why: String,
    },
    /// Members of this execution, which goes on, were removed.
    Dropped {
        /// Which.
        id: ExecutionId,
        /// Each with what was wrong with it.
        members: Vec<String>,
        /// Whether nothing was: somebody before it needs their room.
        reclaimed: bool,
    },
    /// This execution is over, and nothing of it is left.
    Ended {
        /// Which.
        id: ExecutionId,
        /// What it was called.
        name: String,
        /// Who it belonged to.
        user: String,
        /// How it ended.
        outcome: Outcome,
    },
    /// Something is not as it should be, but the operation goes on.
    Warning(String),
}

/// Takes the news.
pub trait Report: Send + Sync {
    /// Tells one thing.
    fn tell(&self, news: News);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Report for Silent {
    fn tell(&self, _news: News) {}
}

/// Tells of one execution only: a pass that somebody makes for it starts and ends others as well, which is not their news.
pub(super) struct Only<'a> {
    id: ExecutionId,
    report: &'a dyn Report,
    /// The warnings that were told, where each is told only once.
    warned: Option<Mutex<BTreeSet<String>>>,
}

impl<'a> Only<'a> {
    /// What concerns this execution, or none in particular.
    pub(super) fn of(id: ExecutionId, report: &'a dyn Report) -> Self {
        Self {
            id,
            report,
            warned: None,
        }
    }

    /// The same, and no warning twice, for who makes one pass after the other.
    pub(super) fn once(self) -> Self {
        Self {
            warned: Some(Mutex::default()),
            ..self
        }
    }

    fn was_told(&self, news: &News) -> bool {
        let (News::Warning(text), Some(warned)) = (news, &self.warned) else {
            return false;
        };
        let mut warned = warned.lock().unwrap_or_else(PoisonError::into_inner);
        !warned.insert(text.clone())
    }
}

impl Report for Only<'_> {
    fn tell(&self, news: News) {
        let about = match &news {
            News::Starting(id)
            | News::Ending(id)
            | News::Started { id, .. }
            | News::StartFailed { id, .. }
            | News::Again { id, .. }
            | News::Dropped { id, .. }
            | News::Ended { id, .. } => Some(*id),
            News::Image { .. }
            | News::Packed { .. }
            | News::Submitted { .. }
            | News::Found { .. }
            | News::Waiting(_)
            | News::Setback(_)
            | News::Running
            | News::Ready { .. }
            | News::Warning(_) => None,
        };
        if about.is_none_or(|id| id == self.id) && !self.was_told(&news) {
            self.report.tell(news);
        }
    }
}
