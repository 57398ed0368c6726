//! Nobody starves: a large execution in an endless stream of small ones gets its turn, where the order promises that; and where
//! it does not, the same stream keeps it waiting for ever.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::generators::{component, id, node};
use super::{
    Claim, Contender, Division, Mode, Order, Place, Ranking, Room, Waiter, line_up, share,
};
use crate::model::{Application, Component, Node};

/// For so many seconds it is looked at; the stream does not end before.
const END: usize = 200;

/// A small one: members and seconds.
type Small = (usize, u64);

struct Stream<'a> {
    order: Order,
    mode: Mode,
    /// The large one's, and those of small ones by their number of members.
    applications: &'a [Application],
    /// Of each that has come which of these is its own.
    kinds: Vec<usize>,
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
            let user = user(*n);
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
            let components: &'a [Component] = &self.applications[self.kinds[n]].components;
            let claim = Claim::new(components, self.mode);
            if self.division.offer(place, claim).is_err() {
                break;
            }
            let runtime = i64::try_from(contender.runtime / 1000).unwrap();
            self.runs.insert(place, now + runtime);
            self.used[user(n)] += 1;
            started.push(n);
        }
        self.division.fill_up();
        self.queue.retain(|(_, n)| !started.contains(n));
        started.into_iter().map(|n| n as u64).collect()
    }
}

/// The large one is cid's; the others take turns.
fn user(n: usize) -> usize {
    if n == 0 { 2 } else { n % 2 }
}

fn applications() -> [Application; 3] {
    let one = |core: u32, elastic: u32| {
        let mut unit = component("unit", core, 1000, 0);
        unit.elastic = elastic;
        super::generators::application(vec![unit])
    };
    [one(4, 0), one(1, 0), one(1, 1)]
}

/// When the large one starts, which needs all of the node and comes at 0; what arrives second by second comes again and again.
fn turn(order: Order, mode: Mode, arrivals: &[Vec<Small>]) -> Option<i64> {
    let applications = applications();
    let nodes: [Node; 1] = [node("a", 4000, 0)];
    let contender = |n: usize, kind: usize, now: i64, seconds: u64| Contender {
        id: id(n as u64),
        priority: 0,
        submitted: now * 1000,
        waited: 0,
        share: share(Mode::Rigid.needed(&applications[kind]), nodes[0].capacity),
        runtime: seconds * 1000,
        usage: 0,
    };
    let mut stream = Stream {
        order,
        mode,
        applications: &applications,
        kinds: vec![0],
        division: Division::new(Room::empty(&nodes)),
        queue: vec![(contender(0, 0, 0, 2), 0)],
        runs: BTreeMap::new(),
        // It starts behind the others.
        used: vec![0, 0, 9],
    };
    for (now, arriving) in (0i64..).zip(arrivals.iter().cycle().take(END)) {
        for &(members, seconds) in arriving {
            let n = stream.kinds.len();
            stream.kinds.push(members);
            let small = contender(n, members, now, seconds);
            stream.queue.push((small, n));
        }
        if stream.step(now).contains(&0) {
            return Some(now);
        }
    }
    None
}

/// Small ones that come in one second, more than the node has done by the next, or just as much, if all have all their members.
fn any_second() -> impl Strategy<Value = Vec<Small>> {
    prop::sample::select(vec![
        vec![(1, 1); 4],
        vec![(2, 1), (1, 1), (1, 1)],
        vec![(2, 1), (2, 1), (1, 1)],
        vec![(1, 2), (1, 2)],
        vec![(2, 2), (1, 1)],
        vec![(1, 3), (1, 1)],
        vec![(1, 3), (1, 3)],
        vec![(2, 3)],
    ])
}

fn any_mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(vec![Mode::Rigid, Mode::Flexible])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_large_one_gets_its_turn_while_the_stream_flows(
        arrivals in vec(any_second(), 1..40),
        order in prop::sample::select(vec![Order::Fifo, Order::DynSize, Order::Hrrn, Order::Fair]),
        mode in any_mode(),
    ) {
        let turn = turn(order, mode, &arrivals);
        prop_assert!(turn.is_some(), "{order:?} {mode:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// What the others are for: by its size alone it waits as long as the stream flows, whatever that is.
    #[test]
    fn by_size_alone_a_large_one_starves(
        arrivals in vec(any_second(), 1..40),
        mode in any_mode(),
    ) {
        prop_assert_eq!(turn(Order::Size, mode, &arrivals), None);
    }
}

#[test]
fn a_size_that_ages_is_small_before_long() {
    let full = vec![vec![(1, 1); 4]];
    let aged = turn(Order::DynSize, Mode::Rigid, &full).unwrap();
    assert!(aged < 60, "{aged}");
}
