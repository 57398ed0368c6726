//! Where a test can stop the program: every call of a backend passes here before it happens.
//!
//! A test sets `ZOE_TEST_GATE` and runs the real binary; zoe then dies, or one call goes wrong, at exactly the call
//! that was named. Without the variable a gate is one comparison. It knows nothing of what the calls do.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
            GateError::Lost { .. } => Self::Unreachable {
                endpoint: "the test gate".to_owned(),
                why,
            },
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

/// Lets calls pass, or not. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Gate(Option<Arc<Inner>>);

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
        Self(None)
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
        Ok(Self(Some(Arc::new(Inner {
            trap,
            effects: AtomicU64::new(0),
            calls: AtomicU64::new(0),
        }))))
    }

    /// Lets a call in, for a caller that can lose its answer. `effect` says whether it may change anything.
    pub fn enter(&self, call: &str, effect: bool) -> Result<Passage, GateError> {
        match &self.0 {
            None => Ok(Passage(None)),
            Some(inner) => inner.enter(call, effect),
        }
    }

    /// Lets a call in, for a caller that only asks before it. An answer that is to be lost then ends the process
    /// before the next call, which looks the same from outside.
    pub fn pass(&self, call: &str, effect: bool) -> Result<(), GateError> {
        let Some(inner) = &self.0 else {
            return Ok(());
        };
        if let Trap::Lose(n) = inner.trap
            && inner.effects.load(Ordering::SeqCst) >= n
        {
            die();
        }
        inner.enter(call, effect).map(drop)
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
mod tests {
    use super::*;

    #[test]
    fn without_the_variable_everything_passes() {
        let gate = Gate::from_env(&|_| None).unwrap();
        for _ in 0..5 {
            gate.pass("create", true).unwrap();
            gate.enter("create", true).unwrap().done().unwrap();
        }
    }

    #[test]
    fn a_failing_gate_refuses_the_named_effect_only() {
        let gate = Gate::parse("fail:2").unwrap();
        let clone = gate.clone();
        gate.pass("create", true).unwrap();
        gate.pass("list", false).unwrap();
        let error = clone.pass("start", true).unwrap_err();
        assert!(
            matches!(&error, GateError::Refused { call, number: 2 } if call == "start"),
            "{error}"
        );
        assert!(matches!(
            EngineError::from(error),
            EngineError::Refused { .. }
        ));
        gate.pass("start", true).unwrap();
    }

    #[test]
    fn a_lost_answer_is_noticed_after_the_call() {
        let gate = Gate::parse("lost:1").unwrap();
        gate.enter("list", false).unwrap().done().unwrap();
        let passage = gate.enter("create", true).unwrap();
        assert!(matches!(
            passage.done(),
            Err(GateError::Lost { number: 1, .. })
        ));
        gate.enter("create", true).unwrap().done().unwrap();
    }

    #[test]
    fn calls_are_counted_in_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("calls");
        let gate =
            Gate::from_env(&|name| (name == VARIABLE).then(|| format!("count:{}", path.display())))
                .unwrap();
        gate.pass("list containers", false).unwrap();
        gate.pass("create network", true).unwrap();
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            "read list containers\neffect create network\n"
        );
    }

    #[test]
    fn a_held_call_goes_on_when_the_file_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("held");
        let gate = Gate::parse(&format!("hold:2:{}", path.display())).unwrap();
        gate.pass("list", false).unwrap();
        std::thread::scope(|scope| {
            let held = scope.spawn(|| gate.pass("create", true));
            while !path.exists() {
                std::thread::yield_now();
            }
            assert!(!held.is_finished());
            std::fs::remove_file(&path).unwrap();
            held.join().unwrap().unwrap();
        });
        gate.pass("start", true).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "hold:1", "hold:x:f", "kill", "kill:", "kill:0", "kill:x", "count:", "stop:3", ":",
        ] {
            assert!(
                matches!(Gate::parse(text), Err(GateError::Setting(_))),
                "{text}"
            );
        }
    }

    /// Runs this test binary again as a child that dies: a test can't survive its own SIGKILL.
    #[test]
    fn a_killing_gate_ends_the_process_at_the_call() {
        use std::os::unix::process::ExitStatusExt;
        const CHILD: &str = "ZOE_GATE_CHILD";
        if let Ok(path) = std::env::var(CHILD) {
            let gate = Gate::parse("kill:2").unwrap();
            gate.pass("list", false).unwrap();
            gate.pass("create", true).unwrap();
            std::fs::write(&path, "one").unwrap();
            let _ = gate.pass("start", true);
            std::fs::write(&path, "two").unwrap();
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("done");
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "engine::gate::tests::a_killing_gate_ends_the_process_at_the_call",
            ])
            .env(CHILD, &path)
            .status()
            .unwrap();
        assert_eq!(status.signal(), Some(9));
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one");
    }
}
