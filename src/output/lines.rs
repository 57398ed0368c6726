//! Log lines of several members in one stream: each line begins with the member that wrote it.
//!
//! One member alone is passed through byte for byte; that needs no help from here. On a terminal what is between the prefixes is
//! only shown: a line that could steer it could pass for another member's.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::text::{printable, rfc3339};
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
    /// Which of the two outputs are terminals.
    terminals: (bool, bool),
    width: usize,
    members: BTreeMap<String, Member>,
}

#[derive(Debug)]
struct Member {
    shade: u8,
    /// Lines that have begun and not ended, of standard output and of standard error, and when what there is of them was written.
    pending: [(Vec<u8>, Timestamp); 2],
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

    /// Has what goes to terminals only shown there, colours aside: whether standard output is one, and standard error.
    #[must_use]
    pub fn onto(self, terminals: (bool, bool)) -> Self {
        Self { terminals, ..self }
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
                pending: [(Vec::new(), at), (Vec::new(), at)],
            });
        let prefix = prefix(
            self.color,
            self.width,
            member,
            entry.shade,
            self.timestamps.then_some(at),
        );
        let [stdout, stderr] = &mut entry.pending;
        let ((pending, written_at), is_terminal) = match output {
            Output::Stdout => (stdout, self.terminals.0),
            Output::Stderr => (stderr, self.terminals.1),
        };
        *written_at = at;
        let mut out = Vec::with_capacity(bytes.len() + 64);
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let (piece, is_whole) = match piece {
                [line @ .., b'\n'] => (line, true),
                begun => (begun, false),
            };
            pending.extend_from_slice(piece);
            if is_whole || pending.len() > LONGEST {
                write_line(&mut out, &prefix, pending, is_terminal);
                pending.clear();
            }
        }
        out
    }

    /// The lines that never ended, the earliest first, each with a newline now, and where they belong.
    pub fn finish(&mut self) -> Vec<(Output, Vec<u8>)> {
        let mut all = Vec::new();
        for (name, member) in std::mem::take(&mut self.members) {
            let outputs = [Output::Stdout, Output::Stderr].into_iter();
            let terminals = [self.terminals.0, self.terminals.1];
            let pending = outputs.zip(terminals).zip(member.pending);
            for ((output, is_terminal), (pending, written_at)) in pending {
                if !pending.is_empty() {
                    let at = self.timestamps.then_some(written_at);
                    let prefix = prefix(self.color, self.width, &name, member.shade, at);
                    let mut out = Vec::new();
                    write_line(&mut out, &prefix, &pending, is_terminal);
                    all.push((written_at, output, out));
                }
            }
        }
        all.sort_by_key(|(at, ..)| *at);
        let lines = all.into_iter();
        lines.map(|(_, output, line)| (output, line)).collect()
    }
}

fn write_line(out: &mut Vec<u8>, prefix: &str, line: &[u8], is_terminal: bool) {
    out.extend_from_slice(prefix.as_bytes());
    if is_terminal {
        out.extend_from_slice(printable(line).as_bytes());
    } else {
        out.extend_from_slice(line);
    }
    out.push(b'\n');
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
        for (output, rest) in lines.finish() {
            assert_eq!(output, Output::Stdout);
            out.extend(rest);
        }
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

    #[test]
    fn what_never_ended_goes_where_it_belongs_with_its_time() {
        let mut lines = Prefixer::new(false, true);
        assert!(lines.push("w-0", Output::Stderr, AT, b"oh").is_empty());
        assert!(lines.push("w-0", Output::Stdout, AT, b"yes").is_empty());
        let line = |text: &str| format!("w-0 | 1970-01-01T00:00:00.000Z {text}\n").into_bytes();
        let expected = [(Output::Stdout, line("yes")), (Output::Stderr, line("oh"))];
        assert_eq!(lines.finish(), expected);
        assert_eq!(lines.finish(), []);
    }

    #[test]
    fn on_a_terminal_no_line_passes_for_another_members() {
        let evil = b"50%\rdriver-0 | done\x1b[2K\x1b]0;owned\x07\xff\xc2\x9b2J\r\n";
        let mut lines = Prefixer::new(false, false).onto((true, false));
        let shown = lines.push("w-0", Output::Stdout, AT, evil);
        let expected =
            "w-0 | 50%\\rdriver-0 | done\\u{1b}[2K\\u{1b}]0;owned\\u{7}\u{fffd}\\u{9b}2J\n";
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
        // Colours are shown, and are over where the line is.
        let red = lines.push("w-0", Output::Stdout, AT, "\u{1b}[1;31mred\tü\n".as_bytes());
        assert_eq!(red, "w-0 | \u{1b}[1;31mred\tü\u{1b}[0m\n".as_bytes());
        // What goes elsewhere is left as it is.
        let file = lines.push("w-0", Output::Stderr, AT, evil);
        assert_eq!(file, [b"w-0 | ".as_slice(), evil].concat());
    }
}
