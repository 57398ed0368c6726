//! What keeps a queued execution back though there may be room for it: somebody holds it, another has to be over first, as many
//! of its array run as may, its owner's quota, or the pause after a failure.
//!
//! Who is kept back here waits with that reason and stops nobody behind it. Room on nodes and the order are not looked at.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{
    Cause, Execution, ExecutionId, Instance, InstanceState, Mode, Outcome, OverQuota, Phase,
    RequiredEnd, Resources, Snapshot, Survey, WaitReason,
};

use super::Policy;
use super::causes;
use super::ledger::Members;
use super::outcome::Start;
use super::past::{Known, Past, UserKnown};
use super::quotas::{self, Wanted, exceeds, is_of_others};

/// What stands in the way of executions, as a plan is being made: those that it starts count.
pub(super) struct Gates<'a> {
    snapshot: &'a Snapshot,
    known: &'a Known,
    start_tries: u32,
    mode: Mode,
    now: Timestamp,
    /// How many of each array that has a limit run.
    arrays: BTreeMap<ExecutionId, u32>,
    /// What each user's executions hold.
    users: BTreeMap<&'a str, Held>,
    /// The first of each user's that waits for what others of that user have: those behind it don't go before.
    first: BTreeMap<&'a str, ExecutionId>,
}

/// What the executions of a user hold.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    executions: u32,
    resources: Resources,
}

/// What holds an execution back for ever: one that it had to come after ended otherwise. Of executions that Docker still has
/// nothing is concluded: they are not over.
pub(super) fn hopeless(execution: &Execution, snapshot: &Snapshot, known: &Known) -> Option<Cause> {
    execution.ticket.terms.after.iter().find_map(|dependency| {
        let after = dependency.execution;
        if dependency.end == RequiredEnd::Any || snapshot.executions.contains_key(&after) {
            return None;
        }
        let ended = match known.ends.get(&after)?.as_ref()? {
            Outcome::Finished => return None,
            Outcome::Failed { exit_code, reason } => {
                format!("failed with {exit_code} ({})", causes::root(reason))
            }
            Outcome::TimedOut => "ran out of time".to_owned(),
            Outcome::Cancelled { .. } => "was cancelled".to_owned(),
        };
        Some(Cause::Hopeless { after, ended })
    })
}

impl<'a> Gates<'a> {
    /// What stands in the way while nobody has anything.
    pub fn new(snapshot: &'a Snapshot, known: &'a Known, policy: &Policy, now: Timestamp) -> Self {
        Self {
            snapshot,
            known,
            start_tries: policy.start_tries,
            mode: policy.mode,
            now,
            arrays: BTreeMap::new(),
            users: BTreeMap::new(),
            first: BTreeMap::new(),
        }
    }

    /// Notes the members of an execution that were seen. One whose monitor has ended does not run any more, though what is
    /// left of it may take a while to be stopped; what that holds counts until it is.
    pub fn enter(&mut self, execution: &'a Execution, survey: &Survey) {
        if execution.instances.is_empty() {
            return;
        }
        let ends = matches!(survey.phase, Phase::Ending(_));
        if ends && execution.is_over() {
            self.hold(execution, survey.held);
        } else {
            self.count(execution, survey.held);
        }
    }

    /// Notes what an execution holds.
    fn hold(&mut self, execution: &'a Execution, held: Resources) -> Option<&mut Held> {
        let user = execution.ticket.user.as_str();
        let of_user = self
            .known
            .users
            .contains_key(user)
            .then(|| self.users.entry(user))?;
        let of_user = of_user.or_default();
        of_user.resources += held;
        Some(of_user)
    }

    /// Notes that an execution has these members, or is given them.
    pub fn count(&mut self, execution: &'a Execution, held: Resources) {
        let ticket = &execution.ticket;
        if let Some(place) = ticket.terms.array.filter(|place| place.at_once.is_some()) {
            *self.arrays.entry(place.array).or_default() += 1;
        }
        if let Some(user) = self.hold(execution, held) {
            user.executions += 1;
        }
    }

