//! What an operation tells while it works; how that is shown is the face's business.

use crate::engine::Progress;
use crate::model::ExecutionId;

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
    /// Its containers are being made.
    Starting,
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
    /// It is being torn down.
    Ending,
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
