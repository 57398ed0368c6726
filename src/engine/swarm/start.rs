//! Starts members.

use super::SwarmBackend;
use crate::engine::*;
use crate::model::*;
use jiff::SignedDuration;

impl SwarmBackend {
    pub(super) async fn launch(&self, _launch: &Launch) -> Result<()> {
        Err(EngineError::Refused {
            what: "this".to_owned(),
            why: "not there yet".to_owned(),
        })
    }
}
