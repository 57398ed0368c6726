//! A place to try operations in: Docker in a file, a database in another.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use zoe::apps::{self, Format};
use zoe::engine::gate::Gate;
use zoe::engine::memory::{MemoryBackend, NodeRow, NodeState};
use zoe::engine::{LogChunk, Scope};
use zoe::model::{Execution, ExecutionId, InstanceState, Quota};
use zoe::ops::attach::Sink;
use zoe::ops::reconcile::{self, Pass};
use zoe::ops::submit::launch::{self, Common};
use zoe::ops::submit::{self, Accepted};
use zoe::ops::{Context, Identity, OpenStore, Settings, Silent, World};
use zoe::store::holder::Holder;
use zoe::store::sqlite::SqliteStore;
use zoe::store::{Store, StoreError};

/// The time, which a test can stop where something must not have passed yet, however slow the machine is.
pub struct Clock {
    seed: AtomicU64,
    stopped: Mutex<Option<Timestamp>>,
}

impl World for Clock {
    fn now(&self) -> Timestamp {
        self.stopped.lock().unwrap().unwrap_or_else(Timestamp::now)
    }

    fn random(&self, bytes: &mut [u8]) {
        let mut state = self.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        for byte in bytes {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 33).to_le_bytes()[0];
        }
    }
}

struct File(std::path::PathBuf);

#[async_trait]
impl OpenStore for File {
    async fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(SqliteStore::open(&self.0).await?))
    }
}

struct Process(Holder);

impl Identity for Process {
    fn holder(&self) -> &str {
        self.0.as_str()
    }

    fn is_dead(&self, holder: &str) -> bool {
        self.0.is_dead(holder)
    }
}

pub struct Lab {
    pub context: Context,
    clock: Arc<Clock>,
    /// Its Docker, past any gate.
    pub world: MemoryBackend,
    pub directory: tempfile::TempDir,
}

pub fn lab() -> Lab {
    lab_of("cores=4&memory=8g&images=all", Gate::open())
}

/// With these options of the memory backend, behind this gate.
pub fn lab_of(options: &str, gate: Gate) -> Lab {
    let directory = tempfile::tempdir().unwrap();
    let deployment: zoe::model::Deployment = "lab".parse().unwrap();
    let path = directory.path().join(format!("world.json?{options}"));
    let backend = MemoryBackend::open(&path, deployment.clone(), gate).unwrap();
    let settings = Settings {
        deployment,
        user: "ann".to_owned(),
        registry: String::new(),
        history_path: directory.path().join("history"),
        workspaces: None,
        lease: SignedDuration::from_secs(15),
        grace: SignedDuration::from_secs(1),
        start_tries: 3,
        order: zoe::model::Order::Fifo,
        mode: zoe::model::Mode::Flexible,
        runtime: SignedDuration::from_hours(1),
        ageing: zoe::model::AGEING,
        mail: None,
        culling: zoe::ops::idle::culling::Culling::default(),
        start_deadline: SignedDuration::from_secs(30),
        quota: Quota::default(),
        quota_window: SignedDuration::from_hours(24),
        usage_half_life: SignedDuration::from_hours(24),
        node_grace: SignedDuration::from_secs(60),
    };
    let world = backend.clone().with_gate(Gate::open());
    let clock = Arc::new(Clock {
        seed: AtomicU64::new(7),
        stopped: Mutex::default(),
    });
    let context = Context {
        backend: Arc::new(backend),
        history: Arc::new(File(directory.path().join("zoe.db"))),
        world: clock.clone(),
        identity: Arc::new(Process(Holder::of_this_process())),
        settings,
        proxy: None,
    };
    Lab {
        context,
        clock,
        world,
        directory,
    }
}

impl Lab {
    /// Time stands still for who asks the context.
    pub fn stop_clock(&self) {
        *self.clock.stopped.lock().unwrap() = Some(Timestamp::now());
    }

    /// Time stands still so much later than it does, or than it is.
    pub fn later(&self, seconds: i64) {
        let later = self.clock.now() + SignedDuration::from_secs(seconds);
        *self.clock.stopped.lock().unwrap() = Some(later);
    }

