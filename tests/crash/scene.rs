//! A place in which zoe dies, and what must be true there afterwards.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};
use zoe::engine::gate::Gate;
use zoe::engine::memory::{MemoryBackend, World};

use crate::common::docker::Deployment;
use crate::common::{Ran, TestEnv};

/// The exit codes of the documented table, and 7: that of the jobs here.
pub const DOCUMENTED: [i32; 10] = [0, 7, 2, 3, 4, 5, 124, 125, 130, 143];

/// What a killed process has done to Docker, one call a line.
pub type Calls = Vec<String>;

/// A place to die in.
pub struct Scene {
    pub env: TestEnv,
    docker: Option<Deployment>,
}

impl Scene {
    /// Over a Docker that is a file.
    pub fn memory() -> Self {
        Self::sized("cores=4&memory=8g&images=all")
    }

    /// Likewise, with these options.
    pub fn sized(options: &str) -> Self {
        Self {
            env: TestEnv::with_options(options),
            docker: None,
        }
    }

    /// Over the real Engine.
    pub fn docker() -> Self {
        Self {
            env: TestEnv::new(),
            docker: Some(Deployment::new()),
        }
    }

    fn deployment(&self) -> &str {
        self.docker.as_ref().map_or("test", |docker| &docker.name)
    }

    /// A command in it.
    pub fn zoe(&self) -> Command {
        let mut command = if self.docker.is_some() {
            self.env.bare()
        } else {
            self.env.zoe()
        };
        command.env("ZOE_DEPLOYMENT", self.deployment());
        command
    }

    /// Runs one.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::command(self.zoe().args(arguments))
    }

    /// Runs one behind a gate.
    pub fn gated(&self, gate: &str, arguments: &[&str]) -> Ran {
        Ran::command(self.zoe().env("ZOE_TEST_GATE", gate).args(arguments))
    }

    /// Runs one and gives the calls that were to change something, in their order.
    pub fn counted(&self, arguments: &[&str]) -> (Ran, Calls) {
        let file = self.env.path(format!("calls-{:x}", rand::random::<u64>()));
        let ran = self.gated(&format!("count:{}", file.display()), arguments);
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let effects = text.lines().filter_map(|line| line.strip_prefix("effect "));
        (ran, effects.map(str::to_owned).collect())
    }

    /// Runs the same command in two processes at the same time.
    pub fn twice(&self, arguments: &[&str]) -> [(Ran, Calls); 2] {
        std::thread::scope(|scope| {
            let one = scope.spawn(|| self.counted(arguments));
            let other = self.counted(arguments);
            [one.join().unwrap(), other]
        })
    }

    /// The Docker that is a file.
    pub fn world(&self) -> World {
        match std::fs::read(self.env.docker_file()) {
            Ok(text) => serde_json::from_slice(&text).unwrap(),
            Err(_) => World::default(),
        }
    }

    /// Makes it what it is to be.
    pub fn set_world(&self, world: &World) {
        std::fs::write(self.env.docker_file(), serde_json::to_vec(world).unwrap()).unwrap();
    }

    /// The programs that run come to their end, with 7.
    pub fn end_programs(&self) {
        let deployment = self.deployment().parse().unwrap();
        let backend = MemoryBackend::open(&self.env.docker_file(), deployment, Gate::open());
        let end = |world: &mut World| {
            for row in world.containers.values_mut() {
                if row.started_at.is_some()
                    && row.stopped_at.is_none()
                    && row.name.ends_with("-driver-0")
                {
                    row.command = Some(["print", "ran", "exit", "7"].map(str::to_owned).to_vec());
                }
            }
        };
        backend.unwrap().edit(end).unwrap();
    }

    /// Likewise, as long as something is done: also what it starts.
    pub fn while_programs_end<T>(&self, work: impl FnOnce() -> T) -> T {
        let over = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    self.end_programs();
                    std::thread::sleep(Duration::from_millis(30));
                }
            });
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            over.store(true, Ordering::SeqCst);
            result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Everything that carries zoe's labels.
    pub fn left(&self) -> Vec<String> {
        if let Some(docker) = &self.docker {
            return docker.left();
        }
        let world = self.world();
        let ours = |labels: &std::collections::HashMap<String, String>| {
            labels.keys().any(|key| key.starts_with("zoe."))
        };
        let containers = world
            .containers
            .values()
            .filter(|row| ours(&row.labels))
            .map(|row| row.name.clone());
        let networks = world
            .networks
            .values()
            .filter(|row| ours(&row.labels))
            .map(|row| row.name.clone());
        let images = world
            .images
            .values()
            .filter(|row| ours(&row.labels))
            .map(|row| format!("{:?}", row.tags));
        containers.chain(networks).chain(images).collect()
    }

    /// What `ps` shows; it must work and have nothing to complain of.
    #[track_caller]
    pub fn ps(&self) -> Vec<Value> {
        let ran = self.run(&["ps", "-o", "json"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "ps");
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// What history has.
    #[track_caller]
    pub fn history(&self) -> Vec<Value> {
        serde_json::from_str(&self.run(&["history", "-o", "json"]).expect(0)).unwrap()
    }

    /// The files in the history directory, by execution.
    pub fn archives(&self) -> BTreeSet<PathBuf> {
        let files = walkdir::WalkDir::new(self.env.path("data/zoe/history"))
            .into_iter()
            .flatten();
        files
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| entry.file_name().into())
            .collect()
    }

    /// Makes the lease that a dead process holds last for a day: whoever goes on within a test did not wait for its end.
    pub fn stretch_lease(&self) {
        let file = self.env.path("data/zoe/zoe.db");
        if !file.exists() {
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut database = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
                .await
                .unwrap();
            // Killed while it made the database: there is no lease yet.
            let _ = sqlx::query("UPDATE leases SET expires_at = expires_at + 86400000")
                .execute(&mut database)
                .await;
            database.close().await.unwrap();
        });
    }

    /// Asserts that Docker has nothing of zoe's any more and that each execution of history is over, with an exit code that
    /// may be, and has its logs; returns its records.
    #[track_caller]
    pub fn assert_clean(&self, about: &str) -> Vec<Value> {
        assert_eq!(self.left(), Vec::<String>::new(), "{about}");
        assert!(self.ps().is_empty(), "{about}");
        let history = self.history();
        for record in &history {
            assert!(
                record["finished_at"].is_string() && record["exit_code"].is_i64(),
                "{about}: {record:#}"
            );
        }
        history
    }
}

/// Asserts that a command ended with a documented code, said what was wrong in one sentence, and nothing that is meant for
/// developers.
#[track_caller]
pub fn assert_one_sentence(ran: &Ran, about: &str) {
    assert!(
        DOCUMENTED.contains(&ran.code),
        "{about}: exit code {}: {}",
        ran.code,
        ran.stderr
    );
    let errors = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .count();
    assert!(errors <= 1, "{about}: {}", ran.stderr);
    // 125 can be an execution's own outcome, too, with its reason.
    assert!(
        errors == 1 || !matches!(ran.code, 2..=5),
        "{about}: {}",
        ran.stderr
    );
    assert!(
        ran.code != 125 || !ran.stderr.is_empty(),
        "{about}: nothing was said"
    );
    for word in ["panicked", "RUST_BACKTRACE", "a mistake of its own", "src/"] {
        assert!(!ran.stderr.contains(word), "{about}: {}", ran.stderr);
    }
}
