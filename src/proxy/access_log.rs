//! Apache's access log as a sign of life: who was asked for last, and when. Pure; [`read_on`] reads the file.
//!
//! Only lines with the applications' prefix are looked at more closely, so that a log of gigabytes is read about as fast as it
//! comes from the disk. Lines of any of Apache's usual formats are understood (`common`, `combined`, `vhost_combined`), whatever the
//! client's address looks like; a line that is not understood is counted and says nothing.

mod read;

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::date;
use memchr::memmem::Finder;
use memchr::{memchr, memrchr};

pub use read::{Mark, MarkError, read_on, scan};

/// The longest path below the prefix that is looked at, in bytes.
const LONGEST: usize = 16 << 10;

/// What is in the path of a page's own questions, and of the websockets that it opens anew by itself when they were closed.
static QUESTIONS: LazyLock<[Finder<'static>; 2]> =
    LazyLock::new(|| [b"/api/".as_slice(), b"/terminals/websocket/"].map(Finder::new));

/// Where a page of `JupyterLab` writes how it is laid out, every ten seconds, whether or not anybody is there.
static LAYOUT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"/lab/api/workspaces/"));

/// The query with which `zoe proxy check` asks for each path: that is nobody's use of it.
pub const CHECK: &str = "zoe-check";

/// What was seen in a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// By the token of an execution: when somebody asked for something of it last. What a page asks for by itself from time to time
    /// is not counted, nor what was refused or not found.
    pub last: HashMap<String, Timestamp>,
    /// Lines that name the prefix and can't be understood.
    pub bad: u64,
    /// Whether a part of the log is gone: what was in it is not known.
    pub missed: bool,
    /// Whether there is more of it than was read in one go.
    pub behind: bool,
}

/// One request, as a line tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access<'a> {
    /// When it came, in seconds since 1970.
    pub second: i64,
    /// How it was asked: `GET`.
    pub method: &'a [u8],
    /// The execution's token.
    pub token: &'a [u8],
    /// What of it: component, port and path, a query perhaps.
    pub rest: &'a [u8],
    /// The HTTP status.
    pub status: u16,
}

impl Access<'_> {
    /// Whether it shows that somebody is there: not what was refused, and not what a forgotten page asks for by itself.
    pub fn is_life(&self) -> bool {
        let went_well = self.status < 400;
        went_well && !self.is_poll() && !self.is_check()
    }

    /// Whether zoe itself asks, to see whether the path leads anywhere.
    fn is_check(&self) -> bool {
        let query = self.rest.splitn(2, |byte| *byte == b'?').nth(1);
        self.method == b"GET" && query == Some(CHECK.as_bytes())
    }

    /// Whether a page asks so by itself from time to time, as Jupyter's does for the kernels and files that there are. Its websockets
    /// are no more than that: a line is written when one is closed, and a page that was left open opens it again. What is said over them
    /// the server tells itself.
    fn is_poll(&self) -> bool {
        let asks = matches!(self.method, b"GET" | b"HEAD" | b"OPTIONS");
        let path = self.rest.split(|byte| *byte == b'?').next();
        let path = path.unwrap_or_default();
        let keeps = self.method == b"PUT" && LAYOUT.find(path).is_some();
        keeps || asks && QUESTIONS.iter().any(|one| one.find(path).is_some())
    }
}

/// Reads lines and remembers what they say.
pub struct Reader {
    /// Space, prefix, slash: what a request for an application has in it.
    mark: Finder<'static>,
    prefix: Vec<u8>,
    /// The time that was read last, as it was written: many lines are of one second.
    clock: Clock,
    /// By token, seconds since 1970.
    last: HashMap<Vec<u8>, i64>,
    bad: u64,
    missed: bool,
}

#[derive(Default)]
struct Clock {
    text: Vec<u8>,
    second: i64,
}

impl Reader {
    /// For applications below this prefix.
    pub fn new(prefix: &str) -> Self {
        let prefix = format!("{}/", prefix.trim_end_matches('/')).into_bytes();
        let mark = [b" ", prefix.as_slice()].concat();
        Self {
            mark: Finder::new(&mark).into_owned(),
            prefix,
            clock: Clock::default(),
            last: HashMap::new(),
            bad: 0,
            missed: false,
        }
    }

    /// Takes whole lines.
    pub fn lines(&mut self, mut text: &[u8]) {
        while let Some(at) = self.mark.find(text) {
            let (before, after) = text.split_at(at);
            let begin = memrchr(b'\n', before).map_or(0, |end| end.saturating_add(1));
            let length = memchr(b'\n', after).unwrap_or(after.len());
            let end = at.saturating_add(length);
            if let Some(line) = text.get(begin..end) {
                self.line(line);
            }
            text = text.get(end..).unwrap_or_default();
        }
    }

