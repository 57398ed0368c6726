//! `zoe history` as a program: filters, pages, columns, sums, and what ran at a time; the same on both kinds.

use serde_json::{Value, json};

use crate::common::{Ran, TestEnv};
use crate::{Place, job, known};

/// An export with 30 executions, one an hour, which ran for half an hour.
fn export() -> String {
    let mut lines = vec![json!({
        "format": "zoe-database", "version": 1, "schema": known(), "zoe": "0.1.0"
    })];
    let begin = 1_790_000_000_000_i64 / 86_400_000 * 86_400_000;
    for n in 0..30_i64 {
        let at = begin + n * 3_600_000;
        let id = format!(
            "aaaaaaa{}",
            char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::try_from(n).unwrap()])
        );
        lines.push(json!({"table": "executions", "row": {
            "deployment": "test", "id": id, "name": format!("job-{n}"), "user_name": if n % 3 == 0 { "ada" } else { "bob,\u{1b}[31m" },
            "application": "spark-submit", "description": "{}", "user_key": null, "submitted_at": at, "started_at": at,
            "exit_code": (n % 10 == 0).then_some(3), "outcome": if n % 10 == 0 { "failed" } else { "finished" },
            "reason": null, "logs": null, "ended_at": at + 1_800_000, "cores": 2000, "memory": 4_i64 << 30, "terms": null,
        }}));
    }
    lines.push(json!({"end": {"executions": 30}}));
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    lines.join("\n") + "\n"
}

fn stories(run: &dyn Fn(&[&str]) -> Ran) {
    let ids = |arguments: &[&str]| -> Vec<String> {
        let ran = run(&[&["history", "-o", "name"], arguments].concat());
        ran.expect(0).lines().map(str::to_owned).collect()
    };
    let all = ids(&[]);
    assert_eq!(all.len(), 30);
    // Page by page.
    let mut seen = ids(&["-n", "7"]);
    while seen.len() < 30 {
        let last = seen.last().unwrap().clone();
        seen.extend(ids(&["-n", "7", "--after", &last]));
    }
    assert_eq!(seen, all);
    let told = run(&["history", "-n", "7"]).expect_error(0);
    assert!(told.contains(&format!("--after {}", all[6])), "{told}");
    assert_eq!(
        run(&["history", "-n", "30", "--after", &all[6]]).expect_error(0),
        ""
    );
    run(&["history", "--after", "zzzzzzzz"]).expect_error(3);
    run(&["history", "--after", "x y"]).expect_error(3);

    assert_eq!(ids(&["--user", "ada", "--state", "failed"]).len(), 1);
    assert_eq!(ids(&["--name", "job-7"]), [all[22].clone()]);
    assert_eq!(ids(&["--application", "other"]), Vec::<String>::new());
    let day = "2026-09-21";
    assert_eq!(ids(&["--since", day, "--until", "2026-09-22"]).len(), 24);

    // What ran then: it began before, and ended after.
    let then = |time: &str| ids(&["--at", &format!("{day}T{time}Z")]);
    assert_eq!(then("07:10:00"), [all[22].clone()]);
    assert_eq!(then("07:40:00"), Vec::<String>::new());
    assert_eq!(then("07:00:00"), [all[22].clone()]);

    let csv = run(&[
        "history",
        "-o",
        "csv",
        "--columns",
        "id,user,exit_code,runtime_seconds",
        "-n",
        "2",
    ])
    .expect(0);
    let expected = format!(
        "id,user,exit_code,runtime_seconds\n{},\"bob,\\u{{1b}}[31m\",0,1800\n{},\"bob,\\u{{1b}}[31m\",0,1800\n",
        all[0], all[1]
    );
    assert_eq!(
        csv.replace("\\u001b", "\\u{1b}").replace("^[", "\\u{1b}"),
        expected
    );
    let whole = run(&["history", "-o", "csv", "--no-header"]).expect(0);
    assert_eq!(whole.lines().count(), 30);
    let table = run(&["history", "--columns", "state,id", "-n", "1"]).expect(0);
    assert_eq!(
        table.split_whitespace().collect::<Vec<_>>(),
        ["STATE", "ID", "finished", &all[0]]
    );
    run(&["history", "--columns", "colour"]).expect_error(2);
    run(&["history", "--columns", "id", "-o", "json"]).expect_error(2);

    let sums: Value =
        serde_json::from_str(&run(&["history", "--sum", "user", "-o", "json"]).expect(0)).unwrap();
    assert_eq!(
        sums[1],
        json!({"user": "ada", "executions": 10, "failed": 1, "core_hours": 10.0, "gib_hours": 20.0})
    );
    let sums = run(&[
        "history",
        "--sum",
        "application",
        "-o",
        "csv",
        "--since",
        day,
        "--until",
        "2026-09-22",
    ])
    .expect(0);
    assert_eq!(
        sums,
        "application,executions,failed,core_hours,gib_hours\nspark-submit,24,3,24.00,48.00\n"
    );
    let sums = run(&["history", "--sum", "user"]).expect(0);
    assert!(sums.contains("all") && sums.contains("30.00"), "{sums}");
    run(&["history", "--sum", "user", "-o", "wide"]).expect_error(2);
    let error = run(&["history", "--at", "2999-01-01"]).expect_error(2);
    assert!(error.contains("is in the future"), "{error}");
    let turned = ["history", "--since", "2026-09-22", "--until", "2026-09-21"];
    run(&turned).expect_error(2);
}

#[test]
fn of_a_file() {
    let env = TestEnv::new();
    env.write("site.jsonl", export());
    env.run(&["db", "import", "site.jsonl"]).expect(0);
    stories(&|arguments| env.run(arguments));
    // What runs still is in what runs now.
    let file = job(&env, "\"run\"");
    let id = env.run(&["run", "-d", "--name", "lasting", file]).expect(0);
    let then = jiff::Timestamp::now().to_string();
    let now = env.run(&["history", "--at", &then, "-o", "json"]).expect(0);
    let now: Vec<Value> = serde_json::from_str(&now).unwrap();
    assert_eq!(
        (now.len(), &now[0]["id"], &now[0]["state"]),
        (1, &id.trim().into(), &"running".into())
    );
    let others = env.run(&["history", "--at", &then, "--user", "nobody", "-o", "name"]);
    assert_eq!(others.expect(0), "");
}

#[test]
fn of_a_server() {
    let place = Place::new();
    place.env.write("site.jsonl", export());
    place.run(&["db", "import", "site.jsonl"]).expect(0);
    stories(&|arguments| place.run(arguments));
}
