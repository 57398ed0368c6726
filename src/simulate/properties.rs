//! What holds for every workload, on all nodes, under every policy and mode.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::line::Line;
use super::outcome::{Outcome, Setup, run, simulate};
use super::time::Time;
use super::workload::Job;
use crate::model::{Bytes, Component, Cores, Node, Resources};
use crate::scheduler::{Mode, Order};

fn setups() -> impl Strategy<Value = Setup> {
    let order = (0..Order::NAMED.len()).prop_map(|n| Order::NAMED[n].1);
    let mode = prop_oneof![Just(Mode::Rigid), Just(Mode::Flexible)];
    (order, mode).prop_map(|(order, mode)| Setup::usual(order, mode))
}

fn job() -> impl Strategy<Value = Job> {
    let when = prop_oneof![Just(0u64), 0..20_000_000_000u64];
    let length = prop_oneof![1..100u64, 1_000_000_000..20_000_000_000u64];
    let limit = prop_oneof![3 => Just(None), 1 => (1..30_000_000_000u64).prop_map(Some)];
    let size = (0..4u64, 0..4u64);
    (when, length, 1..5u32, 0..6u32, size, limit, 0..3i32, 0..3u8).prop_map(
        |(submit, runtime, core, elastic, (cores, memory), limit, priority, user)| Job {
            submit: Time::from_nanos(submit),
            user: Arc::from(format!("user{user}")),
            runtime: Time::from_nanos(runtime),
            core,
            elastic,
            member: Resources {
                cores: Cores::from_millis(cores * 1500),
                memory: Bytes::from_mib(memory * 100),
            },
            time_limit: limit.map(Time::from_nanos),
            // Most have none.
            priority: (priority - 1).max(0),
        },
    )
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let size = (1..9u32, 1..9u32).prop_map(|(cores, memory)| format!("{cores}c{}m", memory * 128));
    prop::collection::vec(size, 1..6).prop_map(|sizes| {
        let cluster: super::Cluster = sizes.join(",").parse().unwrap();
        cluster.nodes
    })
}

/// Runs it, and looks at every node after every moment.
fn watched(jobs: &[Job], nodes: &[Node], setup: Setup) -> Outcome {
    let name = "member".parse().unwrap();
    let components: Vec<Component> = jobs.iter().map(|job| job.component(&name)).collect();
    let mut line = Line::new(jobs, &components, nodes, setup);
    run(jobs, &mut line, setup, true, |line, _| {
        let mut held = vec![Resources::ZERO; nodes.len()];
        for (job, place) in line.places() {
            let claim = line.division().served(&place).unwrap();
            let part = &claim.parts[0];
            let least = match setup.mode {
                Mode::Rigid => jobs[job].members(),
                Mode::Flexible => jobs[job].core,
            };
            assert!(
                part.kept.len() >= least as usize,
                "core members all or none"
            );
            assert!(claim.has() <= jobs[job].members() as usize);
            for position in part.kept.iter().chain(&part.elastic) {
                held[*position] += jobs[job].member;
            }
        }
        let total: Resources = held.iter().copied().sum();
        for (node, held) in nodes.iter().zip(held) {
            assert!(held.fits(node.capacity), "{} is over-committed", node.name);
        }
        let free = line.division().room().free();
        assert_eq!(line.division().room().total().minus(total), free);
    })
    .unwrap()
}

