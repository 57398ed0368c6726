//! Judges what a plan starts: the members, their nodes, and the sum on each node.

use std::collections::BTreeMap;

use super::{Judge, Violation, is_at};
use crate::model::{
    Component, ComponentName, Execution, ExecutionId, Instance, InstanceState, Mode, Node, Phase,
    Placement, Resources,
};

impl<'a> Judge<'a> {
    pub(super) fn start(&mut self, id: ExecutionId, placement: &'a Placement) {
        let Some(execution) = self.snapshot.executions.get(&id) else {
            return self.objects(Violation::Unknown(id));
        };
        if self.started.insert(id, placement).is_some() || self.ended.contains(&id) {
            self.objects(Violation::Twice(id));
        }
        let gains = || {
            let new = |(name, index): &(ComponentName, u32)| {
                self.stays(execution, name, *index).is_none()
            };
            let unstarted = |i: &Instance| i.state == InstanceState::Created;
            placement.keys().any(new) || execution.instances.iter().any(unstarted)
        };
        let right = match execution.phase() {
            Phase::Queued | Phase::Starting => true,
            Phase::Running { .. } => gains(),
            Phase::Ending(_) => false,
        };
        if !right {
            self.objects(Violation::WrongStart(id));
        }
        self.members(execution, placement);
        self.terms(execution);
        for ((component, index), node) in placement {
            if !self.may_be_on(execution, component, *index, node) {
                self.objects(Violation::WrongNode {
                    execution: id,
                    component: component.clone(),
                    node: node.to_string(),
                });
            }
        }
    }

    /// Nothing is started that Docker shows to have to wait: for another, or for others of its array.
    fn terms(&mut self, execution: &Execution) {
        if execution.phase() != Phase::Queued {
            return;
        }
        let terms = &execution.ticket.terms;
        let there = |id| self.snapshot.executions.contains_key(id);
        let too_soon = terms.after.iter().any(|d| there(&d.execution));
        let too_many = terms.array.is_some_and(|place| {
            let same =
                |e: &&Execution| e.ticket.terms.array.is_some_and(|p| p.array == place.array);
            let begun = |e: &&Execution| {
                let runs = !e.instances.is_empty() && !e.is_over();
                runs || self.started.contains_key(&e.ticket.id)
            };
            let all = self.snapshot.executions.values();
            let running = all.filter(same).filter(begun).count();
            place.at_once.is_some_and(|most| running > most as usize)
        });
        if too_soon || too_many {
            self.objects(Violation::TooSoon(execution.ticket.id));
        }
    }

    /// All core members, but for replaceable ones of an execution that goes on without; those that are there; elastic ones in
    /// order, no more than it may have; and nobody else.
    fn members(&mut self, execution: &Execution, placement: &Placement) {
        let application = &execution.ticket.application;
        let fresh = execution.instances.is_empty();
        let mut wrong: Vec<ComponentName> = Vec::new();
        for component in &application.components {
            let has = |index| placement.contains_key(&(component.name.clone(), index));
            // One that has ended in an execution that goes on has done its part.
            let may_lack = |i| {
                let there = is_at(execution, &component.name, i).is_some();
                component.replaceable || there || i >= component.core
            };
            self.growth(execution, component, placement);
            let core = (0..self.needed(component)).all(|i| has(i) || (!fresh && may_lack(i)));
            let first_none = (0..component.members()).find(|index| !has(*index));
            let holes = |first| (first..component.members()).any(has);
            if !core || (fresh && first_none.is_some_and(holes)) {
                wrong.push(component.name.clone());
            }
        }
        for (name, index) in placement.keys() {
            let component = application.component(name);
            if component.is_none_or(|c| *index >= c.members()) {
                wrong.push(name.clone());
            }
        }
        for instance in &execution.instances {
            let good = matches!(
                instance.state,
                InstanceState::Created | InstanceState::Running | InstanceState::Other
            );
            let key = (instance.key.component.clone(), instance.key.index);
            let known = application.component(&key.0);
            let dropped = self.dropped.contains(&instance.key);
            let may = known.is_some_and(|c| key.1 < c.members()) && !dropped;
            let left = || self.has_no_room(instance) || self.is_too_much(execution, instance);
            if good && may && !placement.contains_key(&key) && !left() {
                wrong.push(key.0);
            }
        }
        for component in wrong {
            self.objects(Violation::Members {
                execution: execution.ticket.id,
                component,
            });
        }
    }

