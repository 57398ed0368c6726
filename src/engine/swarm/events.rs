//! Hints that something has changed.

use super::SwarmBackend;
use crate::engine::BoxStream;

impl SwarmBackend {
    pub(super) fn watch(&self) -> BoxStream<'static, ()> {
        Box::pin(futures_util::stream::pending())
    }
}
