//! What kind of Docker answers at an endpoint.
//!
//! One question tells: only a Swarm's manager can list nodes. An Engine that is none refuses (503), and a classic Swarm
//! manager, which knows nothing of Swarm mode, has no such path (404); as an old Engine has none either, it is asked what
//! it is called.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

use super::Result;
use super::client::api::{Api, request, status};
use super::client::transport::Transport;
use super::endpoint::Endpoint;
use super::gate::Gate;

/// A kind of Docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One Engine.
    Engine,
    /// A manager of a Swarm.
    Swarm,
    /// A classic Swarm manager.
    Classic,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    #[serde(default)]
    version: String,
}

/// What was found out, and how: the next questions go the same way.
pub struct Detected {
    /// What it is.
    pub kind: Kind,
    pub(in crate::engine) transport: Arc<Transport>,
    /// The Swarm's nodes.
    pub(in crate::engine) nodes: Option<Bytes>,
}

/// Asks the daemon at `endpoint` what it is. A worker of a Swarm is an Engine here: it can't manage the Swarm.
pub async fn detect(endpoint: &Endpoint, gate: Gate) -> Result<Detected> {
    const WHAT: &str = "asking what kind of Docker it is";
    let transport = Transport::new(endpoint, gate)?;
    let api = Api::new(Arc::clone(&transport))?;
    let asked = request(hyper::Method::GET, "/nodes", &[], None::<&()>);
    let (kind, nodes) = match api.ask(asked).await {
        Ok(nodes) if nodes.starts_with(b"[") => (Kind::Swarm, Some(nodes)),
        // No list of nodes: whatever answers there, its next answer tells.
        Ok(_) => (Kind::Engine, None),
        Err(error) => match status(&error) {
            Some(404) => {
                let version: Version = api.get(WHAT, "/version", &[]).await?;
                let classic = version.version.starts_with("swarm/");
                (if classic { Kind::Classic } else { Kind::Engine }, None)
            }
            Some(_) => (Kind::Engine, None),
            None => return Err(api.error(WHAT, error)),
        },
    };
    Ok(Detected {
        kind,
        transport,
        nodes,
    })
}
