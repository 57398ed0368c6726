//! An access log of a gibibyte: the right answer, only the new bytes at the next pass, and no more memory than for a small one.
//! How fast that goes is measured by `scripts/bench --only access-log`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use zoe::proxy::access_log::{Mark, Seen, read_on};

/// How large the log is, in blocks.
const BLOCKS: u64 = 1024;
/// How many executions a block has.
const EXECUTIONS: usize = 12;
/// By how much the process may grow: a buffer, and what is known of the executions.
const MOST: u64 = 8 << 20;
/// What may be read beside the new bytes: a few before the mark, and what the kernel tells of this process.
const BESIDE: u64 = 16 << 10;

fn token(n: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(n % 26).unwrap());
    letter.to_string().repeat(26)
}

/// A mebibyte or so of a busy site's log, all of it before 7 o'clock: how many of its lines are bad, and when each execution
/// was asked for last.
fn block() -> (Vec<u8>, u64, BTreeMap<String, String>) {
    let clients = [
        "10.0.0.1",
        "2001:db8::7",
        "[::1]:8080 ::1",
        "zoe.example.org:443 fe80::1",
    ];
    let methods = [
        "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND",
    ];
    let (mut text, mut bad, mut last) = (String::new(), 0, BTreeMap::new());
    let mut n = 0;
    while text.len() < 1 << 20 {
        let client = clients[n % clients.len()];
        let (minute, second) = (n / 60 % 60, n % 60);
        let time = format!("23/Nov/2026:06:{minute:02}:{second:02} +0000");
        let method = methods[n % methods.len()];
        let token = token(n % EXECUTIONS);
        // Most of a site's requests are for something else.
        for page in 0..4 {
            let agent = "\"https://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64)\"";
            let request = format!("GET /shop/{page}?q=\\\"{n}\\\" HTTP/1.1");
            writeln!(
                text,
                "{client} - - [{time}] \"{request}\" 200 51{n} {agent}"
            )
            .unwrap();
        }
        let (request, status, counts) = match n % 10 {
            0 => (
                format!("{method} /zoe/{token}/notebook/lab?x=1 HTTP/1.1"),
                404,
                false,
            ),
            1 => (
                format!("GET /zoe/{token}/notebook/api/kernels HTTP/1.1"),
                200,
                false,
            ),
            2 => (
                format!("GET /zoe/{token}/notebook/api/kernels/1/channels HTTP/1.1"),
                101,
                false,
            ),
            3 => (
                format!("{method} /elsewhere?from= /zoe/{token}/ HTTP/1.1"),
                200,
                false,
            ),
            _ => (
                format!("{method} /zoe/{token}/notebook/lab/tree/%22%0a HTTP/1.1"),
                200,
                true,
            ),
        };
        writeln!(text, "{client} - ada [{time}] \"{request}\" {status} 512").unwrap();
        if counts {
            let at = format!("2026-11-23T06:{minute:02}:{second:02}Z");
            last.entry(token)
                .and_modify(|known: &mut String| *known = at.clone().max(known.clone()))
                .or_insert(at);
        }
        if n % 7 == 0 {
            let broken = [
                "",
                "23/Nov/2026",
                "[99/Foo/2026:06:00:00 +0000]",
                "\u{1b}[2J",
            ][n % 4];
            writeln!(
                text,
                "{client} {broken} \"GET /zoe/{}/ HTTP/1.1",
                self::token(n)
            )
            .unwrap();
            bad += 1;
        }
        n += 1;
    }
    (text.into_bytes(), bad, last)
}

/// A request at a time of its own.
fn request(token: &str, time: &str) -> String {
    format!("::1 - - [23/Nov/2026:{time} +0000] \"GET /zoe/{token}/a/b/ HTTP/1.1\" 200 5\n")
}

fn append(path: &Path, block: &[u8], times: u64, end: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    for _ in 0..times {
        file.write_all(block).unwrap();
    }
    file.write_all(end.as_bytes()).unwrap();
}