    /// Whether a member was made and not started, where there is more than the node has room for: it may be left so.
    fn has_no_room(&self, instance: &Instance) -> bool {
        let is_made = instance.state == InstanceState::Created && instance.note.is_none();
        let node = self.nodes.get(instance.node.as_str());
        let Some(node) = node.filter(|_| is_made) else {
            return false;
        };
        let all = self.snapshot.executions.values();
        let there = all.flat_map(|e| &e.instances);
        let there = there.filter(|i| i.node == node.name && i.state != InstanceState::Rejected);
        let sum = node.others + there.map(|i| i.reservation).sum();
        sum.cores > node.capacity.cores || sum.memory > node.capacity.memory
    }

    /// Of itself an execution gets elastic members only in flexible mode, and no more than somebody asked for.
    fn growth(&mut self, execution: &Execution, component: &Component, placement: &Placement) {
        if !matches!(execution.phase(), Phase::Running { .. }) {
            return;
        }
        let name = &component.name;
        let has = |index: &u32| placement.contains_key(&(name.clone(), *index));
        let new = |index: &u32| has(index) && is_at(execution, name, *index).is_none();
        let new = (component.core..component.members()).filter(new).count();
        let all = (0..component.members()).filter(has).count();
        let past = self.known.past(execution.ticket.id);
        let limit = past.and_then(|past| past.sizes.get(name)).copied();
        let too_many = limit.is_some_and(|limit| all > limit as usize);
        if new > 0 && (self.policy.mode == Mode::Rigid || too_many) {
            self.objects(Violation::Members {
                execution: execution.ticket.id,
                component: name.clone(),
            });
        }
    }

    pub(super) fn may_be_on(
        &self,
        execution: &Execution,
        name: &ComponentName,
        i: u32,
        node: &str,
    ) -> bool {
        if let Some(at) = self.stays(execution, name, i) {
            return at.node == node;
        }
        let silent = self.silent.contains(node);
        let node = self.nodes.get(node);
        let component = execution.ticket.application.component(name);
        node.zip(component).is_some_and(|(node, component)| {
            let has = |(k, v): (&String, &String)| node.labels.get(k).is_some_and(|l| l == v);
            !silent && node.is_available() && component.placement.iter().all(has)
        })
    }

    /// The member, if it exists and is not removed.
    pub(super) fn stays<'e>(
        &self,
        execution: &'e Execution,
        name: &ComponentName,
        index: u32,
    ) -> Option<&'e Instance> {
        is_at(execution, name, index).filter(|i| !self.dropped.contains(&i.key))
    }

    /// No node gets more than it has beside what others and living members hold.
    pub(super) fn capacity(&mut self) {
        let mut added: BTreeMap<&str, Resources> = BTreeMap::new();
        for (id, placement) in &self.started {
            let Some(execution) = self.snapshot.executions.get(id) else {
                continue;
            };
            for ((name, index), node) in *placement {
                let component = execution.ticket.application.component(name);
                if let (None, Some(component)) = (self.stays(execution, name, *index), component) {
                    *added.entry(node).or_default() += component.reservation();
                }
            }
        }
        let mut held: BTreeMap<&str, Resources> = BTreeMap::new();
        for (id, execution) in &self.snapshot.executions {
            let goes_on = execution.phase() == Phase::Starting && self.started.contains_key(id);
            for instance in &execution.instances {
                let core = execution
                    .ticket
                    .application
                    .component(&instance.key.component)
                    .is_some_and(|c| instance.key.index < c.core);
                let holds = match instance.state {
                    InstanceState::Exited { .. } => {
                        goes_on && core && !self.dropped.contains(&instance.key)
                    }
                    InstanceState::Rejected => false,
                    InstanceState::Created
                    | InstanceState::Running
                    | InstanceState::Lost { .. }
                    | InstanceState::Other => true,
                };
                if holds {
                    *held.entry(instance.node.as_str()).or_default() += instance.reservation;
                }
            }
        }
        for node in &self.snapshot.nodes {
            let name = node.name.as_str();
            let more = added.get(name).copied().unwrap_or_default();
            let there = node.others + held.get(name).copied().unwrap_or_default();
            if over(node, there, more) {
                self.violations
                    .push(Violation::OverCommitted(node.name.clone()));
            }
        }
    }
}

/// Whether `more` is too much beside what is there; a node that others have filled beyond its size takes nothing.
pub(super) fn over(node: &Node, there: Resources, more: Resources) -> bool {
    let sum = there + more;
    let (cores, memory) = (
        more.cores.millis() > 0 && sum.cores > node.capacity.cores,
        more.memory.get() > 0 && sum.memory > node.capacity.memory,
    );
    cores || memory
}
