//! Plans and snapshots in short, for tests.

use std::fmt::Write as _;

use crate::model::{Plan, Resources, Snapshot, Step};

/// The plan in short, one line a step or reason.
pub(super) fn shown(plan: &Plan) -> Vec<String> {
    let steps = plan.steps.iter().map(|step| match step {
        Step::End {
            execution,
            mark,
            why,
        } => {
            let why = why.as_ref().map_or(String::new(), |why| format!(": {why}"));
            format!("end {execution} {mark:?}{why}")
        }
        Step::Rollback { execution, why } => format!("undo {execution}: {why}"),
        Step::Retry { execution, why, .. } => format!("again {execution}: {why}"),
        Step::Drop { execution, members } => {
            let members: Vec<String> = members.iter().map(ToString::to_string).collect();
            format!("drop {execution}: {}", members.join("; "))
        }
        Step::Sweep(orphan) => format!("sweep {}", orphan.name),
        Step::RemoveImage(image) => format!("remove {}", image.tag),
        Step::Start {
            execution,
            placement,
            ..
        } => {
            let places: Vec<String> = placement
                .iter()
                .map(|((component, index), node)| format!("{component}-{index}@{node}"))
                .collect();
            format!("start {execution} {}", places.join(" "))
        }
    });
    let waiting = plan
        .waiting
        .iter()
        .map(|w| format!("{}: {}", w.execution, w.reason));
    steps.chain(waiting).collect()
}

/// A snapshot in short, for messages of tests.
pub(super) fn brief(seen: &Snapshot) -> String {
    let mut text = String::new();
    let show = |r: Resources| format!("{}c{}m", r.cores, r.memory.mib());
    for node in &seen.nodes {
        let (all, others) = (show(node.capacity), show(node.others));
        let (name, state) = (&node.name, node.availability);
        let _ = writeln!(
            text,
            "{name} {all} others {others} {:?} {state:?}",
            node.labels
        );
    }
    for execution in seen.executions.values() {
        let ticket = &execution.ticket;
        let (submitted, limit) = (
            ticket.submitted_at.as_second() - 1_700_000_000,
            ticket.timeout,
        );
        let limit = limit.map(|limit| limit.as_secs());
        let _ = writeln!(
            text,
            "{} {} prio {} at {submitted} limit {limit:?} monitor {:?} mark {:?} {:?}",
            ticket.id,
            ticket.user,
            ticket.terms.priority,
            ticket.application.monitor,
            execution.mark,
            execution.phase()
        );
        for c in &ticket.application.components {
            let size = show(c.reservation());
            let members: Vec<String> = execution
                .members(c.name.as_str())
                .map(|i| format!("{}@{}:{:?}", i.key.index, i.node, i.state))
                .collect();
            let _ = writeln!(
                text,
                "   {} {}+{} of {size} {} {:?}: {}",
                c.name,
                c.core,
                c.elastic,
                if c.replaceable { "replaceable" } else { "" },
                c.placement,
                members.join(" ")
            );
        }
    }
    for gap in &seen.gaps {
        let _ = writeln!(text, "gap {gap:?}");
    }
    text
}
