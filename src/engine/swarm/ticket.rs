//! The ticket: a config, marked by compare-and-swap of its labels.

use super::SwarmBackend;
use crate::engine::*;
use crate::model::*;
use jiff::SignedDuration;

impl SwarmBackend {
    pub(super) async fn make_ticket(
        &self,
        _ticket: &Ticket,
        _private: &Private,
    ) -> Result<Submitted> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
    pub(super) async fn read_private(&self, _id: ExecutionId) -> Result<Private> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
    pub(super) async fn mark_ticket(&self, _execution: &Execution, _mark: Mark) -> Result<()> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
    pub(super) async fn remove_tickets(&self, _id: ExecutionId) -> Result<()> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
}
