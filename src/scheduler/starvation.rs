//! Nobody starves: a large execution in an endless stream of small ones gets its turn, where the order promises that.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::generators::{component, id, node};
use super::{
    Claim, Contender, Division, Mode, Order, Place, Ranking, Room, Waiter, line_up, share,
};
use crate::model::{Application, Component, Node};

/// The stream does not end before this, in seconds.
const END: i64 = 400;

/// A small one: members, seconds, user.
type Small = (u32, u64, usize);

struct Stream<'a> {
    order: Order,
    mode: Mode,
    applications: &'a [Application],
    division: Division<'a>,
    queue: Vec<(Contender, usize)>,
    runs: BTreeMap<Place, i64>,
    used: Vec<u64>,
}

const USERS: [&str; 3] = ["ann", "bob", "cid"];

impl<'a> Stream<'a> {
    /// One second: what is over goes, and who fits comes. Those that were started.
    fn step(&mut self, now: i64) -> Vec<u64> {
        let over: Vec<Place> = self
            .runs
            .iter()
            .filter(|(_, end)| **end <= now)
            .map(|(place, _)| *place)
            .collect();
        for place in over {
            self.runs.remove(&place);
            self.division.leave(&place);
        }
        let waiters = self.queue.iter().map(|(contender, n)| {
            let user = user(contender.submitted, *n);
            let mut contender = *contender;
            contender.waited = u64::try_from(now * 1000 - contender.submitted).unwrap();
            contender.usage = self.used[user];
            Waiter {
                contender,
                user: USERS[user],
                cost: 1,
                item: (contender, *n),
            }
        });
        let line = line_up(Ranking::usual(self.order), waiters);
        self.division.begin();
        let mut started = Vec::new();
        for (place, (contender, n)) in line {
            let components: &'a [Component] = &self.applications[n].components;
            let claim = Claim::new(components, self.mode);
            if self.division.offer(place, claim).is_err() {
                break;
            }
            let runtime = i64::try_from(contender.runtime / 1000).unwrap();
            self.runs.insert(place, now + runtime);
            self.used[user(contender.submitted, n)] += 1;
            started.push(n);
        }
        self.division.fill_up();
        self.queue.retain(|(_, n)| !started.contains(n));
        started.into_iter().map(|n| n as u64).collect()
    }
}

/// The large one is cid's; the others take turns.
fn user(_: i64, n: usize) -> usize {
    if n == 0 { 2 } else { n % 2 }
}

fn applications(smalls: &[Small]) -> Vec<Application> {
    let one = |core: u32, elastic: u32| {
        let mut unit = component("unit", core, 1000, 0);
        unit.elastic = elastic;
        super::generators::application(vec![unit])
    };
    let smalls = smalls.iter().map(|(members, ..)| one(1, members - 1));
    std::iter::once(one(4, 0)).chain(smalls).collect()
}

/// When the large one starts, which needs all of the node and comes at 0.
fn turn(order: Order, mode: Mode, arrivals: &[Vec<Small>]) -> Option<i64> {
    let smalls: Vec<Small> = arrivals.iter().flatten().copied().collect();
    let applications = applications(&smalls);
    let nodes: [Node; 1] = [node("a", 4000, 0)];
    let contender = |n: usize, now: i64, seconds: u64| Contender {
        id: id(n as u64),
        priority: 0,
        submitted: now * 1000,
        waited: 0,
        share: share(Mode::Rigid.needed(&applications[n]), nodes[0].capacity),
        runtime: seconds * 1000,
        usage: 0,
    };
    let mut stream = Stream {
        order,
        mode,
        applications: &applications,
        division: Division::new(Room::empty(&nodes)),
        queue: vec![(contender(0, 0, 2), 0)],
        runs: BTreeMap::new(),
        // It starts behind the others.
        used: vec![0, 0, 9],
    };
    let mut n = 0;
    for now in 0..END {
        let second = usize::try_from(now).unwrap() % arrivals.len();
        if usize::try_from(now).unwrap() < arrivals.len() {
            for (_, seconds, _) in &arrivals[second] {
                n += 1;
                stream.queue.push((contender(n, now, *seconds), n));
            }
        }
        if stream.step(now).contains(&0) {
            return Some(now);
        }
    }
    None
}

/// So many small ones in each of the first seconds that they fill the node one and a half times at the most.
fn any_arrivals() -> impl Strategy<Value = Vec<Vec<Small>>> {
    let small = (1u32..3, 1u64..4, 0usize..3);
    vec(vec(small, 0..3), 40..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_large_one_gets_its_turn(
        arrivals in any_arrivals(),
        order in prop::sample::select(vec![Order::Fifo, Order::DynSize, Order::Hrrn, Order::Fair]),
        rigid: bool,
    ) {
        let mode = if rigid { Mode::Rigid } else { Mode::Flexible };
        let turn = turn(order, mode, &arrivals);
        prop_assert!(turn.is_some_and(|at| at < 120), "{order:?} {mode:?}: {turn:?}");
    }
}

/// What the ageing is for: without it the large one waits as long as the stream flows.
#[test]
fn by_size_alone_a_large_one_starves() {
    let full = vec![vec![(1, 1, 0); 4]; 300];
    let waits = turn(Order::Size, Mode::Rigid, &full).unwrap();
    assert_eq!(waits, 300);
    let aged = turn(Order::DynSize, Mode::Rigid, &full).unwrap();
    assert!(aged < 60, "{aged}");
}
