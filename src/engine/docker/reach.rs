//! Where the ports of an Engine elsewhere are reached: at the address that zoe reaches the Engine at itself.
//!
//! What it leaves out: whether they are reached from anywhere else.

use std::net::IpAddr;

use super::DockerBackend;
use crate::engine::assemble::SeenContainer;
use crate::engine::endpoint::Address;

/// The name or address of an Engine that is not behind a socket of this machine.
pub(super) fn host(address: &Address) -> Option<String> {
    match address {
        Address::Tcp { host, .. } => Some(host.clone()),
        Address::Unix(_) | Address::Memory(_) => None,
    }
}

impl DockerBackend {
    /// Fills in that address where a port is published on all that the Engine's machine has.
    pub(super) async fn reach(&self, containers: &mut [SeenContainer]) {
        let mut ports = containers.iter().flat_map(|container| &container.ports);
        if !ports.any(|port| port.host.is_unspecified()) {
            return;
        }
        let Some(at) = self.address().await else {
            return;
        };
        for container in containers {
            fill_in(container, at);
        }
    }

    async fn address(&self) -> Option<IpAddr> {
        let host = self.host.as_deref()?;
        if let Ok(address) = host.parse() {
            return Some(address);
        }
        // It has been connected to, so the name is known.
        let found = tokio::net::lookup_host((host, 0)).await.ok()?;
        let mut found: Vec<IpAddr> = found.map(|socket| socket.ip()).collect();
        found.sort_by_key(IpAddr::is_ipv6);
        found.into_iter().next()
    }
}

/// An Engine lists one port for IPv4 and once more, with another number, for IPv6.
fn fill_in(container: &mut SeenContainer, at: IpAddr) {
    let ports = &mut container.ports;
    for port in ports.iter_mut() {
        if port.host.is_unspecified() && port.host.is_ipv4() == at.is_ipv4() {
            port.host = at;
        }
    }
    ports.sort_by_key(|port| port.host.is_unspecified());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::docker::wire::ListedContainer;

    #[test]
    fn what_is_published_everywhere_is_reached_where_the_engine_is() {
        let listed = r#"{"Id":"a","Names":["/a"],"State":"running","Ports":[
            {"IP":"::","PrivatePort":8080,"PublicPort":49154,"Type":"tcp"},
            {"IP":"0.0.0.0","PrivatePort":8080,"PublicPort":49153,"Type":"tcp"},
            {"IP":"10.0.0.9","PrivatePort":8081,"PublicPort":49155,"Type":"tcp"}]}"#;
        let first = |at: &str| {
            let listed: ListedContainer = serde_json::from_str(listed).unwrap();
            let mut seen = listed.seen("n");
            fill_in(&mut seen, at.parse().unwrap());
            let of = |container| {
                let mut ports = seen.ports.iter();
                let port = ports.find(|port| port.container == container).unwrap();
                format!("{} {}", port.host, port.public)
            };
            [of(8080), of(8081)]
        };
        assert_eq!(first("10.1.2.3"), ["10.1.2.3 49153", "10.0.0.9 49155"]);
        assert_eq!(first("fd00::3"), ["fd00::3 49154", "10.0.0.9 49155"]);
    }
}
