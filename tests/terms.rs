//! On which terms jobs are run, from the command line: over the memory backend, and on a real Engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot be set up has failed"
)]

mod common;

use common::docker::{Deployment, TINY};
use common::{Ran, TestEnv};
use serde_json::Value;

fn application(image: &str, command: &str) -> String {
    format!(
        "schema = 1\nname = \"one\"\nmonitor = \"main\"\n\n[[component]]\nname = \"main\"\nimage = \"{image}\"\n\
         cores = 0.01\nmemory = \"16m\"\ncommand = {command}\n"
    )
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_waits_is_listed_explained_held_and_released() {
    let env = TestEnv::with_options("nodes=n1:1:4g&images=all");
    let run = application("memory/one", r#"["run"]"#);
    env.write("small.toml", &run);
    env.write("big.toml", run.replace("0.01", "1"));
    let first = env
        .run(&["run", "-d", "big.toml", "--time-limit", "1h"])
        .expect(0);
    let second = env
        .run(&[
            "run",
            "-d",
            "big.toml",
            "--name",
            "second",
            "--priority",
            "-5",
        ])
        .expect(0);
    let line = json(&env.run(&["queue", "-o", "json"]).expect(0));
    assert_eq!(line[0]["id"], second.trim());
    assert_eq!(line[0]["waits_for"], "not-enough-cores");
    assert_eq!(
        (&line[0]["position"], &line[0]["priority"]),
        (&1.into(), &(-5).into())
    );
    assert!(line[0]["latest_start"].is_string(), "{line}");
    let explained = json(&env.run(&["explain", "second", "-o", "json"]).expect(0));
    let wait = &explained["wait"];
    assert_eq!(wait["holders"][0]["id"], first.trim());
    assert_eq!(wait["nodes"][0]["lacks"][0]["missing"], "1 core");
    let text = env.run(&["explain", "second"]).expect(0);
    assert!(text.contains("Place:       1 of 1\n"), "{text}");
    let table = env.run(&["queue"]).expect(0);
    assert!(table.contains("waits for 1 core: 0 of 1 free"), "{table}");
    assert_eq!(env.run(&["hold", "second"]).expect(0), second);
    let shown = json(&env.run(&["show", "second", "-o", "json"]).expect(0));
    assert_eq!(shown["held"], true);
    env.run(&["kill", first.trim()]).expect(0);
    let line = json(&env.run(&["queue", "-o", "json"]).expect(0));
    assert_eq!(line[0]["waits_for"], "held");
    env.run(&["release", "second"]).expect(0);
    let shown = json(&env.run(&["show", "second", "-o", "json"]).expect(0));
    assert_eq!(shown["state"], "running");
    let late = env.run(&["hold", "second"]).expect_error(4);
    assert!(
        late.contains("has begun: only what waits is held"),
        "{late}"
    );
    env.run(&["kill", "second"]).expect(0);
    let over = env.run(&["explain", "second"]).expect(0);
    assert!(over.contains("cancelled"), "{over}");
    assert_eq!(
        json(&env.run(&["queue", "-o", "json"]).expect(0)),
        json("[]")
    );
}

#[test]
fn users_have_quotas() {
    let env = TestEnv::with_options("nodes=n1:4:4g&images=all");
    env.write("job.toml", application("memory/one", r#"["run"]"#));
    env.run(&["run", "-d", "job.toml"]).expect(0);
    let user = env.ps()[0]["user"].as_str().unwrap().to_owned();
    let add = [
        "user",
        "add",
        &user,
        "--mail",
        "a@example.org",
        "--executions",
        "1",
    ];
    env.run(&add).expect(0);
    env.run(&add).expect_error(4);
    let shown = json(&env.run(&["user", "show", &user, "-o", "json"]).expect(0));
    assert_eq!(
        (&shown["quota"]["executions"], &shown["running"]),
        (&1.into(), &1.into())
    );
    let own = json(&env.run(&["user", "show", "-o", "json"]).expect(0));
    assert_eq!(own, shown);
    env.run(&["run", "-d", "job.toml"]).expect(0);
    let line = json(&env.run(&["queue", "-o", "json"]).expect(0));
    assert_eq!(line[0]["waits_for"], "quota");
    env.run(&["user", "set", &user, "--cores", "0.005"])
        .expect(0);
    let refused = env.run(&["run", "job.toml"]).expect_error(5);
    assert!(
        refused.contains("it needs 0.01 cores of at most 0.005"),
        "{refused}"
    );
    env.run(&[
        "user",
        "set",
        &user,
        "--cores",
        "none",
        "--executions",
        "default",
    ])
    .expect(0);
    assert_eq!(env.run(&["user", "ls"]).expect(0).lines().count(), 2);
    env.run(&["user", "rm", &user]).expect(0);
    env.run(&["user", "rm", &user]).expect_error(3);
    env.run(&["user", "set", &user, "--cores", "2"])
        .expect_error(3);
    env.run(&["user", "add", "a b"]).expect_error(2);
    env.run(&["kill", "--all", "-y"]).expect(0);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let env = TestEnv::with_options("nodes=n1:4:4g&images=all");
    env.write("job.toml", application("memory/one", r#"["run"]"#));
    for (arguments, code, why) in [
        (&["--array", "3-1"][..], 2, "is no array"),
        (&["--array", "0-5000"], 2, "more than 1000 members"),
        (
            &["--retries", "1", "--retry-on", "x"],
            2,
            "is not an exit code",
        ),
        (&["--retry-on", "1"], 2, "--retries"),
        (&["--after", "nobody"], 3, "there is no execution 'nobody'"),
        (&["--after", "nobody:never"], 2, "EXEC:ok or EXEC:any"),
        (&["--priority", "high"], 2, "--priority"),
    ] {
        let error = env
            .run(&[&["run", "job.toml"], arguments].concat())
            .expect_error(code);
        assert!(error.contains(why), "{arguments:?}: {error}");
    }
    assert!(env.ps().is_empty());
    env.run(&["resubmit", "nobody"]).expect_error(3);
    // How often it is run again may stay as it was.
    env.run(&["resubmit", "nobody", "--retry-on", "75"])
        .expect_error(3);
    env.run(&["release", "nobody"]).expect_error(3);
}

#[test]
fn on_the_engine_arrays_dependencies_and_retries() {
    let env = &TestEnv::new();
    let deployment = &Deployment::new();
    let zoe = |arguments: &[&str]| {
        let mut zoe = env.bare();
        zoe.env("ZOE_DEPLOYMENT", &deployment.name).args(arguments);
        Ran::command(&mut zoe)
    };
    let shell = |script: &str| application(TINY, &format!(r#"["sh", "-c", "{script}"]"#));
    env.write(
        "part.toml",
        shell("echo $$ZOE_ARRAY_INDEX of $$ZOE_ARRAY_COUNT; exit $$ZOE_ARRAY_INDEX"),
    );
    env.write("fails.toml", shell("echo try; exit 7"));
    env.write("slow.toml", shell("sleep 1"));
    env.write("last.toml", shell("echo done"));
    let ran = zoe(&["run", "--array", "0,3,2%2", "--name", "part", "part.toml"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 3);
    assert!(
        ran.stderr.contains("failed: main exited with 3"),
        "{}",
        ran.stderr
    );
    assert_eq!(zoe(&["logs", "part-3"]).expect(0), "3 of 3\n");

    let ran = zoe(&["run", "--retries", "1", "--name", "fails", "fails.toml"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (7, "try\ntry\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("it is run again at"), "{}", ran.stderr);
    assert_eq!(zoe(&["logs", "fails", "--attempt", "1"]).expect(0), "try\n");

    env.write("endless.toml", shell("sleep 60"));
    let limited = [
        "run",
        "--name",
        "limited",
        "--time-limit",
        "2s",
        "endless.toml",
    ];
    assert_eq!(zoe(&limited).code, 124);
    let limited = &json(&zoe(&["show", "limited", "-o", "json"]).expect(0));
    let moment = |key: &str| limited[key].as_str().unwrap().parse::<jiff::Timestamp>();
    let ran = moment("finished_at")
        .unwrap()
        .duration_since(moment("started_at").unwrap());
    assert!(ran >= jiff::SignedDuration::from_secs(2), "{limited}");

    zoe(&["run", "-d", "--name", "slow", "slow.toml"]).expect(0);
    let ran = zoe(&["run", "--after", "slow", "last.toml"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "done\n"),
        "{}",
        ran.stderr
    );
    let refused = zoe(&["run", "--after", "fails", "last.toml"]).expect_error(5);
    assert!(refused.contains("has not ended well"), "{refused}");
    let again = zoe(&["resubmit", "fails"]);
    assert_eq!((again.code, again.stdout.as_str()), (7, "try\ntry\n"));
    assert_eq!(deployment.left(), [""; 0]);
}

#[test]
fn the_name_of_an_array_means_all_of_it() {
    let env = TestEnv::with_options("nodes=n1:1:4g&images=all");
    env.write(
        "code.toml",
        application("memory/one", r#"["exit", "3", "after", "10ms"]"#),
    );
    let submit = [
        "run",
        "-d",
        "--array",
        "0-3",
        "--name",
        "g",
        "code.toml",
        "--hold",
    ];
    let ids = env.run(&submit).expect(0);
    let ids: Vec<&str> = ids.lines().collect();
    assert_eq!(ids.len(), 4);
    // More than the beginning of an id, which any of them may have.
    assert_eq!(env.run(&["kill", "g-1"]).expect(0).trim(), ids[1]);
    let killed = env.run(&["kill", "g-2"]);
    assert_eq!(killed.expect(0).trim(), ids[2]);
    assert_eq!(env.run(&["release", "g"]).expect(0).lines().count(), 2);
    assert_eq!(
        env.run(&["wait", "g"]).code,
        143,
        "the largest: two were cancelled"
    );
    assert_eq!(env.run(&["wait", "g-0", "g-3"]).code, 3);
    let over = env.run(&["kill", "g"]);
    assert_eq!(
        over.stderr.matches("was over already").count(),
        4,
        "{}",
        over.stderr
    );
    let refused = env
        .run(&["run", "-d", "code.toml", "--after", "g"])
        .expect_error(5);
    assert!(refused.contains("has not ended well"), "{refused}");
    env.run(&["run", "-d", "code.toml", "--after", "g:any"])
        .expect(0);
    let history = json(&env.run(&["history", "-o", "json"]).expect(0));
    let members: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["array"] == ids[0])
        .collect();
    let mut indices: Vec<u64> = members
        .iter()
        .map(|e| e["array_index"].as_u64().unwrap())
        .collect();
    indices.sort_unstable();
    assert_eq!(indices, [0, 1, 2, 3]);
    assert_eq!(env.run(&["rm", "g"]).expect(0).lines().count(), 4);
    env.run(&["wait", "g"]).expect_error(3);
}

/// A job that fails and is run once more, submitted by a zoe that was killed before it started anything: all that is to be
/// done is left to who waits for it.
fn failing() -> TestEnv {
    let env = TestEnv::with_options("nodes=n1:4:4g&images=all");
    let command = r#"["print", "ran", "exit", "7", "after", "10ms"]"#;
    env.write("job.toml", application("memory/one", command));
    let submit = ["run", "-d", "--retries", "1", "job.toml"];
    let ran = Ran::command(env.zoe().env("ZOE_TEST_GATE", "kill:2").args(submit));
    assert_eq!(ran.code, -1, "{}", ran.stderr);
    assert_eq!(env.ps().len(), 1);
    env
}

fn gated(env: &TestEnv, gate: &str) -> Ran {
    Ran::command(env.zoe().env("ZOE_TEST_GATE", gate).args(["wait", "last"]))
}

#[test]
fn a_zoe_that_is_killed_neither_loses_a_run_nor_counts_one_twice() {
    let env = failing();
    let file = env.path("calls");
    assert_eq!(gated(&env, &format!("count:{}", file.display())).code, 7);
    let calls = std::fs::read_to_string(&file).unwrap();
    let effects = calls
        .lines()
        .filter(|line| line.starts_with("effect "))
        .count();
    assert!(effects > 8, "{calls}");
    let numbers: Vec<usize> = (1..=effects).collect();
    for some in numbers.chunks(6) {
        std::thread::scope(|scope| {
            for n in some {
                scope.spawn(move || killed_at(*n));
            }
        });
    }
}

fn killed_at(n: usize) {
    let env = failing();
    gated(&env, &format!("kill:{n}"));
    let ran = env.run(&["wait", "last"]);
    assert_eq!(ran.code, 7, "killed at {n}: {}", ran.stderr);
    let shown = env.run(&["show", "last"]).expect(0);
    let failed = shown.lines().filter(|line| line.contains("attempt-failed"));
    assert_eq!(failed.count(), 1, "killed at {n}: {shown}");
    for attempt in ["1", "2"] {
        let logs = env.run(&["logs", "last", "--attempt", attempt]).expect(0);
        assert_eq!(logs, "ran\n", "killed at {n}");
    }
    let shown = json(&env.run(&["show", "last", "-o", "json"]).expect(0));
    let past = json(&env.run(&["history", "-o", "json"]).expect(0));
    for view in [&shown, &past[0]] {
        assert_eq!(view["attempt"], 2, "killed at {n}");
    }
    assert!(env.ps().is_empty(), "killed at {n}");
}
