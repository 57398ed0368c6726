//! The service manager, where zoe was started by one that wants to know (systemd, `Type=notify`): that it is ready, how it
//! stands, that it is alive, that it ends. Without one nothing is said.

use std::time::Duration;

use sd_notify::NotifyState;

/// The service manager.
pub(super) struct Manager {
    /// How often it wants a sign of life, with as much again to spare.
    signs: Option<Duration>,
    is_ready: bool,
    status: String,
}

impl Manager {
    /// The one that started this process, if one did.
    pub(super) fn find() -> Self {
        Self {
            signs: sd_notify::watchdog_enabled().map(|longest| longest / 2),
            is_ready: false,
            status: String::new(),
        }
    }

    /// It works; told once.
    pub(super) fn ready(&mut self) {
        if !self.is_ready {
            self.is_ready = true;
            say(&[NotifyState::Ready]);
        }
    }

    /// How it stands, where that is new; and that it is alive.
    pub(super) fn status(&mut self, text: &str) {
        if self.status != text {
            text.clone_into(&mut self.status);
            say(&[NotifyState::Status(text)]);
        }
        self.sign();
    }

    /// Rests for so long at the most, but not longer than it may without a sign of life.
    pub(super) async fn rest(&mut self, longest: Duration) {
        let pause = self.signs.map_or(longest, |signs| signs.min(longest));
        tokio::time::sleep(pause).await;
        self.sign();
    }

    /// It ends.
    pub(super) fn stopping() {
        say(&[NotifyState::Stopping]);
    }

    fn sign(&self) {
        if self.signs.is_some() {
            say(&[NotifyState::Watchdog]);
        }
    }
}

/// A manager that does not listen is no reason to stop working.
fn say(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::debug!(%error, "the service manager was not told");
    }
}
