//! A detached job whose web interface never answers: put back and at last given up by `zoe watch` alone, with nobody waiting for
//! it, and killed at each effect in turn.

use std::time::Duration;

use serde_json::Value;

use crate::place::{Place, until};

const WHY: &str = "it was not ready in time: main has 0 of 1";
/// A second for each try, and two tries.
const SETTINGS: [(&str, &str); 2] = [
    ("ZOE_SCHEDULER_START_DEADLINE", "1"),
    ("ZOE_SCHEDULER_START_TRIES", "2"),
];

/// Submits it; it runs then, as far as Docker can tell.
fn submit(place: &Place, name: &str) {
    let file = place.service(name);
    place.run(&["run", "-d", "--name", name, &file]).expect(0);
}

fn record(place: &Place, name: &str) -> Value {
    let history = place.history();
    let found = history.iter().find(|one| one["name"] == name);
    found.unwrap().clone()
}

/// How many events of that kind it has.
fn events(place: &Place, name: &str, kind: &str) -> usize {
    let shown = place.run(&["show", name]).expect(0);
    let word = |line: &&str| line.split_whitespace().any(|word| word == kind);
    shown.lines().filter(word).count()
}

fn assert_given_up(place: &Place, name: &str) {
    let record = record(place, name);
    assert_eq!(record["exit_code"], 125, "{record:#}");
    let reason = format!("could not be started: {WHY} (tried 2 times)");
    assert_eq!(record["reason"], reason.as_str(), "{record:#}");
    assert_eq!(events(place, name, "start-failed"), 1);
    // What both tries said was kept.
    let log = place.run(&["logs", name]).expect(0);
    assert_eq!(log, format!("{name}\n{name}\n"));
    if let Some(runs) = place.runs(name) {
        assert_eq!(runs, 2);
    }
    place.until_nothing_is_left();
}

fn alone(place: &Place) {
    submit(place, "web");
    let watch = place.watch_in(&["--interval", "30s"], &SETTINGS);
    until("it is given up", || place.ps().is_empty());
    // It says so when it is through, which is a moment after the last of it is gone.
    until("it says so", || watch.said("ended", "web") == 1);
    assert_eq!(watch.said("start failed", "web"), 1, "{:#?}", watch.log());
    assert_eq!(watch.stop("TERM").0, 0);
    assert_given_up(place, "web");
}

#[test]
fn given_up_by_watch_alone_over_a_file() {
    alone(&Place::memory("cores=2&memory=4g&images=all"));
}

#[test]
fn given_up_by_watch_alone_on_the_engine() {
    alone(&Place::engine());
}

#[test]
fn given_up_by_watch_alone_on_the_swarm() {
    alone(&Place::lab());
}

/// The n-th call that changes something is the last one before death; then n begins anew.
const MOST: usize = 10;

/// Each watch is killed before a call that changes something, and the next one goes on.
fn killed(place: &Place, jobs: usize) {
    let mut kills = 0;
    for number in 0..jobs {
        let name = format!("web{number}");
        submit(place, &name);
        kills = killed_until_over(place, kills);
        place.run(&["watch", "--once"]).expect(0);
        assert_given_up(place, &name);
    }
    eprintln!("{kills} kills");
    assert!(kills >= MOST, "{kills}");
}

fn killed_until_over(place: &Place, mut kills: usize) -> usize {
    while !place.ps().is_empty() {
        let gate = format!("kill:{}", kills % MOST + 1);
        let env = [&SETTINGS[..], &[("ZOE_TEST_GATE", &gate)]].concat();
        let mut watch = place.watch_in(&["--interval", "1s"], &env);
        until("it is killed, or all is over", || {
            watch.ended().is_some() || place.ps().is_empty()
        });
        kills += usize::from(watch.ended() == Some(Err(9)));
    }
    kills
}

#[test]
fn killed_at_each_effect_over_a_file() {
    killed(&Place::memory("cores=2&memory=4g&images=all"), 5);
}

#[test]
fn killed_at_each_effect_on_the_engine() {
    killed(&Place::engine(), 5);
}

/// Docker is asked as often as if there were nothing, however long it does not answer.
#[test]
fn waiting_for_it_costs_no_calls() {
    let place = &Place::memory("cores=2&memory=4g&images=all");
    submit(place, "web");
    let calls = place.path("calls");
    let gate = format!("count:{}", calls.display());
    let env = [("ZOE_TEST_GATE", gate.as_str())];
    let watch = place.watch_in(&["--interval", "1h"], &env);
    let passes = || {
        let text = std::fs::read_to_string(&calls).unwrap_or_default();
        text.lines()
            .filter(|line| *line == "read list containers")
            .count()
    };
    until("it was asked", || events(place, "web", "not-ready") == 1);
    // The looks after a change, and the one after the answer.
    std::thread::sleep(Duration::from_secs(3));
    let before = passes();
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(passes(), before);
    assert_eq!(watch.stop("TERM").0, 0);
    place.run(&["kill", "--all", "-y"]).expect(0);
}
