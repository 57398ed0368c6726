//! Archives: every byte comes back, nothing complete is overwritten, damage is noticed.

use std::path::Path;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use zoe::engine::{LogChunk, LogRange};
use zoe::logs::{Archive, ArchiveError, ArchiveWriter, Stored};
use zoe::model::InstanceKey;

use crate::{chunk, execution, key, log, read, sandbox, write};

/// What is in the directory, hidden files too.
fn listing(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What Docker gives for a range: the last so many, and of these what is not before.
fn live(log: &[LogChunk], range: LogRange) -> Vec<LogChunk> {
    let tail = range
        .tail
        .map_or(log.len(), |n| usize::try_from(n).unwrap());
    log[log.len().saturating_sub(tail)..]
        .iter()
        .filter(|chunk| range.since.is_none_or(|since| chunk.at >= since))
        .cloned()
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_archive_gives_back_what_was_put_in(
        logs in proptest::collection::vec(log(), 0..4),
        tail in proptest::option::of(0..40_u64),
        since in proptest::option::of(0..500_i64),
    ) {
        let (_directory, path) = sandbox();
        let logs: Vec<_> = logs.into_iter().enumerate()
            .map(|(n, log)| (key("worker", u32::try_from(n).unwrap()), log))
            .collect();
        prop_assert_eq!(write(&path, &logs).unwrap(), Stored::Written);
        let archive = Archive::open(&path).unwrap();
        let range = LogRange { follow: true, tail, since: since.map(|ms| chunk(ms, "").at) };
        for (key, log) in &logs {
            prop_assert_eq!(&read(&archive, key, LogRange::default()), log);
            prop_assert_eq!(read(&archive, key, range), live(log, range));
        }
        for ((_, log), said) in logs.iter().zip(&archive.manifest().instances) {
            let whole: Vec<u8> = log.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect();
            prop_assert_eq!(said.chunks, log.len() as u64);
            prop_assert_eq!(said.bytes, whole.len() as u64);
            let lines = whole.split_inclusive(|byte| *byte == b'\n').count();
            prop_assert_eq!(said.lines, lines as u64);
            prop_assert_eq!(said.first, log.first().map(|chunk| chunk.at));
            prop_assert_eq!(said.last, log.last().map(|chunk| chunk.at));
        }
    }
}

#[test]
fn the_archive_is_an_ordinary_zip_with_readable_files() {
    let (directory, path) = sandbox();
    let mut writer = ArchiveWriter::create(&path, execution()).unwrap();
    writer.begin_instance(&key("driver", 0)).unwrap();
    writer.chunk(&chunk(0, "Pi is roughly 3.14\n")).unwrap();
    writer.begin_instance(&key("worker", 11)).unwrap();
    writer.instance_failed("the node is gone");
    assert_eq!(writer.finish().unwrap(), Stored::Written);
    let place = path.strip_prefix(directory.path()).unwrap();
    assert_eq!(place, Path::new("team/2026/11/abcdefg2.zip"));

    let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
    let mut text = |name: &str| std::io::read_to_string(zip.by_name(name).unwrap()).unwrap();
    insta::assert_snapshot!(text("driver-0.log"), @"2026-09-21T14:13:20.000000000Z o Pi is roughly 3.14");
    insta::assert_snapshot!(text("worker-11.log"), @"");
    insta::assert_snapshot!(text("manifest.json"), @r#"
    {
      "schema": 1,
      "execution": "abcdefg2",
      "instances": [
        {
          "component": "driver",
          "index": 0,
          "file": "driver-0.log",
          "chunks": 1,
          "lines": 1,
          "bytes": 19,
          "first": "2026-09-21T14:13:20Z",
          "last": "2026-09-21T14:13:20Z",
          "failed": null
        },
        {
          "component": "worker",
          "index": 11,
          "file": "worker-11.log",
          "chunks": 0,
          "lines": 0,
          "bytes": 0,
          "first": null,
          "last": null,
          "failed": "the node is gone"
        }
      ]
    }
    "#);
    assert_eq!(zip.len(), 3);
    let archive = Archive::open(&path).unwrap();
    let error = archive
        .chunks(&"master".parse().unwrap(), 0, LogRange::default())
        .err()
        .unwrap();
    let told = error
        .to_string()
        .replace(&path.display().to_string(), "PATH");
    insta::assert_snapshot!(told, @"the log archive PATH has nothing of master-0");
}

#[test]
fn the_first_complete_archive_stays() {
    let (_directory, path) = sandbox();
    let logs = |text: &str| vec![(key("driver", 0), vec![chunk(0, text)])];
    // Two at work at once: who finishes first wins.
    let mut slow = ArchiveWriter::create(&path, execution()).unwrap();
    slow.begin_instance(&key("driver", 0)).unwrap();
    slow.chunk(&chunk(0, "slow\n")).unwrap();
    assert_eq!(write(&path, &logs("fast\n")).unwrap(), Stored::Written);
    assert_eq!(slow.finish().unwrap(), Stored::AlreadyThere);
    assert_eq!(write(&path, &logs("late\n")).unwrap(), Stored::AlreadyThere);
    let archive = Archive::open(&path).unwrap();
    let kept = read(&archive, &key("driver", 0), LogRange::default());
    assert_eq!(kept, [chunk(0, "fast\n")]);
    assert_eq!(listing(path.parent().unwrap()), ["abcdefg2.zip"]);
}

#[test]
fn what_is_damaged_is_put_aside_and_written_again() {
    let (_directory, path) = sandbox();
    let logs = vec![(key("driver", 0), vec![chunk(0, "text\n")])];
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "no zip").unwrap();
    assert_eq!(write(&path, &logs).unwrap(), Stored::Written);
    assert!(Archive::open(&path).is_ok());
    let names = listing(path.parent().unwrap());
    assert_eq!(names, ["abcdefg2.zip", "abcdefg2.zip.damaged"]);
}

#[test]
fn who_is_killed_leaves_nothing_for_long() {
    let (_directory, path) = sandbox();
    let directory = path.parent().unwrap();
    let unfinished = ArchiveWriter::create(&path, execution()).unwrap();
    assert_eq!(listing(directory).len(), 1);
    drop(unfinished);
    assert_eq!(listing(directory), [""; 0]);

    // What a killed process left is removed, what is young or at work or another's is not.
    let old = SystemTime::now() - Duration::from_hours(1);
    let names = [
        ".abcdefg2.zip.dead.part",
        ".abcdefg2.zip.young.part",
        ".abcdefg2.zip.busy.part",
        ".bbbbbbbb.zip.other.part",
    ];
    let files: Vec<std::fs::File> = names
        .iter()
        .map(|name| std::fs::File::create(directory.join(name)).unwrap())
        .collect();
    for n in [0, 2, 3] {
        files[n].set_modified(old).unwrap();
    }
    files[2].lock().unwrap();
    write(&path, &[]).unwrap();
    let mut left = listing(directory);
    left.retain(|name| name.starts_with('.'));
    assert_eq!(left, [names[2], names[1], names[3]]);
}

#[test]
fn what_cannot_be_written_or_read_gets_a_sentence() {
    let (directory, path) = sandbox();
    let told = |error: ArchiveError| {
        let base = directory.path().display().to_string();
        error.to_string().replace(&base, "DIR")
    };
    insta::assert_snapshot!(told(Archive::open(&path).unwrap_err()), @"there is no log archive DIR/team/2026/11/abcdefg2.zip");

    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = ArchiveWriter::create(&file.join("x.zip"), execution());
    insta::assert_snapshot!(told(error.err().unwrap()), @"cannot write the log archive DIR/file/x.zip: File exists (os error 17)");
    insta::assert_snapshot!(told(Archive::open(&file).unwrap_err()), @"cannot read the log archive DIR/file: invalid Zip archive: Could not find EOCD");

    let mut writer = ArchiveWriter::create(&path, execution()).unwrap();
    insta::assert_snapshot!(told(writer.chunk(&chunk(0, "")).unwrap_err()), @"cannot write the log archive DIR/team/2026/11/abcdefg2.zip: there is a chunk before any instance");
    writer.begin_instance(&key("a", 0)).unwrap();
    insta::assert_snapshot!(told(writer.begin_instance(&key("a", 0)).unwrap_err()), @"cannot write the log archive DIR/team/2026/11/abcdefg2.zip: invalid Zip archive: Duplicate filename: a-0.log");
    let stranger = InstanceKey {
        execution: "bbbbbbbb".parse().unwrap(),
        ..key("a", 1)
    };
    insta::assert_snapshot!(told(writer.begin_instance(&stranger).unwrap_err()), @"cannot write the log archive DIR/team/2026/11/abcdefg2.zip: bbbbbbbb is another execution");
}

#[test]
fn damage_anywhere_is_an_error_and_never_wrong_lines() {
    let (_directory, path) = sandbox();
    let noise: Vec<LogChunk> = (0..200_i64)
        .map(|n| {
            chunk(
                n,
                format!(
                    "{}\n",
                    n.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed())
                ),
            )
        })
        .collect();
    write(&path, &[(key("a", 0), noise.clone())]).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut noticed = 0;
    for at in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        std::fs::write(&path, &damaged).unwrap();
        let Ok(archive) = Archive::open(&path) else {
            noticed += 1;
            continue;
        };
        let Ok(chunks) = archive.chunks(&"a".parse().unwrap(), 0, LogRange::default()) else {
            noticed += 1;
            continue;
        };
        let read: Result<Vec<LogChunk>, ArchiveError> = chunks.collect();
        match read {
            Ok(read) => assert_eq!(read, noise, "byte {at} matters to no line"),
            Err(_) => noticed += 1,
        }
    }
    assert!(noticed > 0);
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(Archive::open(&path).is_err());
}
