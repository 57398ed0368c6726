//! Twenty zoes at once: unique ids, one key is one execution, a name has one owner, and capacity is never exceeded.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot be set up has failed"
)]

mod common;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use assert_cmd::Command;
use common::docker::{Deployment, TINY, cli};
use common::{PATIENCE, Ran, TestEnv};
use jiff::Timestamp;
use serde_json::Value;
use zoe::engine::memory::World;

const MANY: usize = 20;

/// Runs a command for each number at the same time, and gives what came of them.
fn at_once(command: impl Fn(usize) -> Command + Sync) -> Vec<Ran> {
    let command = &command;
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..MANY)
            .map(|i| scope.spawn(move || Ran::command(&mut command(i))))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

/// Calls `sample` again and again until `work` is over; it must have been called.
fn while_sampling<T>(sample: impl Fn() + Send, work: impl FnOnce() -> T) -> T {
    let over = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sampler = scope.spawn(move || {
            while !over.load(Ordering::SeqCst) {
                sample();
            }
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        over.store(true, Ordering::SeqCst);
        sampler.join().unwrap();
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// More members for what runs, from the command line: all, some, and more than may be.
#[test]
fn what_runs_is_resized() {
    let env = &TestEnv::with_options("nodes=n1:2:4g,n2:1:4g&images=all");
    let text = application("memory/one", "0.5", "64m", r#"["run"]"#);
    let worker = text.split("[[component]]").nth(1).unwrap();
    let worker = worker.replace("\"main\"", "\"worker\"\nelastic = 7");
    env.write("job.toml", format!("{text}[[component]]{worker}"));
    let id = env.run(&["run", "-d", "job.toml"]).expect(0);
    let id = id.trim();
    assert_eq!(env.run(&["resize", id, "1"]).expect(0), "1\n");
    assert_eq!(env.run(&["resize", id, "worker", "4"]).expect(0), "4\n");
    let ran = env.run(&["resize", "-o", "json", "last", "8"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&told["members"], &told["wanted"]),
        (&5.into(), &8.into()),
        "{told}"
    );
    let reason = told["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("waits for 1.5 cores: 0 of 3 free"),
        "{reason}"
    );
    assert!(ran.stderr.contains("has 5 of 8 members"), "{}", ran.stderr);
    let refused = env.run(&["resize", id, "9"]).expect_error(2);
    assert!(refused.contains("between 1 and 8 members"), "{refused}");
    env.run(&["kill", id]).expect(0);
    assert_eq!(env.run(&["resize", id, "2"]).code, 4);
}

fn application(image: &str, cores: &str, memory: &str, command: &str) -> String {
    format!(
        "schema = 1\nname = \"one\"\ndescription = \"one of many\"\nmonitor = \"main\"\n\n[[component]]\nname = \"main\"\n\
         image = \"{image}\"\ncores = {cores}\nmemory = \"{memory}\"\ncommand = {command}\n"
    )
}

fn ids(all: &[Ran]) -> BTreeSet<String> {
    all.iter().map(|ran| ran.stdout.trim().to_owned()).collect()
}

fn json(ran: Ran) -> Vec<Value> {
    serde_json::from_str(&ran.expect(0)).unwrap()
}

/// Asserts that history has all of them, each with the exit code that its number is.
fn assert_all_ended(history: &[Value], ids: &BTreeSet<String>) {
    let ended: BTreeSet<String> = history
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((history.len(), &ended), (MANY, ids));
    let mut codes: Vec<_> = history
        .iter()
        .map(|record| record["exit_code"].as_u64().unwrap())
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, (0..MANY as u64).collect::<Vec<_>>());
}

#[test]
fn in_a_file_each_gets_its_turn() {
    // Room for four.
    let env = &TestEnv::with_options("cores=2&memory=16g&images=all");
    env.write("job.py", "print(1)");
    for i in 0..MANY {
        let command = format!(
            r#"["print", "ran", "exit", "{i}", "after", "{}ms"]"#,
            50 + 10 * (i % 3)
        );
        env.write(
            &format!("{i}.toml"),
            application("memory/one", "0.5", "64m", &command),
        );
    }
    let submitted = at_once(|i| {
        let mut zoe = env.zoe();
        zoe.args(["run", "-d", &format!("{i}.toml")]);
        zoe
    });
    for ran in &submitted {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let ids = ids(&submitted);
    assert_eq!(ids.len(), MANY, "{ids:?}");
    let alive: BTreeSet<_> = env
        .ps()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    let over = json(env.run(&["history", "-o", "json"])).into_iter();
    let over: BTreeSet<_> = over
        .filter(|one| one["exit_code"].is_i64())
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(alive.union(&over).cloned().collect::<BTreeSet<_>>(), ids);

    let held_by_all = || {
        let world: World =
            serde_json::from_slice(&std::fs::read(env.docker_file()).unwrap()).unwrap();
        let now = Timestamp::now();
        let held: u64 = world
            .containers
            .values()
            .filter(|row| row.runs(now))
            .map(|row| row.millicores)
            .sum();
        assert!(held <= 2000, "{held}");
    };
    let mut wait: Vec<&str> = vec!["wait"];
    wait.extend(ids.iter().map(String::as_str));
    let largest = while_sampling(held_by_all, || env.run(&wait).code);
    assert_eq!(largest, 19);
    assert_all_ended(&json(env.run(&["history", "-o", "json"])), &ids);
    assert!(env.ps().is_empty());
}

#[test]
fn in_a_file_with_files_there_is_one_image() {
    let env = &TestEnv::with_options("cores=4&memory=16g&images=all");
    env.write("job.py", "print(1)");
    let submitted = at_once(|_| {
        let mut zoe = env.zoe();
        zoe.args(["submit", "-d", "job.py", "--workers", "1"]);
        zoe
    });
    for ran in &submitted {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    assert_eq!(ids(&submitted).len(), MANY);
    assert_eq!(env.ps().len(), MANY);
    let world: World = serde_json::from_slice(&std::fs::read(env.docker_file()).unwrap()).unwrap();
    let images = world
        .images
        .values()
        .filter(|image| image.labels.contains_key("zoe.deployment"));
    assert_eq!(images.count(), 1);
    let builders = world.containers.values().filter(|row| {
        row.labels
            .get("zoe.kind")
            .is_some_and(|kind| kind == "builder")
    });
    assert_eq!(builders.count(), 0);
    env.run(&["kill", "--all", "-y"]).expect(0);
    let world: World = serde_json::from_slice(&std::fs::read(env.docker_file()).unwrap()).unwrap();
    assert!(world.containers.is_empty() && world.networks.is_empty());
    assert!(world.images.values().all(|image| image.labels.is_empty()));
    let history = json(env.run(&["history", "-o", "json"]));
    assert_eq!(history.len(), MANY);
    assert!(history.iter().all(|record| record["state"] == "cancelled"));
}

#[test]
fn one_key_is_one_execution() {
    let env = &TestEnv::new();
    env.write(
        "job.toml",
        application(
            "memory/one",
            "0.5",
            "64m",
            r#"["print", "ran", "exit", "7", "after", "100ms"]"#,
        ),
    );
    let submitted = at_once(|_| {
        let mut zoe = env.zoe();
        zoe.args(["run", "-d", "--key", "nightly", "job.toml"]);
        zoe
    });
    for ran in &submitted {
        assert!([0, 7].contains(&ran.code), "{} {}", ran.code, ran.stderr);
    }
    let ids = ids(&submitted);
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(env.run(&["wait", ids.first().unwrap()]).code, 7);
    assert_eq!(json(env.run(&["history", "-o", "json"])).len(), 1);
    assert_eq!(env.run(&["logs", "last"]).expect(0), "ran\n");
    assert_eq!(env.run(&["run", "--key", "nightly", "job.toml"]).code, 7);
}

#[test]
fn attached_to_one_key_all_get_its_exit_code() {
    let env = &TestEnv::new();
    env.write(
        "job.toml",
        application(
            "memory/one",
            "0.5",
            "64m",
            r#"["print", "ran", "exit", "7", "after", "100ms"]"#,
        ),
    );
    for ran in at_once(|_| {
        let mut zoe = env.zoe();
        zoe.args(["run", "--key", "nightly", "job.toml"]);
        zoe
    }) {
        assert_eq!(ran.code, 7, "{}", ran.stderr);
        assert!(
            ["ran\n", ""].contains(&ran.stdout.as_str()),
            "{}",
            ran.stdout
        );
    }
    assert_eq!(json(env.run(&["history", "-o", "json"])).len(), 1);
}

#[test]
fn a_name_has_one_owner() {
    let env = &TestEnv::new();
    env.write(
        "job.toml",
        application("memory/one", "0.1", "64m", r#"["run"]"#),
    );
    let submitted = at_once(|_| {
        let mut zoe = env.zoe();
        zoe.args(["run", "-d", "--name", "nightly", "job.toml"]);
        zoe
    });
    let codes: Vec<_> = submitted.iter().map(|ran| ran.code).collect();
    assert_eq!(
        codes.iter().filter(|code| **code == 0).count(),
        1,
        "{codes:?}"
    );
    assert_eq!(
        codes.iter().filter(|code| **code == 4).count(),
        MANY - 1,
        "{codes:?}"
    );
    for ran in submitted.iter().filter(|ran| ran.code == 4) {
        assert!(
            ran.stderr
                .contains("error: there is an execution called 'nightly' already"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(env.ps().len(), 1);
    env.run(&["kill", "nightly"]).expect(0);
    assert_eq!(json(env.run(&["history", "-o", "json"])).len(), 1);
}

/// What there is of memory, in bytes.
fn memory_of_the_engine() -> u64 {
    cli(&["info", "--format", "{{.MemTotal}}"]).parse().unwrap()
}

#[test]
fn on_the_engine_each_gets_its_turn() {
    let env = &TestEnv::new();
    let deployment = &Deployment::new();
    let zoe = |arguments: &[&str]| {
        let mut zoe = env.bare();
        zoe.env("ZOE_DEPLOYMENT", &deployment.name).args(arguments);
        zoe
    };
    // Room for four, by memory: others may hold a part of it, and processors are what other tests use up.
    let total = memory_of_the_engine();
    let each = format!("{}m", total / 9 * 2 / (1 << 20));
    for i in 0..MANY {
        let command = format!(r#"["sh", "-c", "echo ran; sleep 0.2; exit {i}"]"#);
        env.write(
            &format!("{i}.toml"),
            application(TINY, "0.1", &each, &command),
        );
    }
    let held_by_all = || {
        let running = cli(&[
            "ps",
            "-q",
            "--filter",
            &format!("label=zoe.deployment={}", deployment.name),
        ]);
        if running.is_empty() {
            return;
        }
        let ids: Vec<&str> = running.lines().collect();
        // One that is gone in between is said on standard error, and makes inspect fail.
        let output = std::process::Command::new("docker")
            .args([
                "inspect",
                "--format",
                "{{if .State.Running}}{{.HostConfig.Memory}}{{else}}0{{end}}",
            ])
            .args(ids)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let held: u64 = text.lines().map(|line| line.parse::<u64>().unwrap()).sum();
        assert!(held <= total, "{held} of {total}");
    };
    let ids = while_sampling(held_by_all, || {
        let submitted = at_once(|i| zoe(&["run", "-d", &format!("{i}.toml")]));
        for ran in &submitted {
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
        let ids = ids(&submitted);
        assert_eq!(ids.len(), MANY, "{ids:?}");
        let mut wait: Vec<&str> = vec!["wait"];
        wait.extend(ids.iter().map(String::as_str));
        // Twenty starts and ends of containers on a busy machine.
        let ran = Ran::command(zoe(&wait).timeout(3 * PATIENCE));
        assert_eq!(ran.code, 19, "{}", ran.stderr);
        ids
    });
    assert_eq!(deployment.left(), Vec::<String>::new());
    assert_all_ended(
        &json(Ran::command(&mut zoe(&["history", "-o", "json"]))),
        &ids,
    );
}

#[test]
fn on_the_engine_a_name_has_one_owner_and_a_key_one_execution() {
    let env = &TestEnv::new();
    let deployment = &Deployment::new();
    env.write(
        "job.toml",
        application(
            TINY,
            "0.01",
            "16m",
            r#"["sh", "-c", "trap 'exit 143' TERM; sleep 600 & wait"]"#,
        ),
    );
    let zoe = |arguments: &[&str]| {
        let mut zoe = env.bare();
        zoe.env("ZOE_DEPLOYMENT", &deployment.name).args(arguments);
        zoe
    };
    let named = at_once(|_| zoe(&["run", "-d", "--name", "nightly", "job.toml"]));
    let codes: Vec<_> = named.iter().map(|ran| ran.code).collect();
    assert_eq!(
        codes.iter().filter(|code| **code == 0).count(),
        1,
        "{codes:?}"
    );
    assert_eq!(
        codes.iter().filter(|code| **code == 4).count(),
        MANY - 1,
        "{codes:?}"
    );
    let keyed = at_once(|_| zoe(&["run", "-d", "--key", "nightly", "job.toml"]));
    for ran in &keyed {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    assert_eq!(ids(&keyed).len(), 1);
    assert_eq!(deployment.containers("ticket").len(), 2);
    assert!(deployment.containers("instance").len() <= 2);
    Ran::command(&mut zoe(&["kill", "--all", "-y"])).expect(0);
    assert_eq!(deployment.left(), Vec::<String>::new());
    assert_eq!(
        json(Ran::command(&mut zoe(&["history", "-o", "json"]))).len(),
        2
    );
}
