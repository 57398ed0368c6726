//! The format to the model. What is missing or unreadable is noted, all of it; what does not make sense is `validate`'s.

use std::fmt::Display;
use std::str::FromStr;

use crate::model::{
    Activity, Application, Bytes, Component, ComponentName, Cores, Overhead, Port, Protocol, Ready,
    Threshold, Volume,
};

use super::errors::{Problems, at, shown, suggestion};
use super::format::{self, Amount, Count};

/// The model of what was written, and what keeps it from being one. What it refers to is checked by `validate`.
///
/// Where there are problems the model has stand-ins for what could not be read, so that the rest can be checked too.
pub(super) fn read(written: format::Application) -> (Application, Problems) {
    let mut problems = Problems::default();
    match written.schema {
        Some(Count(format::SCHEMA)) => {}
        Some(Count(other)) => problems.add(
            "field 'schema'",
            format!("schema {other} is not known to this zoe; it reads schema 1"),
        ),
        None => problems.add(
            "field 'schema'",
            "is missing; begin the description with schema = 1",
        ),
    }
    let name = written.name.unwrap_or_else(|| {
        problems.add(
            "field 'name'",
            "is missing; say what the application is called",
        );
        "x".to_owned()
    });
    let named = written.component.len();
    if named == 0 {
        problems.add(
            "",
            "there is no component; describe at least one in [[component]]",
        );
    }
    let components: Vec<Component> = written
        .component
        .into_iter()
        .enumerate()
        .filter_map(|(i, c)| read_component(i, c, &mut problems))
        .collect();
    let known: Vec<&str> = components.iter().map(|c| c.name.as_str()).collect();
    let monitor = written.monitor.and_then(|monitor| {
        let found = components.iter().find(|c| c.name.as_str() == monitor);
        // A component whose name can't be read is reported already, and may be the one that is meant.
        if found.is_none() && components.len() == named {
            let hint = suggestion(&monitor, known.iter().copied());
            problems.add(
                "field 'monitor'",
                format!(
                    "'{}' is none of the components ({}){hint}; name the one whose exit ends the execution",
                    shown(&monitor),
                    known.join(", ")
                ),
            );
        }
        found.map(|c| c.name.clone())
    });
    let application = Application {
        name,
        description: written.description.unwrap_or_default(),
        monitor,
        secrets: written.secrets,
        activity: written.activity.map(|a| read_activity(&a, &mut problems)),
        components,
    };
    (application, problems)
}

/// How its use is seen.
fn read_activity(written: &format::Activity, problems: &mut Problems) -> Activity {
    let timeout = written.idle_timeout.as_ref().map(ToString::to_string);
    Activity {
        idle_timeout: read_part(timeout.as_deref(), "idle_timeout", problems),
        jupyter: read_part(written.jupyter.as_deref(), "jupyter", problems),
        spark: read_part(written.spark.as_deref(), "spark", problems),
        driver: read_part(written.driver.as_deref(), "driver", problems),
        http: written.http.unwrap_or(true),
    }
}

fn read_part<T: FromStr<Err: Display>>(
    text: Option<&str>,
    field: &str,
    problems: &mut Problems,
) -> Option<T> {
    let read = text?.parse();
    read.map_err(|why| problems.add(format!("field 'activity.{field}'"), why))
        .ok()
}

/// A component, unless its name can't be read: then nothing can refer to it.
fn read_component(
    position: usize,
    written: format::Component,
    problems: &mut Problems,
) -> Option<Component> {
    let place = format!("component {}, field 'name'", position + 1);
    let Some(name) = written.name else {
        problems.add(place, "is missing; every component needs a name of its own");
        return None;
    };
    let name: ComponentName = match name.parse() {
        Ok(name) => name,
        Err(error) => {
            problems.add(place, error);
            return None;
        }
    };
    let image = written.image.unwrap_or_else(|| {
        problems.add(at(&name, "image"), "is missing; name the image to run");
        "x".to_owned()
    });
    let cores = amount(
        written.cores,
        at(&name, "cores"),
        "a number such as 0.5",
        Cores::from_millis(1000),
        problems,
    );
    let memory = amount(
        written.memory,
        at(&name, "memory"),
        "a size such as \"1g\"",
        Bytes::from_mib(1024),
        problems,
    );
    let overhead = written.overhead.map(|o| read_overhead(o, &name, problems));
    let volumes = written
        .volumes
        .iter()
        .filter_map(|text| {
            volume(text)
                .map_err(|why| problems.add(at(&name, "volumes"), why))
                .ok()
        })
        .collect();
    let ports = written
        .port
        .into_iter()
        .filter_map(|port| read_port(port, &name, problems))
        .collect();
    let ready = written
        .ready
        .and_then(|ready| read_ready(ready, &name, problems));
    Some(Component {
        image,
        core: written.core.map_or(1, |count| count.0),
        elastic: written.elastic.map_or(0, |count| count.0),
        replaceable: written.replaceable,
        cores,
        memory,
        overhead: overhead.unwrap_or_default(),
        command: written.command,
        env: written.env,
        secrets: written.secrets,
        volumes,
        files: written.files,
        ports,
        ready,
        placement: written.placement.map(|p| p.labels).unwrap_or_default(),
        name,
    })
}

