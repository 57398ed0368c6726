//! The help of every command, as it is printed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "it is a test, helpers included"
)]

mod common;

use common::TestEnv;

const COMMANDS: [&str; 24] = [
    "submit",
    "cluster",
    "notebook",
    "run",
    "ps",
    "show",
    "logs",
    "top",
    "history",
    "status",
    "simulate",
    "exec",
    "wait",
    "resize",
    "kill",
    "rm",
    "watch",
    "app",
    "db",
    "images",
    "write-config",
    "config",
    "completions",
    "man",
];

#[test]
fn help_of_every_command() {
    let env = TestEnv::new();
    insta::assert_snapshot!("help", env.run(&["--help"]).expect(0));
    for command in COMMANDS {
        insta::assert_snapshot!(
            format!("help_{command}"),
            env.run(&[command, "--help"]).expect(0)
        );
        let short = env.run(&[command, "-h"]).expect(0);
        assert!(short.contains("Examples:"), "{command}");
    }
    for command in [
        ["app", "ls"],
        ["app", "show"],
        ["app", "validate"],
        ["db", "import"],
        ["db", "export"],
        ["db", "status"],
        ["images", "build"],
        ["images", "ls"],
        ["images", "push"],
        ["config", "show"],
        ["config", "check"],
    ] {
        insta::assert_snapshot!(
            format!("help_{}", command.join("_")),
            env.run(&[command[0], command[1], "--help"]).expect(0)
        );
    }
}

#[test]
fn the_version_is_the_crate_s() {
    let env = TestEnv::new();
    assert_eq!(
        env.run(&["--version"]).expect(0),
        concat!("zoe ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
