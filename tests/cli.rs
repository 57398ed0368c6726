//! The binary from outside, over a Docker that is a file: what is printed, where, and with which exit code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "it is a test, helpers included"
)]

mod common;

use common::{Ran, TestEnv};

/// An application whose only component does what `command` says.
fn app(env: &TestEnv, name: &str, command: &[&str]) -> String {
    let words: Vec<String> = command.iter().map(|w| format!("{w:?}")).collect();
    let text = format!(
        "schema = 1\nname = \"{name}\"\ndescription = \"a test\"\nmonitor = \"main\"\n\n\
         [[component]]\nname = \"main\"\nimage = \"test/{name}:1\"\ncores = 0.5\nmemory = \"64m\"\ncommand = [{}]\n",
        words.join(", ")
    );
    env.write(&format!("{name}.toml"), text);
    format!("{name}.toml")
}

#[test]
fn an_attached_run_is_the_job_s_output_and_exit_code() {
    let env = TestEnv::new();
    let job = app(
        &env,
        "job",
        &[
            "print", "out", "error", "err", "exit", "3", "after", "100ms",
        ],
    );
    let ran = env.run(&["run", &job]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (3, "out\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("err\n"), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    assert!(env.ps().is_empty());
    let history: serde_json::Value =
        serde_json::from_str(&env.run(&["history", "-o", "json"]).expect(0)).unwrap();
    assert_eq!(
        (&history[0]["state"], &history[0]["exit_code"]),
        (&"failed".into(), &3.into())
    );
    assert_eq!(env.run(&["wait", "last"]).code, 3);
    assert_eq!(env.run(&["logs", "last"]).expect(0), "out\n");
}

#[test]
fn quiet_says_nothing_but_the_job_s_own() {
    let env = TestEnv::new();
    let job = app(&env, "job", &["print", "out"]);
    let ran = env.run(&["-q", "run", &job]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "out\n", "")
    );
}

#[test]
fn a_detached_run_prints_its_id_and_is_found_by_it() {
    let env = TestEnv::new();
    let job = app(&env, "job", &["run"]);
    let id = env.run(&["run", "-d", "--name", "nightly", &job]).expect(0);
    let id = id.trim();
    assert_eq!(id.len(), 8);
    let listed = env.ps();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["state"], &listed[0]["name"]),
        (&id.into(), &"running".into(), &"nightly".into())
    );
    for text in [id, &id[..5], "nightly", "last"] {
        assert!(env.run(&["show", text]).expect(0).contains(id), "{text}");
    }
    assert_eq!(env.run(&["ps", "-q"]).expect(0), format!("{id}\n"));
    assert_eq!(
        env.run(&["ps", "--format", "{{ name }}:{{ components[0].running }}"])
            .expect(0),
        "nightly:1\n"
    );
    assert_eq!(
        env.run(&["ps", "-q", "--filter", "state=queued"]).expect(0),
        ""
    );
    assert_eq!(env.run(&["wait", "--for", "running", id]).code, 0);
    assert_eq!(env.run(&["kill", "nightly"]).expect(0), format!("{id}\n"));
    assert_eq!(env.run(&["wait", id]).code, 143);
    assert_eq!(
        env.run(&["kill", id]).expect_error(0),
        format!("{id} was over already\n")
    );
    assert_eq!(env.run(&["rm", id]).expect(0), format!("{id}\n"));
    assert_eq!(env.run(&["show", id]).code, 3);
}

