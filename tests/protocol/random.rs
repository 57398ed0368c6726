//! Any commands in any order, one after the other or beside each other, while nodes, Docker and the database come and go and
//! processes die at any of their calls: over a Docker that is a value and a real `SQLite`, which has to give the answers that
//! the value gives.
//!
//! It looks where no story leads; it sees a few hundred ways and not all. `PROPTEST_RNG_SEED` chooses which,
//! `ZOE_PROTOCOL_CASES` how many.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use zoe::engine::memory::NodeRow;
use zoe::model::RequiredEnd;
use zoe::store::SqliteStore;

use crate::acts::{Act, Came};
use crate::check;
use crate::jobs::{Job, exits, job};
use crate::run::{Choice, OTHER, Run};
use crate::site::Site;
use crate::story::{Budget, Happens, Story};
use crate::table::Wants;

/// How many ways are gone by default.
const CASES: u32 = 150;

/// A way that is longer does not come to an end.
const LONGEST: usize = 8000;

/// What is done next.
#[derive(Debug, Clone)]
enum Order {
    /// A command.
    Command(Act),
    /// Something happens around it.
    Around(Happens),
}

/// What is done next, and what comes in between.
#[derive(Debug, Clone)]
struct Line {
    order: Order,
    /// After how many steps the next one begins, though this one is not through.
    beside: Option<u8>,
    /// At which of its calls it dies, and whether Docker still carries that out.
    dies: Option<(u8, bool)>,
    /// Which of its calls is refused, or loses its answer.
    fault: Option<(u8, bool)>,
}

/// A whole way.
#[derive(Debug, Clone)]
struct Way {
    lines: Vec<Line>,
    /// Who goes on, where several can: 0 is who would by itself.
    turns: Vec<u8>,
    /// Whether one sees that another is dead.
    sees: bool,
}

fn jobs() -> impl Strategy<Value = Box<Job>> {
    let ends = || prop_oneof![Just(Some(0)), Just(Some(7)), Just(None)];
    let end = |end: Option<i64>| end.map_or_else(|| job(1, false), exits);
    let required = prop_oneof![Just(RequiredEnd::Ok), Just(RequiredEnd::Any)];
    prop_oneof![
        3 => ends().prop_map(end),
        1 => Just(job(2, true)),
        2 => (1..3_u32).prop_map(|most| job(1, true).retries(most)),
        2 => (ends(), required).prop_map(move |(e, how)| end(e).after("last", how)),
        1 => ends().prop_map(move |e| end(e).one_by_one(2)),
        1 => ends().prop_map(move |e| end(e).held()),
        1 => ends().prop_map(move |e| end(e).priority(1)),
        2 => (ends(), 1..3_u32).prop_map(move |(e, more)| end(e).elastic(more)),
        1 => Just(job(1, false).limited()),
        1 => Just(job(1, true).keyed("k")),
    ]
}

fn orders() -> impl Strategy<Value = Order> {
    let place = || 0..4_usize;
    let commands = prop_oneof![
        6 => jobs().prop_map(Act::Submit),
        2 => place().prop_map(Act::Kill),
        1 => Just(Act::KillAll),
        2 => place().prop_map(Act::Hold),
        2 => place().prop_map(Act::Release),
        2 => (place(), 0..3_u32).prop_map(|(place, members)| Act::Resize(place, members)),
        1 => (place(), 1..8_i64).prop_map(|(place, most)| Act::WaitFor(place, most)),
        1 => place().prop_map(Act::Resubmit),
        4 => Just(Act::Watch),
        1 => Just(Act::Pass),
        2 => Just(Act::Ps),
    ];
    let around = prop_oneof![
        6 => prop_oneof![Just(400), Just(1000), Just(4000), Just(70_000)].prop_map(Happens::Passes),
        1 => Just(Happens::NodeLost),
        1 => any::<bool>().prop_map(|killed| Happens::NodeBack { killed }),
        1 => Just(Happens::DockerRestarts),
        1 => Just(Happens::DatabaseDown),
        1 => Just(Happens::DatabaseUp),
    ];
    prop_oneof![
        4 => commands.prop_map(Order::Command),
        1 => around.prop_map(Order::Around),
    ]
}

