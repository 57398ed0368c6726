//! When what waits could start at the latest, if everything that runs takes all of its time limit: the plan, made again and
//! again over a clock that is set forward. Pure.
//!
//! Where nothing that stands before an execution has a time limit there is no such moment. Members that elastic executions are
//! given meanwhile count as theirs until their end. Whatever is stopped takes all of its grace, and its room is not free
//! before; what Docker itself takes for a stop and a start is not in it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    Cause, Execution, ExecutionId, Instance, InstanceKey, InstanceState, Outcome, Phase, Placement,
    Snapshot, Step,
};

use super::past::Known;
use super::planning::{Policy, plan};

/// How many plans are made at the most.
const MOST: usize = 400;

/// When executions start at the latest that wait now; of the others nothing can be said. `grace` is how long a container that
/// is told to stop may take.
pub fn forecast(
    snapshot: &Snapshot,
    known: &Known,
    policy: &Policy,
    grace: SignedDuration,
    now: Timestamp,
) -> BTreeMap<ExecutionId, Timestamp> {
    let mut future = Future {
        snapshot: snapshot.clone(),
        known: known.clone(),
        grace,
        now,
        starts: BTreeMap::new(),
        stopping: BTreeMap::new(),
    };
    let policy = Policy {
        allow_starts: true,
        ..*policy
    };
    for _ in 0..MOST {
        if !future.go_on(&policy) {
            break;
        }
    }
    future.starts
}

/// What is there at a later time.
struct Future {
    snapshot: Snapshot,
    known: Known,
    grace: SignedDuration,
    now: Timestamp,
    starts: BTreeMap<ExecutionId, Timestamp>,
    /// What was told to stop, all of an execution or one member, and when it has.
    stopping: BTreeMap<(ExecutionId, Option<InstanceKey>), Timestamp>,
}

impl Future {
    /// Does what there is to do now, or goes on to when there is something; whether anything will ever change.
    fn go_on(&mut self, policy: &Policy) -> bool {
        let plan = plan(&self.snapshot, &self.known, policy, self.now);
        let mut changed = false;
        for step in &plan.steps {
            changed |= self.take(step);
        }
        if changed {
            return true;
        }
        let queued = |e: &Execution| e.phase() == Phase::Queued;
        if !self.snapshot.executions.values().any(queued) {
            return false;
        }
        let ends = self.snapshot.executions.values();
        let ends = ends.filter_map(Execution::deadline);
        let pauses = plan.waiting.iter();
        let pauses = pauses.filter_map(|waiting| waiting.reason.again_at());
        let stops = self.stopping.values().copied();
        let next = ends.chain(pauses).chain(stops);
        match next.filter(|at| *at > self.now).min() {
            Some(next) => {
                self.now = next;
                true
            }
            None => false,
        }
    }

    /// Does one step; whether it changed anything.
    fn take(&mut self, step: &Step) -> bool {
        match step {
            Step::End { execution, .. } => {
                if !self.has_stopped(*execution, None) {
                    return false;
                }
                // Whoever waits for it waits for its end only: how it ends nobody can know.
                self.known.ends.insert(*execution, Some(Outcome::Finished));
                self.snapshot.executions.remove(execution).is_some()
            }
            Step::Rollback { execution, .. } | Step::Retry { execution, .. } => {
                // It starts again when it starts again; what it held is free meanwhile.
                self.has_stopped(*execution, None)
                    && self.snapshot.executions.remove(execution).is_some()
            }
            Step::Drop { execution, members } => {
                let members = members.iter().filter_map(Cause::member);
                let stopped: Vec<&InstanceKey> = members
                    .filter(|member| self.has_stopped(*execution, Some(member)))
                    .collect();
                let Some(execution) = self.snapshot.executions.get_mut(execution) else {
                    return false;
                };
                let before = execution.instances.len();
                execution.instances.retain(|i| !stopped.contains(&&i.key));
                execution.instances.len() < before
            }
            Step::Start {
                execution,
                placement,
            } => self.start(*execution, placement),
            Step::Sweep(_) | Step::RemoveImage(_) => false,
        }
    }

    /// Whether what is told to stop, now or before, has done so: what holds nothing has.
    fn has_stopped(&mut self, id: ExecutionId, member: Option<&InstanceKey>) -> bool {
        let execution = self.snapshot.executions.get(&id);
        let mut instances = execution.iter().flat_map(|execution| &execution.instances);
        let counts = |i: &&Instance| member.is_none_or(|member| i.key == *member) && i.holds();
        if instances.find(counts).is_none() {
            return true;
        }
        let until = self.now.checked_add(self.grace).unwrap_or(Timestamp::MAX);
        let key = (id, member.cloned());
        *self.stopping.entry(key).or_insert(until) <= self.now
    }

