//! The text of a `zoe.conf` → entries with their line numbers, and everything that is wrong with its form.
//!
//! The `rust-ini` crate reads each entry but keeps no line numbers, joins sections that come twice, and lets a
//! key without `=` swallow the lines after it. So the lines are first sorted here into entries (as Python's
//! `configparser` does it, which read these files before), and each entry is read by itself. What the keys mean
//! is not known here.

use std::collections::HashMap;
use std::path::Path;

use ini::{Ini, ParseOption};

use super::error::ConfigError;
use crate::model::ids::shorten;

/// One `key = value`, with an indented continuation if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Of the key, counted from 1.
    pub line: usize,
    /// Lower-case: keys are case-insensitive.
    pub key: String,
    /// Without white space at its ends; continuation lines are separated by `\n`.
    pub value: String,
}

/// One `[section]` and its entries, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Of the header, counted from 1.
    pub line: usize,
    /// As written between the brackets.
    pub name: String,
    /// Each key at most once.
    pub entries: Vec<Entry>,
}

/// Reads `text`; what is well-formed is returned even when something else is not.
pub(super) fn read(path: &Path, text: &str) -> (Vec<Section>, Vec<ConfigError>) {
    let mut reader = Reader {
        path,
        sections: Vec::new(),
        open: None,
        errors: Vec::new(),
    };
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        reader.line(index + 1, line);
    }
    reader.close_entry();
    reader.refuse_duplicates();
    (reader.sections, reader.errors)
}

struct Reader<'a> {
    path: &'a Path,
    sections: Vec<Section>,
    /// The entry that an indented line would continue: its line number and its text so far.
    open: Option<(usize, String)>,
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn line(&mut self, number: usize, line: &str) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            return;
        }
        if line.starts_with([' ', '\t'])
            && let Some((_, text)) = &mut self.open
        {
            text.push_str("\n ");
            text.push_str(trimmed);
            return;
        }
        self.close_entry();
        if let Some(header) = trimmed.strip_prefix('[') {
            self.header(number, header);
        } else if self.sections.is_empty() {
            self.syntax(
                number,
                "stands before the first section; put it under one, such as [docker]",
            );
        } else if trimmed.contains(['=', ':']) {
            self.open = Some((number, trimmed.to_owned()));
        } else {
            let section = self
                .sections
                .last()
                .map(|s| shorten(&s.name))
                .unwrap_or_default();
            let key = shorten(trimmed);
            self.errors.push(ConfigError::NoValue {
                path: self.path.into(),
                line: number,
                section,
                key,
            });
        }
    }

    fn header(&mut self, line: usize, rest: &str) {
        match rest.strip_suffix(']').map(str::trim) {
            Some(name) if !name.is_empty() && !name.contains(['[', ']']) => {
                self.sections.push(Section {
                    line,
                    name: name.to_owned(),
                    entries: Vec::new(),
                });
            }
            _ => self.syntax(
                line,
                "is no section; write `[name]` and nothing else on the line",
            ),
        }
    }

    fn close_entry(&mut self) {
        let Some((line, text)) = self.open.take() else {
            return;
        };
        match (read_entry(&text), self.sections.last_mut()) {
            (Ok((key, value)), Some(section)) => section.entries.push(Entry { line, key, value }),
            (Err(problem), _) => self.syntax(line, &problem),
            // An entry is opened under a section only.
            (Ok(_), None) => {}
        }
    }

    fn syntax(&mut self, line: usize, problem: &str) {
        self.errors.push(ConfigError::Syntax {
            path: self.path.into(),
            line,
            problem: problem.to_owned(),
        });
    }

    /// Reports what comes twice and keeps the first of each.
    fn refuse_duplicates(&mut self) {
        let path = self.path;
        let errors = &mut self.errors;
        let mut sections = HashMap::new();
        self.sections.retain(|section| {
            let first = *sections.entry(section.name.clone()).or_insert(section.line);
            if first != section.line {
                errors.push(ConfigError::DuplicateSection {
                    path: path.into(),
                    line: section.line,
                    first,
                    section: shorten(&section.name),
                });
            }
            first == section.line
        });
        for section in &mut self.sections {
            let mut keys = HashMap::new();
            section.entries.retain(|entry| {
                let first = *keys.entry(entry.key.clone()).or_insert(entry.line);
                if first != entry.line {
                    errors.push(ConfigError::DuplicateKey {
                        path: path.into(),
                        line: entry.line,
                        first,
                        section: shorten(&section.name),
                        key: shorten(&entry.key),
                    });
                }
                first == entry.line
            });
        }
    }
}

