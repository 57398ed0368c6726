//! Old logs are removed by whoever watches, and whoever asks for them is told.

use std::fs::{DirEntry, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::place::{Place, until};

/// One that ended forty days ago.
fn old(place: &Place, name: &str) -> (String, PathBuf) {
    let file = place.job(name, 0, Duration::ZERO);
    let id = place.run(&["run", "-d", &file]).expect(0);
    place.run(&["wait", id.trim()]).expect(0);
    let history = place.path("data/zoe/history/test");
    let below = |directory: PathBuf| {
        let mut entries = std::fs::read_dir(directory).unwrap().flatten();
        let numbered = |entry: &DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
        entries.find(numbered).unwrap().path()
    };
    let path = below(below(history)).join(format!("{}.zip", id.trim()));
    let at = SystemTime::now() - Duration::from_hours(40 * 24);
    File::open(&path).unwrap().set_modified(at).unwrap();
    (id.trim().to_owned(), path)
}

const AGE: (&str, &str) = ("ZOE_FILESYSTEM_HISTORY_MAX_AGE", "30");

#[test]
fn a_watch_removes_old_logs_and_says_so() {
    let place = Place::memory("cores=2&memory=4g&images=all");
    let (id, path) = old(&place, "one");
    place.run(&["watch", "--once"]).expect(0);
    assert!(
        path.exists(),
        "logs are kept for ever unless something else is said"
    );
    let mut once = assert_cmd::Command::from_std(place.command(&["watch", "--once"]));
    once.env(AGE.0, AGE.1).assert().success();
    assert!(!path.exists());
    let ran = place.run(&["logs", &id]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("older than 30 days"), "{}", ran.stderr);
    std::fs::remove_file(place.path("data/zoe/history/test/.retention")).unwrap();
    let (_, path) = old(&place, "two");
    let watch = place.watch_in(&["--interval", "1s"], &[AGE]);
    until("it is removed", || !path.exists());
    assert_eq!(watch.stop("TERM").0, 0);
}
