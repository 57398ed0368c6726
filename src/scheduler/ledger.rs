//! Who holds what, and where: the book that free room and "who has it" are read from.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use crate::model::{
    Component, Execution, ExecutionId, Holder, Instance, Mode, Node, Phase, Placement, Resource,
    Resources, Snapshot, Survey,
};

use super::packing::Wanted;

/// What each node's members hold, by execution. What is on a node that is not there counts for nothing.
///
/// Nodes have the positions that they have in a [`Room`](super::room::Room): in the order of their names.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    /// The nodes' names, by their positions.
    names: Vec<&'a str>,
    positions: HashMap<&'a str, usize, Fast>,
    /// What is held, by the node's position.
    held: Vec<Resources>,
    /// One for those members of an execution that stand together and are on one node.
    entries: Vec<Entry<'a>>,
}

/// Who holds how much, and at which position.
pub(super) type Entry<'a> = (&'a Execution, usize, Resources);

impl<'a> Ledger<'a> {
    /// Nobody holds anything.
    pub fn new(nodes: &'a [Node]) -> Self {
        let mut names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        names.sort_unstable();
        Self {
            positions: names.iter().copied().zip(0..).collect(),
            held: vec![Resources::ZERO; names.len()],
            names,
            entries: Vec::new(),
        }
    }

    /// What all members that were seen hold.
    pub fn of(snapshot: &'a Snapshot) -> Self {
        let mut ledger = Self::new(&snapshot.nodes);
        for execution in snapshot.executions.values() {
            ledger.enter(execution, &execution.survey());
        }
        ledger
    }

    /// Writes down what the members of an execution hold that were seen.
    ///
    /// One that has exited holds nothing, unless its execution is still starting: that one keeps all its core members.
    pub fn enter(&mut self, execution: &'a Execution, survey: &Survey) {
        let starting = survey.phase == Phase::Starting;
        for instance in &execution.instances {
            let keeps = || {
                let application = &execution.ticket.application;
                let component = application.component(&instance.key.component);
                let is_core = component.is_some_and(|c| instance.key.index < c.core);
                starting && is_core && instance.exit_code().is_some()
            };
            if instance.holds() || keeps() {
                self.put(execution, &instance.node, instance.reservation);
            }
        }
    }

    fn put(&mut self, execution: &'a Execution, node: &str, size: Resources) {
        // Members that stand together are often on one node.
        let last = self.entries.last().map(|(_, position, _)| *position);
        let same = last.filter(|last| self.names.get(*last) == Some(&node));
        if let Some(position) = same.or_else(|| self.positions.get(node).copied()) {
            self.put_at(execution, position, size);
        }
    }

    /// Adds what an execution is given on the node at a position.
    pub fn put_at(&mut self, execution: &'a Execution, position: usize, size: Resources) {
        let Some(held) = self.held.get_mut(position) else {
            return;
        };
        *held += size;
        match self.entries.last_mut() {
            Some((whose, there, sum)) if std::ptr::eq(*whose, execution) && *there == position => {
                *sum += size;
            }
            _ => self.entries.push((execution, position, size)),
        }
    }

    /// Adds members that this plan makes.
    pub fn add(&mut self, execution: &'a Execution, made: &Placement) {
        for ((name, _), node) in made {
            if let Some(component) = execution.ticket.application.component(name) {
                self.put(execution, node, component.reservation());
            }
        }
    }

    /// What is held on a node.
    pub fn held(&self, node: &Node) -> Resources {
        let position = self.positions.get(node.name.as_str());
        let held = position.and_then(|position| self.held.get(*position));
        held.copied().unwrap_or_default()
    }

    /// Who holds how much at which position, in one entry or several.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'a>> {
        self.entries.iter().copied()
    }

    /// Who holds any of a resource at these positions, the largest first.
    pub fn holders(
        &self,
        resource: Resource,
        except: ExecutionId,
        counts: impl Fn(usize) -> bool,
    ) -> Vec<Holder> {
        let mut held: Vec<(ExecutionId, &Execution, Resources)> = Vec::new();
        for (execution, _, size) in self.entries.iter().filter(|(_, at, _)| counts(*at)) {
            match held.last_mut() {
                Some((_, last, sum)) if std::ptr::eq(*last, *execution) => *sum += *size,
                _ => held.push((execution.ticket.id, execution, *size)),
            }
        }
        // One that runs and gets more stands at two places.
        held.sort_unstable_by_key(|(id, ..)| *id);
        held.dedup_by(|(later, _, more), (id, _, sum)| {
            let same = later == id;
            if same {
                *sum += *more;
            }
            same
        });
        let amount = |of: Resources| match resource {
            Resource::Cores => of.cores.millis(),
            Resource::Memory => of.memory.get(),
        };
        held.retain(|(id, _, holds)| amount(*holds) > 0 && *id != except);
        held.sort_unstable_by_key(|(id, _, holds)| (Reverse(amount(*holds)), *id));
        let holder = |(id, execution, holds): (_, &Execution, _)| Holder {
            execution: id,
            name: execution.ticket.name.clone(),
            user: execution.ticket.user.clone(),
            holds,
        };
        held.into_iter().map(holder).collect()
    }
}

/// A quick hash of short names (FNV-1a): a site names its own nodes, so nobody picks them to collide.
#[derive(Debug, Clone, Copy, Default)]
struct Fast;

impl BuildHasher for Fast {
    type Hasher = Fnv;

    fn build_hasher(&self) -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

/// The state of such a hash.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
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
    /// All core members (in rigid mode: all members); of an execution that is half started also the elastic ones up to the
    /// last that was made, so that going on means the same members.
    pub fn to_start(execution: &'a Execution, mode: Mode) -> Self {
        Self::new(
            execution,
            |_| true,
            |component, made| {
                let beyond_last = made.last_key_value().map_or(0, |(last, _)| last + 1);
                (0..mode.at_start(component).max(beyond_last)).collect()
            },
        )
    }

    /// Those that are there and any good, and the replaceable core members that are not there at all.
    pub fn to_go_on(execution: &'a Execution) -> Self {
        Self::new(execution, Instance::is_alive, |component, _| {
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

    /// What they take in all.
    pub fn size(&self, execution: &Execution) -> Resources {
        let made = self.made.keys().filter_map(|(name, _)| {
            let component = execution.ticket.application.component(name)?;
            Some(component.reservation())
        });
        made.chain(self.missing.iter().map(Wanted::size)).sum()
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
