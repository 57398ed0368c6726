//! Whose turn it is: every call that an actor makes waits here until the explorer lets it go on, and time passes here only.
//!
//! All that an actor learns comes in through here too: what it has learnt, folded into one number for each line of its
//! work, is where it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;

use jiff::Timestamp;
use zoe::model::Ticket;

/// Folds something into one number.
pub fn fold(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A line of an actor's work: its main one, that of one execution, or the renewal of its lease.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    pub actor: usize,
    pub about: String,
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wants {
    /// To make a call.
    Call { call: String, effect: bool },
    /// That this time, in milliseconds, has come.
    Sleep { until: i64 },
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It happens.
    Go,
    /// It is refused and does not happen.
    Refused,
    /// It happens, and the answer gets lost.
    Lost,
}

/// Somebody who waits.
#[derive(Debug)]
pub struct Waiting {
    pub line: Line,
    pub wants: Wants,
    verdict: Option<Verdict>,
    waker: Option<Waker>,
}

/// What has happened, as far as somebody may want to know it afterwards.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The executions whose ticket was made, with the actor who made it.
    pub tickets: BTreeMap<String, usize>,
    /// The same in the order in which they were made.
    pub order: Vec<String>,
    /// The tickets themselves.
    pub terms: BTreeMap<String, Ticket>,
    /// How each was marked first: `.cancelled`.
    pub marks: BTreeMap<String, String>,
    /// How often each member was set going.
    pub starts: BTreeMap<String, usize>,
    /// The containers that were set going, by id.
    pub begun: BTreeSet<String>,
    /// How often a container of a name was made: ids are different for everybody, this is not.
    pub made: BTreeMap<String, usize>,
    /// The names that containers were made with, and which of that name each is, by id.
    pub origin: BTreeMap<String, (String, usize)>,
    /// What must never be.
    pub wrongs: BTreeSet<String>,
    /// Whether an answer got lost or a call was refused.
    pub faults: usize,
    /// Whether Docker was restarted, which stops what runs.
    pub restarted: bool,
    /// Whether the history was lost or could not be had.
    pub history_broken: bool,
    /// Whether members that are asked whether they are ready say so.
    pub answers: bool,
}

#[derive(Debug, Default)]
pub struct Inner {
    /// In milliseconds.
    pub now: i64,
    pub waiting: BTreeMap<u64, Waiting>,
    next: u64,
    /// Counts all that comes and goes.
    pub version: u64,
    pub dead: BTreeSet<usize>,
    /// What each line has learnt.
    pub learnt: BTreeMap<Line, u64>,
    pub trace: Vec<String>,
    pub facts: Facts,
    /// Whose answers get lost.
    losing: BTreeSet<usize>,
    /// Whether opening the history is a call that waits.
    pub opens: bool,
}

impl Inner {
    /// What a line of an actor's work would know, had it learnt that.
    pub fn would_know(&self, line: &Line, what: impl Hash) -> u64 {
        let known = self.learnt.get(line).copied().unwrap_or_default();
        fold((known, what))
    }
}

/// Where all wait.
#[derive(Debug, Default)]
pub struct Table {
    inner: Mutex<Inner>,
    /// Calls to a real database that are under way.
    calls: AtomicUsize,
    /// Works that were begun beside and are not done.
    jobs: AtomicUsize,
    /// Who does or did them.
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Table {
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.lock().now).unwrap()
    }

    /// Waits for a turn. The line is told by what the call is about.
    pub fn turn(self: &Arc<Self>, actor: usize, wants: Wants) -> Turn {
        let mut inner = self.lock();
        let renewal = tokio::task::try_id().is_some();
        let about = if renewal {
            "the lease".to_owned()
        } else if let Wants::Call { call, .. } = &wants {
            let known = inner.facts.tickets.keys();
            known
                .filter(|id| call.contains(id.as_str()))
                .map(String::clone)
                .next()
                .unwrap_or_default()
        } else {
            String::new()
        };
        let number = inner.next;
        inner.next += 1;
        inner.version += 1;
        inner.waiting.insert(
            number,
            Waiting {
                line: Line { actor, about },
                wants,
                verdict: None,
                waker: None,
            },
        );
        Turn {
            table: Arc::clone(self),
            number,
        }
    }

    /// Lets somebody go on.
    pub fn grant(&self, number: u64, verdict: Verdict) {
        let mut inner = self.lock();
        if verdict != Verdict::Go {
            inner.facts.faults += 1;
        }
        let Some(waiting) = inner.waiting.get_mut(&number) else {
            panic!("nobody waits as number {number}");
        };
        let waker = waiting.waker.take();
        let actor = waiting.line.actor;
        waiting.verdict = Some(verdict);
        if verdict == Verdict::Lost {
            inner.losing.insert(actor);
        }
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether the answer to the call that an actor has just made gets lost.
    pub fn loses(&self, actor: usize) -> bool {
        self.lock().losing.remove(&actor)
    }

    /// What an actor has learnt in a line of its work.
    pub fn learn(&self, line: &Line, what: impl Hash) {
        let mut inner = self.lock();
        let knows = inner.would_know(line, what);
        inner.learnt.insert(line.clone(), knows);
    }

    /// Adds to the last line of the trace.
    pub fn told(&self, what: &str) {
        if let Some(last) = self.lock().trace.last_mut() {
            last.push_str(" → ");
            last.push_str(what);
        }
    }

    pub fn wrong(&self, what: String) {
        self.lock().facts.wrongs.insert(what);
    }

    /// Does some work in a thread of its own.
    pub fn beside(self: &Arc<Self>, work: Box<dyn FnOnce() + Send>) {
        self.jobs.fetch_add(1, Ordering::SeqCst);
        let table = Arc::clone(self);
        let worker = std::thread::spawn(move || {
            work();
            table.jobs.fetch_sub(1, Ordering::SeqCst);
        });
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.push(worker);
    }

    /// Waits until no work beside is under way; whoever it is done for has to be gone.
    pub fn join(&self) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        for worker in workers.drain(..) {
            worker.join().unwrap();
        }
    }

    /// Whether all work beside waits for somebody who waits for a turn: logs are written down as they are read, and each
    /// that is written down has one reader.
    pub fn is_settled(&self) -> bool {
        let reading = |waiting: &&Waiting| {
            waiting.verdict.is_none()
                && matches!(&waiting.wants, Wants::Call { call, .. } if call.starts_with("container logs"))
        };
        let readers = self.lock().waiting.values().filter(reading).count();
        self.jobs.load(Ordering::SeqCst) == readers && self.calls.load(Ordering::SeqCst) == 0
    }

    /// Has nobody go on until that is dropped.
    pub fn holds_all(self: &Arc<Self>) -> Hold {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Hold(Arc::clone(self))
    }
}

/// Keeps everybody where they are.
pub struct Hold(Arc<Table>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A turn that is waited for.
pub struct Turn {
    table: Arc<Table>,
    number: u64,
}

impl Turn {
    /// The line that it is a turn of.
    pub fn line(&self) -> Line {
        self.table.lock().waiting[&self.number].line.clone()
    }
}

impl Future for Turn {
    type Output = Verdict;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict> {
        let mut inner = self.table.lock();
        let Some(waiting) = inner.waiting.get_mut(&self.number) else {
            return Poll::Pending;
        };
        if let Some(verdict) = waiting.verdict {
            inner.waiting.remove(&self.number);
            inner.version += 1;
            return Poll::Ready(verdict);
        }
        waiting.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut inner = self.table.lock();
        if inner.waiting.remove(&self.number).is_some() {
            inner.version += 1;
        }
    }
}
