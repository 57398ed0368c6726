use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;

use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbb";

fn seen(text: &str) -> Seen {
    let mut reader = Reader::new("/zoe");
    reader.lines(text.as_bytes());
    reader.finish()
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// A line of the combined format.
fn line(client: &str, time: &str, request: &str, status: u16) -> String {
    format!("{client} - - [{time}] \"{request}\" {status} 512 \"http://x/\" \"curl\"\n")
}

#[test]
fn the_last_request_counts_whatever_the_line_looks_like() {
    let get = format!("GET /zoe/{A}/notebook/notebook/lab?token=x HTTP/1.1");
    for (client, time, expected) in [
        (
            "10.0.0.1",
            "23/Nov/2026:06:52:14 +0000",
            "2026-11-23T06:52:14Z",
        ),
        (
            "2001:db8::1",
            "23/Nov/2026:06:52:14 +0100",
            "2026-11-23T05:52:14Z",
        ),
        (
            "[::1]:80 ::1",
            "01/Jan/2027:00:00:00 -0530",
            "2027-01-01T05:30:00Z",
        ),
        (
            "zoe.example.org:443 10.0.0.1",
            "29/Feb/2028:23:59:60 +0000",
            "2028-02-29T23:59:59Z",
        ),
        (
            "h [x] y",
            "23/Nov/2026:06:52:14 +0000",
            "2026-11-23T06:52:14Z",
        ),
    ] {
        let seen = seen(&line(client, time, &get, 200));
        assert_eq!(seen.last.get(A), Some(&at(expected)), "{client} {time}");
        assert_eq!(seen.bad, 0);
    }
    let earlier = line("::1", "23/Nov/2026:06:00:00 +0000", &get, 200);
    let later = line("::1", "23/Nov/2026:07:00:00 +0000", &get, 302);
    for text in [format!("{earlier}{later}"), format!("{later}{earlier}")] {
        assert_eq!(seen(&text).last[A], at("2026-11-23T07:00:00Z"));
    }
}

#[test]
fn what_a_page_does_by_itself_or_was_refused_is_no_life() {
    let time = "23/Nov/2026:06:52:14 +0000";
    let alive = |method: &str, rest: &str, status| {
        let request = format!("{method} /zoe/{A}/notebook/notebook{rest} HTTP/1.1");
        !seen(&line("::1", time, &request, status)).last.is_empty()
    };
    for (method, rest, status) in [
        ("GET", "/lab", 200),
        ("GET", "/", 302),
        ("POST", "/api/kernels", 201),
        ("PUT", "/api/contents/a.ipynb", 200),
        ("PATCH", "/api/contents/a", 200),
        (
            "PUT",
            "/lab/api/settings/@jupyterlab/apputils-extension:themes",
            204,
        ),
        ("DELETE", "/api/kernels/1", 204),
        ("GET", "/lab?from=/api/", 200),
        ("GET", "/ws", 101),
        ("GET", "/files/a.csv", 200),
        ("GET", "/?zoe-check&x", 200),
        ("POST", "/?zoe-check", 200),
    ] {
        assert!(alive(method, rest, status), "{method} {rest} {status}");
    }
    for (method, rest, status) in [
        ("GET", "/api/kernels?1700000000000", 200),
        ("GET", "/api/sessions", 304),
        ("GET", "/api/kernels/1/channels?session_id=2", 101),
        ("GET", "/api/events/subscribe", 101),
        ("GET", "/terminals/websocket/1", 101),
        ("GET", "/api/contents?content=1", 200),
        ("PUT", "/lab/api/workspaces/default?1700000000000", 204),
        ("GET", "/?zoe-check", 200),
        ("GET", "/?zoe-check", 302),
        ("GET", "/lab", 403),
        ("GET", "/lab", 404),
        ("GET", "/lab", 503),
        ("POST", "/api/kernels", 403),
    ] {
        assert!(!alive(method, rest, status), "{method} {rest} {status}");
    }
}

#[test]
fn what_is_not_understood_is_counted_and_says_nothing() {
    let good = line(
        "::1",
        "23/Nov/2026:06:52:14 +0000",
        &format!("GET /zoe/{B}/a/b/ HTTP/1.1"),
        200,
    );
    for bad in [
        format!(" /zoe/{A}/a/b/\n"),
        format!("x [23/Nov/2026:06:52:14 +0000] \"GET /zoe/{A}/a/b/\n"),
        format!("x [23/Nov/2026:06:52:14 +0000] \"GET /zoe/{A}/a/b/ HTTP/1.1\" - 5\n"),
        format!("x [31/Feb/2026:06:52:14 +0000] \"GET /zoe/{A}/a/b/ HTTP/1.1\" 200 5\n"),
        format!("x [23/Nov/2026:26:52:14 +0000] \"GET /zoe/{A}/a/b/ HTTP/1.1\" 200 5\n"),
        format!("x [23/Nov/2026 \"GET /zoe/{A}/a/b/ HTTP/1.1\" 200 5\n"),
        format!("\u{0}\u{1b}[31m \"GET /zoe/{A}/a/b/ HTTP/1.1\" 200 5\n"),
    ] {
        let seen = seen(&format!("{good}{bad}{good}"));
        assert_eq!(seen.bad, 1, "{bad:?}");
        assert_eq!(seen.last.len(), 1, "{bad:?}");
    }
    // Who only mentions it asked for something else.
    for other in [
        line(
            "::1",
            "23/Nov/2026:06:52:14 +0000",
            "GET /x?a= /zoe/b HTTP/1.1",
            200,
        ),
        line(
            "::1",
            "23/Nov/2026:06:52:14 +0000",
            &format!("GET /y\\\" /zoe/{A}/a/b/ HTTP/1.1"),
            200,
        ),
        line(
            "::1",
            "23/Nov/2026:06:52:14 +0000",
            "GET /zoe/ HTTP/1.1",
            404,
        ),
        line(
            "::1",
            "23/Nov/2026:06:52:14 +0000",
            "GET /zoe/%00%0a/x HTTP/1.1",
            200,
        ),
    ] {
        assert_eq!(seen(&other), Seen::default(), "{other:?}");
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_stumble(text in "[\\x00-\\x7f]{0,200}", more: Vec<u8>) {
        let mut reader = Reader::new("/zoe");
        reader.lines(format!("{text} /zoe/{A}/x \"{text}").as_bytes());
        reader.lines(&[b" /zoe/".as_slice(), &more, b" /zoe/", &more].concat());
        reader.finish();
    }
}

/// A line for the nth second.
fn nth(token: &str, n: u32) -> String {
    let time = format!("23/Nov/2026:06:{:02}:{:02} +0000", n / 60, n % 60);
    line(
        "::1",
        &time,
        &format!("GET /zoe/{token}/a/b/ HTTP/1.1"),
        200,
    )
}

fn second_of(seen: &Seen, token: &str) -> Option<i64> {
    let last = seen.last.get(token)?;
    Some(last.as_second() - at("2026-11-23T06:00:00Z").as_second())
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn only_what_is_new_is_read_and_a_line_only_when_it_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    append(&path, &nth(A, 1));
    let (first, mark) = read_on(&path, "/zoe", None).unwrap();
    assert_eq!(second_of(&first, A), Some(1));
    let mark: Mark = mark.to_string().parse().unwrap();
    assert_eq!(
        read_on(&path, "/zoe", Some(mark)).unwrap(),
        (Seen::default(), mark)
    );
    let next = nth(B, 2);
    let (half, rest) = next.split_at(next.len() / 2);
    append(&path, half);
    let (none, mark) = read_on(&path, "/zoe", Some(mark)).unwrap();
    assert_eq!(none, Seen::default());
    append(&path, rest);
    let (second, _) = read_on(&path, "/zoe", Some(mark)).unwrap();
    assert_eq!(
        (second_of(&second, A), second_of(&second, B)),
        (None, Some(2))
    );
    for text in ["", "1", "1:2", "1:2:x", "1:2:3:4", "-1:2:3"] {
        assert!(text.parse::<Mark>().is_err(), "{text}");
    }
    assert!(read_on(&directory.path().join("none"), "/zoe", None).is_err());
}

#[test]
fn rotations_are_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let older = |n: u32| directory.path().join(format!("access.log.{n}"));
    append(&path, &nth(A, 1));
    let (_, mark) = read_on(&path, "/zoe", None).unwrap();
    // Twice, with something at the end of each.
    append(&path, &nth(A, 5));
    fs::rename(&path, older(2)).unwrap();
    append(&older(1), &nth(B, 6));
    append(&path, &nth("ccc", 7));
    let (seen, mark) = read_on(&path, "/zoe", Some(mark)).unwrap();
    let all = [A, B, "ccc"].map(|token| second_of(&seen, token));
    assert_eq!((all, seen.missed), ([Some(5), Some(6), Some(7)], false));
    // The one that was left off is gone, or compressed.
    fs::rename(&path, directory.path().join("access.log.3.gz")).unwrap();
    append(&path, &nth(A, 9));
    let (seen, mark) = read_on(&path, "/zoe", Some(mark)).unwrap();
    assert_eq!((second_of(&seen, A), seen.missed), (Some(9), true));
    // Copied and emptied, and then longer than it was.
    fs::write(&path, format!("{}{}{}", nth(B, 10), nth(B, 11), nth(B, 12))).unwrap();
    let (seen, mark) = read_on(&path, "/zoe", Some(mark)).unwrap();
    assert_eq!((second_of(&seen, B), seen.missed), (Some(12), true));
    fs::write(&path, "").unwrap();
    let (seen, _) = read_on(&path, "/zoe", Some(mark)).unwrap();
    assert!(seen.missed);
}

#[test]
fn lines_at_the_ends_of_what_is_read_at_once_are_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let mut text = String::new();
    for n in 0..30_000 {
        text.push_str(&nth(if n % 2 == 0 { A } else { B }, n % 3600));
    }
    // One that is longer than anything is passed over.
    text.push_str(&"x".repeat(3 << 20));
    text.push('\n');
    text.push_str(&nth("ccc", 3000));
    fs::write(&path, &text).unwrap();
    let (seen, _) = read_on(&path, "/zoe", None).unwrap();
    let all = [A, B, "ccc"].map(|token| second_of(&seen, token));
    assert_eq!((all, seen.bad), ([Some(3598), Some(3599), Some(3000)], 0));
}

