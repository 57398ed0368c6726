//! Application descriptions: the TOML/JSON format, the built-in ones, settings, and their expansion.
//!
//! Texts in, values out: files are read elsewhere. Nothing here knows Spark; the Spark applications are files.

mod builtin;
mod errors;
mod expand;
mod format;
mod parse;
mod read;
mod settings;
mod validate;
mod validate_component;
mod variables;
mod write;

pub use builtin::{builtin, builtins};
pub use errors::{AppError, AppErrors};
pub use expand::{
    ExpandError, expand, expand_members, image_of, image_reference, names_registry, port_url,
    ready_threshold,
};
pub use parse::{Format, LONGEST, parse};
pub use settings::{SetError, add_env, add_env_line, add_volume_everywhere, append_args, set};

pub(crate) use errors::shown;
pub(crate) use read::volume;

use errors::Problems;

use crate::model::Application;
use crate::model::danger::told;

/// The application as TOML, for people; [`parse`] gives the same application back.
pub fn to_toml(application: &Application) -> String {
    // Tables with text keys, strings and numbers below 2⁶³: there is nothing in it that TOML can't hold.
    toml::to_string_pretty(&write::write(application)).unwrap_or_default()
}

/// The application as JSON, in one line; [`from_json`] gives the same application back.
pub fn to_json(application: &Application) -> String {
    // Strings, numbers and maps with text keys: there is nothing in it that JSON can't hold.
    serde_json::to_string(&write::write(application)).unwrap_or_default()
}

/// The application that [`to_json`] wrote.
///
/// Stops at the first field that is no part of the format, which is quick; for what people wrote there is [`parse`].
pub fn from_json(text: &str) -> Result<Application, AppErrors> {
    let mut problems = Problems::default();
    if text.len() > LONGEST {
        problems.add("", parse::too_long(text.len()));
        return Err(problems.into_errors());
    }
    let written = match serde_json::from_str(text) {
        Ok(written) => written,
        Err(error) => {
            problems.add(
                "",
                format!("this is not an application in JSON: {}", told(&error)),
            );
            return Err(problems.into_errors());
        }
    };
    let (application, mut problems) = read::read(written);
    validate::validate(&application, &mut problems);
    problems.finish().map(|()| application)
}
