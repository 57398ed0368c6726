//! Runs commands inside members.

use super::SwarmBackend;
use crate::engine::*;
use crate::model::*;
use jiff::SignedDuration;

impl SwarmBackend {
    pub(super) async fn run_inside(
        &self,
        _instance: &InstanceKey,
        _request: &ExecRequest,
    ) -> Result<ExecSession> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
    pub(super) async fn exit_code_of(&self, _session: &str) -> Result<i64> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
    pub(super) async fn resize(&self, _session: &str, _columns: u16, _rows: u16) -> Result<()> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
}
