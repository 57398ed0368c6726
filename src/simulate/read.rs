//! Reads a workload: CSV with a header, or JSON objects, one a line. Text in, values out; which of both it is, it shows.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use super::time::Time;
use super::workload::{Job, MOST_MEMBERS};
use crate::model::danger::told;
use crate::model::ids::shorten;
use crate::model::{Bytes, Cores, Resources};

/// The columns that a workload must have, in the order in which they are written.
pub const COLUMNS: [&str; 7] = [
    "submit", "user", "runtime", "core", "elastic", "cores", "memory",
];
/// The columns that it may have.
pub const OPTIONAL: [&str; 2] = ["time_limit", "priority"];

/// Why a workload can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {why}")]
pub struct WorkloadError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it, and what would be right.
    pub why: String,
}

impl WorkloadError {
    fn new(line: u64, why: impl Into<String>) -> Self {
        Self {
            line,
            why: why.into(),
        }
    }
}

/// Reads it, in the order of the file. One that begins with `{` is JSON, any other CSV.
pub fn read(text: &[u8]) -> Result<Vec<Job>, WorkloadError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let begins = text.iter().find(|byte| !byte.is_ascii_whitespace());
    let jobs = match begins {
        None => Vec::new(),
        Some(b'[') => {
            let why = "it is a JSON array; write its objects without the brackets, one a line";
            return Err(WorkloadError::new(1, why.to_owned()));
        }
        Some(b'{') => read_json(text)?,
        Some(_) => read_csv(text)?,
    };
    if jobs.is_empty() {
        return Err(WorkloadError::new(
            1,
            format!(
                "there is no application in it; write a header, {}, and a line for each",
                COLUMNS.join(",")
            ),
        ));
    }
    Ok(jobs)
}

fn read_csv(text: &[u8]) -> Result<Vec<Job>, WorkloadError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text);
    let header = reader.headers().map_err(|error| csv_error(1, &error))?;
    let place = |name: &str| header.iter().position(|title| title == name);
    let missing: Vec<&str> = COLUMNS.into_iter().filter(|n| place(n).is_none()).collect();
    if !missing.is_empty() {
        return Err(WorkloadError::new(
            1,
            format!(
                "the header has no {}; it must be {}, in any order",
                missing.join(", "),
                COLUMNS.join(",")
            ),
        ));
    }
    let mut seen = HashSet::new();
    if let Some(twice) = header.iter().find(|title| !seen.insert(*title)) {
        let twice = shorten(twice);
        return Err(WorkloadError::new(
            1,
            format!("the header has '{twice}' twice; each column stands once"),
        ));
    }
    let places: Vec<(&str, usize)> = COLUMNS
        .into_iter()
        .chain(OPTIONAL)
        .filter_map(|name| Some((name, place(name)?)))
        .collect();
    let mut users = Users::default();
    let mut jobs = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let before = reader.position().byte();
        let more = reader.read_record(&mut record);
        if !more.map_err(|error| csv_error(line_at(text, before), &error))? {
            return Ok(jobs);
        }
        let field = |name: &str| {
            let (_, place) = places.iter().find(|(known, _)| *known == name)?;
            record.get(*place).filter(|text| !text.is_empty())
        };
        let job = job(&field, &mut users)
            .map_err(|why| WorkloadError::new(line_at(text, before), why))?;
        jobs.push(job);
    }
}

/// The line, from 1 on, of the first record that begins at this byte or after it. (The reader's own count leaves out empty
/// lines and those inside of quotes.)
fn line_at(text: &[u8], byte: u64) -> u64 {
    let at = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    let (before, rest) = text.split_at(at);
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let breaks = before.iter().chain(empty).filter(|byte| **byte == b'\n');
    breaks.fold(1, |line, _| line + 1)
}

fn csv_error(line: u64, error: &csv::Error) -> WorkloadError {
    let why = if let csv::ErrorKind::UnequalLengths {
        expected_len, len, ..
    } = error.kind()
    {
        format!("{len} values, but the header has {expected_len} columns")
    } else if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) {
        "it is not UTF-8".to_owned()
    } else {
        told(&error)
    };
    WorkloadError::new(line, why)
}

fn read_json(text: &[u8]) -> Result<Vec<Job>, WorkloadError> {
    let mut users = Users::default();
    let mut jobs = Vec::new();
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let fail = |why: String| WorkloadError::new(number, why);
        let value: serde_json::Map<String, Value> =
            serde_json::from_slice(line).map_err(|error| {
                fail(format!(
                    "it is not a JSON object on one line: {}",
                    told(&error)
                ))
            })?;
        let texts: Vec<(&str, String)> = COLUMNS
            .into_iter()
            .chain(OPTIONAL)
            .filter_map(|name| Some((name, as_text(value.get(name)?)?)))
            .collect();
        let field = |name: &str| {
            let found = texts.iter().find(|(known, _)| *known == name);
            found.map(|(_, text)| text.as_str())
        };
        jobs.push(job(&field, &mut users).map_err(fail)?);
    }
    Ok(jobs)
}

/// A JSON value as CSV would have it; nothing for `null`.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.to_string())
        }
    }
}

/// The users that were named: each name is kept once, however many applications are theirs.
#[derive(Default)]
struct Users(HashSet<Arc<str>>);

impl Users {
    fn named(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.0.insert(Arc::clone(&name));
        name
    }
}

