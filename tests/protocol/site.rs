//! What the actors work on, and what they do: zoe's own operations over a Docker and a history that are only values.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use zoe::engine::Backend;
use zoe::engine::memory::{MemoryBackend, World};
use zoe::model::{Deployment, Quota};
use zoe::ops::{Context, OpenStore, Settings};
use zoe::store::Store;

use crate::acts::{self, Act, Came, Doing};
use crate::both::Both;
use crate::mutants::Mutant;
use crate::pace::{Calls, Clock, Process};
use crate::store::{MemoryStore, Rows};
use crate::table::{Facts, Table};

/// How long a lease lasts, in milliseconds; its renewal is at a third of it.
pub const LEASE: i64 = 3000;

/// How long a program may take to end when it is told to, in milliseconds: longer than a lease.
pub const GRACE: i64 = 5000;

/// When every story begins, in milliseconds since 1970.
pub const BEGIN: i64 = 1_800_000_000_000;

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
    /// A real database, which has to give the same answers.
    pub real: Option<Arc<dyn Store>>,
}

/// All that a site holds, to begin with again.
#[derive(Clone)]
pub struct Saved {
    pub world: World,
    pub rows: Rows,
    pub facts: Facts,
    pub now: i64,
    /// The logs that are kept, by path.
    pub archives: Vec<(PathBuf, Vec<u8>)>,
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
            real: None,
        }
    }

    pub fn save(&self) -> Saved {
        let inner = self.table.lock();
        Saved {
            world: self.world.edit(|world| world.clone()).unwrap(),
            rows: self.rows.lock().unwrap().clone(),
            facts: inner.facts.clone(),
            now: inner.now,
            archives: self
                .kept()
                .map(|path| (path.clone(), std::fs::read(path).unwrap()))
                .collect(),
        }
    }

    /// A site like this with what was saved in it.
    pub fn again(&self, saved: &Saved) -> Self {
        self.clear_archives();
        for (path, bytes) in &saved.archives {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
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
        for (place, id) in inner.facts.order.iter().enumerate() {
            text = text.replace(id, &format!("job{}", place + 1));
        }
        text
    }

    /// The logs that are kept, by name and size.
    pub fn archives(&self) -> Vec<(String, u64)> {
        self.kept()
            .map(|path| {
                let size = path.metadata().map_or(0, |found| found.len());
                (
                    path.file_name().unwrap().to_string_lossy().into_owned(),
                    size,
                )
            })
            .collect()
    }

    /// The files with logs that are whole.
    fn kept(&self) -> impl Iterator<Item = PathBuf> {
        let files = walkdir::WalkDir::new(&self.directory).sort_by_file_name();
        let files = files.into_iter().flatten();
        files
            .filter(|file| file.file_type().is_file())
            .filter(|file| !file.file_name().to_string_lossy().starts_with('.'))
            .map(walkdir::DirEntry::into_path)
    }

    fn clear_archives(&self) {
        for entry in std::fs::read_dir(&self.directory).unwrap().flatten() {
            std::fs::remove_dir_all(entry.path()).unwrap();
        }
    }

    /// What must hold when an actor is through.
    pub fn note_end(&self, actor: usize, came: &Came) {
        let text = match came {
            Came::Failed(why) => format!("{} has failed: {why}", name_of(actor)),
            Came::Submitted(_) | Came::Killed(_) | Came::Listed(_) | Came::Done => {
                format!("{} is through", name_of(actor))
            }
        };
        let text = self.readable(&text);
        self.table.told(&text);
        match came {
            Came::Submitted(ids) => {
                for id in ids {
                    if !self.table.lock().facts.tickets.contains_key(id) {
                        self.table.wrong(format!(
                            "{id} was submitted, they say, and there is no ticket"
                        ));
                    }
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
            Came::Listed(_) | Came::Done | Came::Failed(_) => {}
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
            None => match &self.real {
                None => (Arc::new(backend), Arc::new(store)),
                Some(real) => {
                    let both = Both {
                        value: store,
                        real: Arc::clone(real),
                    };
                    (Arc::new(backend), Arc::new(both))
                }
            },
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
                workspaces: None,
                lease: SignedDuration::from_millis(LEASE),
                grace: SignedDuration::from_millis(GRACE),
                start_tries: 3,
                order: zoe::model::Order::Fifo,
                mode: zoe::model::Mode::Flexible,
                runtime: jiff::SignedDuration::from_hours(1),
                ageing: 10,
                mail: None,
                culling: zoe::ops::idle::culling::Culling::default(),
                start_deadline: SignedDuration::from_secs(30),
                node_grace: SignedDuration::from_secs(60),
                quota: Quota::default(),
                quota_window: SignedDuration::from_hours(24),
                usage_half_life: SignedDuration::from_hours(24),
            },
            proxy: None,
        }
    }

    /// An actor that has not begun.
    pub fn begin(&self, actor: usize, act: &Act, mutant: Option<Mutant>) -> Doing {
        let known = self.table.lock().facts.order.clone();
        acts::begin(self.context(actor, mutant), act.clone(), known)
    }
}
