//! How the Engines of the nodes are reached: the manager's own always, the others where the site says how.
//!
//! An Engine is looked for when it is first needed, for a few seconds at most, and kept. Who answers is asked which node it
//! is: a wrong address must not show another node's containers.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::{Instant, timeout};

use super::SwarmBackend;
use super::directory::{Place, SeenNode};
use crate::config::DockerUrl;
use crate::engine::docker::DockerBackend;
use crate::engine::endpoint::{Address, Endpoint, TlsFiles};
use crate::engine::gate::Gate;
use crate::engine::{EngineError, Result};
use crate::model::{Deployment, Instance};

/// How long an Engine may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long one that did not answer is taken for silent.
const RETRY: Duration = Duration::from_secs(10);
/// Why a node is not asked that is down.
pub(super) const SILENT: &str = "the Swarm hears nothing from there";
/// Docker's usual ports without and with TLS.
const PORTS: (u16, u16) = (2375, 2376);

/// Where the Engine of a node is: a URL with `{address}` or `{name}` in it, and how to speak to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeUrl {
    template: String,
    tls: Option<TlsFiles>,
}

impl NodeUrl {
    /// From what the configuration says; with `tls`, nodes are spoken to through TLS with these files.
    pub fn new(template: String, tls: Option<TlsFiles>) -> Self {
        Self { template, tls }
    }

    /// The address of a node's Engine, or why there is none.
    fn address(&self, node: &SeenNode) -> std::result::Result<Address, String> {
        let mut url = self.template.replace("{name}", &node.name);
        if url.contains("{address}") {
            let address = match node.address {
                Some(IpAddr::V4(ip)) => ip.to_string(),
                Some(IpAddr::V6(ip)) => format!("[{ip}]"),
                None => {
                    return Err(
                        "the Swarm knows no address of it; write {name} into [docker] node_url"
                            .to_owned(),
                    );
                }
            };
            url = url.replace("{address}", &address);
        }
        match DockerUrl::parse(&url, |path| path.into()) {
            Ok(DockerUrl::Tcp { host, port, .. }) => Ok(Address::Tcp {
                host,
                port: port.unwrap_or(if self.tls.is_some() { PORTS.1 } else { PORTS.0 }),
                tls: self.tls.clone(),
            }),
            Ok(DockerUrl::Unix(_) | DockerUrl::Memory(_)) => Err(format!(
                "[docker] node_url makes {url} of it, which is no node's"
            )),
            Err(why) => Err(format!("[docker] node_url makes {url} of it: {why}")),
        }
    }
}

#[derive(Deserialize)]
struct Info {
    #[serde(rename = "Swarm")]
    swarm: InfoSwarm,
}

#[derive(Deserialize)]
struct InfoSwarm {
    #[serde(rename = "NodeID")]
    node: String,
}

/// What came of looking for an Engine, and when.
type Tried = (Instant, std::result::Result<Arc<DockerBackend>, String>);

/// The Engines of the nodes.
pub(super) struct Nodes {
    url: Option<NodeUrl>,
    manager: Endpoint,
    deployment: Deployment,
    publish: IpAddr,
    gate: Gate,
    /// The id of the node whose manager is asked.
    own: OnceCell<String>,
    /// Where the manager is reached, once that was needed.
    host: OnceCell<IpAddr>,
    engines: std::sync::Mutex<HashMap<String, Arc<Mutex<Option<Tried>>>>>,
}

impl Nodes {
    pub(super) fn new(
        url: Option<NodeUrl>,
        manager: Endpoint,
        deployment: Deployment,
        publish: IpAddr,
        gate: Gate,
    ) -> Self {
        Self {
            url,
            manager,
            deployment,
            publish,
            gate,
            own: OnceCell::new(),
            host: OnceCell::new(),
            engines: std::sync::Mutex::default(),
        }
    }

    /// A node's Engine by its endpoint, or why there is none.
    async fn engine(&self, node: &SeenNode) -> std::result::Result<Arc<DockerBackend>, String> {
        let slot = {
            let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(engines.entry(node.id.clone()).or_default())
        };
        let mut slot = slot.lock().await;
        if let Some((at, tried)) = &*slot
            && (tried.is_ok() || at.elapsed() < RETRY)
        {
            return tried.clone();
        }
        let tried = self.look_for(node).await;
        *slot = Some((Instant::now(), tried.clone()));
        tried
    }

    async fn look_for(&self, node: &SeenNode) -> std::result::Result<Arc<DockerBackend>, String> {
        let Some(url) = &self.url else {
            return Err(
                "[docker] node_url, which says where the nodes' Engines are, is not set; it may be tcp://{address}:2375"
                    .to_owned(),
            );
        };
        let endpoint = Endpoint {
            address: url.address(node)?,
            origin: self.manager.origin.clone(),
            patience: self.manager.patience,
        };
        let engine = DockerBackend::new(
            &endpoint,
            self.deployment.clone(),
            self.publish,
            self.gate.clone(),
        )
        .map_err(|error| error.to_string())?;
        let answer = timeout(PATIENCE, node_id(&engine)).await;
        let found = answer
            .map_err(|_| {
                let seconds = PATIENCE.as_secs();
                format!("nobody answered at {} within {seconds} s", endpoint.address)
            })?
            .map_err(|error| error.to_string())?;
        if found != node.id {
            return Err(format!(
                "at {} another Engine answers; correct [docker] node_url",
                endpoint.address
            ));
        }
        Ok(Arc::new(engine))
    }
}