/// One entry through `rust-ini`, with escapes and quotes off: a value is taken literally, `;`, `#`, `\` and `"` included.
fn read_entry(text: &str) -> Result<(String, String), String> {
    let options = ParseOption {
        enabled_quote: false,
        enabled_escape: false,
        enabled_indented_mutiline_value: true,
        ..ParseOption::default()
    };
    let ini = Ini::load_from_str_opt(text, options)
        .map_err(|error| format!("can't be read: {}", error.msg))?;
    match ini.general_section().iter().next() {
        Some((key, value)) if !key.is_empty() => Ok((key.to_lowercase(), value.trim().to_owned())),
        _ => Err("has no key; write `key = value`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries(text: &str) -> Vec<(usize, String, String)> {
        let (sections, errors) = read(Path::new("zoe.conf"), text);
        assert_eq!(errors, []);
        sections
            .into_iter()
            .flat_map(|s| s.entries)
            .map(|e| (e.line, e.key, e.value))
            .collect()
    }

    #[test]
    fn values_are_literal() {
        let text = "[db]\r\nurl = mysql://z:a;b#c%23\\@h/z ; not a comment\r\npath=C:\\new\\\nquoted = \"x\"\nempty =\nColon: x=y\n";
        let expected = [
            (2, "url", "mysql://z:a;b#c%23\\@h/z ; not a comment"),
            (3, "path", "C:\\new\\"),
            (4, "quoted", "\"x\""),
            (5, "empty", ""),
            (6, "colon", "x=y"),
        ];
        let expected: Vec<_> = expected
            .iter()
            .map(|(l, k, v)| (*l, (*k).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(entries(text), expected);
    }

    #[test]
    fn comments_and_continuations() {
        let text = "\u{feff}# top\n  ; indented\n[a]\n  k =\n\n  # between\n    v\nl = 1\n  2\n";
        assert_eq!(
            entries(text),
            [
                (4, "k".to_owned(), "v".to_owned()),
                (8, "l".to_owned(), "1\n2".to_owned())
            ]
        );
    }

    #[test]
    fn every_fault_has_its_line() {
        let text = "early = 1\n[a\n[a]\nalone\nk = 1\n[b] x\n[]\n= 3\nK = 2\n[b]\n[a]\nk = 3\n";
        let (sections, errors) = read(Path::new("zoe.conf"), text);
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        zoe.conf:1: stands before the first section; put it under one, such as [docker]
        zoe.conf:2: is no section; write `[name]` and nothing else on the line
        zoe.conf:4: [a] alone: has no value; write `alone = …`, with nothing after the `=` for an empty value
        zoe.conf:6: is no section; write `[name]` and nothing else on the line
        zoe.conf:7: is no section; write `[name]` and nothing else on the line
        zoe.conf:8: can't be read: missing key
        zoe.conf:11: [a]: comes a second time (first in line 3); put its keys together, so that it is clear which one counts
        zoe.conf:9: [a] k: comes a second time (first in line 5); remove one of them
        ");
        assert_eq!(sections.len(), 2);
        assert_eq!(
            sections[0].entries,
            [Entry {
                line: 5,
                key: "k".into(),
                value: "1".into()
            }]
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in "(\\PC|[ \\t\\r\\n\\\\=:;#\\[\\]])*") {
            read(Path::new("f"), &text);
        }

        #[test]
        fn reads_what_is_written(value in "[!-~]([ -~]*[!-~])?") {
            let text = format!("[s]\nk = {value}\nafter = 1\n");
            let (sections, errors) = read(Path::new("f"), &text);
            prop_assert_eq!(errors, vec![]);
            prop_assert_eq!(&sections[0].entries[0].value, &value);
            prop_assert_eq!(&sections[0].entries[1].key, "after");
        }
    }
}
