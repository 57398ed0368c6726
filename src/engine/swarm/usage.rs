//! What a member uses.

use super::SwarmBackend;
use crate::engine::*;
use crate::model::*;
use jiff::SignedDuration;

impl SwarmBackend {
    pub(super) async fn read_usage(&self, _instance: &InstanceKey) -> Result<Usage> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
}
