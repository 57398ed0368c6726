//! Each command, on both kinds, and the way from one to the other.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::common::{Ran, TestEnv};
use crate::mariadb::PASSWORD;
use crate::{Place, job, known};

fn json(ran: Ran) -> Value {
    serde_json::from_str(&ran.expect(0)).unwrap()
}

#[test]
fn a_file_is_made_looked_at_and_left_alone() {
    let env = TestEnv::new();
    let status = json(env.run(&["db", "status", "-o", "json"]));
    assert_eq!(
        (&status["state"], &status["schema"]),
        (&"absent".into(), &Value::Null)
    );
    assert!(
        !env.path("data/zoe/zoe.db").exists(),
        "looking makes nothing"
    );
    let error = env.run(&["db", "migrate"]).expect_error(125);
    assert!(
        error.contains("there is none; `zoe db init` makes it"),
        "{error}"
    );
    env.run(&["db", "export"]).expect_error(125);
    let made = json(env.run(&["db", "init", "-o", "json"]));
    assert_eq!(
        (&made["schema_before"], &made["schema"]),
        (&Value::Null, &known())
    );
    let again = json(env.run(&["db", "migrate", "-o", "json"]));
    assert_eq!(
        (&again["schema_before"], &again["schema"]),
        (&known(), &known())
    );
    let text = env.run(&["db", "status"]).expect(0);
    assert!(
        text.contains("State:    current: its tables are what this version needs"),
        "{text}"
    );
    std::fs::write(env.path("data/zoe/zoe.db"), "no database").unwrap();
    let error = env.run(&["db", "status"]).expect_error(125);
    assert!(error.contains("damaged or is no database"), "{error}");
}

#[test]
fn a_mariadb_is_made_used_and_shown_without_its_password() {
    let mut place = Place::new();
    place.database = place.server.name();
    let status = place.status();
    assert_eq!(
        (&status["state"], &status["schema"]),
        (&"absent".into(), &Value::Null)
    );
    let error = place.run(&["history"]).expect_error(125);
    assert!(
        error.contains("there is no such database; `zoe db init` makes it"),
        "{error}"
    );
    place.run(&["db", "init"]).expect(0);
    let status = place.status();
    assert_eq!(
        (&status["state"], &status["kind"], &status["schema"]),
        (&"current".into(), &"mariadb".into(), &known())
    );
    let file = job(&place.env, "\"exit\", \"3\"");
    assert_eq!(place.run(&["run", "--name", "job", file]).code, 3);
    let history = json(place.run(&["history", "-o", "json"]));
    assert_eq!(
        (&history[0]["name"], &history[0]["exit_code"]),
        (&"job".into(), &3.into())
    );
    place.run(&["user", "add", "ada", "--hours", "5"]).expect(0);
    assert!(
        place
            .run(&["user", "show", "ada"])
            .expect(0)
            .contains("of 5")
    );
    let shown = place.run(&["db", "status"]).expect(0);
    assert!(shown.contains("mysql://zoe@127.0.0.1"), "{shown}");
    assert!(shown.contains("1 in executions"), "{shown}");

    // Wherever it comes from, it is nowhere to be seen.
    let with_url = |arguments: &[&str]| {
        let mut command = place.zoe(arguments);
        command
            .env_remove("ZOE_DB_PASSWORD")
            .env("ZOE_DB_URL", place.server.url(&place.database));
        Ran::command(&mut command)
    };
    for arguments in [
        &["config", "show", "--origin"][..],
        &["config", "show", "-o", "json"],
        &["db", "status"],
        &["-vvv", "history"],
        &["-vvv", "db", "migrate"],
    ] {
        for ran in [place.run(arguments), with_url(arguments)] {
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let all = format!("{}{}", ran.stdout, ran.stderr);
            assert!(
                !all.contains("s3cret") && !all.contains(PASSWORD),
                "{arguments:?}: {all}"
            );
        }
    }
}

