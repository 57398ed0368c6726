//! Who waits, and who of them is next.
//!
//! Under a steady order places stay, and the queue is kept sorted. Otherwise the next one is looked for at each moment,
//! among as few as can be next; what [`crate::scheduler::line_up`] would put first is what comes out.

use std::collections::BTreeMap;

use super::accounts::Accounts;
use super::time::Time;
use crate::scheduler::{Contender, Order, Place, Ranking};

/// One who waits.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    /// Its place in the workload.
    pub job: usize,
    /// What the order looks at, as it was when it was submitted: it had not waited, and nobody had used anything.
    pub contender: Contender,
    /// What it would use in all, in core-seconds.
    pub cost: u64,
}

impl Waiting {
    /// What the order looks at now, when its user has used so much.
    fn at(&self, now: Time, usage: u64) -> Contender {
        Contender {
            waited: waited(&self.contender, now),
            usage,
            ..self.contender
        }
    }
}

/// How long one has waited, in milliseconds.
fn waited(contender: &Contender, now: Time) -> u64 {
    let submitted = u64::try_from(contender.submitted).unwrap_or_default();
    milliseconds(now).saturating_sub(submitted)
}

/// As the scheduler counts.
pub fn milliseconds(time: Time) -> u64 {
    time.nanos() / 1_000_000
}

/// Those who wait, in order.
#[derive(Debug, Clone)]
pub struct Queue {
    ranking: Ranking,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// By their places, which stay.
    Steady(BTreeMap<Place, Waiting>),
    /// By priority; among those of one any can be next.
    Aging(BTreeMap<i32, Class>),
    /// By user; of each the first to come is next.
    Fair(BTreeMap<usize, Line>),
}

/// Those of one priority.
#[derive(Debug, Clone, Default)]
struct Class {
    waiting: Vec<Waiting>,
    /// Of each when it was submitted and one over its runtime, both in milliseconds: all that a first look needs.
    keys: Vec<(f64, f64)>,
}

impl Class {
    #[allow(
        clippy::cast_precision_loss,
        reason = "a first look; the order itself decides"
    )]
    fn add(&mut self, one: Waiting) {
        let runtime = one.contender.runtime.max(1) as f64;
        self.keys
            .push((one.contender.submitted as f64, runtime.recip()));
        self.waiting.push(one);
    }

    /// Those whose response ratio is the highest now, or nearly so.
    #[allow(
        clippy::cast_precision_loss,
        reason = "a first look; the order itself decides"
    )]
    fn foremost(&self, now: Time) -> impl Iterator<Item = &Waiting> {
        let now = milliseconds(now) as f64;
        let ratio = move |(submitted, per): &(f64, f64)| (now - submitted).max(0.0) * per;
        let highest = self.keys.iter().map(ratio).fold(0.0, f64::max);
        let nearly = highest * (1.0 - 1e-9) - 1e-9;
        let each = self.keys.iter().zip(&self.waiting);
        each.filter_map(move |(key, one)| (ratio(key) >= nearly).then_some(one))
    }

    fn remove(&mut self, job: usize) {
        if let Some(n) = self.waiting.iter().position(|one| one.job == job) {
            self.waiting.swap_remove(n);
            self.keys.swap_remove(n);
        }
    }
}

/// Those of one user.
#[derive(Debug, Clone, Default)]
struct Line {
    waiting: BTreeMap<Place, Waiting>,
    /// What those cost that were taken from it at this moment.
    taken: u64,
}

impl Queue {
    /// Nobody waits.
    pub fn new(ranking: Ranking) -> Self {
        let kind = match ranking.order {
            Order::Fifo | Order::Size | Order::DynSize => Kind::Steady(BTreeMap::new()),
            Order::Hrrn => Kind::Aging(BTreeMap::new()),
            Order::Fair => Kind::Fair(BTreeMap::new()),
        };
        Self { ranking, kind }
    }

    /// One more waits.
    pub fn add(&mut self, one: Waiting, owner: usize) {
        match &mut self.kind {
            Kind::Steady(line) => {
                line.insert(self.ranking.place(&one.contender), one);
            }
            Kind::Aging(classes) => classes.entry(one.contender.priority).or_default().add(one),
            Kind::Fair(users) => {
                let line = users.entry(owner).or_default();
                line.waiting
                    .insert(Ranking::FIFO.place(&one.contender), one);
            }
        }
    }

    /// Begins a moment: what users took in the last one is used by now.
    pub fn begin(&mut self) {
        if let Kind::Fair(users) = &mut self.kind {
            users.retain(|_, line| {
                line.taken = 0;
                !line.waiting.is_empty()
            });
        }
    }

