//! History, users, the mail outbox and the lease, behind one small trait.
//!
//! Docker is the truth of what is alive; the store is the truth of what has been. Writes are idempotent upserts keyed by
//! execution id, so that writing twice is harmless and a late write is still right.

pub mod accounts;
pub mod activity;
pub mod dialect;
pub mod holder;
pub mod import;
pub mod mysql;
mod open;
pub mod outbox;
pub mod portable;
pub mod rows;
pub mod search;
pub mod sql;
pub mod sqlite;
pub mod used;
pub mod whole;

pub use accounts::{Role, Usage, UsageQuery, User};
pub use activity::{Activities, Activity, Kept, Look, Warning};
pub use holder::Holder;
pub use import::Imported;
pub use mysql::MysqlStore;
pub use open::{export, import, init, migrate, open, standing};
pub use outbox::{
    Bodies, Cover, Letter, LetterChange, LetterClaim, LetterQuery, LetterState, Posted,
};
pub use portable::Counts;
pub use sqlite::SqliteStore;
pub use used::Used;
pub use whole::{Change, Standing, State};

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::model::{Deployment, ExecutionId, Outcome, Resources};

/// Why the store failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be opened.
    #[error("cannot open the database {place}: {why}")]
    Open {
        /// Where it is, without a password.
        place: String,
        /// What came instead.
        why: String,
    },
    /// It was made by a newer zoe.
    #[error(
        "the database {place} was made by a newer zoe (schema {found}, this one knows {known}); use that version"
    )]
    TooNew {
        /// Where it is.
        place: String,
        /// Its schema.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// A statement failed.
    #[error("the database failed to {what}: {why}")]
    Query {
        /// What was to be done.
        what: &'static str,
        /// The database's own words.
        why: String,
    },
    /// Its rows can't be written out.
    #[error("the database cannot be exported: {why}")]
    Export {
        /// What is wrong.
        why: String,
    },
    /// An export can't be taken in; nothing of it was.
    #[error("nothing was imported: line {line}: {why}")]
    Import {
        /// In which line, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// A row can't be understood.
    #[error("the database holds something unreadable in {what}: {why}")]
    Garbled {
        /// Which row and column.
        what: String,
        /// What is wrong.
        why: String,
    },
}

/// What a call gives, or why not.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// One execution as history keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which.
    pub id: ExecutionId,
    /// What it was called.
    pub name: String,
    /// Who it belonged to.
    pub user: String,
    /// The application's name.
    pub application: String,
    /// The application in full, in the JSON of its format; for looking at and running again.
    pub description: String,
    /// The user's key.
    pub key: Option<String>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it began, if it did.
    pub started_at: Option<Timestamp>,
    /// When and how it ended, if it has.
    pub end: Option<(Timestamp, Outcome)>,
    /// The archive of its logs.
    pub logs: Option<String>,
    /// What its members held in all, when that was last seen; `None` before it starts.
    pub allocated: Option<Resources>,
    /// What all its attempts have used that are over; `None` where there was only one, or none.
    pub used: Option<Used>,
    /// The terms of its submission, in JSON, for submitting the same again.
    pub terms: Option<String>,
}

/// What happened to an execution, for its timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Which execution.
    pub execution: ExecutionId,
    /// When.
    pub at: Timestamp,
    /// A short word: `submitted`, `started`, `not-ready`, `ready`, `start-failed`, `start-put-off`, `dropped`, `replaced`, `resized`,
    /// `held`, `released`, `attempt-failed`, `idle-warned`, `kept`, `not-kept`, `cancel`, `failed`, `ended`, `logs-removed`.
    pub kind: String,
    /// A sentence for people.
    pub detail: String,
}

/// What was found, and what of it could not be understood.
#[derive(Debug, Default)]
pub struct Found {
    /// Records, the newest submission first.
    pub records: Vec<Record>,
    /// What is wrong with each row that is left out.
    pub unreadable: Vec<StoreError>,
}

/// Which records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only these users'.
    pub user: Option<String>,
    /// Only of these applications.
    pub application: Option<String>,
    /// Only of this name.
    pub name: Option<String>,
    /// Only of names that begin so.
    pub name_prefix: Option<String>,
    /// Only in this state: `finished`, `failed`, `cancelled`, or `open` for those without an end.
    pub state: Option<String>,
    /// Submitted at or after.
    pub since: Option<Timestamp>,
    /// Submitted before.
    pub until: Option<Timestamp>,
    /// Whose id begins so.
    pub id_prefix: Option<String>,
    /// Only those that have ended.
    pub over: bool,
    /// Only those that ran then and have ended since.
    pub at: Option<Timestamp>,
    /// Only those that come after this one: submitted before it, or in the same millisecond with a smaller id.
    pub after: Option<(Timestamp, ExecutionId)>,
    /// At most so many, the newest first.
    pub limit: Option<u32>,
}

/// What is added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SumBy {
    /// By user.
    User,
    /// By application.
    Application,
}

/// What executions of one user, or of one application, add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// The user, or the application.
    pub key: String,
    /// How many there are.
    pub executions: u64,
    /// How many of them failed or ran out of time.
    pub failed: u64,
    /// What they held times how long they ran: thousandths of a core times milliseconds.
    pub core_time: u64,
    /// Likewise: MiB times milliseconds.
    pub memory_time: u64,
}

