//! What is not as it should be: told when it begins, when it changes, and when it is over.

use std::collections::BTreeMap;

use crate::model::{Availability, Execution, Phase};
use crate::ops::OpsError;
use crate::ops::reconcile::turns::Turn;

/// What is wrong now, by what it is about.
#[derive(Default)]
pub(super) struct Health(BTreeMap<String, String>);

impl Health {
    /// Looks at what a turn has seen, at why mail can't be sent, if that is so, and at what else is wrong beside it.
    pub(super) fn look_at(
        &mut self,
        turn: &Turn,
        mail: Option<String>,
        beside: BTreeMap<String, String>,
    ) {
        let mut now = beside;
        if let Some(why) = mail {
            now.insert("mail".to_owned(), why);
        }
        if let Some(why) = &turn.database {
            let why = format!(
                "{why}; nothing is started until it is back, what runs goes on, and what ends is recorded then"
            );
            now.insert("database".to_owned(), why);
        }
        if let Some(why) = &turn.routes {
            now.insert("proxy".to_owned(), why.clone());
        }
        for gap in &turn.snapshot.gaps {
            let node = gap.node.as_ref();
            let node = node.map_or_else(String::new, |node| format!(" on node {node}"));
            let what = format!("{}{node}", gap.what);
            now.insert(what, format!("could not be read: {}", gap.error));
        }
        for node in &turn.snapshot.nodes {
            if let Availability::Down { .. } = node.availability {
                now.insert(format!("node {}", node.name), "is down".to_owned());
            }
        }
        for failure in &turn.failures {
            let what = failure
                .execution
                .map_or_else(|| "cleaning up".to_owned(), |id| format!("execution {id}"));
            now.insert(what, failure.message.clone());
        }
        self.change_to(now);
    }

    /// Docker could not be read: of all else nothing is known.
    pub(super) fn cannot_look(&mut self, error: &OpsError) {
        let mut now = self.0.clone();
        now.insert("docker".to_owned(), error.to_string());
        self.change_to(now);
    }

    /// All of it, each in a sentence.
    pub(super) fn sentences(&self) -> Vec<String> {
        let all = self.0.iter();
        all.map(|(what, why)| format!("{what}: {why}")).collect()
    }

    /// One line for the service manager.
    pub(super) fn line(&self, turn: Option<&Turn>) -> String {
        let mut parts = Vec::new();
        if let Some(turn) = turn {
            let phases = turn.snapshot.executions.values().map(Execution::phase);
            let (mut queued, mut alive) = (0, 0);
            for phase in phases {
                match phase {
                    Phase::Queued => queued += 1,
                    Phase::Starting | Phase::Running { .. } | Phase::Ending(_) => alive += 1,
                }
            }
            parts.push(format!("{alive} running, {queued} queued"));
        }
        if !self.0.is_empty() {
            let wrong: Vec<&str> = self.0.keys().map(String::as_str).collect();
            parts.push(format!("degraded: {}", wrong.join(", ")));
        }
        parts.join("; ")
    }

    fn change_to(&mut self, now: BTreeMap<String, String>) {
        for (what, why) in &now {
            if self.0.get(what) != Some(why) {
                tracing::warn!(what, why, "degraded");
            }
        }
        for what in self.0.keys().filter(|what| !now.contains_key(*what)) {
            tracing::info!(what, "recovered");
        }
        self.0 = now;
    }
}
