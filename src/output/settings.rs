//! The settings: what `config show` prints, as a configuration file would have it.

use std::fmt::Write as _;

use serde::Serialize;

use super::schema::pretty;
use super::text::clean;

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting<'a> {
    /// Its section.
    pub section: &'a str,
    /// Its key.
    pub key: &'a str,
    /// Its value, secrets hidden.
    pub value: &'a str,
    /// Where the value comes from.
    pub origin: String,
}

/// In the form of a configuration file; origins are comments, before the line they are about.
pub fn text(settings: &[Setting<'_>], origins: bool) -> String {
    let mut text = String::new();
    let mut section = "";
    for setting in settings {
        if setting.section != section {
            section = setting.section;
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}[{section}]");
        }
        if origins {
            let _ = writeln!(text, "# {}", clean(&setting.origin));
        }
        let _ = writeln!(
            text,
            "{}",
            format!("{} = {}", setting.key, clean(setting.value)).trim_end()
        );
    }
    text
}

/// As a JSON array.
pub fn json(settings: &[Setting<'_>]) -> String {
    pretty(&settings)
}
