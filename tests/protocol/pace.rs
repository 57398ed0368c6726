//! An actor's side of the table: its clock, its chance, its calls to Docker.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use zoe::engine::memory::{Fault, MemoryBackend, Pace, World};
use zoe::engine::{EngineError, Result};
use zoe::ops::Identity;
use zoe::ops::ready::Reply;

use crate::facts;
use crate::store::Rows;
use crate::table::{Inner, Line, Table, Verdict, Wants, fold};

/// What takes no turn: nothing of it changes in these stories.
const ALWAYS_THE_SAME: [&str; 3] = ["info", "list images", "inspect image"];

/// The call that asks a member whether it is ready.
pub const ASK: &str = "ask whether it is ready";

/// An actor's calls to Docker.
#[derive(Debug)]
pub struct Calls {
    pub table: Arc<Table>,
    pub actor: usize,
    /// The world past all turns.
    pub world: MemoryBackend,
    /// The history past all turns.
    pub rows: Arc<Mutex<Rows>>,
    /// What the call that happens just now belongs to.
    pub line: Mutex<Option<Line>>,
}

fn no_answer(why: &str) -> EngineError {
    EngineError::Unreachable {
        endpoint: "the explorer".to_owned(),
        why: why.to_owned(),
    }
}

/// What a call shows of Docker, and the time at which it does.
pub fn seen(world: &World, inner: &Inner, call: &str, effect: bool) -> (u64, i64, u64) {
    let networks = call.contains("network");
    let shows = if effect {
        0
    } else {
        facts::digest(world, &inner.facts, networks)
    };
    (shows, inner.now, fold(&inner.dead))
}

#[async_trait]
impl Pace for Calls {
    fn now(&self) -> Timestamp {
        self.table.now()
    }

    async fn before(&self, call: &str, effect: bool) -> Result<()> {
        if ALWAYS_THE_SAME.contains(&call) {
            return Ok(());
        }
        if call == "events" {
            return Err(no_answer("there are no hints here"));
        }
        let wants = Wants::Call {
            call: call.to_owned(),
            effect,
        };
        let turn = self.table.turn(self.actor, wants);
        let line = turn.line();
        let verdict = turn.await;
        let seen = self.world.edit(|world| {
            let networks = call.contains("network");
            let inner = self.table.lock();
            let world = if effect {
                0
            } else {
                facts::digest(world, &inner.facts, networks)
            };
            (world, inner.now, inner.dead.clone())
        })?;
        self.table
            .learn(&line, (call, seen, verdict == Verdict::Refused));
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
        if verdict == Verdict::Refused {
            self.table.told("no answer, and nothing done");
            return Err(no_answer("refused"));
        }
        Ok(())
    }

    fn after(&self, call: &str, fault: Option<&Fault>) -> Result<()> {
        let said = match fault {
            None => "done",
            Some(Fault::NameTaken(_)) => "the name is taken",
            Some(Fault::NoImage(_)) => "no image",
            Some(Fault::NotFound(_)) => "gone",
            Some(Fault::InUse(_)) => "in use",
        };
        self.world
            .edit(|world| facts::note(world, self, call, fault))?;
        let lost = self.table.loses(self.actor);
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = &*line {
            self.table.learn(line, (said, lost));
        }
        if fault.is_some() {
            self.table.told(said);
        }
        if lost {
            self.table.told("the answer is lost");
            return Err(no_answer("lost"));
        }
        Ok(())
    }

    async fn pause(&self, length: Duration) {
        sleep(&self.table, self.actor, length).await;
    }
}

/// What is learnt by sleeping.
pub fn slept(now: i64) -> (&'static str, i64) {
    ("slept", now)
}

fn sleep(table: &Arc<Table>, actor: usize, length: Duration) -> BoxFuture<'static, ()> {
    let table = Arc::clone(table);
    async move {
        let until = table.lock().now + i64::try_from(length.as_millis()).unwrap();
        let turn = table.turn(actor, Wants::Sleep { until });
        let line = turn.line();
        turn.await;
        let now = table.lock().now;
        table.learn(&line, slept(now));
    }
    .boxed()
}

/// An actor's clock and chance.
pub struct Clock {
    pub table: Arc<Table>,
    pub actor: usize,
    pub drawn: AtomicU64,
}

impl zoe::ops::World for Clock {
    fn now(&self) -> Timestamp {
        self.table.now()
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.table.lock().now.try_into().unwrap())
    }

    fn random(&self, bytes: &mut [u8]) {
        let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
        let seed = (drawn + 1) * 0x9e37_79b9 + self.actor as u64;
        for (byte, from) in bytes.iter_mut().zip(seed.to_le_bytes().into_iter().cycle()) {
            *byte = from;
        }
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        sleep(&self.table, self.actor, length)
    }

    fn ask(&self, _: SocketAddr, _: &str, _: Duration) -> BoxFuture<'static, Reply> {
        let (table, actor) = (Arc::clone(&self.table), self.actor);
        async move {
            let wants = Wants::Call {
                call: ASK.to_owned(),
                effect: false,
            };
            let turn = table.turn(actor, wants);
            let line = turn.line();
            turn.await;
            let answers = table.lock().facts.answers;
            table.learn(&line, (ASK, answers));
            if answers {
                Reply::Said(Vec::new())
            } else {
                Reply::Nothing
            }
        }
        .boxed()
    }

    fn beside(&self, work: Box<dyn FnOnce() + Send>) {
        self.table.beside(work);
    }
}

/// Who an actor is to the lease.
pub struct Process {
    pub table: Arc<Table>,
    pub name: String,
    /// Whether it can see that another is dead.
    pub sees: bool,
}

impl Identity for Process {
    fn holder(&self) -> &str {
        &self.name
    }

    fn is_dead(&self, holder: &str) -> bool {
        let dead = |actor: &usize| crate::site::name_of(*actor) == holder;
        self.sees && self.table.lock().dead.iter().any(dead)
    }
}

/// What Docker holds now, in one number.
pub fn world_digest(world: &World, table: &Table) -> u64 {
    let inner = table.lock();
    fold((
        facts::digest(world, &inner.facts, false),
        facts::digest(world, &inner.facts, true),
        world
            .nodes
            .iter()
            .map(|node| (&node.rejects, format!("{:?}", node.state)))
            .collect::<Vec<_>>(),
    ))
}
