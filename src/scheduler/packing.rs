//! Packs members on nodes, virtually: whether something fits, and where.
//!
//! Best fit by cores, the demanding members first, equal choices decided by the node's name, so that the same input
//! gives the same answer whatever its order. An optimal packing might hold a little more; it would cost far more time,
//! and admission uses this very packing, so what was admitted does fit on empty nodes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use crate::model::{Bytes, Component, ComponentName, Cores, Node, Resources};

/// Where members are: by component and index, the name of a node.
pub(super) type Placement = BTreeMap<(ComponentName, u32), String>;

/// Members of one component that want a place.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    /// The component.
    pub component: &'a Component,
    /// Which members.
    pub indices: Vec<u32>,
}

/// The free room on nodes.
#[derive(Debug)]
pub(super) struct Room<'a> {
    /// The nodes by name, and what is free on each.
    nodes: Vec<(&'a Node, Resources)>,
    /// Those that take anything, ordered by what is free: the next fitting entry is the best one.
    by_free: BTreeSet<Entry>,
    /// What the nodes have in all.
    total: Resources,
}

/// Free cores and memory of a node, and its position.
type Entry = (Cores, Bytes, usize);

impl<'a> Room<'a> {
    /// The room beside what others and `held` (by node name) take; nodes that are not available give none.
    pub fn beside(nodes: &'a [Node], held: &HashMap<&str, Resources>) -> Self {
        Self::new(nodes, |node| {
            let held = held.get(node.name.as_str()).copied().unwrap_or_default();
            node.is_available()
                .then(|| node.capacity.minus(node.others).minus(held))
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
            room.nodes.push((node, free.unwrap_or_default()));
        }
        room
    }

    /// What is free on the nodes that could hold a member of one of the components, and what these nodes have in all.
    pub fn for_components(&self, components: &[Component]) -> (Resources, Resources) {
        self.by_free
            .iter()
            .filter_map(|&(_, _, position)| self.nodes.get(position))
            .filter(|(node, _)| components.iter().any(|c| suits(node, c)))
            .fold((Resources::ZERO, Resources::ZERO), |sums, (node, free)| {
                (sums.0 + *free, sums.1 + node.capacity)
            })
    }

    /// Gives all wanted members a place, or none of them one: then the component that found too little.
    pub fn place_all<'c>(&mut self, wanted: &[Wanted<'c>]) -> Result<Placement, &'c Component> {
        let mut order: Vec<&Wanted<'c>> = wanted.iter().collect();
        order.sort_by_key(|w| {
            let constrained = !w.component.placement.is_empty();
            Reverse((constrained, self.share(w.component.reservation())))
        });
        let mut placed = Vec::with_capacity(order.len());
        for want in order {
            let spots = self.place_some(want.component, want.indices.len());
            let complete = spots.len() == want.indices.len();
            placed.push((want, spots));
            if !complete {
                for (want, spots) in &placed {
                    self.give_back(spots, want.component.reservation());
                }
                return Err(want.component);
            }
        }
        Ok(placed
            .iter()
            .flat_map(|(want, spots)| self.named(want.component, &want.indices, spots))
            .collect())
    }

    /// Gives as many of the members a place as there is room for, in order.
    pub fn place_up_to(&mut self, component: &Component, indices: Range<u32>) -> Placement {
        let spots = self.place_some(component, indices.len());
        let indices: Vec<u32> = indices.take(spots.len()).collect();
        self.named(component, &indices, &spots).collect()
    }

    fn named<'r>(
        &'r self,
        component: &'r Component,
        indices: &'r [u32],
        spots: &'r [usize],
    ) -> impl Iterator<Item = ((ComponentName, u32), String)> + 'r {
        indices
            .iter()
            .zip(spots)
            .filter_map(move |(&index, &position)| {
                let (node, _) = self.nodes.get(position)?;
                Some(((component.name.clone(), index), node.name.clone()))
            })
    }

    /// Places up to `count` equal members and returns the positions of their nodes.
    ///
    /// A node that is too small for one of them is too small for the next, and the best node for one stays the best
    /// until it is full: so this walks over the nodes once, however many members there are.
    fn place_some(&mut self, component: &Component, count: usize) -> Vec<usize> {
        let size = component.reservation();
        let mut spots = Vec::new();
        let mut from: Entry = (size.cores, Bytes::ZERO, 0);
        while spots.len() < count {
            let found = self.by_free.range(from..).copied().find(|entry| {
                let suits = |(node, _): &(&Node, Resources)| suits(node, component);
                size.memory <= entry.1 && self.nodes.get(entry.2).is_some_and(suits)
            });
            let Some(entry) = found else { break };
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

    fn give_back(&mut self, spots: &[usize], size: Resources) {
        for &position in spots {
            if let Some(&(_, free)) = self.nodes.get(position) {
                self.set_free(position, free + size);
            }
        }
    }

    fn set_free(&mut self, position: usize, free: Resources) {
        if let Some((_, old)) = self.nodes.get_mut(position) {
            self.by_free.remove(&(old.cores, old.memory, position));
            self.by_free.insert((free.cores, free.memory, position));
            *old = free;
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
        placement.values().map(String::as_str).collect()
    }

    #[test]
    fn the_fullest_node_that_fits_is_taken() {
        let nodes = [
            node("a", 4000, 4096),
            node("b", 1000, 4096),
            node("c", 2000, 4096),
        ];
        let worker = component("worker", 3, 1000, 1024);
        let wanted = [Wanted {
            component: &worker,
            indices: vec![0, 1, 2],
        }];
        let placed = Room::empty(&nodes).place_all(&wanted).unwrap();
        assert_eq!(names(&placed), ["b", "c", "c"]);
    }

    #[test]
    fn all_or_nothing_leaves_the_room_as_it_was() {
        let nodes = [node("a", 2000, 1024)];
        let (small, large) = (
            component("small", 1, 500, 128),
            component("large", 2, 1000, 512),
        );
        let mut room = Room::empty(&nodes);
        let wanted = [
            Wanted {
                component: &small,
                indices: vec![0],
            },
            Wanted {
                component: &large,
                indices: vec![0, 1],
            },
        ];
        assert_eq!(room.place_all(&wanted).unwrap_err().name, small.name);
        assert_eq!(room.for_components(&[small]).0, nodes[0].capacity);
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
        let mut room = Room::beside(&nodes, &HashMap::new());
        assert_eq!(names(&room.place_up_to(&picky, 0..1)), ["b"]);
        let easy = component("easy", 9, 1000, 128);
        assert_eq!(
            names(&room.place_up_to(&easy, 0..9)),
            ["c", "b", "b", "b"],
            "nothing on the node that is away"
        );
    }
}
