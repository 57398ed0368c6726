//! The scheduler's own line and division, fed with a workload instead of a snapshot.
//!
//! Each application is one component. Who is next is asked of [`Ranking`](crate::scheduler::Ranking), who gets how much of
//! [`Division`]; what is kept here is who waits ([`Queue`]) and what users have used ([`Accounts`]).

use std::collections::{BTreeSet, HashMap};

use super::accounts::Accounts;
use super::clock::Scheduler;
use super::outcome::Setup;
use super::queue::{Queue, Waiting, milliseconds};
use super::time::Time;
use super::workload::Job;
use crate::model::{Component, ComponentName, ExecutionId, Node, Resources};
use crate::scheduler::{Claim, Contender, Division, Order, Place, Room, share};

/// With how many that run the usage of all users is looked at at every moment under [`Order::Fair`].
const FEW: usize = 64;
/// How often it is with more: a minute.
const REFRESH: Time = Time::from_secs(60);

impl Job {
    /// Its members, as the scheduler knows them.
    pub(super) fn component(&self, name: &ComponentName) -> Component {
        Component {
            elastic: self.elastic,
            ..Component::bare(name.clone(), String::new(), self.core, self.member)
        }
    }

    /// How long it is expected to take, as the scheduler is told: its limit if it has one. In milliseconds.
    fn expected(&self) -> u64 {
        milliseconds(self.time_limit.unwrap_or(self.runtime)).max(1)
    }

    /// What it uses in all, in core-seconds.
    fn cost(&self) -> u64 {
        let millis = self.member.cores.times(self.members().into()).millis();
        let cost = u128::from(millis) * u128::from(self.expected()) / 1_000_000;
        u64::try_from(cost).unwrap_or(u64::MAX)
    }
}

/// An application that has members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    pub place: Place,
    contender: Contender,
    members: u32,
    /// When its time is up.
    deadline: Option<Time>,
}

/// The line of one simulation.
pub(super) struct Line<'a> {
    pub(super) jobs: &'a [Job],
    components: &'a [Component],
    pub(super) setup: Setup,
    pub(super) division: Division<'a>,
    /// The kinds of nodes, and how many there are of each.
    kinds: Vec<(Resources, usize)>,
    pub(super) queue: Queue,
    pub(super) accounts: Accounts,
    pub(super) running: HashMap<usize, Running>,
    /// When the time of those is up that run and have a limit.
    pub(super) ends: BTreeSet<(Time, usize)>,
    /// For whom room was kept, and by when it was to be free.
    #[cfg(test)]
    pub(super) promises: Vec<(usize, Time)>,
    pub(super) numbers: HashMap<ExecutionId, usize>,
    /// When the usage of those that run was last looked at.
    refreshed: Time,
}

impl<'a> Line<'a> {
    /// Nobody waits, and nobody has anything. `components` are those of the jobs, in their order.
    pub fn new(
        jobs: &'a [Job],
        components: &'a [Component],
        nodes: &'a [Node],
        setup: Setup,
    ) -> Self {
        let mut kinds: Vec<(Resources, usize)> = Vec::new();
        for node in nodes {
            match kinds.iter_mut().find(|(size, _)| *size == node.capacity) {
                Some((_, count)) => *count += 1,
                None => kinds.push((node.capacity, 1)),
            }
        }
        Self {
            jobs,
            components,
            setup,
            division: Division::new(Room::empty(nodes)),
            kinds,
            queue: Queue::new(setup.ranking()),
            accounts: Accounts::new(jobs, setup.half_life),
            running: HashMap::new(),
            ends: BTreeSet::new(),
            #[cfg(test)]
            promises: Vec::new(),
            numbers: HashMap::new(),
            refreshed: Time::ZERO,
        }
    }

