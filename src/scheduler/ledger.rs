//! Who holds what, and where: the book that free room and "who has it" are read from.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::model::{
    Component, Execution, ExecutionId, Holder, Instance, InstanceState, Phase, Placement, Resource,
    Resources,
};

use super::packing::Wanted;

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
    entries: Vec<(&'a Execution, Place<'a>, Resources)>,
}

/// The name of a node: as it was seen, or as it was chosen.
#[derive(Debug)]
enum Place<'a> {
    Seen(&'a str),
    Chosen(Arc<str>),
}

impl Place<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Seen(name) => name,
            Self::Chosen(name) => name,
        }
    }
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
                    let node = Place::Seen(instance.node.as_str());
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
                let node = Place::Chosen(Arc::clone(node));
                self.entries
                    .push((execution, node, component.reservation()));
            }
        }
    }

    /// What is held, by node.
    pub fn by_node(&self) -> HashMap<&str, Resources> {
        let mut held: HashMap<&str, Resources> = HashMap::new();
        for (_, node, size) in &self.entries {
            *held.entry(node.name()).or_default() += *size;
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
        let there = |(_, node, _): &&(&Execution, Place<'_>, Resources)| nodes(node.name());
        for (execution, _, size) in self.entries.iter().filter(there) {
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

/// The members an execution is to have.
#[derive(Debug)]
pub(super) struct Members<'a> {
    /// Where those are that exist.
    pub made: Placement,
    /// Those that are still to be made.
    pub missing: Vec<Wanted<'a>>,
}

impl<'a> Members<'a> {
    /// All core members; of an execution that is half started also the elastic ones up to the last that was made,
    /// so that going on means the same members.
    pub fn to_start(execution: &'a Execution) -> Self {
        Self::new(
            execution,
            |_| true,
            |component, made| {
                let beyond_last = made.last_key_value().map_or(0, |(last, _)| last + 1);
                (0..component.core.max(beyond_last)).collect()
            },
        )
    }

    /// Those that are there and any good, and the replaceable core members that are not there at all.
    pub fn to_go_on(execution: &'a Execution) -> Self {
        let good = |instance: &Instance| {
            matches!(
                instance.state,
                InstanceState::Created | InstanceState::Running | InstanceState::Other
            )
        };
        Self::new(execution, good, |component, _| {
            let name = component.name.as_str();
            let absent = |index: &u32| !execution.members(name).any(|i| i.key.index == *index);
            let core = 0..if component.replaceable {
                component.core
            } else {
                0
            };
            core.filter(absent).collect()
        })
    }

    /// Those that are there and `count`, and of the `wanted` ones those that are not.
    fn new(
        execution: &'a Execution,
        counts: impl Fn(&Instance) -> bool,
        wanted: impl Fn(&Component, &BTreeMap<u32, Arc<str>>) -> Vec<u32>,
    ) -> Self {
        let mut members = Self {
            made: Placement::new(),
            missing: Vec::new(),
        };
        for component in &execution.ticket.application.components {
            let made: BTreeMap<u32, Arc<str>> = execution
                .members(component.name.as_str())
                .filter(|instance| instance.key.index < component.members() && counts(instance))
                .map(|instance| (instance.key.index, instance.node.as_str().into()))
                .collect();
            let mut missing = wanted(component, &made);
            missing.retain(|index| !made.contains_key(index));
            if !missing.is_empty() {
                members.missing.push(Wanted {
                    component,
                    indices: missing,
                    there: made.values().cloned().collect(),
                });
            }
            let named = |(index, node)| ((component.name.clone(), index), node);
            members.made.extend(made.into_iter().map(named));
        }
        members
    }
}
