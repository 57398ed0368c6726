//! Judges a plan from outside, against the rules and not against the way it was made.
//!
//! It shares no code with packing and planning, so that a mistake there is not repeated here. It can't tell whether a
//! better plan exists, nor the time: only whether this one does anything it must not. Property tests and debug builds
//! run it.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::model::{
    ComponentName, Execution, ExecutionId, InstanceState, Mark, Node, Phase, Plan, Resources,
    Snapshot, Step,
};

/// A rule that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Violation {
    /// A step or a reason names an execution that is not there.
    #[error("{0} is in the plan and not in the snapshot")]
    Unknown(ExecutionId),
    /// More than one thing is to happen to the same execution.
    #[error("{0} is in the plan more than once")]
    Twice(ExecutionId),
    /// It is ended although nothing says so.
    #[error("{0} is ended for no reason")]
    WrongEnd(ExecutionId),
    /// It is to end and the plan does not end it.
    #[error("{0} is to end, and is not ended")]
    NotEnded(ExecutionId),
    /// It is started although it runs or ends.
    #[error("{0} is started although it is neither queued nor starting")]
    WrongStart(ExecutionId),
    /// It is queued, not started, and nobody says why.
    #[error("{0} waits without a reason")]
    NoReason(ExecutionId),
    /// It has a reason to wait although it neither waits nor is half started.
    #[error("{0} has a reason to wait and nothing to wait for")]
    WrongReason(ExecutionId),
    /// It does not get all its core members, or more than it may have, or its members and their places differ.
    #[error("{execution}: '{component}' does not get the members it must have")]
    Members {
        /// The execution.
        execution: ExecutionId,
        /// The component.
        component: ComponentName,
    },
    /// A member is put where it may not be: an unknown or absent node, one without the labels, or away from where it is.
    #[error("{execution}: a member of '{component}' can't be on {node}")]
    WrongNode {
        /// The execution.
        execution: ExecutionId,
        /// The component.
        component: ComponentName,
        /// The node.
        node: String,
    },
    /// More is put on a node than it has.
    #[error("{0} gets more than it has")]
    OverCommitted(String),
    /// It is started before somebody whose turn was earlier.
    #[error("{late} is started before {early}, which came first")]
    Jumped {
        /// Who was started.
        late: ExecutionId,
        /// Who still waits.
        early: ExecutionId,
    },
    /// The waiting are not in the order of the queue.
    #[error("{0} waits at the wrong place")]
    WrongOrder(ExecutionId),
    /// Something is started, swept or removed although not everything could be read.
    #[error("acts on what was not seen")]
    Blind,
    /// Something is swept that the snapshot does not call an orphan.
    #[error("{0} is swept and is no orphan")]
    NoOrphan(String),
    /// An image is removed that an execution uses, or that is not known.
    #[error("image {0} is removed and in use, or not known")]
    WrongImage(String),
    /// A start comes before a step that makes room.
    #[error("a start comes before ends and sweeps")]
    StartTooEarly,
}

/// All rules that the plan breaks; none is the only good answer.
pub fn check(snapshot: &Snapshot, plan: &Plan) -> Vec<Violation> {
    let mut judge = Judge {
        snapshot,
        nodes: snapshot
            .nodes
            .iter()
            .map(|n| (n.name.as_str(), n))
            .collect(),
        images_in_use: snapshot
            .executions
            .values()
            .filter_map(|e| e.ticket.job_image.as_deref())
            .collect(),
        ended: BTreeSet::new(),
        started: BTreeMap::new(),
        violations: Vec::new(),
    };
    judge.steps(&plan.steps);
    judge.reasons(plan);
    judge.every_execution(plan);
    judge.order(plan);
    judge.capacity();
    judge.violations
}

/// Where a plan puts members.
type Placed = BTreeMap<(ComponentName, u32), String>;

struct Judge<'a> {
    snapshot: &'a Snapshot,
    nodes: BTreeMap<&'a str, &'a Node>,
    images_in_use: BTreeSet<&'a str>,
    ended: BTreeSet<ExecutionId>,
    started: BTreeMap<ExecutionId, &'a Placed>,
    violations: Vec<Violation>,
}

