//! `zoe db`, as a program: on `SQLite` and on a `MariaDB`, by several processes at once, killed in the middle, and with nothing said of the password.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/mariadb.rs"]
mod mariadb;

mod commands;
mod history;
mod lost;
mod migrating;

use assert_cmd::Command;
use common::{Ran, TestEnv, ports};
use mariadb::{MariaDb, PASSWORD};
use serde_json::Value;

/// A place whose database is in a server.
struct Place {
    env: TestEnv,
    server: MariaDb,
    database: String,
}

impl Place {
    /// With an empty database.
    fn new() -> Self {
        let server = MariaDb::start();
        let database = server.create();
        Self {
            env: TestEnv::new(),
            server,
            database,
        }
    }

    /// The binary with that database; the password is in the environment.
    fn zoe(&self, arguments: &[&str]) -> Command {
        let mut command = self.env.zoe();
        command
            .env("ZOE_DB_URL", self.server.url_without(&self.database))
            .env("ZOE_DB_PASSWORD", PASSWORD)
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::command(&mut self.zoe(arguments))
    }

    /// A process of it that goes on beside the test.
    fn start(&self, arguments: &[&str]) -> std::process::Child {
        let command = self.zoe(arguments);
        let mut child = std::process::Command::new(command.get_program());
        child
            .args(command.get_args())
            .env_clear()
            .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))))
            .current_dir(self.env.path("work"))
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        child.spawn().unwrap()
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["db", "status", "-o", "json"]).expect(0)).unwrap()
    }

    fn within(&self, sql: &str) -> String {
        self.server.sql(&format!("USE {}; {sql}", self.database))
    }
}

/// Writes the description of a job and gives the file's name.
fn job(env: &TestEnv, script: &str) -> &'static str {
    env.write(
        "job.toml",
        format!(
            "schema = 1\nname = \"job\"\ndescription = \"a test\"\nmonitor = \"main\"\n\n[[component]]\nname = \"main\"\n\
             image = \"memory/job\"\ncores = 0.1\nmemory = \"64m\"\ncommand = [\"print\", \"ran\", {script}]\n"
        ),
    );
    "job.toml"
}

/// The migrations for a server, in their order.
fn migrations() -> Vec<String> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/mysql");
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    files.iter().map(read).collect()
}

/// The newest schema.
fn known() -> Value {
    migrations().len().into()
}
