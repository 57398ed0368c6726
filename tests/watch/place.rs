//! Where `zoe watch` runs: over a Docker that is a file, on the real Engine, or on the lab's Swarm.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};
use zoe::engine::gate::Gate;
use zoe::engine::memory::{MemoryBackend, World};

use crate::common::docker::{Deployment, TINY};
use crate::common::{Ran, TestEnv};
use crate::site::Site;

/// The longest anything may take.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// A place of a test's own.
pub struct Place {
    env: TestEnv,
    docker: Docker,
    /// Where Docker is, instead of where it would be.
    pub host: Option<String>,
    /// Where the database is, instead of in a file.
    pub database_url: Option<String>,
}

enum Docker {
    Memory(String),
    Engine(Deployment),
    Lab(Box<Site>),
}

/// Waits until a condition holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(25));
    }
}

impl Place {
    /// Over a Docker that is a file, with these options.
    pub fn memory(options: &str) -> Self {
        Self::of(Docker::Memory(options.to_owned()))
    }

    /// On the real Engine.
    pub fn engine() -> Self {
        Self::of(Docker::Engine(Deployment::new()))
    }

    /// On the lab's Swarm.
    pub fn lab() -> Self {
        Self::of(Docker::Lab(Box::new(Site::shared())))
    }

    fn of(docker: Docker) -> Self {
        let env = TestEnv::new();
        std::fs::create_dir(env.path("out")).unwrap();
        Self {
            env,
            docker,
            host: None,
            database_url: None,
        }
    }

