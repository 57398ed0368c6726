//! Hints that something has changed. A manager tells of everything that happens to any container of its nodes, whatever it is
//! asked for, and of nodes that come and go.

use std::collections::HashMap;

use bytes::{Buf, BytesMut};
use futures_util::{StreamExt, future, stream};
use http_body_util::BodyExt;
use serde::Deserialize;

use super::super::api::request;
use super::ClassicBackend;
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
        let mut rest = BytesMut::new();
        let hints = answer
            .into_body()
            .into_data_stream()
            .take_while(|piece| future::ready(piece.is_ok()))
            .flat_map(move |piece| {
                rest.extend_from_slice(&piece.unwrap_or_default());
                let hints = take_events(&mut rest)
                    .iter()
                    .filter(|event| event.is_of(&deployment))
                    .count();
                stream::iter(std::iter::repeat_n((), hints))
            });
        Ok(hints.boxed())
    }
}

/// Takes the whole events off what came: they follow each other without anything between them.
fn take_events(rest: &mut BytesMut) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let mut read = serde_json::Deserializer::from_slice(rest).into_iter::<Event>();
        let next = read.next();
        let end = read.byte_offset();
        match next {
            Some(Ok(event)) => {
                events.push(event);
                rest.advance(end);
            }
            // What can't be read is no reason to take no more hints.
            Some(Err(error)) if !error.is_eof() => {
                rest.clear();
                return events;
            }
            Some(Err(_)) | None => return events,
        }
    }
}

impl Event {
    fn is_of(&self, deployment: &str) -> bool {
        let attributes = self.actor.attributes.as_ref();
        let of = attributes.and_then(|attributes| attributes.get(labels::DEPLOYMENT));
        self.kind == "swarm"
            || (self.kind == "container" && of.is_some_and(|name| name == deployment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_containers_and_all_nodes_are_of_interest() {
        let ours = |event: &str| {
            let mut bytes = BytesMut::from(event);
            let events = take_events(&mut bytes);
            assert!(bytes.is_empty());
            events
                .iter()
                .map(|event| event.is_of("dep"))
                .collect::<Vec<_>>()
        };
        let all = concat!(
            r#"{"status":"die","id":"1","Type":"container","Action":"die","Actor":{"ID":"1","Attributes":"#,
            r#"{"zoe.deployment":"dep","node.name":"n1"}},"node":{"Name":"n1"}}"#,
            r#"{"status":"engine_disconnect","Type":"swarm","Actor":{"Attributes":{}}}"#,
            r#"{"Type":"container","Actor":{"Attributes":{"zoe.deployment":"other"}}}"#,
            r#"{"Type":"image","Actor":{"Attributes":null}}"#,
        );
        assert_eq!(ours(all), [true, true, false, false]);
    }

    #[test]
    fn an_event_may_come_in_pieces() {
        let mut rest = BytesMut::from(r#"{"Type":"swarm"}{"Type":"#);
        assert_eq!(take_events(&mut rest).len(), 1);
        rest.extend_from_slice(br#""swarm"}"#);
        assert_eq!(take_events(&mut rest).len(), 1);
        rest.extend_from_slice(b"what?");
        assert!(take_events(&mut rest).is_empty() && rest.is_empty());
    }
}