/// Which node an Engine says it is; nothing where it is in no Swarm.
async fn node_id(engine: &DockerBackend) -> Result<String> {
    let info: Info = engine
        .api()
        .get("asking the Engine about itself", "/info", &[])
        .await?;
    Ok(info.swarm.node)
}

async fn manager_host(manager: &Endpoint) -> IpAddr {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let Address::Tcp { host, port, .. } = &manager.address else {
        return here;
    };
    if let Ok(ip) = host.parse() {
        return ip;
    }
    let found = tokio::net::lookup_host((host.as_str(), *port)).await;
    found
        .ok()
        .and_then(|mut found| found.next())
        .map_or(here, |found| found.ip())
}

/// A node's Engine.
pub(super) enum NodeEngine<'a> {
    /// The manager's own.
    Own(&'a DockerBackend),
    /// Another node's.
    Other(Arc<DockerBackend>),
}

impl Deref for NodeEngine<'_> {
    type Target = DockerBackend;

    fn deref(&self) -> &DockerBackend {
        match self {
            Self::Own(engine) => engine,
            Self::Other(engine) => engine,
        }
    }
}

impl SwarmBackend {
    /// The Engine of a node, or why it can't be asked.
    pub(super) async fn engine_of(
        &self,
        node: &SeenNode,
    ) -> std::result::Result<NodeEngine<'_>, String> {
        let own = self.nodes.own.get_or_try_init(|| node_id(&self.engine));
        if *own.await.map_err(|error| error.to_string())? == node.id {
            return Ok(NodeEngine::Own(&self.engine));
        }
        if !node.is_up {
            return Err(SILENT.to_owned());
        }
        self.nodes.engine(node).await.map(NodeEngine::Other)
    }

    /// The Engine of the node where a member is; an error says how else to get there.
    pub(super) async fn engine_at(&self, place: &Place) -> Result<NodeEngine<'_>> {
        self.engine_of(&place.node)
            .await
            .map_err(|why| out_of_reach(place, why))
    }

    /// Says where the ports can be reached that instances publish on a node without an address that leads anywhere: where
    /// the manager is reached, as such a Swarm has no other node.
    pub(super) async fn locate<'a>(
        &self,
        instances: impl Iterator<Item = &'a mut Instance> + Send,
    ) {
        let ports = instances.flat_map(|instance| &mut instance.ports);
        for port in ports.filter(|port| port.host.is_unspecified()) {
            let host = &self.nodes.host;
            port.host = *host.get_or_init(|| manager_host(&self.nodes.manager)).await;
        }
    }
}

/// That a member's node can't be asked.
pub(super) fn out_of_reach(place: &Place, why: String) -> EngineError {
    EngineError::OutOfReach {
        node: place.node.name.clone(),
        container: place.container.clone(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::endpoint::EndpointOrigin;

    fn node(address: Option<&str>) -> SeenNode {
        SeenNode {
            id: "n".to_owned(),
            name: "worker-7".to_owned(),
            address: address.and_then(|text| text.parse().ok()),
            is_up: true,
        }
    }

    fn shown(template: &str, node: &SeenNode) -> std::result::Result<String, String> {
        let url = NodeUrl::new(template.to_owned(), None);
        url.address(node).map(|address| address.to_string())
    }

    #[test]
    fn an_engine_is_where_the_template_says() {
        let four = node(Some("10.0.0.7"));
        for (template, expected) in [
            ("tcp://{address}:2375", "tcp://10.0.0.7:2375"),
            ("tcp://{address}", "tcp://10.0.0.7:2375"),
            ("tcp://{name}.lan:4444", "tcp://worker-7.lan:4444"),
        ] {
            assert_eq!(shown(template, &four).as_deref(), Ok(expected));
        }
        let six = shown("tcp://{address}:2375", &node(Some("fd00::7")));
        assert_eq!(six.as_deref(), Ok("tcp://[fd00::7]:2375"));
        assert!(shown("tcp://{address}", &node(None)).is_err_and(|why| why.contains("{name}")));
        let mut odd = node(None);
        odd.name = "a b".to_owned();
        assert!(shown("tcp://{name}", &odd).is_err_and(|why| why.contains("node_url")));
    }

    #[tokio::test]
    async fn what_has_no_address_is_where_the_manager_is_reached() {
        let tcp = |host: &str| Address::Tcp {
            host: host.to_owned(),
            port: 2375,
            tls: None,
        };
        for (address, expected) in [
            (Address::Unix("/var/run/docker.sock".into()), "127.0.0.1"),
            (tcp("192.168.1.5"), "192.168.1.5"),
            (tcp("fd00::5"), "fd00::5"),
            (tcp("nowhere.invalid"), "127.0.0.1"),
        ] {
            let manager = Endpoint {
                address,
                origin: EndpointOrigin::DockerHost,
                patience: crate::engine::endpoint::PATIENCE,
            };
            assert_eq!(manager_host(&manager).await.to_string(), expected);
        }
    }

    #[test]
    fn a_node_is_spoken_to_as_the_manager_is() {
        let files = TlsFiles {
            ca: "ca".into(),
            cert: "cert".into(),
            key: "key".into(),
        };
        let url = NodeUrl::new("tcp://{address}".to_owned(), Some(files.clone()));
        assert_eq!(
            url.address(&node(Some("10.0.0.7"))),
            Ok(Address::Tcp {
                host: "10.0.0.7".to_owned(),
                port: 2376,
                tls: Some(files)
            })
        );
    }
}
