//! Members by component and index, and the nodes that [`Room`] finds for them.

use std::sync::Arc;

use crate::model::{Component, ComponentName, Placement, Resources};

use super::room::{Ask, Room};

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

    /// What they take in all.
    pub fn size(&self) -> Resources {
        let members = self.indices.len() as u64;
        self.component.reservation().times(members)
    }
}

impl Room<'_> {
    /// Gives all wanted members a place, or none of them one: then the component that found too little.
    pub(super) fn place_wanted<'c>(
        &mut self,
        wanted: &[Wanted<'c>],
    ) -> Result<Placement, &'c Component> {
        let there: Vec<Vec<usize>> = wanted.iter().map(|w| self.positions(&w.there)).collect();
        let asks: Vec<Ask<'c, '_>> = wanted
            .iter()
            .zip(&there)
            .map(|(want, there)| Ask {
                component: want.component,
                count: want.indices.len(),
                there,
            })
            .collect();
        let placed = self.place_all(&asks)?;
        let each = wanted.iter().zip(&placed);
        Ok(each
            .flat_map(|(want, spots)| self.named(want.component, &want.indices, spots))
            .collect())
    }

    /// Gives as many of the members a place as there is room for, in order.
    pub(super) fn place_up_to(&mut self, wanted: &Wanted<'_>) -> Placement {
        let there = self.positions(&wanted.there);
        let spots = self.place_some(&Ask {
            component: wanted.component,
            count: wanted.indices.len(),
            there: &there,
        });
        self.named(wanted.component, &wanted.indices, &spots)
            .collect()
    }

    /// Members of a component with the names of the nodes at these positions.
    pub(super) fn named<'r>(
        &'r self,
        component: &'r Component,
        indices: &'r [u32],
        spots: &'r [usize],
    ) -> impl Iterator<Item = ((ComponentName, u32), Arc<str>)> + 'r {
        let each = indices.iter().zip(spots);
        each.filter_map(move |(&index, &position)| {
            Some(((component.name.clone(), index), self.name(position)?))
        })
    }

    /// The positions of nodes, by their names.
    pub(super) fn positions(&self, names: &[Arc<str>]) -> Vec<usize> {
        let position = |name: &Arc<str>| self.position(name);
        names.iter().filter_map(position).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::generators::{component, node};
    use super::*;
    use crate::model::Node;

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
            let placed = Room::empty(&nodes).place_wanted(&wanted).unwrap();
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
        let asks = [(&pair, 2), (&tall, 1)].map(|(component, count)| Ask {
            component,
            count,
            there: &[],
        });
        assert!(room.place_by(Room::spread, &asks, &[0, 1]).is_err());
        assert_eq!(names(&room.place_wanted(&wanted).unwrap()), ["a", "a", "b"]);
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
        assert_eq!(room.place_wanted(&wanted).unwrap_err().name, small.name);
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
