//! What has lost members, or has some that were made and not started: which of them it is given, and why not the rest.

use std::collections::BTreeSet;

use crate::model::{
    Component, ComponentName, Execution, Instance, InstanceKey, WaitReason, Waiting,
};

use super::gates::Gates;
use super::ledger::Members;
use super::outcome::{Kind, Start};
use super::packing::Wanted;
use super::starts::{Starts, is_made, kin};
use super::verdict::Casualty;

impl<'a> Starts<'a> {
    /// Replaces the core members that an execution has lost, as far as there is room. It goes on meanwhile, and so does the
    /// queue: who waits for room on nodes that are gone must not keep everybody from the others. Gives its place among the
    /// starts, and the elastic members that may be made anew.
    pub fn repair(
        &mut self,
        execution: &'a Execution,
        casualties: Vec<Casualty<'a>>,
        gates: &mut Gates<'a>,
        may_replace: impl Fn(&ComponentName, u32) -> bool,
    ) -> (usize, BTreeSet<InstanceKey>) {
        let mut members = Members::to_go_on(execution);
        for Wanted {
            component, indices, ..
        } in &mut members.missing
        {
            indices.retain(|index| may_replace(&component.name, *index));
        }
        self.leave_barred(execution, &mut members, gates);
        let before = members.made.len();
        let mut dropped = Vec::new();
        let mut elastic = BTreeSet::new();
        for Casualty {
            instance,
            cause,
            core,
            anew,
        } in casualties
        {
            dropped.push(cause);
            let key = &instance.key;
            let component = execution.ticket.application.component(&key.component);
            let (true, Some(component)) = (anew, component) else {
                continue;
            };
            if !core {
                elastic.insert(key.clone());
                continue;
            }
            let mut missing = members.missing.iter_mut();
            match missing.find(|w| w.component.name == component.name) {
                Some(wanted) => wanted.indices.push(key.index),
                None => members.missing.push(Wanted::first(component, [key.index])),
            }
        }
        let mut placement = members.made;
        for wanted in &mut members.missing {
            wanted.indices.sort_unstable();
            wanted.there = kin(&placement, wanted.component);
            let (found, reason) = self.place_more(execution, wanted);
            if let Some(reason) = reason {
                let members = wanted.indices.len() - found.len();
                self.lacks(execution, wanted.component, members, reason);
            }
            placement.extend(found);
        }
        self.decided.push(Start {
            execution,
            kind: Kind::Repaired { dropped, before },
            placement,
        });
        (self.decided.len() - 1, elastic)
    }

    /// Takes out what was made of an execution that runs, is not started and has no room any more, as in [`Starts::go_on`], or
    /// is more than its owner may have.
    fn leave_barred(
        &mut self,
        execution: &'a Execution,
        members: &mut Members<'a>,
        gates: &mut Gates<'a>,
    ) {
        let mut later: Vec<&Instance> = execution.instances.iter().filter(|i| is_made(i)).collect();
        while !later.is_empty() {
            let instance = later.remove(0);
            let key = &instance.key;
            let component = execution.ticket.application.component(&key.component);
            let Some(component) = component else { continue };
            let reason = if self.is_crowded(instance, &later) {
                self.why_not(execution, &[Wanted::first(component, [0])], component)
            } else if let Some(over) = gates.give_up(execution, instance, &later) {
                WaitReason::Quota(over)
            } else {
                continue;
            };
            let member = (key.component.clone(), key.index);
            members.made.remove(&member);
            self.lacks(execution, component, 1, reason);
        }
    }

    /// Says why one that runs has not all that it should have.
    fn lacks(
        &mut self,
        execution: &Execution,
        component: &Component,
        members: usize,
        reason: WaitReason,
    ) {
        let told = self.waiting.last().map(|w| w.execution) == Some(execution.ticket.id);
        if !told {
            self.waiting.push(Waiting {
                execution: execution.ticket.id,
                reason: WaitReason::Replacement {
                    component: component.name.clone(),
                    members,
                    reason: Box::new(reason),
                },
            });
        }
    }
}
