//! What the daemon is told when a container is made. Pure.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, Mount, MountType, NetworkingConfig,
    PortBinding, RestartPolicy, RestartPolicyNameEnum,
};

use crate::engine::private;
use crate::labels::{self, Labels};
use crate::model::{Deployment, InstanceSpec, Private, Resources, Secret, Ticket, Volume};

/// Programs that do what an init does; a second one before them would only warn about that.
const INITS: [&str; 5] = [
    "tini",
    "tini-static",
    "docker-init",
    "dumb-init",
    "catatonit",
];

/// The ticket's container: labels and environment, never started.
pub(super) fn ticket(ticket: &Ticket, private: &Private, image: String) -> ContainerCreateBody {
    ContainerCreateBody {
        env: Some(private::to_env(private)),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            ..HostConfig::default()
        }),
        ..idle(image, labels::ticket(ticket))
    }
}

/// A container that is not meant to run. Its command does nothing should somebody start it all the same; Docker wants
/// one where the image has none.
pub(super) fn idle(image: String, labels: Labels) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(image),
        cmd: Some(vec!["true".to_owned()]),
        labels: Some(labels.into_iter().collect()),
        ..ContainerCreateBody::default()
    }
}

/// How an instance is connected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection<'a> {
    /// The id of the execution's network.
    pub(super) network: &'a str,
    /// The address its ports are published on.
    pub(super) publish: IpAddr,
}

/// An instance's container.
pub(super) fn instance(
    deployment: &Deployment,
    spec: &InstanceSpec,
    connection: Connection<'_>,
    init: bool,
) -> ContainerCreateBody {
    let labels = labels::instance(deployment, &spec.key, spec.reservation);
    ContainerCreateBody {
        hostname: Some(format!("{}-{}", spec.key.component, spec.key.index)),
        image: Some(spec.image.clone()),
        cmd: spec.command.clone(),
        env: Some(environment(&spec.env)),
        labels: Some(labels.into_iter().collect()),
        exposed_ports: Some(spec.publish.iter().map(|port| tcp(*port)).collect()),
        host_config: Some(HostConfig {
            init: Some(init),
            mounts: Some(spec.volumes.iter().map(mount).collect()),
            group_add: Some(groups(spec)).filter(|groups| !groups.is_empty()),
            network_mode: Some(connection.network.to_owned()),
            port_bindings: Some(
                spec.publish
                    .iter()
                    .map(|port| (tcp(*port), Some(vec![ephemeral(connection.publish)])))
                    .collect(),
            ),
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::NO),
                maximum_retry_count: None,
            }),
            ..limits(spec.reservation)
        }),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(
                connection.network.to_owned(),
                EndpointSettings {
                    aliases: Some(spec.aliases.clone()),
                    ..EndpointSettings::default()
                },
            )])),
        }),
        ..ContainerCreateBody::default()
    }
}

/// The limits are what is counted. Swap would let a member use more memory than that.
fn limits(reservation: Resources) -> HostConfig {
    let memory = i64::try_from(reservation.memory.get()).ok();
    HostConfig {
        nano_cpus: i64::try_from(reservation.cores.nanos()).ok(),
        memory,
        memory_swap: memory,
        ..HostConfig::default()
    }
}

fn environment(env: &[(String, Secret)]) -> Vec<String> {
    env.iter()
        .map(|(name, value)| format!("{name}={}", value.reveal()))
        .collect()
}

fn tcp(port: u16) -> String {
    format!("{port}/tcp")
}

fn ephemeral(address: IpAddr) -> PortBinding {
    PortBinding {
        host_ip: Some(address.to_string()),
        host_port: None,
    }
}

/// As Docker has them.
fn groups(spec: &InstanceSpec) -> Vec<String> {
    spec.groups().map(|group| group.to_string()).collect()
}

/// As a mount and not as a bind, so that a directory that is not there is an error and is not made.
fn mount(volume: &Volume) -> Mount {
    let kind = if volume.source.starts_with('/') {
        MountType::BIND
    } else {
        MountType::VOLUME
    };
    Mount {
        typ: Some(kind),
        source: Some(volume.source.clone()),
        target: Some(volume.target.clone()),
        read_only: Some(volume.read_only),
        ..Mount::default()
    }
}

/// Whether an image with this entry point needs an init before it.
pub(super) fn needs_init(entrypoint: &[String]) -> bool {
    entrypoint.first().is_none_or(|program| {
        let name = program.rsplit('/').next().unwrap_or(program);
        !INITS.contains(&name)
    })
}

/// The files `/run/secrets/NAME` as an archive to be unpacked at `/`. Everybody in the container may read them, as the
/// image decides which user its software is.
pub(super) fn secrets(files: &[(String, Secret)]) -> std::io::Result<Vec<u8>> {
    let mut archive = Archive::default();
    archive.directory("run/")?;
    archive.directory("run/secrets/")?;
    for (name, value) in files {
        archive.file(&format!("run/secrets/{name}"), value.reveal().as_bytes())?;
    }
    archive.finish()
}

