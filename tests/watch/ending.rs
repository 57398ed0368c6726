//! Told to end it ends within a second, whatever it is doing, and what it was doing is gone on with by the next one.

use std::time::Duration;

use crate::flow::Flow;
use crate::place::{Place, Watch, until};

/// How soon it is to end.
const SOON: Duration = Duration::from_secs(1);
/// What a busy machine may make of that; a container that is being stopped takes longer.
const AT_LAST: Duration = Duration::from_secs(8);

#[track_caller]
fn assert_ends_soon(watch: Watch, signal: &str) -> Duration {
    let (code, took) = watch.stop(signal);
    assert_eq!(code, 0);
    assert!(took < AT_LAST, "{signal}: {took:?}");
    took
}

/// A busy machine makes some of them slower, and none faster.
#[track_caller]
fn assert_soon(all: &[Duration]) {
    let fastest = all.iter().min().unwrap();
    assert!(*fastest < SOON, "{all:?}");
}

#[test]
fn with_nothing_to_do() {
    let place = Place::memory("cores=2&memory=4g&images=all");
    for signal in ["TERM", "INT"] {
        let all = [(); 5].map(|()| {
            let watch = place.watch(&["--interval", "1h"]);
            until("it watches", || watch.said("watching", "") == 1);
            assert_ends_soon(watch, signal)
        });
        assert_soon(&all);
    }
}

/// A job that does not end when it is told to; `zoe kill` marks it and dies, so that ending it is left to the watch, which is
/// interrupted in that so many times.
fn while_a_container_takes_its_time(place: &Place, times: u32) {
    let file = place.job("slow", 0, Duration::from_hours(1));
    let text = std::fs::read_to_string(place.path("work").join(&file)).unwrap();
    let deaf = text.replace("echo slow;", "trap '' TERM; echo slow;");
    std::fs::write(place.path("work").join(&file), deaf).unwrap();
    let id = place.run(&["run", "-d", &file]).expect(0);
    let id = id.trim();
    until("it runs", || place.run(&["logs", id]).stdout == "slow\n");
    assert_eq!(place.gated("kill:2", &["kill", id]).signal, Some(9));
    assert_eq!(place.ps()[0]["state"], "ending");
    for _ in 0..times {
        let calls = place.path("calls");
        let _ = std::fs::remove_file(&calls);
        let gate = format!("count:{}", calls.display());
        let watch = place.watch_in(&["--interval", "1s"], &[("ZOE_TEST_GATE", &gate)]);
        until("it is being stopped", || {
            let calls = std::fs::read_to_string(&calls).unwrap_or_default();
            let mut lines = calls.lines();
            // On a Swarm a service is told to have no task.
            let stops = |line: &str| line.ends_with("/stop") || line.ends_with("/update");
            lines.any(|line| line.starts_with("effect ") && stops(line))
        });
        assert_ends_soon(watch, "TERM");
        assert_eq!(place.ps().len(), 1);
    }
    let watch = place.watch(&["--interval", "1s"]);
    until("it is over", || place.ps().is_empty());
    assert_ends_soon(watch, "TERM");
    let history = place.history();
    assert_eq!(
        (history.len(), &history[0]["state"]),
        (1, &"cancelled".into())
    );
    assert_eq!(place.run(&["logs", id]).expect(0), "slow\n");
    place.until_nothing_is_left();
}

#[test]
fn on_the_engine_while_a_container_takes_its_time() {
    while_a_container_takes_its_time(&Place::engine(), 2);
}

#[test]
fn on_the_swarm_while_a_container_takes_its_time() {
    // A Swarm is told once, and then does it by itself.
    while_a_container_takes_its_time(&Place::lab(), 1);
}

/// Again and again, with jobs flowing: nothing is done by halves that the next one could not go on with.
#[test]
fn at_any_moment() {
    let place = &Place::memory("cores=2&memory=4g&images=all");
    let flow = Flow::new(place);
    let mut all = Vec::new();
    for round in 0..25 {
        while place.ps().len() < 3 {
            flow.submit(Duration::from_millis(30));
        }
        let watch = place.watch(&["--interval", "1s"]);
        until("it watches", || watch.said("watching", "") == 1);
        std::thread::sleep(Duration::from_millis(3 * round));
        all.push(assert_ends_soon(watch, "TERM"));
    }
    assert_soon(&all);
    let watch = place.watch(&["--interval", "1s"]);
    flow.until_over();
    assert_ends_soon(watch, "TERM");
    flow.assert_all_right();
}

/// Many that end at once keep nobody from hearing the signal, and what was not ended yet is ended by the next one.
#[test]
fn while_hundreds_end_at_once() {
    const MANY: usize = 80;
    let place = Place::memory("cores=1000&memory=1000g&images=all");
    let file = place.open_job("many", 0);
    let array = format!("0-{}", MANY - 1);
    place
        .run(&["run", "-d", "--array", &array, &file])
        .expect(0);
    place.end("many", 0);
    let over = || {
        place
            .history()
            .iter()
            .filter(|one| one["state"] == "finished")
            .count()
    };
    let mut all = Vec::new();
    for least in [1, 5, 15] {
        let watch = place.watch(&["--interval", "1s"]);
        until("some of them are over", || over() >= least);
        all.push(assert_ends_soon(watch, "TERM"));
        assert!(over() < MANY, "all were ended before it was told to");
    }
    assert_soon(&all);
}
