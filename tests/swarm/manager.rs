//! The manager's Engine restarts between any two calls.

use crate::common::Ran;
use crate::site::{Site, until};

const APPLICATION: &str = r#"
schema = 1
name = "small"
description = "One that others belong to, and two workers"
monitor = "main"
secrets = ["auth"]

[[component]]
name = "main"
image = "IMAGE"
cores = 0.25
memory = "32m"
secrets = ["auth"]
command = ["sleep", "1000"]

[[component]]
name = "worker"
image = "IMAGE"
core = 2
replaceable = true
cores = 0.25
memory = "32m"
command = ["sleep", "1000"]
"#;

#[test]
fn one_invocation_later_everything_runs_or_waits() {
    let site = Site::alone();
    let file = site.application(APPLICATION);
    let calls = site.path("calls");
    let counting = format!("count:{}", calls.display());
    site.run_in(&["run", "-d", &file], &[("ZOE_TEST_GATE", &counting)])
        .expect(0);
    site.run(&["kill", "--all", "-y"]).expect(0);
    // Between the calls that change something: what only asks is asked again.
    let calls = std::fs::read_to_string(&calls).unwrap();
    let effects = (1..).zip(calls.lines());
    let effects = effects.filter(|(_, line)| line.starts_with("effect "));
    let effects: Vec<usize> = effects.map(|(number, _)| number).collect();
    let mut tried = 0;
    for call in effects.iter().copied() {
        let held = site.path(&format!("held-{call}"));
        let setting = format!("hold:{call}:{}", held.display());
        let mut zoe = site.start(&["run", "-d", &file], &[("ZOE_TEST_GATE", &setting)]);
        let reached = until("zoe makes the call, or has ended", || {
            if held.exists() {
                return Some(true);
            }
            zoe.try_wait().unwrap().map(|_| false)
        });
        if reached {
            tried += 1;
            site.lab.restart("n1");
            std::fs::remove_file(&held).unwrap();
        }
        let first = Ran::from(zoe.wait_with_output().unwrap());
        one_later(&site, call, &first);
        site.run(&["kill", "--all", "-y"]);
        site.until_nothing_is_left();
    }
    assert!(tried >= 5, "{tried} of {} calls", effects.len());
}

/// Whatever became of the first zoe: the next one leaves everything running or waiting, and nothing halfway.
#[track_caller]
fn one_later(site: &Site, call: usize, first: &Ran) {
    let executions = site.json(&["ps"]);
    for execution in executions.as_array().unwrap() {
        let id = execution["id"].as_str().unwrap();
        let next = site.run(&["wait", "--for", "running", "--timeout", "90s", id]);
        let shown = site.show(id);
        let state = shown["state"].as_str().unwrap();
        assert!(
            next.code == 0 && state == "running" || state == "queued",
            "call {call}: first zoe {} {}\nnext {} {}\n{shown:#}",
            first.code,
            first.stderr,
            next.code,
            next.stderr
        );
    }
    assert!(executions.as_array().unwrap().len() <= 1, "{executions}");
}
