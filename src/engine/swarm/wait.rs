//! Waits until a member has ended.

use super::SwarmBackend;
use crate::engine::*;
use crate::model::*;
use jiff::SignedDuration;

impl SwarmBackend {
    pub(super) async fn wait_for(&self, _instance: &InstanceKey) -> Result<i64> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
}