/// What came of asking for the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// It is held, until then.
    Held {
        /// When it lapses unless renewed.
        until: Timestamp,
    },
    /// Another has it.
    Taken {
        /// Who: what the holder said of itself.
        holder: String,
        /// When it lapses.
        until: Timestamp,
    },
}

/// Keeps what has been.
#[async_trait]
pub trait Store: Activities + Send + Sync {
    /// Where it is, without a password.
    fn place(&self) -> String;

    /// Writes a record: inserts it, or adds what was not known. An end that is written stays as it is.
    async fn record(&self, deployment: &Deployment, record: &Record) -> Result<()>;

    /// Writes an event; the same one twice is one.
    async fn event(&self, deployment: &Deployment, event: &Event) -> Result<()>;

    /// The events of executions, each one's in order of time; those that can't be understood are left out; one without events is not in it. However many are asked for, it
    /// is a few questions to the database and not one each.
    async fn events_of(
        &self,
        deployment: &Deployment,
        executions: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Vec<Event>>>;

    /// The events of an execution, in order of time.
    async fn events(&self, deployment: &Deployment, execution: ExecutionId) -> Result<Vec<Event>> {
        let mut found = self.events_of(deployment, &[execution]).await?;
        Ok(found.remove(&execution).unwrap_or_default())
    }

    /// The records of these ids, as far as there are any that can be understood; likewise in a few questions.
    async fn get_all(
        &self,
        deployment: &Deployment,
        executions: &[ExecutionId],
    ) -> Result<BTreeMap<ExecutionId, Record>>;

    /// The record of that id; one that can't be understood is an error.
    async fn get(&self, deployment: &Deployment, execution: ExecutionId) -> Result<Option<Record>> {
        let mut found = self.get_all(deployment, &[execution]).await?;
        Ok(found.remove(&execution))
    }

    /// Records, the newest submission first. What can't be understood is left out, unless there is nothing else.
    async fn find(&self, deployment: &Deployment, query: &Query) -> Result<Vec<Record>>;

    /// The same, with what is left out.
    async fn search(&self, deployment: &Deployment, query: &Query) -> Result<Found> {
        Ok(Found {
            records: self.find(deployment, query).await?,
            unreadable: Vec::new(),
        })
    }

    /// What those that a query finds and that have ended add up to, the one with most core time first. Its limit counts for nothing.
    async fn sums(&self, deployment: &Deployment, query: &Query, by: SumBy) -> Result<Vec<Sum>> {
        let query = Query {
            over: true,
            limit: None,
            ..query.clone()
        };
        Ok(search::add_up(&self.find(deployment, &query).await?, by))
    }

    /// Forgets an execution.
    async fn forget(&self, deployment: &Deployment, execution: ExecutionId) -> Result<()>;

    /// The users that were entered, by name.
    async fn users(&self, deployment: &Deployment) -> Result<Vec<User>>;

    /// Enters a user, in place of one of that name.
    async fn enter(&self, deployment: &Deployment, user: &User) -> Result<()>;

    /// Removes a user; whether there was one of that name. What its executions were stays.
    async fn expel(&self, deployment: &Deployment, name: &str) -> Result<bool>;

    /// What executions that are over have used, by the user's name.
    async fn usage(
        &self,
        deployment: &Deployment,
        query: &UsageQuery,
    ) -> Result<BTreeMap<String, Usage>>;

    /// Puts a mail into the outbox; one of its id that is there stays as it is.
    async fn post(&self, deployment: &Deployment, letter: &Letter) -> Result<()>;

    /// Mails in the outbox, the oldest first.
    async fn outbox(&self, deployment: &Deployment, query: &LetterQuery) -> Result<Vec<Posted>>;

    /// Takes a mail that is due to send it; what it says, if nobody else has taken it: exactly one of many has it at any time.
    async fn claim(
        &self,
        deployment: &Deployment,
        id: &str,
        claim: LetterClaim<'_>,
    ) -> Result<Option<Bodies>>;

    /// Notes what becomes of a mail; whether there was one of which that can be said.
    async fn settle(
        &self,
        deployment: &Deployment,
        id: &str,
        change: LetterChange<'_>,
    ) -> Result<bool>;

    /// Forgets mails that have not been waiting any more since before then.
    async fn clear_outbox(&self, deployment: &Deployment, before: Timestamp) -> Result<()>;

    /// Asks for the deployment's lease: exactly one holder has it at any time. `displace` names a holder that is
    /// known to be dead and may be replaced before its lease lapses. Where several machines share a database it lapses by the clock
    /// of the database; until when it is held is told by the caller's.
    async fn lease(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
        displace: Option<&str>,
    ) -> Result<Lease>;

    /// Keeps a lease for this long from `now` on, and tells until when. `None` if this holder does not have it any more: it
    /// has lapsed, whether or not another has taken it since, or another has displaced it.
    async fn renew(
        &self,
        deployment: &Deployment,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<Option<Timestamp>>;

    /// Gives the lease back.
    async fn release(&self, deployment: &Deployment, holder: &str) -> Result<()>;
}
