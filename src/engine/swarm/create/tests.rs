use super::*;
use crate::model::{Bytes, Cores, InstanceKey, Resources};

fn spec() -> InstanceSpec {
    InstanceSpec {
        node: Some("n2".to_owned()),
        key: InstanceKey {
            execution: ExecutionId::from_bits(1),
            component: "worker".parse().unwrap(),
            index: 2,
        },
        image: "reg:5000/tiny".to_owned(),
        command: Some(vec!["run".to_owned()]),
        env: vec![("A".to_owned(), Secret::new("b=c"))],
        secrets: vec![("auth".to_owned(), Secret::new("x"))],
        volumes: vec![Volume {
            source: "/data".to_owned(),
            target: "/in".to_owned(),
            read_only: true,
            group: Some(2000),
        }],
        publish: vec![8080],
        reservation: Resources {
            cores: Cores::from_millis(500),
            memory: Bytes::from_mib(64),
        },
        aliases: vec!["worker".to_owned(), "worker-2".to_owned()],
        needs: Vec::new(),
    }
}

fn secret_of(file: &str) -> SwarmSecret {
    SwarmSecret {
        id: format!("id-of-{file}"),
        name: format!("zoe-dep-x-{file}"),
        file: file.to_owned(),
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "one snapshot")]
fn a_member_is_told_to_the_swarm_whole() {
    let around = Surroundings {
        network: "net-id",
        node: Some("node-id"),
        secrets: &[secret_of("auth"), secret_of("other")],
        image: &Pinned {
            reference: "reg:5000/tiny@sha256:1".to_owned(),
            init: true,
        },
    };
    let mut json = member(&"dep".parse().unwrap(), "zoe-dep-x", &spec(), around);
    let kind = json["Labels"]["zoe.kind"].clone();
    assert_eq!(
        json["Labels"],
        json["TaskTemplate"]["ContainerSpec"]["Labels"]
    );
    json["Labels"] = kind.clone();
    json["TaskTemplate"]["ContainerSpec"]["Labels"] = kind;
    insta::assert_json_snapshot!(json, @r#"
    {
      "EndpointSpec": {
        "Mode": "dnsrr",
        "Ports": [
          {
            "Protocol": "tcp",
            "PublishMode": "host",
            "TargetPort": 8080
          }
        ]
      },
      "Labels": "instance",
      "Mode": {
        "Replicated": {
          "Replicas": 1
        }
      },
      "Name": "zoe-dep-x",
      "TaskTemplate": {
        "ContainerSpec": {
          "Args": [
            "run"
          ],
          "Env": [
            "A=b=c"
          ],
          "Groups": [
            "2000"
          ],
          "Hostname": "worker-2",
          "Image": "reg:5000/tiny@sha256:1",
          "Init": true,
          "Labels": "instance",
          "Mounts": [
            {
              "ReadOnly": true,
              "Source": "/data",
              "Target": "/in",
              "Type": "bind"
            }
          ],
          "Secrets": [
            {
              "File": {
                "GID": "0",
                "Mode": 292,
                "Name": "auth",
                "UID": "0"
              },
              "SecretID": "id-of-auth",
              "SecretName": "zoe-dep-x-auth"
            }
          ],
          "StopGracePeriod": 10000000000
        },
        "Networks": [
          {
            "Aliases": [
              "worker",
              "worker-2"
            ],
            "Target": "net-id"
          }
        ],
        "Placement": {
          "Constraints": [
            "node.id==node-id"
          ]
        },
        "Resources": {
          "Limits": {
            "MemoryBytes": 67108864,
            "NanoCPUs": 500000000
          },
          "Reservations": {
            "MemoryBytes": 67108864,
            "NanoCPUs": 500000000
          }
        },
        "RestartPolicy": {
          "Condition": "none"
        }
      }
    }
    "#);
}

#[test]
fn a_service_is_stopped_once_and_filled_once() {
    let mut service: Named = serde_json::from_value(json!({
        "Name": "a", "Labels": {}, "TaskTemplate": { "ContainerSpec": { "Image": "x" } },
        "Mode": { "Replicated": { "Replicas": 0 } },
    }))
    .unwrap();
    assert!(stop(&mut service) && !stop(&mut service));
    assert!(fill(&mut service) && !fill(&mut service));
    let written = serde_json::to_value(&service).unwrap();
    assert_eq!(
        written["TaskTemplate"],
        json!({ "ContainerSpec": { "Image": "x" }, "Placement": { "Constraints": [STOPPED] } })
    );
    assert_eq!(written["Mode"]["Replicated"]["Replicas"], json!(1));
}