    /// Time goes on.
    pub fn start_clock(&self) {
        *self.clock.stopped.lock().unwrap() = None;
    }

    /// One pass; what it could not do is an error here.
    pub async fn pass(&self) -> Pass {
        let pass = reconcile::pass(&self.context, &Silent).await.unwrap();
        assert_eq!(pass.failures, []);
        pass
    }

    /// What there is of an execution.
    pub async fn seen(&self, id: ExecutionId) -> Option<Execution> {
        let snapshot = self.context.backend.observe(Scope::Everything).await;
        snapshot.unwrap().executions.remove(&id)
    }

    /// Its members and where they are, `worker-0@n1`, those that run.
    pub async fn running(&self, id: ExecutionId) -> Vec<String> {
        let seen = self.seen(id).await;
        let members = seen.iter().flat_map(|execution| &execution.instances);
        let running = members.filter(|i| i.state == InstanceState::Running);
        running
            .map(|i| format!("{}-{}@{}", i.key.component, i.key.index, i.node))
            .collect()
    }

    /// The details of its events of a kind.
    pub async fn events(&self, id: ExecutionId, kind: &str) -> Vec<String> {
        let store = self.context.history.open().await.unwrap();
        let events = store.events(&self.context.settings.deployment, id).await;
        let of_kind = events.unwrap().into_iter().filter(|e| e.kind == kind);
        of_kind.map(|event| event.detail).collect()
    }

    /// A node does not answer any more, since a moment ago.
    pub fn down(&self, node: &str) {
        let since = Timestamp::now();
        self.node(node, |row| row.state = NodeState::Down { since });
    }

    /// The programs of an execution that go on until they are stopped end here, with 0.
    pub fn ends(&self, id: ExecutionId) {
        let members = format!("-{id}-");
        let end = |world: &mut zoe::engine::memory::World| {
            let rows = world.containers.values_mut();
            for row in rows.filter(|row| row.name.contains(&members)) {
                if let Some(words) = &mut row.command {
                    words.retain(|word| word != "run");
                }
            }
        };
        self.world.edit(end).unwrap();
    }

    /// Changes a node.
    pub fn node(&self, name: &str, change: impl FnOnce(&mut NodeRow)) {
        self.world
            .edit(|world| world.change_node(name, change))
            .unwrap();
    }

    /// Waits until a pass has led to what is expected.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_mins(3);
        while !holds(self).await {
            assert!(Instant::now() < deadline, "waited in vain until {what}");
            self.pass().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub fn application(commands: &[(&str, &str)], cores: &str) -> zoe::model::Application {
    let mut text = format!(
        "schema = 1\nname = \"test\"\nmonitor = \"{}\"\n",
        commands[0].0
    );
    for (name, command) in commands {
        write!(
            text,
            "[[component]]\nname = \"{name}\"\nimage = \"memory/x\"\ncores = \"{cores}\"\nmemory = \"64m\"\ncommand = {command}\n"
        )
        .unwrap();
    }
    apps::parse(&text, Format::Toml).unwrap()
}

pub async fn submitted(lab: &Lab, commands: &[(&str, &str)], common: Common) -> Accepted {
    let submission = launch::application(application(commands, "0.5"), common).unwrap();
    submit::submit(&lab.context, &submission, &Silent)
        .await
        .unwrap()
}

#[derive(Default)]
pub struct Collected(pub Vec<u8>);

impl Sink for Collected {
    fn chunk(&mut self, chunk: &LogChunk) -> std::io::Result<()> {
        self.0.extend_from_slice(&chunk.bytes);
        Ok(())
    }
}

pub async fn nothing_left(lab: &Lab) {
    let snapshot = lab
        .context
        .backend
        .observe(Scope::Everything)
        .await
        .unwrap();
    assert!(snapshot.executions.is_empty(), "{:?}", snapshot.executions);
    assert!(
        snapshot.orphans.is_empty() && snapshot.job_images.is_empty(),
        "{snapshot:?}"
    );
}