    /// The binary, with nothing of the caller's surroundings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = match &self.docker {
            Docker::Lab(site) => site.command(args),
            Docker::Memory(_) | Docker::Engine(_) => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_zoe"));
                command.args(args).env_clear().env("PATH", "/usr/bin:/bin");
                command
            }
        };
        command
            .env("HOME", self.env.path("home"))
            .env("XDG_CONFIG_HOME", self.env.path("config"))
            .env("XDG_DATA_HOME", self.env.path("data"))
            .current_dir(self.env.path("work"))
            .stdin(Stdio::null());
        match &self.docker {
            Docker::Memory(options) => {
                let host = format!("memory:{}?{options}", self.env.docker_file().display());
                command
                    .env("ZOE_DEPLOYMENT", "test")
                    .env("ZOE_DOCKER_SWARM_MANAGER_URL", host);
            }
            Docker::Engine(deployment) => {
                command.env("ZOE_DEPLOYMENT", &deployment.name);
            }
            Docker::Lab(_) => {}
        }
        if let Some(host) = &self.host {
            command.env("ZOE_DOCKER_SWARM_MANAGER_URL", host);
        }
        if let Some(url) = &self.database_url {
            command.env("ZOE_DB_URL", url);
        }
        command
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Ran {
        self.gated("", args)
    }

    /// Runs it behind a gate.
    #[track_caller]
    pub fn gated(&self, gate: &str, args: &[&str]) -> Ran {
        let mut command = assert_cmd::Command::from_std(self.command(args));
        command.timeout(PATIENCE).env("ZOE_TEST_GATE", gate);
        Ran::command(&mut command)
    }

    /// Runs it and gives its calls to Docker, each with `effect` or `read` before it.
    #[track_caller]
    pub fn calls(&self, args: &[&str]) -> (Ran, Vec<String>) {
        let file = self.path(&format!("calls-{:08x}", rand::random::<u32>()));
        let ran = self.gated(&format!("count:{}", file.display()), args);
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        (ran, text.lines().map(str::to_owned).collect())
    }

    /// A file or directory of this place.
    pub fn path(&self, name: &str) -> PathBuf {
        self.env.path(name)
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.path("data/zoe/zoe.db")
    }

    /// The Docker that is a file.
    pub fn world(&self) -> World {
        serde_json::from_slice(&std::fs::read(self.env.docker_file()).unwrap()).unwrap()
    }

    /// Writes the description of a job of one container and gives the file's name. What it prints is its own name; on a real
    /// Docker it also leaves a line in a file of the host each time it runs.
    pub fn job(&self, name: &str, code: i64, length: Duration) -> String {
        self.job_of(name, code, Some(length))
    }

    /// Likewise of a job that goes on until [`Place::end`].
    pub fn open_job(&self, name: &str, code: i64) -> String {
        self.job_of(name, code, None)
    }

    /// The program of an open job comes to its end.
    pub fn end(&self, name: &str, code: i64) {
        if !matches!(self.docker, Docker::Memory(_)) {
            std::fs::write(self.path("out").join(format!("{name}.end")), "").unwrap();
            return;
        }
        let world = MemoryBackend::open(
            &self.env.docker_file(),
            "test".parse().unwrap(),
            Gate::open(),
        );
        let end = |world: &mut World| {
            let open = ["print", name, "run"].map(str::to_owned).to_vec();
            let over = ["print", name, "exit", &code.to_string()].map(str::to_owned);
            for row in world.containers.values_mut() {
                if row.command.as_ref() == Some(&open) {
                    row.command = Some(over.to_vec());
                }
            }
        };
        world.unwrap().edit(end).unwrap();
    }

    fn job_of(&self, name: &str, code: i64, length: Option<Duration>) -> String {
        let (image, command, volume) = match &self.docker {
            Docker::Memory(_) => {
                let script = match length.map(|length| length.as_millis()) {
                    Some(milliseconds) => format!(
                        r#"["print", "{name}", "exit", "{code}", "after", "{milliseconds}ms"]"#
                    ),
                    None => format!(r#"["print", "{name}", "run"]"#),
                };
                ("memory/job".to_owned(), script, String::new())
            }
            Docker::Engine(_) | Docker::Lab(_) => {
                let wait = match length {
                    Some(length) => format!("sleep {}", length.as_secs_f64()),
                    None => format!("until [ -e /out/{name}.end ]; do sleep 0.1; done"),
                };
                let shell = format!("echo {name} >> /out/{name}; echo {name}; {wait}; exit {code}");
                let out = self.path("out");
                let volume = format!("volumes = [\"{}:/out\"]\n", out.display());
                let image = match &self.docker {
                    Docker::Lab(site) => site.image.clone(),
                    Docker::Memory(_) | Docker::Engine(_) => TINY.to_owned(),
                };
                (
                    image,
                    serde_json::json!(["sh", "-c", shell]).to_string(),
                    volume,
                )
            }
        };
        let text = format!(
            "schema = 1\nname = \"job\"\ndescription = \"a test\"\nmonitor = \"main\"\n\n[[component]]\nname = \"main\"\n\
             image = \"{image}\"\ncores = 0.01\nmemory = \"16m\"\ncommand = {command}\n{volume}"
        );
        let file = format!("{name}.toml");
        self.env.write(&file, text);
        file
    }

    /// Writes the description of something with a web interface that never answers, and gives the file's name. It prints its own
    /// name, and leaves a line as a job does.
    pub fn service(&self, name: &str) -> String {
        let file = self.job(name, 0, Duration::from_hours(1));
        let text = std::fs::read_to_string(self.path("work").join(&file)).unwrap();
        let more = "ready = { port = \"web\", path = \"/\" }\n[[component.port]]\nname = \"web\"\ncontainer = 8000\n";
        self.env.write(&file, format!("{text}{more}"));
        file
    }

    /// How often the program of that job has run, where that leaves a trace.
    pub fn runs(&self, name: &str) -> Option<usize> {
        match self.docker {
            Docker::Memory(_) => None,
            Docker::Engine(_) | Docker::Lab(_) => {
                let trace = std::fs::read_to_string(self.path("out").join(name));
                Some(trace.unwrap_or_default().lines().count())
            }
        }
    }

    /// The executions that `ps` shows.
    #[track_caller]
    pub fn ps(&self) -> Vec<Value> {
        serde_json::from_str(&self.run(&["ps", "-o", "json"]).expect(0)).unwrap()
    }

    /// All that history has.
    #[track_caller]
    pub fn history(&self) -> Vec<Value> {
        let args = ["history", "-o", "json", "--limit", "10000"];
        serde_json::from_str(&self.run(&args).expect(0)).unwrap()
    }

    /// Waits until nothing of zoe's is left in Docker.
    #[track_caller]
    pub fn until_nothing_is_left(&self) {
        match &self.docker {
            Docker::Lab(site) => site.until_nothing_is_left(),
            Docker::Engine(deployment) => assert_eq!(deployment.left(), Vec::<String>::new()),
            Docker::Memory(_) => {
                let world = self.world();
                let left: Vec<_> = world.containers.values().map(|row| &row.name).collect();
                assert!(left.is_empty(), "{left:?}");
                assert!(world.networks.is_empty());
            }
        }
    }

    /// Carries out a statement on the database.
    pub fn sql(&self, statement: &'static str) {
        let address = format!("sqlite://{}", self.database().display());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut database = SqliteConnection::connect(&address).await.unwrap();
            sqlx::query(statement).execute(&mut database).await.unwrap();
            database.close().await.unwrap();
        });
    }

    /// Starts `zoe watch` with these arguments in addition.
    #[track_caller]
    pub fn watch(&self, args: &[&str]) -> Watch {
        self.watch_in(args, &[])
    }

    /// Likewise, with more of an environment.
    #[track_caller]
    pub fn watch_in(&self, args: &[&str], env: &[(&str, &str)]) -> Watch {
        let log = self.path(&format!("watch-{:08x}.log", rand::random::<u32>()));
        let stderr = File::create(&log).unwrap().into();
        self.watch_to(stderr, log, args, env)
    }

    /// Likewise one that tells what it does to somebody else.
    #[track_caller]
    pub fn watch_telling(&self, stderr: Stdio) -> Watch {
        let log = self.path("untold.log");
        File::create(&log).unwrap();
        self.watch_to(stderr, log, &["--interval", "1s"], &[])
    }

    #[track_caller]
    fn watch_to(&self, stderr: Stdio, log: PathBuf, args: &[&str], env: &[(&str, &str)]) -> Watch {
        let words = [&["watch", "--log-format", "json"], args].concat();
        let mut command = self.command(&words);
        command
            .envs(env.iter().copied())
            .stdout(Stdio::null())
            .stderr(stderr);
        Watch {
            child: command.spawn().unwrap(),
            log,
        }
    }
}