    fn start(&mut self, id: ExecutionId, placement: &Placement) -> bool {
        let now = self.now;
        let Some(execution) = self.snapshot.executions.get_mut(&id) else {
            return false;
        };
        if execution.instances.is_empty() {
            self.starts.entry(id).or_insert(now);
        }
        let mut changed = false;
        for component in &execution.ticket.application.components {
            for index in 0..component.members() {
                let key = (component.name.clone(), index);
                let Some(node) = placement.get(&key) else {
                    continue;
                };
                let key = InstanceKey {
                    execution: id,
                    component: component.name.clone(),
                    index,
                };
                let there = execution.instances.iter_mut().find(|i| i.key == key);
                if let Some(there) = there {
                    changed |= there.state != InstanceState::Running;
                    there.state = InstanceState::Running;
                    continue;
                }
                changed = true;
                execution.instances.push(Instance {
                    key,
                    container_id: String::new(),
                    node: node.to_string(),
                    state: InstanceState::Running,
                    note: None,
                    created_at: now,
                    started_at: Some(now),
                    finished_at: None,
                    out_of_memory: false,
                    address: None,
                    ports: Vec::new(),
                    reservation: component.reservation(),
                });
            }
        }
        let order: BTreeMap<_, _> = execution
            .ticket
            .application
            .components
            .iter()
            .enumerate()
            .map(|(place, component)| (component.name.clone(), place))
            .collect();
        execution
            .instances
            .sort_by_key(|i| (order.get(&i.key.component).copied(), i.key.index));
        self.known.pasts.entry(id).or_default().started = true;
        changed
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::generators::{at, component, execution, id, instance, node, snapshot};
    use super::*;

    fn job(n: u64, limit: Option<i64>) -> Execution {
        let mut job = execution(
            n,
            i64::try_from(n).unwrap(),
            vec![component("one", 1, 1000, 64)],
        );
        job.ticket.timeout = limit.map(SignedDuration::from_secs);
        job
    }

    fn running(n: u64, limit: Option<i64>) -> Execution {
        let mut job = job(n, limit);
        let mut member = instance(&job, 0, 0, "a", InstanceState::Running);
        member.started_at = Some(at(0));
        job.instances.push(member);
        job
    }

    fn told(executions: Vec<Execution>) -> Vec<(ExecutionId, Timestamp)> {
        let seen = snapshot(vec![node("a", 1000, 4096)], executions);
        let policy = Policy::usual(false);
        let grace = SignedDuration::from_secs(10);
        let starts = forecast(&seen, &Known::default(), &policy, grace, at(100));
        starts.into_iter().collect()
    }

    #[test]
    fn each_starts_when_those_before_it_have_taken_all_their_time() {
        let line = vec![
            running(1, Some(600)),
            job(2, Some(60)),
            job(3, None),
            job(4, None),
        ];
        assert_eq!(told(line), [(id(2), at(610)), (id(3), at(680))]);
        assert_eq!(told(vec![running(1, None), job(2, Some(60))]), []);
        assert_eq!(told(vec![job(2, None)]), [(id(2), at(100))]);
    }

    #[test]
    fn what_is_held_never_starts_and_what_comes_after_another_starts_then() {
        use crate::model::{Dependency, RequiredEnd};
        let mut held = job(2, None);
        held.ticket.terms.held = true;
        let mut after = job(3, None);
        after.ticket.terms.after.push(Dependency {
            execution: id(1),
            end: RequiredEnd::Ok,
        });
        let line = vec![running(1, Some(600)), held, after];
        assert_eq!(told(line), [(id(3), at(610))]);
    }

    #[test]
    fn what_is_to_end_already_holds_its_room_for_the_grace_of_its_stop() {
        let mut cancelled = running(1, None);
        cancelled.mark = Some(crate::model::Mark::Cancelled);
        assert_eq!(told(vec![cancelled, job(2, None)]), [(id(2), at(110))]);
        let mut over = running(1, None);
        over.instances[0].state = InstanceState::Exited { code: 0 };
        assert_eq!(told(vec![over, job(2, None)]), [(id(2), at(100))]);
    }
}
