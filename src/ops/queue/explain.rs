//! Why one execution waits, in full: its place in the line, who holds what it needs, and what each node lacks for it.

use jiff::Timestamp;

use super::Look;
use crate::model::{
    Application, Away, Component, Execution, Holder, Mode, Node, Phase, Resources, Snapshot,
    WaitReason,
};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::history::past::START_FAILED;
use crate::ops::list;
use crate::ops::present;
use crate::ops::queue;
use crate::ops::resolve::{self, Found};
use crate::ops::view::ExecutionView;

/// How many of those before it are named.
const SHOWN: usize = 5;

/// What is known of why an execution waits. Of one that does not wait only `view` says anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The execution.
    pub view: ExecutionView,
    /// Its place in the line.
    pub wait: Option<Wait>,
}

/// Why it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Its place in the line, from 1, and how many wait.
    pub position: usize,
    /// How many wait in all.
    pub of: usize,
    /// The stable word for what it waits for.
    pub code: &'static str,
    /// Those that stand directly before it, the nearest last.
    pub before: Vec<(String, String)>,
    /// What its core members need in all.
    pub needs: Resources,
    /// Who holds what there is too little of, the largest first.
    pub holders: Vec<Holder>,
    /// What other deployments hold of that.
    pub others: Resources,
    /// Labels that a component asks for and no node has: the component, and `key=value`.
    pub labels: Vec<(String, String)>,
    /// The nodes, and what each lacks for it.
    pub nodes: Vec<NodeView>,
    /// When its start failed the last time, and why.
    pub last_failure: Option<(Timestamp, String)>,
    /// When it starts at the latest, if all that has a time limit takes all of it.
    pub latest_start: Option<Timestamp>,
}

/// A node, as far as it matters to one execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Its name.
    pub name: String,
    /// What nobody has reserved of it.
    pub free: Resources,
    /// What it lacks for a member of each component, in words; nothing where one could be made.
    pub missing: Vec<(String, String)>,
}

/// Explains one execution.
pub async fn explain(context: &Context, text: &str) -> Result<Explanation, OpsError> {
    let id = match resolve::resolve(context, text).await? {
        Found::Past(record) => {
            return Ok(Explanation {
                view: present::past(&record),
                wait: None,
            });
        }
        Found::Alive(execution) => execution.ticket.id,
    };
    let look = queue::look(context).await?;
    let Some(execution) = look.snapshot.executions.get(&id) else {
        return Err(crate::ops::wait::outcome(context, id).await.map_or_else(
            |error| error,
            |_| OpsError::failed(format!("{id} came to its end just now; ask again")),
        ));
    };
    let view = present::alive(
        execution,
        Some(look.planned()),
        Some(&look.known),
        None,
        context.site(),
    );
    let wait = if execution.phase() == Phase::Queued {
        Some(wait(context, &look, execution).await?)
    } else {
        None
    };
    Ok(Explanation { view, wait })
}

async fn wait(context: &Context, look: &Look, execution: &Execution) -> Result<Wait, OpsError> {
    let id = execution.ticket.id;
    let line = look.line();
    let place = line.iter().position(|one| *one == id);
    let before = line.iter().take(place.unwrap_or(0)).rev().take(SHOWN).rev();
    let named = before.filter_map(|id| look.snapshot.executions.get(id));
    let reason = look.plan.waiting.iter().find(|one| one.execution == id);
    let reason = reason.map(|waiting| &waiting.reason);
    let failures = match &look.store {
        Some(store) => store.events(&context.settings.deployment, id).await?,
        None => Vec::new(),
    };
    let failure = failures
        .into_iter()
        .rfind(|event| event.kind == START_FAILED);
    let snapshot = &look.snapshot;
    let (holders, others) = holders(snapshot, execution, reason);
    Ok(Wait {
        position: place.map_or(line.len(), |place| place + 1),
        of: line.len(),
        code: reason.map_or("ready", WaitReason::code),
        before: named
            .map(|e| (e.ticket.id.to_string(), e.ticket.name.to_string()))
            .collect(),
        needs: context.settings.mode.needed(&execution.ticket.application),
        holders,
        others,
        labels: labels(&snapshot.nodes, &execution.ticket.application),
        nodes: nodes(snapshot, execution, context.settings.mode),
        last_failure: failure.map(|event| (event.at, event.detail)),
        latest_start: look.forecast(context).get(&id).copied(),
    })
}