fn ways() -> impl Strategy<Value = Way> {
    let rarely = |of: std::ops::Range<u8>| proptest::option::weighted(0.15, (of, any::<bool>()));
    let beside = proptest::option::weighted(0.3, 0..40_u8);
    let line = (orders(), beside, rarely(1..40), rarely(1..40));
    let line = line.prop_map(|(order, beside, dies, fault)| Line {
        order,
        beside,
        dies,
        fault,
    });
    let turn = prop_oneof![5 => Just(0_u8), 1 => 1..4_u8];
    let lines = proptest::collection::vec(line, 1..12);
    let turns = proptest::collection::vec(turn, 0..120);
    (lines, turns, any::<bool>()).prop_map(|(lines, turns, sees)| Way { lines, turns, sees })
}

/// Somebody on the way.
#[derive(Debug, Clone, Copy, Default)]
struct Walker {
    calls: u8,
    dies: Option<(u8, bool)>,
    fault: Option<(u8, bool)>,
}

/// What is on the way.
struct Walk<'s> {
    run: Run<'s>,
    walkers: Vec<Walker>,
    turns: std::vec::IntoIter<u8>,
}

impl Walk<'_> {
    fn begin(&mut self, act: &Act, walker: Walker) -> usize {
        self.run.begin(act);
        self.walkers.push(walker);
        self.walkers.len() - 1
    }

    /// Goes on for so many steps at the most.
    async fn go_on(&mut self, most: usize) {
        self.run.settle().await;
        for _ in 0..most {
            if self.run.is_over() {
                return;
            }
            let choices = self.run.choices(Budget::new(9, 9, 9)).into_iter();
            let goes = choices.filter_map(|(choice, _)| match choice {
                Choice::Go(number) => Some(number),
                _ => None,
            });
            let goes: Vec<u64> = goes.collect();
            if goes.is_empty() {
                let table = &self.run.site.table;
                return table.wrong("nobody goes on, and not all is done".to_owned());
            }
            let turn = if goes.len() > 1 {
                self.turns.next().unwrap_or(0)
            } else {
                0
            };
            let choice = self.choice(goes[usize::from(turn) % goes.len()]);
            self.run.take(choice).await;
        }
    }

    /// What becomes of a call that could go on.
    fn choice(&mut self, number: u64) -> Choice {
        let inner = self.run.site.table.lock();
        let waiting = &inner.waiting[&number];
        let actor = waiting.line.actor;
        let Wants::Call { call, effect } = &waiting.wants else {
            return Choice::Go(number);
        };
        let walker = &mut self.walkers[actor];
        if inner.dead.contains(&actor) {
            return Choice::Go(number);
        }
        walker.calls = walker.calls.saturating_add(1);
        let to_docker = !call.starts_with("record") && !call.contains("the lease");
        if let Some((at, with)) = walker.dies
            && at == walker.calls
        {
            return if with && *effect && to_docker {
                Choice::DieWith(actor, number)
            } else {
                Choice::Die(actor)
            };
        }
        match walker.fault {
            Some((at, lost)) if at == walker.calls && *effect && to_docker => {
                Choice::Fault(number, lost)
            }
            _ => Choice::Go(number),
        }
    }

    /// Whether something is wrong already; then the rest of the way does not matter.
    fn is_wrong(&self) -> bool {
        !self.run.site.table.lock().facts.wrongs.is_empty()
    }

    async fn line(&mut self, line: &Line) {
        let alone = self.run.is_over();
        let act = match &line.order {
            Order::Command(act) => act,
            Order::Around(what) => return self.run.happen(*what),
        };
        let known = self.run.site.table.lock().facts.order.clone();
        let walker = Walker {
            calls: 0,
            dies: line.dies,
            fault: line.fault,
        };
        let number = self.begin(act, walker);
        self.go_on(line.beside.map_or(LONGEST, usize::from)).await;
        if !self.run.is_over() {
            return;
        }
        check::nothing_is_lost(&self.run);
        let facts = self.run.site.table.lock().facts.clone();
        if let (Some(Came::Listed(ids)), true) = (self.run.came(number), alone) {
            let missing = known.iter().find(|id| !ids.contains(id));
            if let Some(id) = missing.filter(|_| !facts.history_broken) {
                self.run.site.table.wrong(format!("ps does not show {id}"));
            }
        }
    }
}

