//! A member's log.

use super::SwarmBackend;
use crate::engine::*;
use crate::model::*;
use jiff::SignedDuration;

impl SwarmBackend {
    pub(super) async fn read_log(
        &self,
        _instance: &InstanceKey,
        _range: LogRange,
    ) -> Result<BoxStream<'static, Result<LogChunk>>> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
}
