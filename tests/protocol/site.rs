//! What the actors work on, and what they do: zoe's own operations over a Docker and a history that are only values.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use zoe::apps::{self, Format};
use zoe::engine::Backend;
use zoe::engine::memory::{MemoryBackend, World};
use zoe::model::quota::Quota;
use zoe::model::{Deployment, ExecutionId, WaitReason};
use zoe::ops::kill::{self, Selection};
use zoe::ops::launch::{self, Common};
use zoe::ops::reconcile;
use zoe::ops::submit::{self, Accepted, Submission};
use zoe::ops::wait::{self, Until};
use zoe::ops::{Context, OpenStore, Settings, Silent};

use crate::mutants::Mutant;
use crate::pace::{Calls, Clock, Process};
use crate::store::{MemoryStore, Rows};
use crate::table::{Facts, Table};

/// How long a lease lasts, in milliseconds; its renewal is at a third of it.
pub const LEASE: i64 = 3000;

/// How long a program may take to end when it is told to, in milliseconds: longer than a lease.
pub const GRACE: i64 = 5000;

/// A job: the core members it has, each of one core, and what its monitor does.
#[derive(Debug, Clone)]
pub struct Job {
    pub submission: Submission,
}

/// When every story begins, in milliseconds since 1970.
pub const BEGIN: i64 = 1_800_000_000_000;

/// The exit code of jobs that end by themselves.
pub const CODE: i64 = 7;