    fn line(&mut self, line: &[u8]) {
        match access(line, &self.prefix, &mut self.clock) {
            Parsed::Access(access) if access.is_life() => {
                if let Some(last) = self.last.get_mut(access.token) {
                    *last = access.second.max(*last);
                } else {
                    self.last.insert(access.token.to_owned(), access.second);
                }
            }
            Parsed::Access(_) | Parsed::Other => {}
            Parsed::Bad => self.bad = self.bad.saturating_add(1),
        }
    }

    /// Notes that a part of the log is gone.
    fn miss(&mut self) {
        self.missed = true;
    }

    /// What was seen.
    pub fn finish(self) -> Seen {
        let last = self.last.into_iter().filter_map(|(token, second)| {
            let token = String::from_utf8(token).ok()?;
            Some((token, Timestamp::from_second(second).ok()?))
        });
        Seen {
            last: last.collect(),
            bad: self.bad,
            missed: self.missed,
            behind: false,
        }
    }
}

/// What a line is.
enum Parsed<'a> {
    Access(Access<'a>),
    /// A request for something else, which only mentions the prefix.
    Other,
    Bad,
}

/// Reads one line: `… [TIME] "METHOD PATH PROTOCOL" STATUS …`.
fn access<'a>(line: &'a [u8], prefix: &[u8], clock: &mut Clock) -> Parsed<'a> {
    let Some((second, rest)) = time(line, clock) else {
        return Parsed::Bad;
    };
    let Some(request) = rest.strip_prefix(b" \"") else {
        return Parsed::Bad;
    };
    // A quote within the request is written with a backslash before it.
    let mut end = 0;
    loop {
        let Some(more) = request.get(end..).and_then(|rest| memchr(b'"', rest)) else {
            return Parsed::Bad;
        };
        end = end.saturating_add(more);
        let escapes = request.get(..end).unwrap_or_default().iter().rev();
        if escapes.take_while(|byte| **byte == b'\\').count() % 2 == 0 {
            break;
        }
        end = end.saturating_add(1);
    }
    let (request, rest) = request.split_at(end);
    let mut words = request.splitn(3, |byte| *byte == b' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Parsed::Bad;
    };
    let Some(path) = path.strip_prefix(prefix) else {
        return Parsed::Other;
    };
    let path = path.get(..LONGEST).unwrap_or(path);
    let split = memchr(b'/', path).unwrap_or(path.len());
    let (token, below) = path.split_at(split);
    let status = rest.strip_prefix(b"\" ").and_then(|rest| rest.get(..3));
    let status = status.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let is_token =
        !token.is_empty() && token.len() <= 64 && token.iter().all(u8::is_ascii_alphanumeric);
    match status {
        Some(status) if is_token => Parsed::Access(Access {
            second,
            method,
            token,
            rest: below,
            status,
        }),
        Some(_) => Parsed::Other,
        None => Parsed::Bad,
    }
}

/// The first time in brackets, and what follows it. An address may have brackets, too.
fn time<'a>(line: &'a [u8], clock: &mut Clock) -> Option<(i64, &'a [u8])> {
    /// `23/Nov/2026:06:52:14 +0000`
    const LENGTH: usize = 26;
    let mut rest = line;
    while let Some(at) = memchr(b'[', rest) {
        rest = rest.get(at.saturating_add(1)..)?;
        let (Some(text), Some(after)) = (rest.get(..LENGTH), rest.get(LENGTH..)) else {
            return None;
        };
        let Some(after) = after.strip_prefix(b"]") else {
            continue;
        };
        if text == clock.text {
            return Some((clock.second, after));
        }
        if let Some(second) = second(text) {
            clock.text.clear();
            clock.text.extend_from_slice(text);
            clock.second = second;
            return Some((second, after));
        }
    }
    None
}

/// Seconds since 1970 of a time as Apache writes it.
fn second(text: &[u8]) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = std::str::from_utf8(text).ok()?;
    let (day, rest) = text.split_once('/')?;
    let (month, rest) = rest.split_once('/')?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let (clock, zone) = rest.split_once(' ')?;
    let mut numbers = clock.split(':');
    let (year, hour) = (numbers.next()?, numbers.next()?);
    let (minute, second) = (numbers.next()?, numbers.next()?);
    let ahead = match zone.split_at_checked(1)? {
        ("+", digits) => digits.parse::<i64>().ok()?,
        ("-", digits) => -digits.parse::<i64>().ok()?,
        _ => return None,
    };
    let month = i8::try_from(month).ok()?.checked_add(1)?;
    let day = jiff::civil::Date::new(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    // A leap second is the one before it.
    let time = day
        .at(0, 0, 0, 0)
        .duration_since(date(1970, 1, 1).at(0, 0, 0, 0))
        .as_secs();
    let (hour, minute, second): (i64, i64, i64) = (
        hour.parse().ok()?,
        minute.parse().ok()?,
        second.parse().ok()?,
    );
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return None;
    }
    let zone = ahead / 100 * 3600 + ahead % 100 * 60;
    Some(time + hour * 3600 + minute * 60 + second.min(59) - zone)
}

#[cfg(test)]
mod tests;
