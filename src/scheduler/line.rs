//! The places of a snapshot's executions in the line: what an order looks at, read from tickets and history.

use jiff::Timestamp;

use crate::model::{Execution, Mode, Order, Resources, Snapshot};

use super::Policy;
use super::order::{Contender, Place, Ranking, Waiter, line_up, share};
use super::past::Known;

/// What ranks executions.
pub(super) struct Ranks<'a> {
    ranking: Ranking,
    policy: &'a Policy,
    known: &'a Known,
    /// What the cluster has in all.
    total: Resources,
    now: Timestamp,
}

impl<'a> Ranks<'a> {
    /// What ranks those of a snapshot.
    pub fn new(snapshot: &Snapshot, known: &'a Known, policy: &'a Policy, now: Timestamp) -> Self {
        Self {
            ranking: policy.ranking(),
            policy,
            known,
            total: snapshot.nodes.iter().map(|node| node.capacity).sum(),
            now,
        }
    }

    /// The place of one that has its members: it has waited until it was started.
    pub fn place(&self, execution: &Execution) -> Place {
        self.ranking.place(&self.contender(execution))
    }

    /// Puts those that wait in order; of each also whether it counts as something that its owner is about to use.
    pub fn line_up<'e, T>(
        &self,
        queued: impl IntoIterator<Item = (&'e Execution, bool, T)>,
    ) -> Vec<(Place, T)> {
        let waiter = |(execution, counts, item): (&'e Execution, bool, T)| Waiter {
            contender: self.contender(execution),
            user: execution.ticket.user.as_str(),
            cost: if counts { self.cost(execution) } else { 0 },
            item,
        };
        line_up(self.ranking, queued.into_iter().map(waiter))
    }

    fn contender(&self, execution: &Execution) -> Contender {
        let ticket = &execution.ticket;
        let submitted = ticket.submitted_at.as_millisecond();
        let mut one = Contender {
            id: ticket.id,
            priority: ticket.terms.priority,
            submitted,
            waited: 0,
            share: 0,
            runtime: 0,
            usage: 0,
        };
        // Only what the order looks at is worked out.
        match self.ranking.order {
            Order::Fifo => {}
            Order::Size | Order::DynSize => {
                one.share = share(Mode::Rigid.needed(&ticket.application), self.total);
                one.runtime = self.runtime(execution);
            }
            Order::Hrrn => {
                let until = execution.started_at().unwrap_or(self.now);
                let waited = until.as_millisecond().saturating_sub(submitted);
                one.waited = u64::try_from(waited).unwrap_or(0);
                one.runtime = self.runtime(execution);
            }
            Order::Fair => {
                let user = self.known.users.get(&ticket.user);
                one.usage = user.map_or(0, |user| user.usage);
            }
        }
        one
    }

    /// How long it may run, or is assumed to, in milliseconds.
    fn runtime(&self, execution: &Execution) -> u64 {
        let time = execution.ticket.timeout.unwrap_or(self.policy.runtime);
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    }

    /// What it would use, in core-seconds.
    fn cost(&self, execution: &Execution) -> u64 {
        if self.ranking.order != Order::Fair {
            return 0;
        }
        let cores = Mode::Rigid
            .needed(&execution.ticket.application)
            .cores
            .millis();
        let product = u128::from(cores) * u128::from(self.runtime(execution));
        u64::try_from(product / 1_000_000).unwrap_or(u64::MAX)
    }
}