/// How much this process has read so far, as the kernel counts it.
fn bytes_read() -> u64 {
    let text = fs::read_to_string("/proc/self/io").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.unwrap().parse().unwrap()
}

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().split_whitespace().next().unwrap();
    kib.parse::<u64>().unwrap() << 10
}

/// A pass that reads so many new bytes and hardly anything else, and holds hardly more than before.
#[track_caller]
fn pass(path: &Path, mark: Option<Mark>, new: u64) -> (Seen, Mark) {
    // As it is kept from one pass to the next.
    let mark = mark.map(|mark| mark.to_string().parse().unwrap());
    let (before, held, begun) = (bytes_read(), peak(), Instant::now());
    let (seen, mark) = read_on(path, "/zoe", mark).unwrap();
    let (read, grown) = (bytes_read() - before, peak() - held);
    let milliseconds = begun.elapsed().as_millis().max(1);
    let speed = u128::from(new >> 20) * 1000 / milliseconds;
    println!(
        "{} MiB, {speed} MiB/s, grown by {} KiB",
        new >> 20,
        grown >> 10
    );
    assert!(
        (new..new + BESIDE).contains(&read),
        "{read} bytes were read, {new} are new"
    );
    assert!(grown < MOST, "it grew by {grown} bytes");
    (seen, mark)
}

fn times(seen: &Seen) -> BTreeMap<String, String> {
    let last = seen.last.iter();
    last.map(|(token, at)| (token.clone(), at.to_string()))
        .collect()
}

#[test]
fn a_large_log_is_read_once_across_a_rotation() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    let (block, bad, of_block) = block();
    let quarter = BLOCKS / 4;

    append(&path, &block, quarter, &request("first", "06:59:59"));
    let mut expected = of_block.clone();
    expected.insert("first".to_owned(), "2026-11-23T06:59:59Z".to_owned());
    let (seen, mark) = pass(&path, None, size(&path));
    assert_eq!(
        (times(&seen), seen.bad, seen.missed),
        (expected, bad * quarter, false)
    );

    // It goes on, gets another name in the middle, and a new one takes its place; the last line is not whole yet.
    let before = size(&path);
    append(&path, &block, quarter, &request("moved", "07:00:01"));
    let rotated = directory.path().join("access.log.1");
    fs::rename(&path, &rotated).unwrap();
    let half = "::1 - - [23/Nov/2026:07:00:03 +0000] \"GET /zoe/half/a/b/ HT";
    let end = request(&token(0), "07:00:02") + half;
    append(&path, &block, 2 * quarter, &end);
    let new = size(&rotated) - before + size(&path);
    let mut expected = of_block.clone();
    expected.insert("moved".to_owned(), "2026-11-23T07:00:01Z".to_owned());
    expected.insert(token(0), "2026-11-23T07:00:02Z".to_owned());
    let (seen, mark) = pass(&path, Some(mark), new);
    assert_eq!(
        (times(&seen), seen.bad, seen.missed),
        (expected, 3 * bad * quarter, false)
    );

    // Nothing but the end of that line is new.
    append(&path, b"", 0, "TP/1.1\" 200 5\n");
    let (seen, mark) = pass(&path, Some(mark), (half.len() + 14) as u64);
    let half = BTreeMap::from([("half".to_owned(), "2026-11-23T07:00:03Z".to_owned())]);
    assert_eq!((times(&seen), seen.bad, seen.missed), (half, 0, false));
    let (seen, mark) = pass(&path, Some(mark), 0);
    assert_eq!(seen, Seen::default());

    // Copied and emptied: what came between the last pass and that is said to be missed, and only what is new is read.
    fs::copy(&path, directory.path().join("access.log.2")).unwrap();
    File::create(&path).unwrap();
    append(&path, b"", 0, &request("after", "08:00:00"));
    let (seen, _) = pass(&path, Some(mark), size(&path));
    let after = BTreeMap::from([("after".to_owned(), "2026-11-23T08:00:00Z".to_owned())]);
    assert_eq!((times(&seen), seen.missed), (after, true));
}