/// A line that is too long to be looked at could otherwise end with what looks like one.
#[test]
fn the_end_of_a_line_that_is_too_long_is_no_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    append(&path, &"x".repeat(1 << 20));
    append(&path, &nth(A, 1));
    append(&path, &nth(B, 2));
    let (seen, _) = read_on(&path, "/zoe", None).unwrap();
    assert_eq!((second_of(&seen, A), second_of(&seen, B)), (None, Some(2)));
    // Nor where it ends only at a later pass.
    fs::write(&path, "x".repeat(1 << 20)).unwrap();
    let (_, mark) = read_on(&path, "/zoe", None).unwrap();
    append(&path, &nth(A, 1));
    append(&path, &nth(B, 2));
    let (seen, _) = read_on(&path, "/zoe", Some(mark)).unwrap();
    assert_eq!((second_of(&seen, A), second_of(&seen, B)), (None, Some(2)));
}

/// The web server goes on with the file that it has open until it is told.
#[test]
fn what_is_written_to_the_older_file_after_a_rotation_was_seen_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let older = directory.path().join("access.log.1");
    append(&path, &nth(A, 1));
    let (_, mark) = read_on(&path, "/zoe", None).unwrap();
    fs::rename(&path, &older).unwrap();
    append(&path, "");
    let (seen, mark) = read_on(&path, "/zoe", Some(mark)).unwrap();
    assert_eq!(seen, Seen::default());
    append(&older, &nth(A, 5));
    append(&path, &nth(B, 6));
    let mark: Mark = mark.to_string().parse().unwrap();
    let (seen, mark) = read_on(&path, "/zoe", Some(mark)).unwrap();
    let both = [A, B].map(|token| second_of(&seen, token));
    assert_eq!((both, seen.missed), ([Some(5), Some(6)], false));
    let again = read_on(&path, "/zoe", Some(mark)).unwrap();
    assert_eq!(again, (Seen::default(), mark), "once");
    // It may go at any time.
    fs::remove_file(&older).unwrap();
    append(&path, &nth(B, 7));
    let (seen, mark) = read_on(&path, "/zoe", Some(mark)).unwrap();
    assert_eq!((second_of(&seen, B), seen.missed), (Some(7), false));
    // As it was written before.
    let old = mark.to_string();
    assert!(!old.contains('/'), "{old}");
    for text in ["1:2:3/", "1:2:3/4", "/1:2:3", "1:2:3/1:2:3/1:2:3"] {
        assert!(text.parse::<Mark>().is_err(), "{text}");
    }
}

#[test]
fn what_is_too_much_for_one_look_is_read_in_several() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let older = directory.path().join("access.log.1");
    let lines = |token: &str| (0..10).map(|n| nth(token, n)).collect::<String>();
    append(&path, &lines(A));
    let most = 3 * nth(A, 1).len() as u64 + 7;
    let some = |mark| read::read_some(&path, "/zoe", mark, most).unwrap();
    let (first, mark) = some(None);
    assert_eq!((second_of(&first, A), first.behind), (Some(2), true));
    // It is rotated meanwhile.
    fs::rename(&path, &older).unwrap();
    append(&path, &lines(B));
    let (mut mark, mut last, mut looks) = (mark, [None, None], 1);
    loop {
        let (seen, next) = some(Some(mark));
        assert!(!seen.missed);
        for (last, token) in last.iter_mut().zip([A, B]) {
            *last = (*last).max(second_of(&seen, token));
        }
        looks += 1;
        mark = next;
        if !seen.behind {
            break;
        }
    }
    assert_eq!(last, [Some(9), Some(9)]);
    assert!((7..=8).contains(&looks), "{looks}");
}