/// An application from its fields.
fn job<'a>(field: &impl Fn(&str) -> Option<&'a str>, users: &mut Users) -> Result<Job, String> {
    let needed = |name: &str| field(name).ok_or_else(|| format!("{name} is missing"));
    let time =
        |name: &str, text: &str| text.parse::<Time>().map_err(|why| format!("{name}: {why}"));
    let positive = |name: &str, text: &str| match time(name, text)? {
        Time::ZERO => Err(format!("{name}: it must be more than 0")),
        length => Ok(length),
    };
    let cores: Cores = needed("cores")?
        .parse()
        .map_err(|why| format!("cores: {why}"))?;
    let memory: Bytes = needed("memory")?
        .parse()
        .map_err(|why| format!("memory: {why}"))?;
    let priority = match field("priority") {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| format!("priority: '{}' is not a whole number", shorten(text)))?,
    };
    Ok(Job {
        submit: time("submit", needed("submit")?)?,
        user: users.named(needed("user")?),
        runtime: positive("runtime", needed("runtime")?)?,
        core: members("core", needed("core")?, 1)?,
        elastic: members("elastic", needed("elastic")?, 0)?,
        member: Resources { cores, memory },
        time_limit: field("time_limit")
            .map(|text| positive("time_limit", text))
            .transpose()?,
        priority,
    })
}

fn members(name: &str, text: &str, least: u32) -> Result<u32, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (least..=MOST_MEMBERS).contains(number))
        .ok_or_else(|| {
            format!(
                "{name}: '{}' is not a number of members from {least} to {MOST_MEMBERS}",
                shorten(text)
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    const HEADER: &str = "submit,user,runtime,core,elastic,cores,memory\n";

    #[test]
    fn both_forms_say_the_same() {
        let csv = "memory,cores,submit,extra,user,elastic,core,runtime,priority,time_limit\n\
                   1g,0.5,1.25,x,\"ann, b\",4,3,10,-2,\n\
                   0,1,3,,bob,0,1,0.001,,20\n";
        let jsonl = "{\"submit\":1.25,\"user\":\"ann, b\",\"runtime\":10,\"core\":3,\"elastic\":4,\"cores\":0.5,\
                     \"memory\":1073741824,\"priority\":-2,\"more\":[1]}\n\n\
                     {\"submit\":\"3\",\"user\":\"bob\",\"runtime\":1e-3,\"core\":1,\"elastic\":0,\"cores\":1,\
                     \"memory\":0,\"time_limit\":20,\"priority\":null}\n";
        let jobs = read(csv.as_bytes()).unwrap();
        assert_eq!(jobs, read(jsonl.as_bytes()).unwrap());
        assert_eq!(jobs, read(format!("\u{feff}{csv}").as_bytes()).unwrap());
        assert_eq!(jobs.len(), 2);
        let first = &jobs[0];
        assert_eq!((first.core, first.elastic, first.priority), (3, 4, -2));
        assert_eq!((&*first.user, first.time_limit), ("ann, b", None));
        assert_eq!(first.work(), 70_000_000_000);
        assert_eq!(jobs[1].time_limit, Some(Time::from_secs(20)));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, said) in [
            (
                "",
                "line 1: there is no application in it; write a header, submit,user,runtime,core,elastic,cores,memory, and a line for each",
            ),
            (
                "submit,user\n1,ann\n",
                "line 1: the header has no runtime, core, elastic, cores, memory; it must be submit,user,runtime,core,elastic,cores,memory, in any order",
            ),
            (
                "submit,user,runtime,core,elastic,cores,memory,user\n",
                "line 1: the header has 'user' twice; each column stands once",
            ),
            (
                &format!("{HEADER}0,ann,10,1,0,1,1g\n0,ann,10,x,0,1,1g\n"),
                "line 3: core: 'x' is not a number of members from 1 to 100000",
            ),
            (
                &format!("{HEADER}\n\r\n0,\"a\nb\",10,1,0,1,1g\n\n0,ann,10,x,0,1,1g\n"),
                "line 7: core: 'x' is not a number of members from 1 to 100000",
            ),
            (
                &format!("{HEADER}0,ann,10,1,0,1\n"),
                "line 2: 6 values, but the header has 7 columns",
            ),
            (
                &format!("{HEADER}0,,10,1,0,1,1g\n"),
                "line 2: user is missing",
            ),
            (
                &format!("{HEADER}0,ann,0,1,0,1,1g\n"),
                "line 2: runtime: it must be more than 0",
            ),
            (
                &format!("{HEADER}-1,ann,1,1,0,1,1g\n"),
                "line 2: submit: '-1' is not a number of seconds from 0 to 3155760000",
            ),
            (
                &format!("{HEADER}0,ann,1,0,5,1,1g\n"),
                "line 2: core: '0' is not a number of members from 1 to 100000",
            ),
            (
                &format!("{HEADER}0,ann,1,1,0,1,much\n"),
                "line 2: memory: 'much' is not a size; write a number and a unit, such as 512m, 2g or 1.5g (units: b, k, m, g, t, powers of 1024)",
            ),
            ("{\"submit\": 0}\n", "line 1: cores is missing"),
            (
                "\n{\"submit\": 0\n",
                "line 2: it is not a JSON object on one line: EOF while parsing an object at line 1 column 12",
            ),
        ] {
            assert_eq!(why(text), said, "{text}");
        }
        assert_eq!(
            read(b"submit,user,runtime,core,elastic,cores,memory\n0,\xff,1,1,0,1,1\n")
                .unwrap_err()
                .to_string(),
            "line 2: it is not UTF-8"
        );
    }
}
