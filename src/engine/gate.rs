//! Where the program can be stopped: every call of a backend passes here before it happens.
//!
//! Whoever is told to end shuts a [`Latch`]: calls that were let in come to their end, and none is let in any more. A test
//! sets `ZOE_TEST_GATE` and runs the real binary; zoe then dies, or one call goes wrong, at exactly the call that was
//! named. Without either a gate is a comparison or two. It knows nothing of what the calls do.
//!
//! Work that may be done only for as long as something lasts is done [`under`] a permit: it is asked before each call that
//! may change something, however deep in a backend that is made.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::EngineError;

/// The variable that [`Gate::from_env`] reads.
pub const VARIABLE: &str = "ZOE_TEST_GATE";

/// How often a held call looks whether it may go on.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long a call is held at most: a test that has died removes no file.
const LONGEST_HOLD: Duration = Duration::from_mins(5);

/// Why a call does not pass.
#[derive(Debug, Error)]
pub enum GateError {
    /// The variable holds nothing that a gate understands.
    #[error(
        "{VARIABLE}='{0}' is not understood; it can be kill:N, kill-any:N, fail:N, lost:N, hold:N:FILE (N from 1) or count:FILE"
    )]
    Setting(String),
    /// The program is ending: the call was not made.
    #[error("{call} was not made: zoe was told to end")]
    Shut {
        /// The call.
        call: String,
    },
    /// The permit that the work is done under does not hold any more: the call was not made.
    #[error("{call} was not made: another zoe may have the lease now")]
    Expired {
        /// The call.
        call: String,
    },
    /// The test wants this call refused: it was not carried out.
    #[error("{call} was refused by the test gate (call {number})")]
    Refused {
        /// The call.
        call: String,
        /// Its number.
        number: u64,
    },
    /// The test wants this answer lost: the call was carried out.
    #[error("the answer to {call} was lost by the test gate (call {number})")]
    Lost {
        /// The call.
        call: String,
        /// Its number.
        number: u64,
    },
    /// Nobody has let a held call go on.
    #[error("{call} was held, and {path} is still there")]
    Forgotten {
        /// The call.
        call: String,
        /// The file that should have been removed.
        path: PathBuf,
    },
    /// The file that counts the calls can't be written.
    #[error("cannot write {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl From<GateError> for EngineError {
    fn from(error: GateError) -> Self {
        let why = error.to_string();
        match error {
            // Nothing is to be concluded from a call that was not made either.
            GateError::Shut { .. } => Self::Unreachable {
                endpoint: "Docker".to_owned(),
                why,
            },
            GateError::Lost { .. } => Self::Unreachable {
                endpoint: "the test gate".to_owned(),
                why,
            },
            GateError::Expired { call } => Self::Withheld { what: call },
            GateError::Refused { call, .. } | GateError::Forgotten { call, .. } => {
                Self::Refused { what: call, why }
            }
            GateError::Setting(_) | GateError::File { .. } => Self::Refused {
                what: "the test gate".to_owned(),
                why,
            },
        }
    }
}

/// What a gate does to the calls.
#[derive(Debug)]
enum Trap {
    /// Ends the process before the n-th mutating call.
    Kill(u64),
    /// Ends the process before the n-th call of any kind.
    KillAny(u64),
    /// Refuses the n-th mutating call.
    Fail(u64),
    /// Loses the answer to the n-th mutating call.
    Lose(u64),
    /// Makes a file before the n-th call of any kind and goes on once it is gone: what it was made for has been done.
    Hold(u64, PathBuf),
    /// Writes each call's name down.
    Count(PathBuf),
}

#[derive(Debug)]
struct Inner {
    trap: Trap,
    effects: AtomicU64,
    calls: AtomicU64,
}

/// Shuts the gates that hang on it, for good. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Latch(Arc<AtomicBool>);

impl Latch {
    /// From now on no call is let in.
    pub fn shut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it is shut.
    pub fn is_shut(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Says whether what is done under it may still change anything.
pub type Permit = Arc<dyn Fn() -> bool + Send + Sync>;

tokio::task_local! {
    static PERMIT: Permit;
}

/// Does some work under a permit: once that does not hold any more, no call is let in that may change something. A call that
/// was let in before comes to its end.
pub async fn under<T>(permit: Permit, work: impl Future<Output = T>) -> T {
    PERMIT.scope(permit, work).await
}

/// Lets calls pass, or not. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    trap: Option<Arc<Inner>>,
    latch: Option<Latch>,
}

/// A call that was let in. [`Passage::done`] tells whether its answer arrives.
#[derive(Debug)]
#[must_use = "an answer may have to be lost"]
pub struct Passage(Option<GateError>);

impl Passage {
    /// To be asked once the call was carried out: its answer, or that it was lost on the way.
    pub fn done(self) -> Result<(), GateError> {
        self.0.map_or(Ok(()), Err)
    }
}

impl Gate {
    /// A gate that lets everything pass.
    pub const fn open() -> Self {
        Self {
            trap: None,
            latch: None,
        }
    }

