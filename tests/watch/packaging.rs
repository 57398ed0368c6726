//! What is in `packaging/` is what systemd, supervisord and cron understand, and what this program understands.

use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "/usr/local/bin/zoe";

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(packaging().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The program takes these words.
#[track_caller]
fn assert_understood(command: &str) {
    let words = command
        .strip_prefix(PROGRAM)
        .unwrap_or_else(|| panic!("{command}"));
    let ran = Command::new(env!("CARGO_BIN_EXE_zoe"))
        .args(words.split_whitespace())
        .arg("--help")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{command}");
    assert!(
        String::from_utf8_lossy(&ran.stdout).contains("--once"),
        "{command}"
    );
}

const UNITS: [&str; 3] = ["zoe-watch.service", "zoe-pass.service", "zoe-pass.timer"];

/// What `systemd-analyze verify` says of the units, each of which is changed before; `None` without systemd's programs.
fn verified(change: impl Fn(String) -> String) -> Option<(bool, String)> {
    let directory = tempfile::tempdir().unwrap();
    for unit in UNITS {
        let text = read(unit).replace(PROGRAM, env!("CARGO_BIN_EXE_zoe"));
        std::fs::write(directory.path().join(unit), change(text)).unwrap();
    }
    // The manual need not be installed where this is tested.
    let verify = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args(UNITS.map(|unit| directory.path().join(unit)))
        .output();
    let output = verify.ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some((output.status.success(), said))
}

/// Nothing of systemd need run for it; `scripts/test` installs its programs.
#[test]
fn systemd_takes_the_units() {
    for unit in UNITS {
        for line in read(unit).lines() {
            if let Some(command) = line.strip_prefix("ExecStart=") {
                assert_understood(command);
            }
        }
    }
    let Some((good, said)) = verified(|text| text) else {
        return UNITS.into_iter().for_each(assert_has_form);
    };
    assert!(
        good && !UNITS.iter().any(|unit| said.contains(unit)),
        "{said}"
    );
    // It would have told.
    for (right, wrong) in [
        ("Restart=on-failure", "Restart=sometimes"),
        ("WatchdogSec=", "WatchdogSecs="),
        ("OnBootSec=1min", "OnBootSec=soon"),
        ("ExecStart=/", "ExecStart=/nowhere/"),
    ] {
        let (_, said) = verified(|text| text.replace(right, wrong)).unwrap();
        assert!(
            UNITS.iter().any(|unit| said.contains(unit)),
            "{wrong}: {said}"
        );
    }
}

#[track_caller]
fn assert_has_form(unit: &str) {
    let text = read(unit);
    assert!(text.contains("[Unit]\n"), "{unit}");
    for line in text.lines().filter(|line| !line.is_empty()) {
        let is_section = line.starts_with('[') && line.ends_with(']');
        assert!(
            line.starts_with('#') || is_section || line.contains('='),
            "{unit}: {line}"
        );
    }
}

#[test]
fn supervisord_takes_the_sample() {
    let sample = ini::Ini::load_from_str(&read("zoe-watch.supervisor.conf")).unwrap();
    let program = sample.section(Some("program:zoe-watch")).unwrap();
    assert_understood(program.get("command").unwrap());
    assert_eq!(program.get("stopsignal"), Some("TERM"));
}

#[test]
fn cron_takes_the_line() {
    let text = read("zoe.cron");
    let mut lines = text.lines().filter(|line| line.contains(PROGRAM));
    let line = lines.next().unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert!(
        words[..5]
            .iter()
            .all(|word| *word == "*" || word.parse::<u32>().is_ok()),
        "{line}"
    );
    assert_eq!(words[5], "zoe");
    assert_understood(&words[6..].join(" "));
    assert_eq!(lines.next(), None);
}
