//! Time limits, Ctrl-C, keys.

use std::process::Stdio;
use std::time::Instant;

use crate::docker::tiny;
use crate::spark::site::{Site, example, until};

/// A job that lasts until a file is there, and then exits with what stands in it.
const PATIENT: &str = r#"
import os, sys, time
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
print("at work", spark.sparkContext.parallelize(range(10), 2).count(), flush=True)
while not os.path.exists("/gate/open"):
    time.sleep(0.1)
print("through", flush=True)
sys.exit(int(open("/gate/open").read()))
"#;

fn id_in(said: &str) -> String {
    let line = said
        .lines()
        .find_map(|line| line.strip_prefix("submitted "));
    line.unwrap_or_else(|| panic!("no id: {said}"))[..8].to_owned()
}

#[test]
fn ctrl_c_detaches_the_job_goes_on_and_its_key_finds_it() {
    let site = Site::new();
    let gate = site.shared_directory("gate");
    let volume = format!("{}:/gate:ro", gate.display());
    let job = site.write("patient.py", PATIENT);
    let submit = ["submit", "--key", "nightly", "--volume", &volume, &job];

    let mut first = site.start(&submit);
    first.wait_for_output("at work 10\n");
    first.interrupt();
    let first = first.end();
    assert_eq!(first.code, 130, "{}", first.stderr);
    let id = id_in(&first.stderr);
    for words in [format!("zoe logs -f {id}"), format!("zoe kill {id}")] {
        assert!(first.stderr.contains(&words), "{}", first.stderr);
    }
    assert_eq!(site.json(&["ps"])[0]["state"], "running");

    // The same key: attached to the same execution, from its first word on.
    let mut second = site.start(&submit);
    second.wait_for_output("at work 10\n");
    assert_eq!(site.json(&["ps"]).as_array().unwrap().len(), 1);
    let mut follower = site.start(&["logs", "-f", &id, "driver"]);
    follower.wait_for_output("at work 10");
    let waiter = site.start(&["wait", &id]);
    site.write("gate/open", "7");
    assert_eq!(waiter.end().code, 7);
    assert_eq!(second.end().expect(7), "at work 10\nthrough\n");
    assert!(follower.end().expect(0).contains("through"));

    // Over: its exit code, at once, and nothing new.
    assert_eq!(site.run(&["wait", &id]).code, 7);
    let third = site.run(&submit);
    assert_eq!(
        (third.code, third.stdout().as_str()),
        (7, ""),
        "{}",
        third.stderr
    );
    assert_eq!(site.json(&["history"]).as_array().unwrap().len(), 1);
    site.assert_nothing_left();
}

#[test]
fn ctrl_c_twice_ends_zoe_and_not_the_job() {
    let site = Site::new();
    // Too much for now, so that it waits: a job that is queued is detached from in the same way.
    let blocker = site.run(&[
        "submit",
        "-d",
        "--name",
        "blocker",
        &example("pi.py"),
        "--",
        "1000",
    ]);
    blocker.expect(0);
    let mut queued = site.start(&[
        "submit",
        "--name",
        "queued",
        &example("pi.py"),
        "--",
        "1000",
    ]);
    queued.wait_for_error("submitted ");
    queued.interrupt();
    queued.interrupt();
    let queued = queued.end();
    assert_eq!(queued.code, 130, "{}", queued.stderr);
    let alive = site.json(&["ps"]);
    assert!(
        alive
            .as_array()
            .unwrap()
            .iter()
            .any(|e| e["name"] == "queued"),
        "{alive}"
    );
    site.run(&["kill", "queued", "blocker"]).expect(0);
    site.assert_nothing_left();
}

#[test]
fn a_job_that_takes_too_long_is_ended() {
    let site = Site::new();
    let job = site.write("sleeper.py", "import time\ntime.sleep(3600)\n");
    let begun = Instant::now();
    let done = site.run(&["submit", "--timeout", "15s", &job]);
    done.expect(124);
    assert!(begun.elapsed().as_secs() >= 15);
    assert!(done.stderr.contains("ran out of time"), "{}", done.stderr);
    let past = site.json(&["history"]);
    assert_eq!(past[0]["exit_code"], 124, "{past}");
    assert_eq!(site.run(&["wait", "last"]).code, 124);
    site.assert_nothing_left();
}

const NOISY: &str = r#"
schema = 1
name = "noisy"
monitor = "main"
[[component]]
name = "main"
image = "zoe-test/tiny:1"
command = ["sh", "-c", "seq 100000; exit 4"]
cores = 0.1
memory = "64m"
"#;

/// Its logs can't be kept, so it can't be ended; what it has written comes all the same.
#[test]
fn what_cannot_be_kept_is_printed_all_the_same() {
    tiny();
    let mut site = Site::new();
    let file = site.write("file", "");
    let former = site.path("history");
    site.set("ZOE_FILESYSTEM_HISTORY_PATH", format!("{file}/history"));
    let noisy = site.write("noisy.toml", NOISY);
    let mut zoe = site.command(&["run", &noisy]);
    let zoe = zoe.stdout(Stdio::piped()).stderr(Stdio::piped());
    // Nobody reads it until another has found that it is over.
    let zoe = zoe.spawn().unwrap();
    until("it is to be ended", || {
        let said = site.run(&["watch", "--once"]);
        (said.code == 1 && site.running().is_empty() && !site.containers().is_empty()).then_some(())
    });
    let output = zoe.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{said}");
    let expected: String = (1..=100_000).fold(String::new(), |all, n| all + &format!("{n}\n"));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed == expected,
        "{} of {} bytes: {said}",
        printed.len(),
        expected.len()
    );
    // With room for them all is as it should be.
    site.set("ZOE_FILESYSTEM_HISTORY_PATH", former.to_str().unwrap());
    site.run(&["watch", "--once"]).expect(0);
    assert_eq!(site.run(&["wait", "last"]).code, 4);
    assert_eq!(site.run(&["logs", "last"]).expect(0), expected);
    site.assert_nothing_left();
}