/// Who has what it waits for, and what other deployments have of it. Whoever stands in line behind others waits for what all hold.
fn holders(
    snapshot: &Snapshot,
    execution: &Execution,
    reason: Option<&WaitReason>,
) -> (Vec<Holder>, Resources) {
    match reason {
        Some(WaitReason::NotEnough {
            holders, others, ..
        }) => return (holders.clone(), *others),
        Some(
            WaitReason::NoNodeFits { .. }
            | WaitReason::NodesAway { .. }
            | WaitReason::Replacement { .. }
            | WaitReason::MakingRoom { .. }
            | WaitReason::WouldDelay { .. }
            | WaitReason::Behind { .. }
            | WaitReason::Quota(_),
        ) => {}
        // It waits for something that nobody holds.
        Some(
            WaitReason::NoLabel { .. }
            | WaitReason::Retry { .. }
            | WaitReason::Held
            | WaitReason::After { .. }
            | WaitReason::ArrayLimit { .. }
            | WaitReason::Again { .. }
            | WaitReason::Ready
            | WaitReason::Unknown { .. },
        )
        | None => return (Vec::new(), Resources::ZERO),
    }
    let all = snapshot.executions.values();
    let all = all.filter(|other| other.ticket.id != execution.ticket.id);
    // A quota is used up by its owner's own.
    let of_a_quota = matches!(reason, Some(WaitReason::Quota(_)));
    let user = &execution.ticket.user;
    let all = all.filter(|other| !of_a_quota || other.ticket.user == *user);
    let mut holders: Vec<Holder> = all
        .map(|other| Holder {
            execution: other.ticket.id,
            name: other.ticket.name.clone(),
            user: other.ticket.user.clone(),
            holds: other.held(),
        })
        .filter(|holder| holder.holds != Resources::ZERO)
        .collect();
    holders.sort_by_key(|holder| std::cmp::Reverse((holder.holds.cores, holder.holds.memory)));
    let others = if of_a_quota {
        Resources::ZERO
    } else {
        snapshot.nodes.iter().map(Node::others_hold).sum()
    };
    (holders, others)
}

/// Labels that no node has, of each component that asks for any; where each has its node, those that no node has together.
fn labels(nodes: &[Node], application: &Application) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    for component in &application.components {
        for (key, value) in &component.placement {
            let has = |node: &Node| node.labels.get(key).is_some_and(|label| label == value);
            if !nodes.iter().any(has) {
                missing.push((component.name.to_string(), format!("{key}={value}")));
            }
        }
        let placement = &component.placement;
        let suits = |node: &Node| {
            let mut labels = placement.iter();
            labels.all(|(key, value)| node.labels.get(key) == Some(value))
        };
        let name = component.name.as_str();
        let none_told = !missing.iter().any(|(component, _)| component == name);
        if none_told && !nodes.iter().any(suits) {
            let labels = placement
                .iter()
                .map(|(key, value)| format!("{key}={value}"));
            let together = labels.collect::<Vec<_>>().join(" with ");
            missing.push((name.to_owned(), together));
        }
    }
    missing
}

fn nodes(snapshot: &Snapshot, execution: &Execution, mode: Mode) -> Vec<NodeView> {
    let components = &execution.ticket.application.components;
    let needed = || components.iter().filter(|c| mode.at_start(c) > 0);
    let view = |node: &Node| {
        let held = node.others + list::held(snapshot, &node.name);
        let free = node.capacity.minus(held);
        let mut gaps = snapshot.gaps.iter();
        let away = if gaps.any(|gap| gap.node.as_ref() == Some(&node.name)) {
            Some(None)
        } else {
            (!node.is_available()).then_some(Some(node.availability))
        };
        let away = away.map(|why| {
            let node = "it".to_owned();
            Away { node, why }.to_string()
        });
        let lacks = |component: &Component| away.clone().or_else(|| lacks(node, component, free));
        let missing = needed().filter_map(|c| Some((c.name.to_string(), lacks(c)?)));
        NodeView {
            name: node.name.clone(),
            free,
            missing: missing.collect(),
        }
    };
    snapshot.nodes.iter().map(view).collect()
}

/// What a node that takes members lacks for one of a component, if it lacks anything.
fn lacks(node: &Node, component: &Component, free: Resources) -> Option<String> {
    let wanted = component.placement.iter();
    let unlike = wanted
        .filter(|(key, value)| node.labels.get(*key) != Some(*value))
        .map(|(key, value)| format!("the label {key}={value}"));
    let one = component.reservation();
    let (cores, memory) = (one.cores.minus(free.cores), one.memory.minus(free.memory));
    let cores = (cores.millis() > 0).then(|| cores.in_words());
    let memory = (memory.get() > 0).then(|| format!("{memory} of memory"));
    let lacks: Vec<String> = unlike.chain(cores).chain(memory).collect();
    (!lacks.is_empty()).then(|| lacks.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::Availability;

    #[test]
    fn labels_that_no_node_has_alone_or_together_are_told() {
        let node = |key: &str| Node {
            id: "node".to_owned(),
            name: key.to_owned(),
            address: None,
            capacity: Resources::ZERO,
            others: Resources::ZERO,
            availability: Availability::Active,
            labels: BTreeMap::from([(key.to_owned(), "yes".to_owned())]),
        };
        let told = |keys: &[&str]| {
            let name = "worker".parse().unwrap();
            let mut worker = Component::bare(name, "x".to_owned(), 1, Resources::ZERO);
            let asked = keys.iter().map(|key| ((*key).to_owned(), "yes".to_owned()));
            worker.placement = asked.collect();
            let application = Application {
                name: "job".to_owned(),
                description: String::new(),
                monitor: None,
                secrets: Vec::new(),
                activity: None,
                components: vec![worker],
            };
            let told = labels(&[node("gpu"), node("ssd")], &application);
            let told: Vec<String> = told.into_iter().map(|(_, label)| label).collect();
            told
        };
        assert_eq!(told(&["gpu"]), [""; 0]);
        assert_eq!(told(&["gpu", "tape"]), ["tape=yes"]);
        assert_eq!(told(&["gpu", "ssd"]), ["gpu=yes with ssd=yes"]);
    }
}
