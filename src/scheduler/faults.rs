//! Good plans made bad, to see whether the checker notices.

use proptest::sample::Index;

use super::Policy;
use super::generators::{at, id};
use crate::model::{
    Cause, ComponentName, ExecutionId, Gap, JobImage, Mark, Mode, Phase, Placement, Plan,
    Reservation, Resources, Snapshot, Step, WaitReason, Waiting,
};

/// The executions that a plan starts.
pub(super) fn started(plan: &Plan) -> Vec<ExecutionId> {
    let started = |step: &Step| {
        if let Step::Start { execution, .. } = step {
            Some(*execution)
        } else {
            None
        }
    };
    plan.steps.iter().filter_map(started).collect()
}

/// What is wrong, and a snapshot and a plan that don't go together.
pub(super) type Fault = (&'static str, Snapshot, Plan);

/// A good plan made bad in every way that is possible with it.
pub(super) fn faults(seen: &Snapshot, policy: &Policy, good: &Plan, which: Index) -> Vec<Fault> {
    let mut faults = vec![
        with(seen, good, "an unknown execution", |plan| {
            plan.steps.insert(0, end(id(1 << 40), Mark::Ending));
        }),
        with(seen, good, "an unknown image", |plan| {
            let (docker_id, tag) = ("x".to_owned(), "x".to_owned());
            let unknown = Step::RemoveImage(JobImage { docker_id, tag });
            plan.steps.insert(0, unknown);
        }),
    ];
    faults.extend(step_faults(seen, good, which));
    faults.extend(waiting_faults(seen, good, which));
    faults.extend(snapshot_faults(seen, good));
    faults.extend(room_faults(seen, policy, good));
    for (id, execution) in &seen.executions {
        let wrong = match execution.phase() {
            Phase::Queued => Mark::Cancelled,
            Phase::Running { .. } | Phase::Starting if execution.ticket.timeout.is_none() => {
                Mark::TimedOut
            }
            Phase::Running { .. } | Phase::Starting | Phase::Ending(_) => continue,
        };
        faults.push(with(seen, good, "an end for no reason", |plan| {
            plan.steps.insert(0, end(*id, wrong));
        }));
    }
    faults
}

fn with(
    seen: &Snapshot,
    good: &Plan,
    fault: &'static str,
    change: impl FnOnce(&mut Plan),
) -> Fault {
    let mut bad = good.clone();
    change(&mut bad);
    (fault, seen.clone(), bad)
}

fn end(execution: ExecutionId, mark: Mark) -> Step {
    Step::End {
        execution,
        mark,
        why: None,
    }
}

fn step_faults(seen: &Snapshot, good: &Plan, which: Index) -> Vec<Fault> {
    let mut faults = Vec::new();
    if good.steps.is_empty() {
        return faults;
    }
    let chosen = which.index(good.steps.len());
    match good.steps[chosen].clone() {
        Step::End { execution, .. } => {
            faults.push(with(seen, good, "an end twice", |plan| {
                plan.steps.insert(0, good.steps[chosen].clone());
            }));
            if matches!(seen.executions[&execution].phase(), Phase::Ending(_)) {
                faults.push(with(seen, good, "an end left out", |plan| {
                    plan.steps.remove(chosen);
                }));
            }
        }
        Step::Sweep(mut orphan) => {
            orphan.docker_id.push('x');
            faults.push(with(seen, good, "a sweep of something else", |plan| {
                plan.steps[chosen] = Step::Sweep(orphan);
            }));
        }
        Step::Rollback { execution, why } => {
            faults.push(with(seen, good, "another cause", |plan| {
                let first = &seen.executions[&execution].instances[0];
                let why = Cause::Exited {
                    member: why.member().unwrap_or(&first.key).clone(),
                    code: 77,
                };
                plan.steps[chosen] = Step::Rollback { execution, why };
            }));
            faults.push(with(seen, good, "not ready for no time", |plan| {
                let why = Cause::NotReady {
                    missing: String::new(),
                };
                plan.steps[chosen] = Step::Rollback { execution, why };
            }));
        }
        Step::Drop { execution, members } => {
            faults.push(with(seen, good, "nobody removed", |plan| {
                let members = Vec::new();
                plan.steps[chosen] = Step::Drop { execution, members };
            }));
            faults.push(with(seen, good, "a good member removed", |plan| {
                let mut member = members[0].member().unwrap().clone();
                member.index += 100;
                let mut members = members.clone();
                members.push(Cause::Exited { member, code: 1 });
                plan.steps[chosen] = Step::Drop { execution, members };
            }));
        }
        Step::Retry { .. } | Step::RemoveImage(_) => {}
        Step::Start { execution, .. } => {
            faults.extend(start_faults(seen, good, chosen, execution, which));
        }
    }
    faults
}

fn start_faults(
    seen: &Snapshot,
    good: &Plan,
    chosen: usize,
    id: ExecutionId,
    which: Index,
) -> Vec<Fault> {
    let Step::Start { placement, .. } = &good.steps[chosen] else {
        return Vec::new();
    };
    let edit = |fault, change: &dyn Fn(&mut Placement)| {
        with(seen, good, fault, |plan| {
            if let Step::Start { placement, .. } = &mut plan.steps[chosen] {
                change(placement);
            }
        })
    };
    let execution = &seen.executions[&id];
    let component = |name: &ComponentName| execution.ticket.application.component(name).unwrap();
    let member = placement.keys().nth(which.index(placement.len())).unwrap();
    let mut faults = vec![
        edit("a member too many", &|placement| {
            placement.insert((member.0.clone(), 1000), "node-0".into());
        }),
        edit("a stranger", &|placement| {
            placement.insert(("stranger".parse().unwrap(), 0), "node-0".into());
        }),
        edit("a node that is not there", &|placement| {
            placement.insert(member.clone(), "nowhere".into());
        }),
        with(seen, good, "a start twice", |plan| {
            plan.steps.push(good.steps[chosen].clone());
        }),
        with(seen, good, "a reason for what is started", |plan| {
            plan.waiting.push(Waiting {
                execution: id,
                reason: WaitReason::Ready,
            });
        }),
        with(seen, good, "an end before it starts", |plan| {
            plan.steps.insert(0, end(id, Mark::Cancelled));
        }),
        with(seen, good, "a late sweep", |plan| {
            plan.steps.push(end(id, Mark::Cancelled));
        }),
    ];
    let needed = component(&member.0);
    let exists = execution
        .members(member.0.as_str())
        .any(|i| i.key.index == member.1);
    let spare = needed.replaceable && !execution.instances.is_empty();
    if member.1 < needed.core && !exists && !spare {
        faults.push(edit("a core member left out", &|placement| {
            placement.remove(member);
        }));
    }
    let queued_after = started(good)
        .into_iter()
        .skip_while(|other| *other != id)
        .skip(1)
        .any(|other| seen.executions[&other].phase() == Phase::Queued);
    let in_line = matches!(execution.phase(), Phase::Queued | Phase::Starting);
    if queued_after && in_line {
        faults.push(with(seen, good, "somebody who is overtaken", |plan| {
            plan.steps.remove(chosen);
            plan.waiting.insert(
                0,
                Waiting {
                    execution: id,
                    reason: WaitReason::Ready,
                },
            );
        }));
    }
    faults
}

fn waiting_faults(seen: &Snapshot, good: &Plan, which: Index) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !good.waiting.is_empty() {
        let chosen = which.index(good.waiting.len());
        let waiting = &good.waiting[chosen];
        let queued = seen.executions[&waiting.execution].phase() == Phase::Queued;
        if queued {
            faults.push(with(seen, good, "a reason left out", |plan| {
                plan.waiting.remove(chosen);
            }));
        }
        faults.push(with(seen, good, "a reason twice", |plan| {
            plan.waiting.push(good.waiting[chosen].clone());
        }));
    }
    if good.waiting.len() > 1 {
        faults.push(with(seen, good, "waiting in the wrong order", |plan| {
            plan.waiting.reverse();
        }));
    }
    faults
}

