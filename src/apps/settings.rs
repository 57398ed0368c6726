//! Changes to a description: `--set component.field=value`, and what the Spark commands are short for.
//!
//! A change that leaves a description without sense is refused and changes nothing.

use std::fmt::Display;

use thiserror::Error;

use crate::model::{Application, Component};

use super::errors::{AppErrors, Problems, shown, suggestion};
use super::{parse, read, validate, variables};

/// Why a setting was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SetError {
    /// It is not written as a setting.
    #[error("'{0}' is no setting; write COMPONENT.FIELD=VALUE, such as worker.cores=2")]
    Syntax(String),
    /// There is no such component.
    #[error("there is no component '{name}'{hint}; {application} has {known}")]
    Component {
        /// What was asked for.
        name: String,
        /// A nearby name, as a part of a sentence.
        hint: String,
        /// The application's name.
        application: String,
        /// The components that there are.
        known: String,
    },
    /// There is no such field, or it cannot be set.
    #[error("'{field}' cannot be set{hint}; settings are {known}", known = FIELDS.join(", "))]
    Field {
        /// What was asked for.
        field: String,
        /// A nearby field, as a part of a sentence.
        hint: String,
    },
    /// The value is none for this field.
    #[error("{component}.{field}: {why}")]
    Value {
        /// The component.
        component: String,
        /// The field.
        field: String,
        /// What is wrong with the value.
        why: String,
    },
    /// The application makes no sense with it.
    #[error("{0}")]
    Invalid(AppErrors),
}

/// What can be set. A capital word stands for a name.
const FIELDS: [&str; 14] = [
    "core",
    "elastic",
    "most",
    "replaceable",
    "cores",
    "memory",
    "image",
    "command",
    "files",
    "volume",
    "overhead.percent",
    "overhead.at_least",
    "env.NAME",
    "placement.labels.NAME",
];

/// Applies `component.field=value`, written as in a description: variables are filled in, `$$` is a literal `$`.
///
/// `most` is how many members it may have at the most, core ones included; `volume` adds one; `command` takes a JSON list, or words with spaces between; an empty `command` or `files` takes it away.
pub fn set(application: &mut Application, setting: &str) -> Result<(), SetError> {
    let syntax = || SetError::Syntax(shown(setting));
    let (path, value) = setting.split_once('=').ok_or_else(syntax)?;
    let (name, field) = path.split_once('.').ok_or_else(syntax)?;
    if name.is_empty() || field.is_empty() {
        return Err(syntax());
    }
    change(application, |application| {
        set_field(find(application, name)?, field, value)
    })
}

/// Sets an environment variable of all components to exactly this value, dollar signs included.
///
/// It is part of the description, so everybody can see it: not for what the user wants kept private.
pub fn add_env(application: &mut Application, name: &str, value: &str) -> Result<(), SetError> {
    change(application, |application| {
        for component in &mut application.components {
            component
                .env
                .insert(name.to_owned(), variables::escape(value));
        }
        Ok(())
    })
}

/// Adds a line to an environment variable of all components, after those that it has: exactly this text.
pub fn add_env_line(application: &mut Application, name: &str, line: &str) -> Result<(), SetError> {
    change(application, |application| {
        for component in &mut application.components {
            let value = component.env.entry(name.to_owned()).or_default();
            if !value.is_empty() {
                value.push('\n');
            }
            value.push_str(&variables::escape(line));
        }
        Ok(())
    })
}

/// Adds arguments to the command of the monitor (or without one, the first component): exactly these words.
pub fn append_args<A: AsRef<str>>(
    application: &mut Application,
    args: impl IntoIterator<Item = A>,
) -> Result<(), SetError> {
    let mut args = args.into_iter().peekable();
    if args.peek().is_none() {
        return Ok(());
    }
    change(application, |application| {
        let principal = application.principal().map(|c| c.name.clone());
        for component in &mut application.components {
            if Some(&component.name) == principal.as_ref() {
                let command = component.command.get_or_insert_default();
                command.extend(args.map(|arg| variables::escape(arg.as_ref())));
                break;
            }
        }
        Ok(())
    })
}

