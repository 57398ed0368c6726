//! One run: the actors at the table, and what can be chosen at each point.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use zoe::engine::memory::{NodeRow, NodeState, World};

use crate::acts::{Act, Came, Doing};
use crate::pace;
use crate::site::{BEGIN, Site, name_of};
use crate::store;
use crate::story::{Budget, Happens, Story};
use crate::table::{Inner, Line, Verdict, Waiting, Wants, fold};

/// The node that can be lost, where there are two.
pub const OTHER: &str = "other";

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choice {
    /// Whoever waits under this number goes on.
    Go(u64),
    /// Its call is refused, or its answer gets lost.
    Fault(u64, bool),
    /// An actor dies.
    Die(usize),
    /// An actor dies while Docker is at work on this call of its.
    DieWith(usize, u64),
    /// Something happens around them.
    Happens(usize),
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Actor {
    doing: Option<Doing>,
    flag: Arc<Flag>,
    came: Option<Came>,
    /// The call that Docker is at work on though who made it is dead.
    ghost: Option<u64>,
}

pub struct Run<'s> {
    pub site: Site,
    story: &'s Story,
    actors: Vec<Actor>,
    happened: BTreeSet<usize>,
    last: Option<Line>,
    /// How many choices were made.
    pub steps: usize,
}

impl<'s> Run<'s> {
    pub fn new(site: Site, story: &'s Story) -> Self {
        Self {
            site,
            story,
            actors: Vec::new(),
            happened: BTreeSet::new(),
            last: None,
            steps: 0,
        }
    }

    /// Another actor begins. Its number is the place it has among all that there were.
    pub fn begin(&mut self, act: &Act) {
        let number = self.actors.len();
        let mutant = self.story.mutant.filter(|(actor, _)| *actor == number);
        self.actors.push(Actor {
            doing: Some(
                self.site
                    .begin(number, act, mutant.map(|(_, mutant)| mutant)),
            ),
            flag: Arc::new(Flag(AtomicBool::new(true))),
            came: None,
            ghost: None,
        });
    }

    /// A place that nobody takes, so that numbers are those of the story.
    pub fn skip(&mut self, places: usize) {
        while self.actors.len() < places {
            self.actors.push(Actor {
                doing: None,
                flag: Arc::default(),
                came: Some(Came::Done),
                ghost: None,
            });
        }
    }

    pub fn came(&self, actor: usize) -> Option<&Came> {
        self.actors.get(actor).and_then(|actor| actor.came.as_ref())
    }

    /// Lets everybody go on until all wait for a turn.
    pub async fn settle(&mut self) {
        let table = Arc::clone(&self.site.table);
        let mut quiet = 0;
        let mut version = table.lock().version;
        while quiet < 2 {
            let mut stirred = false;
            for number in 0..self.actors.len() {
                stirred |= self.poll(number);
            }
            tokio::task::yield_now().await;
            let seen = table.lock().version;
            if stirred || seen != version || !table.is_settled() {
                quiet = 0;
                version = seen;
                if !table.is_settled() {
                    std::thread::yield_now();
                }
            } else {
                quiet += 1;
            }
        }
    }

