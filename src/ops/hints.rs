//! Waking up when something changes. Events only hint: a missed one costs an interval, never correctness.

use std::time::Duration;

use futures_util::StreamExt;

use super::context::Context;
use crate::engine::BoxStream;

/// Changes come in bursts; what comes this soon after another belongs to it.
const BURST: Duration = Duration::from_millis(30);
/// A burst is cut off after so many changes.
const LONGEST_BURST: usize = 64;

/// Listens to the deployment's changes, again where a connection was lost.
#[derive(Default)]
pub(super) struct Hints {
    changes: Option<BoxStream<'static, ()>>,
}

impl Hints {
    /// Begins to listen, so that nothing that happens from now on goes unnoticed. Without events the interval has to do.
    pub(super) async fn listen(&mut self, context: &Context) {
        if self.changes.is_none() {
            self.changes = context.backend.changes().await.ok();
        }
    }

    /// Returns when something has changed, or after `longest`.
    pub(super) async fn next(&mut self, context: &Context, longest: Duration) {
        self.listen(context).await;
        let Some(changes) = &mut self.changes else {
            context.world.sleep(longest).await;
            return;
        };
        match tokio::time::timeout(longest, changes.next()).await {
            Ok(Some(())) => {
                for _ in 0..LONGEST_BURST {
                    if !matches!(
                        tokio::time::timeout(BURST, changes.next()).await,
                        Ok(Some(()))
                    ) {
                        break;
                    }
                }
            }
            Ok(None) => {
                self.changes = None;
                context.world.sleep(BURST).await;
            }
            Err(_) => {}
        }
    }
}
