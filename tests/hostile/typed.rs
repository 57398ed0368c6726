//! What people type and write into files: taken as it is, or refused with one sentence and nothing left behind.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::common::{Ran, TestEnv};
use crate::evil::{all, files, look_everywhere, on_a_terminal, shown_safely, texts};

/// Asserts that it was refused so: the code, one sentence that fits a screen, nothing that steers a terminal.
#[track_caller]
fn assert_refused(ran: &Ran, about: &str) {
    assert!(
        [2, 3, 4, 5].contains(&ran.code),
        "{about}: {} {}",
        ran.code,
        ran.stderr
    );
    assert_eq!(ran.stdout, "", "{about}");
    assert_eq!(
        ran.stderr.matches("error: ").count(),
        1,
        "{about}: {}",
        ran.stderr
    );
    assert!(
        ran.stderr.len() < 4000,
        "{about}: {} bytes are said",
        ran.stderr.len()
    );
    assert!(!ran.stderr.contains("panicked"), "{about}: {}", ran.stderr);
    shown_safely(&ran.stderr, about);
}

fn description() -> Value {
    json!({
        "schema": 1,
        "name": "one",
        "description": "a test",
        "monitor": "main",
        "component": [{
            "name": "main", "image": "memory/job", "cores": 0.01, "memory": "16m", "command": ["print", "hello"],
            "port": [{"name": "web", "container": 80, "proxy": true}],
        }],
    })
}

/// Every field of an application file, with every text in it.
#[test]
fn application_files_are_taken_whole_or_refused() {
    let fields = [
        "/name",
        "/description",
        "/monitor",
        "/component/0/name",
        "/component/0/image",
        "/component/0/command/1",
        "/component/0/env/A",
        "/component/0/placement/labels/disk",
        "/component/0/volumes/0",
        "/component/0/port/0/name",
        "/component/0/port/0/path",
        "/component/0/port/0/query",
        "/component/0/port/0/protocol",
        "/component/0/ready/port",
        "/component/0/cores",
        "/component/0/memory",
        "/component/0/files",
        "/secrets/0",
        "/schema",
        "/component/0/core",
    ];
    // What may hold any text without a control character, or any at all.
    let free = [
        "description",
        "command",
        "env",
        "placement",
        "path",
        "query",
        "volumes",
    ];
    let env = TestEnv::new();
    let mut taken = Vec::new();
    let long = "x".repeat(1 << 20);
    let quiet = "%{x} # \"'<>&;".to_owned();
    for field in fields {
        for (n, text) in texts()
            .into_iter()
            .chain([quiet.clone(), "\0".to_owned(), long.clone()])
            .enumerate()
        {
            let mut application = description();
            let main = &mut application["component"][0];
            main["ready"] = json!({"port": "web"});
            main["env"] = json!({"A": "b"});
            main["placement"] = json!({"labels": {"disk": "ssd"}});
            main["volumes"] = json!(["/a:/b"]);
            for (key, usual) in [("path", "/"), ("query", "a=b"), ("protocol", "http")] {
                main["port"][0][key] = json!(usual);
            }
            main["files"] = json!("/work");
            main["core"] = json!(1);
            application["secrets"] = json!(["one"]);
            *application
                .pointer_mut(field)
                .unwrap_or_else(|| panic!("{field}")) = json!(text);
            env.write("evil.json", application.to_string());
            let about = format!("{field} {n}");
            // One in a hundred goes the whole way; what is wrong with a file is told before that.
            let ran = env.run(&["app", "validate", "evil.json"]);
            if ran.code == 0 {
                assert!(
                    free.iter().any(|free| field.contains(free)),
                    "{about} is taken: {text:?}"
                );
                assert!(text.len() < 1 << 20 && !text.contains('\0'), "{about}");
                taken.push((field, application));
            } else {
                assert_refused(&ran, &about);
            }
        }
    }
    assert!(env.ps().is_empty());
    // What was taken can be run, and seen.
    let mut ids = Vec::new();
    for (n, (field, mut application)) in taken.into_iter().enumerate() {
        if field.contains("placement") || n % 3 != 0 {
            continue;
        }
        let main = application["component"][0].as_object_mut().unwrap();
        // No node has that label, and nobody answers.
        main.remove("ready");
        main.remove("placement");
        env.write("evil.json", application.to_string());
        let ran = env.run(&["run", "-d", "evil.json"]);
        if ran.code == 0 {
            ids.push(ran.stdout.trim().to_owned());
        } else {
            assert_refused(&ran, field);
        }
    }
    assert!(ids.len() >= 3, "{ids:?}");
    env.until("all are over", |env| {
        env.run(&["watch", "--once"]);
        env.ps().is_empty()
    });
    let ids: Vec<&str> = ids.iter().take(3).map(String::as_str).collect();
    look_everywhere(&|| env.zoe(), &env, &ids);
    for id in ids {
        env.run(&["logs", id]).expect(0);
    }
    assert_tidy(&env);
}

