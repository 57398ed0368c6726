//! The free room on nodes, and the two ways to find members a place in it.
//!
//! Members of one component are spread: each goes where the fewest of its kind are, and among such nodes to the one that
//! it fits best. Where that leaves somebody without a place, best fit alone decides, which holds more. The demanding
//! members come first, equal choices are decided by the node's name, so that the same input gives the same answer whatever
//! its order. An optimal packing might hold a little more; it would cost far more time, and admission uses this very
//! packing, so what was admitted does fit on empty nodes.
//!
//! Nodes are named by their positions here, so that a room can be kept from one event to the next at no cost.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Bytes, Component, Cores, Node, Resources};

/// Members of one component that want a place.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'c, 't> {
    /// The component: its size and the labels it asks for.
    pub component: &'c Component,
    /// How many members.
    pub count: usize,
    /// The positions of the nodes that others of their kind are on, one entry a member.
    pub there: &'t [usize],
}

/// The free room on nodes.
#[derive(Debug, Clone)]
pub struct Room<'a> {
    /// The nodes by name, and what is free on each.
    nodes: Vec<Spot<'a>>,
    /// Those that take anything, ordered by what is free: the next fitting entry is the best one. Most changes move an entry
    /// a little way, so this is quicker than a tree for the thousands of nodes that there may be.
    by_free: Vec<Entry>,
    /// What the nodes have in all.
    total: Resources,
    /// What is free on those that take anything.
    free: Resources,
}

/// A node, and what is free on it.
#[derive(Debug, Clone)]
struct Spot<'a> {
    node: &'a Node,
    name: Arc<str>,
    /// What is taken, which may be more than there is.
    used: Resources,
    /// The rest.
    free: Resources,
    /// Whether it takes anything.
    open: bool,
}

/// Free cores and memory of a node, and its position.
type Entry = (Cores, Bytes, usize);

/// A way to give up to so many members of a component a place: the positions of their nodes.
type Way<'a> = fn(&mut Room<'a>, &Ask<'_, '_>) -> Vec<usize>;

impl<'a> Room<'a> {
    /// The room beside what others and `held` take, on the nodes that `takes` says.
    pub(super) fn beside(
        nodes: &'a [Node],
        held: impl Fn(&Node) -> Resources,
        takes: impl Fn(&Node) -> bool,
    ) -> Self {
        Self::new(nodes, |node| (node.others + held(node), takes(node)))
    }

    /// The room if nobody used the nodes and all were available.
    pub fn empty(nodes: &'a [Node]) -> Self {
        Self::new(nodes, |_| (Resources::ZERO, true))
    }

    /// The room if nobody used the nodes, on those that `takes` says.
    pub(super) fn beside_none(nodes: &'a [Node], takes: impl Fn(&Node) -> bool) -> Self {
        Self::new(nodes, |node| (Resources::ZERO, takes(node)))
    }

    fn new(nodes: &'a [Node], load: impl Fn(&Node) -> (Resources, bool)) -> Self {
        let mut sorted: Vec<&Node> = nodes.iter().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let spots: Vec<Spot<'a>> = sorted
            .into_iter()
            .map(|node| {
                let (used, open) = load(node);
                Spot {
                    node,
                    name: node.name.as_str().into(),
                    used,
                    free: node.capacity.minus(used),
                    open,
                }
            })
            .collect();
        let open = || spots.iter().enumerate().filter(|(_, spot)| spot.open);
        let mut by_free: Vec<Entry> = open().map(|(n, spot)| entry(n, spot.free)).collect();
        by_free.sort_unstable();
        Self {
            by_free,
            total: spots.iter().map(|spot| spot.node.capacity).sum(),
            free: open().map(|(_, spot)| spot.free).sum(),
            nodes: spots,
        }
    }

    /// What is free on all nodes that take anything.
    pub fn free(&self) -> Resources {
        self.free
    }