/// The directory at an absolute path, with those above it, as an archive to be unpacked at `/`.
pub(super) fn directory(path: &str) -> std::io::Result<Vec<u8>> {
    let mut archive = Archive::default();
    let mut here = String::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        here.push_str(part);
        here.push('/');
        archive.directory(&here)?;
    }
    archive.finish()
}

#[derive(Default)]
struct Archive(Option<tar::Builder<Vec<u8>>>);

impl Archive {
    fn directory(&mut self, path: &str) -> std::io::Result<()> {
        self.append(path, tar::EntryType::Directory, 0o755, &[])
    }

    fn file(&mut self, path: &str, content: &[u8]) -> std::io::Result<()> {
        self.append(path, tar::EntryType::Regular, 0o444, content)
    }

    fn append(
        &mut self,
        path: &str,
        kind: tar::EntryType,
        mode: u32,
        content: &[u8],
    ) -> std::io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        self.0
            .get_or_insert_with(|| tar::Builder::new(Vec::new()))
            .append_data(&mut header, path, content)
    }

    fn finish(self) -> std::io::Result<Vec<u8>> {
        self.0
            .unwrap_or_else(|| tar::Builder::new(Vec::new()))
            .into_inner()
    }
}

/// Labels as Docker takes them.
pub(super) fn label_map(labels: BTreeMap<String, String>) -> HashMap<String, String> {
    labels.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bytes, Cores, ExecutionId, InstanceKey};

    fn spec() -> InstanceSpec {
        InstanceSpec {
            node: None,
            key: InstanceKey {
                execution: ExecutionId::from_bits(1),
                component: "worker".parse().unwrap(),
                index: 2,
            },
            image: "zoe/tiny".to_owned(),
            command: None,
            env: vec![("A".to_owned(), Secret::new("b=c"))],
            secrets: Vec::new(),
            volumes: vec![
                Volume {
                    source: "/data".to_owned(),
                    target: "/in".to_owned(),
                    read_only: true,
                    group: Some(2000),
                },
                Volume {
                    source: "cache".to_owned(),
                    target: "/cache".to_owned(),
                    read_only: false,
                    group: None,
                },
            ],
            publish: vec![8080],
            reservation: Resources {
                cores: Cores::from_millis(500),
                memory: Bytes::from_mib(64),
            },
            aliases: vec!["worker".to_owned(), "worker-2".to_owned()],
            needs: Vec::new(),
        }
    }

    #[test]
    fn an_instance_is_told_to_docker_whole() {
        let connection = Connection {
            network: "net-id",
            publish: "127.0.0.1".parse().unwrap(),
        };
        let body = instance(&"dep".parse().unwrap(), &spec(), connection, true);
        let mut json = serde_json::to_value(&body).unwrap();
        json["Labels"] = json["Labels"]["zoe.kind"].clone();
        insta::assert_json_snapshot!(json, @r#"
        {
          "Env": [
            "A=b=c"
          ],
          "ExposedPorts": {
            "8080/tcp": {}
          },
          "HostConfig": {
            "GroupAdd": [
              "2000"
            ],
            "Init": true,
            "Memory": 67108864,
            "MemorySwap": 67108864,
            "Mounts": [
              {
                "ReadOnly": true,
                "Source": "/data",
                "Target": "/in",
                "Type": "bind"
              },
              {
                "ReadOnly": false,
                "Source": "cache",
                "Target": "/cache",
                "Type": "volume"
              }
            ],
            "NanoCpus": 500000000,
            "NetworkMode": "net-id",
            "PortBindings": {
              "8080/tcp": [
                {
                  "HostIp": "127.0.0.1"
                }
              ]
            },
            "RestartPolicy": {
              "Name": "no"
            }
          },
          "Hostname": "worker-2",
          "Image": "zoe/tiny",
          "Labels": "instance",
          "NetworkingConfig": {
            "EndpointsConfig": {
              "net-id": {
                "Aliases": [
                  "worker",
                  "worker-2"
                ]
              }
            }
          }
        }
        "#);
    }

    #[test]
    fn an_init_is_put_where_there_is_none() {
        let needs =
            |words: &[&str]| needs_init(&words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>());
        assert!(needs(&[]) && needs(&["/bin/sh", "-c"]) && needs(&["/opt/tini/run"]));
        assert!(!needs(&["tini", "--"]) && !needs(&["/usr/bin/dumb-init"]));
    }

    #[test]
    fn secrets_are_files_that_only_can_be_read() {
        let archive = secrets(&[("token".to_owned(), Secret::new("t"))]).unwrap();
        let mut archive = tar::Archive::new(archive.as_slice());
        let entries: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                (path, entry.header().mode().unwrap())
            })
            .collect();
        let expected = [
            ("run/", 0o755),
            ("run/secrets/", 0o755),
            ("run/secrets/token", 0o444),
        ];
        assert_eq!(
            entries,
            expected.map(|(path, mode)| (path.to_owned(), mode))
        );
    }

    #[test]
    fn a_directory_comes_with_those_above_it() {
        let archive = directory("/opt/zoe//job/").unwrap();
        let mut archive = tar::Archive::new(archive.as_slice());
        let paths: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(paths, ["opt/", "opt/zoe/", "opt/zoe/job/"]);
    }
}
