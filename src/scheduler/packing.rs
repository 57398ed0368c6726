//! Packs members on nodes, virtually: whether something fits, and where.
//!
//! Members of one component are spread: each goes where the fewest of its kind are, and among such nodes to the one that
//! it fits best. Where that leaves somebody without a place, best fit alone decides, which holds more. The demanding
//! members come first, equal choices are decided by the node's name, so that the same input gives the same answer whatever
//! its order. An optimal packing might hold a little more; it would cost far more time, and admission uses this very
//! packing, so what was admitted does fit on empty nodes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Bytes, Component, ComponentName, Cores, Node, Placement, Resources};

/// Members of one component that want a place.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    /// The component.
    pub component: &'a Component,
    /// Which members.
    pub indices: Vec<u32>,
    /// The nodes that others of their kind are on, one entry a member.
    pub there: Vec<Arc<str>>,
}

impl<'a> Wanted<'a> {
    /// Members whose kind is nowhere yet.
    pub fn first(component: &'a Component, indices: impl IntoIterator<Item = u32>) -> Self {
        Self {
            component,
            indices: indices.into_iter().collect(),
            there: Vec::new(),
        }
    }
}

/// The free room on nodes.
#[derive(Debug)]
pub(super) struct Room<'a> {
    /// The nodes by name, and what is free on each.
    nodes: Vec<Spot<'a>>,
    /// Those that take anything, ordered by what is free: the next fitting entry is the best one.
    by_free: BTreeSet<Entry>,
    /// What the nodes have in all.
    total: Resources,
}

/// A node, and what is free on it.
#[derive(Debug)]
struct Spot<'a> {
    node: &'a Node,
    name: Arc<str>,
    free: Resources,
}

/// Free cores and memory of a node, and its position.
type Entry = (Cores, Bytes, usize);

/// A way to give up to so many members of a component a place: the positions of their nodes.
type Way<'a> = fn(&mut Room<'a>, &Wanted<'_>) -> Vec<usize>;

impl<'a> Room<'a> {
    /// The room beside what others and `held` take, on the nodes that `takes` says.
    pub fn beside(
        nodes: &'a [Node],
        held: impl Fn(&Node) -> Resources,
        takes: impl Fn(&Node) -> bool,
    ) -> Self {
        Self::new(nodes, |node| {
            takes(node).then(|| node.capacity.minus(node.others).minus(held(node)))
        })
    }

    /// The room if nobody used the nodes and all were available.
    pub fn empty(nodes: &'a [Node]) -> Self {
        Self::new(nodes, |node| Some(node.capacity))
    }

    fn new(nodes: &'a [Node], free: impl Fn(&Node) -> Option<Resources>) -> Self {
        let mut sorted: Vec<&Node> = nodes.iter().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let mut room = Self {
            nodes: Vec::with_capacity(sorted.len()),
            by_free: BTreeSet::new(),
            total: sorted.iter().map(|node| node.capacity).sum(),
        };
        for (position, node) in sorted.into_iter().enumerate() {
            let free = free(node);
            if let Some(free) = free {
                room.by_free.insert((free.cores, free.memory, position));
            }
            room.nodes.push(Spot {
                node,
                name: node.name.as_str().into(),
                free: free.unwrap_or_default(),
            });
        }
        room
    }

    /// What is free on the nodes that could hold a member of one of the components, and what these nodes have in all.
    pub fn for_components(&self, components: &[&Component]) -> (Resources, Resources) {
        self.by_free
            .iter()
            .filter_map(|&(_, _, position)| self.nodes.get(position))
            .filter(|spot| components.iter().any(|c| suits(spot.node, c)))
            .fold((Resources::ZERO, Resources::ZERO), |sums, spot| {
                (sums.0 + spot.free, sums.1 + spot.node.capacity)
            })
    }

