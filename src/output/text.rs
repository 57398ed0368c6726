//! Text that is safe on a terminal, and times and amounts as people read them.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use crate::model::danger::is_dangerous;

/// `text` in one line, what is dangerous shown as escapes.
pub fn clean(text: &str) -> Cow<'_, str> {
    neutralise(text, |_| false)
}

/// The same, but line ends and tabs stay.
pub fn clean_lines(text: &str) -> Cow<'_, str> {
    neutralise(text, |c| c == '\n' || c == '\t')
}

/// A line of a log as a terminal may have it: tabs and colours stay, which are over at its end; what is dangerous otherwise is shown
/// as escapes.
pub fn printable(line: &[u8]) -> String {
    const RESET: &str = "\u{1b}[0m";
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = String::from_utf8_lossy(line);
    let mut rest = text.as_ref();
    let mut safe = String::with_capacity(rest.len().saturating_add(8));
    let mut is_coloured = false;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, after) = rest.split_at(at);
        safe.push_str(&neutralise(before, |c| c == '\t'));
        let length = colour(after);
        let (escape, after) = after.split_at(length.unwrap_or(1));
        if length.is_some() {
            is_coloured = true;
            safe.push_str(escape);
        } else {
            safe.push_str(&neutralise(escape, |_| false));
        }
        rest = after;
    }
    safe.push_str(&neutralise(rest, |c| c == '\t'));
    if is_coloured {
        safe.push_str(RESET);
    }
    safe
}

/// How long the order that a text begins with is, if it is one for colours (SGR): `ESC [ 1 ; 31 m`.
fn colour(text: &str) -> Option<usize> {
    const LONGEST: usize = 32;
    let codes = text.strip_prefix("\u{1b}[")?;
    let end = codes.find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':')))?;
    let is_one = end <= LONGEST && codes.get(end..)?.starts_with('m');
    is_one.then_some(end.saturating_add(3))
}

/// `text` without what colours it, as builders do with what a program writes to standard error.
pub fn uncoloured(text: &str) -> Cow<'_, str> {
    const BEGIN: &str = "\u{1b}[";
    if !text.contains(BEGIN) {
        return Cow::Borrowed(text);
    }
    let mut pieces = text.split(BEGIN);
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match rest.strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            // It does something else.
            None => plain.extend([BEGIN, piece]),
        }
    }
    Cow::Owned(plain)
}

fn neutralise(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    let bad = |c: char| is_dangerous(c) && !keep(c);
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !bad(c) => safe.push(c),
            '\n' | '\r' | '\t' => safe.extend(c.escape_default()),
            c => safe.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(safe)
}

/// How long ago `then` was: `12s ago`, `3m ago`, `2h ago`, `5d ago`; `now` for what is not past.
pub fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    match seconds {
        ..=0 => "now".to_owned(),
        1..60 => format!("{seconds}s ago"),
        60..3600 => format!("{}m ago", seconds / 60),
        3600..86_400 => format!("{}h ago", seconds / 3600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// A length of time in its two largest units: `45s`, `3m 20s`, `2h 5m`, `4d 1h`.
pub fn length(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let units = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
    let Some(first) = units.iter().position(|(_, size)| seconds >= *size) else {
        return "0s".to_owned();
    };
    let mut rest = seconds;
    let mut shown = String::new();
    for (name, size) in units.iter().skip(first).take(2) {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            let gap = if shown.is_empty() { "" } else { " " };
            let _ = write!(shown, "{gap}{count}{name}");
        }
    }
    shown
}

/// RFC 3339 in UTC with milliseconds.
pub fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_a_user_typed_steers_the_terminal() {
        assert_eq!(clean("plain ü ☃"), "plain ü ☃");
        assert_eq!(
            clean("a\u{1b}[2Jb\nc\u{9b}d\u{202e}e"),
            "a\\u{1b}[2Jb\\nc\\u{9b}d\\u{202e}e"
        );
        assert_eq!(clean_lines("a\n\tb\r"), "a\n\tb\\r");
    }

    #[test]
    fn colours_are_taken_off_and_nothing_else() {
        assert_eq!(
            uncoloured("\u{1b}[91mdebconf: x\u{1b}[0m\n\u{1b}[1;31my\u{1b}[m"),
            "debconf: x\ny"
        );
        let other = "a\u{1b}[2Jb\u{1b}[\u{1b}";
        assert_eq!(uncoloured(other), other);
        assert_eq!(uncoloured("m\u{1b}[3"), "m\u{1b}[3");
    }

    #[test]
    fn times_are_short() {
        let then = Timestamp::UNIX_EPOCH;
        let after = |s: i64| then + SignedDuration::from_secs(s);
        let shown: Vec<String> = [-5, 0, 59, 60, 3599, 7200, 200_000]
            .map(|s| ago(after(s), then))
            .into();
        assert_eq!(
            shown,
            [
                "now", "now", "59s ago", "1m ago", "59m ago", "2h ago", "2d ago"
            ]
        );
        let lengths: Vec<String> = [0, 45, 200, 7500, 7201, 350_000]
            .map(|s| length(SignedDuration::from_secs(s)))
            .into();
        assert_eq!(lengths, ["0s", "45s", "3m 20s", "2h 5m", "2h", "4d 1h"]);
        assert_eq!(rfc3339(then), "1970-01-01T00:00:00.000Z");
    }

    proptest! {
        #[test]
        fn clean_text_has_no_control_characters(text in ".*") {
            prop_assert!(!clean(&text).chars().any(char::is_control));
        }
    }
}
