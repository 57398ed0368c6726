//! What zoe is doing when it dies.

use crate::scene::{Calls, Scene};

/// What the job's program does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// It goes on until it is stopped.
    Endless,
    /// It ends with 7, but not before the command is over.
    EndsLater,
    /// It ends with 7 by itself, and the command waits for that.
    EndsSoon,
    /// It has ended with 7 just before the command.
    HasEnded,
}

/// A command, and what comes before it.
#[derive(Clone, Copy)]
pub struct Story {
    pub name: &'static str,
    pub program: Program,
    /// Whether the command ends the job.
    pub ends_it: bool,
    pub before: &'static [&'static [&'static str]],
    pub command: &'static [&'static str],
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
        program: Program::EndsLater,
        ends_it: false,
        before: &[],
        command: SUBMIT,
    },
    Story {
        name: "run with a key",
        program: Program::EndsLater,
        ends_it: false,
        before: &[],
        command: &["run", "-d", "--key", "k", "job.toml"],
    },
    Story {
        name: "run with a name",
        program: Program::Endless,
        ends_it: false,
        before: &[],
        command: &["run", "-d", "--name", "n", "job.toml"],
    },
    Story {
        name: "run to its end",
        program: Program::EndsSoon,
        ends_it: false,
        before: &[],
        command: &["run", "job.toml"],
    },
    Story {
        name: "kill",
        program: Program::Endless,
        ends_it: true,
        before: RUN_ENDLESS,
        command: &["kill", "last"],
    },
    Story {
        name: "kill with files",
        program: Program::Endless,
        ends_it: true,
        before: &[SUBMIT],
        command: &["kill", "last"],
    },
    Story {
        name: "wait for the end",
        program: Program::HasEnded,
        ends_it: false,
        before: RUN_ENDLESS,
        command: &["wait", "last"],
    },
    Story {
        name: "rm",
        program: Program::Endless,
        ends_it: true,
        before: RUN_ENDLESS,
        command: &["rm", "--force", "last"],
    },
];

impl Story {
    /// Whether the program goes on until it is stopped.
    pub fn endless(&self) -> bool {
        self.program == Program::Endless
    }

    /// Sets the scene up and tells what was done so far.
    #[track_caller]
    pub fn begin(&self, scene: &Scene) -> Calls {
        scene.env.write(
            "job.toml",
            application(if self.program == Program::EndsSoon {
                SHORT
            } else {
                ENDLESS
            }),
        );
        scene.env.write("job.py", "print(1)");
        let mut calls = Calls::new();
        for command in self.before {
            let (ran, done) = scene.counted(command);
            ran.expect(0);
            calls.extend(done);
        }
        if self.program == Program::HasEnded {
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
