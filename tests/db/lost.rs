//! The server goes away under commands and under `zoe watch`, and comes back.

use std::fs::File;
use std::process::Stdio;

use serde_json::Value;

use crate::common::Ran;
use crate::{Place, job};

#[test]
fn what_needs_no_history_works_without_the_server_and_the_rest_says_why_not() {
    let mut place = Place::new();
    let file = job(&place.env, "\"run\"");
    place
        .run(&["run", "-d", "--name", "lasting", file])
        .expect(0);
    place.server.kill();
    for arguments in [&["ps"][..], &["logs", "lasting"], &["show", "lasting"]] {
        place.run(arguments).expect(0);
    }
    for arguments in [&["history"][..], &["user", "ls"], &["db", "status"]] {
        let error = place.run(arguments).expect_error(125);
        assert!(
            error.contains("nothing answers there (connection refused)"),
            "{error}"
        );
        assert!(!error.contains("s3cret"), "{error}");
    }
    // What is submitted is not lost, and waits.
    let waits = place.run(&["run", "-d", "--name", "waits", file]);
    assert!(
        waits.stderr.contains("nothing answers there"),
        "{}",
        waits.stderr
    );
    let listed = place.run(&["ps"]);
    assert!(
        listed.stderr.contains("nothing that is queued is started"),
        "{}",
        listed.stderr
    );
    let waits = listed.stdout.lines().find(|line| line.contains("waits"));
    assert!(
        waits.is_some_and(|line| line.contains("queued")),
        "{}",
        listed.stdout
    );
    place.server.again();
    place.run(&["watch", "--once"]).expect(0);
    place.run(&["kill", "lasting", "waits"]).expect(0);
    let history = place.run(&["history", "-o", "json"]).expect(0);
    let history: Vec<Value> = serde_json::from_str(&history).unwrap();
    assert_eq!(history.len(), 2);
}

#[test]
fn a_watch_says_degraded_and_recovered_and_loses_nothing() {
    let mut place = Place::new();
    let file = job(&place.env, "\"exit\", \"0\", \"after\", \"300ms\"");
    let log = place.env.path("watch.log");
    let mut command = place.zoe(&["watch", "--log-format", "json", "--interval", "1s"]);
    let mut watch = std::process::Command::new(command.get_program());
    watch
        .args(command.get_args())
        .env_clear()
        .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .current_dir(place.env.path("work"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log).unwrap());
    let watch = watch.spawn().unwrap();
    command.timeout(crate::common::PATIENCE);
    let said = |what: &str| {
        let text = std::fs::read_to_string(&log).unwrap();
        let message = format!("\"message\":\"{what}\"");
        text.lines().filter(|line| line.contains(&message)).count()
    };
    for round in 1..=3 {
        place.server.kill();
        let name = format!("job{round}");
        place.run(&["run", "-d", "--name", &name, file]);
        place.env.until("it says so", |_| said("degraded") >= round);
        place.server.again();
        place
            .env
            .until("it is back", |_| said("recovered") >= round);
        place.env.until("the job is over", |_| {
            place.run(&["ps", "-o", "name"]).expect(0).is_empty()
        });
    }
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(!text.contains("s3cret"), "{text}");
    assert_eq!(Ran::signalled(watch, "TERM").code, 0);
    let history = place.run(&["history", "-o", "json"]).expect(0);
    let history: Vec<Value> = serde_json::from_str(&history).unwrap();
    assert_eq!(history.len(), 3);
    assert!(
        history.iter().all(|one| one["state"] == "finished"),
        "{history:#?}"
    );
}
