//! Hints that something has changed.

use std::collections::HashMap;

use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;

use super::DockerBackend;
use crate::engine::BoxStream;

impl DockerBackend {
    /// One item for each event of a container of ours; ends when the connection does.
    pub(super) fn watch(&self) -> BoxStream<'static, ()> {
        let filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            ("label".to_owned(), vec![self.label()]),
        ]);
        let options = EventsOptionsBuilder::default().filters(&filters).build();
        let api = self.api.slow.clone();
        api.events(Some(options))
            .take_while(|event| std::future::ready(event.is_ok()))
            .map(drop)
            .boxed()
    }
}
