//! The floors of the house: which module may know which, which crates stay behind which door, and how long a file may be.
//!
//! Reads the sources as text: comments, strings and character literals are blanked out first, then every path that
//! begins with `crate::`, `zoe::` or leaves its module by `super::` is taken as an import, wherever it stands.

#![allow(clippy::unwrap_used, reason = "it is a test, helpers included")]

use std::fs;
use std::path::Path;

#[path = "architecture/source.rs"]
mod source;

use source::{blanked, imports, paths, tokens};

/// The floor of each module right under `src`; the higher ones know the lower ones.
const FLOORS: &[(&str, u8)] = &[
    ("model", 0),
    ("labels", 1),
    ("apps", 1),
    ("scheduler", 1),
    ("idle", 1),
    ("simulate", 1),
    ("config", 1),
    ("engine", 2),
    ("store", 2),
    ("logs", 2),
    ("proxy", 2),
    ("mail", 2),
    ("ops", 3),
    ("cli", 4),
    ("output", 4),
    ("web", 4),
    ("watch", 4),
];

/// Who may know a neighbour on the same floor: labels carry the application format, logs come out of the engine,
/// commands show and serve what they got, and the simulation runs the scheduler.
const NEIGHBOURS: &[(&str, &str)] = &[
    ("labels", "apps"),
    ("logs", "engine"),
    ("simulate", "scheduler"),
    ("cli", "output"),
    ("cli", "watch"),
    ("cli", "web"),
    ("watch", "output"),
    ("web", "output"),
];

/// Who must not know a path below them all the same.
const FORBIDDEN: &[(&str, &str)] = &[
    ("output", "engine::docker"),
    ("web", "engine::docker"),
    ("cli", "engine::docker"),
];

/// Crates, by the beginning of their name, that belong behind one door.
const DOORS: &[(&str, &[&str])] = &[
    ("bollard", &["engine"]),
    ("sqlx", &["store"]),
    ("lettre", &["mail"]),
    ("clap", &["cli", "main"]),
];

/// What the pure modules must not name: they have no I/O, no clock, no chance.
const PURE: &[&str] = &["model", "scheduler", "idle"];
const IMPURE: &[&str] = &[
    "tokio",
    "rand",
    "SystemTime",
    "Timestamp::now",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
];

/// The longest a source file may be.
const LINES: usize = 400;

