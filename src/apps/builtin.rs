//! The built-in applications, in the same format a user writes.

use super::parse::{Format, parse};
use crate::model::Application;

/// Name and description of each.
const BUILTINS: [(&str, &str); 5] = [
    ("dask-cluster", include_str!("builtin/dask-cluster.toml")),
    ("jupyter", include_str!("builtin/jupyter.toml")),
    ("spark-cluster", include_str!("builtin/spark-cluster.toml")),
    (
        "spark-notebook",
        include_str!("builtin/spark-notebook.toml"),
    ),
    ("spark-submit", include_str!("builtin/spark-submit.toml")),
];

/// The names and the texts of the built-in applications, by name.
pub fn builtins() -> &'static [(&'static str, &'static str)] {
    &BUILTINS
}

/// The built-in application of that name, if there is one.
pub fn builtin(name: &str) -> Option<Application> {
    let (_, text) = BUILTINS.iter().find(|(known, _)| *known == name)?;
    // A test reads them all, so that none fails here.
    parse(text, Format::Toml).ok()
}
