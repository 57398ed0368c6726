//! Hints that something has changed.

use std::collections::HashMap;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::{StreamExt, future, stream};

use super::DockerBackend;
use crate::engine::BoxStream;

impl DockerBackend {
    /// One item for each event of a container of ours, and one more when a list shows that it has ended; ends when the
    /// connection does.
    ///
    /// An Engine tells of the end before it clears away what the container had: up to a second may pass until a list shows
    /// that it does not run any more. Nothing tells of that; but what is asked about the container itself is answered only then.
    pub(super) fn watch(&self) -> BoxStream<'static, ()> {
        let filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            ("label".to_owned(), vec![self.label()]),
        ]);
        let options = EventsOptionsBuilder::default().filters(&filters).build();
        let quick = self.api.quick.clone();
        self.api
            .slow
            .clone()
            .events(Some(options))
            .take_while(|event| future::ready(event.is_ok()))
            .map(move |event| {
                let quick = quick.clone();
                let cleared = stream::iter(event.ok().and_then(died)).then(move |id| {
                    let quick = quick.clone();
                    // Whatever it says: it is time to look.
                    async move { drop(quick.inspect_container(&id, None).await) }
                });
                stream::iter([()]).chain(cleared).boxed()
            })
            .flatten_unordered(None)
            .boxed()
    }
}

/// The container whose program has ended, if an event tells of that.
fn died(event: EventMessage) -> Option<String> {
    let is_end = event.action.is_some_and(|action| action == "die");
    event.actor.filter(|_| is_end)?.id
}
