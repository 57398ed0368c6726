//! Left alone: as many calls for each pass however much there is, and no more memory after a day of passes than before.

use std::fs::OpenOptions;
use std::process::Stdio;
use std::time::Duration;

use crate::place::{Place, until};

/// A pass every ten seconds for a day.
const DAY: usize = 8640;

fn calls_of_a_pass(place: &Place) -> Vec<String> {
    let (ran, calls) = place.calls(&["watch", "--once"]);
    ran.expect(0);
    calls
}

fn assert_as_many_calls(place: &Place, executions: usize) {
    let first = place.job("first", 0, Duration::ZERO);
    place.run(&["run", &first]).expect(0);
    let before = calls_of_a_pass(place);
    assert!(
        before.iter().all(|call| call.starts_with("read ")),
        "{before:#?}"
    );
    for number in 0..executions {
        let name = format!("job{number}");
        let file = place.job(&name, 0, Duration::from_hours(1));
        place.run(&["run", "-d", "--name", &name, &file]).expect(0);
    }
    until("all run", || {
        place.ps().iter().all(|one| one["state"] == "running")
    });
    let after = calls_of_a_pass(place);
    assert_eq!(before.len(), after.len(), "{before:#?} {after:#?}");
    assert!(after.len() <= 10, "{after:#?}");
    eprintln!("{} calls a pass: {after:?}", after.len());
    place.run(&["kill", "--all", "-y"]).expect(0);
}

#[test]
fn as_many_calls_over_a_file() {
    assert_as_many_calls(&Place::memory("cores=2&memory=4g&images=all"), 30);
}

#[test]
fn as_many_calls_on_the_engine() {
    assert_as_many_calls(&Place::engine(), 6);
}

#[test]
fn as_many_calls_on_the_swarm() {
    assert_as_many_calls(&Place::lab(), 4);
}

/// What the process has resident, in KiB.
fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn no_more_memory_after_a_day() {
    let place = &Place::memory("cores=2&memory=4g&images=all");
    for number in 0..5 {
        let name = format!("job{number}");
        let file = place.job(&name, 0, Duration::from_hours(1));
        place.run(&["run", "-d", "--name", &name, &file]).expect(0);
    }
    let calls = place.path("calls");
    let gate = format!("count:{}", calls.display());
    let watch = place.watch_in(&["--interval", "1ms"], &[("ZOE_TEST_GATE", &gate)]);
    let passes = || {
        let text = std::fs::read_to_string(&calls).unwrap_or_default();
        text.lines()
            .filter(|line| *line == "read list containers")
            .count()
    };
    until("it is warm", || passes() > 500);
    let warm = resident(watch.id());
    let first = passes();
    // However long a busy machine takes for a day, it goes on with it.
    for hour in 1..=24 {
        until("an hour is over", || passes() > first + DAY / 24 * hour);
    }
    let late = resident(watch.id());
    eprintln!("{warm} KiB after 500 passes, {late} KiB after a day of them");
    assert!(late < warm + 6 * 1024, "{warm} KiB, then {late} KiB");
    // Nothing was told either.
    assert_eq!(watch.log().len(), 1, "{:#?}", watch.log());
    assert_eq!(watch.stop("TERM").0, 0);
    place.run(&["kill", "--all", "-y"]).expect(0);
}

/// Its log is on a disk that is full, or nobody reads it any more: it goes on with its work.
#[test]
fn with_nobody_to_tell() {
    let place = &Place::memory("cores=2&memory=4g&images=all");
    let full = || Stdio::from(OpenOptions::new().write(true).open("/dev/full").unwrap());
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let nowhere: [(&str, &dyn Fn() -> Stdio); 2] = [("full", &full), ("closed", &closed)];
    for (name, stderr) in nowhere {
        let mut watch = place.watch_telling(stderr());
        let file = place.job(name, 0, Duration::from_millis(300));
        place.run(&["run", "-d", "--name", name, &file]).expect(0);
        until("it is over", || place.ps().is_empty());
        assert_eq!(watch.ended(), None, "{name}: it has ended");
        assert_eq!(watch.stop("TERM").0, 0, "{name}");
    }
    let history = place.history();
    let ended = |one: &&serde_json::Value| one["state"] == "finished";
    assert_eq!(history.iter().filter(ended).count(), 2, "{history:#?}");
}
