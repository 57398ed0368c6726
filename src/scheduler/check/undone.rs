//! What may be undone of an execution all of whose members run: a start that never came to be ready.

use super::Judge;
use crate::model::{Cause, Execution};

impl Judge<'_> {
    /// Whether it was asked long enough, is not ready now, and never was.
    pub(super) fn was_never_ready(&self, execution: &Execution, cause: &Cause) -> bool {
        let id = &execution.ticket.id;
        let asked = self.known.pasts.get(id);
        let asked = asked.filter(|past| !past.ready && !self.known.ready.contains(id));
        let since = asked.and_then(|past| past.unready_since);
        let over = since.is_some_and(|at| self.now >= at + self.policy.start_deadline);
        let lacks = self.known.unready.get(id);
        over && matches!(cause, Cause::NotReady { missing } if lacks == Some(missing))
    }

    /// Whether all that is there of it is older than what was written down of its start: that it has failed.
    pub(super) fn was_undone(&self, execution: &Execution) -> bool {
        let past = self.known.pasts.get(&execution.ticket.id);
        let past = past.filter(|past| !past.started && execution.mark.is_none());
        let failed = past.and_then(|past| past.failures.last());
        let newest = execution.instances.iter().map(|i| i.created_at).max();
        failed
            .zip(newest)
            .is_some_and(|((at, _), newest)| *at >= newest)
    }
}
