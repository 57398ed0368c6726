//! Log lines of several members in one stream: each line begins with the member that wrote it.
//!
//! One member alone is passed through byte for byte; that needs no help from here.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::text::rfc3339;
use crate::engine::Output;

/// Colours that are told apart on dark and on light ground.
const SHADES: [u8; 6] = [36, 33, 32, 35, 34, 31];

/// The longest line that is waited for, in bytes; a longer one is broken.
const LONGEST: usize = 1 << 20;

/// Puts a prefix before every line of every member, and never mixes two lines.
#[derive(Debug, Default)]
pub struct Prefixer {
    color: bool,
    timestamps: bool,
    width: usize,
    members: BTreeMap<String, Member>,
}

#[derive(Debug)]
struct Member {
    shade: u8,
    /// Lines that have begun and not ended, of standard output and of standard error.
    pending: [Vec<u8>; 2],
}

impl Prefixer {
    /// A prefixer; `timestamps` puts the time before each line.
    pub fn new(color: bool, timestamps: bool) -> Self {
        Self {
            color,
            timestamps,
            ..Self::default()
        }
    }

    /// Makes the prefixes at least as wide as this member's, so that what follows is aligned.
    pub fn expect(&mut self, member: &str) {
        self.width = self.width.max(member.chars().count());
    }

    /// Takes a piece of a member's log (a member without a name gets no prefix but the time) and gives the lines that are complete now.
    pub fn push(&mut self, member: &str, output: Output, at: Timestamp, bytes: &[u8]) -> Vec<u8> {
        self.expect(member);
        let next = SHADES
            .get(self.members.len() % SHADES.len())
            .copied()
            .unwrap_or(36);
        let entry = self
            .members
            .entry(member.to_owned())
            .or_insert_with(|| Member {
                shade: next,
                pending: [Vec::new(), Vec::new()],
            });
        let prefix = prefix(
            self.color,
            self.width,
            member,
            entry.shade,
            self.timestamps.then_some(at),
        );
        let [stdout, stderr] = &mut entry.pending;
        let pending = match output {
            Output::Stdout => stdout,
            Output::Stderr => stderr,
        };
        let mut out = Vec::with_capacity(bytes.len() + 64);
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            if piece.ends_with(b"\n") {
                out.extend_from_slice(prefix.as_bytes());
                out.append(pending);
                out.extend_from_slice(piece);
            } else {
                pending.extend_from_slice(piece);
                if pending.len() > LONGEST {
                    out.extend_from_slice(prefix.as_bytes());
                    out.append(pending);
                    out.push(b'\n');
                }
            }
        }
        out
    }

    /// The lines that never ended, each with a newline now.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, member) in std::mem::take(&mut self.members) {
            for pending in member
                .pending
                .into_iter()
                .filter(|pending| !pending.is_empty())
            {
                out.extend_from_slice(
                    prefix(self.color, self.width, &name, member.shade, None).as_bytes(),
                );
                out.extend_from_slice(&pending);
                out.push(b'\n');
            }
        }
        out
    }
}

fn prefix(color: bool, width: usize, member: &str, shade: u8, at: Option<Timestamp>) -> String {
    let time = at.map_or_else(String::new, |at| rfc3339(at) + " ");
    if member.is_empty() {
        time
    } else if color {
        format!("\u{1b}[{shade}m{member:width$} |\u{1b}[0m {time}")
    } else {
        format!("{member:width$} | {time}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn lines_of_two_members_are_never_mixed() {
        let mut lines = Prefixer::new(false, false);
        lines.expect("driver-0");
        let mut out = lines.push("w-0", Output::Stdout, AT, b"one\ntw");
        out.extend(lines.push("driver-0", Output::Stdout, AT, b"a\r\xffb\n"));
        out.extend(lines.push("w-0", Output::Stdout, AT, b"o\nrest"));
        out.extend(lines.finish());
        let expected: &[u8] =
            b"w-0      | one\ndriver-0 | a\r\xffb\nw-0      | two\nw-0      | rest\n";
        assert_eq!(out, expected);
    }

    #[test]
    fn prefixes_are_coloured_and_timed_when_asked_for() {
        let mut lines = Prefixer::new(true, true);
        let out = String::from_utf8(lines.push("w-0", Output::Stdout, AT, b"x\n")).unwrap();
        assert_eq!(out, "\u{1b}[36mw-0 |\u{1b}[0m 1970-01-01T00:00:00.000Z x\n");
    }
}