/// An amount that must be there, or a stand-in.
fn amount<T: FromStr<Err: Display>>(
    written: Option<Amount>,
    place: String,
    example: &str,
    stand_in: T,
    problems: &mut Problems,
) -> T {
    let read = written
        .ok_or_else(|| format!("is missing; give {example}"))
        .and_then(|amount| {
            amount
                .to_string()
                .parse()
                .map_err(|e: T::Err| e.to_string())
        });
    problems.value(place, read, stand_in)
}

fn read_overhead(
    written: format::Overhead,
    name: &ComponentName,
    problems: &mut Problems,
) -> Overhead {
    let at_least = written.at_least.map_or(Bytes::ZERO, |amount| {
        let read = amount.to_string().parse();
        problems.value(at(name, "overhead.at_least"), read, Bytes::ZERO)
    });
    Overhead {
        percent: written.percent.map_or(0, |count| count.0),
        at_least,
    }
}

/// Reads `SOURCE:TARGET[:ro|rw][,group=GID]`; what the parts may be is checked by `validate`.
pub(crate) fn volume(text: &str) -> Result<Volume, String> {
    let none = || {
        format!(
            "'{}' is no volume; write SOURCE:TARGET or SOURCE:TARGET:ro, such as /data:/data:ro, \
             or SOURCE:TARGET:rw,group=GID to be in a group there",
            shown(text)
        )
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts.as_slice() {
        [source, target] => (source, target, "rw"),
        [source, target, options] => (source, target, *options),
        _ => return Err(none()),
    };
    let (access, group) = match options.split_once(",group=") {
        Some((access, group)) => (access, Some(group.parse().map_err(|_| none())?)),
        None => (options, None),
    };
    if !matches!(access, "ro" | "rw") {
        return Err(none());
    }
    Ok(Volume {
        source: (*source).to_owned(),
        target: (*target).to_owned(),
        read_only: access == "ro",
        group,
    })
}

fn read_port(
    written: format::Port,
    component: &ComponentName,
    problems: &mut Problems,
) -> Option<Port> {
    let Some(name) = written.name else {
        problems.add(
            at(component, "port.name"),
            "is missing; every port needs a name",
        );
        return None;
    };
    let place = |field: &str| {
        format!(
            "component '{component}', port '{}', field '{field}'",
            shown(&name)
        )
    };
    let container = match written.container.map(|count| u16::try_from(count.0)) {
        Some(Ok(number)) if number > 0 => number,
        Some(_) => {
            problems.add(place("container"), "is not a port number; use 1 to 65535");
            return None;
        }
        None => {
            problems.add(
                place("container"),
                "is missing; give the port's number in the container",
            );
            return None;
        }
    };
    let protocol = match written.protocol.as_deref() {
        None | Some("http") => Protocol::Http,
        Some("tcp") => Protocol::Tcp,
        Some(other) => {
            problems.add(
                place("protocol"),
                format!(
                    "'{}' is not known; write http (published and listed as a URL) or tcp",
                    shown(other)
                ),
            );
            Protocol::Http
        }
    };
    Some(Port {
        container,
        protocol,
        path: written.path.unwrap_or_else(|| "/".to_owned()),
        query: written.query,
        proxy: written.proxy,
        base_path: written.base_path,
        name,
    })
}

fn read_ready(
    written: format::Ready,
    component: &ComponentName,
    problems: &mut Problems,
) -> Option<Ready> {
    let Some(port) = written.port else {
        problems.add(
            at(component, "ready.port"),
            "is missing; name the http port to ask",
        );
        return None;
    };
    let threshold = match (written.pointer, written.at_least) {
        (Some(pointer), Some(at_least)) => Some(Threshold {
            pointer,
            at_least: at_least.to_string(),
        }),
        (None, None) => None,
        (Some(_), None) => {
            problems.add(
                at(component, "ready.at_least"),
                "is missing; say the least that the number at ready.pointer must be",
            );
            None
        }
        (None, Some(_)) => {
            problems.add(
                at(component, "ready.pointer"),
                "is missing; say where in the JSON answer the number is, such as /aliveworkers",
            );
            None
        }
    };
    Some(Ready {
        port,
        path: written.path.unwrap_or_else(|| "/".to_owned()),
        threshold,
    })
}
