//! What is wrong with a description: all of it at once, each with its place and a sentence.

use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

/// One thing that is wrong with a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppError {
    /// Where: `component 'worker', field 'cores'`; empty where it is the description as a whole.
    pub place: String,
    /// What is wrong, why, and what to do.
    pub problem: String,
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            f.write_str(&self.problem)
        } else {
            write!(f, "{}: {}", self.place, self.problem)
        }
    }
}

/// Everything that is wrong with a description, in its order; never empty. Displayed one a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct AppErrors(pub Vec<AppError>);

impl fmt::Display for AppErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

/// Collects what is wrong, so that nothing stops at the first error.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<AppError>);

impl Problems {
    /// Notes one.
    pub(super) fn add(&mut self, place: impl Into<String>, problem: impl fmt::Display) {
        self.0.push(AppError {
            place: place.into(),
            problem: problem.to_string(),
        });
    }

    /// `value`, or `fallback` and the reason noted.
    pub(super) fn value<T, E: fmt::Display>(
        &mut self,
        place: impl Into<String>,
        value: Result<T, E>,
        fallback: T,
    ) -> T {
        value.unwrap_or_else(|error| {
            self.add(place, error);
            fallback
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The places where there are any.
    pub(super) fn places(&self) -> BTreeSet<String> {
        self.0.iter().map(|error| error.place.clone()).collect()
    }

    /// Adds those of `others` that are not at one of the `places`. What is wrong with the whole has no place.
    pub(super) fn append_except(&mut self, others: Self, places: &BTreeSet<String>) {
        let others = others.0.into_iter();
        self.0
            .extend(others.filter(|e| e.place.is_empty() || !places.contains(&e.place)));
    }

    /// All of them; there is at least one.
    pub(super) fn into_errors(self) -> AppErrors {
        AppErrors(self.0)
    }

    /// Nothing, or all of them.
    pub(super) fn finish(self) -> Result<(), AppErrors> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(AppErrors(self.0))
        }
    }
}

/// The place of a field of a component.
pub(super) fn at(component: impl fmt::Display, field: &str) -> String {
    format!("component '{component}', field '{field}'")
}

/// `text` as it may be shown in a sentence: no control characters, no great length.
pub(crate) fn shown(text: &str) -> String {
    let mut short = String::new();
    for c in text.chars().take(60) {
        match c {
            '"' | '\'' | '\\' => short.push(c),
            _ => short.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

/// ` (did you mean 'x'?)` for the known word nearest to `word`, or the first that it begins; else nothing.
pub(super) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let limit = (word.chars().count() / 3).max(1);
    let mut beginning = None;
    let mut nearest: Option<((usize, usize), &str)> = None;
    for candidate in known {
        if word.len() > 2 && candidate.starts_with(word) {
            beginning.get_or_insert(candidate);
        }
        let distance = strsim::damerau_levenshtein(word, candidate);
        let rank = (distance, candidate.len().abs_diff(word.len()));
        if distance <= limit && nearest.is_none_or(|(best, _)| rank < best) {
            nearest = Some((rank, candidate));
        }
    }
    nearest
        .map(|(_, candidate)| candidate)
        .or(beginning)
        .map(|candidate| format!(" (did you mean '{candidate}'?)"))
        .unwrap_or_default()
}
