//! About what a user is written to.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::execution::Outcome;

/// When the owner of an execution is written to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MailOn {
    /// When it ends, in whatever way.
    End,
    /// When it does not end well: it failed, could not be started, or ran out of time.
    #[default]
    Fail,
    /// Never.
    Never,
}

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MailKind {
    /// An execution has ended.
    Ended,
    /// An execution could not be started and was given up.
    StartGivenUp,
    /// A notebook is idle and will be ended.
    NotebookWarning,
    /// A notebook was idle and has been ended.
    NotebookEnded,
}

/// A word stands for nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("it is none of {0}")]
pub struct WordError(&'static str);

impl MailOn {
    /// Each with its word.
    pub const NAMED: [(&'static str, Self); 3] = [
        ("end", Self::End),
        ("fail", Self::Fail),
        ("never", Self::Never),
    ];

    /// The word for it, in labels, rows, files and flags.
    pub const fn word(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Fail => "fail",
            Self::Never => "never",
        }
    }

    /// Whether somebody who wants this is told of an end like that. Who cancels knows what was done.
    pub fn wants_end(self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Never, _) | (Self::Fail, Outcome::Finished | Outcome::Cancelled { .. }) => false,
            (Self::End, _) | (Self::Fail, Outcome::Failed { .. } | Outcome::TimedOut) => true,
        }
    }

    /// Whether somebody who wants this is told that a notebook is about to be ended, or was, for want of use.
    pub const fn wants_notebooks(self) -> bool {
        matches!(self, Self::End | Self::Fail)
    }
}

impl fmt::Display for MailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for MailOn {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let found = Self::NAMED.iter().find(|(word, _)| *word == text);
        found
            .map(|(_, meant)| *meant)
            .ok_or(WordError("end, fail and never"))
    }
}

impl MailKind {
    const ALL: [Self; 4] = [
        Self::Ended,
        Self::StartGivenUp,
        Self::NotebookWarning,
        Self::NotebookEnded,
    ];

    /// The word for it, in rows, tables and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::StartGivenUp => "start-given-up",
            Self::NotebookWarning => "notebook-warning",
            Self::NotebookEnded => "notebook-ended",
        }
    }
}

impl FromStr for MailKind {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|kind| kind.word() == text);
        found.ok_or(WordError(
            "ended, start-given-up, notebook-warning and notebook-ended",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for (word, meant) in MailOn::NAMED {
            assert_eq!((word.parse(), meant.to_string()), (Ok(meant), word.into()));
        }
        for kind in MailKind::ALL {
            assert_eq!(kind.word().parse(), Ok(kind));
        }
        assert!("".parse::<MailOn>().is_err() && "".parse::<MailKind>().is_err());
    }

    #[test]
    fn who_wants_to_hear_of_failures_is_not_told_of_what_was_meant() {
        let failed = Outcome::Failed {
            exit_code: 1,
            reason: String::new(),
        };
        let cancelled = Outcome::Cancelled { by: None };
        let wanted = |on: MailOn| {
            [&Outcome::Finished, &cancelled, &failed, &Outcome::TimedOut]
                .map(|outcome| on.wants_end(outcome))
        };
        assert_eq!(wanted(MailOn::End), [true; 4]);
        assert_eq!(wanted(MailOn::Fail), [false, false, true, true]);
        assert_eq!(wanted(MailOn::Never), [false; 4]);
        assert!(!MailOn::Never.wants_notebooks() && MailOn::Fail.wants_notebooks());
    }
}
