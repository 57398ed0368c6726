//! What zoe knows of the keys in a file and of the variables in the environment; what it does not know is an error
//! that names the nearest it does.

use std::collections::HashMap;
use std::path::Path;

use super::Origin;
use super::error::{ConfigError, nearest};
use super::ini_file;
use super::keys::{KEYS, Key, sections};
use super::surroundings::Env;
use crate::model::ids::shorten;

/// By section and key, both of the table.
pub(super) type Values = HashMap<(&'static str, &'static str), (String, Origin)>;

/// The file's values for the keys of the table; what the table does not know goes to `errors`.
pub(super) fn of_file(path: &Path, text: &str, errors: &mut Vec<ConfigError>) -> Values {
    let (sections, mut faults) = ini_file::read(path, text);
    errors.append(&mut faults);
    let mut values = Values::new();
    for section in sections {
        if !KEYS.iter().any(|key| key.section == section.name) {
            let hint = section_hint(&section.name);
            errors.push(ConfigError::UnknownSection {
                path: path.into(),
                line: section.line,
                section: shorten(&section.name),
                hint,
            });
            continue;
        }
        for entry in section.entries {
            if let Some(key) = KEYS
                .iter()
                .find(|key| key.section == section.name && key.name == entry.key)
            {
                let origin = Origin::File(path.into(), entry.line);
                values.insert((key.section, key.name), (entry.value, origin));
            } else {
                let hint = key_hint(&section.name, &entry.key);
                let (section, key) = (section.name.clone(), shorten(&entry.key));
                errors.push(ConfigError::UnknownKey {
                    path: path.into(),
                    line: entry.line,
                    section,
                    key,
                    hint,
                });
            }
        }
    }
    values
}

fn section_hint(section: &str) -> String {
    match nearest(section, sections()) {
        Some(near) => format!("did you mean [{near}]?"),
        None => format!(
            "there are {}",
            sections()
                .map(|s| format!("[{s}]"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

fn key_hint(section: &str, name: &str) -> String {
    if let Some(key) = KEYS.iter().find(|key| key.name == name) {
        return format!("it belongs under [{}]", key.section);
    }
    match nearest(name, names_of(section)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => keys_of(section),
    }
}

fn names_of(section: &str) -> impl Iterator<Item = &'static str> {
    KEYS.iter()
        .filter(move |key| key.section == section)
        .map(|key| key.name)
}

fn keys_of(section: &str) -> String {
    format!(
        "[{section}] has {}",
        names_of(section).collect::<Vec<_>>().join(", ")
    )
}

/// A variable that begins as those of a section do but names none of its keys is most likely a slip. Others that
/// begin with `ZOE_` (`ZOE_CONFIG`, what a caller sets for its own use) are none of the configuration's business.
pub(super) fn unknown_variables(env: &Env, errors: &mut Vec<ConfigError>) {
    let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
    for name in env.names() {
        let begins = |section: &&str| name.starts_with(&format!("ZOE_{}_", section.to_uppercase()));
        let Some(section) = sections().find(begins) else {
            continue;
        };
        if known.iter().any(|variable| variable == name) {
            continue;
        }
        let hint = match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("{}; unset it if it is not meant for zoe", keys_of(section)),
        };
        errors.push(ConfigError::UnknownVariable {
            name: name.to_owned(),
            hint,
        });
    }
}