    /// The same gate, which this latch shuts.
    #[must_use]
    pub fn with_latch(self, latch: Latch) -> Self {
        Self {
            latch: Some(latch),
            ..self
        }
    }

    /// The gate that the environment asks for: open where it asks for none.
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, GateError> {
        match env(VARIABLE).filter(|text| !text.is_empty()) {
            None => Ok(Self::open()),
            Some(text) => Self::parse(&text),
        }
    }

    /// The gate that a text such as `kill:3` describes.
    pub fn parse(text: &str) -> Result<Self, GateError> {
        let no = || GateError::Setting(text.to_owned());
        let (what, value) = text.split_once(':').ok_or_else(no)?;
        let number = || value.parse().ok().filter(|n| *n > 0).ok_or_else(no);
        let trap = match what {
            "kill" => Trap::Kill(number()?),
            "kill-any" => Trap::KillAny(number()?),
            "fail" => Trap::Fail(number()?),
            "lost" => Trap::Lose(number()?),
            "hold" => {
                let (number, path) = value.split_once(':').ok_or_else(no)?;
                let number = number.parse().ok().filter(|n| *n > 0).ok_or_else(no)?;
                Trap::Hold(number, PathBuf::from(path))
            }
            "count" if !value.is_empty() => Trap::Count(PathBuf::from(value)),
            _ => return Err(no()),
        };
        let inner = Inner {
            trap,
            effects: AtomicU64::new(0),
            calls: AtomicU64::new(0),
        };
        Ok(Self {
            trap: Some(Arc::new(inner)),
            latch: None,
        })
    }

    /// Lets a call in, for a caller that can lose its answer. `effect` says whether it may change anything.
    pub fn enter(&self, call: &str, effect: bool) -> Result<Passage, GateError> {
        self.is_open(call, effect)?;
        match &self.trap {
            None => Ok(Passage(None)),
            Some(inner) => inner.enter(call, effect),
        }
    }

    /// Lets a call in, for a caller that only asks before it. An answer that is to be lost then ends the process
    /// before the next call, which looks the same from outside.
    pub fn pass(&self, call: &str, effect: bool) -> Result<(), GateError> {
        self.is_open(call, effect)?;
        let Some(inner) = &self.trap else {
            return Ok(());
        };
        if let Trap::Lose(n) = inner.trap
            && inner.effects.load(Ordering::SeqCst) >= n
        {
            die();
        }
        inner.enter(call, effect).map(drop)
    }

    fn is_open(&self, call: &str, effect: bool) -> Result<(), GateError> {
        if self.latch.as_ref().is_some_and(Latch::is_shut) {
            let call = call.to_owned();
            return Err(GateError::Shut { call });
        }
        if effect && PERMIT.try_with(|permit| !permit()) == Ok(true) {
            let call = call.to_owned();
            return Err(GateError::Expired { call });
        }
        Ok(())
    }
}

impl Inner {
    fn enter(&self, call: &str, effect: bool) -> Result<Passage, GateError> {
        let any = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let number = if effect {
            self.effects.fetch_add(1, Ordering::SeqCst) + 1
        } else {
            0
        };
        match &self.trap {
            Trap::Kill(n) if *n == number => die(),
            Trap::KillAny(n) if *n == any => die(),
            Trap::Fail(n) if *n == number => Err(GateError::Refused {
                call: call.to_owned(),
                number,
            }),
            Trap::Lose(n) if *n == number => Ok(Passage(Some(GateError::Lost {
                call: call.to_owned(),
                number,
            }))),
            Trap::Count(path) => note(path, call, effect).map(|()| Passage(None)),
            Trap::Hold(n, path) if *n == any => hold(path, call).map(|()| Passage(None)),
            Trap::Kill(_) | Trap::KillAny(_) | Trap::Fail(_) | Trap::Lose(_) | Trap::Hold(..) => {
                Ok(Passage(None))
            }
        }
    }
}

/// Appends `effect NAME` or `read NAME`, in one write so that processes do not mix their lines.
fn note(path: &PathBuf, call: &str, effect: bool) -> Result<(), GateError> {
    let line = format!("{} {call}\n", if effect { "effect" } else { "read" });
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .map_err(|source| GateError::File {
            path: path.clone(),
            source,
        })
}

/// Makes a file with the call's name in it and waits until somebody has removed it.
fn hold(path: &PathBuf, call: &str) -> Result<(), GateError> {
    std::fs::write(path, call).map_err(|source| GateError::File {
        path: path.clone(),
        source,
    })?;
    let begun = Instant::now();
    while path.exists() {
        if begun.elapsed() > LONGEST_HOLD {
            return Err(GateError::Forgotten {
                call: call.to_owned(),
                path: path.clone(),
            });
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

/// Ends the process as `kill -9` does: nothing runs after it, no destructor, no handler.
fn die() -> ! {
    use rustix::process::{Signal, getpid, kill_process};
    loop {
        // A process may always kill itself; should it fail all the same, going on would falsify the test.
        if kill_process(getpid(), Signal::KILL).is_err() {
            std::process::abort();
        }
        std::thread::park();
    }
}

#[cfg(test)]
mod tests;
