//! What zoe is doing when it dies.

use crate::scene::{Calls, Scene};

/// A command, and what comes before it.
#[derive(Clone, Copy)]
pub struct Story {
    pub name: &'static str,
    /// Whether the job's program goes on until it is stopped; otherwise it ends with 7.
    pub endless: bool,
    /// Whether it ends by itself, because the command waits for that; otherwise not before the command is over.
    pub ends_by_itself: bool,
    /// Whether the command ends the job.
    pub ends_it: bool,
    pub before: &'static [&'static [&'static str]],
    pub command: &'static [&'static str],
    /// Whether the program has ended just before the command.
    pub has_ended: bool,
}

/// Does its work, once, and ends with 7. Only for who waits for it: what else it did would depend on who is quicker.
pub const SHORT: &str = r#"["print", "ran", "exit", "7", "after", "30ms"]"#;
/// Does its work and goes on until it is stopped.
pub const ENDLESS: &str = r#"["print", "ran", "run"]"#;

const SUBMIT: &[&str] = &[
    "submit",
    "-d",
    "job.py",
    "--workers",
    "1",
    "--set",
    r#"driver.command=["print","ran","run"]"#,
];
const RUN_ENDLESS: &[&[&str]] = &[&["run", "-d", "job.toml"]];

/// Every command that changes something in Docker.
pub const STORIES: &[Story] = &[
    Story {
        name: "submit with files",
        endless: false,
        ends_by_itself: false,
        ends_it: false,
        before: &[],
        command: SUBMIT,
        has_ended: false,
    },
    Story {
        name: "run with a key",
        endless: false,
        ends_by_itself: false,
        ends_it: false,
        before: &[],
        command: &["run", "-d", "--key", "k", "job.toml"],
        has_ended: false,
    },
    Story {
        name: "run with a name",
        endless: true,
        ends_by_itself: false,
        ends_it: false,
        before: &[],
        command: &["run", "-d", "--name", "n", "job.toml"],
        has_ended: false,
    },
    Story {
        name: "run to its end",
        endless: false,
        ends_by_itself: true,
        ends_it: false,
        before: &[],
        command: &["run", "job.toml"],
        has_ended: false,
    },
    Story {
        name: "kill",
        endless: true,
        ends_by_itself: false,
        ends_it: true,
        before: RUN_ENDLESS,
        command: &["kill", "last"],
        has_ended: false,
    },
    Story {
        name: "kill with files",
        endless: true,
        ends_by_itself: false,
        ends_it: true,
        before: &[SUBMIT],
        command: &["kill", "last"],
        has_ended: false,
    },
    Story {
        name: "wait for the end",
        endless: false,
        ends_by_itself: false,
        ends_it: false,
        before: RUN_ENDLESS,
        command: &["wait", "last"],
        has_ended: true,
    },
    Story {
        name: "rm",
        endless: true,
        ends_by_itself: false,
        ends_it: true,
        before: RUN_ENDLESS,
        command: &["rm", "--force", "last"],
        has_ended: false,
    },
];

impl Story {
    /// Sets the scene up and tells what was done so far.
    #[track_caller]
    pub fn begin(&self, scene: &Scene) -> Calls {
        scene.env.write(
            "job.toml",
            application(if self.ends_by_itself { SHORT } else { ENDLESS }),
        );
        scene.env.write("job.py", "print(1)");
        let mut calls = Calls::new();
        for command in self.before {
            let (ran, done) = scene.counted(command);
            ran.expect(0);
            calls.extend(done);
        }
        if self.has_ended {
            scene.end_programs();
        }
        calls
    }
}

/// A job whose program uses a helper.
pub fn application(command: &str) -> String {
    format!(
        r#"
schema = 1
name = "job"
description = "a program and a helper"
monitor = "driver"
secrets = ["token"]

[[component]]
name = "helper"
image = "test/helper:1"
cores = 0.1
memory = "64m"
command = ["run"]

[[component]]
name = "driver"
image = "test/driver:1"
cores = 0.1
memory = "64m"
secrets = ["token"]
command = {command}
"#
    )
}
