//! The generated files in the repository are what this program generates.
//!
//! To bring them up to date: `zoe man man` and `zoe completions SHELL > completions/…`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "it is a test, helpers included"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::TestEnv;

const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "zoe.bash"), ("zsh", "_zoe"), ("fish", "zoe.fish")];

fn files(directory: &Path) -> BTreeMap<String, String> {
    let entries =
        fs::read_dir(directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    let read = |entry: fs::DirEntry| {
        (
            entry.file_name().into_string().unwrap(),
            fs::read_to_string(entry.path()).unwrap(),
        )
    };
    entries.map(|entry| read(entry.unwrap())).collect()
}

#[test]
fn the_manual_is_current() {
    let env = TestEnv::new();
    env.run(&["man", "pages"]).expect(0);
    let (made, kept) = (
        files(&env.path("work/pages")),
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("man")),
    );
    assert_eq!(
        made.keys().collect::<Vec<_>>(),
        kept.keys().collect::<Vec<_>>(),
        "run: zoe man man"
    );
    for (name, page) in made {
        assert!(
            kept.get(&name) == Some(&page),
            "man/{name} is not current; run: zoe man man"
        );
    }
}

#[test]
fn the_completions_are_current() {
    let env = TestEnv::new();
    let kept = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("completions"));
    assert_eq!(kept.len(), COMPLETIONS.len());
    for (shell, file) in COMPLETIONS {
        let made = env.run(&["completions", shell]).expect(0);
        assert!(
            kept.get(file) == Some(&made),
            "completions/{file} is not current; run: zoe completions {shell} > completions/{file}"
        );
    }
}
