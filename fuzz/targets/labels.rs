//! Labels as somebody may have written them by hand: what is read is written and read again as the same, and nothing of it gets
//! further than to where it belongs.

use std::collections::HashMap;
use std::sync::LazyLock;

use zoe::apps;
use zoe::labels::{self, Decoded};
use zoe::model::{
    Application, Bytes, ComponentName, Cores, Execution, Instance, InstanceKey, InstanceState,
    PublishedPort, Resources, Snapshot, Ticket,
};
use zoe::proxy;

use super::application::{fits_docker, ticket};
use super::{Input, apache, archive, is_told_well};

static APPLICATIONS: LazyLock<Vec<Application>> = LazyLock::new(|| {
    let names = apps::builtins().iter().map(|(name, _)| *name);
    names.filter_map(apps::builtin).collect()
});

/// The labels of something of ours, with pairs of the input in place of some of them; a key with `-` before it is taken out.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let mut labels = base(input.choice);
    while let Some(key) = input.next() {
        match key.strip_prefix('-') {
            Some(key) => {
                labels.remove(key);
            }
            None => {
                labels.insert(key, input.text());
            }
        }
    }
    let ours = labels.keys().any(|key| key.starts_with("zoe."));
    let decoded = labels::decode(&labels);
    assert_eq!(decoded.is_some(), ours);
    let (deployment, decoded) = match decoded {
        None => return,
        Some(Err(error)) => return is_told_well(&error.to_string()),
        Some(Ok(decoded)) => decoded,
    };
    let again = match &decoded {
        Decoded::Ticket(ticket) => {
            assert_eq!(ticket.deployment, deployment);
            goes_nowhere_else(ticket);
            labels::ticket(ticket)
        }
        Decoded::Instance { key, reservation } => {
            archive::is_harmless(key);
            labels::instance(&deployment, key, *reservation)
        }
        Decoded::Network { execution } => labels::network(&deployment, *execution),
        Decoded::Secret { execution } => labels::secret(&deployment, *execution),
        Decoded::Image => labels::image(&deployment),
        Decoded::Builder => labels::builder(&deployment),
    };
    let again: HashMap<String, String> = again.into_iter().collect();
    assert_eq!(labels::decode(&again), Some(Ok((deployment, decoded))));
}

fn base(choice: u8) -> HashMap<String, String> {
    let applications = &*APPLICATIONS;
    let ticket = ticket(applications[usize::from(choice >> 4) % applications.len()].clone());
    let deployment = &ticket.deployment;
    let written = match choice & 7 {
        0 => {
            let key = InstanceKey {
                execution: ticket.id,
                component: "worker".parse().unwrap(),
                index: 3,
            };
            let reservation = Resources {
                cores: Cores::from_millis(1500),
                memory: Bytes::from_mib(64),
            };
            labels::instance(deployment, &key, reservation)
        }
        1 => labels::network(deployment, ticket.id),
        2 => labels::image(deployment),
        _ => labels::ticket(&ticket),
    };
    written.into_iter().collect()
}

/// Panics where a ticket that was read from labels would make more of Apache's files, or of the history's directory, than it may.
fn goes_nowhere_else(ticket: &Ticket) {
    fits_docker(ticket);
    let mut instances = Vec::new();
    for component in &ticket.application.components {
        for index in 0..component.core.min(3) {
            instances.push(member(ticket, &component.name, index));
        }
    }
    let execution = Execution {
        ticket: ticket.clone(),
        mark: None,
        instances,
    };
    for instance in &execution.instances {
        archive::is_harmless(&instance.key);
    }
    archive::is_inside(&ticket.deployment, ticket.id, ticket.submitted_at);
    let mut snapshot = Snapshot::empty(ticket.submitted_at);
    snapshot.executions.insert(ticket.id, execution);
    let routes = proxy::routes(&snapshot).unwrap();
    for is_map in [true, false] {
        apache::check(&routes, &apache::site("zoe.example.org", is_map));
    }
    // None that a validated description leads to is left out.
    let text = zoe::proxy::render::file(&routes, &apache::site("zoe.example.org", true));
    assert_eq!(
        text.lines().filter(|line| !line.starts_with('#')).count(),
        routes.len()
    );
}

fn member(ticket: &Ticket, component: &ComponentName, index: u32) -> Instance {
    let ports = ticket.application.component(component).into_iter();
    let ports = ports.flat_map(|c| &c.ports).map(|port| PublishedPort {
        container: port.container,
        host: "127.0.0.1".parse().unwrap(),
        public: 32768,
    });
    Instance {
        key: InstanceKey {
            execution: ticket.id,
            component: component.clone(),
            index,
        },
        container_id: "0123456789abcdef".to_owned(),
        node: "node".to_owned(),
        state: InstanceState::Running,
        note: None,
        created_at: ticket.submitted_at,
        started_at: Some(ticket.submitted_at),
        finished_at: None,
        out_of_memory: false,
        address: None,
        ports: ports.collect(),
        reservation: Resources::ZERO,
    }
}
