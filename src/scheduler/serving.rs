//! Serves those that have begun, and then the queue in its order.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{Component, Execution, ExecutionId, Instance, Mode, Resources, WaitReason};

use super::gates::Gates;
use super::growers::Allowance;
use super::line::Ranks;
use super::order::Place;
use super::past::{Known, Past};
use super::quotas::is_of_others;
use super::sight::Sight;
use super::starts::Starts;
use super::verdict::Casualty;

/// One in the queue.
pub(super) struct Queued<'a> {
    pub place: Place,
    pub execution: &'a Execution,
    /// What keeps it back as things stood before anything was started. Few are kept back: a box makes the others small.
    pub closed: Option<Box<WaitReason>>,
}

/// Puts the queue in order; of each also whether all of it that there may be was seen.
pub(super) fn line_up<'a>(
    ranks: &Ranks<'_>,
    gates: &Gates<'a>,
    queued: &[(&'a Execution, bool)],
    sight: &Sight<'_>,
) -> Vec<Queued<'a>> {
    let closed = queued.iter().map(|&(execution, seen)| {
        let closed = if seen {
            gates.closed(execution, Resources::ZERO)
        } else {
            Some(WaitReason::Unknown { what: sight.what() })
        };
        let counts = !closed.as_ref().is_some_and(is_put_off);
        (execution, counts, (execution, closed.map(Box::new)))
    });
    let placed = ranks.line_up(closed).into_iter();
    placed
        .map(|(place, (execution, closed))| Queued {
            place,
            execution,
            closed,
        })
        .collect()
}

/// Whether it has to wait whatever this plan does for others.
fn is_put_off(reason: &WaitReason) -> bool {
    matches!(
        reason,
        WaitReason::Unknown { .. }
            | WaitReason::Held
            | WaitReason::After { .. }
            | WaitReason::Retry { .. }
            | WaitReason::Again { .. }
    )
}

/// Serves the queue in order.
pub(super) fn queue<'a>(starts: &mut Starts<'a>, mut gates: Gates<'a>, line: Vec<Queued<'a>>) {
    starts.waiting.reserve(line.len());
    for Queued {
        place,
        execution,
        mut closed,
    } in line
    {
        if !starts.is_closed() && !closed.as_deref().is_some_and(is_put_off) {
            starts.open_purse(execution, &gates);
            // Those before it have their elastic members, which may be their owner's last.
            starts.feed_before(place);
            closed = gates
                .closed(execution, starts.spent(execution))
                .map(Box::new);
            // What could not run anyway keeps nothing from others.
            if closed.as_deref().is_some_and(is_of_others)
                && starts.unfit(execution).is_none()
                && gates.bar_behind(execution)
            {
                starts.leave_to(place, execution);
            }
        }
        match closed {
            Some(reason) => starts.put_off(place.id(), *reason),
            None if starts.consider(place, execution) => {
                let needed = starts.mode.needed(&execution.ticket.application);
                gates.count(execution, needed);
            }
            None => {}
        }
    }
}

/// What is needed to serve those that have begun.
pub(super) struct Running<'g> {
    pub known: &'g Known,
    pub ranks: &'g Ranks<'g>,
    /// The foremost whose start is to be tried again: what was taken back for it is not given to those behind meanwhile.
    pub retried: Option<Place>,
    pub now: Timestamp,
}

/// Those that have begun, each group in the order in which they came.
#[derive(Default)]
pub(super) struct Begun<'a> {
    pub running: Vec<(&'a Execution, Vec<Casualty<'a>>)>,
    pub starting: Vec<&'a Execution>,
    /// Those of them that may not start now, and why.
    pub kept_back: BTreeMap<ExecutionId, WaitReason>,
    /// Those that run and lack nothing that they must have.
    pub well: Vec<&'a Execution>,
}

impl Running<'_> {
    /// Gives back what they have lost, goes on with their starts, and lets them grow.
    pub fn serve<'a>(&self, starts: &mut Starts<'a>, gates: &mut Gates<'a>, begun: Begun<'a>) {
        let unknown = Past::default();
        let past = |execution: &Execution| self.known.past(execution.ticket.id).unwrap_or(&unknown);
        let mut repaired = Vec::new();
        for (execution, casualties) in begun.running {
            let past = past(execution);
            let (n, anew) = starts.repair(execution, casualties, gates, |component, index| {
                past.may_replace(component, index, self.now)
            });
            repaired.push((execution, Some(n), anew));
        }
        starts.go_on(&begun.starting, begun.kept_back);
        for start in &starts.decided {
            gates.amend(start);
        }
        let well = begun.well.into_iter().map(|e| (e, None, BTreeSet::new()));
        for (execution, repaired, anew) in well.chain(repaired) {
            let elastic = |component: &Component| component.elastic > 0;
            if !execution.ticket.application.components.iter().any(elastic) {
                continue;
            }
            let place = self.ranks.place(execution);
            starts.open_purse(execution, gates);
            let may = Allowance {
                past: past(execution),
                now: self.now,
                freely: repaired.is_none()
                    && !execution.instances.iter().any(Instance::is_lost)
                    && self.retried.is_none_or(|retried| place < retried),
                purse: starts.purse(execution),
            };
            starts.join(execution, place, repaired, &anew, &may);
        }
        // There is no difference between core and elastic then: what was lost is replaced before anybody else is served.
        if starts.mode == Mode::Rigid {
            starts.division.fill_up();
        }
    }
}