/// A job of so many members that ends after a second, or never.
pub fn job(members: u32, ends: bool) -> Box<Job> {
    let mut text = "schema = 1\nname = \"job\"\nmonitor = \"main\"\n".to_owned();
    for n in 0..members {
        let (name, command) = match (n, ends) {
            (0, true) => (
                "main".to_owned(),
                format!(r#"["print", "ran", "exit", "{CODE}", "after", "1s"]"#),
            ),
            (0, false) => ("main".to_owned(), r#"["print", "ran", "run"]"#.to_owned()),
            _ => (format!("side{n}"), r#"["run"]"#.to_owned()),
        };
        write!(
            text,
            "[[component]]\nname = \"{name}\"\nimage = \"memory/x\"\ncores = \"1\"\nmemory = \"64m\"\ncommand = {command}\n"
        )
        .unwrap();
    }
    let application = apps::parse(&text, Format::Toml).unwrap();
    Box::new(Job {
        submission: launch::application(application, Common::default()).unwrap(),
    })
}

/// A job of one member that never ends, and can be asked whether it is ready.
pub fn service() -> Box<Job> {
    let text = "schema = 1\nname = \"job\"\nmonitor = \"main\"\n[[component]]\nname = \"main\"\nimage = \"memory/x\"\n\
                cores = \"1\"\nmemory = \"64m\"\ncommand = [\"print\", \"ran\", \"run\"]\n\
                ready = { port = \"web\", path = \"/\" }\n[[component.port]]\nname = \"web\"\ncontainer = 8000\n";
    let application = apps::parse(text, Format::Toml).unwrap();
    Box::new(Job {
        submission: launch::application(application, Common::default()).unwrap(),
    })
}

/// A job that does not end when it is told to.
pub fn deaf_job() -> Box<Job> {
    let mut job = job(1, false);
    let main = job.submission.application.components.first_mut().unwrap();
    main.command = Some(["print", "ran", "deaf"].map(str::to_owned).to_vec());
    job
}

impl Job {
    /// The same with a key.
    pub fn keyed(mut self: Box<Self>, key: &str) -> Box<Self> {
        self.submission.key = Some(key.to_owned());
        self
    }
}

/// What an actor does.
#[derive(Debug, Clone)]
pub enum Act {
    /// Submits a job and makes a pass for it: `zoe submit --detach`.
    Submit(Box<Job>),
    /// Makes one pass: `zoe watch --once`.
    Pass,
    /// Ends everything: `zoe kill --all`.
    KillAll,
    /// Ends what was submitted first: `zoe kill ID`.
    Kill,
    /// Waits until what was submitted first is over, moving the queue: `zoe wait ID`.
    Wait,
    /// Lets this many milliseconds go by.
    Rests(u64),
    /// Waits until everything that can end has ended, and ends the rest: what anybody does in the end.
    Finish,
}

/// What an actor came to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Came {
    /// A submission that was taken.
    Submitted(String),
    /// Its executions were ended, and nothing of them is left.
    Killed(Vec<String>),
    /// It is through.
    Done,
    /// It failed.
    Failed(String),
}

pub type Doing = Pin<Box<dyn Future<Output = Came>>>;

pub fn name_of(actor: usize) -> String {
    let letter = b'A' + u8::try_from(actor).unwrap();
    char::from(letter).to_string()
}

/// Everything there is outside of the actors.
#[derive(Clone)]
pub struct Site {
    pub world: MemoryBackend,
    pub rows: Arc<Mutex<Rows>>,
    pub table: Arc<Table>,
    pub deployment: Deployment,
    pub directory: PathBuf,
    pub sees: bool,
}

/// All that a site holds, to begin with again.
#[derive(Clone)]
pub struct Saved {
    pub world: World,
    pub rows: Rows,
    pub facts: Facts,
    pub now: i64,
}

impl Site {
    /// One node with room for so many members.
    pub fn new(cores: u64, directory: PathBuf) -> Self {
        let deployment: Deployment = "lab".parse().unwrap();
        let world = MemoryBackend::new(deployment.clone());
        world
            .edit(|world| world.change_node("memory", |row| row.millicores = cores * 1000))
            .unwrap();
        let table = Arc::new(Table::default());
        table.lock().now = BEGIN;
        Self {
            world,
            rows: Arc::default(),
            table,
            deployment,
            directory,
            sees: true,
        }
    }

    pub fn save(&self) -> Saved {
        let inner = self.table.lock();
        Saved {
            world: self.world.edit(|world| world.clone()).unwrap(),
            rows: self.rows.lock().unwrap().clone(),
            facts: inner.facts.clone(),
            now: inner.now,
        }
    }

    /// A site like this with what was saved in it.
    pub fn again(&self, saved: &Saved) -> Self {
        self.world
            .edit(|world| *world = saved.world.clone())
            .unwrap();
        let table = Arc::new(Table::default());
        {
            let mut inner = table.lock();
            inner.now = saved.now;
            inner.facts = saved.facts.clone();
            inner.opens = self.table.lock().opens;
        }
        Self {
            rows: Arc::new(Mutex::new(saved.rows.clone())),
            table,
            ..self.clone()
        }
    }

    /// Whether somebody still waits under that number.
    pub fn waits(&self, number: u64) -> bool {
        self.table.lock().waiting.contains_key(&number)
    }

    /// A call as people read it: executions are called by the place they have among all.
    pub fn readable(&self, call: &str) -> String {
        let inner = self.table.lock();
        let mut text = call.replace("zoe-lab-", "");
        for (place, id) in inner.facts.tickets.keys().enumerate() {
            text = text.replace(id, &format!("job{}", place + 1));
        }
        text
    }

    /// The logs that are kept, by name and size.
    pub fn archives(&self) -> Vec<(String, u64)> {
        let files = walkdir::WalkDir::new(&self.directory).sort_by_file_name();
        let files = files
            .into_iter()
            .flatten()
            .filter(|file| file.file_type().is_file());
        files
            .map(|file| {
                let size = file.metadata().map_or(0, |found| found.len());
                (file.file_name().to_string_lossy().into_owned(), size)
            })
            .filter(|(name, _)| !name.starts_with('.'))
            .collect()
    }

    pub fn clear_archives(&self) {
        for entry in std::fs::read_dir(&self.directory).unwrap().flatten() {
            std::fs::remove_dir_all(entry.path()).unwrap();
        }
    }

    /// What must hold when an actor is through.
    pub fn note_end(&self, actor: usize, came: &Came) {
        let text = match came {
            Came::Failed(why) => format!("{} has failed: {why}", name_of(actor)),
            Came::Submitted(_) | Came::Killed(_) | Came::Done => {
                format!("{} is through", name_of(actor))
            }
        };
        let text = self.readable(&text);
        self.table.told(&text);
        match came {
            Came::Submitted(id) => {
                if !self.table.lock().facts.tickets.contains_key(id) {
                    self.table.wrong(format!(
                        "{id} was submitted, they say, and there is no ticket"
                    ));
                }
            }
            Came::Killed(ids) => {
                let left = self.world.edit(|world| {
                    let names = world.containers.values().map(|row| &row.name);
                    let names = names.chain(world.networks.values().map(|row| &row.name));
                    let left: Vec<String> = names
                        .filter(|name| ids.iter().any(|id| name.contains(id.as_str())))
                        .cloned()
                        .collect();
                    left
                });
                let left = left.unwrap();
                if !left.is_empty() {
                    let left = self.readable(&left.join(", "));
                    self.table
                        .wrong(format!("it was ended, they say, and there is still {left}"));
                }
            }
            Came::Done | Came::Failed(_) => {}
        }
    }

    /// What an actor works with.
    fn context(&self, actor: usize, mutant: Option<Mutant>) -> Context {
        let table = Arc::clone(&self.table);
        let calls = Calls {
            table: Arc::clone(&table),
            actor,
            world: self.world.clone(),
            rows: Arc::clone(&self.rows),
            line: Mutex::default(),
        };
        let backend = self.world.clone().with_pace(Arc::new(calls));
        let store = MemoryStore {
            rows: Arc::clone(&self.rows),
            table: Arc::clone(&table),
            actor: Some(actor),
        };
        let (backend, history): (Arc<dyn Backend>, Arc<dyn OpenStore>) = match mutant {
            None => (Arc::new(backend), Arc::new(store)),
            Some(mutant) => mutant.of(Arc::new(backend), store),
        };
        Context {
            backend,
            history,
            world: Arc::new(Clock {
                table: Arc::clone(&table),
                actor,
                drawn: AtomicU64::new(0),
            }),
            identity: Arc::new(Process {
                table,
                name: name_of(actor),
                sees: self.sees || mutant == Some(Mutant::BuriesTheLiving),
            }),
            settings: Settings {
                deployment: self.deployment.clone(),
                user: "ann".to_owned(),
                registry: String::new(),
                history_path: self.directory.clone(),
                lease: SignedDuration::from_millis(LEASE),
                grace: SignedDuration::from_millis(GRACE),
                start_tries: 3,
                order: zoe::model::Order::Fifo,
                mode: zoe::model::Mode::Flexible,
                runtime: jiff::SignedDuration::from_hours(1),
                ageing: 10,
                start_deadline: SignedDuration::from_secs(30),
                node_grace: SignedDuration::from_secs(60),
                quota: Quota::default(),
                quota_window: SignedDuration::from_hours(24),
                usage_half_life: SignedDuration::from_hours(24),
            },
        }
    }

    /// An actor that has not begun.
    pub fn begin(&self, actor: usize, act: &Act, mutant: Option<Mutant>) -> Doing {
        let context = self.context(actor, mutant);
        let first = self.table.lock().facts.tickets.keys().next().cloned();
        let act = act.clone();
        Box::pin(async move {
            let came = match act {
                Act::Submit(job) => submit(&context, &job.submission).await,
                Act::Pass => reconcile::pass(&context, &Silent).await.map(|_| Came::Done),
                Act::KillAll => ended(&context, &Selection::All).await,
                Act::Kill => {
                    let named = vec![first.unwrap_or_default()];
                    ended(&context, &Selection::Named(named)).await
                }
                Act::Wait => {
                    let id: ExecutionId = first.unwrap_or_default().parse().unwrap();
                    let waited = wait::wait_for(&context, id, Until::Ended, None, &Silent).await;
                    waited.map(|_| Came::Done)
                }
                Act::Rests(length) => {
                    context.world.sleep(Duration::from_millis(length)).await;
                    Ok(Came::Done)
                }
                Act::Finish => return finish(&context).await,
            };
            came.unwrap_or_else(|error| Came::Failed(error.to_string()))
        })
    }
}

async fn submit(context: &Context, submission: &Submission) -> Result<Came, zoe::ops::OpsError> {
    let accepted = submit::submit(context, submission, &Silent).await?;
    let id = accepted.id();
    if !matches!(accepted, Accepted::Over(_)) {
        // What becomes of the pass changes nothing for who has submitted.
        let _ = reconcile::pass_for(context, id, &Silent).await;
    }
    Ok(Came::Submitted(id.to_string()))
}

async fn ended(context: &Context, which: &Selection) -> Result<Came, zoe::ops::OpsError> {
    let killed = kill::kill(context, which, &Silent).await?;
    let ids = killed.into_iter().map(|one| match one {
        kill::Killed::Gone(id) | kill::Killed::WasOver(id) => id.to_string(),
    });
    Ok(Came::Killed(ids.collect()))
}

/// How often whoever ends everything looks whether it has come to rest.
const LOOKS: usize = 30;

async fn finish(context: &Context) -> Came {
    let mut still = 0;
    for _ in 0..LOOKS {
        // Longer than any lease, any program and any pause between two tries.
        context.world.sleep(Duration::from_secs(10)).await;
        let pass = match reconcile::pass(context, &Silent).await {
            Ok(pass) => pass,
            Err(error) => return Came::Failed(format!("a pass failed: {error}")),
        };
        // What runs for ever, and what waits for the room that it takes.
        let waits = |id| {
            let mut waiting = pass.plan.waiting.iter();
            waiting
                .any(|one| one.execution == id && !matches!(one.reason, WaitReason::Retry { .. }))
        };
        let mut executions = pass.snapshot.executions.values();
        let rests = pass.failures.is_empty()
            && pass.plan.steps.is_empty()
            && executions.all(|e| e.survey().is_well || waits(e.ticket.id));
        still = if rests { still + 1 } else { 0 };
        if still == 2 {
            return match kill::kill(context, &Selection::All, &Silent).await {
                Ok(_) => Came::Done,
                Err(error) => Came::Failed(format!("the rest cannot be ended: {error}")),
            };
        }
    }
    Came::Failed("it does not come to rest".to_owned())
}
