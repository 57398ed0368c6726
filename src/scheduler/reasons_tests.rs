//! The sentences that people read.

use std::collections::BTreeMap;

use super::generators::{at, component, execution, id, resources, snapshot};
use crate::model::{Availability, Away, Holder, RequiredEnd, Resource, Resources, WaitReason};

fn holder(n: u64, name: &str, holds: Resources) -> Holder {
    Holder {
        execution: id(n),
        name: name.parse().unwrap(),
        user: "ann".to_owned(),
        holds,
    }
}

fn not_enough(
    short_of: Resource,
    free: Resources,
    holders: Vec<Holder>,
    others: Resources,
) -> WaitReason {
    WaitReason::NotEnough {
        short_of,
        needed: resources(1500, 1410),
        free,
        capacity: resources(2000, 4096),
        holders,
        others,
    }
}

#[test]
fn reasons_say_what_is_missing_and_who_has_it() {
    let free = resources(500, 1409);
    let nightly = holder(7, "nightly", resources(1500, 2048));
    let second = holder(8, "b", resources(250, 128));
    let nobody = Resources::ZERO;
    let cores = not_enough(Resource::Cores, free, vec![nightly.clone()], nobody);
    assert_eq!(
        cores.to_string(),
        "waits for 1.5 cores: 0.5 of 2 free; nightly (haaaaaaa, ann) holds 1.5"
    );
    let others = resources(0, 511);
    let memory = not_enough(Resource::Memory, free, vec![nightly, second], others);
    assert_eq!(
        memory.to_string(),
        "waits for 1410 MiB of memory: 1409 MiB of 4 GiB free; nightly (haaaaaaa, ann) holds 2 GiB, 1 more holds 128 MiB, other deployments hold 511 MiB"
    );
    let others = not_enough(Resource::Cores, free, Vec::new(), resources(1500, 0));
    assert_eq!(
        others.to_string(),
        "waits for 1.5 cores: 0.5 of 2 free; other deployments hold 1.5"
    );
    assert_eq!(
        [cores.code(), memory.code()],
        ["not-enough-cores", "not-enough-memory"]
    );
}

#[test]
fn places_in_the_queue_are_ordinals() {
    let shown = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(|position| {
        let reason = WaitReason::Behind {
            execution: id(1),
            position,
        };
        reason.to_string()
    });
    assert_eq!(shown[1], "2nd in the queue, behind baaaaaaa");
    let ends = [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th",
    ];
    for (text, end) in shown.iter().zip(ends) {
        assert!(text.starts_with(&format!("{end} in")), "{text}");
    }
}

#[test]
fn others_are_called_by_their_names_where_they_are_known() {
    let mut nightly = execution(1, 0, vec![component("one", 1, 500, 64)]);
    nightly.ticket.name = "nightly".parse().unwrap();
    let known = snapshot(vec![], vec![nightly]).executions;
    let behind = |n| WaitReason::Behind {
        execution: id(n),
        position: 2,
    };
    assert_eq!(
        behind(1).in_words(&known),
        "2nd in the queue, behind nightly (baaaaaaa)"
    );
    assert_eq!(
        behind(3).in_words(&known),
        "2nd in the queue, behind daaaaaaa"
    );
    let after = WaitReason::After {
        execution: id(1),
        end: RequiredEnd::Ok,
        known: true,
    };
    assert_eq!(
        after.in_words(&known),
        "waits for nightly (baaaaaaa) to end well"
    );
    let kept = WaitReason::WouldDelay {
        execution: id(1),
        at: at(60),
        position: 2,
    };
    assert!(
        kept.in_words(&known)
            .contains("but nightly is to have it by"),
        "{}",
        kept.in_words(&known)
    );
    let making = WaitReason::MakingRoom {
        from: vec![id(1), id(2)],
        members: 1,
    };
    assert!(
        making
            .in_words(&known)
            .ends_with("from nightly (baaaaaaa), caaaaaaa")
    );
}

#[test]
fn nodes_that_take_nothing_are_named_with_why() {
    let away = |node: &str, why| Away {
        node: node.to_owned(),
        why,
    };
    let down = Availability::Down { since: Some(at(7)) };
    let reason = WaitReason::NodesAway {
        away: vec![
            away("n2", Some(Availability::Drained)),
            away("n3", Some(down)),
            away("n4", None),
            away("n5", Some(Availability::Disabled)),
        ],
        of: 6,
    };
    assert_eq!(
        reason.to_string(),
        "4 of 6 nodes take nothing new: n2 is drained, n3 is down since 2023-11-14T22:13:27Z, n4 could not be read and 1 more"
    );
    let replacement = WaitReason::Replacement {
        component: "worker".parse().unwrap(),
        members: 2,
        reason: Box::new(WaitReason::NodesAway {
            away: vec![away("n1", Some(Availability::Disabled))],
            of: 1,
        }),
    };
    assert_eq!(
        replacement.to_string(),
        "runs, but 2 'worker' members are lost and cannot be replaced yet: 1 of 1 node takes nothing new: n1 has the label zoe.disabled"
    );
}

#[test]
fn labels_that_no_node_has_are_named_with_who_asks_for_them() {
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let mut labels = BTreeMap::from([label("disk", "ssd")]);
    let told = |labels: &BTreeMap<String, String>| WaitReason::NoLabel {
        component: "worker".parse().unwrap(),
        labels: labels.clone(),
    };
    let one = "no node has the label disk=ssd, which 'worker' asks for";
    assert_eq!(told(&labels).to_string(), one);
    labels.extend([label("gpu", "yes")]);
    assert_eq!(
        told(&labels).to_string(),
        "no node has the labels disk=ssd and gpu=yes, which 'worker' asks for"
    );
    assert_eq!(told(&labels).code(), "no-label");
}

#[test]
fn a_failed_start_says_why_and_when_it_is_tried_again() {
    let reason = WaitReason::Retry {
        at: at(2),
        tried: 1,
        of: 3,
        why: "worker-0 exited with 1".to_owned(),
    };
    assert_eq!(
        reason.to_string(),
        "its start failed: worker-0 exited with 1; it is tried again at 2023-11-14T22:13:22Z (try 2 of 3)"
    );
}

#[test]
fn the_other_reasons_are_one_short_sentence() {
    let fits = WaitReason::NoNodeFits {
        component: "worker".parse().unwrap(),
        needed: resources(1000, 1408),
    };
    assert_eq!(
        fits.to_string(),
        "no single node has room for a 'worker' (1 core, 1.3 GiB)"
    );
    let unknown = WaitReason::Unknown {
        what: "the nodes".to_owned(),
    };
    assert_eq!(
        unknown.to_string(),
        "cannot tell: the nodes could not be read"
    );
    let codes = [fits.code(), unknown.code(), WaitReason::Ready.code()];
    assert_eq!(codes, ["no-node-fits", "unknown", "ready"]);
}

#[test]
fn room_that_is_made_and_room_that_is_kept_are_named() {
    let making = WaitReason::MakingRoom {
        from: vec![id(1), id(2)],
        members: 3,
    };
    assert_eq!(
        making.to_string(),
        "starts when 3 elastic members have been taken back from baaaaaaa, caaaaaaa"
    );
    let kept = WaitReason::WouldDelay {
        execution: id(1),
        at: at(60),
        position: 2,
    };
    assert_eq!(
        kept.to_string(),
        "2nd in the queue, behind baaaaaaa: there is room, but baaaaaaa is to have it by 2023-11-14T22:14:20Z; a time limit \
         that ends before lets it go first"
    );
    assert_eq!([making.code(), kept.code()], ["making-room", "would-delay"]);
}