#[test]
fn every_file_keeps_to_its_floor() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    let mut files = 0;
    for (path, text) in sources(&root) {
        files += 1;
        broken.extend(objections(&path, &text));
    }
    assert!(files > 10, "only {files} files found in {}", root.display());
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// All sources under a directory: path relative to it with '/', and text.
fn sources(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                found.push((name.replace('\\', "/"), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Every rule that a file breaks, as a sentence with the line.
fn objections(path: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let lines = text.lines().count();
    if lines > LINES {
        broken.push(format!(
            "src/{path}: {lines} lines, at most {LINES}; split it"
        ));
    }
    let modules = module_path(path);
    let own = modules.first().map_or("lib", String::as_str);
    let tokens = tokens(&blanked(text));
    for (line, target) in imports(&tokens, &modules, &|name| floor(name).is_some()) {
        if let Some(why) = forbidden(own, &target) {
            broken.push(format!("src/{path}:{line}: {why}"));
        }
    }
    for (crates, homes) in DOORS {
        let named = tokens.iter().find(|(_, token)| {
            token
                .strip_prefix(crates)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        });
        if let (Some((line, token)), false) = (named, homes.contains(&own)) {
            let homes = homes.join(", ");
            broken.push(format!(
                "src/{path}:{line}: {token} belongs in {homes} only"
            ));
        }
    }
    if PURE.contains(&own) {
        for (line, path_there) in paths(&tokens) {
            let joined = format!("{}::", path_there.join("::"));
            for word in IMPURE {
                if format!("::{joined}").contains(&format!("::{word}::")) {
                    broken.push(format!("src/{path}:{line}: {own} is pure and names {word}"));
                }
            }
        }
    }
    broken
}

fn floor(module: &str) -> Option<u8> {
    let (_, floor) = FLOORS.iter().find(|(name, _)| *name == module)?;
    Some(*floor)
}

/// Why a module must not import a path that begins at the root of the crate, if it must not.
fn forbidden(own: &str, target: &[String]) -> Option<String> {
    let first = target.first()?.as_str();
    if first == own || matches!(own, "lib" | "main") {
        return None;
    }
    let Some(mine) = floor(own) else {
        return Some(format!(
            "module '{own}' has no floor; give it one in this test"
        ));
    };
    let Some(theirs) = floor(first) else {
        return Some(format!("'{first}' has no floor; give it one in this test"));
    };
    let joined = format!("{}::", target.join("::"));
    let banned =
        |(who, what): &&(&str, &str)| *who == own && joined.starts_with(&format!("{what}::"));
    if let Some((_, what)) = FORBIDDEN.iter().find(banned) {
        return Some(format!("{own} must not know {what}"));
    }
    if theirs < mine || NEIGHBOURS.contains(&(own, first)) {
        return None;
    }
    Some(format!(
        "{own} (floor {mine}) imports {first} (floor {theirs})"
    ))
}

/// The module of a file: `engine/docker/mod.rs` is `[engine, docker]`; the root is empty.
fn module_path(path: &str) -> Vec<String> {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    if stem == "lib" {
        return Vec::new();
    }
    stem.split('/').map(str::to_owned).collect()
}

/// Made-up sources: each breaks exactly the rule beside it.
#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn broken_rules_are_seen() {
    for (path, text, why) in [
        (
            "model/a.rs",
            "use crate::labels::X;",
            "model (floor 0) imports labels",
        ),
        (
            "scheduler/a.rs",
            "use crate::{\n model::A,\n apps::B,\n};",
            ":3: scheduler (floor 1) imports apps",
        ),
        (
            "config/a.rs",
            "fn f() { crate::apps::g() }",
            "config (floor 1) imports apps",
        ),
        (
            "apps/mod.rs",
            "use crate::labels;",
            "apps (floor 1) imports labels",
        ),
        (
            "engine/a.rs",
            "use crate::store::Store;",
            "engine (floor 2) imports store",
        ),
        (
            "engine/docker/a.rs",
            "use super::super::super::store::S;",
            "engine (floor 2) imports store",
        ),
        (
            "store/mod.rs",
            "use super::ops;",
            "store (floor 2) imports ops",
        ),
        (
            "ops/a.rs",
            "use crate::cli::Args;",
            "ops (floor 3) imports cli",
        ),
        (
            "output/a.rs",
            "use crate::cli::X;",
            "output (floor 4) imports cli",
        ),
        (
            "output/a.rs",
            "use crate::engine::{Usage, docker::Client};",
            "output must not know engine::docker",
        ),
        (
            "output/a.rs",
            "use bollard::Docker;",
            "bollard belongs in engine",
        ),
        (
            "ops/a.rs",
            "type D = bollard::Docker;",
            "bollard belongs in engine",
        ),
        (
            "ops/a.rs",
            "fn f(p: &sqlx::Pool) {}",
            "sqlx belongs in store",
        ),
        (
            "ops/a.rs",
            "#[derive(clap::Args)] struct A;",
            "clap belongs in cli",
        ),
        (
            "output/a.rs",
            "use clap_complete::Shell;",
            "clap_complete belongs in cli",
        ),
        (
            "scheduler/a.rs",
            "fn f() { Timestamp::now(); }",
            "scheduler is pure and names Timestamp::now",
        ),
        (
            "scheduler/a.rs",
            "fn f() { jiff::Timestamp::now(); }",
            "names Timestamp::now",
        ),
        (
            "model/a.rs",
            "use std::{fmt, fs};",
            "model is pure and names std::fs",
        ),
        (
            "model/a.rs",
            "let x = 'a'; let y = b\"\\\"\"; use crate::ops::Z;",
            "imports ops",
        ),
        (
            "gadgets.rs",
            "use crate::model::X;",
            "module 'gadgets' has no floor",
        ),
        (
            "ops/a.rs",
            "use crate::gadgets::X;",
            "'gadgets' has no floor",
        ),
    ] {
        let found = objections(path, text);
        assert_eq!(found.len(), 1, "{path}: {text}: {found:?}");
        assert!(found[0].contains(why), "{found:?}, not {why}");
    }
    let long = "\n".repeat(LINES + 1);
    assert!(objections("ops/a.rs", &long)[0].contains("401 lines"));
}

/// Made-up sources that break nothing.
#[test]
fn good_sources_are_left_alone() {
    for (path, text) in [
        (
            "model/a.rs",
            "use super::ids::X; use std::net::IpAddr; use crate::model::Y;",
        ),
        (
            "labels.rs",
            "use crate::apps; #[cfg(test)] mod tests { use super::*; use super::Key; }",
        ),
        ("logs/a.rs", "use crate::engine::{LogChunk, Output};"),
        (
            "engine/docker/mod.rs",
            "use super::gate::Gate; use bollard::Docker; use crate::model::*;",
        ),
        (
            "ops/a.rs",
            "use crate::{engine, store::Store, scheduler::{plan, Policy}};",
        ),
        (
            "cli/a.rs",
            "use crate::output::Table; use clap::Args; use crate::ops;",
        ),
        ("output/a.rs", "use crate::engine::Usage;"),
        (
            "main.rs",
            "use clap::Parser; use zoe::cli; fn f() { zoe::ops::g() }",
        ),
        ("lib.rs", "pub mod model; pub use crate::cli::run;"),
        (
            "model/a.rs",
            "//! See `crate::ops`.\n/* crate::ops /* bollard */ sqlx */ fn f<'a>(x: &'a str) {}",
        ),
        (
            "model/a.rs",
            "let s = \"crate::ops \\\" bollard\"; let r = r#\"crate::ops \" sqlx\"#; let c = '\"'; let d = \"crate::ops\";",
        ),
        ("scheduler/a.rs", "fn f(now: Timestamp) { operand(now) }"),
    ] {
        assert_eq!(
            objections(path, text),
            Vec::<String>::new(),
            "{path}: {text}"
        );
    }
}