#[test]
fn a_site_moves_from_a_file_to_a_server_and_back() {
    let place = Place::new();
    let env = &place.env;
    let file = job(env, "\"exit\", \"0\"");
    for name in ["one", "two"] {
        env.run(&["run", "--name", name, file]).expect(0);
    }
    env.run(&["user", "add", "ada", "--mail", "ada@example.org"])
        .expect(0);
    let told = env.run(&["db", "export", "site.jsonl"]).expect_error(0);
    assert!(told.contains("executions: 2"), "{told}");
    let path = env.path("work/site.jsonl");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(env.run(&["-q", "db", "export"]).expect(0), text);

    let taken = json(place.run(&["db", "import", "site.jsonl", "-o", "json"]));
    assert_eq!(
        (&taken["added"]["executions"], &taken["same"]),
        (&2.into(), &0.into())
    );
    assert_eq!(place.run(&["db", "export", "-"]).expect(0), text);
    let forms: [&[&str]; 2] = [&["history", "-o", "json"], &["user", "ls", "-o", "json"]];
    for form in forms {
        assert_eq!(place.run(form).expect(0), env.run(form).expect(0));
    }
    let again = place.run(&["db", "import", "site.jsonl"]).expect_error(0);
    assert!(again.contains("0 rows were added (none)"), "{again}");

    // Back, by way of a pipe.
    let back = TestEnv::new();
    let ran = back
        .zoe()
        .args(["db", "import", "-"])
        .write_stdin(text.clone())
        .output();
    assert!(ran.unwrap().status.success());
    assert_eq!(back.run(&["db", "export"]).expect(0), text);

    let cut = env.write("cut.jsonl", &text[..text.len() / 2]);
    let error = place
        .run(&["db", "import", cut.to_str().unwrap()])
        .expect_error(2);
    assert!(error.contains("nothing was imported: line"), "{error}");
    place
        .run(&["db", "import", "nowhere.jsonl"])
        .expect_error(2);
    let error = env.run(&["db", "export", "/nowhere/x"]).expect_error(2);
    assert!(error.contains("cannot be written"), "{error}");
}

#[test]
fn an_export_replaces_files_and_nothing_else() {
    use std::os::unix::fs::{FileTypeExt as _, symlink};

    let env = TestEnv::new();
    env.run(&["user", "add", "ada"]).expect(0);
    let text = env.run(&["-q", "db", "export"]).expect(0);
    let export = |path: &str| env.run(&["db", "export", path]);

    // A device, and one that takes nothing.
    symlink("/dev/full", env.path("work/full")).unwrap();
    let error = export("full").expect_error(125);
    assert!(error.contains("cannot be exported"), "{error}");
    assert!(env.path("work/full").is_symlink());
    let full = std::fs::metadata("/dev/full").unwrap();
    assert!(full.file_type().is_char_device());
    export("/dev/null").expect_error(0);
    export(".").expect_error(2);

    let fifo = env.path("work/fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    std::thread::scope(|scope| {
        let read = scope.spawn(|| std::fs::read_to_string(&fifo).unwrap());
        export("fifo").expect_error(0);
        assert_eq!(read.join().unwrap(), text);
    });
    let kind = std::fs::symlink_metadata(&fifo).unwrap().file_type();
    assert!(kind.is_fifo());

    // Links are followed, also to what is not there yet; a file that is there is replaced.
    std::fs::create_dir(env.path("work/there")).unwrap();
    symlink("there/site.jsonl", env.path("work/link")).unwrap();
    let file = env.path("work/there/site.jsonl");
    for _ in 0..2 {
        export("link").expect_error(0);
        assert!(env.path("work/link").is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        std::fs::write(&file, "old").unwrap();
    }
    symlink("loop", env.path("work/loop")).unwrap();
    let error = export("loop").expect_error(2);
    assert!(error.contains("leads nowhere"), "{error}");

    // What somebody left who was killed goes; what somebody holds, and what is another's, stays.
    let part = |name: &str| env.path("work/there").join(name);
    let names = [
        ".site.jsonl.abcDE1.part",
        ".site.jsonl.abcDE2.part",
        ".site.jsonl.not-ours.part",
        ".other.jsonl.abcDE1.part",
    ];
    for name in names {
        std::fs::write(part(name), "").unwrap();
    }
    let held = std::fs::File::open(part(names[1])).unwrap();
    held.lock().unwrap();
    export("link").expect_error(0);
    let left: Vec<bool> = names.iter().map(|name| part(name).exists()).collect();
    assert_eq!(left, [false, true, true, true]);
    let all = std::fs::read_dir(env.path("work/there")).unwrap();
    assert_eq!(all.count(), 4);
}

#[test]
fn several_import_at_once_into_a_server_without_the_database() {
    let mut place = Place::new();
    place.database = place.server.name();
    let env = &place.env;
    for user in ["ada", "bob", "eve"] {
        env.run(&["user", "add", user]).expect(0);
    }
    env.run(&["db", "export", "site.jsonl"]).expect_error(0);
    let lines = std::fs::read_to_string(env.path("work/site.jsonl")).unwrap();
    let imports: Vec<_> = (0..4)
        .map(|_| place.start(&["db", "import", "site.jsonl", "-o", "json"]))
        .collect();
    let mut added = Vec::new();
    for import in imports {
        let output = import.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let came: Value = serde_json::from_slice(&output.stdout).unwrap();
        added.push(came["added"]["users"].as_u64().unwrap_or(0));
    }
    added.sort_unstable();
    assert_eq!(added, [0, 0, 0, 3]);
    assert_eq!(place.run(&["-q", "db", "export"]).expect(0), lines);
}
