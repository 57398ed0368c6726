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
/// When to look once more after a change, for who stays: an Engine tells that a container has ended before its list shows
/// that, and the clearing away in between may take it a second.
const ECHOES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];
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
    /// When to look after a change, and not only at once.
    echoes: &'static [Duration],
    /// When the last change was, and how many of its echoes were heard.
    changed: Option<(Instant, usize)>,
}

impl Hints {
    /// For who stays and has to see everything soon.
    pub fn with_echoes() -> Self {
        Self {
            echoes: &ECHOES,
            ..Self::default()
        }
    }

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
        let mut soonest = longest;
        if self.is_fresh {
            soonest = soonest.min(FRESH.saturating_sub(listened));
            self.is_fresh = !soonest.is_zero();
        }
        let echo = self.changed.and_then(|(at, heard)| {
            let echo = self.echoes.get(heard)?;
            Some(echo.saturating_sub(at.elapsed()))
        });
        if let Some(echo) = echo {
            soonest = soonest.min(echo);
        }
        match tokio::time::timeout(soonest, changes.next()).await {
            Ok(Some(())) => {
                self.broken = 0;
                self.changed = Some((Instant::now(), 0));
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
            Err(_) => {
                let now = Instant::now();
                self.changed = self.changed.map(|(at, heard)| {
                    let past = |echo: &&Duration| at + **echo <= now;
                    let past = self.echoes.iter().take_while(past).count();
                    (at, heard.max(past))
                });
            }
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
