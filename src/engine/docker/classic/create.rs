//! What a manager is told when a container is made: what differs from the same on an Engine. Pure.
//!
//! A manager reads what it is to heed out of the environment (`constraint:…`, `affinity:…`) and takes it out of there. It
//! counts whole processors, `CpuShares` of them, and memory; limits it hands on to the Engine.

use std::net::{IpAddr, Ipv4Addr};

use bollard::errors::Error;
use bollard::models::ContainerCreateBody;

use super::super::create::{self, Connection};
use crate::model::{Cores, Deployment, InstanceSpec, Resources};

/// What an instance gets beside what its specification says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// The names and addresses of members that run already, `name:address`.
    pub(super) hosts: &'a [String],
    /// Where ports are published.
    pub(super) publish: IpAddr,
    /// Whether its image needs an init.
    pub(super) init: bool,
}

/// An instance's container, on its node's own bridge.
pub(super) fn instance(
    deployment: &Deployment,
    spec: &InstanceSpec,
    around: Surroundings<'_>,
) -> ContainerCreateBody {
    let connection = Connection {
        network: "",
        publish: published(around.publish),
    };
    let mut body = create::instance(deployment, spec, connection, around.init);
    body.networking_config = None;
    if let Some(node) = &spec.node {
        let env = body.env.get_or_insert_default();
        env.push(format!("constraint:node=={node}"));
    }
    // A container finds itself by its host name alone.
    if spec.needs.contains(&spec.key.component) {
        body.hostname = Some(spec.key.component.to_string());
    }
    let host = body.host_config.get_or_insert_default();
    host.network_mode = None;
    host.extra_hosts = Some(around.hosts.to_vec()).filter(|hosts| !hosts.is_empty());
    host.cpu_shares = i64::try_from(counted(spec.reservation.cores)).ok();
    body
}

/// The processors that the manager counts for a member: the whole ones in what it has. Were parts counted as whole, it would
/// refuse members for which zoe, which counts the parts, has found room; the limits hold in any case.
pub(super) fn counted(cores: Cores) -> u64 {
    cores.millis() / 1000
}

/// What the manager counts for a member.
pub(super) fn reserved(reservation: Resources) -> Resources {
    Resources {
        cores: Cores::from_millis(counted(reservation.cores).saturating_mul(1000)),
        memory: reservation.memory,
    }
}

/// A port that only its node could reach would be of no use: the machine zoe runs on is another one.
fn published(address: IpAddr) -> IpAddr {
    if address.is_loopback() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    } else {
        address
    }
}

/// Has a container that no node was chosen for made where its image is. A manager would rather have another node look for
/// the image in a registry.
pub(in crate::engine::docker) fn beside_image(body: &mut ContainerCreateBody) {
    let placed = |entry: &String| entry.starts_with("constraint:node==");
    let env = body.env.get_or_insert_default();
    match &body.image {
        // A manager can't read an expression with a `@` in it.
        Some(image) if !image.contains('@') && !env.iter().any(placed) => {
            env.push(format!("affinity:image=={image}"));
        }
        Some(_) | None => {}
    }
}

