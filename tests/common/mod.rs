//! A sealed place to run the binary in: its own home, its own Docker (in a file), nothing of the environment.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use tempfile::TempDir;

pub mod apache;
pub mod docker;
pub mod ports;

/// The longest a command may take, or a condition may be waited for: long enough for a machine that does other work as well.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// A sealed place.
pub struct TestEnv {
    root: TempDir,
    host: String,
}

/// What came of a command.
pub struct Ran {
    /// The exit code; -1 after a signal.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self::of(&output)
    }
}

impl Ran {
    /// Sends a signal (`INT`, `TERM`) to a command that runs, and waits for its end.
    pub fn signalled(child: Child, signal: &str) -> Self {
        let id = child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", signal, &id])
            .status()
            .unwrap();
        assert!(sent.success(), "{id} has ended already");
        Self::of(&child.wait_with_output().unwrap())
    }

    /// Runs a command that was prepared.
    pub fn command(command: &mut Command) -> Self {
        Self::of(&command.output().unwrap())
    }

    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            signal: output.status.signal(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts the exit code and gives what was printed.
    #[track_caller]
    pub fn expect(self, code: i32) -> String {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self.stdout
    }

    /// Asserts the exit code and gives what was said on standard error.
    #[track_caller]
    pub fn expect_error(self, code: i32) -> String {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self.stderr
    }
}

impl TestEnv {
    /// A place whose Docker is in a file, has plenty of room and can pull every image.
    pub fn new() -> Self {
        Self::with_options("cores=8&memory=16g&images=all")
    }

    /// Likewise, with these options of the memory backend.
    pub fn with_options(options: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["home", "config", "data", "work"] {
            std::fs::create_dir(root.path().join(directory)).unwrap();
        }
        let host = format!(
            "memory:{}?{options}",
            root.path().join("docker.json").display()
        );
        Self { root, host }
    }

    /// A file or directory in the place.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(name)
    }

    /// The file that is its Docker.
    pub fn docker_file(&self) -> PathBuf {
        self.path("docker.json")
    }

    /// Writes a file in the working directory.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("work").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A command that knows nothing of where it was started, not even Docker.
    pub fn bare(&self) -> Command {
        let mut command = Command::from_std(self.sealed());
        command.timeout(PATIENCE);
        command
    }

    fn sealed(&self) -> std::process::Command {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("zoe"));
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("PATH", "/usr/bin:/bin")
            .current_dir(self.path("work"));
        command
    }

    /// Starts it with these arguments and lets it run; its output can be read when it has ended.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.sealed();
        command
            .env("ZOE_DOCKER_SWARM_MANAGER_URL", &self.host)
            .env("ZOE_DEPLOYMENT", "test")
            .args(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// The command with this place's Docker.
    pub fn zoe(&self) -> Command {
        let mut command = self.bare();
        command
            .env("ZOE_DOCKER_SWARM_MANAGER_URL", &self.host)
            .env("ZOE_DEPLOYMENT", "test");
        command
    }

    /// Runs it with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.zoe().args(arguments).output().unwrap())
    }

    /// The executions that `ps` shows.
    pub fn ps(&self) -> Vec<serde_json::Value> {
        serde_json::from_str(&self.run(&["ps", "-o", "json"]).expect(0)).unwrap()
    }

    /// Waits until a condition holds.
    #[track_caller]
    pub fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < deadline, "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