/// Nothing but the database and archives is in the place's data, and nothing at all was made elsewhere.
#[track_caller]
fn assert_tidy(env: &TestEnv) {
    assert!(!std::path::Path::new("/tmp/zoe-escaped").exists());
    for file in files(&env.path("data")) {
        let parts: Vec<&str> = file.split('/').collect();
        let is_archive = matches!(parts[..], ["zoe", "history", "test", year, month, archive]
            if year.len() == 4 && month.len() == 2 && archive.len() == 12 && archive.strip_suffix(".zip").is_some());
        assert!(
            is_archive || parts.len() == 2 && parts[1].starts_with("zoe.db"),
            "{file}"
        );
    }
    assert_eq!(files(&env.path("home")), [""; 0]);
}

/// Names of everything that has one, as arguments.
#[test]
fn hostile_names_are_refused_and_leave_nothing() {
    let env = TestEnv::new();
    env.write("one.json", description().to_string());
    env.write("pi.py", "print(3)");
    for text in texts().into_iter().chain([all()]) {
        let longer = format!("{text}@example.org");
        let name = format!("A{text}");
        for arguments in [
            &["run", "-d", "one.json", "--name", &text][..],
            &["run", "-d", "one.json", "--env", &format!("{text}=1")],
            &["run", "-d", "one.json", "--volume", &text],
            &["run", "-d", "one.json", "--set", &format!("main.{text}=1")],
            &["run", "-d", "one.json", "--after", &text],
            &["run", "-d", "one.json", "--array", &text],
            &["run", "-d", "one.json", "--mail-on", &text],
            &["submit", "-d", "pi.py", "--conf", &text],
            &["user", "add", &format!("{text}/")],
            &["user", "add", &format!("{name} \n")],
            &["user", "add", "ada", "--mail", &format!("{longer}\n")],
            &["history", "--columns", &text],
            &["history", "--since", &text],
            &["ps", "--filter", &text],
            &["proxy", "check", "--at", &text],
            &["mail", "test", &format!("{text}\n")],
        ] {
            assert_refused(&env.run(arguments), &format!("{arguments:?}"));
        }
        // Where no such thing is, that is what is said.
        for arguments in [
            &["show", text.as_str()][..],
            &["logs", &text],
            &["kill", &text],
            &["open", &text],
        ] {
            let ran = env.run(arguments);
            assert!(matches!(ran.code, 2 | 3), "{arguments:?}: {}", ran.stderr);
            shown_safely(&ran.stderr, &format!("{arguments:?}"));
        }
    }
    assert!(env.ps().is_empty());
    assert_eq!(
        env.run(&["user", "ls", "-o", "json"]).expect(0).trim(),
        "[]"
    );
    assert_tidy(&env);
}

/// The files that images would have beside those of their bases: all of them are where a job's files belong.
#[track_caller]
fn sent(env: &TestEnv) -> Vec<String> {
    let world = std::fs::read_to_string(env.docker_file()).unwrap();
    let world: Value = serde_json::from_str(&world).unwrap();
    let images = world["images"].as_object().unwrap().values();
    let files = images.filter_map(|image| image["files"].as_object());
    let paths: Vec<String> = files.flat_map(|files| files.keys().cloned()).collect();
    for path in &paths {
        let parts: Vec<&str> = path.split('/').collect();
        assert!(path.starts_with("/opt/zoe/job/"), "{path:?}");
        assert!(
            !parts[1..]
                .iter()
                .any(|part| matches!(*part, "" | "." | "..")),
            "{path:?}"
        );
    }
    paths
}

