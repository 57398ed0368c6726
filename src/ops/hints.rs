//! Waking up when something changes. Events only hint: a missed one costs an interval, never correctness.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;

use super::context::Context;
use crate::engine::BoxStream;

/// Changes come in bursts; what comes this soon after another belongs to it.
const BURST: Duration = Duration::from_millis(30);
/// A burst is cut off after this time.
const LONGEST_BURST: Duration = Duration::from_millis(120);
/// Within this time after beginning to listen another look is due: what happened before the connection stood went unnoticed.
const FRESH: Duration = Duration::from_millis(500);
/// The pause after a connection that broke at once; it doubles with each that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A connection that held so long was a good one.
const GOOD: Duration = Duration::from_secs(10);

/// Listens to the deployment's changes, again where a connection was lost.
#[derive(Default)]
pub struct Hints {
    changes: Option<BoxStream<'static, ()>>,
    /// When the connection was made.
    since: Option<Instant>,
    /// Whether the look that is due soon after that is still to come.
    is_fresh: bool,
    /// How many connections in a row broke at once.
    broken: u32,
}

impl Hints {
    /// Begins to listen, where it does not. Without events the interval has to do.
    pub async fn listen(&mut self, context: &Context) {
        if self.changes.is_none() {
            self.changes = context.backend.changes().await.ok();
            self.since = None;
            self.is_fresh = true;
        }
    }

    /// Returns when something has changed, or after `longest`; sooner where a connection was lost, and again when it stands.
    /// May be dropped by whoever looks anyway.
    pub async fn next(&mut self, context: &Context, longest: Duration) {
        self.listen(context).await;
        let Some(changes) = &mut self.changes else {
            return self.pause(context, longest).await;
        };
        // Only now is the connection made.
        let listened = self.since.get_or_insert_with(Instant::now).elapsed();
        let mut longest = longest;
        if self.is_fresh {
            longest = longest.min(FRESH.saturating_sub(listened));
            self.is_fresh = !longest.is_zero();
        }
        match tokio::time::timeout(longest, changes.next()).await {
            Ok(Some(())) => {
                self.broken = 0;
                let burst = async {
                    while let Ok(Some(())) = tokio::time::timeout(BURST, changes.next()).await {}
                };
                // Cut off or over: either way it is time to look.
                let _ = tokio::time::timeout(LONGEST_BURST, burst).await;
            }
            Ok(None) => {
                self.changes = None;
                if self.since.is_some_and(|since| since.elapsed() > GOOD) {
                    self.broken = 0;
                }
                self.pause(context, longest).await;
            }
            Err(_) => {}
        }
    }

    /// Waits before the next connection, longer each time.
    async fn pause(&mut self, context: &Context, longest: Duration) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.broken.min(16));
        self.broken = self.broken.saturating_add(1);
        let pause = pause.min(LONGEST_PAUSE).min(longest);
        context.world.sleep(pause).await;
    }
}
