//! The example of the paper, and that nothing is lost when somebody is let in, refused or robbed.

use std::collections::BTreeMap;

use super::generators::{component, id, node};
use super::{Claim, Contender, Division, Place, Ranking, Room};
use crate::model::{Component, Mode, Node, Resources};

/// Its place in the line, first come, first served.
fn place(n: u64) -> Place {
    Ranking::FIFO.place(&Contender {
        id: id(n),
        priority: 0,
        submitted: i64::try_from(n).unwrap(),
        waited: 0,
        share: 0,
        runtime: 0,
        usage: 0,
    })
}

/// Of one unit each, 3 of them core.
fn units(elastic: u32) -> Component {
    let mut component = component("unit", 3, 1000, 0);
    component.elastic = elastic;
    component
}

/// Who ends when, if each is 10 long with all its members.
fn turnarounds(mode: Mode) -> Vec<f64> {
    let nodes: Vec<Node> = vec![node("one", 10_000, 0)];
    let components = [4, 3, 5, 2].map(units);
    let mut division = Division::new(Room::empty(&nodes));
    let mut line: std::collections::VecDeque<_> = (0u64..).zip(&components).collect();
    let mut left: BTreeMap<Place, f64> = BTreeMap::new();
    let (mut now, mut ends) = (0.0, vec![0.0; 4]);
    while !line.is_empty() || !left.is_empty() {
        division.begin();
        while let Some((n, component)) = line.front().copied() {
            if division
                .offer(place(n), Claim::new([component], mode))
                .is_err()
            {
                break;
            }
            left.insert(place(n), 10.0);
            line.pop_front();
        }
        division.fill_up();
        let rate = |place: &Place| {
            let claim = division.served(place).unwrap();
            f64::from(u32::try_from(claim.has()).unwrap())
                / f64::from(u32::try_from(claim.wants()).unwrap())
        };
        let rates: BTreeMap<Place, f64> = left.keys().map(|p| (*p, rate(p))).collect();
        let step = left.iter().map(|(p, left)| left / rates[p]);
        let step = step.fold(f64::INFINITY, f64::min);
        now += step;
        for (place, left) in &mut left {
            *left -= step * rates[place];
        }
        left.retain(|place, left| {
            let goes_on = *left > 1e-9;
            if !goes_on {
                let n = (0..4).position(|n| self::place(n) == *place).unwrap();
                ends[n] = now;
                division.leave(place);
            }
            goes_on
        });
    }
    ends
}

#[test]
fn the_example_of_the_paper_comes_out() {
    let near = |a: Vec<f64>, b: [f64; 4]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.005);
    assert!(near(turnarounds(Mode::Rigid), [10.0, 20.0, 30.0, 40.0]));
    let flexible = turnarounds(Mode::Flexible);
    assert!(
        near(flexible.clone(), [10.0, 15.0, 23.571, 28.428]),
        "{flexible:?}"
    );
}

#[test]
fn who_does_not_add_to_what_is_in_use_leaves_all_as_it_was() {
    let nodes = vec![node("a", 4000, 0), node("b", 4000, 0)];
    let (first, second) = (units(5), units(0));
    let mut division = Division::new(Room::empty(&nodes));
    let begun = Claim::new([&first], Mode::Flexible);
    division.offer(place(1), begun).unwrap();
    let refused = division.offer(place(2), Claim::new([&second], Mode::Flexible));
    assert_eq!(
        refused.unwrap_err().core_size(),
        second.reservation().times(3)
    );
    let claim = division.served(&place(1)).unwrap();
    assert_eq!((claim.has(), division.room().free()), (8, Resources::ZERO));
    division.leave(&place(1));
    assert_eq!(division.room().free(), division.room().total());
}

#[test]
fn no_more_is_taken_back_than_it_takes_and_from_the_last_only() {
    let nodes = vec![node("a", 4000, 0), node("b", 4000, 0), node("c", 4000, 0)];
    let components = [units(0), units(3), units(3)];
    let mut division = Division::new(Room::empty(&nodes));
    division.begin();
    for n in [1, 2] {
        let claim = Claim::new([&components[usize::try_from(n).unwrap()]], Mode::Flexible);
        division.offer(place(n * 10), claim).unwrap();
    }
    division.fill_up();
    assert_eq!(division.room().free(), Resources::ZERO);
    division.begin();
    let early = Claim::new([&components[0]], Mode::Flexible);
    let early = division.offer(place(5), early).unwrap_err();
    let taken = division.reclaim(&place(5), &early);
    assert_eq!(taken.len(), 3);
    assert!(taken.iter().all(|taken| taken.place == place(20)));
    assert!(division.offer(place(5), early).is_ok());
    let late = Claim::new([&components[0]], Mode::Flexible);
    assert_eq!(division.reclaim(&place(30), &late), []);
}
