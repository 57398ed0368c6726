//! `zoe simulate` from outside: what it prints, draws and refuses. What holds for every workload is beside the code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "it is a test, helpers included"
)]

mod common;

use common::{Ran, TestEnv};
use serde_json::Value;

const HEADER: &str = "submit,user,runtime,core,elastic,cores,memory\n";

/// The example of "Flexible Scheduling of Distributed Analytic Applications": ten units of one resource.
fn example(env: &TestEnv) {
    let jobs = "0,ann,10,3,4,1,0\n0,bob,10,3,3,1,0\n0,cid,10,3,5,1,0\n0,dan,10,3,2,1,0\n";
    env.write("paper.csv", format!("{HEADER}{jobs}"));
}

fn json(env: &TestEnv, arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["simulate"];
    all.extend(arguments);
    all.extend(["-o", "json"]);
    let printed = env.run(&all).expect(0);
    serde_json::from_str(&printed).unwrap()
}

/// A picture, which must be XML.
fn picture(env: &TestEnv, name: &str) -> String {
    let text = std::fs::read_to_string(env.path(format!("work/{name}"))).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    assert_eq!(document.root_element().tag_name().name(), "svg");
    text
}

#[test]
fn the_paper_s_example_has_its_numbers() {
    let env = TestEnv::new();
    example(&env);
    let outcomes = json(
        &env,
        &[
            "paper.csv",
            "--nodes",
            "1x10c1g",
            "--mode",
            "rigid,flexible",
        ],
    );
    let shown: Vec<String> = outcomes
        .iter()
        .map(|one| {
            let turnarounds: Vec<String> = one["turnarounds"]
                .as_array()
                .unwrap()
                .iter()
                .map(|t| format!("{:.2}", t.as_f64().unwrap()))
                .collect();
            format!(
                "{} {} {:.2}: {}",
                one["policy"].as_str().unwrap(),
                one["mode"].as_str().unwrap(),
                one["mean_turnaround"].as_f64().unwrap(),
                turnarounds.join(" ")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "fifo rigid 25.00: 10.00 20.00 30.00 40.00",
            "fifo flexible 19.25: 10.00 15.00 23.57 28.43",
        ]
    );
    assert_eq!(outcomes[0]["waitings"][3], 30.0);
    assert_eq!(outcomes[0]["slowdowns"][3], 4.0);
    assert_eq!(outcomes[0]["makespan"], 40.0);
    assert_eq!(outcomes[0]["cores_allocated"], 0.65);
    let allocation = &outcomes[0]["allocation"];
    assert_eq!(
        (&allocation[0]["cores"], &allocation[0]["queued"]),
        (&7.into(), &3.into())
    );
}

#[test]
fn a_table_has_a_row_for_each_policy_and_mode() {
    let env = TestEnv::new();
    example(&env);
    let table = env
        .run(&[
            "simulate",
            "paper.csv",
            "--nodes",
            "1x10c1g",
            "--policy",
            "fifo,size,dynsize,hrrn,fair",
            "--mode",
            "rigid,flexible",
        ])
        .expect(0);
    insta::assert_snapshot!(table.lines().take(3).collect::<Vec<_>>().join("\n"), @r"
    POLICY   MODE      DONE  TURNAROUND    T50    T95  WAITING    W50    W95  SLOWDOWN   S50   S95  CORES  MEMORY  MAKESPAN
    fifo     rigid        4       25.00  25.00  40.00    15.00  15.00  30.00      2.50  2.50  4.00  65.0%    0.0%     40.00
    fifo     flexible     4       19.25  19.29  28.43     6.25   5.00  15.00      1.93  1.93  2.84  91.5%    0.0%     28.43
    ");
    assert_eq!(table.lines().count(), 11);
}

#[test]
fn pictures_are_xml_whatever_users_are_called() {
    let env = TestEnv::new();
    let hostile = "0,\"</text><script>alert('&amp;')</script>\u{1b}[31m\u{0}\",10,1,2,1,0\n";
    env.write(
        "few.csv",
        format!("{HEADER}{hostile}5,bob,3,2,0,1,0\n0,x,1,50,0,1,0\n"),
    );
    let few = ["few.csv", "--nodes", "1x2c1g", "--svg", "few.svg"];
    let ran = env.run(&[&["simulate"][..], &few].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    let text = picture(&env, "few.svg");
    assert!(!text.contains("<script"), "{text}");
    assert!(text.contains("refused"), "{text}");
    json(
        &env,
        &[
            "--generate",
            "google-like:300",
            "--nodes",
            "4x32c128g",
            "--policy",
            "fifo,hrrn",
            "--svg",
            "many.svg",
        ],
    );
    assert_eq!(picture(&env, "many.svg").matches("<polyline").count(), 6);
}

#[test]
fn one_thing_goes_to_standard_output() {
    let env = TestEnv::new();
    let usual = ["--generate", "google-like:20", "--nodes", "4x32c128g"];
    let run = |more: &[&str]| env.run(&[&["simulate"][..], &usual, more].concat());
    let svg = run(&["--svg", "-"]).expect(0);
    assert!(svg.starts_with("<svg") || svg.starts_with("<?xml"), "{svg}");
    assert!(roxmltree::Document::parse(&svg).is_ok());
    let csv = run(&["--save", "-"]).expect(0);
    assert!(csv.starts_with(HEADER), "{csv}");
    assert!(!env.path("work/-").exists());
    for two in [["--svg", "-", "--save", "-"], ["--svg", "-", "-o", "json"]] {
        let error = run(&two).expect_error(2);
        assert!(error.contains("only one thing"), "{error}");
    }
    let same = run(&["--svg", "x.svg", "--save", "x.svg"]).expect_error(2);
    assert!(same.contains("the same file"), "{same}");
    // Who only wants the workload needs no nodes for it; a picture is one of them.
    let alone = [&["simulate"], &usual[..2], &["--save", "-"]].concat();
    assert_eq!(env.run(&alone).expect(0), csv);
    let drawn = [&alone[..], &["--svg", "x.svg"]].concat();
    let error = env.run(&drawn).expect_error(2);
    assert!(error.contains("--nodes"), "{error}");
}

#[test]
fn all_policies_and_modes_can_be_asked_for_at_once() {
    let env = TestEnv::new();
    let all = json(
        &env,
        &[
            "--generate",
            "google-like:20",
            "--nodes",
            "4x32c128g",
            "--policy",
            "all",
            "--mode",
            "all",
        ],
    );
    let pairs: Vec<_> = all
        .iter()
        .map(|one| {
            (
                one["policy"].as_str().unwrap(),
                one["mode"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(pairs.len(), 10, "{pairs:?}");
    assert_eq!(&pairs[..2], [("fifo", "rigid"), ("fifo", "flexible")]);
}

#[test]
fn what_fits_no_node_is_named_and_the_rest_runs() {
    let env = TestEnv::new();
    env.write(
        "big.csv",
        format!("{HEADER}0,ann,10,1,3,1,1g\n0,bob,10,1,0,64,1g\n1,cid,5,2,9,1,1g\n"),
    );
    let ran = env.run(&[
        "simulate",
        "big.csv",
        "--nodes",
        "1x4c8g",
        "--mode",
        "rigid,flexible",
        "-o",
        "json",
    ]);
    let outcomes: Vec<Value> = serde_json::from_str(&ran.expect(0)).unwrap();
    let refused = |n: usize| -> Vec<u64> {
        let refused = outcomes[n]["refused"].as_array().unwrap();
        refused
            .iter()
            .map(|one| one["application"].as_u64().unwrap())
            .collect()
    };
    assert_eq!((refused(0), refused(1)), (vec![2, 3], vec![2]));
    assert_eq!(outcomes[1]["turnarounds"][1], Value::Null);
    assert_eq!(
        (&outcomes[1]["finished"], &outcomes[0]["finished"]),
        (&2.into(), &1.into())
    );
}

#[test]
fn a_workload_is_made_up_saved_and_read_back() {
    let env = TestEnv::new();
    let nodes = ["--nodes", "6x32c128g"];
    let made = json(
        &env,
        &[
            &["--generate", "google-like:200:7", "--save", "w.csv"],
            &nodes[..],
        ]
        .concat(),
    );
    let read = json(&env, &[&["w.csv"], &nodes[..]].concat());
    assert_eq!(made, read);
    let again = json(
        &env,
        &[&["--generate", "google-like:200:7"], &nodes[..]].concat(),
    );
    assert_eq!(made, again);
    let csv = std::fs::read_to_string(env.path("work/w.csv")).unwrap();
    assert!(csv.starts_with(HEADER), "{csv}");
    let mut piped = env.zoe();
    piped
        .args(["simulate", "-", "--nodes", "6x32c128g", "-o", "json"])
        .write_stdin(csv);
    let piped = Ran::command(&mut piped);
    assert_eq!(
        serde_json::from_str::<Vec<Value>>(&piped.expect(0)).unwrap(),
        made
    );
}

/// What is wrong gets one sentence with its line, and the code of bad input.
#[test]
fn what_is_wrong_is_said() {
    let env = TestEnv::new();
    env.write(
        "bad.csv",
        format!("{HEADER}0,ann,10,1,0,1,1g\n0,ann,ten,1,0,1,1g\n"),
    );
    env.write("no.csv", "submit,user\n");
    for (arguments, said) in [
        (
            &["bad.csv", "--nodes", "1x4c8g"][..],
            "bad.csv, line 3: runtime: 'ten' is not a number of seconds",
        ),
        (
            &["no.csv", "--nodes", "1x4c8g"],
            "no.csv, line 1: the header has no runtime",
        ),
        (
            &["none.csv", "--nodes", "1x4c8g"],
            "cannot read the workload none.csv",
        ),
        (
            &["bad.csv", "--nodes", "4 big ones"],
            "'4 big ones' are no machines",
        ),
        (
            &["bad.csv", "--nodes", "1x4c8g", "--policy", "lifo"],
            "'lifo' is no policy; there are fifo, size, dynsize, hrrn, fair",
        ),
        (
            &["bad.csv", "--nodes", "1x4c8g", "--mode", "elastic"],
            "'elastic' is no mode; there are rigid, flexible",
        ),
        (
            &["--generate", "google-like:many", "--nodes", "1x4c8g"],
            "'google-like:many' is nothing that can be made up",
        ),
        (&["--nodes", "1x4c8g"], "WORKLOAD"),
    ] {
        let ran = env.run(&[&["simulate"], arguments].concat());
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

/// A site's own past is a workload, and `simulate` takes it.
#[test]
fn history_is_a_workload() {
    let env = TestEnv::new();
    for (name, elastic, code) in [("small", 0, "0"), ("large", 2, "3")] {
        let text = format!(
            "schema = 1\nname = \"{name}\"\ndescription = \"a test\"\nmonitor = \"main\"\n\n[[component]]\n\
             name = \"main\"\nimage = \"test/main:1\"\ncores = 0.5\nmemory = \"64m\"\n\
             command = [\"exit\", \"{code}\", \"after\", \"300ms\"]\n\n[[component]]\nname = \"worker\"\n\
             image = \"test/worker:1\"\ncores = 1\nmemory = \"128m\"\ncore = 1\nelastic = {elastic}\ncommand = [\"run\"]\n"
        );
        let file = format!("{name}.toml");
        env.write(&file, text);
        assert_eq!(env.run(&["run", &file]).code.to_string(), code);
    }
    let csv = env.run(&["history", "--as-workload"]).expect(0);
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(format!("{}\n", rows[0].join(",")), HEADER);
    let shape = |row: &[&str]| row[3..].join(",");
    assert_eq!(rows.len(), 3, "{csv}");
    assert_eq!(rows[1][0], "0");
    assert_eq!(shape(&rows[1]), "2,0,0.75,100663296");
    assert_eq!(shape(&rows[2]), "2,2,0.875,117440512");
    let past = env.run(&["history", "-o", "json"]).expect(0);
    let past: Vec<Value> = serde_json::from_str(&past).unwrap();
    for (row, record) in rows[1..].iter().zip(past.iter().rev()) {
        let seconds: f64 = row[2].parse().unwrap();
        let at = |key: &str| -> jiff::Timestamp { record[key].as_str().unwrap().parse().unwrap() };
        let ran = at("finished_at").duration_since(at("started_at"));
        // What counts is the time from when all of it had been started, which is written down a little later.
        assert!(
            seconds > 0.0 && seconds < ran.as_secs_f64() + 0.002,
            "{csv}{record}"
        );
    }
    env.write("past.csv", &csv);
    let outcomes = json(&env, &["past.csv", "--nodes", "1x8c16g"]);
    let runtimes: Vec<f64> = rows[1..].iter().map(|r| r[2].parse().unwrap()).collect();
    assert_eq!(outcomes[0]["turnarounds"], serde_json::json!(runtimes));
    let ran = env.run(&["history", "--as-workload", "--state", "failed"]);
    assert_eq!(ran.expect(0).lines().count(), 2);
    assert_eq!(env.run(&["history", "--as-workload", "-o", "json"]).code, 2);
}

/// Four cores. `a` has three of them until 10; `b` needs all; `c` and `d` need one for 5 and for 15 seconds.
const CROWD: [&str; 4] = ["0,a,10,3", "0,b,10,4", "0,c,5,1", "0,d,15,1"];

#[test]
fn who_ends_before_the_first_needs_the_room_goes_before_it() {
    let env = TestEnv::new();
    let header = HEADER.trim_end();
    let unlimited: String = CROWD.map(|job| format!("{job},0,1,0\n")).concat();
    env.write("free.csv", format!("{header}\n{unlimited}"));
    // Each says how long it takes.
    let limited: String = CROWD
        .map(|job| format!("{job},0,1,0,{}\n", job.split(',').nth(2).unwrap()))
        .concat();
    env.write("limited.csv", format!("{header},time_limit\n{limited}"));
    let turnarounds = |arguments: &[&str]| {
        let mut all = vec!["--nodes", "1x4c1g", "--mode", "rigid,flexible"];
        all.extend(arguments);
        let outcomes = json(&env, &all);
        assert_eq!(outcomes[0]["turnarounds"], outcomes[1]["turnarounds"]);
        assert_eq!(outcomes[0]["timed_out"], 0);
        outcomes[0]["turnarounds"].clone()
    };
    // Nobody knows how long anything takes: c waits for b, which waits for a.
    let one_by_one = serde_json::json!([10.0, 20.0, 25.0, 35.0]);
    assert_eq!(turnarounds(&["free.csv"]), one_by_one);
    // b can start at 10: c is over by then, d is not.
    let backfilled = serde_json::json!([10.0, 20.0, 5.0, 35.0]);
    assert_eq!(turnarounds(&["limited.csv"]), backfilled);
    assert_eq!(turnarounds(&["free.csv", "--time-limits", "1"]), backfilled);
    // As far as anybody knows a takes until 20: d is over by then, too. That a is over at 10 does not help b.
    let early = serde_json::json!([10.0, 30.0, 5.0, 20.0]);
    let generous = limited.replacen(",10\n", ",20\n", 1);
    env.write("generous.csv", format!("{header},time_limit\n{generous}"));
    assert_eq!(turnarounds(&["generous.csv"]), early);
}

#[test]
fn the_configuration_says_how_sizes_age() {
    let env = TestEnv::new();
    // When the node is free at 10, bob's has waited eight seconds longer than cid's, and is three seconds larger.
    env.write(
        "jobs.csv",
        format!("{HEADER}0,ann,10,1,0,1,0\n1,bob,4,1,0,1,0\n9,cid,1,1,0,1,0\n"),
    );
    let turnarounds = |ageing: &str| {
        let mut zoe = env.zoe();
        zoe.args(["simulate", "jobs.csv", "--nodes", "1x1c1g", "-o", "json"]);
        zoe.args(["--policy", "dynsize"]);
        let printed = Ran::command(zoe.env("ZOE_SCHEDULER_AGEING", ageing)).expect(0);
        let outcomes: Vec<Value> = serde_json::from_str(&printed).unwrap();
        outcomes[0]["turnarounds"].clone()
    };
    assert_eq!(turnarounds("10"), serde_json::json!([10.0, 14.0, 2.0]));
    assert_eq!(turnarounds("1"), serde_json::json!([10.0, 13.0, 6.0]));
}
