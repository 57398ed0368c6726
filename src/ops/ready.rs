//! Asking components whether they are ready, in their own words.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::context::World;
use super::fetch::{self, Question};
use crate::apps;
use crate::model::{Component, Execution, Ready};

/// How often a component is asked.
pub(super) const INTERVAL: Duration = Duration::from_millis(200);
/// How long one answer may take; a component that is starting may accept and stay silent.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What a component said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Which component.
    pub component: String,
    /// How much it has of what is asked for; 1 where an answer is all that is asked for.
    pub have: u64,
    /// How much it is to have.
    pub want: u64,
    /// Whether it was asked at all: it may have no address yet, or none that can be reached from here.
    pub reached: bool,
}

/// What came of asking a web server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The body of an answer below 400.
    Said(Vec<u8>),
    /// Nobody listens there, or there was no such answer in time.
    Nothing,
    /// It is not known: the address can't be reached from here.
    OutOfReach,
}

impl Readiness {
    /// Whether it is ready.
    pub fn holds(&self) -> bool {
        self.have >= self.want
    }
}

/// Asks every component that says how, all at once. One that can't be reached, or answers something else, is not ready.
pub async fn probe(world: &dyn World, execution: &Execution, patience: Duration) -> Vec<Readiness> {
    let components = execution.ticket.application.components.iter();
    let asked = components.filter_map(|component| {
        let ready = component.ready.as_ref()?;
        Some(one(world, execution, component, ready, patience))
    });
    join_all(asked).await
}

async fn one(
    world: &dyn World,
    execution: &Execution,
    component: &Component,
    ready: &Ready,
    patience: Duration,
) -> Readiness {
    // A question that asks for no number is answered by any answer: one of one.
    let want = apps::ready_threshold(&execution.ticket, component)
        .unwrap_or(u64::MAX)
        .max(1);
    let mut readiness = Readiness {
        component: component.name.to_string(),
        have: 0,
        want,
        reached: false,
    };
    let place = component.port(&ready.port).and_then(|port| {
        let mut members = execution.members(component.name.as_str());
        members.find_map(|instance| {
            let base = execution
                .ticket
                .base_of(component, instance.key.index, port);
            Some((instance.public_address(port.container)?, base))
        })
    });
    if let Some((address, base)) = place {
        let path = format!("{base}{}", ready.path);
        let reply = world.ask(address, &path, patience).await;
        readiness.reached = reply != Reply::OutOfReach;
        if let Reply::Said(body) = reply {
            readiness.have = match &ready.threshold {
                Some(threshold) => number_at(&body, &threshold.pointer).unwrap_or(0),
                None => want,
            };
        }
    }
    readiness
}

/// What components that are not ready lack.
pub(super) fn missing(readiness: &[Readiness]) -> String {
    let missing = readiness.iter().filter(|one| !one.holds());
    let each = missing.map(|one| format!("{} has {} of {}", one.component, one.have, one.want));
    let each: Vec<String> = each.collect();
    each.join(", ")
}

/// Asks for a path over the network.
pub(super) async fn ask(address: SocketAddr, path: String, patience: Duration) -> Reply {
    let deadline = Instant::now() + patience;
    let connected = tokio::time::timeout_at(deadline, TcpStream::connect(address));
    let stream = match connected.await {
        Ok(Ok(stream)) => stream,
        // Its machine has answered.
        Ok(Err(error))
            if matches!(
                error.kind(),
                ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
            ) =>
        {
            return Reply::Nothing;
        }
        Ok(Err(_)) | Err(_) => return Reply::OutOfReach,
    };
    let question = Question {
        address,
        path,
        token: None,
    };
    let body = tokio::time::timeout_at(deadline, body(stream, &question));
    body.await
        .ok()
        .flatten()
        .map_or(Reply::Nothing, Reply::Said)
}

/// The body of the answer, if there is one below 400.
async fn body(stream: TcpStream, question: &Question) -> Option<Vec<u8>> {
    let answer = fetch::exchange(stream, question).await.ok()?;
    (answer.status < 400).then_some(answer.body)
}

fn number_at(body: &[u8], pointer: &str) -> Option<u64> {
    serde_json::from_slice::<serde_json::Value>(body)
        .ok()?
        .pointer(pointer)?
        .as_u64()
}

#[cfg(test)]
mod tests {
    use super::number_at;

    #[test]
    fn a_number_is_found_by_its_pointer() {
        assert_eq!(
            number_at(br#"{"aliveworkers":2}"#, "/aliveworkers"),
            Some(2)
        );
        assert_eq!(number_at(br#"{"aliveworkers":"2"}"#, "/aliveworkers"), None);
        assert_eq!(number_at(b"<html>", "/aliveworkers"), None);
    }
}