    /// The next one, and its place now.
    pub fn first(&self, accounts: &Accounts, now: Time) -> Option<(Place, Waiting)> {
        match &self.kind {
            Kind::Steady(line) => line.first_key_value().map(|(place, one)| (*place, *one)),
            Kind::Aging(classes) => {
                let mut classes = classes.values().rev();
                let class = classes.find(|class| !class.waiting.is_empty())?;
                let places = class
                    .foremost(now)
                    .map(|one| (self.ranking.place(&one.at(now, 0)), *one));
                places.min_by_key(|(place, _)| *place)
            }
            Kind::Fair(users) => {
                let firsts = users.iter().filter_map(|(owner, line)| {
                    let (_, one) = line.waiting.first_key_value()?;
                    let usage = accounts.used(*owner, now).saturating_add(line.taken);
                    Some((self.ranking.place(&one.at(now, usage)), *one))
                });
                firsts.min_by_key(|(place, _)| *place)
            }
        }
    }

    /// Those behind the first of which this holds, in order, each with its place now.
    pub fn behind(
        &self,
        first: &Place,
        accounts: &Accounts,
        now: Time,
        holds: impl Fn(&Waiting) -> bool,
    ) -> Vec<(Place, Waiting)> {
        let at = |one: &Waiting, usage| (self.ranking.place(&one.at(now, usage)), *one);
        let mut line: Vec<(Place, Waiting)> = match &self.kind {
            Kind::Steady(line) => {
                let some = line.iter().filter(|(_, one)| holds(one));
                some.map(|(place, one)| (*place, *one)).collect()
            }
            Kind::Aging(classes) => {
                let all = classes.values().flat_map(|class| &class.waiting);
                all.filter(|one| holds(one)).map(|one| at(one, 0)).collect()
            }
            Kind::Fair(users) => {
                let mut line = Vec::new();
                for (owner, of_user) in users {
                    let used = accounts.used(*owner, now).saturating_add(of_user.taken);
                    let mut before = 0u64;
                    for one in of_user.waiting.values() {
                        if holds(one) {
                            line.push(at(one, used.saturating_add(before)));
                        }
                        before = before.saturating_add(one.cost);
                    }
                }
                line
            }
        };
        line.retain(|(place, _)| place.id() != first.id());
        line.sort_unstable_by_key(|(place, _)| *place);
        line
    }

    /// The one that [`Self::first`] named is started.
    pub fn take(&mut self, place: &Place, one: &Waiting, owner: usize) {
        match &mut self.kind {
            Kind::Steady(line) => {
                line.remove(place);
            }
            Kind::Aging(classes) => {
                if let Some(class) = classes.get_mut(&one.contender.priority) {
                    class.remove(one.job);
                }
            }
            Kind::Fair(users) => {
                if let Some(line) = users.get_mut(&owner) {
                    line.waiting.remove(&Ranking::FIFO.place(&one.contender));
                    line.taken = line.taken.saturating_add(one.cost);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ExecutionId;
    use crate::scheduler::{Waiter, line_up};
    use proptest::prelude::*;

    proptest! {
        /// Whatever the order: one after the other, as the scheduler lines them up.
        #[test]
        fn the_queue_is_the_scheduler_s_line(
            order in (0..Order::NAMED.len()).prop_map(|n| Order::NAMED[n].1),
            waiting in prop::collection::vec((0..1000i64, 0..9u64, 1..9u64, 0..2i32, 0..3usize), 1..20),
        ) {
            let (now, ranking) = (Time::from_secs(2), Ranking::usual(order));
            let jobs: Vec<super::super::Job> = waiting.iter().map(|(.., user)| {
                let text = format!("submit,user,runtime,core,elastic,cores,memory\n0,u{user},1,1,0,1,1\n");
                super::super::read(text.as_bytes()).unwrap().remove(0)
            }).collect();
            let mut accounts = Accounts::new(&jobs, super::super::HALF_LIFE);
            for (n, (.., user)) in waiting.iter().enumerate() {
                accounts.hold(n, 1000 * *user as u64, 0, Time::ZERO);
            }
            let mut queue = Queue::new(ranking);
            let mut line = Vec::new();
            for (job, (submitted, share, runtime, priority, _)) in waiting.iter().enumerate() {
                let one = Waiting {
                    job,
                    contender: Contender {
                        id: ExecutionId::from_bits(job as u64),
                        priority: *priority,
                        submitted: *submitted,
                        waited: 0,
                        share: *share,
                        runtime: *runtime,
                        usage: 0,
                    },
                    cost: *share,
                };
                let owner = accounts.owner(job);
                queue.add(one, owner);
                line.push((one, accounts.used(owner, now)));
            }
            let users: Vec<String> = waiting.iter().map(|(.., user)| format!("u{user}")).collect();
            let waiters = line.iter().map(|(one, usage)| Waiter {
                contender: one.at(now, *usage),
                user: &users[one.job],
                cost: one.cost,
                item: one.job,
            });
            let expected: Vec<usize> = line_up(ranking, waiters).iter().map(|w| w.1).collect();
            queue.begin();
            let mut found = Vec::new();
            while let Some((place, one)) = queue.first(&accounts, now) {
                let behind = queue.behind(&place, &accounts, now, |_| true);
                let behind: Vec<usize> = behind.iter().map(|(_, one)| one.job).collect();
                prop_assert_eq!(&behind, &expected[found.len() + 1..]);
                queue.take(&place, &one, accounts.owner(one.job));
                found.push(one.job);
            }
            prop_assert_eq!(found, expected);
        }
    }
}