    /// Those that were made and not started, and that may not start now, with the reasons: whoever made them died, or
    /// was slow, and meanwhile somebody held them, or another of their array or of their owner's was started.
    pub fn keep_back(&mut self, starting: &[&'a Execution]) -> BTreeMap<ExecutionId, WaitReason> {
        for execution in starting.iter().copied().filter(|e| is_only_made(e)) {
            self.discount(execution);
        }
        let mut kept = BTreeMap::new();
        for execution in starting.iter().copied().filter(|e| is_only_made(e)) {
            // All that it is to have, made or not.
            let whole = Members::to_start(execution, self.mode).size(execution);
            let reason = self.held(execution).or_else(|| self.array(execution));
            let quota = || self.over(execution, whole, Resources::ZERO);
            if let Some(reason) = reason.or_else(|| quota().map(WaitReason::Quota)) {
                if is_of_others(&reason) {
                    self.bar_behind(execution);
                }
                kept.insert(execution.ticket.id, reason);
            } else {
                self.count(execution, whole);
            }
        }
        kept
    }

    /// Notes what a start changes of one that has begun: the members that it is given, and those that are removed of it.
    pub fn amend(&mut self, start: &Start<'a>) {
        let user = start.execution.ticket.user.as_str();
        if is_only_made(start.execution) {
            return;
        }
        if let Some(user) = self.users.get_mut(user) {
            let (more, less) = start.change();
            user.resources = (user.resources + more).minus(less);
        }
    }

    /// Gives up an elastic member that was made and not started, if its owner has more than may be, even without these; by how
    /// much then.
    pub fn give_up(
        &mut self,
        execution: &Execution,
        instance: &Instance,
        without: &[&Instance],
    ) -> Option<OverQuota> {
        let key = &instance.key;
        let component = execution.ticket.application.component(&key.component)?;
        let user = execution.ticket.user.as_str();
        let quota = self.known.users.get(user)?.quota;
        let held = self
            .users
            .get_mut(user)
            .filter(|_| key.index >= component.core)?;
        let others = held.resources.minus(instance.reservation);
        let later = without.iter().map(|i| i.reservation).sum();
        let over = quotas::at_once(quota, others.minus(later), instance.reservation)?;
        held.resources = others;
        Some(over)
    }

    /// Takes back what was noted of an execution.
    fn discount(&mut self, execution: &Execution) {
        let ticket = &execution.ticket;
        let place = ticket.terms.array;
        if let Some(running) = place.and_then(|place| self.arrays.get_mut(&place.array)) {
            *running = running.saturating_sub(1);
        }
        if let Some(user) = self.users.get_mut(ticket.user.as_str()) {
            user.executions = user.executions.saturating_sub(1);
            user.resources = user.resources.minus(execution.held());
        }
    }

    /// What the owner of an execution may be given beside what that user's executions hold; `None` without a limit.
    pub fn left(&self, execution: &Execution) -> Option<Resources> {
        let user = execution.ticket.user.as_str();
        let quota = self.known.users.get(user)?.quota;
        let held = self.users.get(user).copied().unwrap_or_default().resources;
        quotas::left(quota, held)
    }

    /// Why a queued execution can't be started now whatever room there is, if it can't. Its owner is given `more` in this plan
    /// than was noted.
    pub fn closed(&self, execution: &Execution, more: Resources) -> Option<WaitReason> {
        let unknown = Past::default();
        let past = self.known.past(execution.ticket.id).unwrap_or(&unknown);
        self.held(execution)
            .or_else(|| self.after(execution))
            .or_else(|| self.pause(execution, past))
            .or_else(|| self.array(execution))
            .or_else(|| self.quota(execution, more).map(WaitReason::Quota))
            .or_else(|| {
                let execution = *self.first.get(execution.ticket.user.as_str())?;
                Some(WaitReason::Quota(OverQuota::Behind { execution }))
            })
    }

    /// Notes that an execution waits for what others of its owner have: those of its owner that are behind it would have that
    /// for ever, one after the other. Whether it is the first.
    pub fn bar_behind(&mut self, execution: &'a Execution) -> bool {
        let ticket = &execution.ticket;
        let first = *self.first.entry(&ticket.user).or_insert(ticket.id);
        first == ticket.id
    }

    fn held(&self, execution: &Execution) -> Option<WaitReason> {
        let past = self.known.past(execution.ticket.id);
        let said = past.and_then(|past| past.held);
        let held = said.unwrap_or(execution.ticket.terms.held);
        held.then_some(WaitReason::Held)
    }

    fn after(&self, execution: &Execution) -> Option<WaitReason> {
        let mut after = execution.ticket.terms.after.iter();
        after.find_map(|dependency| {
            let wait = |known| WaitReason::After {
                execution: dependency.execution,
                end: dependency.end,
                known,
            };
            if self.snapshot.executions.contains_key(&dependency.execution) {
                return Some(wait(true));
            }
            match (self.known.ends.get(&dependency.execution), dependency.end) {
                // Docker does not have it: whatever became of it, it is over. What was not seen may be there all the same.
                (Some(None), RequiredEnd::Any) if self.snapshot.gaps.is_empty() => None,
                (Some(None), _) => Some(wait(false)),
                (Some(Some(_)), RequiredEnd::Any) | (Some(Some(Outcome::Finished)), _) => None,
                // Not asked for yet, or to be ended for it.
                (None, _) | (Some(Some(_)), RequiredEnd::Ok) => Some(wait(true)),
            }
        })
    }

    fn pause(&self, execution: &Execution, past: &Past) -> Option<WaitReason> {
        if let Some((at, why)) = past.retry().filter(|(at, _)| *at > self.now) {
            return Some(WaitReason::Retry {
                at,
                tried: past.tried(),
                of: self.start_tries,
                why: why.to_owned(),
            });
        }
        let (at, last) = past.again().filter(|(at, _)| *at > self.now)?;
        Some(WaitReason::Again {
            at,
            failed: past.failed(),
            of: execution.ticket.terms.retries.most,
            why: last.why.clone(),
        })
    }

    fn array(&self, execution: &Execution) -> Option<WaitReason> {
        let place = execution.ticket.terms.array?;
        let at_once = place.at_once?;
        let running = self.arrays.get(&place.array).copied().unwrap_or(0);
        (running >= at_once).then_some(WaitReason::ArrayLimit { at_once })
    }

    fn quota(&self, execution: &Execution, more: Resources) -> Option<OverQuota> {
        let needed = self.mode.needed(&execution.ticket.application);
        self.over(execution, needed, more)
    }

    /// By how much one that needs so much is over its owner's quota.
    fn over(&self, execution: &Execution, needed: Resources, more: Resources) -> Option<OverQuota> {
        let ticket = &execution.ticket;
        let UserKnown { quota, used, .. } = self.known.users.get(&ticket.user)?;
        let held = self.users.get(ticket.user.as_str());
        let held = held.copied().unwrap_or_default();
        let wanted = Wanted::new(needed, ticket.timeout);
        exceeds(
            *quota,
            held.executions,
            held.resources + more,
            *used,
            wanted,
        )
    }
}

/// Whether all that is there of it was made and not started.
fn is_only_made(execution: &Execution) -> bool {
    let mut instances = execution.instances.iter();
    !execution.instances.is_empty() && instances.all(|i| i.state == InstanceState::Created)
}