/// What the bars of an application add up to, in nanoseconds of one member.
fn done(bars: &[(Time, u32)], ended: Time) -> u128 {
    let ends = bars.iter().skip(1).map(|bar| bar.0).chain([ended]);
    bars.iter()
        .zip(ends)
        .map(|((from, members), to)| u128::from(to.since(*from).nanos()) * u128::from(*members))
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nothing_is_lost_or_over_committed_and_work_is_conserved(
        jobs in prop::collection::vec(job(), 1..25),
        nodes in nodes(),
        setup in setups(),
    ) {
        let outcome = watched(&jobs, &nodes, setup);
        prop_assert_eq!(&outcome, &watched(&jobs, &nodes, setup), "the same again");
        let refused: BTreeSet<usize> = outcome.refused.iter().map(|refused| refused.job).collect();
        for (n, job) in jobs.iter().enumerate() {
            let Some(span) = outcome.spans[n] else {
                prop_assert!(refused.contains(&n), "{n} is lost");
                continue;
            };
            prop_assert!(!refused.contains(&n));
            prop_assert!(span.started >= job.submit);
            let bars = &outcome.bars[n];
            prop_assert_eq!(bars[0].0, span.started);
            let work = done(bars, span.ended);
            let last = u128::from(bars.last().unwrap().1);
            if span.done {
                // The end is rounded up to a nanosecond.
                prop_assert!(work >= job.work() && work < job.work() + last);
                prop_assert!(span.ended.since(span.started) >= job.runtime);
            } else {
                prop_assert!(work < job.work());
                prop_assert_eq!(Some(span.ended.since(span.started)), job.time_limit);
            }
            if setup.mode == Mode::Rigid {
                let length = job.runtime.min(job.time_limit.unwrap_or(job.runtime));
                prop_assert_eq!(span.ended.since(span.started), length);
            }
        }
        let last = outcome.timeline.last();
        prop_assert!(last.is_none_or(|last| last.held == Resources::ZERO));
    }

    /// Whatever goes before one for which room is kept, it has its room by the time that was said.
    #[test]
    fn who_goes_before_the_first_does_not_delay_it(
        mut jobs in prop::collection::vec(job(), 1..25),
        nodes in nodes(),
        factor in prop::option::of(1u8..4),
    ) {
        for job in &mut jobs {
            job.priority = 0;
            if let Some(factor) = factor {
                job.limit(factor.into());
            }
        }
        let name = "member".parse().unwrap();
        let components: Vec<Component> = jobs.iter().map(|job| job.component(&name)).collect();
        let setup = Setup::usual(Order::Fifo, Mode::Rigid);
        let mut line = Line::new(&jobs, &components, &nodes, setup);
        let outcome = run(&jobs, &mut line, setup, false, |_, _| ()).unwrap();
        for (job, at) in &line.promises {
            prop_assert!(outcome.spans[*job].unwrap().started <= *at, "{job} at {at}");
        }
    }

    #[test]
    fn more_nodes_lose_nobody(
        jobs in prop::collection::vec(job(), 1..15),
        nodes in nodes(),
        setup in setups(),
    ) {
        let fewer = simulate(&jobs, &nodes[..nodes.len().div_ceil(2)], setup, false).unwrap();
        let more = simulate(&jobs, &nodes, setup, false).unwrap();
        for (few, many) in fewer.spans.iter().zip(&more.spans) {
            prop_assert!(few.is_none() || many.is_some());
        }
    }

    /// With room for all, each has all its members from the beginning.
    #[test]
    fn nobody_waits_where_there_is_room(
        jobs in prop::collection::vec(job(), 1..15),
        setup in setups(),
    ) {
        let nodes = "100x64c64g".parse::<super::Cluster>().unwrap().nodes;
        let outcome = simulate(&jobs, &nodes, setup, true).unwrap();
        for (n, job) in jobs.iter().enumerate() {
            let span = outcome.spans[n].unwrap();
            prop_assert_eq!(span.started, job.submit);
            prop_assert_eq!(&outcome.bars[n], &vec![(job.submit, job.members())]);
        }
    }
}

fn example() -> (Vec<Job>, Vec<Node>) {
    let text = "submit,user,runtime,core,elastic,cores,memory\n\
                0,a,10,3,4,1,0\n0,b,10,3,3,1,0\n0,c,10,3,5,1,0\n0,d,10,3,2,1,0\n";
    let nodes = "1x10c1g".parse::<super::Cluster>().unwrap().nodes;
    (super::read(text.as_bytes()).unwrap(), nodes)
}

/// The example of the paper, by hand: what each has, and from when on.
#[test]
fn the_paper_s_example_comes_out() {
    let (jobs, nodes) = example();
    let outcome = |mode| {
        let setup = Setup::usual(Order::Fifo, mode);
        simulate(&jobs, &nodes, setup, true).unwrap()
    };
    let turnarounds = |outcome: &Outcome| -> Vec<String> {
        let both = jobs.iter().zip(&outcome.spans);
        both.map(|(job, span)| format!("{:.2}", span.unwrap().turnaround(job)))
            .collect()
    };
    assert_eq!(
        turnarounds(&outcome(Mode::Rigid)),
        ["10.00", "20.00", "30.00", "40.00"]
    );
    let flexible = outcome(Mode::Flexible);
    assert_eq!(turnarounds(&flexible), ["10.00", "15.00", "23.57", "28.43"]);
    let at = Time::from_secs;
    assert_eq!(flexible.bars[0], [(at(0), 7)]);
    assert_eq!(flexible.bars[1], [(at(0), 3), (at(10), 6)]);
    assert_eq!(flexible.bars[2], [(at(10), 4), (at(15), 7)]);
    assert_eq!(flexible.bars[3][0], (at(15), 3));
    assert_eq!(flexible.bars[3][1].1, 5);
}

/// Who takes no more than the first leaves free may go before it, however long that takes: of four cores the first needs
/// three at 10, when `a` is over.
#[test]
fn what_the_first_does_not_need_is_there_for_others() {
    let text = "submit,user,runtime,core,elastic,cores,memory,time_limit\n\
                0,a,10,2,0,1,0,10\n0,b,10,3,0,1,0,\n0,c,30,1,0,1,0,\n0,d,30,1,0,1,0,\n";
    let jobs = super::read(text.as_bytes()).unwrap();
    let nodes = "1x4c1g".parse::<super::Cluster>().unwrap().nodes;
    let setup = Setup::usual(Order::Fifo, Mode::Flexible);
    let outcome = simulate(&jobs, &nodes, setup, false).unwrap();
    let started: Vec<String> = outcome
        .spans
        .iter()
        .map(|span| span.unwrap().started.to_string())
        .collect();
    assert_eq!(started, ["0", "10", "0", "20"]);
}