/// Programs and what is in archives, with names that lead elsewhere or steer something.
#[test]
fn hostile_file_names_go_nowhere_else() {
    let env = TestEnv::new();
    let names = [
        "../../zoe-escaped.py",
        "/tmp/zoe-escaped",
        "a/../../../zoe-escaped.py",
        "a\u{1b}[2J\nb.py",
        "$(id).py",
    ];
    let mut taken = 0;
    for (n, name) in names.into_iter().enumerate() {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for entry in ["main.py", name] {
            zip.start_file(entry, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(b"print(3)").unwrap();
        }
        env.write("evil.zip", zip.finish().unwrap().into_inner());
        let ran = env.run(&["submit", "-d", "evil.zip", "--main", "main.py"]);
        shown_safely(&ran.stderr, name);
        if ran.code == 0 {
            // Made harmless rather than refused: it is said nowhere that it is not.
            let sent = sent(&env);
            assert!(
                sent.iter().any(|path| path.ends_with("/main.py")),
                "{sent:?}"
            );
            taken += 1;
        } else {
            assert_refused(&ran, name);
        }
        if n < 3 && ran.code == 0 {
            env.run(&["kill", ran.stdout.trim()]).expect(0);
        }
    }
    assert!(taken > 0);
    for name in [
        "a\u{1b}[2J\nb.py",
        "$(id) `id`.py",
        "-rf.py",
        "ü\u{202e}.py",
    ] {
        env.write(&format!("dir/{name}"), "print(3)");
        for arguments in [
            &["submit", "-d", "dir", "--main", name][..],
            &["submit", "-d", &format!("./dir/{name}")],
            &["submit", "-d", &format!("dir/{name}"), "--name", "x\n"],
        ] {
            let ran = env.run(arguments);
            shown_safely(&ran.stderr, name);
            if ran.code != 0 {
                assert_refused(&ran, name);
            }
        }
    }
    let ids: Vec<String> = env
        .ps()
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    look_everywhere(&|| env.zoe(), &env, &ids);
    for id in ids {
        env.run(&["kill", id]).expect(0);
    }
    assert_tidy(&env);
    for place in ["work/zoe-escaped.py", "zoe-escaped.py"] {
        assert!(!env.path(place).exists(), "{place}");
    }
}

/// What programs write, in the logs of several members on a terminal.
#[test]
fn what_programs_say_steers_no_terminal_and_passes_for_nobody_else() {
    let env = TestEnv::new();
    let mut application = description();
    let main = &mut application["component"][0];
    let said = format!("10%\rother-0 | done {}", all().replace('$', "$$"));
    main["command"] = json!(["print", said]);
    let mut other = main.clone();
    other["name"] = json!("other");
    application["component"] = json!([main, other]);
    env.write("evil.json", application.to_string());
    let id = env.run(&["run", "-d", "evil.json"]).expect(0);
    let id = id.trim();
    env.until("it is over", |env| {
        env.run(&["watch", "--once"]);
        env.ps().is_empty()
    });
    for arguments in [&["logs", "--all", id][..], &["logs", "-t", id]] {
        let shown = on_a_terminal(&env.zoe(), &env, arguments);
        shown_safely(&shown, &format!("{arguments:?}"));
        assert!(shown.contains("10%\\rother-0"), "{shown}");
    }
    // Into a file it goes as it is.
    let written = env.run(&["logs", "--all", id]).expect(0);
    assert!(written.contains("10%\rother-0"), "{written}");
}

/// What stands in the configuration is taken or refused, and of what is taken nothing leaves its place in Apache's files.
#[test]
fn configurations_are_taken_whole_or_refused() {
    let env = TestEnv::new();
    let keys = [
        ("zoe", "deployment"),
        ("apache", "web_server_name"),
        ("apache", "proxy_path_prefix"),
        ("apache", "proxy_config_file"),
        ("smtp", "sender"),
        ("smtp", "server"),
        ("db", "url"),
        ("docker", "private_registry"),
        ("scheduler", "policy"),
        ("filesystem", "history_max_size"),
        ("intervals", "scheduler_task"),
    ];
    for (section, key) in keys {
        for text in
            texts()
                .into_iter()
                .chain(["x".repeat(1 << 20), "\0".to_owned(), "*.a\"b".to_owned()])
        {
            // One line is one value.
            let value = text.replace(['\r', '\n'], " ");
            let mut file = format!("[{section}]\n{key} = {value}\n");
            if section != "apache" {
                file.push_str("[apache]\n");
            }
            if key != "web_server_name" {
                file.push_str("web_server_name = zoe.example.org\n");
            }
            if key != "proxy_config_file" {
                file.push_str("proxy_config_file = /var/lib/zoe/routes\n");
            }
            env.write("evil.conf", file);
            let about = format!("{section}.{key} = {:.60}", value.escape_debug().to_string());
            let ran = env.run(&["--config", "evil.conf", "config", "check"]);
            if ran.code != 0 {
                assert_refused(&ran, &about);
                continue;
            }
            let shown = env
                .run(&["--config", "evil.conf", "config", "show"])
                .expect(0);
            shown_safely(&shown, &about);
            let ran = env.run(&["--config", "evil.conf", "proxy", "setup"]);
            if ran.code != 0 {
                assert_refused(&ran, &about);
                continue;
            }
            assert_eq!(
                ran.stdout.matches("<VirtualHost ").count(),
                1,
                "{about}: {}",
                ran.stdout
            );
            let directives: Vec<&str> = ran
                .stdout
                .lines()
                .map(|line| line.trim().split(' ').next().unwrap())
                .collect();
            assert!(
                !directives.contains(&"SetHandler"),
                "{about}: {}",
                ran.stdout
            );
            // A file is wherever an administrator wants it.
            if section == "apache" && !text.starts_with("..") {
                assert!(!ran.stdout.contains(&value), "{about}: {}", ran.stdout);
            }
        }
    }
}
