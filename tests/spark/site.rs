//! A deployment of its own on the machine's Docker, of which nothing is left when a test ends.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

use crate::spark::handle::{Done, Running};

/// The longest anything may take. On two cores that do other work as well, a cluster starts in a minute.
pub const PATIENCE: Duration = Duration::from_mins(8);

/// Asks until there is an answer.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Runs a program that must succeed, and gives what it printed.
#[track_caller]
pub fn sh(program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}; scripts/test installs what the tests need"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The docker CLI.
#[track_caller]
pub fn docker(args: &[&str]) -> String {
    sh("docker", args)
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A file of the examples, as they stand in the repository.
pub fn example(name: &str) -> String {
    path(&["examples", name])
}

/// A file of the tests' own.
pub fn data(name: &str) -> String {
    path(&["tests", "data", name])
}

fn path(parts: &[&str]) -> String {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.extend(parts);
    path.into_os_string().into_string().unwrap()
}

/// One test at a time, where all run in one process.
static TURN: Mutex<()> = Mutex::new(());

/// A deployment, a home directory and a working directory of its own.
pub struct Site {
    _turn: MutexGuard<'static, ()>,
    root: TempDir,
    deployment: String,
    settings: Vec<(&'static str, String)>,
}

impl Site {
    /// An empty one.
    pub fn new() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let deployment = format!("test-{:x}-{:x}", std::process::id(), since.subsec_nanos());
        let root = tempfile::tempdir().unwrap();
        // Containers run as another user.
        open(root.path(), 0o755);
        Self {
            _turn: turn,
            root,
            deployment,
            settings: Vec::new(),
        }
    }

    /// Sets a variable for all that is run from now on.
    pub fn set(&mut self, variable: &'static str, value: impl Into<String>) {
        self.settings.push((variable, value.into()));
    }

    /// A path in its working directory. Containers may read what is there.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A directory that every user of the machine may write to.
    pub fn shared_directory(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir(&path).unwrap();
        open(&path, 0o777);
        path
    }

    /// Writes a file there and gives its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    /// The binary, with nothing of the caller's surroundings but where Docker is.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zoe"));
        command.args(args).env_clear().current_dir(&self.root);
        for variable in [
            "PATH",
            "DOCKER_HOST",
            "DOCKER_TLS_VERIFY",
            "DOCKER_CERT_PATH",
        ] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        command
            .env("HOME", self.root.path())
            .env("ZOE_DEPLOYMENT", &self.deployment)
            .envs(
                self.settings
                    .iter()
                    .map(|(variable, value)| (variable, value)),
            )
            .stdin(Stdio::null());
        command
    }

    /// Starts the binary.
    pub fn start(&self, args: &[&str]) -> Running {
        Running::new(self.command(args))
    }

    /// Runs the binary to its end.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Done {
        self.start(args).end()
    }

    /// What `zoe … -o json` prints.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let mut words = args.to_vec();
        words.extend(["-o", "json"]);
        serde_json::from_str(&self.run(&words).expect(0)).unwrap()
    }

    /// Ids of the containers of this deployment.
    pub fn containers(&self) -> Vec<String> {
        self.listed(&["ps", "-aq", "--no-trunc"])
    }

    /// Of those that run.
    pub fn running(&self) -> Vec<String> {
        self.listed(&["ps", "-q", "--no-trunc"])
    }

    /// Ids of the images made of submitted files.
    pub fn images(&self) -> Vec<String> {
        self.listed(&["images", "-q", "--no-trunc"])
    }

    fn listed(&self, args: &[&str]) -> Vec<String> {
        let filter = format!("label=zoe.deployment={}", self.deployment);
        let mut words = args.to_vec();
        words.extend(["--filter", &filter]);
        let mut rows: Vec<_> = docker(&words).lines().map(str::to_owned).collect();
        rows.sort();
        rows.dedup();
        rows
    }

    /// Asserts that Docker has nothing of this deployment any more.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        assert_eq!(self.containers(), [""; 0]);
        assert_eq!(self.listed(&["network", "ls", "-q"]), [""; 0]);
        assert_eq!(self.images(), [""; 0]);
        assert_eq!(self.listed(&["volume", "ls", "-q"]), [""; 0]);
        let all = docker(&["ps", "-a", "--format", "{{.Names}}"]);
        let prefix = format!("zoe-{}-", self.deployment);
        assert!(!all.contains(&prefix), "{all}");
    }

    /// The working directory.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    fn tell_what_there_was(&self) {
        let ps = self.command(&["ps", "-o", "wide"]).output().unwrap();
        eprintln!("{}", String::from_utf8_lossy(&ps.stdout));
        // Whoever else is there may hold what was waited for.
        let all = ["ps", "-a", "--filter", "label=zoe.deployment"];
        eprintln!("{}", docker(&all));
        for id in self.containers() {
            let command = ["{{.Name}} {{json .State}}", &id];
            eprintln!(
                "{}",
                docker(&["inspect", "--format", command[0], command[1]])
            );
            if let Ok(log) = Command::new("docker")
                .args(["logs", "--tail", "40", &id])
                .output()
            {
                eprintln!("{}", String::from_utf8_lossy(&log.stdout));
                eprintln!("{}", String::from_utf8_lossy(&log.stderr));
            }
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell_what_there_was();
        }
        let killed = self.run(&["kill", "--all", "-y"]);
        let containers = self.containers();
        if !containers.is_empty() {
            let mut words = vec!["rm", "-f"];
            words.extend(containers.iter().map(String::as_str));
            docker(&words);
        }
        if !std::thread::panicking() {
            assert!(killed.code == 0 || killed.code == 3, "{}", killed.stderr);
            assert_eq!(containers, [""; 0], "`zoe kill --all` left something");
            self.assert_nothing_left();
        }
    }
}
