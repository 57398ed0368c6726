//! Why something is refused, in words that name the number that is too big and what to ask for instead.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::model::{Bytes, ComponentName, Cores, Resources};

/// Why an application can never run on these nodes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No node has the labels.
    #[error(
        "component '{component}' asks for a node with {}, and there is none; change its placement or label a node", list(.labels)
    )]
    Labels {
        /// The component.
        component: ComponentName,
        /// The labels it asks for.
        labels: BTreeMap<String, String>,
    },
    /// One member needs more cores than any node that it may be on has.
    #[error(
        "component '{component}' asks for {} a member, but the largest node ({node}) has {largest}; ask for at most {largest} ({})",
        .needed.in_words(), setting(.component, "cores")
    )]
    MemberCores {
        /// The component.
        component: ComponentName,
        /// What one member needs.
        needed: Cores,
        /// The most a node has.
        largest: Cores,
        /// That node.
        node: String,
    },
    /// One member needs more memory than any node that it may be on has.
    #[error(
        "component '{component}' asks for {needed} of memory a member, its overhead included, but the largest node ({node}) has {largest}; ask for at most {}m ({})",
        .most.mib(), setting(.component, "memory")
    )]
    MemberMemory {
        /// The component.
        component: ComponentName,
        /// What one member needs, overhead included.
        needed: Bytes,
        /// The most a node has.
        largest: Bytes,
        /// That node.
        node: String,
        /// The most that may be asked for, overhead not included.
        most: Bytes,
    },
    /// Some node has the cores for one member, another one the memory, and none has both.
    #[error(
        "component '{component}' asks for {} and {} of memory a member, and no node has both; ask for less of either ({}, {})",
        .needed.cores.in_words(), .needed.memory, setting(.component, "cores"), setting(.component, "memory")
    )]
    Member {
        /// The component.
        component: ComponentName,
        /// What one member needs.
        needed: Resources,
    },
    /// All core members together need more cores than all nodes have.
    #[error(
        "all members together ask for {}, but the nodes have {total}; {}",
        .needed.in_words(), advice(.component, *.members, *.most)
    )]
    TotalCores {
        /// What all core members need.
        needed: Cores,
        /// What all nodes have.
        total: Cores,
        /// The component that asks for most of it.
        component: ComponentName,
        /// How many core members that has.
        members: u32,
        /// How many it may have at the most, everything else being the same.
        most: u32,
    },
    /// All core members together need more memory than all nodes have.
    #[error(
        "all members together ask for {needed} of memory, but the nodes have {total}; {}",
        advice(.component, *.members, *.most)
    )]
    TotalMemory {
        /// What all core members need, overhead included.
        needed: Bytes,
        /// What all nodes have.
        total: Bytes,
        /// The component that asks for most of it.
        component: ComponentName,
        /// How many core members that has.
        members: u32,
        /// How many it may have at the most, everything else being the same.
        most: u32,
    },
    /// The sum would do, but it can't be divided up so that every member is on one node.
    #[error(
        "the members fit the nodes in sum, but not one by one: not every '{component}' of {} and {} finds a node; ask for fewer or smaller members ({}, {})",
        .needed.cores.in_words(), .needed.memory, setting(.component, "core"), setting(.component, "cores")
    )]
    Pieces {
        /// The component that finds no place.
        component: ComponentName,
        /// What one member needs.
        needed: Resources,
    },
}

/// How a person sets a field of a component: workers have options of their own.
fn setting(component: &ComponentName, field: &str) -> String {
    match (component.as_str(), field) {
        ("worker", "core") => "--workers".to_owned(),
        ("worker", _) => format!("--worker-{field}"),
        (name, _) => format!("--set {name}.{field}=…"),
    }
}

fn advice(component: &ComponentName, members: u32, most: u32) -> String {
    if most == 0 {
        return "ask for fewer or smaller members".to_owned();
    }
    let option = setting(component, "core");
    format!("'{component}' has {members} members, ask for at most {most} ({option})")
}

fn list(labels: &BTreeMap<String, String>) -> String {
    let each: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    each.join(", ")
}
