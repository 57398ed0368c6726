//! `--format TEMPLATE`: one line a thing, in the Jinja language, over the keys of the JSON.
//!
//! A template can only look: there are no loaders, includes or functions that reach outside. What is unknown is empty.

use minijinja::value::{Value as Shown, ValueKind};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::text::clean;

/// Why a template can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// It is not in the language.
    #[error("the template is wrong in line {line}, column {column}: {why}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        why: String,
    },
    /// It names what is not there.
    #[error("the template names '{name}' (column {column}), which is not there; there are: {keys}")]
    Unknown {
        /// The name.
        name: String,
        /// Column of its first occurrence, from 1.
        column: usize,
        /// What could be named.
        keys: String,
    },
    /// It went wrong with a value.
    #[error("the template failed in line {line}: {why}")]
    Failed {
        /// Line, from 1.
        line: usize,
        /// What went wrong.
        why: String,
    },
}

/// A template that was checked.
#[derive(Debug)]
pub struct Template {
    source: String,
    environment: Environment<'static>,
}

impl Template {
    /// Reads a template whose things have these keys. `\t` and `\n` mean tab and newline, for shells that leave them.
    pub fn new(text: &str, keys: &[&str]) -> Result<Self, TemplateError> {
        let source = text.replace("\\t", "\t").replace("\\n", "\n");
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(|out, state, value| {
            let nothing = Shown::from("");
            minijinja::escape_formatter(
                out,
                state,
                if value.kind() == ValueKind::None {
                    &nothing
                } else {
                    value
                },
            )
        });
        let names = match environment.template_from_str(&source) {
            Ok(template) => template.undeclared_variables(false),
            Err(error) => {
                let start = error.range().map_or(0, |range| range.start);
                let before = source.get(..start).unwrap_or_default();
                let column = before
                    .rsplit('\n')
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .count()
                    + 1;
                return Err(TemplateError::Syntax {
                    line: error.line().unwrap_or(1),
                    column,
                    why: why(&error),
                });
            }
        };
        let functions = ["range", "dict", "namespace", "debug", "lipsum", "cycler"];
        let mut unknown: Vec<&String> = names
            .iter()
            .filter(|n| !keys.contains(&n.as_str()) && !functions.contains(&n.as_str()))
            .collect();
        unknown.sort();
        if let Some(name) = unknown.first() {
            let column = source.find(name.as_str()).map_or(1, |at| {
                source.get(..at).map_or(0, |b| b.chars().count()) + 1
            });
            return Err(TemplateError::Unknown {
                name: (*name).clone(),
                column,
                keys: keys.join(", "),
            });
        }
        Ok(Self {
            source,
            environment,
        })
    }

    /// Fills it in for one thing; the line ends with a newline.
    pub fn line(&self, thing: &impl Serialize) -> Result<String, TemplateError> {
        let mut value = serde_json::to_value(thing).unwrap_or_default();
        make_clean(&mut value);
        match self.environment.render_str(&self.source, value) {
            Ok(line) => Ok(line + "\n"),
            Err(error) => Err(TemplateError::Failed {
                line: error.line().unwrap_or(1),
                why: why(&error),
            }),
        }
    }
}

fn why(error: &minijinja::Error) -> String {
    error.detail().map_or_else(
        || error.kind().to_string(),
        |detail| clean(detail).into_owned(),
    )
}

fn make_clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = clean(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(make_clean),
        Value::Object(map) => map.values_mut().for_each(make_clean),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEYS: [&str; 3] = ["id", "reason", "urls"];

    fn thing() -> Value {
        json!({"id": "abcdefgh", "reason": null, "urls": [{"name": "a\u{1b}b", "url": "http://x"}]})
    }

    #[test]
    fn a_template_sees_the_keys() {
        let line = |text: &str| Template::new(text, &KEYS).unwrap().line(&thing()).unwrap();
        assert_eq!(line(r"{{ id }}\t[{{ reason }}]"), "abcdefgh\t[]\n");
        assert_eq!(
            line("{% for u in urls %}{{ u.name }}={{ u.url }}{% endfor %}"),
            "a\\u{1b}b=http://x\n"
        );
        assert_eq!(line("{{ id | upper }}"), "ABCDEFGH\n");
    }

    #[test]
    fn a_wrong_template_names_the_place() {
        let error = |text: &str| Template::new(text, &KEYS).unwrap_err().to_string();
        insta::assert_snapshot!(error("{{ id"), @"the template is wrong in line 1, column 4: unexpected end of input, expected end of variable block");
        insta::assert_snapshot!(error("x {{ idd }}"), @"the template names 'idd' (column 6), which is not there; there are: id, reason, urls");
        insta::assert_snapshot!(error("{{.ID}}"), @"the template is wrong in line 1, column 3: unexpected `.`");
        let late = |text: &str| {
            Template::new(text, &KEYS)
                .unwrap()
                .line(&thing())
                .unwrap_err()
                .to_string()
        };
        insta::assert_snapshot!(late("{{ urls[0].nothing }}"), @"the template failed in line 1: undefined value");
        insta::assert_snapshot!(late("{{ id | nofilter }}"), @"the template failed in line 1: filter nofilter is unknown");
    }
}