/// Room kept for the wrong one, too late or elsewhere; and members that are taken back and must not be.
fn room_faults(seen: &Snapshot, policy: &Policy, good: &Plan) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(reserved) = &good.reserved {
        let mut edit = |fault, change: &dyn Fn(&mut Reservation)| {
            faults.push(with(seen, good, fault, |plan| {
                change(plan.reserved.as_mut().unwrap());
            }));
        };
        edit("room kept for nobody", &|reserved| {
            reserved.execution = id(1 << 40);
        });
        edit("room kept later than needed", &|reserved| {
            reserved.at = at(1_000_000);
        });
        edit("not all room kept", &|reserved| {
            reserved.placement.pop_first();
        });
        let first = seen.executions.get(&reserved.execution).unwrap();
        let name = &first.ticket.application.components[0].name;
        edit("room kept where there is none", &|reserved| {
            reserved
                .placement
                .insert((name.clone(), 0), "nowhere".into());
        });
    }
    let taken = good.steps.iter().find_map(|step| {
        let Step::Drop { members, .. } = step else {
            return None;
        };
        members.iter().find_map(|cause| {
            let Cause::Reclaimed { member, by } = cause else {
                return None;
            };
            Some((member.clone(), *by))
        })
    });
    for (other, execution) in &seen.executions {
        let runs = matches!(execution.phase(), Phase::Running { .. });
        let waits = good.waiting.first().map(|waiting| waiting.execution);
        let (true, Some(by)) = (runs, taken.as_ref().map(|(_, by)| *by).or(waits)) else {
            continue;
        };
        for instance in &execution.instances {
            let component = execution
                .ticket
                .application
                .component(&instance.key.component);
            let core = instance.key.index < component.unwrap().core;
            if !core && taken.is_some() && policy.mode == Mode::Flexible {
                continue;
            }
            faults.push(with(
                seen,
                good,
                "a member taken back that is not to be",
                |plan| {
                    plan.steps.insert(
                        0,
                        Step::Drop {
                            execution: *other,
                            members: vec![Cause::Reclaimed {
                                member: instance.key.clone(),
                                by,
                            }],
                        },
                    );
                },
            ));
        }
    }
    if let Some((member, _)) = taken {
        faults.push(with(seen, good, "taken back for nobody", |plan| {
            plan.steps.insert(
                0,
                Step::Drop {
                    execution: member.execution,
                    members: vec![Cause::Reclaimed {
                        member: member.clone(),
                        by: id(1 << 40),
                    }],
                },
            );
        }));
        faults.push(with(seen, good, "taken back and no word of it", |plan| {
            for waiting in &mut plan.waiting {
                if matches!(waiting.reason, WaitReason::MakingRoom { .. }) {
                    waiting.reason = WaitReason::Ready;
                }
            }
        }));
    }
    faults
}

