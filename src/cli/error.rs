//! What the user is told when a command fails, and the one table of exit codes.

use std::fmt;

use crate::ops::error::{ErrorKind, OpsError};
use crate::output::template::TemplateError;

/// The exit codes, in the order of the documentation: code and meaning.
pub const EXIT_CODES: [(&str, &str); 11] = [
    ("0", "all went well"),
    (
        "N",
        "the job's own: `submit` and `run` attached (an array: of the first that failed), `wait` (the largest), `exec`",
    ),
    (
        "1",
        "`resize`: there was room for some of the members only; `watch --once`, `proxy check`, `mail send`: something is not as it should be, and the output says what",
    ),
    (
        "2",
        "the command line, a file or the configuration is wrong",
    ),
    ("3", "there is no such execution"),
    ("4", "conflict: the name is taken, or a prefix fits several"),
    (
        "5",
        "refused: it could never run here, the quota forbids it, or it belongs to another",
    ),
    (
        "124",
        "the time given with --time-limit, or `wait --timeout`, ran out",
    ),
    (
        "125",
        "zoe, or Docker, failed; or what it was to come after (`--after`) has failed, so that it was never started",
    ),
    ("130", "interrupted with Ctrl-C; what was submitted goes on"),
    ("143", "the execution was cancelled"),
];

/// The exit code of a pass after which something is not as it should be.
pub const DEGRADED: u8 = 1;

/// The exit code after Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// What went wrong, as far as the exit code cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was typed makes no sense.
    Usage,
    /// No such execution.
    NotFound,
    /// A name is taken, or ambiguous.
    Conflict,
    /// It could never run here.
    Refused,
    /// Time ran out.
    TimedOut,
    /// Zoe failed.
    Failed,
    /// Nobody reads standard output any more: no failure, and nothing to say.
    Unread,
}

impl Kind {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Unread => 0,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Conflict => 4,
            Self::Refused => 5,
            Self::TimedOut => 124,
            Self::Failed => 125,
        }
    }
}

/// Why a command failed: one sentence, and what to do next where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError {
    /// What kind.
    pub kind: Kind,
    /// What failed and why.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl CommandError {
    /// An error of that kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// What was typed makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Zoe failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CommandError {}

impl From<OpsError> for CommandError {
    fn from(error: OpsError) -> Self {
        let kind = match error.kind {
            ErrorKind::Usage => Kind::Usage,
            ErrorKind::NotFound => Kind::NotFound,
            ErrorKind::Conflict => Kind::Conflict,
            ErrorKind::Refused => Kind::Refused,
            ErrorKind::TimedOut => Kind::TimedOut,
            ErrorKind::Unreachable | ErrorKind::Database | ErrorKind::Failed => Kind::Failed,
        };
        Self {
            kind,
            message: error.message,
            hint: error.hint,
        }
    }
}

impl From<TemplateError> for CommandError {
    fn from(error: TemplateError) -> Self {
        Self::usage(error.to_string())
            .hint("a template is Jinja over the keys of `-o json`: --format '{{ id }} {{ state }}'")
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::new(Kind::Unread, "");
        }
        Self::failed(format!("cannot write the output: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_is_used_is_in_the_table() {
        for kind in [
            Kind::Unread,
            Kind::Usage,
            Kind::NotFound,
            Kind::Conflict,
            Kind::Refused,
            Kind::TimedOut,
            Kind::Failed,
        ] {
            let code = kind.code().to_string();
            assert!(
                EXIT_CODES.iter().any(|(listed, _)| *listed == code),
                "{code}"
            );
        }
    }

    #[test]
    fn a_reader_that_left_is_no_failure() {
        let error = CommandError::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!(error.kind.code(), 0);
    }
}
