//! What the Swarm is told when a service, a network or a secret is made. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::images::Pinned;
use super::members::STOPPED;
use super::wire::Named;
use crate::labels;
use crate::model::{Deployment, ExecutionId, InstanceSpec, Secret, Volume};

/// How long a member may take to end by itself, in nanoseconds: Swarm wants to know when it is made, so that the grace
/// that a stop is asked with comes too late.
const GRACE: u64 = 10_000_000_000;

/// The same, for who waits for it.
pub(super) const fn grace() -> SignedDuration {
    SignedDuration::from_nanos(GRACE.cast_signed())
}

/// A secret in the Swarm.
#[derive(Debug, Clone)]
pub(super) struct SwarmSecret {
    pub(super) id: String,
    pub(super) name: String,
    /// What its file is called in members.
    pub(super) file: String,
}

/// Where a member is put and what it is connected to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// The id of the execution's network.
    pub(super) network: &'a str,
    /// The id of its node; Swarm chooses where it has none.
    pub(super) node: Option<&'a str>,
    /// All secrets of the execution.
    pub(super) secrets: &'a [SwarmSecret],
    pub(super) image: &'a Pinned,
}

/// A member's service.
pub(super) fn member(
    deployment: &Deployment,
    name: &str,
    spec: &InstanceSpec,
    around: Surroundings<'_>,
) -> Value {
    let labels = labels::instance(deployment, &spec.key, spec.reservation);
    // Swarm places by what is reserved; the limit is the same.
    let amounts = json!({
        "NanoCPUs": spec.reservation.cores.nanos(),
        "MemoryBytes": spec.reservation.memory.get(),
    });
    let constraints: Vec<_> = around
        .node
        .map(|node| format!("node.id=={node}"))
        .into_iter()
        .collect();
    let ports = spec.publish.iter();
    let ports: Vec<_> = ports
        .map(|port| json!({ "Protocol": "tcp", "TargetPort": port, "PublishMode": "host" }))
        .collect();
    json!({
        "Name": name,
        "Labels": &labels,
        "TaskTemplate": {
            "ContainerSpec": container(spec, around, &labels),
            "Resources": { "Limits": &amounts, "Reservations": &amounts },
            "RestartPolicy": { "Condition": "none" },
            "Placement": { "Constraints": constraints },
            "Networks": [{ "Target": around.network, "Aliases": &spec.aliases }],
        },
        "Mode": { "Replicated": { "Replicas": 1 } },
        "EndpointSpec": { "Mode": "dnsrr", "Ports": ports },
    })
}

fn container(spec: &InstanceSpec, around: Surroundings<'_>, labels: &labels::Labels) -> Value {
    let env = spec.env.iter();
    let env: Vec<_> = env
        .map(|(name, value)| format!("{name}={}", value.reveal()))
        .collect();
    let mut container = json!({
        "Image": around.image.reference,
        "Labels": labels,
        "Env": env,
        "Hostname": format!("{}-{}", spec.key.component, spec.key.index),
        "Init": around.image.init,
        "StopGracePeriod": GRACE,
        "Mounts": spec.volumes.iter().map(mount).collect::<Vec<_>>(),
        "Secrets": files(spec, around.secrets),
    });
    let groups: Vec<String> = spec.groups().map(|group| group.to_string()).collect();
    if let Some(fields) = container.as_object_mut() {
        // What people call the command is arguments to the image's entry point.
        if let Some(command) = &spec.command {
            fields.insert("Args".to_owned(), json!(command));
        }
        if !groups.is_empty() {
            fields.insert("Groups".to_owned(), json!(groups));
        }
    }
    container
}

/// The files `/run/secrets/NAME`. Everybody in the container may read them, as the image decides which user its software
/// is.
fn files(spec: &InstanceSpec, secrets: &[SwarmSecret]) -> Vec<Value> {
    let wanted = |secret: &&SwarmSecret| spec.secrets.iter().any(|(name, _)| *name == secret.file);
    let found = secrets.iter().filter(wanted);
    found
        .map(|secret| {
            json!({
                "SecretID": secret.id,
                "SecretName": secret.name,
                "File": { "Name": secret.file, "UID": "0", "GID": "0", "Mode": 0o444 },
            })
        })
        .collect()
}

/// A bind of a directory that is not there is refused by the node, and is not made.
fn mount(volume: &Volume) -> Value {
    let kind = if volume.source.starts_with('/') {
        "bind"
    } else {
        "volume"
    };
    json!({
        "Type": kind,
        "Source": volume.source,
        "Target": volume.target,
        "ReadOnly": volume.read_only,
    })
}

/// An execution's network: of the Swarm, for its services only.
pub(super) fn network(deployment: &Deployment, id: ExecutionId, name: &str) -> Value {
    json!({
        "Name": name,
        "Driver": "overlay",
        "CheckDuplicate": true,
        "Attachable": false,
        "Labels": labels::network(deployment, id),
    })
}

/// A secret of an execution.
pub(super) fn secret(
    deployment: &Deployment,
    id: ExecutionId,
    name: &str,
    value: &Secret,
) -> Value {
    json!({
        "Name": name,
        "Labels": labels::secret(deployment, id),
        "Data": STANDARD.encode(value.reveal()),
    })
}

/// Changes a service so that its member is stopped. Tells whether there was anything to be changed.
pub(super) fn stop(service: &mut Named) -> bool {
    let placement = ["TaskTemplate", "Placement", "Constraints"];
    let mut place = service
        .rest
        .entry(placement[0])
        .or_insert_with(|| json!({}));
    for key in &placement[1..] {
        if !place.is_object() {
            *place = json!({});
        }
        let Some(fields) = place.as_object_mut() else {
            return false;
        };
        place = fields.entry(*key).or_insert(Value::Null);
    }
    let stopped = json!([STOPPED]);
    let changed = *place != stopped;
    *place = stopped;
    changed
}

/// Changes a service that was made without a member so that it gets one. Tells whether there was anything to be changed.
pub(super) fn fill(service: &mut Named) -> bool {
    let one = json!({ "Replicated": { "Replicas": 1 } });
    let empty = service
        .rest
        .get("Mode")
        .and_then(|mode| mode.pointer("/Replicated/Replicas"))
        .is_some_and(|replicas| *replicas == json!(0));
    if empty {
        service.rest.insert("Mode".to_owned(), one);
    }
    empty
}

#[cfg(test)]
mod tests;