    /// Gives all wanted members a place, or none of them one: then the component that found too little.
    pub fn place_all<'c>(&mut self, wanted: &[Wanted<'c>]) -> Result<Placement, &'c Component> {
        let mut order: Vec<&Wanted<'c>> = wanted.iter().collect();
        order.sort_by_key(|w| {
            let constrained = !w.component.placement.is_empty();
            Reverse((constrained, self.share(w.component.reservation())))
        });
        self.place_by(Self::spread, &order)
            .or_else(|_| self.place_by(Self::fill, &order))
    }

    fn place_by<'c>(
        &mut self,
        way: Way<'a>,
        order: &[&Wanted<'c>],
    ) -> Result<Placement, &'c Component> {
        let mut placed = Vec::with_capacity(order.len());
        for want in order {
            let spots = way(self, want);
            let complete = spots.len() == want.indices.len();
            placed.push((*want, spots));
            if !complete {
                for (want, spots) in &placed {
                    self.give_back(spots, want.component.reservation());
                }
                return Err(want.component);
            }
        }
        Ok(placed
            .iter()
            .flat_map(|(want, spots)| self.named(want, spots))
            .collect())
    }

    /// Gives as many of the members a place as there is room for, in order.
    pub fn place_up_to(&mut self, wanted: &Wanted<'_>) -> Placement {
        let spots = self.spread(wanted);
        self.named(wanted, &spots).collect()
    }

    fn named<'r>(
        &'r self,
        wanted: &'r Wanted<'_>,
        spots: &'r [usize],
    ) -> impl Iterator<Item = ((ComponentName, u32), Arc<str>)> + 'r {
        let each = wanted.indices.iter().zip(spots);
        each.filter_map(move |(&index, &position)| {
            let name = Arc::clone(&self.nodes.get(position)?.name);
            Some(((wanted.component.name.clone(), index), name))
        })
    }

    /// Places each member where the fewest of its kind are, and there by best fit.
    ///
    /// Nearly always there are enough nodes with none at all, which the set has in the order of best fit. Otherwise all that
    /// fit take turns.
    fn spread(&mut self, wanted: &Wanted<'_>) -> Vec<usize> {
        let (component, count) = (wanted.component, wanted.indices.len());
        let size = component.reservation();
        let mut kin = self.positions(&wanted.there);
        let alone = self
            .fitting(component)
            .filter(|(.., p)| !kin.contains_key(p));
        let mut spots: Vec<usize> = alone.map(|(.., p)| p).take(count).collect();
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
    fn fill(&mut self, wanted: &Wanted<'_>) -> Vec<usize> {
        let (component, count) = (wanted.component, wanted.indices.len());
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
            while spots.len() < count && size.fits(free) {
                free = free.minus(size);
                spots.push(entry.2);
            }
            self.set_free(entry.2, free);
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
        self.by_free.range(from..).copied().filter(move |entry| {
            let spot = || self.nodes.get(entry.2);
            memory <= entry.1 && spot().is_some_and(|spot| suits(spot.node, component))
        })
    }

    /// How many of the names are which node's.
    fn positions(&self, names: &[Arc<str>]) -> BTreeMap<usize, u32> {
        let mut positions = BTreeMap::new();
        for name in names {
            let found = self
                .nodes
                .binary_search_by(|spot| spot.node.name.as_str().cmp(name));
            if let Ok(position) = found {
                *positions.entry(position).or_default() += 1;
            }
        }
        positions
    }

    fn take(&mut self, position: usize, size: Resources) {
        if let Some(spot) = self.nodes.get(position) {
            self.set_free(position, spot.free.minus(size));
        }
    }

    fn give_back(&mut self, spots: &[usize], size: Resources) {
        for &position in spots {
            if let Some(spot) = self.nodes.get(position) {
                self.set_free(position, spot.free + size);
            }
        }
    }

    fn set_free(&mut self, position: usize, free: Resources) {
        if let Some(spot) = self.nodes.get_mut(position) {
            let old = std::mem::replace(&mut spot.free, free);
            self.by_free.remove(&(old.cores, old.memory, position));
            self.by_free.insert((free.cores, free.memory, position));
        }
    }

    /// How demanding a member is: its share of all cores plus its share of all memory, without dividing.
    fn share(&self, size: Resources) -> u128 {
        let cores =
            u128::from(size.cores.millis()).saturating_mul(u128::from(self.total.memory.get()));
        let memory =
            u128::from(size.memory.get()).saturating_mul(u128::from(self.total.cores.millis()));
        cores.saturating_add(memory)
    }
}