/// Shows a directory of the host (`SOURCE:TARGET[:ro]`) to all components.
pub fn add_volume_everywhere(application: &mut Application, volume: &str) -> Result<(), SetError> {
    change(application, |application| {
        for component in &mut application.components {
            set_field(component, "volume", volume)?;
        }
        Ok(())
    })
}

/// Applies `what` if the application makes sense afterwards, and else nothing.
fn change(
    application: &mut Application,
    what: impl FnOnce(&mut Application) -> Result<(), SetError>,
) -> Result<(), SetError> {
    let mut changed = application.clone();
    what(&mut changed)?;
    let mut problems = Problems::default();
    validate::validate(&changed, &mut problems);
    let length = super::to_json(&changed).len();
    if length > parse::LONGEST {
        problems.add("", parse::too_long(length));
    }
    problems.finish().map_err(SetError::Invalid)?;
    *application = changed;
    Ok(())
}

fn find<'a>(application: &'a mut Application, name: &str) -> Result<&'a mut Component, SetError> {
    let known: Vec<String> = application
        .components
        .iter()
        .map(|c| c.name.to_string())
        .collect();
    let error = SetError::Component {
        name: shown(name),
        hint: suggestion(name, known.iter().map(String::as_str)),
        application: application.name.clone(),
        known: known.join(", "),
    };
    application
        .components
        .iter_mut()
        .find(|component| component.name.as_str() == name)
        .ok_or(error)
}

fn set_field(component: &mut Component, field: &str, value: &str) -> Result<(), SetError> {
    let name = component.name.to_string();
    let wrong = |why: &dyn Display| SetError::Value {
        component: name.clone(),
        field: shown(field),
        why: why.to_string(),
    };
    let number = || {
        value.parse::<u32>().map_err(|_| {
            wrong(&format!(
                "'{}' is not a whole number, such as 2",
                shown(value)
            ))
        })
    };
    match field {
        "core" => component.core = number()?,
        "elastic" => component.elastic = number()?,
        "most" => {
            let core = component.core;
            component.elastic = number()?.checked_sub(core).ok_or_else(|| {
                wrong(&format!(
                    "{value} members are fewer than its core of {core}; ask for at least {core}, or lower the core"
                ))
            })?;
        }
        "replaceable" => {
            component.replaceable = value
                .parse()
                .map_err(|_| wrong(&format!("'{}' is neither true nor false", shown(value))))?;
        }
        "cores" => component.cores = value.parse().map_err(|e| wrong(&e))?,
        "memory" => component.memory = value.parse().map_err(|e| wrong(&e))?,
        "image" => value.clone_into(&mut component.image),
        "command" => component.command = command(value).map_err(|e| wrong(&e))?,
        "files" => component.files = (!value.is_empty()).then(|| value.to_owned()),
        "volume" => {
            let volume = read::volume(value).map_err(|e| wrong(&e))?;
            component.volumes.push(volume);
        }
        "overhead.percent" => component.overhead.percent = number()?,
        "overhead.at_least" => {
            component.overhead.at_least = value.parse().map_err(|e| wrong(&e))?;
        }
        _ => {
            let (map, name) = if let Some(variable) = field.strip_prefix("env.") {
                (&mut component.env, variable)
            } else if let Some(label) = field.strip_prefix("placement.labels.") {
                (&mut component.placement, label)
            } else {
                return Err(SetError::Field {
                    field: shown(field),
                    hint: suggestion(field, FIELDS),
                });
            };
            map.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(())
}

fn command(value: &str) -> Result<Option<Vec<String>>, String> {
    if value.trim_start().starts_with('[') {
        return serde_json::from_str(value).map(Some).map_err(|_| {
            "this is no JSON list of texts, such as [\"sh\", \"-c\", \"date\"]".to_owned()
        });
    }
    let words: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
    Ok((!words.is_empty()).then_some(words))
}
