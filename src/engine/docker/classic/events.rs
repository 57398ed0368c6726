//! Hints that something has changed. A manager tells of everything that happens to any container of its nodes, whatever it is
//! asked for, and of nodes that come and go.

use std::collections::HashMap;

use futures_util::{StreamExt, future, stream};
use http_body_util::BodyExt;
use serde::Deserialize;

use super::super::api::request;
use super::ClassicBackend;
use crate::engine::client::steps::Lines;
use crate::engine::{BoxStream, Result};
use crate::labels;

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(default, rename = "Type")]
    kind: String,
    #[serde(default, rename = "Actor")]
    actor: Actor,
}

#[derive(Debug, Default, Deserialize)]
struct Actor {
    #[serde(default, rename = "Attributes")]
    attributes: Option<HashMap<String, String>>,
}

impl ClassicBackend {
    /// One item for each event of a container of ours or of a node; ends when the connection does.
    pub(super) async fn watch(&self) -> Result<BoxStream<'static, ()>> {
        let asked = request(hyper::Method::GET, "/events", &[], None::<&()>);
        let api = &self.docker.api;
        let answer = api
            .raw_patient(asked)
            .await
            .map_err(|error| api.error("watching events", error))?;
        let deployment = self.docker.deployment.to_string();
        let mut lines = Lines::default();
        let hints = answer
            .into_body()
            .into_data_stream()
            .take_while(|piece| future::ready(piece.is_ok()))
            .flat_map(move |piece| {
                lines.push(&piece.unwrap_or_default());
                let mut hints = 0;
                while let Some(line) = lines.next() {
                    hints += usize::from(is_ours(&line, &deployment));
                }
                stream::iter(std::iter::repeat_n((), hints))
            });
        Ok(hints.boxed())
    }
}

fn is_ours(line: &[u8], deployment: &str) -> bool {
    let Ok(event) = serde_json::from_slice::<Event>(line) else {
        return false;
    };
    let attributes = event.actor.attributes.unwrap_or_default();
    let of = attributes.get(labels::DEPLOYMENT).map(String::as_str);
    event.kind == "swarm" || (event.kind == "container" && of == Some(deployment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_containers_and_all_nodes_are_of_interest() {
        let ours = |line: &str| is_ours(line.as_bytes(), "dep");
        assert!(ours(
            r#"{"status":"die","id":"1","Type":"container","Action":"die","Actor":{"ID":"1","Attributes":
            {"zoe.deployment":"dep","node.name":"n1"}},"node":{"Name":"n1"}}"#
        ));
        assert!(ours(
            r#"{"status":"engine_disconnect","Type":"swarm","Actor":{"Attributes":{}}}"#
        ));
        assert!(!ours(
            r#"{"Type":"container","Actor":{"Attributes":{"zoe.deployment":"other"}}}"#
        ));
        assert!(!ours(r#"{"Type":"image","Actor":{"Attributes":null}}"#));
        assert!(!ours("no event"));
    }
}
