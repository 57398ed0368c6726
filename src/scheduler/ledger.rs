//! Who holds what, and where: the book that free room and "who has it" are read from.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use crate::model::{
    Component, Execution, ExecutionId, Holder, Instance, Mode, Node, Phase, Placement, Resource,
    Resources, Survey,
};

use super::packing::Wanted;

/// An execution and what one look at its members told, which is worked out once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'a> {
    /// The execution.
    pub execution: &'a Execution,
    /// Where it stands.
    pub survey: Survey,
}

impl<'a> Standing<'a> {
    /// Looks at it.
    pub fn of(execution: &'a Execution) -> Self {
        Self {
            execution,
            survey: execution.survey(),
        }
    }
}

/// What each node's members hold, by execution; one entry a member. What is on a node that is not there counts for nothing.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    /// The nodes' places in the snapshot.
    places: HashMap<&'a str, usize, Fast>,
    /// The nodes' names, by their places.
    names: Vec<&'a str>,
    /// What is held, by the node's place.
    held: Vec<Resources>,
    entries: Vec<Entry<'a>>,
}

/// Who holds how much, and on which node.
type Entry<'a> = (&'a Execution, usize, Resources);

impl<'a> Ledger<'a> {
    /// What the instances that were seen hold.
    ///
    /// One that has exited holds nothing, unless its execution is still starting: that one keeps all its core members.
    pub fn of(nodes: &'a [Node], standings: &[Standing<'a>]) -> Self {
        let places = nodes.iter().enumerate();
        let mut ledger = Self {
            places: places.map(|(n, node)| (node.name.as_str(), n)).collect(),
            names: nodes.iter().map(|node| node.name.as_str()).collect(),
            held: vec![Resources::ZERO; nodes.len()],
            entries: Vec::with_capacity(
                standings.iter().map(|s| s.execution.instances.len()).sum(),
            ),
        };
        for Standing { execution, survey } in standings {
            let starting = survey.phase == Phase::Starting;
            for instance in &execution.instances {
                let keeps = || {
                    let application = &execution.ticket.application;
                    let component = application.component(&instance.key.component);
                    let is_core = component.is_some_and(|c| instance.key.index < c.core);
                    starting && is_core && instance.exit_code().is_some()
                };
                if instance.holds() || keeps() {
                    ledger.put(execution, &instance.node, instance.reservation);
                }
            }
        }
        ledger
    }

    fn put(&mut self, execution: &'a Execution, node: &str, size: Resources) {
        let Some(&place) = self.places.get(node) else {
            return;
        };
        if let Some(held) = self.held.get_mut(place) {
            *held += size;
        }
        self.entries.push((execution, place, size));
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
        let place = self.places.get(node.name.as_str());
        let held = place.and_then(|place| self.held.get(*place));
        held.copied().unwrap_or_default()
    }

    /// What each member holds, and on which node.
    pub fn entries(&self) -> impl Iterator<Item = (&'a Execution, &'a str, Resources)> {
        let names = &self.names;
        let entry =
            |(execution, place, size): &Entry<'a>| Some((*execution, *names.get(*place)?, *size));
        self.entries.iter().filter_map(entry)
    }

    /// Who holds any of a resource on the nodes whose places these are, the largest first.
    pub fn holders(
        &self,
        resource: Resource,
        except: ExecutionId,
        nodes: impl Fn(usize) -> bool,
    ) -> Vec<Holder> {
        let mut held: Vec<(&Execution, Resources)> = Vec::new();
        for (execution, _, size) in self.entries.iter().filter(|(_, place, _)| nodes(*place)) {
            match held.last_mut() {
                Some((last, sum)) if std::ptr::eq(*last, *execution) => *sum += *size,
                _ => held.push((execution, *size)),
            }
        }
        // One that runs and gets more stands at two places.
        held.sort_by_key(|(execution, _)| execution.ticket.id);
        held.dedup_by(|(later, more), (execution, sum)| {
            let same = std::ptr::eq(*later, *execution);
            if same {
                *sum += *more;
            }
            same
        });
        let amount = |of: Resources| match resource {
            Resource::Cores => of.cores.millis(),
            Resource::Memory => of.memory.get(),
        };
        let mut holders: Vec<Holder> = held
            .into_iter()
            .filter(|(execution, holds)| amount(*holds) > 0 && execution.ticket.id != except)
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