/// Whether a manager said that no node has the image: it lists all that it looked for in a node.
pub(in crate::engine::docker) fn nowhere(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("find a node that satisfies") && text.contains("image==")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bytes, ExecutionId, InstanceKey, Secret};

    fn spec(cores: u64) -> InstanceSpec {
        InstanceSpec {
            key: InstanceKey {
                execution: ExecutionId::from_bits(1),
                component: "master".parse().unwrap(),
                index: 0,
            },
            image: "zoe/tiny".to_owned(),
            command: None,
            env: vec![("A".to_owned(), Secret::new("b"))],
            secrets: Vec::new(),
            volumes: Vec::new(),
            publish: vec![8080],
            reservation: Resources {
                cores: Cores::from_millis(cores),
                memory: Bytes::from_mib(64),
            },
            aliases: vec!["master".to_owned()],
            needs: vec!["master".parse().unwrap()],
            node: Some("n1".to_owned()),
        }
    }

    fn body(spec: &InstanceSpec, publish: &str, hosts: &[String]) -> ContainerCreateBody {
        let around = Surroundings {
            hosts,
            publish: publish.parse().unwrap(),
            init: true,
        };
        instance(&"dep".parse().unwrap(), spec, around)
    }

    #[test]
    fn an_instance_is_told_to_a_manager_whole() {
        let made = body(&spec(2500), "127.0.0.1", &["worker:10.1.0.2".to_owned()]);
        let mut json = serde_json::to_value(&made).unwrap();
        json["Labels"] = json["Labels"]["zoe.kind"].clone();
        insta::assert_json_snapshot!(json, @r#"
        {
          "Env": [
            "A=b",
            "constraint:node==n1"
          ],
          "ExposedPorts": {
            "8080/tcp": {}
          },
          "HostConfig": {
            "CpuShares": 2,
            "ExtraHosts": [
              "worker:10.1.0.2"
            ],
            "Init": true,
            "Memory": 67108864,
            "MemorySwap": 67108864,
            "Mounts": [],
            "NanoCpus": 2500000000,
            "PortBindings": {
              "8080/tcp": [
                {
                  "HostIp": "0.0.0.0"
                }
              ]
            },
            "RestartPolicy": {
              "Name": "no"
            }
          },
          "Hostname": "master",
          "Image": "zoe/tiny",
          "Labels": "instance"
        }
        "#);
    }

    #[test]
    fn whole_processors_are_counted_and_parts_are_not() {
        for (millis, counts) in [(100, 0), (999, 0), (1000, 1), (1500, 1), (2000, 2)] {
            assert_eq!(counted(Cores::from_millis(millis)), counts);
            let host = body(&spec(millis), "::1", &[]).host_config.unwrap();
            let nanos = i64::try_from(millis * 1_000_000).unwrap();
            assert_eq!(host.cpu_shares, i64::try_from(counts).ok());
            assert_eq!((host.nano_cpus, host.extra_hosts), (Some(nanos), None));
        }
    }

    #[test]
    fn a_manager_says_that_no_node_has_an_image() {
        let says = |message: &str| {
            let message = message.to_owned();
            let status_code = 500;
            nowhere(&Error::DockerResponseServerError {
                status_code,
                message,
            })
        };
        assert!(says(
            "Unable to find a node that satisfies the following conditions \n[available container slots]\n\
             [image==zoe/tiny:1 (soft=false)]"
        ));
        assert!(!says("no resources available to schedule container"));
        assert!(!says(
            "Unable to find a node that satisfies the following conditions \n[node==n9]"
        ));
    }

    #[test]
    fn ports_are_published_where_others_reach_them() {
        for (configured, published) in [
            ("127.0.0.1", "0.0.0.0"),
            ("0.0.0.0", "0.0.0.0"),
            ("10.0.0.7", "10.0.0.7"),
        ] {
            let host = body(&spec(1), configured, &[]).host_config.unwrap();
            let ports = host.port_bindings.unwrap();
            let bindings = ports["8080/tcp"].clone().unwrap();
            assert_eq!(bindings[0].host_ip.as_deref(), Some(published));
        }
    }

    #[test]
    fn what_has_no_node_goes_where_its_image_is() {
        let env = |mut body: ContainerCreateBody| {
            beside_image(&mut body);
            body.env.unwrap_or_default()
        };
        let of = |image: &str| ContainerCreateBody {
            image: Some(image.to_owned()),
            ..ContainerCreateBody::default()
        };
        assert_eq!(env(of("r:5/a:1")), ["affinity:image==r:5/a:1"]);
        assert!(env(of("a@sha256:12")).is_empty());
        let placed = env(body(&spec(1), "127.0.0.1", &[]));
        assert_eq!(placed, ["A=b", "constraint:node==n1"]);
    }
}
