//! What can be wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;

use super::Origin;

/// One thing that is wrong. The text says what and where, why, and what to do; it never holds a secret's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A configuration file exists, or was named, but can't be read.
    #[error("{}: can't be read: {why}; {todo}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        why: String,
        /// What the user can do.
        todo: &'static str,
    },
    /// A line is neither a section nor `key = value`.
    #[error("{}:{line}: {problem}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it and what to write instead.
        problem: String,
    },
    /// A key stands alone, without `=`.
    #[error("{}:{line}: [{section}] {key}: has no value; write `{key} = …`, with nothing after the `=` for an empty value", path.display())]
    NoValue {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The section it stands in.
        section: String,
        /// The key, or what stands where a key should be.
        key: String,
    },
    /// A section comes twice in a file.
    #[error("{}:{line}: [{section}]: comes a second time (first in line {first}); put its keys together, so that it is clear which one counts", path.display())]
    DuplicateSection {
        /// The file.
        path: PathBuf,
        /// Of the second one.
        line: usize,
        /// Of the first one.
        first: usize,
        /// The section.
        section: String,
    },
    /// A key comes twice in a section.
    #[error("{}:{line}: [{section}] {key}: comes a second time (first in line {first}); remove one of them", path.display())]
    DuplicateKey {
        /// The file.
        path: PathBuf,
        /// Of the second one.
        line: usize,
        /// Of the first one.
        first: usize,
        /// The section.
        section: String,
        /// The key.
        key: String,
    },
    /// A section that zoe does not know.
    #[error("{}:{line}: [{section}]: zoe knows no such section; {hint}", path.display())]
    UnknownSection {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The section.
        section: String,
        /// The nearest one, or all of them.
        hint: String,
    },
    /// A key that zoe does not know in its section.
    #[error("{}:{line}: [{section}] {key}: zoe knows no such key; {hint}", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The section.
        section: String,
        /// The key.
        key: String,
        /// The nearest one, or all of them.
        hint: String,
    },
    /// An environment variable that names a section of zoe's but none of its keys.
    #[error("{name}: zoe knows no such variable; {hint}")]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The nearest one, or all of the section.
        hint: String,
    },
    /// A value that its key can't have.
    #[error("{origin}: [{section}] {key}: {problem}")]
    Invalid {
        /// Where the value comes from.
        origin: Origin,
        /// The section.
        section: &'static str,
        /// The key.
        key: &'static str,
        /// What is wrong with it and what to write instead.
        problem: String,
    },
}

/// All that is wrong with a configuration, in the order in which it was found; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return write!(f, "the configuration is wrong: {only}");
        }
        write!(f, "the configuration has {} errors:", self.0.len())?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for ConfigErrors {}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

/// The known word nearest to `word`, if it is near enough to be a slip: two letters in five may differ.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .map(|k| (strsim::damerau_levenshtein(&word, &k.to_lowercase()), k))
        .filter(|(distance, k)| distance * 5 <= 2 * word.chars().count().max(k.chars().count()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}
