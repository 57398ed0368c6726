//! SIGKILL at each effect in turn, with jobs flowing; and a holder of the lease that dies with it each time.

use std::time::Duration;

use crate::flow::Flow;
use crate::place::{PATIENCE, Place};

/// The n-th call that changes something is the last one before death; then n begins anew.
const MOST: usize = 12;
/// As many are alive at any time.
const ALIVE: usize = 3;

/// Kills so many, each before a call that changes something, and lets the next one go on.
fn killed(place: &Place, kills: usize) {
    let flow = Flow::new(place);
    for kill in 0..kills {
        let n = kill % MOST + 1;
        let gate = format!("kill:{n}");
        while place.ps().len() < ALIVE {
            flow.submit(Duration::from_millis(100));
        }
        let mut watch = place.watch_in(&["--interval", "1s"], &[("ZOE_TEST_GATE", &gate)]);
        let begun = std::time::Instant::now();
        let signal = loop {
            for _ in 0..10 {
                if watch.ended().is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            match watch.ended() {
                Some(ended) => break ended,
                None if place.ps().len() < ALIVE => {
                    flow.submit(Duration::from_millis(100));
                }
                None => assert!(
                    begun.elapsed() < PATIENCE,
                    "{gate}: nothing to do? {:#?}",
                    watch.log()
                ),
            }
        };
        assert_eq!(signal, Err(9), "{gate}: {:#?}", watch.log());
    }
    eprintln!("{kills} kills, {} jobs", flow.count());
    let watch = place.watch(&["--interval", "1s"]);
    flow.until_over();
    assert_eq!(watch.stop("TERM").0, 0);
    flow.assert_all_right();
}

#[test]
fn over_a_file() {
    killed(&Place::memory("cores=2&memory=4g&images=all"), 36);
}

#[test]
fn on_the_engine() {
    killed(&Place::engine(), 120);
}

#[test]
fn on_the_swarm() {
    killed(&Place::lab(), 80);
}