/// Whether a node has the labels a component asks for.
pub(super) fn suits(node: &Node, component: &Component) -> bool {
    let has = |(key, value): (&String, &String)| node.labels.get(key) == Some(value);
    component.placement.iter().all(has)
}

#[cfg(test)]
mod tests {
    use super::super::generators::{component, node};
    use super::*;

    fn names(placement: &Placement) -> Vec<&str> {
        placement.values().map(|name| &**name).collect()
    }

    #[test]
    fn members_go_where_the_fewest_of_their_kind_are_and_there_to_the_fullest_node_that_fits() {
        let nodes = [
            node("a", 4000, 4096),
            node("b", 1000, 4096),
            node("c", 2000, 4096),
        ];
        let worker = component("worker", 9, 1000, 1024);
        let placed = |count| {
            let wanted = [Wanted::first(&worker, 0..count)];
            let placed = Room::empty(&nodes).place_all(&wanted).unwrap();
            names(&placed).join("")
        };
        assert_eq!(placed(2), "bc");
        assert_eq!(placed(3), "bca");
        assert_eq!(placed(6), "bcacaa");
        let more = Wanted {
            there: vec!["b".into(), "c".into(), "c".into(), "elsewhere".into()],
            ..Wanted::first(&worker, 3..6)
        };
        assert_eq!(
            names(&Room::empty(&nodes).place_up_to(&more)).join(""),
            "aba",
            "those that are there count"
        );
    }

    #[test]
    fn spreading_never_costs_a_place() {
        // Spread, the pair takes a piece of each node, and the tall one fits neither.
        let nodes = [node("a", 4000, 4096), node("b", 4000, 4096)];
        let pair = component("pair", 2, 1500, 1536);
        let tall = component("tall", 1, 2900, 8);
        let wanted = [Wanted::first(&pair, 0..2), Wanted::first(&tall, 0..1)];
        let mut room = Room::empty(&nodes);
        let order = [&wanted[0], &wanted[1]];
        assert!(room.place_by(Room::spread, &order).is_err());
        assert_eq!(names(&room.place_all(&wanted).unwrap()), ["a", "a", "b"]);
    }

    #[test]
    fn all_or_nothing_leaves_the_room_as_it_was() {
        let nodes = [node("a", 2000, 1024)];
        let (small, large) = (
            component("small", 1, 500, 128),
            component("large", 2, 1000, 512),
        );
        let mut room = Room::empty(&nodes);
        let wanted = [Wanted::first(&small, 0..1), Wanted::first(&large, 0..2)];
        assert_eq!(room.place_all(&wanted).unwrap_err().name, small.name);
        assert_eq!(room.for_components(&[&small]).0, nodes[0].capacity);
    }

    #[test]
    fn labels_and_absence_are_respected() {
        let mut nodes = vec![
            node("a", 4000, 4096),
            node("b", 4000, 4096),
            node("c", 1000, 1024),
        ];
        nodes[0].availability = crate::model::Availability::Drained;
        nodes[1].labels.insert("disk".to_owned(), "ssd".to_owned());
        let mut picky = component("picky", 1, 500, 128);
        picky.placement.insert("disk".to_owned(), "ssd".to_owned());
        let mut room = Room::beside(&nodes, |_| Resources::ZERO, Node::is_available);
        assert_eq!(
            names(&room.place_up_to(&Wanted::first(&picky, 0..1))),
            ["b"]
        );
        let easy = component("easy", 9, 1000, 128);
        assert_eq!(
            names(&room.place_up_to(&Wanted::first(&easy, 0..9))),
            ["c", "b", "b", "b"],
            "nothing on the node that is away"
        );
    }
}
