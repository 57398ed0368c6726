//! The form of a mail: the same few parts in plain text and in HTML. Everything that goes in is cleaned and cut here, whoever
//! wrote it.

use std::fmt::Write as _;

use super::clean;
use crate::model::markup::escape;

/// The most characters of a subject, of a value, and of a sentence.
const SUBJECT: usize = 150;
const VALUE: usize = 400;
const SENTENCE: usize = 1500;
/// How wide the column of the names is, and where lines of plain text end.
const NAMES: usize = 14;
const WIDTH: usize = 76;

/// A mail as it is sent, but for its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// In one line.
    pub subject: String,
    /// For those who read plain text.
    pub text: String,
    /// The same in HTML.
    pub html: String,
}

enum Part {
    Sentence(String),
    Rows(Vec<(&'static str, String)>),
    Block(String, Vec<String>),
}

/// A mail that is being written.
pub(super) struct Page {
    subject: String,
    parts: Vec<Part>,
}

impl Page {
    pub(super) fn new(subject: &str) -> Self {
        Self {
            subject: clean::line(subject, SUBJECT),
            parts: Vec::new(),
        }
    }

    /// A paragraph.
    pub(super) fn sentence(mut self, text: &str) -> Self {
        let text = clean::line(text, SENTENCE);
        self.parts.push(Part::Sentence(text));
        self
    }

    /// Names and values, those without a value left out.
    pub(super) fn rows(mut self, rows: Vec<(&'static str, Option<String>)>) -> Self {
        let rows = rows.into_iter().filter_map(|(name, value)| {
            let value = clean::line(&value?, VALUE);
            (!value.is_empty()).then_some((name, value))
        });
        self.parts.push(Part::Rows(rows.collect()));
        self
    }

    /// Lines as they are, under a title.
    pub(super) fn block(mut self, title: &str, lines: &[String]) -> Self {
        let title = clean::line(title, VALUE);
        self.parts.push(Part::Block(title, lines.to_vec()));
        self
    }

    pub(super) fn finish(self) -> Content {
        Content {
            text: self.text(),
            html: self.html(),
            subject: self.subject,
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            if !text.is_empty() {
                text.push('\n');
            }
            match part {
                Part::Sentence(sentence) => wrap(&mut text, sentence),
                Part::Rows(rows) => {
                    for (name, value) in rows {
                        let _ = writeln!(text, "{:NAMES$}{value}", format!("{name}:"));
                    }
                }
                Part::Block(title, lines) => {
                    let _ = writeln!(text, "{title}:\n");
                    for line in lines {
                        let _ = writeln!(text, "    {line}");
                    }
                }
            }
        }
        text
    }

    fn html(&self) -> String {
        let mut page = String::from(
            "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body style=\"font-family: sans-serif\">\n",
        );
        for part in &self.parts {
            match part {
                Part::Sentence(sentence) => {
                    let _ = writeln!(page, "<p>{}</p>", escape(sentence));
                }
                Part::Rows(rows) => {
                    page.push_str("<table>\n");
                    for (name, value) in rows {
                        let _ = writeln!(
                            page,
                            "<tr><th style=\"text-align: left; padding-right: 1em\">{}</th><td>{}</td></tr>",
                            escape(name),
                            escape(value)
                        );
                    }
                    page.push_str("</table>\n");
                }
                Part::Block(title, lines) => {
                    let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
                    let _ = writeln!(
                        page,
                        "<p>{}:</p>\n<pre>{}</pre>",
                        escape(title),
                        lines.join("\n")
                    );
                }
            }
        }
        page.push_str("</body></html>\n");
        page
    }
}

/// A paragraph in lines; a word that is too long for one has a line of its own.
fn wrap(text: &mut String, paragraph: &str) {
    let mut column = 0;
    for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            text.push('\n');
            column = 0;
        }
        if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}
