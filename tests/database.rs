//! Without its history zoe still lists, shows logs and ends what runs; a full disk costs nothing but patience.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot be set up has failed"
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Ran, TestEnv};
use serde_json::Value;

/// A program that runs until it is stopped.
fn running(env: &TestEnv) -> String {
    env.write(
        "job.toml",
        "schema = 1\nname = \"job\"\ndescription = \"a test\"\nmonitor = \"main\"\n\n[[component]]\nname = \"main\"\n\
         image = \"memory/job\"\ncores = 0.1\nmemory = \"64m\"\ncommand = [\"print\", \"ran\", \"run\"]\n",
    );
    let id = env
        .run(&["run", "-d", "--name", "job", "job.toml"])
        .expect(0);
    id.trim().to_owned()
}

fn database(env: &TestEnv) -> PathBuf {
    env.path("data/zoe/zoe.db")
}

fn remove_database(env: &TestEnv) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", database(env).display()));
    }
}

fn history(env: &TestEnv) -> Vec<Value> {
    serde_json::from_str(&env.run(&["history", "-o", "json"]).expect(0)).unwrap()
}

fn containers(env: &TestEnv) -> usize {
    let world: Value = serde_json::from_slice(&std::fs::read(env.docker_file()).unwrap()).unwrap();
    world["containers"].as_object().unwrap().len()
}

/// What needs no history: all that is about what is alive.
#[track_caller]
fn assert_looking_works(env: &TestEnv, id: &str) {
    for arguments in [&["ps", "-o", "json"][..], &["show", "-o", "json", id]] {
        let ran = env.run(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}");
        assert!(
            ran.stdout.contains("running"),
            "{arguments:?}: {}",
            ran.stdout
        );
    }
    for name in [id, "job", "last", &id[..4]] {
        let ran = env.run(&["logs", name]);
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
            (0, "ran\n", ""),
            "{name}"
        );
    }
}

#[track_caller]
fn assert_one_sentence(ran: &Ran) {
    assert_eq!(
        ran.stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .count(),
        1,
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn a_deleted_database_is_made_again() {
    let env = TestEnv::new();
    let id = running(&env);
    remove_database(&env);
    assert_looking_works(&env, &id);
    remove_database(&env);
    assert_eq!(env.run(&["kill", "job"]).expect(0).trim(), id);
    assert_eq!(containers(&env), 0);
    let history = history(&env);
    assert_eq!(
        (history.len(), &history[0]["id"], &history[0]["state"]),
        (1, &id.as_str().into(), &"cancelled".into())
    );
    assert_eq!(env.run(&["wait", &id]).code, 143);
    assert_eq!(env.run(&["logs", &id]).expect(0), "ran\n");
}

#[test]
fn a_database_deleted_while_somebody_waits_is_made_again() {
    let env = TestEnv::new();
    let id = running(&env);
    let code = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| env.run(&["wait", &id]));
        env.until("the wait has been seen at work", |env| {
            database(env).exists()
        });
        remove_database(&env);
        env.run(&["kill", &id]).expect(0);
        waiting.join().unwrap().code
    });
    assert_eq!(code, 143);
    assert_eq!(containers(&env), 0);
}

#[test]
fn without_a_readable_database_what_runs_can_be_seen_and_stopped() {
    for what in ["garbage", "a directory"] {
        let env = TestEnv::new();
        let id = running(&env);
        remove_database(&env);
        if what == "garbage" {
            std::fs::write(database(&env), "this is no database, ".repeat(500)).unwrap();
        } else {
            std::fs::create_dir(database(&env)).unwrap();
        }
        assert_looking_works(&env, &id);
        let ran = env.run(&["kill", &id]);
        assert_eq!(ran.code, 125, "{what}: {}", ran.stderr);
        assert_one_sentence(&ran);
        assert!(ran.stderr.contains("zoe.db"), "{what}: {}", ran.stderr);
        // It is stopped and says so; what it wrote is still there.
        assert_eq!(env.ps()[0]["state"], "ending", "{what}");
        assert_eq!(env.ps()[0]["components"][0]["running"], 0, "{what}");
        assert_eq!(env.run(&["logs", &id]).expect(0), "ran\n", "{what}");
        let ran = env.run(&["history"]);
        assert_eq!(ran.code, 125, "{what}: {}", ran.stderr);
        assert_one_sentence(&ran);
        // A submission would never be started: it is said, and it is there.
        let ran = env.run(&["run", "-d", "job.toml"]);
        assert!([0, 125].contains(&ran.code), "{what}: {}", ran.stderr);
        assert!(!ran.stderr.is_empty(), "{what}");

        if what == "garbage" {
            remove_database(&env);
        } else {
            std::fs::remove_dir(database(&env)).unwrap();
        }
        env.run(&["kill", "--all", "-y"]).expect(0);
        assert_eq!(containers(&env), 0, "{what}");
        let records = history(&env);
        let one = records
            .iter()
            .find(|record| record["id"] == id.as_str())
            .unwrap();
        assert_eq!(one["state"], "cancelled", "{what}");
        assert_eq!(env.run(&["logs", &id]).expect(0), "ran\n", "{what}");
    }
}

