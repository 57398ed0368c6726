//! Reads what people wrote, and says everything that is wrong with it at once.
//!
//! A serde error is one error. So the text is read into a tree first; where serde stumbles, the field is noted, taken out
//! of the tree, and the rest is read again.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_path_to_error::Segment;

use crate::model::Application;

use super::errors::{AppErrors, Problems, shown, suggestion};
use super::{format, read, validate};

/// What a description is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// TOML, for people.
    Toml,
    /// JSON, for programs.
    Json,
}

impl Format {
    /// By the ending of a file's name: JSON for `.json`, TOML for everything else.
    pub fn of_path(path: &std::path::Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("json") => Self::Json,
            _ => Self::Toml,
        }
    }
}

/// The longest a description may be, in bytes: Docker has it in a label.
pub const LONGEST: usize = 256 * 1024;

/// Noting more than this helps nobody.
const MOST_PROBLEMS: usize = 50;

/// The application that `text` describes, or everything that keeps it from being one.
pub fn parse(text: &str, format: Format) -> Result<Application, AppErrors> {
    let mut problems = Problems::default();
    if text.len() > LONGEST {
        problems.add("", too_long(text.len()));
    } else {
        let tree = match format {
            Format::Toml => toml_tree(text),
            Format::Json => json_tree(text),
        };
        match tree {
            Ok(tree) => return read_tree(tree),
            Err((line, why)) => problems.add(format!("line {line}"), why),
        }
    }
    Err(problems.into_errors())
}

/// The sentence about a description of so many bytes.
pub(super) fn too_long(length: usize) -> String {
    format!(
        "the description has {} KiB and may have {}; put large texts into files or the image",
        length.div_ceil(1024),
        LONGEST / 1024
    )
}

fn toml_tree(text: &str) -> Result<Value, (usize, String)> {
    text.parse::<toml::Table>()
        .map(|table| to_json(toml::Value::Table(table)))
        .map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            (
                line,
                format!("this is not TOML: {}", one_line(error.message())),
            )
        })
}

/// By hand, since JSON has no word for infinity or a date: those stay text, and the field's own rule refuses them.
fn to_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .map_or_else(|| Value::String(number.to_string()), Value::Number),
        toml::Value::Boolean(yes) => Value::Bool(yes),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(values) => values.into_iter().map(to_json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(k, v)| (k, to_json(v))).collect(),
    }
}

fn json_tree(text: &str) -> Result<Value, (usize, String)> {
    let tree: Value = serde_json::from_str(text).map_err(|error| {
        (
            error.line(),
            format!("this is not JSON: {}", without_place(&error.to_string())),
        )
    })?;
    if tree.is_object() {
        Ok(tree)
    } else {
        Err((
            1,
            "a description is a JSON object: { \"schema\": 1, … }".to_owned(),
        ))
    }
}

/// The words of a JSON error without the place at their end.
fn without_place(text: &str) -> &str {
    text.rsplit_once(" at line ")
        .map_or(text, |(words, _)| words)
}

fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join("; ")
}

fn read_tree(mut tree: Value) -> Result<Application, AppErrors> {
    let mut problems = Problems::default();
    let written = loop {
        let error = match serde_path_to_error::deserialize::<_, format::Application>(&tree) {
            Ok(written) => break written,
            Err(error) => error,
        };
        let path: Vec<Segment> = error.path().iter().cloned().collect();
        problems.add(place(&path, &tree), sentence(&error.inner().to_string()));
        if !take_out(&mut tree, &path) || problems.len() >= MOST_PROBLEMS {
            return Err(problems.into_errors());
        }
    };
    // What was taken out would be reported as missing: one report of a field is enough.
    let reported: BTreeSet<String> = problems.places();
    let (application, found) = read::read(written);
    problems.append_except(found, &reported);
    let mut found = Problems::default();
    validate::validate(&application, &mut found);
    // Stand-ins for what could not be read are fit for use, so what is found here is wrong by itself.
    problems.append_except(found, &problems.places());
    problems.finish().map(|()| application)
}

/// `component 'worker', port 'web', field 'container'`, as `read` and `validate` say it.
fn place(path: &[Segment], tree: &Value) -> String {
    let mut here = Some(tree);
    let mut owners = Vec::new();
    let mut fields: Vec<String> = Vec::new();
    for segment in path {
        match segment {
            Segment::Map { key } => {
                here = here.and_then(|value| value.get(key));
                fields.push(shown(key));
            }
            Segment::Seq { index } => {
                here = here.and_then(|value| value.get(index));
                let name = here
                    .and_then(|value| value.get("name"))
                    .and_then(Value::as_str);
                if let Some(kind) = fields.pop_if(|field| field == "component" || field == "port") {
                    owners.push(match name {
                        Some(name) => format!("{kind} '{}'", shown(name)),
                        None => format!("{kind} {}", index + 1),
                    });
                }
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    if !fields.is_empty() {
        owners.push(format!("field '{}'", fields.join(".")));
    }
    owners.join(", ")
}

/// Serde's words as a sentence for people.
fn sentence(error: &str) -> String {
    let (what, expected) = error.split_once(", expected ").unwrap_or((error, ""));
    if let Some(name) = quoted(what)
        .next()
        .filter(|_| what.starts_with("unknown field"))
    {
        let known: Vec<&str> = quoted(expected).collect();
        let hint = suggestion(name, known.iter().copied());
        return format!("is not known{hint}; fields here are {}", known.join(", "));
    }
    let found = what
        .strip_prefix("invalid type: ")
        .or(what.strip_prefix("invalid value: "))
        .unwrap_or(what)
        .replace('`', "");
    let found = match found.split_once(' ') {
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer", number)) => format!("the number {number}"),
        Some(("boolean", word)) => word.to_owned(),
        _ if found == "sequence" => "a list".to_owned(),
        _ if found == "map" => "a table".to_owned(),
        _ => found.replace("floating point", "the number"),
    };
    let wanted = match expected {
        "a string" => "a text in quotes",
        "a sequence" => "a list such as [\"x\"]",
        "a boolean" => "true or false",
        "a map" => "a table such as { KEY = \"value\" }",
        table if table.starts_with("struct") => "a table",
        other => other,
    };
    format!(
        "is {}, which will not do here; write {wanted}",
        shown(&found)
    )
}

/// The words between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Removes what is at `path`; whether there was anything.
fn take_out(tree: &mut Value, path: &[Segment]) -> bool {
    let Some((last, parents)) = path.split_last() else {
        return false;
    };
    let parent = parents
        .iter()
        .try_fold(tree, |value, segment| match segment {
            Segment::Map { key } => value.get_mut(key),
            Segment::Seq { index } => value.get_mut(index),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
    match (parent, last) {
        (Some(Value::Object(map)), Segment::Map { key }) => map.remove(key).is_some(),
        (Some(Value::Array(values)), Segment::Seq { index }) if *index < values.len() => {
            values.remove(*index);
            true
        }
        _ => false,
    }
}
