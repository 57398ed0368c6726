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

#[test]
fn systemd_takes_the_units() {
    let directory = tempfile::tempdir().unwrap();
    let units = ["zoe-watch.service", "zoe-pass.service", "zoe-pass.timer"];
    for unit in units {
        let text = read(unit);
        for line in text.lines() {
            if let Some(command) = line.strip_prefix("ExecStart=") {
                assert_understood(command);
            }
        }
        // The manual need not be installed where this is tested.
        let text = text.replace(PROGRAM, env!("CARGO_BIN_EXE_zoe"));
        let text = text.replace("Documentation=man:zoe-watch(1)\n", "");
        std::fs::write(directory.path().join(unit), text).unwrap();
    }
    let verify = Command::new("systemd-analyze")
        .arg("verify")
        .args(units.map(|unit| directory.path().join(unit)))
        .output();
    match verify {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            for unit in units {
                assert!(!said.contains(unit), "{said}");
            }
        }
        // No systemd here: at least they are of its form.
        Err(_) => units.into_iter().for_each(assert_has_form),
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
