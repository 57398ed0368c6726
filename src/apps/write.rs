//! The model to the format: nothing is lost, defaults are left out where that is shorter.

use crate::model::{
    Activity, Application, Bytes, Component, Cores, Overhead, Port, Protocol, Ready, Volume,
};

use super::format::{self, Amount, Count};

/// The format of `application`.
pub(super) fn write(application: &Application) -> format::Application {
    format::Application {
        schema: Some(Count(format::SCHEMA)),
        name: Some(application.name.clone()),
        description: Some(application.description.clone()),
        monitor: application.monitor.as_ref().map(ToString::to_string),
        secrets: application.secrets.clone(),
        activity: application.activity.as_ref().map(write_activity),
        component: application.components.iter().map(write_component).collect(),
    }
}

fn write_activity(activity: &Activity) -> format::Activity {
    format::Activity {
        idle_timeout: activity
            .idle_timeout
            .map(|timeout| Amount::Text(timeout.to_string())),
        jupyter: activity.jupyter.as_ref().map(ToString::to_string),
        spark: activity.spark.as_ref().map(ToString::to_string),
        driver: activity.driver.as_ref().map(ToString::to_string),
        http: (!activity.http).then_some(false),
    }
}

fn write_component(component: &Component) -> format::Component {
    format::Component {
        name: Some(component.name.to_string()),
        image: Some(component.image.clone()),
        core: Some(Count(component.core)),
        elastic: (component.elastic > 0).then_some(Count(component.elastic)),
        replaceable: component.replaceable,
        cores: Some(write_cores(component.cores)),
        memory: Some(write_bytes(component.memory)),
        command: component.command.clone(),
        secrets: component.secrets.clone(),
        volumes: component.volumes.iter().map(write_volume).collect(),
        files: component.files.clone(),
        overhead: (component.overhead != Overhead::default()).then(|| format::Overhead {
            percent: Some(Count(component.overhead.percent)),
            at_least: Some(write_bytes(component.overhead.at_least)),
        }),
        env: component.env.clone(),
        port: component.ports.iter().map(write_port).collect(),
        ready: component.ready.as_ref().map(write_ready),
        placement: (!component.placement.is_empty()).then(|| format::Placement {
            labels: component.placement.clone(),
        }),
    }
}

fn write_cores(cores: Cores) -> Amount {
    if cores.millis().is_multiple_of(1000) {
        Amount::Whole(cores.millis() / 1000)
    } else {
        Amount::Text(cores.to_string())
    }
}

/// The largest unit that leaves a whole number.
fn write_bytes(bytes: Bytes) -> Amount {
    let bytes = bytes.get();
    let unit = [(30, 'g'), (20, 'm'), (10, 'k')]
        .into_iter()
        .find(|(shift, _)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    Amount::Text(match unit {
        Some((shift, unit)) => format!("{}{unit}", bytes >> shift),
        None => bytes.to_string(),
    })
}

fn write_volume(volume: &Volume) -> String {
    let options = match (volume.read_only, volume.group) {
        (false, None) => String::new(),
        (true, None) => ":ro".to_owned(),
        (read_only, Some(group)) => {
            format!(":{},group={group}", if read_only { "ro" } else { "rw" })
        }
    };
    format!("{}:{}{options}", volume.source, volume.target)
}

fn write_port(port: &Port) -> format::Port {
    let protocol = match port.protocol {
        Protocol::Http => "http",
        Protocol::Tcp => "tcp",
    };
    format::Port {
        name: Some(port.name.clone()),
        container: Some(Count(u32::from(port.container))),
        protocol: Some(protocol.to_owned()),
        path: (port.path != "/").then(|| port.path.clone()),
        query: port.query.clone(),
        proxy: port.proxy,
        base_path: port.base_path,
    }
}

fn write_ready(ready: &Ready) -> format::Ready {
    format::Ready {
        port: Some(ready.port.clone()),
        path: Some(ready.path.clone()),
        pointer: ready.threshold.as_ref().map(|t| t.pointer.clone()),
        at_least: ready
            .threshold
            .as_ref()
            .map(|t| Amount::Text(t.at_least.clone())),
    }
}