    fn poll(&mut self, number: usize) -> bool {
        let actor = &mut self.actors[number];
        if !actor.flag.0.swap(false, Ordering::SeqCst) {
            return false;
        }
        let Some(doing) = &mut actor.doing else {
            return false;
        };
        let waker = Waker::from(Arc::clone(&actor.flag));
        match doing.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(came) => {
                actor.doing = None;
                if actor.ghost.take().is_none() {
                    self.site.note_end(number, &came);
                    actor.came = Some(came);
                }
            }
            // What was on its way has arrived, and whoever sent it does nothing any more.
            Poll::Pending if actor.ghost.is_some_and(|call| !self.site.waits(call)) => {
                actor.doing = None;
                actor.ghost = None;
            }
            Poll::Pending => {}
        }
        true
    }

    /// Whether nobody does anything any more.
    pub fn is_over(&self) -> bool {
        self.actors.iter().all(|actor| actor.doing.is_none())
    }

    /// What can be chosen now, with what it costs: first what would happen by itself.
    pub fn choices(&self, left: Budget) -> Vec<(Choice, Budget)> {
        let inner = self.site.table.lock();
        let mut calls = Vec::new();
        let mut sleeps = Vec::new();
        for (number, waiting) in &inner.waiting {
            let actor = waiting.line.actor;
            let ghost = self.actors[actor].ghost;
            if ghost.is_some_and(|call| call != *number) {
                continue;
            }
            match waiting.wants {
                Wants::Sleep { until } if until > inner.now => sleeps.push((until, *number)),
                Wants::Sleep { .. } | Wants::Call { .. } => {
                    let same = self.last.as_ref() == Some(&waiting.line);
                    let own = self.last.as_ref().is_some_and(|last| last.actor == actor);
                    // What Docker is at work on takes its time.
                    let rank = (ghost.is_some(), !same, !own);
                    calls.push((rank, *number, same, own));
                }
            }
        }
        calls.sort_unstable();
        sleeps.sort_unstable();
        let goes_on = |line: bool| {
            let mut calls = calls.iter().filter(|((ghost, ..), ..)| !ghost);
            calls.any(|(.., same, own)| if line { *same } else { *own })
        };
        let (same_line, same_actor) = (goes_on(true), goes_on(false));
        let some_call = calls.iter().any(|((ghost, ..), ..)| !ghost);
        let mut choices = Vec::new();
        for ((ghost, ..), number, same, own) in &calls {
            let switches = if *ghost {
                u8::from(some_call)
            } else {
                u8::from(!same && same_line || !own && same_actor)
            };
            choices.push((Choice::Go(*number), Budget::new(switches, 0, 0)));
        }
        for (place, (_, number)) in sleeps.iter().enumerate() {
            let switches = u8::from(!calls.is_empty() || place > 0);
            choices.push((Choice::Go(*number), Budget::new(switches, 0, 0)));
        }
        for (place, happens) in self.story.happens.iter().enumerate() {
            if !self.happened.contains(&place) && self.can_happen(*happens) {
                choices.push((Choice::Happens(place), Budget::default()));
            }
        }
        for (number, actor) in self.actors.iter().enumerate() {
            if actor.doing.is_none() || actor.ghost.is_some() {
                continue;
            }
            choices.push((Choice::Die(number), Budget::new(0, 1, 0)));
        }
        for (number, waiting) in &inner.waiting {
            let actor = waiting.line.actor;
            if let Wants::Call { effect: true, call } = &waiting.wants
                && self.actors[actor].ghost.is_none()
            {
                // What the history is at work on is done in no time.
                // And dying later is the same for all others as dying when it begins.
                let own = self.last.as_ref() == Some(&waiting.line);
                if own && !call.starts_with("record") && !call.contains("the lease") {
                    choices.push((Choice::DieWith(actor, *number), Budget::new(0, 1, 0)));
                }
                choices.push((Choice::Fault(*number, false), Budget::new(0, 0, 1)));
                choices.push((Choice::Fault(*number, true), Budget::new(0, 0, 1)));
            }
        }
        choices.retain(|(_, cost)| left.covers(*cost));
        choices
    }

    fn can_happen(&self, happens: Happens) -> bool {
        let had = |what: Happens| {
            let mut places = self.happened.iter();
            places.any(|place| self.story.happens[*place] == what)
        };
        match happens {
            Happens::DatabaseUp => had(Happens::DatabaseDown),
            Happens::NodeStarts => had(Happens::NodeRejects),
            Happens::NodeBack { .. } => had(Happens::NodeLost),
            Happens::Passes(_)
            | Happens::DatabaseDown
            | Happens::DatabaseLost
            | Happens::Answers
            | Happens::NodeLost
            | Happens::DockerRestarts
            | Happens::NodeRejects => true,
        }
    }

    /// Does what was chosen.
    pub async fn take(&mut self, choice: Choice) {
        self.steps += 1;
        match choice {
            Choice::Go(number) => self.go(number, Verdict::Go),
            Choice::Fault(number, lost) => {
                self.go(
                    number,
                    if lost {
                        Verdict::Lost
                    } else {
                        Verdict::Refused
                    },
                );
            }
            Choice::Die(actor) => {
                self.say(&format!("✗ {} dies", name_of(actor)));
                self.site.table.lock().dead.insert(actor);
                self.actors[actor].doing = None;
                self.forget(actor);
            }
            Choice::DieWith(actor, number) => {
                let call = self.site.table.lock().waiting[&number].wants.clone();
                let Wants::Call { call, .. } = call else {
                    unreachable!()
                };
                let call = self.site.readable(&call);
                self.say(&format!(
                    "✗ {} dies while Docker is at work on: {call}",
                    name_of(actor)
                ));
                self.site.table.lock().dead.insert(actor);
                self.actors[actor].ghost = Some(number);
                self.forget(actor);
            }
            Choice::Happens(place) => {
                self.happened.insert(place);
                self.happen(self.story.happens[place]);
            }
        }
        self.settle().await;
    }

    fn forget(&mut self, actor: usize) {
        if self.last.as_ref().is_some_and(|last| last.actor == actor) {
            self.last = None;
        }
        let mut inner = self.site.table.lock();
        inner.learnt.retain(|line, _| line.actor != actor);
    }

    fn go(&mut self, number: u64, verdict: Verdict) {
        let (line, wants) = {
            let inner = self.site.table.lock();
            let waiting = &inner.waiting[&number];
            (waiting.line.clone(), waiting.wants.clone())
        };
        let who = name_of(line.actor);
        match wants {
            Wants::Call { call, .. } => {
                let call = self.site.readable(&call);
                self.say(&format!("{who} {call}"));
            }
            Wants::Sleep { until } => {
                let mut inner = self.site.table.lock();
                inner.now = inner.now.max(until);
                drop(inner);
                self.say(&format!("{who} has waited"));
            }
        }
        if self.actors[line.actor].ghost.is_none() {
            self.last = Some(line);
        }
        self.site.table.grant(number, verdict);
    }

    fn say(&self, text: &str) {
        let mut inner = self.site.table.lock();
        let now = inner.now - BEGIN;
        let (seconds, rest) = (now / 1000, now % 1000);
        inner.trace.push(format!("{seconds:3}.{rest:03} s  {text}"));
    }

    pub fn happen(&mut self, what: Happens) {
        match what {
            Happens::Passes(length) => {
                let mut inner = self.site.table.lock();
                inner.now += length;
            }
            Happens::DatabaseDown | Happens::DatabaseUp => {
                let down = what == Happens::DatabaseDown;
                self.site.rows.lock().unwrap().down = down;
                self.site.table.lock().facts.history_broken |= down;
            }
            Happens::DatabaseLost => {
                *self.site.rows.lock().unwrap() = crate::store::Rows::default();
                self.site.table.lock().facts.history_broken = true;
            }
            Happens::Answers => self.site.table.lock().facts.answers = true,
            Happens::NodeRejects | Happens::NodeStarts => {
                let words = (what == Happens::NodeRejects).then(|| "no room on disk".to_owned());
                let change = |world: &mut World| {
                    world.change_node("memory", |row| row.rejects = words);
                };
                self.site.world.edit(change).unwrap();
            }
            Happens::NodeLost => {
                let since = self.site.table.now();
                let change = |row: &mut NodeRow| {
                    if row.state == NodeState::Active {
                        row.state = NodeState::Down { since };
                    }
                };
                let change = |world: &mut World| world.change_node(OTHER, change);
                self.site.world.edit(change).unwrap();
            }
            Happens::NodeBack { killed } => {
                let change = |world: &mut World| world.node_returns(OTHER, killed);
                self.site.world.edit(change).unwrap();
            }
            Happens::DockerRestarts => {
                let now = self.site.table.now();
                let change = |world: &mut World| {
                    for row in world.containers.values_mut().filter(|row| row.runs(now)) {
                        row.stopped_at = Some(now);
                    }
                };
                self.site.world.edit(change).unwrap();
                self.site.table.lock().facts.restarted = true;
            }
        }
        self.say(&format!("… {what:?}"));
    }

    /// Everything that what comes next may depend on, in one number.
    pub fn digest(&self) -> u64 {
        self.digest_of(&self.base())
    }

    /// The same, from what is the same wherever a choice leads.
    pub fn digest_of(&self, base: &Base) -> u64 {
        self.digest_if(base, &Guess::default())
    }

    /// What Docker, history and the kept logs are.
    pub fn base(&self) -> Base {
        let world = |world: &mut World| pace::world_digest(world, &self.site.table);
        let world = self.site.world.edit(world).unwrap();
        let rows = self.site.rows.lock().unwrap().digest();
        Base(fold((world, rows, self.site.archives())))
    }

    /// Where a choice leads, where that can be told without trying it: a death, the end of a sleep, and a call that changes
    /// nothing, unless the actor is through with it.
    pub fn leads_to(&self, base: &Base, choice: Choice) -> Option<u64> {
        let guess = match choice {
            Choice::Die(actor) => Guess {
                dies: Some(actor),
                ..Guess::default()
            },
            Choice::Go(number) => {
                let inner = self.site.table.lock();
                let Waiting { line, wants, .. } = &inner.waiting[&number];
                if self.actors[line.actor].ghost.is_some() {
                    return None;
                }
                let (now, knows) = match wants {
                    Wants::Sleep { until } => {
                        let now = inner.now.max(*until);
                        (now, inner.would_know(line, pace::slept(now)))
                    }
                    Wants::Call { call, effect } => {
                        (inner.now, self.would_know(&inner, line, call, *effect)?)
                    }
                };
                Guess {
                    learns: Some((line.clone(), knows, now)),
                    ..Guess::default()
                }
            }
            Choice::Fault(..) | Choice::DieWith(..) | Choice::Happens(_) => return None,
        };
        Some(self.digest_if(base, &guess))
    }

    fn would_know(&self, inner: &Inner, line: &Line, call: &str, effect: bool) -> Option<u64> {
        let rows = self.site.rows.lock().unwrap();
        if rows.down {
            return None;
        }
        if let Some(shown) = rows.shown(call, &name_of(line.actor), inner.now) {
            return Some(inner.would_know(line, store::learns(call, shown)));
        }
        if effect || call == "open the database" || call == pace::ASK {
            return None;
        }
        let seen = |world: &mut World| pace::seen(world, inner, call, false);
        let seen = self.site.world.edit(seen).unwrap();
        Some(inner.would_know(line, (call, seen, false)))
    }

    fn digest_if(&self, base: &Base, guess: &Guess) -> u64 {
        let inner = self.site.table.lock();
        let gone = |actor: usize| Some(actor) == guess.dies || inner.dead.contains(&actor);
        let actors: Vec<_> = (0..self.actors.len())
            .map(|number| {
                let actor = &self.actors[number];
                let ghost = actor.ghost.and_then(|call| inner.waiting.get(&call));
                let ghost = ghost.map(|waiting| format!("{:?}", waiting.wants));
                let came = actor.came.as_ref().filter(|_| !gone(number));
                (gone(number), came, ghost)
            })
            .collect();
        let is_alive = |line: &Line| !gone(line.actor) && self.actors[line.actor].doing.is_some();
        let mut learnt: BTreeMap<&Line, u64> = inner.learnt.iter().map(|(l, k)| (l, *k)).collect();
        let (mut now, mut last) = (inner.now, self.last.as_ref());
        if let Some((line, knows, then)) = &guess.learns {
            learnt.insert(line, *knows);
            (now, last) = (*then, Some(line));
        }
        learnt.retain(|line, _| is_alive(line));
        let facts = &inner.facts;
        fold((
            (
                base.0,
                now,
                actors,
                learnt,
                last.filter(|last| is_alive(last)),
            ),
            (&self.happened, &facts.tickets, &facts.marks),
            (&facts.starts, facts.faults, facts.history_broken),
        ))
    }
}

/// What is the same wherever a choice leads, in one number.
pub struct Base(u64);

/// What is guessed of where a choice leads.
#[derive(Default)]
struct Guess {
    dies: Option<usize>,
    learns: Option<(Line, u64, i64)>,
}