/// The plan is good, but not for this snapshot.
fn snapshot_faults(seen: &Snapshot, good: &Plan) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut add = |fault, change: &dyn Fn(&mut Snapshot)| {
        let mut changed = seen.clone();
        change(&mut changed);
        faults.push((fault, changed, good.clone()));
    };
    let acts = |step: &Step| !matches!(step, Step::End { why: None, .. });
    if good.steps.iter().any(acts) {
        add("something done blindly", &|snapshot| {
            snapshot.gaps.push(Gap {
                what: "the containers".to_owned(),
                error: "timeout".to_owned(),
                node: None,
            });
        });
    }
    for step in &good.steps {
        match step {
            Step::RemoveImage(image) if !seen.executions.is_empty() => {
                add("an image in use", &|snapshot| {
                    let mut executions = snapshot.executions.values_mut();
                    executions.next().unwrap().ticket.job_image = Some(image.tag.clone());
                });
            }
            Step::Start {
                execution,
                placement,
                ..
            } => {
                let execution = &seen.executions[execution];
                for ((name, index), on) in placement {
                    let mut there = execution.members(name.as_str());
                    let application = &execution.ticket.application;
                    let size = application.component(name).unwrap().reservation();
                    // One that was there may be removed first: it has a successor of its size.
                    if there.any(|i| i.key.index == *index) {
                        continue;
                    }
                    add("a node that is away", &|snapshot| {
                        let node = snapshot.nodes.iter_mut().find(|n| *n.name == **on);
                        node.unwrap().availability =
                            crate::model::Availability::Down { since: None };
                    });
                    if size != Resources::ZERO {
                        add("a node that is full", &|snapshot| {
                            let node = snapshot.nodes.iter_mut().find(|n| *n.name == **on).unwrap();
                            node.others = node.capacity;
                        });
                    }
                }
            }
            Step::End { .. }
            | Step::Rollback { .. }
            | Step::Retry { .. }
            | Step::Drop { .. }
            | Step::Sweep(_)
            | Step::RemoveImage(_) => {}
        }
    }
    faults
}
