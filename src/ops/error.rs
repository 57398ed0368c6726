//! What can go wrong in an operation, sorted by what the caller can do about it.

use thiserror::Error;

use crate::apps;
use crate::engine::EngineError;
use crate::logs::ArchiveError;
use crate::model::instance;
use crate::store::StoreError;

/// What kind of failure it is: each has an exit code of its own in the command line's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was asked makes no sense as written.
    Usage,
    /// No such execution.
    NotFound,
    /// A name is taken, or a prefix names several.
    Conflict,
    /// It could never run here.
    Refused,
    /// A wait ran out of time.
    TimedOut,
    /// Docker does not answer.
    Unreachable,
    /// The database can't be had, or not now.
    Database,
    /// Zoe, or what it depends on, failed otherwise.
    Failed,
}

/// Why an operation failed: one sentence, with a hint where there is something to be done.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct OpsError {
    /// What kind.
    pub kind: ErrorKind,
    /// What failed and why.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl OpsError {
    /// An error of that kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// What was asked makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Zoe failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// Docker does not answer, or not about this.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unreachable, message)
    }

    /// Whether Docker does not answer: that may pass.
    pub fn is_unreachable(&self) -> bool {
        self.kind == ErrorKind::Unreachable
    }

    /// The same error with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<EngineError> for OpsError {
    fn from(error: EngineError) -> Self {
        let failed = Self::failed(error.to_string());
        match error {
            EngineError::Unreachable { .. } => {
                Self::new(ErrorKind::Unreachable, failed.message).hint("start Docker, or say where it is with --host, DOCKER_HOST or [docker] swarm_manager_url")
            }
            EngineError::NoImage { why, .. } if instance::tells_of_no_answer(&why) => failed.hint(
                "whoever pulls it must reach that registry: `docker pull` there says more; [docker] private_registry names another",
            ),
            EngineError::NoImage { image, .. } if apps::names_registry(&image) => failed.hint(
                "`zoe images push` takes zoe's own images to [docker] private_registry, once `zoe images build` has built them",
            ),
            EngineError::NoImage { .. } => {
                failed.hint("build zoe's own images with `zoe images build`; `zoe images ls` shows what is there")
            }
            EngineError::OutOfReach { .. }
            | EngineError::Gone { .. }
            | EngineError::Withheld { .. }
            | EngineError::Conflict { .. }
            | EngineError::NotNow { .. }
            | EngineError::Refused { .. }
            | EngineError::Garbled { .. } => failed,
        }
    }
}

impl From<StoreError> for OpsError {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Open { .. } | StoreError::Query { .. } => ErrorKind::Database,
            StoreError::TooNew { .. }
            | StoreError::Export { .. }
            | StoreError::Import { .. }
            | StoreError::Garbled { .. } => ErrorKind::Failed,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ArchiveError> for OpsError {
    fn from(error: ArchiveError) -> Self {
        Self::failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_does_not_answer_is_not_pushed_to() {
        let hint = |image: &str, why: &str| {
            let error = EngineError::NoImage {
                image: image.to_owned(),
                why: why.to_owned(),
            };
            OpsError::from(error).hint.unwrap()
        };
        for silent in [
            "Get \"https://reg:5000/v2/\": dial tcp 10.0.0.1:5000: connect: connection refused",
            "Get \"https://reg/v2/\": dial tcp: lookup reg: no such host",
            "Get \"https://reg/v2/\": net/http: TLS handshake timeout",
        ] {
            let hint = hint("reg:5000/zoe/dask:latest", silent);
            assert!(hint.contains("must reach that registry"), "{hint}");
        }
        let missing = hint("reg:5000/zoe/dask:latest", "manifest unknown");
        assert!(missing.contains("zoe images push"), "{missing}");
    }
}
