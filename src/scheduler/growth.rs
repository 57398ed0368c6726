//! Room for more members of an execution that runs.

use crate::model::{
    ComponentName, Execution, ExecutionId, Instance, InstanceKey, Mode, Phase, Placement, Quota,
    Resources, Snapshot, WaitReason,
};

use super::feeding::times;
use super::ledger::{Ledger, Members};
use super::packing::Wanted;
use super::quotas;
use super::sight::Sight;
use super::starts::{Starts, kin};

/// What an execution gets when it is to have more members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// All its members then, each with its node.
    pub placement: Placement,
    /// Those of them that are new.
    pub new: Vec<InstanceKey>,
    /// Members that are there, no good any more, and in the way of new ones.
    pub stale: Vec<InstanceKey>,
    /// How many there is no room for, and why.
    pub short: Option<(u32, WaitReason)>,
}

/// Finds room for members of a component, up to `members` in all, beside everything that is there, and as far as its owner's
/// `quota` goes. `None` if there is no such execution that runs, or no such component, or not enough was seen.
pub fn grow(
    snapshot: &Snapshot,
    id: ExecutionId,
    name: &ComponentName,
    members: u32,
    quota: Quota,
) -> Option<Growth> {
    let sight = Sight::of(snapshot);
    let execution = snapshot.executions.get(&id)?;
    let component = execution.ticket.application.component(name)?;
    let runs = matches!(execution.phase(), Phase::Running { .. });
    if !runs || sight.blind.is_some() || sight.hides(execution) {
        return None;
    }
    let mut placement = Members::to_go_on(execution).made;
    let there = kin(&placement, component);
    let have = u32::try_from(there.len()).unwrap_or(u32::MAX);
    let is_there = |i: &u32| placement.contains_key(&(name.clone(), *i));
    let seen = |i: &u32| execution.members(name.as_str()).find(|m| m.key.index == *i);
    // What is lost may come back, until that is concluded.
    let lost = |i: &u32| seen(i).is_some_and(Instance::is_lost);
    let mut free: Vec<u32> = (0..component.members())
        .filter(|i| !is_there(i) && !lost(i))
        .collect();
    // Names that nobody has come first.
    free.sort_by_key(|i| (seen(i).is_some(), *i));
    free.truncate(usize::try_from(members.saturating_sub(have)).unwrap_or(usize::MAX));
    free.sort_unstable();
    let more = component.reservation();
    let of_owner = |other: &&Execution| other.ticket.user == execution.ticket.user;
    let held: Resources = snapshot
        .executions
        .values()
        .filter(of_owner)
        .map(Execution::held)
        .sum();
    let over = quotas::at_once(quota, held, more.times(free.len() as u64));
    if let Some(left) = quotas::left(quota, held) {
        free.truncate(times(more, left));
    }
    let wanted = Wanted {
        component,
        indices: free,
        there,
    };
    let mut starts = Starts::new(
        snapshot,
        &sight,
        Ledger::of(snapshot),
        Mode::Flexible,
        snapshot.taken_at,
    );
    let (found, reason) = starts.place_more(execution, &wanted);
    let key = |index: &u32| InstanceKey {
        execution: id,
        component: name.clone(),
        index: *index,
    };
    let new: Vec<InstanceKey> = found.keys().map(|(_, index)| key(index)).collect();
    let stale = new.iter().filter(|key| seen(&key.index).is_some());
    let stale = stale.cloned().collect();
    let got = have.saturating_add(u32::try_from(new.len()).unwrap_or(u32::MAX));
    placement.extend(found);
    Some(Growth {
        placement,
        new,
        stale,
        short: reason
            .or(over.map(WaitReason::Quota))
            .map(|reason| (members.saturating_sub(got), reason)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::generators::{component, execution, id, node, running, snapshot};
    use super::*;
    use crate::model::{Bytes, Cores, InstanceState};

    fn grown(seen: &Snapshot, members: u32) -> Growth {
        within(seen, members, Quota::default())
    }

    fn within(seen: &Snapshot, members: u32, quota: Quota) -> Growth {
        grow(seen, id(1), &"worker".parse().unwrap(), members, quota).unwrap()
    }

    fn job() -> crate::model::Execution {
        let mut worker = component("worker", 1, 1000, 256);
        worker.elastic = 7;
        running(execution(1, 0, vec![worker]), "a")
    }

    #[test]
    fn new_members_are_spread_and_what_has_no_room_is_said() {
        let other = running(execution(2, 0, vec![component("x", 1, 1000, 256)]), "b");
        let nodes = vec![node("a", 2000, 4096), node("b", 4000, 4096)];
        let seen = snapshot(nodes, vec![job(), other]);
        let few = grown(&seen, 3);
        assert_eq!((few.new.len(), few.short), (2, None));
        let places: Vec<&str> = few.placement.values().map(|node| &**node).collect();
        assert_eq!(places, ["a", "b", "a"]);
        let many = grown(&seen, 8);
        assert_eq!(many.new.len(), 4);
        let (missing, reason) = many.short.unwrap();
        assert_eq!(
            format!("{missing}: {reason}"),
            "3: waits for 3 cores: 0 of 6 free; job-2 (caaaaaaa, ann) holds 1"
        );
    }

    #[test]
    fn there_are_no_more_than_its_owners_quota_leaves_room_for() {
        let mut other = running(execution(2, 0, vec![component("x", 1, 1000, 256)]), "a");
        let seen =
            |other: &Execution| snapshot(vec![node("a", 9000, 4096)], vec![job(), other.clone()]);
        let quota = Quota {
            cores: Some(Cores::from_millis(4500)),
            ..Quota::default()
        };
        let many = within(&seen(&other), 8, quota);
        assert_eq!(many.new.len(), 2);
        let (missing, reason) = many.short.unwrap();
        assert_eq!(
            format!("{missing}: {reason}"),
            "5: waits for its owner's quota: it needs 7 cores of at most 4.5, and 2 are in use"
        );
        let few = within(&seen(&other), 3, quota);
        assert_eq!((few.new.len(), few.short), (2, None));
        other.ticket.user = "bob".to_owned();
        assert_eq!(within(&seen(&other), 8, quota).new.len(), 3);
        let memory = Quota {
            memory: Some(Bytes::from_mib(256)),
            ..Quota::default()
        };
        assert_eq!(within(&seen(&other), 8, memory).new.len(), 0);
    }

    #[test]
    fn free_numbers_come_before_those_of_members_that_have_ended() {
        let mut job = job();
        let mut ended = job.instances[0].clone();
        ended.key.index = 1;
        ended.state = InstanceState::Exited { code: 0 };
        job.instances.push(ended);
        let seen = snapshot(vec![node("a", 9000, 4096)], vec![job]);
        let indices = |keys: &[InstanceKey]| -> Vec<u32> { keys.iter().map(|k| k.index).collect() };
        let two = grown(&seen, 3);
        assert_eq!((indices(&two.new), two.stale.len()), (vec![2, 3], 0));
        let all = grown(&seen, 8);
        assert_eq!(indices(&all.stale), [1]);
        assert_eq!((all.new.len(), all.short), (7, None));
    }
}
