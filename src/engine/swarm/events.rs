//! Hints that something has changed.
//!
//! A Swarm tells of services, nodes, networks, secrets and configs, but of no task: that a member has ended shows only in
//! the list of tasks. So that is read twice a second as long as somebody listens, and hints when it is another than before:
//! one call that costs the manager some milliseconds.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::{StreamExt, stream};

use super::SwarmBackend;
use super::directory::Directory;
use super::wire::ListedTask;
use crate::engine::BoxStream;
use crate::engine::client::api::label_filter;
use crate::labels;

const PAUSE: Duration = Duration::from_millis(500);

impl SwarmBackend {
    /// One item for each change that was seen; ends when the connection does.
    pub(super) fn watch(&self) -> BoxStream<'static, ()> {
        let kinds = ["service", "node", "config"].map(str::to_owned);
        let filters = HashMap::from([("type".to_owned(), kinds.to_vec())]);
        let options = EventsOptionsBuilder::default().filters(&filters).build();
        let ours = format!("zoe-{}-", self.deployment);
        let events = self.api.slow.clone().events(Some(options));
        let events = events
            .take_while(|event| std::future::ready(event.is_ok()))
            .filter_map(move |event| {
                let event = event.ok();
                let of_a_node = |kind: &bollard::models::EventMessageTypeEnum| {
                    *kind == bollard::models::EventMessageTypeEnum::NODE
                };
                let concerns_us = event.is_some_and(|event| {
                    let name = event.actor.and_then(|actor| actor.attributes);
                    let name = name.and_then(|mut all| all.remove("name"));
                    event.typ.as_ref().is_some_and(of_a_node)
                        || name.is_some_and(|name| name.starts_with(&ours))
                });
                std::future::ready(concerns_us.then_some(()))
            });
        let label = format!("{}={}", labels::DEPLOYMENT, self.deployment);
        let polling = poll(Arc::clone(&self.directory), label);
        // Whichever ends first ends both: a listener that hears half would wait for the other half.
        let end = || stream::once(std::future::ready(None));
        let ending = |hints: BoxStream<'static, ()>| hints.map(Some).chain(end()).boxed();
        stream::select(ending(events.boxed()), ending(polling.boxed()))
            .take_while(|hint| std::future::ready(hint.is_some()))
            .map(drop)
            .boxed()
    }
}

/// One item whenever the tasks are others, or do something else, than a moment ago.
fn poll(
    directory: Arc<Directory>,
    label: String,
) -> impl futures_util::Stream<Item = ()> + Send + 'static {
    stream::unfold(None, move |before: Option<u64>| {
        let directory = Arc::clone(&directory);
        let filter = label_filter(std::slice::from_ref(&label));
        async move {
            let mut before = before;
            loop {
                let tasks: Vec<ListedTask> = directory
                    .api
                    .get("listing tasks", "/tasks", &[("filters", &filter)])
                    .await
                    .ok()?;
                let now = fingerprint(&tasks);
                if before.replace(now).is_some_and(|then| then != now) {
                    return Some(((), before));
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    })
}

fn fingerprint(tasks: &[ListedTask]) -> u64 {
    let mut all: Vec<_> = tasks
        .iter()
        .map(|task| (&task.id, &task.status.state, &task.desired_state))
        .collect();
    all.sort();
    let mut hasher = DefaultHasher::new();
    all.hash(&mut hasher);
    hasher.finish()
}