/// A `zoe watch` that runs; killed when this is dropped.
pub struct Watch {
    child: Child,
    log: PathBuf,
}

impl Watch {
    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has: the signal, or the exit code.
    pub fn ended(&mut self) -> Option<Result<i32, i32>> {
        use std::os::unix::process::ExitStatusExt;
        let status = self.child.try_wait().unwrap()?;
        Some(
            status
                .code()
                .ok_or_else(|| status.signal().unwrap_or_default()),
        )
    }

    /// What it has written, each line an object.
    #[track_caller]
    pub fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap();
        // The last line may not be whole yet.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        whole.lines().map(parse).collect()
    }

    /// How many lines it has written that say this, of that execution or thing.
    pub fn said(&self, message: &str, about: &str) -> usize {
        let log = self.log();
        let lines = log.iter().filter(|line| line["message"] == message);
        let about = |line: &&Value| {
            let mut keys = ["execution", "name", "what"].iter();
            about.is_empty() || keys.any(|key| line[*key] == about)
        };
        lines.filter(about).count()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        let signal = match signal {
            "TERM" => Signal::TERM,
            "INT" => Signal::INT,
            other => panic!("there is no signal {other} here"),
        };
        let id = Pid::from_raw(self.id().try_into().unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Tells it to end, and gives its exit code and how long that took: without the time in which it, or who watches it here,
    /// waited for a processor. A busy machine makes that long, and zoe can do nothing about it.
    #[track_caller]
    pub fn stop(mut self, signal: &str) -> (i32, Duration) {
        let own = PathBuf::from("/proc/thread-self/schedstat");
        let id = self.id();
        let waited = || kept_waiting(&own) + waited_for_processors(id);
        let (begun, before) = (Instant::now(), waited());
        let mut most = before;
        self.signal(signal);
        loop {
            // What a thread that has ended has waited is not told any more.
            most = most.max(waited());
            let ended = self.ended();
            let took = begun.elapsed();
            if let Some(ended) = ended {
                let log = std::fs::read_to_string(&self.log).unwrap();
                let code = ended.unwrap_or_else(|s| panic!("signal {s}: {log}"));
                let kept = most.saturating_sub(before);
                eprintln!("{signal}: ended after {took:?}, {kept:?} of it without a processor");
                return (code, took.saturating_sub(kept));
            }
            assert!(took < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// How long all threads of a process have waited for a processor, each for itself.
fn waited_for_processors(id: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{id}/task"));
    let threads = threads.into_iter().flatten().flatten();
    threads
        .map(|thread| kept_waiting(&thread.path().join("schedstat")))
        .sum()
}

/// How long a thread was ready to run and had to wait: the second of the three figures that Linux keeps.
fn kept_waiting(schedstat: &Path) -> Duration {
    let text = std::fs::read_to_string(schedstat).unwrap_or_default();
    let figure = text.split_whitespace().nth(1);
    Duration::from_nanos(figure.map_or(0, |figure| figure.parse().unwrap()))
}

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