#[test]
fn a_history_path_that_cannot_be_keeps_the_containers_until_it_can() {
    let env = TestEnv::new();
    let id = running(&env);
    env.write("file", "in the way");
    let path = env.path("work/file/history");
    let kill = |path: &Path| {
        Ran::command(
            env.zoe()
                .env("ZOE_FILESYSTEM_HISTORY_PATH", path)
                .args(["kill", &id]),
        )
    };
    let ran = kill(&path);
    assert_eq!(ran.code, 125, "{}", ran.stderr);
    assert_one_sentence(&ran);
    assert!(ran.stderr.contains("work/file/history"), "{}", ran.stderr);
    assert_eq!(env.ps()[0]["state"], "ending");
    assert_eq!(env.run(&["logs", &id]).expect(0), "ran\n");
    std::fs::remove_file(env.path("work/file")).unwrap();
    assert_eq!(kill(&path).code, 0);
    assert_eq!(containers(&env), 0);
    assert_eq!(history(&env)[0]["state"], "cancelled");
    assert_eq!(env.run(&["logs", &id]).expect(0), "ran\n");
}

/// A small file system, unmounted when this is dropped.
struct Disk(PathBuf);

impl Disk {
    fn small(at: &Path) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(at)
            .status()
            .unwrap();
        assert!(
            mounted.success(),
            "this test needs to mount a tmpfs: run it as root"
        );
        Self(at.to_owned())
    }

    fn fill(&self) {
        use std::io::Write;
        let mut options = std::fs::File::options();
        let mut file = options
            .create(true)
            .append(true)
            .open(self.0.join("filler"))
            .unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let env = TestEnv::new();
    let disk = Disk::small(&env.path("data"));
    let id = running(&env);
    disk.fill();
    assert_looking_works(&env, &id);
    // Looking may have given some of its room back.
    disk.fill();
    let ran = env.run(&["kill", &id]);
    // What it closes may give it the little room that it needs.
    assert!([0, 125].contains(&ran.code), "{}", ran.stderr);
    if ran.code == 125 {
        assert_one_sentence(&ran);
        assert_eq!(env.ps()[0]["state"], "ending");
    }
    assert_eq!(env.run(&["logs", &id]).expect(0), "ran\n");
    disk.make_room();
    env.run(&["kill", "--all", "-y"]).expect(0);
    assert_eq!(containers(&env), 0);
    let history = history(&env);
    assert_eq!(
        (history.len(), &history[0]["state"]),
        (1, &"cancelled".into())
    );
    assert_eq!(env.run(&["logs", &id]).expect(0), "ran\n");
}

#[test]
fn a_disk_that_is_full_from_the_start_refuses_nothing_silently() {
    let env = TestEnv::new();
    let disk = Disk::small(&env.path("data"));
    disk.fill();
    env.write(
        "job.toml",
        "schema = 1\nname = \"job\"\ndescription = \"a test\"\nmonitor = \"main\"\n\n[[component]]\nname = \"main\"\n\
         image = \"memory/job\"\ncores = 0.1\nmemory = \"64m\"\ncommand = [\"print\", \"ran\", \"exit\", \"7\"]\n",
    );
    let ran = env.run(&["run", "-d", "--name", "job", "job.toml"]);
    assert!([0, 125].contains(&ran.code), "{}", ran.stderr);
    assert!(ran.stderr.contains("zoe.db"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    disk.make_room();
    if ran.code == 0 {
        assert_eq!(env.ps()[0]["state"], "queued");
        assert_eq!(env.run(&["wait", "job"]).code, 7);
        assert_eq!(history(&env).len(), 1);
    }
    assert_eq!(containers(&env), 0);
}

/// Somebody has written into the database by hand.
#[test]
fn a_row_that_cannot_be_read_hides_no_other() {
    let env = &TestEnv::with_options("images=all");
    let id = running(env);
    env.run(&["kill", &id]).expect(0);
    let other = running(env);
    env.run(&["kill", &other]).expect(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        use sqlx::Connection;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database(env));
        let mut connection = sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap();
        let damage = sqlx::query("UPDATE executions SET outcome = 'exploded' WHERE id = ?");
        damage.bind(&id).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    for arguments in [&["history", "-o", "name"][..], &["ps", "-a", "-o", "name"]] {
        let ran = env.run(arguments);
        let told = format!("outcome of execution {id}: 'exploded' is none; it is left out");
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
        assert_eq!((ran.code, ran.stdout.trim()), (0, other.as_str()));
    }
    let error = env.run(&["show", &id]).expect_error(125);
    assert!(error.contains("something unreadable"), "{error}");
    env.run(&["logs", &other]).expect(0);
}