impl<'a> Judge<'a> {
    fn objects(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    fn steps(&mut self, steps: &'a [Step]) {
        let blind = !self.snapshot.gaps.is_empty();
        for step in steps {
            let wants_sight = !matches!(step, Step::End { .. });
            if wants_sight && blind {
                self.objects(Violation::Blind);
            }
            if !matches!(step, Step::Start { .. }) && !self.started.is_empty() {
                self.objects(Violation::StartTooEarly);
            }
            match step {
                Step::End { execution, mark } => self.end(*execution, *mark),
                Step::Sweep(orphan) => {
                    if !self.snapshot.orphans.contains(orphan) {
                        self.objects(Violation::NoOrphan(orphan.name.clone()));
                    }
                }
                Step::RemoveImage(image) => {
                    let known = self.snapshot.job_images.contains(image);
                    if !known || self.images_in_use.contains(image.tag.as_str()) {
                        self.objects(Violation::WrongImage(image.tag.clone()));
                    }
                }
                Step::Start {
                    execution,
                    members,
                    placement,
                } => self.start(*execution, members, placement),
            }
        }
    }

    fn end(&mut self, id: ExecutionId, mark: Mark) {
        let Some(execution) = self.snapshot.executions.get(&id) else {
            return self.objects(Violation::Unknown(id));
        };
        if !self.ended.insert(id) || self.started.contains_key(&id) {
            self.objects(Violation::Twice(id));
        }
        let justified = match execution.phase() {
            Phase::Ending(seen) => seen == mark,
            Phase::Running { .. } | Phase::Starting => {
                mark == Mark::TimedOut && execution.deadline().is_some()
            }
            Phase::Queued => false,
        };
        if !justified {
            self.objects(Violation::WrongEnd(id));
        }
    }

    fn start(
        &mut self,
        id: ExecutionId,
        members: &BTreeMap<ComponentName, u32>,
        placement: &'a Placed,
    ) {
        let Some(execution) = self.snapshot.executions.get(&id) else {
            return self.objects(Violation::Unknown(id));
        };
        if self.started.insert(id, placement).is_some() || self.ended.contains(&id) {
            self.objects(Violation::Twice(id));
        }
        if !matches!(execution.phase(), Phase::Queued | Phase::Starting) {
            self.objects(Violation::WrongStart(id));
        }
        for component in &execution.ticket.application.components {
            let count = members.get(&component.name).copied().unwrap_or(0);
            let mut placed = placement.keys().filter(|(name, _)| *name == component.name);
            // Keys are sorted, so the indices must simply count up.
            let complete = (0..count).all(|i| placed.next().is_some_and(|(_, index)| *index == i));
            if count < component.core || count > component.members() || !complete {
                self.objects(Violation::Members {
                    execution: id,
                    component: component.name.clone(),
                });
            }
        }
        let total: u64 = members.values().map(|n| u64::from(*n)).sum();
        if total != placement.len() as u64 {
            let strangers = placement.keys().map(|(name, _)| name).chain(members.keys());
            if let Some(component) = strangers.last() {
                self.objects(Violation::Members {
                    execution: id,
                    component: component.clone(),
                });
            }
        }
        for ((component, index), node) in placement {
            if !self.may_be_on(execution, component, *index, node) {
                self.objects(Violation::WrongNode {
                    execution: id,
                    component: component.clone(),
                    node: node.clone(),
                });
            }
        }
    }

    fn may_be_on(&self, execution: &Execution, name: &ComponentName, i: u32, node: &str) -> bool {
        if let Some(at) = is_at(execution, name, i) {
            return at == node;
        }
        let node = self.nodes.get(node);
        let component = execution.ticket.application.component(name);
        node.zip(component).is_some_and(|(node, component)| {
            let has = |(k, v): (&String, &String)| node.labels.get(k).is_some_and(|l| l == v);
            node.is_available() && component.placement.iter().all(has)
        })
    }

    fn reasons(&mut self, plan: &Plan) {
        let mut seen = BTreeSet::new();
        for waiting in &plan.waiting {
            let id = waiting.execution;
            let Some(execution) = self.snapshot.executions.get(&id) else {
                self.objects(Violation::Unknown(id));
                continue;
            };
            let acted = self.started.contains_key(&id) || self.ended.contains(&id);
            if !seen.insert(id) || acted {
                self.objects(Violation::Twice(id));
            }
            if !matches!(execution.phase(), Phase::Queued | Phase::Starting) {
                self.objects(Violation::WrongReason(id));
            }
        }
    }

    fn every_execution(&mut self, plan: &Plan) {
        let waiting: BTreeSet<_> = plan.waiting.iter().map(|w| w.execution).collect();
        for (id, execution) in &self.snapshot.executions {
            match execution.phase() {
                Phase::Queued if !waiting.contains(id) && !self.started.contains_key(id) => {
                    self.violations.push(Violation::NoReason(*id));
                }
                Phase::Ending(_) if !self.ended.contains(id) => {
                    self.violations.push(Violation::NotEnded(*id));
                }
                Phase::Queued | Phase::Starting | Phase::Running { .. } | Phase::Ending(_) => {}
            }
        }
    }

    /// First come, first served: half started executions, then the queue by time of submission and id.
    fn order(&mut self, plan: &Plan) {
        let mut line: Vec<_> = self
            .snapshot
            .executions
            .iter()
            .filter(|(id, _)| !self.ended.contains(id))
            .filter_map(|(id, execution)| match execution.phase() {
                Phase::Starting => Some((false, execution.ticket.submitted_at, *id)),
                Phase::Queued => Some((true, execution.ticket.submitted_at, *id)),
                Phase::Running { .. } | Phase::Ending(_) => None,
            })
            .collect();
        line.sort_unstable();
        let mut first_waiting = None;
        for &(queued, _, id) in &line {
            match (self.started.contains_key(&id), first_waiting) {
                (false, None) => first_waiting = Some(id),
                (true, Some(early)) if queued => {
                    self.objects(Violation::Jumped { late: id, early });
                }
                _ => {}
            }
        }
        let place: BTreeMap<_, _> = line.iter().enumerate().map(|(i, e)| (e.2, i)).collect();
        let mut highest = None;
        for waiting in &plan.waiting {
            let at = place.get(&waiting.execution).copied();
            if at < highest {
                self.objects(Violation::WrongOrder(waiting.execution));
            }
            highest = highest.max(at);
        }
    }

    /// No node gets more than it has beside what others and living members hold.
    fn capacity(&mut self) {
        let mut added: BTreeMap<&str, Resources> = BTreeMap::new();
        for (id, placement) in &self.started {
            let Some(execution) = self.snapshot.executions.get(id) else {
                continue;
            };
            for ((name, index), node) in *placement {
                let component = execution.ticket.application.component(name);
                if let (None, Some(component)) = (is_at(execution, name, *index), component) {
                    *added.entry(node.as_str()).or_default() += component.reservation();
                }
            }
        }
        let mut held: BTreeMap<&str, Resources> = BTreeMap::new();
        for (id, execution) in &self.snapshot.executions {
            let goes_on = self.started.contains_key(id);
            for instance in &execution.instances {
                let core = execution
                    .ticket
                    .application
                    .component(&instance.key.component)
                    .is_some_and(|c| instance.key.index < c.core);
                let gone = matches!(instance.state, InstanceState::Exited { .. });
                if !gone || (goes_on && core) {
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
fn over(node: &Node, there: Resources, more: Resources) -> bool {
    let sum = there + more;
    let (cores, memory) = (
        more.cores.millis() > 0 && sum.cores > node.capacity.cores,
        more.memory.get() > 0 && sum.memory > node.capacity.memory,
    );
    cores || memory
}

/// The node a member is on already.
fn is_at<'e>(execution: &'e Execution, name: &ComponentName, index: u32) -> Option<&'e str> {
    let instance = execution
        .instances
        .iter()
        .find(|i| i.key.component == *name && i.key.index == index)?;
    Some(&instance.node)
}