    /// What all nodes have.
    pub fn total(&self) -> Resources {
        self.total
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// What is free on a node that takes anything.
    pub(super) fn free_at(&self, position: usize) -> Resources {
        let spot = self.nodes.get(position).filter(|spot| spot.open);
        spot.map_or(Resources::ZERO, |spot| spot.free)
    }

    /// What a node has, and what is taken of it, which may be more.
    pub(super) fn load(&self, position: usize) -> (Resources, Resources) {
        let spot = self.nodes.get(position).filter(|spot| spot.open);
        spot.map_or((Resources::ZERO, Resources::ZERO), |spot| {
            (spot.node.capacity, spot.used)
        })
    }

    /// The name of a node.
    pub fn name(&self, position: usize) -> Option<Arc<str>> {
        self.nodes.get(position).map(|spot| Arc::clone(&spot.name))
    }

    /// The position of a node, by its name.
    pub fn position(&self, name: &str) -> Option<usize> {
        let found = self.nodes.binary_search_by(|spot| (*spot.name).cmp(name));
        found.ok()
    }

    /// Of each position whether something holds of its node.
    pub(super) fn which(&self, holds: impl Fn(&Node) -> bool) -> Vec<bool> {
        self.nodes.iter().map(|spot| holds(spot.node)).collect()
    }

    /// Gives nothing more on a node.
    pub(super) fn close(&mut self, position: usize) {
        if let Some(spot) = self.nodes.get_mut(position).filter(|spot| spot.open) {
            spot.open = false;
            if let Ok(n) = self.by_free.binary_search(&entry(position, spot.free)) {
                self.by_free.remove(n);
            }
            self.free = self.free.minus(spot.free);
        }
    }

    /// What is free on the nodes that could hold a member of one of the components, and what these nodes have in all.
    pub(super) fn for_components(&self, components: &[&Component]) -> (Resources, Resources) {
        self.by_free
            .iter()
            .filter_map(|&(_, _, position)| self.nodes.get(position))
            .filter(|spot| components.iter().any(|c| suits(spot.node, c)))
            .fold((Resources::ZERO, Resources::ZERO), |sums, spot| {
                (sums.0 + spot.free, sums.1 + spot.node.capacity)
            })
    }

    /// Gives all that is asked for a place, or nothing: then the component that found too little. The positions are in the
    /// order of the asks.
    pub fn place_all<'c>(
        &mut self,
        asks: &[Ask<'c, '_>],
    ) -> Result<Vec<Vec<usize>>, &'c Component> {
        let mut order: Vec<usize> = (0..asks.len()).collect();
        if asks.len() > 1 {
            order.sort_by_cached_key(|&n| {
                asks.get(n).map(|ask| {
                    let constrained = !ask.component.placement.is_empty();
                    Reverse((constrained, self.weight(ask.component.reservation())))
                })
            });
        }
        self.place_by(Self::spread, asks, &order)
            .or_else(|_| self.place_by(Self::fill, asks, &order))
    }

    pub(super) fn place_by<'c>(
        &mut self,
        way: Way<'a>,
        asks: &[Ask<'c, '_>],
        order: &[usize],
    ) -> Result<Vec<Vec<usize>>, &'c Component> {
        let mut placed: Vec<Vec<usize>> = vec![Vec::new(); asks.len()];
        for &n in order {
            let (Some(ask), Some(place)) = (asks.get(n), placed.get_mut(n)) else {
                continue;
            };
            *place = way(self, ask);
            if place.len() < ask.count {
                for (ask, spots) in asks.iter().zip(&placed) {
                    self.give_back(spots, ask.component.reservation());
                }
                return Err(ask.component);
            }
        }
        Ok(placed)
    }

    /// Gives as many members a place as there is room for.
    pub fn place_some(&mut self, ask: &Ask<'_, '_>) -> Vec<usize> {
        self.spread(ask)
    }

    /// Places each member where the fewest of its kind are, and there by best fit.
    ///
    /// Nearly always there are enough nodes with none at all, which the set has in the order of best fit. Otherwise all that
    /// fit take turns.
    pub(super) fn spread(&mut self, ask: &Ask<'_, '_>) -> Vec<usize> {
        let (component, count) = (ask.component, ask.count);
        let size = component.reservation();
        let mut kin: BTreeMap<usize, u32> = BTreeMap::new();
        for &position in ask.there {
            *kin.entry(position).or_default() += 1;
        }
        let alone = self
            .fitting(component)
            .filter(|(.., p)| !kin.contains_key(p));
        let mut spots = Vec::with_capacity(count.min(self.by_free.len()));
        spots.extend(alone.map(|(.., p)| p).take(count));
        for &position in &spots {
            self.take(position, size);
        }
        if spots.len() == count {
            return spots;
        }
        for &position in &spots {
            kin.insert(position, 1);
        }
        let turn = |(cores, memory, position): Entry| {
            let kin = kin.get(&position).copied().unwrap_or_default();
            (kin, cores, memory, position)
        };
        let mut turns: BTreeSet<_> = self.fitting(component).map(turn).collect();
        while spots.len() < count {
            let Some((kin, cores, memory, position)) = turns.pop_first() else {
                break;
            };
            spots.push(position);
            let left = Resources { cores, memory }.minus(size);
            if size.fits(left) {
                turns.insert((kin + 1, left.cores, left.memory, position));
            }
            self.take(position, size);
        }
        spots
    }

    /// Places members by best fit alone.
    ///
    /// A node that is too small for one of them is too small for the next, and the best node for one stays the best
    /// until it is full: so this walks over the nodes once, however many members there are.
    fn fill(&mut self, ask: &Ask<'_, '_>) -> Vec<usize> {
        let (component, count) = (ask.component, ask.count);
        let size = component.reservation();
        let mut spots = Vec::new();
        let mut from: Entry = (size.cores, Bytes::ZERO, 0);
        while spots.len() < count {
            let Some(entry) = self.fitting_from(component, from).next() else {
                break;
            };
            let mut free = Resources {
                cores: entry.0,
                memory: entry.1,
            };
            let mut placed = 0;
            while spots.len() < count && size.fits(free) {
                free = free.minus(size);
                spots.push(entry.2);
                placed += 1;
            }
            self.take(entry.2, size.times(placed));
            from = entry;
        }
        spots
    }

    /// The nodes that have room for a member, the best fit first.
    fn fitting<'r>(&'r self, component: &'r Component) -> impl Iterator<Item = Entry> + 'r {
        self.fitting_from(component, (component.cores, Bytes::ZERO, 0))
    }

    fn fitting_from<'r>(
        &'r self,
        component: &'r Component,
        from: Entry,
    ) -> impl Iterator<Item = Entry> + 'r {
        let memory = component.reservation().memory;
        let fits = move |entry: &Entry| {
            let spot = || self.nodes.get(entry.2);
            memory <= entry.1 && spot().is_some_and(|spot| suits(spot.node, component))
        };
        self.entries_from(from).iter().copied().filter(fits)
    }

    fn entries_from(&self, from: Entry) -> &[Entry] {
        let first = self.by_free.partition_point(|entry| *entry < from);
        self.by_free.get(first..).unwrap_or_default()
    }

    /// Whether there is a node with room for one of that size, labels aside.
    pub(super) fn has(&self, size: Resources) -> bool {
        let large = self.entries_from((size.cores, Bytes::ZERO, 0));
        large.iter().any(|entry| size.memory <= entry.1)
    }

    /// Takes room on a node, whether or not there is enough.
    pub fn take(&mut self, position: usize, size: Resources) {
        if let Some(spot) = self.nodes.get(position) {
            self.set_used(position, spot.used + size);
        }
    }

    /// Gives back what members of that size took on these nodes.
    pub fn give_back(&mut self, spots: &[usize], size: Resources) {
        for &position in spots {
            if let Some(spot) = self.nodes.get(position) {
                self.set_used(position, spot.used.minus(size));
            }
        }
    }

    /// Takes or gives back until so much is free on a node.
    pub(super) fn set_free(&mut self, position: usize, free: Resources) {
        if let Some(spot) = self.nodes.get(position) {
            self.set_used(position, spot.node.capacity.minus(free));
        }
    }

    fn set_used(&mut self, position: usize, used: Resources) {
        if let Some(spot) = self.nodes.get_mut(position) {
            spot.used = used;
            let free = spot.node.capacity.minus(used);
            let old = std::mem::replace(&mut spot.free, free);
            if spot.open && old != free {
                self.free = self.free.minus(old) + free;
                self.shift(&entry(position, old), entry(position, free));
            }
        }
    }

    /// Moves an entry to where it belongs now.
    fn shift(&mut self, old: &Entry, new: Entry) {
        let Ok(from) = self.by_free.binary_search(old) else {
            return;
        };
        let to = self.by_free.partition_point(|entry| *entry < new);
        let (first, last) = (from.min(to), from.max(to.saturating_sub(1)));
        let Some(passed) = self.by_free.get_mut(first..=last) else {
            return;
        };
        if from < to {
            passed.rotate_left(1);
            passed.last_mut().into_iter().for_each(|entry| *entry = new);
        } else {
            passed.rotate_right(1);
            passed
                .first_mut()
                .into_iter()
                .for_each(|entry| *entry = new);
        }
    }

    /// How much something is: its share of all cores plus its share of all memory, without dividing.
    pub(super) fn weight(&self, size: Resources) -> u128 {
        let cores =
            u128::from(size.cores.millis()).saturating_mul(self.total.memory.get().max(1).into());
        let memory =
            u128::from(size.memory.get()).saturating_mul(self.total.cores.millis().max(1).into());
        cores.saturating_add(memory)
    }
}

fn entry(position: usize, free: Resources) -> Entry {
    (free.cores, free.memory, position)
}

/// Whether a node has the labels a component asks for.
pub(super) fn suits(node: &Node, component: &Component) -> bool {
    let has = |(key, value): (&String, &String)| node.labels.get(key) == Some(value);
    component.placement.iter().all(has)
}