async fn walk(way: &Way, database: &Path, logs: &Path) -> Result<(), String> {
    let around = way.lines.iter().filter_map(|line| match &line.order {
        Order::Around(what) => Some(*what),
        Order::Command(_) => None,
    });
    let story = Story::new("any commands", 2).happens(around);
    let mut site = Site::new(story.cores, logs.to_owned());
    site.sees = way.sees;
    site.real = Some(Arc::new(SqliteStore::open(database).await.unwrap()));
    let more = |world: &mut zoe::engine::memory::World| {
        world.nodes.push(NodeRow {
            millicores: 2000,
            memory: 16 << 30,
            ..NodeRow::new(OTHER)
        });
    };
    site.world.edit(more).unwrap();
    site.table.lock().opens = true;
    let mut walk = Walk {
        run: Run::new(site, &story),
        walkers: Vec::new(),
        turns: way.turns.clone().into_iter(),
    };
    for line in &way.lines {
        if !walk.is_wrong() {
            walk.line(line).await;
        }
    }
    if !walk.is_wrong() {
        walk.go_on(LONGEST).await;
        for what in [
            Happens::DatabaseUp,
            Happens::NodeBack { killed: false },
            Happens::Passes(1),
        ] {
            walk.run.happen(what);
        }
        check::nothing_is_lost(&walk.run);
        let finisher = walk.begin(&Act::FinishByWatch, Walker::default());
        walk.go_on(LONGEST).await;
        if !walk.run.is_over() {
            let table = &walk.run.site.table;
            table.wrong("it goes on for ever".to_owned());
        }
        check::in_the_end(&walk.run, &story, finisher);
    }
    let table = Arc::clone(&walk.run.site.table);
    let readable = |text: &String| walk.run.site.readable(text);
    let inner = table.lock();
    let wrongs: Vec<String> = inner.facts.wrongs.iter().cloned().collect();
    let trace = inner.trace.join("\n");
    drop(inner);
    let wrongs: Vec<String> = wrongs.iter().map(readable).collect();
    drop(walk);
    table.join();
    if wrongs.is_empty() {
        Ok(())
    } else {
        Err(format!("{trace}\n   ⇒ {}", wrongs.join("\n   ⇒ ")))
    }
}

fn cases() -> u32 {
    let cases = std::env::var("ZOE_PROTOCOL_CASES").ok();
    cases.and_then(|text| text.parse().ok()).unwrap_or(CASES)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        max_shrink_iters: 1500,
        ..ProptestConfig::default()
    })]
    #[test]
    fn any_commands_in_any_order(way in ways()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let fast = Path::new("/dev/shm");
        let place = if fast.is_dir() { fast.to_owned() } else { std::env::temp_dir() };
        let directory = tempfile::tempdir_in(place).unwrap();
        let logs = directory.path().join("logs");
        std::fs::create_dir(&logs).unwrap();
        let came = runtime.block_on(walk(&way, &directory.path().join("zoe.db"), &logs));
        if let Err(wrong) = came {
            return Err(TestCaseError::fail(wrong));
        }
    }
}
