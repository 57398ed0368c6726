//! Two zoes at once, on two shells.

use crate::common::Ran;
use crate::site::Site;

const APPLICATION: &str = r#"
schema = 1
name = "small"
description = "One member"
monitor = "main"

[[component]]
name = "main"
image = "IMAGE"
cores = 0.1
memory = "32m"
command = ["sh", "-c", "echo begun; exec sleep 1000"]
"#;

fn together(site: &Site, count: usize, args: &[&str]) -> Vec<Ran> {
    let children: Vec<_> = (0..count).map(|_| site.start(args, &[])).collect();
    let ended = children
        .into_iter()
        .map(|child| Ran::from(child.wait_with_output().unwrap()));
    ended.collect()
}

#[test]
fn the_same_key_is_one_execution_and_the_same_name_one_winner() {
    let site = Site::shared();
    let file = site.application(APPLICATION);
    let ran = together(&site, 6, &["run", "-d", "--key", "nightly", &file]);
    let ids: Vec<_> = ran.into_iter().map(|ran| ran.expect(0)).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");

    let ran = together(&site, 6, &["run", "-d", "--name", "mine", &file]);
    let mut codes: Vec<_> = ran.iter().map(|ran| ran.code).collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [0, 4, 4, 4, 4, 4],
        "{:?}",
        ran.iter().map(|r| &r.stderr).collect::<Vec<_>>()
    );

    let executions = site.json(&["ps"]);
    assert_eq!(executions.as_array().unwrap().len(), 2, "{executions}");
    for execution in executions.as_array().unwrap() {
        let id = execution["id"].as_str().unwrap();
        site.run(&["wait", "--for", "running", id]).expect(0);
        let log = site.run(&["logs", id]).expect(0);
        assert_eq!(log.matches("begun").count(), 1, "started once: {log}");
    }
}

#[test]
fn killed_twice_at_once_is_cancelled_once() {
    let site = Site::shared();
    let id = site.running(APPLICATION);
    let ran = together(&site, 4, &["kill", &id]);
    // Who comes late enough finds it in history only.
    assert!(
        ran.iter().all(|ran| [0, 3].contains(&ran.code)),
        "{:?}",
        ran.iter().map(|r| &r.stderr).collect::<Vec<_>>()
    );
    assert!(ran.iter().any(|ran| ran.code == 0));
    let past = site.json(&["history"]);
    let past = past.as_array().unwrap();
    assert_eq!(past.len(), 1, "{past:?}");
    assert_eq!(past[0]["state"], "cancelled");
    site.until_nothing_is_left();
}
