//! One at a time: two watches and many that submit never over-commit and start nothing twice, and a dead holder is replaced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::flow::Flow;
use crate::place::{Place, until};

const MANY: usize = 20;

#[test]
fn two_watches_and_twenty_that_submit() {
    // Room for four.
    let place = &Place::memory("cores=0.04&memory=4g&images=all");
    let watches = [(); 2].map(|()| place.watch(&["--interval", "1s"]));
    let names: Vec<String> = (0..MANY).map(|number| format!("many{number}")).collect();
    let over = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sampler = scope.spawn(move || {
            let mut most = 0;
            while !over.load(Ordering::SeqCst) {
                if place.path("docker.json").exists() {
                    let now = Timestamp::now();
                    let world = place.world();
                    let running = world.containers.values().filter(|row| row.runs(now));
                    most = most.max(running.map(|row| row.millicores).sum());
                }
            }
            most
        });
        let submissions: Vec<_> = names
            .iter()
            .map(|name| {
                let file = place.job(name, 0, Duration::from_millis(150));
                scope.spawn(move || place.run(&["run", "-d", "--name", name, &file]).expect(0))
            })
            .collect();
        for submission in submissions {
            submission.join().unwrap();
        }
        until("all are over", || place.ps().is_empty());
        over.store(true, Ordering::SeqCst);
        let most: u64 = sampler.join().unwrap();
        assert!((10..=40).contains(&most), "{most}");
    });
    for name in &names {
        assert_eq!(place.run(&["logs", name]).expect(0), format!("{name}\n"));
        let started = watches.iter().map(|watch| watch.said("started", name));
        assert!(started.sum::<usize>() <= 1, "{name}");
    }
    assert_eq!(place.history().len(), MANY);
    for watch in watches {
        assert_eq!(watch.stop("TERM").0, 0);
    }
    place.until_nothing_is_left();
}

#[test]
fn a_holder_that_lost_its_power_is_replaced_when_its_lease_lapses() {
    let place = &Place::memory("cores=2&memory=4g&images=all");
    let flow = Flow::new(place);
    let begun = Instant::now();
    // As another machine would have left it: of its processes nothing is known here.
    place.sql(
        "UPDATE leases SET holder = 'host=elsewhere pid=1 start=1 user=0 boot=other namespace=other turn=0', \
         expires_at = (CAST(strftime('%s', 'now') AS INTEGER) + 4) * 1000",
    );
    let watch = place.watch(&["--interval", "1h"]);
    let name = flow.submit(Duration::ZERO);
    until("it is started", || watch.said("started", &name) == 1);
    let waited = begun.elapsed();
    assert!(waited > Duration::from_secs(2), "{waited:?}");
    flow.until_over();
    drop(watch);
    flow.assert_all_right();
}

#[test]
fn who_ends_a_slow_one_keeps_nobody_waiting() {
    let place = &Place::memory("cores=2&memory=4g&images=all");
    let slow = place.open_job("slow", 0);
    let text = std::fs::read_to_string(place.path("work").join(&slow)).unwrap();
    std::fs::write(
        place.path("work").join(&slow),
        text.replace("\"run\"", "\"deaf\""),
    )
    .unwrap();
    place.run(&["run", "-d", "--name", "slow", &slow]).expect(0);
    let quick = place.open_job("quick", 0);
    let state = |name: &str| {
        let ps = place.ps();
        let found = ps.iter().find(|one| one["name"] == name);
        found.map(|one| one["state"].as_str().unwrap().to_owned())
    };
    let mut kill = place.command(&["kill", "slow"]).spawn().unwrap();
    until("it is being ended", || {
        state("slow").as_deref() == Some("ending")
    });
    let mut run = place
        .command(&["run", "-d", "--name", "quick", &quick])
        .spawn()
        .unwrap();
    until("another is started", || {
        state("quick").as_deref() == Some("running")
    });
    assert_eq!(
        kill.try_wait().unwrap(),
        None,
        "it does not wait for the end"
    );
    assert_eq!(state("slow").as_deref(), Some("ending"));
    assert!(kill.wait().unwrap().success());
    assert!(run.wait().unwrap().success());
    assert_eq!(state("slow"), None);
    place.run(&["kill", "--all", "-y"]).expect(0);
    place.until_nothing_is_left();
}
