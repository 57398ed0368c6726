//! What is true of zoe whatever it is given: each target takes any bytes and panics where it is not. Both libFuzzer
//! (`scripts/fuzz`) and the tests (`tests/fuzz_corpus.rs`) run them.

mod access_log;
mod apache;
mod application;
mod archive;
mod config;
mod csv;
mod html;
mod labels;
mod mail;
mod simulation;
mod site;
mod table;
mod views;

use std::path::{Component, Path};

/// Panics where something does not hold for these bytes.
pub type Target = fn(&[u8]);

/// All targets by name. Each has a directory of that name in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 11] = [
    ("access_log", access_log::target),
    ("apache", apache::target),
    ("application", application::target),
    ("archive", archive::target),
    ("config", config::target),
    ("csv", csv::target),
    ("labels", labels::target),
    ("mail", mail::target),
    ("simulation", simulation::target),
    ("site", site::target),
    ("table", table::target),
];

/// An input as a choice and texts: its first byte, and what is between bytes 0xff, which no UTF-8 has.
pub struct Input<'a> {
    /// The first byte.
    pub choice: u8,
    rest: Option<&'a [u8]>,
}

impl<'a> Input<'a> {
    /// Of these bytes.
    pub fn new(data: &'a [u8]) -> Self {
        let (choice, rest) = data.split_first().map_or((0, &[][..]), |(c, r)| (*c, r));
        Self {
            choice,
            rest: Some(rest),
        }
    }

    /// The next text, if there is one.
    pub fn next(&mut self) -> Option<String> {
        let rest = self.rest?;
        let end = rest.iter().position(|byte| *byte == 0xff);
        self.rest = end.map(|end| &rest[end + 1..]);
        let text = &rest[..end.unwrap_or(rest.len())];
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// The next text; nothing where there are no more.
    pub fn text(&mut self) -> String {
        self.next().unwrap_or_default()
    }
}

/// Whether a terminal could take a character for an order, or a reader not see it for what it is. Said here once more, and
/// not with zoe's own words, so that both would have to be wrong.
fn is_order(c: char) -> bool {
    let code = u32::from(c);
    let ranges = [
        (0, 0x1f),
        (0x7f, 0x9f),
        (0x200e, 0x200f),
        (0x2028, 0x202e),
        (0x2066, 0x2069),
        (0x061c, 0x061c),
        (0xfeff, 0xfeff),
        (0x200b, 0x200b),
        (0xe0000, 0xe007f),
    ];
    ranges
        .iter()
        .any(|(from, to)| (*from..=*to).contains(&code))
}

/// Panics where a terminal would take something in `text` for an order: all but the ends of lines and zoe's own colours.
pub fn shown_safely(text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(is_order) {
        rest = &rest[at..];
        let after = match rest.as_bytes()[0] {
            b'\n' => Some(&rest[1..]),
            0x1b => rest.strip_prefix("\u{1b}[").and_then(|colour| {
                let (number, after) = colour.split_once('m')?;
                let digits = |c: char| c.is_ascii_digit() || c == ';';
                (number.len() < 10 && number.chars().all(digits)).then_some(after)
            }),
            _ => None,
        };
        rest = after.unwrap_or_else(|| panic!("an order for the terminal is in {text:?}"));
    }
}

/// Panics unless `text` is one part of a path, and one that is what it looks like.
pub fn is_one_part(text: &str) {
    let mut parts = Path::new(text).components();
    assert!(
        matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == text),
        "{text:?} is no single part of a path"
    );
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    assert!(
        text.chars().all(plain) && !text.starts_with('.'),
        "{text:?}"
    );
}

/// Panics unless what is said of a mistake can be shown and has something to say.
pub fn is_told_well(said: &str) {
    assert!(!said.trim().is_empty());
    shown_safely(said);
    assert!(said.len() < 20_000, "{} bytes are no sentence", said.len());
}
