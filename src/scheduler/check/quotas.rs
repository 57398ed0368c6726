//! Judges that nobody is given more than a quota says.

use std::collections::BTreeMap;

use super::{Judge, Violation, is_at};
use crate::model::{
    ComponentName, Execution, Instance, InstanceState, Phase, Placement, Quota, Resources,
};

/// What the executions of one user have after a plan.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    /// How many run.
    running: u32,
    /// How many of them the plan starts.
    started: u32,
    /// What they hold.
    sum: Resources,
    /// What of it the plan need not have given: all of what it starts, and elastic members of what runs.
    given: Resources,
}

impl Judge<'_> {
    /// Who is given something has no more than its quota says.
    pub(super) fn quotas(&mut self) {
        let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
        for (id, execution) in &self.snapshot.executions {
            let placement = self.started.get(id).copied();
            let share = shares.entry(execution.ticket.user.as_str()).or_default();
            self.add(share, execution, placement);
        }
        let over = shares.into_iter().filter(|(user, share)| {
            let known = self.known.users.get(*user);
            known.is_some_and(|known| exceeds(&known.quota, share))
        });
        let over = over.map(|(user, _)| Violation::OverQuota(user.to_owned()));
        self.violations.extend(over);
    }

    /// Whether a member was made and not started, of somebody who has more than may be: it may be left so.
    pub(super) fn is_too_much(&self, execution: &Execution, instance: &Instance) -> bool {
        let user = &execution.ticket.user;
        let all = self.snapshot.executions.values();
        let held = all.filter(|e| e.ticket.user == *user).map(Execution::held);
        let sum: Resources = held.sum();
        let quota = self.known.users.get(user).map(|known| known.quota);
        let over = |quota: Quota| {
            let cores = quota.cores.is_some_and(|most| sum.cores > most);
            cores || quota.memory.is_some_and(|most| sum.memory > most)
        };
        is_idle(execution, instance) && quota.is_some_and(over)
    }

    fn add(&self, share: &mut Share, execution: &Execution, placement: Option<&Placement>) {
        let phase = execution.phase();
        let only_made = !execution.instances.is_empty()
            && phase == Phase::Starting
            && execution
                .instances
                .iter()
                .all(|i| i.state == InstanceState::Created);
        // What is kept back though it was made is not anybody's.
        if only_made && placement.is_none() {
            return;
        }
        let begins = placement.is_some() && (only_made || phase == Phase::Queued);
        if begins || (!execution.instances.is_empty() && !execution.is_over()) {
            share.running += 1;
        }
        let stay = execution.instances.iter();
        let is_left = |i: &Instance| {
            let member = (i.key.component.clone(), i.key.index);
            let is_given = placement.is_some_and(|placement| placement.contains_key(&member));
            !is_given && is_idle(execution, i)
        };
        let stay = stay
            .filter(|i| i.holds() && !self.dropped.contains(&i.key))
            .filter(|i| !is_left(i));
        let there: Resources = stay.map(|i| i.reservation).sum();
        share.sum += there;
        if begins {
            share.started += 1;
            share.given += there;
        }
        for (name, index) in placement.into_iter().flat_map(Placement::keys) {
            let component = execution.ticket.application.component(name);
            let Some(component) = component else { continue };
            if self.stays(execution, name, *index).is_some() {
                continue;
            }
            let size = component.reservation();
            let elastic = *index >= component.core && matches!(phase, Phase::Running { .. });
            // A core member that is missing is made anew whatever its owner has.
            if begins || elastic || phase == Phase::Starting || was_there(execution, name, *index) {
                share.sum += size;
            }
            if begins || elastic {
                share.given += size;
            }
        }
    }
}

/// Whether it is an elastic member of one that runs, and was made and not started.
fn is_idle(execution: &Execution, instance: &Instance) -> bool {
    let component = execution
        .ticket
        .application
        .component(&instance.key.component);
    matches!(execution.phase(), Phase::Running { .. })
        && component.is_some_and(|component| instance.key.index >= component.core)
        && instance.state == InstanceState::Created
        && instance.note.is_none()
}

fn was_there(execution: &Execution, name: &ComponentName, index: u32) -> bool {
    is_at(execution, name, index).is_some()
}

fn exceeds(quota: &Quota, share: &Share) -> bool {
    let Share {
        running,
        started,
        sum,
        given,
    } = share;
    let too_many = quota.executions.is_some_and(|most| *running > most);
    let cores = quota.cores.is_some_and(|most| sum.cores > most);
    let memory = quota.memory.is_some_and(|most| sum.memory > most);
    (*started > 0 && too_many)
        || (given.cores.millis() > 0 && cores)
        || (given.memory.get() > 0 && memory)
}
