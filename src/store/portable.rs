//! The portable form of a whole database: lines of JSON. No database here.
//!
//! The first line says what it is, then comes a line for each row, and the last line counts them, so that an export that was cut
//! off is known for one. Whatever tables and columns there are is in it: numbers are numbers, all else is text.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value as Json};

use super::rows::Value;

/// The version of the form itself.
pub const VERSION: u32 = 1;
/// What the first line calls it.
const FORM: &str = "zoe-database";
/// The longest line that is read: a row can hold a long description, but not this.
const LONGEST: u64 = 256 << 20;

/// How many rows, by table.
pub type Counts = BTreeMap<String, u64>;

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Line {
    /// The first.
    Head(Head),
    /// A row of a table.
    Row {
        /// The table.
        table: String,
        /// The values, by column.
        row: Map<String, Json>,
    },
    /// The last.
    End {
        /// How many rows there are, by table.
        end: Counts,
    },
}

/// What the first line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// `zoe-database`.
    pub format: String,
    /// The form's version.
    pub version: u32,
    /// The schema of the tables.
    pub schema: i64,
    /// The zoe that wrote it; for people.
    pub zoe: String,
}

impl Head {
    /// Of an export of tables of this schema.
    pub fn of(schema: i64) -> Self {
        Self {
            format: FORM.to_owned(),
            version: VERSION,
            schema,
            zoe: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Why this program cannot read what follows, which knows schemas up to this one.
    pub fn objection(&self, known: i64) -> Option<String> {
        if self.format != FORM {
            return Some(NO_EXPORT.to_owned());
        }
        let newer = self.version > VERSION || self.schema > known;
        newer.then(|| {
            format!(
                "it was made by a newer zoe (form {}, schema {}; this one knows form {VERSION}, schema {known}); use that version",
                self.version, self.schema
            )
        })
    }
}

/// Said of what is something else.
pub const NO_EXPORT: &str = "it is no export of a database of zoe's";

/// Reads lines one by one.
pub struct Lines<'a> {
    from: &'a mut (dyn BufRead + Send),
    number: u64,
}

impl<'a> Lines<'a> {
    /// From the beginning.
    pub fn new(from: &'a mut (dyn BufRead + Send)) -> Self {
        Self { from, number: 0 }
    }

    /// The number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line; `None` after the last.
    pub fn following(&mut self) -> Result<Option<Line>, String> {
        let mut text = Vec::new();
        let mut limited = io::Read::take(&mut *self.from, LONGEST);
        let read = limited.read_until(b'\n', &mut text);
        let length = read.map_err(|error| format!("it cannot be read ({error})"))?;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        if text.last() != Some(&b'\n') {
            return Err("it ends in the middle of a line: the export was cut off".to_owned());
        }
        let line = serde_json::from_slice(&text);
        line.map(Some)
            .map_err(|_| "it is no line of an export".to_owned())
    }
}

/// A row's line, with a newline.
pub fn row_line(table: &str, columns: &[String], values: Vec<Value>) -> String {
    let json = |value| match value {
        Value::Text(Some(text)) => Json::String(text),
        Value::Number(Some(number)) => Json::Number(Number::from(number)),
        Value::Text(None) | Value::Number(None) => Json::Null,
    };
    let row = columns.iter().cloned().zip(values.into_iter().map(json));
    line(&Line::Row {
        table: table.to_owned(),
        row: row.collect(),
    })
}

/// A line, with a newline.
pub fn line(line: &Line) -> String {
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

/// A value for a column of numbers, or of text; `None` where it is neither that nor NULL.
pub fn value(json: Option<&Json>, is_number: bool) -> Option<Value> {
    match json {
        None | Some(Json::Null) if is_number => Some(Value::Number(None)),
        None | Some(Json::Null) => Some(Value::Text(None)),
        Some(Json::Number(number)) if is_number => {
            number.as_i64().map(|number| Value::Number(Some(number)))
        }
        Some(Json::String(text)) if !is_number => Some(Value::Text(Some(text.clone()))),
        Some(
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_),
        ) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_as_they_were() {
        let columns = ["a", "b", "c", "d"].map(str::to_owned);
        let values = vec![
            Value::Text(Some("'\n\0\u{1f680}".to_owned())),
            Value::Text(None),
            Value::Number(Some(i64::MIN)),
            Value::Number(None),
        ];
        let written = [
            line(&Line::Head(Head::of(2))),
            row_line("things", &columns, values.clone()),
            line(&Line::End {
                end: [("things".to_owned(), 1)].into(),
            }),
        ];
        insta::assert_snapshot!(written[1], @r#"{"table":"things","row":{"a":"'\n\u0000🚀","b":null,"c":-9223372036854775808,"d":null}}"#);
        let text = written.concat();
        let mut from = text.as_bytes();
        let mut lines = Lines::new(&mut from);
        assert_eq!(lines.following().unwrap(), Some(Line::Head(Head::of(2))));
        let Some(Line::Row { row, .. }) = lines.following().unwrap() else {
            panic!("no row");
        };
        for (column, (is_number, written)) in columns
            .iter()
            .zip([false, false, true, true].into_iter().zip(values))
        {
            assert_eq!(value(row.get(column), is_number), Some(written));
        }
        assert!(matches!(lines.following(), Ok(Some(Line::End { .. }))));
        assert_eq!((lines.following(), lines.number()), (Ok(None), 3));
    }

    #[test]
    fn what_is_no_export_or_a_newer_one_is_refused() {
        assert_eq!(Head::of(2).objection(2), None);
        assert_eq!(Head::of(1).objection(2), None);
        let newer = Head::of(3).objection(2).unwrap();
        assert!(newer.contains("newer zoe"), "{newer}");
        for text in [
            "{}\n",
            "[]\n",
            "{\"table\":\"x\"}\n",
            "\u{1}\n",
            "{\"end\":{}}",
            "\n",
        ] {
            let mut from = text.as_bytes();
            assert!(Lines::new(&mut from).following().is_err(), "{text:?}");
        }
        assert_eq!(value(Some(&Json::Bool(true)), true), None);
        assert_eq!(value(Some(&Json::from(1.5)), true), None);
        assert_eq!(value(Some(&Json::from(1)), false), None);
    }
}
