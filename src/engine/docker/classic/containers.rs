//! The containers that a manager lists, and which of them an instance is.
//!
//! A manager answers from memory. It goes on listing the containers of a node that is down, with the status `Host Down`, and
//! refuses everything that is asked of them. So an instance that was lost and made anew on another node is listed twice, and
//! once more, by its old name, when that node is back.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::super::observe;
use super::super::wire::ListedContainer;
use super::ClassicBackend;
use crate::engine::{EngineError, Result};
use crate::labels::{self, Decoded};
use crate::model::{ExecutionId, InstanceKey, InstanceState};

/// What the status of a container says whose node is down.
const HOST_DOWN: &str = "Host Down";
/// Why nothing can be asked of one.
const SILENT: &str = "the node does not answer its Swarm manager";

/// The node a container is on: its names are `/node/name`.
pub(super) fn node_of(container: &ListedContainer) -> &str {
    container
        .names
        .first()
        .and_then(|name| name.trim_start_matches('/').split_once('/'))
        .map_or("", |(node, _)| node)
}

/// Whether its node is down, so that what is listed is how it was.
pub(super) fn is_out_of_reach(container: &ListedContainer) -> bool {
    container.status == HOST_DOWN
}

/// What a container is doing. State and status are two memories of the manager's, and one may be older than the other: what
/// they disagree on is `Other`, which is looked into.
pub(super) fn state(container: &ListedContainer) -> InstanceState {
    let (state, status) = (container.state.as_str(), container.status.as_str());
    let starts = |word: &str| status.starts_with(word);
    if is_out_of_reach(container) {
        return InstanceState::Lost { since: None };
    }
    match state {
        // Nothing runs again that has ended.
        _ if starts("Exited") => super::super::wire::state("exited", status),
        "created" if starts("Created") => InstanceState::Created,
        "running" | "paused" if starts("Up") => InstanceState::Running,
        _ => InstanceState::Other,
    }
}

/// Which of several containers that say they are the same instance is it: the newest that can be reached. Returns it and the
/// others.
pub(super) fn elect(
    mut twins: Vec<ListedContainer>,
) -> Option<(ListedContainer, Vec<ListedContainer>)> {
    twins.sort_by_key(|twin| {
        (
            is_out_of_reach(twin),
            Reverse(twin.created),
            twin.id.clone(),
        )
    });
    let mut twins = twins.into_iter();
    Some((twins.next()?, twins.collect()))
}

/// The error for what is asked of a container whose node is down.
pub(super) fn out_of_reach(container: &ListedContainer) -> EngineError {
    EngineError::OutOfReach {
        node: node_of(container).to_owned(),
        container: container.id.clone(),
        why: SILENT.to_owned(),
    }
}

impl ClassicBackend {
    /// All containers of an execution's instances.
    pub(super) async fn instances_of(
        &self,
        execution: ExecutionId,
    ) -> Result<Vec<ListedContainer>> {
        let filter = [
            self.docker.label(),
            format!("{}={}", labels::KIND, labels::KIND_INSTANCE),
            format!("{}={execution}", labels::EXECUTION),
        ];
        let listed = observe::list(&self.docker.api, &filter).await?;
        Ok(self.docker.own(listed, |decoded| {
            matches!(decoded, Decoded::Instance { .. })
        }))
    }

    /// The containers of an execution's instances, one for each.
    pub(super) async fn members_of(
        &self,
        execution: ExecutionId,
    ) -> Result<BTreeMap<InstanceKey, ListedContainer>> {
        let mut twins: HashMap<InstanceKey, Vec<ListedContainer>> = HashMap::new();
        for container in self.instances_of(execution).await? {
            if let Some(Ok((_, Decoded::Instance { key, .. }))) = labels::decode(&container.labels)
            {
                twins.entry(key).or_default().push(container);
            }
        }
        Ok(twins
            .into_iter()
            .filter_map(|(key, twins)| Some((key, elect(twins)?.0)))
            .collect())
    }

    /// The container that an instance is.
    pub(super) async fn container(&self, key: &InstanceKey) -> Result<ListedContainer> {
        let mut members = self.members_of(key.execution).await?;
        members.remove(key).ok_or_else(|| EngineError::Gone {
            what: format!(
                "instance {}-{} of {}",
                key.component, key.index, key.execution
            ),
        })
    }

    /// Docker's id of the container that an instance is, where something can be asked of it.
    pub(super) async fn reachable(&self, key: &InstanceKey) -> Result<String> {
        let container = self.container(key).await?;
        if is_out_of_reach(&container) {
            return Err(out_of_reach(&container));
        }
        Ok(container.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, node: &str, created: i64, state: &str, status: &str) -> ListedContainer {
        serde_json::from_value(serde_json::json!({
            "Id": id, "Names": [format!("/{node}/zoe-d-x-worker-0")], "Created": created,
            "State": state, "Status": status,
        }))
        .unwrap()
    }

    #[test]
    fn what_two_memories_agree_on_is_believed() {
        let of = |state_word: &str, status: &str| state(&listed("a", "n1", 1, state_word, status));
        assert_eq!(of("created", "Created"), InstanceState::Created);
        assert_eq!(of("running", "Up 5 seconds"), InstanceState::Running);
        assert_eq!(
            of("paused", "Up 5 seconds (Paused)"),
            InstanceState::Running
        );
        let exited = InstanceState::Exited { code: 3 };
        assert_eq!(of("exited", "Exited (3) 2 hours ago"), exited);
        assert_eq!(of("running", "Exited (3) 2 hours ago"), exited);
        let lost = InstanceState::Lost { since: None };
        assert_eq!(of("running", "Host Down"), lost);
        assert_eq!(of("exited", "Host Down"), lost);
        for (state, status) in [
            ("exited", "Up 5 seconds"),
            ("running", "Created"),
            ("created", "Up 1 second"),
            ("restarting", "Restarting (1) 3 seconds ago"),
        ] {
            assert_eq!(of(state, status), InstanceState::Other, "{state} {status}");
        }
    }

    #[test]
    fn of_twins_the_newest_that_can_be_reached_counts() {
        let lost = listed("lost", "n2", 30, "running", "Host Down");
        let old = listed("old", "n1", 10, "exited", "Exited (137) 1 second ago");
        let new = listed("new", "n3", 20, "running", "Up 1 second");
        let (elected, others) = elect(vec![lost, old, new]).unwrap();
        assert_eq!(elected.id, "new");
        let others: Vec<_> = others.iter().map(|twin| twin.id.as_str()).collect();
        assert_eq!(others, ["old", "lost"]);
        assert!(elect(Vec::new()).is_none());
    }

    #[test]
    fn the_node_is_before_the_name() {
        assert_eq!(node_of(&listed("a", "n1", 1, "", "")), "n1");
        let bare: ListedContainer =
            serde_json::from_str(r#"{"Id":"a","Names":["/zoe-x"]}"#).unwrap();
        assert_eq!(node_of(&bare), "");
    }
}