    pub(super) fn claim(&self, job: usize) -> Claim<'a> {
        Claim::new(self.components.get(job), self.setup.mode)
    }

    /// What an application must be given to start.
    pub(super) fn needed(&self, job: usize) -> Resources {
        let component = self.components.get(job);
        component.map_or(Resources::ZERO, |component| {
            let members = self.setup.mode.at_start(component);
            component.reservation().times(members.into())
        })
    }

    /// Why an application could never run on these nodes, if it could not.
    pub fn never(&self, job: usize) -> Option<String> {
        let claim = self.claim(job);
        let part = claim.parts.first()?;
        let size = part.component.reservation();
        // Members that are all alike fit as well in one order as in another.
        let hold = self.kinds.iter().fold(0usize, |sum, (capacity, count)| {
            sum.saturating_add(fit(size, *capacity).saturating_mul(*count))
        });
        (hold < part.core).then(|| {
            format!(
                "it needs {} of {} and {} at once, and the nodes have room for {hold} when they are empty",
                if part.core == 1 { "1 member".to_owned() } else { format!("{} members", part.core) },
                size.cores.in_words(),
                size.memory
            )
        })
    }

    /// What everybody holds, and the room that is left.
    #[cfg(test)]
    pub fn division(&self) -> &Division<'a> {
        &self.division
    }

    /// Those that run, by their places.
    #[cfg(test)]
    pub fn places(&self) -> impl Iterator<Item = (usize, Place)> {
        self.running.iter().map(|(job, one)| (*job, one.place))
    }

    /// Gives those that run their places anew, where these depend on what users have used.
    fn refresh(&mut self, now: Time) {
        let due = self.running.len() <= FEW || now.since(self.refreshed) >= REFRESH;
        if self.setup.order != Order::Fair || !due {
            return;
        }
        self.refreshed = now;
        let mut places: HashMap<ExecutionId, Place> = HashMap::with_capacity(self.running.len());
        for (job, one) in &mut self.running {
            let usage = self.accounts.used(self.accounts.owner(*job), now);
            one.place = self.setup.ranking().place(&Contender {
                usage,
                ..one.contender
            });
            places.insert(one.place.id(), one.place);
        }
        self.division
            .reorder(|old| places.get(&old.id()).copied().unwrap_or(*old));
    }

    /// Goes through the line until the next one can't be served.
    fn serve(&mut self, now: Time) {
        let mut reclaimed = false;
        while let Some((place, one)) = self.queue.first(&self.accounts, now) {
            let Err(claim) = self.division.offer(place, self.claim(one.job)) else {
                self.start(place, &one, now);
                reclaimed = false;
                continue;
            };
            // What is taken back is free in the next round, and those in front come first.
            if reclaimed || self.division.reclaim(&place, &claim).is_empty() {
                self.backfill(place, &claim, now);
                break;
            }
            reclaimed = true;
        }
        self.division.fill_up();
    }

    /// One has its core members from now on.
    pub(super) fn start(&mut self, place: Place, one: &Waiting, now: Time) {
        self.queue.take(&place, one, self.accounts.owner(one.job));
        let submitted = u64::try_from(one.contender.submitted).unwrap_or(0);
        let contender = Contender {
            waited: milliseconds(now).saturating_sub(submitted),
            ..one.contender
        };
        let deadline = self.jobs.get(one.job).and_then(|job| job.deadline(now));
        self.ends.extend(deadline.map(|at| (at, one.job)));
        let running = Running {
            place,
            contender,
            members: 0,
            deadline,
        };
        self.running.insert(one.job, running);
    }
}

impl Scheduler for Line<'_> {
    fn submit(&mut self, job: usize, now: Time) {
        let Some(one) = self.jobs.get(job) else {
            return;
        };
        let wanted = one.member.times(one.members().into());
        let id = id(job);
        self.numbers.insert(id, job);
        let contender = Contender {
            id,
            priority: one.priority,
            submitted: i64::try_from(milliseconds(now)).unwrap_or(i64::MAX),
            waited: 0,
            share: share(wanted, self.division.room().total()),
            runtime: one.expected(),
            usage: 0,
        };
        let waiting = Waiting {
            job,
            contender,
            cost: one.cost(),
        };
        self.queue.add(waiting, self.accounts.owner(job));
    }

    fn finish(&mut self, job: usize, now: Time) {
        if let (Some(one), Some(running)) = (self.jobs.get(job), self.running.remove(&job)) {
            self.division.leave(&running.place);
            self.numbers.remove(&running.contender.id);
            if let Some(at) = running.deadline {
                self.ends.remove(&(at, job));
            }
            let held = one.member.cores.times(running.members.into());
            self.accounts.hold(job, 0, held.millis(), now);
        }
    }

    fn divide(&mut self, now: Time) -> Vec<(usize, u32)> {
        self.division.begin();
        self.queue.begin();
        self.refresh(now);
        self.serve(now);
        let mut changes = Vec::new();
        for place in self.division.changed() {
            let Some(&job) = self.numbers.get(&place.id()) else {
                continue;
            };
            let (Some(one), Some(running)) = (self.jobs.get(job), self.running.get_mut(&job))
            else {
                continue;
            };
            let has = self.division.served(place).map_or(0, Claim::has);
            let has = u32::try_from(has).unwrap_or(u32::MAX);
            if has != running.members {
                let cores = |members: u32| one.member.cores.times(members.into()).millis();
                self.accounts
                    .hold(job, cores(has), cores(running.members), now);
                running.members = has;
                changes.push((job, has));
            }
        }
        changes
    }
}

/// How many of a size fit.
fn fit(size: Resources, room: Resources) -> usize {
    let times = |all: u64, one: u64| all.checked_div(one).unwrap_or(u64::MAX);
    let cores = times(room.cores.millis(), size.cores.millis());
    let memory = times(room.memory.get(), size.memory.get());
    usize::try_from(cores.min(memory)).unwrap_or(usize::MAX)
}

/// An id for the application of that number; a smaller number has the smaller id.
fn id(job: usize) -> ExecutionId {
    const LETTERS: u64 = 26;
    const SYMBOLS: u64 = 32;
    let mut number = job as u64;
    // The least significant digit comes last; in ids digits are the last symbols, in order they come first.
    let mut bits = 0;
    for _ in 0..7 {
        let digit = number % SYMBOLS;
        number /= SYMBOLS;
        bits = bits * SYMBOLS
            + if digit < 6 {
                LETTERS + digit
            } else {
                digit - 6
            };
    }
    ExecutionId::from_bits(bits * LETTERS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_are_in_the_order_of_the_numbers(a in 0..1usize << 34, b in 0..1usize << 34) {
            prop_assert_eq!(id(a).cmp(&id(b)), a.cmp(&b));
        }
    }
}