#[test]
fn mistakes_get_a_sentence_and_their_exit_code() {
    let env = TestEnv::with_options("cores=2&memory=4g&images=all");
    let job = app(&env, "job", &["run"]);
    env.write("bad.zip", "no zip");
    env.write("pi.py", "print(3)");
    env.write("broken.toml", "schema = 1\nname = \"x\"\ncolour = 3\n");
    let cases: &[(&[&str], i32, &str)] = &[
        (&["show", "nobody"], 3, "nobody"),
        (&["logs", "nobody"], 3, "nobody"),
        (&["wait", "nobody"], 3, "nobody"),
        (&["kill", "nobody"], 3, "nobody"),
        (&["wait"], 2, "EXEC"),
        (&["kill"], 2, "EXEC"),
        (&["kill", "--all"], 2, "--yes"),
        (&["submit", "missing.py"], 2, "missing.py"),
        (&["submit", "bad.zip", "--main", "a.py"], 2, "bad.zip"),
        (&["submit", "pi.py", "--main", "other.py"], 2, "--main"),
        (&["submit", "pi.py", "--worker-memory", "2x"], 2, "512m"),
        (&["submit", "pi.py", "--workers", "0"], 2, "--workers"),
        (&["submit", "pi.py", "--name", "has space"], 2, "a–z"),
        (
            &["submit", "pi.py", "--name", &"x".repeat(300)],
            2,
            "too long",
        ),
        (
            &["submit", "pi.py", "--env", "NOT_SET_ANYWHERE"],
            2,
            "NOT_SET_ANYWHERE",
        ),
        (&["submit", "pi.py", "--timeout", "soon"], 2, "1h30m"),
        (
            &["submit", "pi.py", "--set", "worker.colour=red"],
            2,
            "colour",
        ),
        (&["submit", "pi.py", "--workers", "50"], 5, "50"),
        (&["run", "nothing-built-in"], 2, "nothing-built-in"),
        (&["run", "broken.toml"], 2, "colour"),
        (&["ps", "--format", "{{ idd }}"], 2, "idd"),
        (&["ps", "--filter", "state=dead"], 2, "dead"),
        (
            &["--config", "/nowhere/zoe.conf", "ps"],
            2,
            "/nowhere/zoe.conf",
        ),
        (&["--deployment", "Not Good", "ps"], 2, "deployment"),
        (&["images", "build", "no-such-image"], 2, "no-such-image"),
    ];
    for (arguments, code, sentence) in cases {
        let ran = env.run(arguments);
        assert_eq!(ran.code, *code, "{arguments:?}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(sentence),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(
            ran.stderr.starts_with("error: ") && ran.stdout.is_empty(),
            "{arguments:?}: {} {}",
            ran.stdout,
            ran.stderr
        );
        assert!(
            !ran.stderr.contains("panicked") && !ran.stderr.contains("src/"),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    assert!(env.ps().is_empty());
    env.run(&["run", "-d", "--name", "a", &job]).expect(0);
    assert!(
        env.run(&["run", "-d", "--name", "a", &job])
            .expect_error(4)
            .contains("'a'")
    );
}

#[test]
fn no_docker_is_a_sentence() {
    let env = TestEnv::new();
    let ran = Ran::command(
        env.bare()
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
            .arg("ps"),
    );
    let said = ran.expect_error(125);
    assert!(
        said.starts_with("error: cannot reach Docker at") && said.contains("hint: "),
        "{said}"
    );
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let env = TestEnv::new();
    let zoe = assert_cmd::cargo::cargo_bin("zoe");
    let script = format!(
        "{} app show spark-notebook | head -1; echo ${{PIPESTATUS[0]}}",
        zoe.display()
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(env.path("work"))
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(out.ends_with("\n0\n") && err.is_empty(), "{out} {err}");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let env = TestEnv::new();
    let job = app(&env, "job", &["run"]);
    env.run(&["run", "-d", &job]).expect(0);
    let colored = |command: &mut assert_cmd::Command| {
        Ran::command(command.arg("ps")).expect(0).contains('\u{1b}')
    };
    assert!(!colored(&mut env.zoe()));
    assert!(!colored(env.zoe().args(["--color", "never"])));
    assert!(colored(env.zoe().args(["--color", "always"])));
    assert!(colored(
        env.zoe().env("NO_COLOR", "1").args(["--color", "always"])
    ));
    assert!(!env.run(&["ps", "--no-header"]).expect(0).contains("STATE"));
    let narrow = Ran::command(env.zoe().env("COLUMNS", "80").arg("ps")).expect(0);
    assert!(
        narrow.lines().all(|line| line.chars().count() <= 80),
        "{narrow}"
    );
}

#[test]
fn a_key_submits_once() {
    let env = TestEnv::new();
    let job = app(&env, "job", &["print", "once", "exit", "7"]);
    assert_eq!(env.run(&["run", "--key", "k1", &job]).expect(7), "once\n");
    let again = env.run(&["run", "--key", "k1", &job]);
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (7, ""),
        "{}",
        again.stderr
    );
}

#[test]
fn time_runs_out_for_jobs_and_for_waiting() {
    let env = TestEnv::new();
    let job = app(&env, "job", &["run"]);
    assert_eq!(env.run(&["run", "--timeout", "1s", &job]).code, 124);
    env.run(&["run", "-d", "--name", "long", &job]).expect(0);
    assert_eq!(env.run(&["wait", "long", "--timeout", "1s"]).code, 124);
    assert_eq!(env.ps().len(), 1);
    env.run(&["kill", "--all", "-y"]).expect(0);
    assert!(env.ps().is_empty());
}

#[test]
fn the_caller_s_environment_comes_along_and_is_not_shown() {
    let env = TestEnv::new();
    let job = app(&env, "job", &["env", "TOKEN"]);
    let ran = Ran::command(
        env.zoe()
            .env("TOKEN", "hunter2")
            .args(["run", "--env", "TOKEN", &job]),
    );
    assert_eq!(ran.expect(0), "hunter2\n");
    let forever = app(&env, "forever", &["run"]);
    env.run(&["run", "-d", "--env", "TOKEN=hunter2", &forever])
        .expect(0);
    for arguments in [["show", "last", "-o", "json"], ["ps", "-a", "-o", "json"]] {
        assert!(!env.run(&arguments).expect(0).contains("hunter2"));
    }
}

#[test]
fn configuration_is_written_shown_and_checked() {
    let env = TestEnv::new();
    env.run(&["write-config", "zoe.conf"]).expect(0);
    assert_eq!(env.run(&["write-config", "zoe.conf"]).code, 2);
    assert_eq!(
        env.run(&["write-config", "-"]).expect(0),
        std::fs::read_to_string(env.path("work/zoe.conf")).unwrap()
    );
    env.run(&["config", "check"]).expect(0);
    assert!(
        env.run(&["config", "show", "--origin"])
            .expect(0)
            .contains("# ZOE_DEPLOYMENT\ndeployment = test\n")
    );
    env.write(
        "zoe.conf",
        "[docker]\nprivat_registry = x\n[nosuch]\na = b\n",
    );
    let said = env.run(&["config", "check"]).expect_error(2);
    assert!(
        said.contains("zoe.conf:2") && said.contains("private_registry") && said.contains("nosuch"),
        "{said}"
    );
    let empty = env.write("password", "\n");
    env.write(
        "zoe.conf",
        format!(
            "[db]\npassword_file = {}\n[smtp]\nuser = zoe\npassword_file = /nowhere/password\n\
             [apache]\nproxy_config_file = /nowhere/routes\n",
            empty.display()
        ),
    );
    let said = env.run(&["config", "check"]).expect_error(2);
    for part in [
        "first line, which is the password, is empty",
        "/nowhere/password: it cannot be read",
        "/nowhere/routes: the directory it is to be in is not there",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn applications_are_listed_shown_and_validated() {
    let env = TestEnv::new();
    let listed = env.run(&["app", "ls", "--no-header"]).expect(0);
    let names: Vec<&str> = listed
        .lines()
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    assert_eq!(
        names,
        [
            "dask-cluster",
            "jupyter",
            "spark-cluster",
            "spark-notebook",
            "spark-submit"
        ]
    );
    for name in names {
        let text = env.run(&["app", "show", name]).expect(0);
        let file = format!("{name}.toml");
        env.write(&file, text);
        env.run(&["app", "validate", &file]).expect(0);
    }
    env.write(
        "bad.toml",
        "schema = 1\nname = \"x\"\n[[component]]\nname = \"A b\"\ncores = \"many\"\n",
    );
    let said = env
        .run(&["app", "validate", "bad.toml", "jupyter.toml"])
        .expect_error(2);
    assert!(
        said.contains("error: ") && said.contains("jupyter.toml: right"),
        "{said}"
    );
}

#[test]
fn usage_is_shown_for_people_and_programs() {
    let env = TestEnv::new();
    let job = app(&env, "job", &["run"]);
    env.run(&["run", "-d", &job]).expect(0);
    assert!(env.run(&["top"]).expect(0).contains("main-0"));
    let rows: serde_json::Value =
        serde_json::from_str(&env.run(&["top", "last", "-o", "json"]).expect(0)).unwrap();
    assert_eq!(rows[0]["component"], "main");
    let status: serde_json::Value =
        serde_json::from_str(&env.run(&["status", "-o", "json"]).expect(0)).unwrap();
    assert_eq!(status["executions"]["running"], 1);
    assert_eq!(status["nodes"][0]["held"]["cores"], 0.5);
    assert!(env.run(&["images", "ls"]).expect(0).starts_with("NAME"));
}

#[test]
fn ctrl_c_detaches_and_says_how_to_go_on() {
    let env = TestEnv::new();
    let job = app(&env, "job", &["print", "begun", "run"]);
    let attached = env.start(&["run", "--name", "long", &job]);
    env.until("it runs", |env| {
        env.ps().first().is_some_and(|e| e["state"] == "running")
    });
    let ran = Ran::signalled(attached, "INT");
    let id = env.ps()[0]["id"].as_str().unwrap().to_owned();
    assert!(
        ran.stderr.contains(&format!("zoe logs -f {id}")),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains(&format!("zoe kill {id}")),
        "{}",
        ran.stderr
    );
    ran.expect(130);
    assert_eq!(env.ps()[0]["state"], "running");
    assert_eq!(env.run(&["logs", "long"]).expect(0), "begun\n");
}

#[test]
fn watching_shows_changes_and_ends_with_ctrl_c() {
    let env = TestEnv::new();
    let job = app(&env, "job", &["run"]);
    let mut watching = env.start(&["ps", "-w", "-o", "name"]);
    let id = env.run(&["run", "-d", &job]).expect(0);
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(watching.stdout.take().unwrap()));
    assert_eq!(lines.next().unwrap().unwrap(), id.trim());
    Ran::signalled(watching, "INT").expect(0);
}
