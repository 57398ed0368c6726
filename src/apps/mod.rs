//! Application descriptions: the TOML/JSON format, the built-in ones, settings, and their expansion.
//!
//! Texts in, values out: files are read elsewhere. Nothing here knows Spark; the Spark applications are files.

mod convert;
mod errors;
mod format;

pub use errors::{AppError, AppErrors};

use crate::model::Application;

/// The application as JSON, in one line; [`from_json`] gives the same application back.
pub fn to_json(application: &Application) -> String {
    // Strings, numbers and maps with text keys: there is nothing in it that JSON can't hold.
    serde_json::to_string(&convert::write(application)).unwrap_or_default()
}

/// The application that [`to_json`] wrote.
///
/// Stops at the first field that is no part of the format.
pub fn from_json(text: &str) -> Result<Application, AppErrors> {
    let written = serde_json::from_str(text).map_err(|error| {
        AppErrors(vec![AppError {
            place: String::new(),
            problem: format!("this is not an application in JSON: {error}"),
        }])
    })?;
    let (application, problems) = convert::read(written);
    problems.finish().map(|()| application)
}
