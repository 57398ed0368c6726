//! Who holds what, and where: the book that free room and "who has it" are read from.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::model::{
    Component, Execution, ExecutionId, Holder, InstanceState, Phase, Resource, Resources,
};

use super::packing::{Placement, Wanted};

/// An execution and its phase, which is worked out once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'a> {
    /// The execution.
    pub execution: &'a Execution,
    /// Its phase.
    pub phase: Phase,
}

/// What each node's members hold, by execution; one entry a member.
#[derive(Debug, Default)]
pub(super) struct Ledger<'a> {
    entries: Vec<(&'a Execution, Cow<'a, str>, Resources)>,
}

impl<'a> Ledger<'a> {
    /// What the instances that were seen hold.
    ///
    /// One that has exited holds nothing, unless its execution is still starting: that one keeps all its core members.
    pub fn of(standings: &[Standing<'a>]) -> Self {
        let entries = standings.iter().flat_map(|standing| {
            let execution = standing.execution;
            let starting = matches!(standing.phase, Phase::Starting);
            execution
                .instances
                .iter()
                .filter(move |instance| match instance.state {
                    InstanceState::Created
                    | InstanceState::Running
                    | InstanceState::Lost { .. }
                    | InstanceState::Other => true,
                    InstanceState::Rejected => false,
                    InstanceState::Exited { .. } => {
                        let component = execution
                            .ticket
                            .application
                            .component(&instance.key.component);
                        starting && component.is_some_and(|c| instance.key.index < c.core)
                    }
                })
                .map(move |instance| {
                    let node = Cow::Borrowed(instance.node.as_str());
                    (execution, node, instance.reservation)
                })
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// Adds members that this plan makes.
    pub fn add(&mut self, execution: &'a Execution, made: &Placement) {
        for ((name, _), node) in made {
            if let Some(component) = execution.ticket.application.component(name) {
                self.entries
                    .push((execution, Cow::Owned(node.clone()), component.reservation()));
            }
        }
    }

    /// What is held, by node.
    pub fn by_node(&self) -> HashMap<&str, Resources> {
        let mut held: HashMap<&str, Resources> = HashMap::new();
        for (_, node, size) in &self.entries {
            *held.entry(node.as_ref()).or_default() += *size;
        }
        held
    }

    /// Who holds any of a resource on the nodes, the largest first.
    pub fn holders(
        &self,
        resource: Resource,
        except: ExecutionId,
        nodes: impl Fn(&str) -> bool,
    ) -> Vec<Holder> {
        let mut held: HashMap<ExecutionId, (&Execution, Resources)> = HashMap::new();
        for (execution, _, size) in self.entries.iter().filter(|(_, node, _)| nodes(node)) {
            held.entry(execution.ticket.id)
                .or_insert((*execution, Resources::ZERO))
                .1 += *size;
        }
        held.remove(&except);
        let amount = |of: Resources| match resource {
            Resource::Cores => of.cores.millis(),
            Resource::Memory => of.memory.get(),
        };
        let mut holders: Vec<Holder> = held
            .into_values()
            .filter(|(_, holds)| amount(*holds) > 0)
            .map(|(execution, holds)| Holder {
                execution: execution.ticket.id,
                name: execution.ticket.name.to_string(),
                user: execution.ticket.user.clone(),
                holds,
            })
            .collect();
        holders.sort_by_key(|holder| (Reverse(amount(holder.holds)), holder.execution));
        holders
    }
}

/// The members an execution is to have (see [`Members::of`]).
#[derive(Debug)]
pub(super) struct Members<'a> {
    /// How many of each component, in the order of the description.
    pub counts: Vec<(&'a Component, u32)>,
    /// Where those are that exist.
    pub made: Placement,
    /// Those that are still to be made.
    pub missing: Vec<Wanted<'a>>,
}

impl<'a> Members<'a> {
    /// All core members; of an execution that is half started also the elastic ones up to the last that was made,
    /// so that going on means the same members.
    pub fn of(execution: &'a Execution) -> Self {
        let mut members = Self {
            counts: Vec::new(),
            made: Placement::new(),
            missing: Vec::new(),
        };
        for component in &execution.ticket.application.components {
            let made: BTreeMap<u32, &str> = execution
                .members(component.name.as_str())
                .filter(|instance| instance.key.index < component.members())
                .map(|instance| (instance.key.index, instance.node.as_str()))
                .collect();
            let beyond_last = made.last_key_value().map_or(0, |(last, _)| last + 1);
            let count = component.core.max(beyond_last);
            let missing: Vec<u32> = (0..count).filter(|i| !made.contains_key(i)).collect();
            members.counts.push((component, count));
            members.made.extend(
                made.into_iter()
                    .map(|(i, node)| ((component.name.clone(), i), node.to_owned())),
            );
            if !missing.is_empty() {
                members.missing.push(Wanted {
                    component,
                    indices: missing,
                });
            }
        }
        members
    }
}
