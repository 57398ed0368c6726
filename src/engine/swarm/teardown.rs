//! Stops and removes.

use super::SwarmBackend;
use crate::engine::*;
use crate::model::*;
use jiff::SignedDuration;

impl SwarmBackend {
    pub(super) async fn stop_members(
        &self,
        _execution: &Execution,
        _grace: SignedDuration,
    ) -> Result<()> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
    pub(super) async fn remove_all_members(&self, _execution: &Execution) -> Result<()> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
    pub(super) async fn retire(
        &self,
        _execution: &Execution,
        _members: &[InstanceKey],
        _grace: SignedDuration,
    ) -> Result<()> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
    pub(super) async fn sweep_away(&self, _orphan: &Orphan) -> Result<()> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
}
