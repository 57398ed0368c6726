//! What the fuzzers once found, and what they begin with: every input in `fuzz/corpus` through the target that it is for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a target that does not hold is to panic"
)]

#[path = "../fuzz/targets/mod.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use targets::TARGETS;

fn corpus() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus"))
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn every_input_that_is_kept_holds() {
    let mut failed = Vec::new();
    for (name, target) in TARGETS {
        let directory = corpus().join(name);
        let files = names(&directory);
        assert!(files.len() >= 3, "{name}");
        for file in files {
            let input = fs::read(directory.join(&file)).unwrap();
            if std::panic::catch_unwind(|| target(&input)).is_err() {
                failed.push(format!("fuzz/corpus/{name}/{file}"));
            }
        }
        target(b"");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_corpus_is_small_and_of_the_targets() {
    let targets = TARGETS.map(|(name, _)| name.to_owned());
    assert_eq!(names(&corpus()), BTreeSet::from(targets));
    let files = TARGETS.iter().flat_map(|(name, _)| {
        let directory = corpus().join(name);
        names(&directory)
            .into_iter()
            .map(move |file| directory.join(file))
    });
    let sizes: Vec<u64> = files
        .map(|file| fs::metadata(file).unwrap().len())
        .collect();
    let bytes: u64 = sizes.iter().sum();
    assert!(
        sizes.len() <= 200 && bytes <= 300 << 10,
        "{} files, {bytes} bytes",
        sizes.len()
    );
}
