//! The reader of Apache's access log against one that splits lines and fields in the plainest way, and against itself however
//! the log is cut.

use std::collections::HashMap;

use jiff::civil::date;
use zoe::proxy::access_log::{Reader, Seen, scan};

/// What the log says: with the lines whole, in pieces, and to the plain reader.
pub fn target(data: &[u8]) {
    let mut input = data.iter().copied();
    let (first, second) = (input.next().unwrap_or(0), input.next().unwrap_or(0));
    let log = data.get(2..).unwrap_or_default();
    let whole = log
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let lines = &log[..whole];

    let mut reader = Reader::new("/zoe");
    reader.lines(lines);
    let seen = reader.finish();
    assert!(!seen.missed);
    assert_eq!((seen.last_seconds(), seen.bad), plainly(lines));

    // The same from a source that gives so much at once, with a buffer in which the longest line has just room.
    let longest = log.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
    let room = longest.unwrap_or(0) + 1 + usize::from(second);
    let mut reader = Reader::new("/zoe");
    let mut source = Pieces(log, usize::from(first) + 1);
    let read = scan(&mut source, room, false, &mut reader).unwrap();
    assert_eq!(read, whole as u64);
    assert_eq!(reader.finish(), seen);

    // In two passes, wherever the first one ends: what it left is read by the second.
    let cut = (usize::from(first) * 256 + usize::from(second)) % (log.len() + 1);
    let mut reader = Reader::new("/zoe");
    let read = scan(&mut &log[..cut], room, false, &mut reader).unwrap();
    let read = usize::try_from(read).unwrap();
    assert!(read <= cut);
    scan(&mut &log[read..], room, false, &mut reader).unwrap();
    assert_eq!(reader.finish(), seen);

    // With a buffer that is too small for some lines: those are left out, the others say the same.
    let room = usize::from(first) + 1;
    let short: Vec<u8> = lines
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.len() <= room)
        .flatten()
        .copied()
        .collect();
    let mut reader = Reader::new("/zoe");
    scan(&mut &log[..], room, false, &mut reader).unwrap();
    let seen = reader.finish();
    assert_eq!((seen.last_seconds(), seen.bad), plainly(&short));
}

trait Seconds {
    fn last_seconds(&self) -> HashMap<String, i64>;
}

impl Seconds for Seen {
    fn last_seconds(&self) -> HashMap<String, i64> {
        let last = self.last.iter();
        last.map(|(token, at)| (token.clone(), at.as_second()))
            .collect()
    }
}

/// Gives so many bytes at once.
struct Pieces<'a>(&'a [u8], usize);

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(self.1).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// Line by line, a byte a character.
fn plainly(log: &[u8]) -> (HashMap<String, i64>, u64) {
    let text: String = log.iter().map(|byte| char::from(*byte)).collect();
    let mut last: HashMap<String, i64> = HashMap::new();
    let mut bad = 0;
    for line in text.split('\n').filter(|line| line.contains(" /zoe/")) {
        match life(line) {
            Ok(Some((token, second))) => {
                let known = last.entry(token).or_insert(second);
                *known = second.max(*known);
            }
            Ok(None) => {}
            Err(()) => bad += 1,
        }
    }
    (last, bad)
}

/// Whose life a line is a sign of, and when; an error for a line that is not understood.
fn life(line: &str) -> Result<Option<(String, i64)>, ()> {
    let (second, rest) = time(line).ok_or(())?;
    let rest = rest.strip_prefix(" \"").ok_or(())?;
    let mut end = None;
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        if c == '"' && !escaped {
            end = Some(at);
            break;
        }
        escaped = c == '\\' && !escaped;
    }
    let (request, rest) = rest.split_at(end.ok_or(())?);
    let mut words = request.split(' ');
    let (method, path) = (words.next().ok_or(())?, words.next().ok_or(())?);
    let Some(path) = path.strip_prefix("/zoe/") else {
        return Ok(None);
    };
    let status = rest.strip_prefix("\" ").and_then(|rest| rest.get(..3));
    let status: u16 = status.and_then(|digits| digits.parse().ok()).ok_or(())?;
    let path: String = path.chars().take(16 << 10).collect();
    let (token, below) = path.split_at(path.find('/').unwrap_or(path.len()));
    let is_token =
        (1..=64).contains(&token.len()) && token.chars().all(|c| c.is_ascii_alphanumeric());
    let asks = ["GET", "HEAD", "OPTIONS"].contains(&method);
    let place = below.split('?').next().unwrap_or_default();
    let by_itself = ["/api/", "/terminals/websocket/"];
    let polls = asks && by_itself.iter().any(|part| place.contains(part));
    let checks = method == "GET" && below.split_once('?').is_some_and(|at| at.1 == "zoe-check");
    let counts = is_token && status < 400 && !polls && !checks;
    Ok(counts.then(|| (token.to_owned(), second)))
}

/// The first time in brackets, and what follows.
fn time(line: &str) -> Option<(i64, &str)> {
    line.match_indices('[').find_map(|(at, _)| {
        let inside = line.get(at + 1..at + 27)?;
        let rest = line.get(at + 27..)?.strip_prefix(']')?;
        Some((seconds(inside)?, rest))
    })
}

fn seconds(text: &str) -> Option<i64> {
    // 23/Nov/2026:06:52:14 +0000
    let (date_and_clock, zone) = text.split_once(' ')?;
    let fields: Vec<&str> = date_and_clock.splitn(3, '/').collect();
    let [day, month, rest] = fields[..] else {
        return None;
    };
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = (0..12).find(|n| months[n * 3..n * 3 + 3] == *month)?;
    let clock: Vec<&str> = rest.split(':').collect();
    let [year, hour, minute, second, ..] = clock[..] else {
        return None;
    };
    let day = date_of(year.parse().ok()?, month + 1, day.parse().ok()?)?;
    let (hour, minute, second): (i64, i64, i64) = (
        hour.parse().ok()?,
        minute.parse().ok()?,
        second.parse().ok()?,
    );
    let good = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let zone: i64 = zone[1..].parse().ok()?;
    let ahead = sign * (zone / 100 * 3600 + zone % 100 * 60);
    good.then(|| day * 86_400 + hour * 3600 + minute * 60 + second.min(59) - ahead)
}

/// Days since 1970.
fn date_of(year: i16, month: usize, day: i8) -> Option<i64> {
    let day = jiff::civil::Date::new(year, i8::try_from(month).ok()?, day).ok()?;
    Some(i64::from(day.since(date(1970, 1, 1)).ok()?.get_days()))
}
