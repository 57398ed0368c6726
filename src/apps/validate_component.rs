//! Whether one component makes sense: its amounts, its texts, its ports, and what they refer to.

use std::collections::BTreeSet;

use crate::model::{Application, Bytes, Component, Cores, Port, Protocol, Ready};

use super::errors::{Problems, at, shown, suggestion};
use super::variables::{self, Use};

/// The least Linux schedules: a quota of 1 ms in each 100 ms.
const LEAST_CORES: Cores = Cores::from_millis(10);
/// The least Docker gives a container.
const LEAST_MEMORY: Bytes = Bytes::from_mib(6);

/// Notes everything about `component` that does not make sense.
pub(super) fn validate(component: &Component, application: &Application, problems: &mut Problems) {
    let place = |field: &str| at(&component.name, field);
    if !is_image(&component.image) {
        problems.add(
            place("image"),
            format!(
                "'{}' is no image name; write one such as zoe/spark-worker:latest",
                shown(&component.image)
            ),
        );
    }
    if component.cores < LEAST_CORES {
        problems.add(
            place("cores"),
            format!(
                "{} is too little; the least a container can have is {LEAST_CORES}",
                component.cores
            ),
        );
    }
    if component.memory == Bytes::ZERO || component.reservation().memory < LEAST_MEMORY {
        problems.add(
            place("memory"),
            format!(
                "{} is too little; the least a container can have is {LEAST_MEMORY}",
                component.memory
            ),
        );
    }
    check_texts(component, application, problems);
    check_secrets(component, application, problems);
    check_volumes(component, problems);
    if let Some(files) = &component.files
        && (!is_absolute(files) || files.trim_matches('/').is_empty() || has_dots(files))
    {
        problems.add(
            place("files"),
            format!(
                "'{}' is no absolute path of a directory; write one such as /opt/zoe/job",
                shown(files)
            ),
        );
    }
    check_ports(component, application, problems);
    if let Some(ready) = &component.ready {
        check_ready(ready, component, application, problems);
    }
    for (label, value) in &component.placement {
        if label.is_empty() || label.chars().chain(value.chars()).any(char::is_control) {
            problems.add(
                place("placement.labels"),
                format!("'{}' is no label; use plain text", shown(label)),
            );
        }
    }
}

/// The command and the environment.
fn check_texts(component: &Component, application: &Application, problems: &mut Problems) {
    let mut check = |field: &str, text: &str| {
        if text.contains('\0') {
            problems.add(
                at(&component.name, field),
                "holds a NUL character, which no program can be given",
            );
        } else if let Err(why) = variables::check(text, application, Use::Instance) {
            problems.add(at(&component.name, field), why);
        }
        for port in variables::own_ports(text, application) {
            if component.port(&port).is_none_or(|port| !port.proxy) {
                problems.add(
                    at(&component.name, field),
                    format!("names the path of '{}', which is none of the component's own ports with proxy = true", shown(&port)),
                );
            }
        }
    };
    for word in component.command.iter().flatten() {
        check("command", word);
    }
    for (name, value) in &component.env {
        check(&format!("env.{}", shown(name)), value);
    }
    if component.command.as_ref().is_some_and(Vec::is_empty) {
        problems.add(
            at(&component.name, "command"),
            "is empty; leave it out to have the image's own",
        );
    }
    for name in component.env.keys().filter(|name| !is_env_name(name)) {
        problems.add(
            at(&component.name, "env"),
            format!(
                "'{}' is no name of a variable; use letters, digits and '_', not a digit first",
                shown(name)
            ),
        );
    }
}

fn check_secrets(component: &Component, application: &Application, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for secret in &component.secrets {
        if !application.secrets.contains(secret) {
            let hint = suggestion(secret, application.secrets.iter().map(String::as_str));
            problems.add(
                at(&component.name, "secrets"),
                format!(
                    "'{}' is none of the application's secrets{hint}; add it to the field 'secrets' at the top",
                    shown(secret)
                ),
            );
        }
        if !seen.insert(secret) {
            problems.add(
                at(&component.name, "secrets"),
                format!("'{}' is there twice", shown(secret)),
            );
        }
    }
}

fn check_volumes(component: &Component, problems: &mut Problems) {
    let mut targets = BTreeSet::new();
    for volume in &component.volumes {
        let mut wrong = |why: &str| {
            let text = format!("{}:{}", volume.source, volume.target);
            problems.add(
                at(&component.name, "volumes"),
                format!("'{}': {why}", shown(&text)),
            );
        };
        if !is_plain(&volume.source, is_absolute) && !is_volume_name(&volume.source) {
            wrong(
                "the source must be an absolute path on the host, or the name of a Docker volume",
            );
        }
        if !is_plain(&volume.target, is_absolute) || volume.target.trim_matches('/').is_empty() {
            wrong("the target must be an absolute path in the container, and not /");
        }
        if volume.target.starts_with("/run/secrets") {
            wrong("the secrets are there; use another target");
        }
        if volume.source.contains("${") || volume.target.contains("${") {
            wrong("variables are not filled in here");
        }
        if !targets.insert(volume.target.trim_end_matches('/')) {
            wrong("another volume has this target");
        }
    }
}

fn check_ports(component: &Component, application: &Application, problems: &mut Problems) {
    let mut names = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for port in &component.ports {
        let place = |field: &str| port_place(component, port, field);
        let good = !port.name.is_empty()
            && port.name.len() <= 40
            && port
                .name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !good {
            problems.add(
                place("name"),
                "is no name for a port; use at most 40 of a–z, 0–9 and '-'",
            );
        }
        if !names.insert(port.name.as_str()) {
            problems.add(
                place("name"),
                "another port has this name; names must differ",
            );
        }
        if port.container == 0 {
            problems.add(place("container"), "is not a port number; use 1 to 65535");
        }
        if !numbers.insert(port.container) {
            problems.add(
                place("container"),
                format!(
                    "another port has the number {}; numbers must differ",
                    port.container
                ),
            );
        }
        if !port.path.starts_with('/') || !is_url_text(&port.path) || port.path.contains(['?', '#'])
        {
            problems.add(
                place("path"),
                "is no path of a URL; begin with '/', and leave the query to 'query'",
            );
        } else if let Err(why) = variables::check(&port.path, application, Use::Path) {
            problems.add(place("path"), why);
        }
        if port.base_path && !(port.proxy && port.protocol == Protocol::Http) {
            problems.add(
                place("base_path"),
                "is for an http port with proxy = true: another has no path to serve below",
            );
        }
        let Some(query) = &port.query else { continue };
        if query.starts_with('?') || query.contains('#') || !is_url_text(query) {
            problems.add(
                place("query"),
                "is no query of a URL; write it without '?', such as token=${secret.token}",
            );
        } else if let Err(why) = variables::check(query, application, Use::Query) {
            problems.add(place("query"), why);
        }
    }
}

fn check_ready(
    ready: &Ready,
    component: &Component,
    application: &Application,
    problems: &mut Problems,
) {
    let place = |field: &str| at(&component.name, field);
    match component.port(&ready.port) {
        None => {
            let hint = suggestion(&ready.port, component.ports.iter().map(|p| p.name.as_str()));
            problems.add(
                place("ready.port"),
                format!(
                    "'{}' is none of the component's ports{hint}",
                    shown(&ready.port)
                ),
            );
        }
        Some(port) if port.protocol != Protocol::Http => problems.add(
            place("ready.port"),
            format!(
                "'{}' is a tcp port and cannot be asked; name an http port",
                shown(&ready.port)
            ),
        ),
        Some(_) => {}
    }
    if !ready.path.starts_with('/') || !is_url_text(&ready.path) || ready.path.contains('#') {
        problems.add(place("ready.path"), "is no path of a URL; begin with '/'");
    } else if ready.path.contains("${") {
        problems.add(place("ready.path"), "variables are not filled in here");
    }
    let Some(threshold) = &ready.threshold else {
        return;
    };
    if !threshold.pointer.is_empty() && !threshold.pointer.starts_with('/') {
        problems.add(
            place("ready.pointer"),
            format!(
                "'{}' is no JSON pointer; begin with '/', such as /aliveworkers",
                shown(&threshold.pointer)
            ),
        );
    }
    if let Err(why) = variables::check_number(&threshold.at_least, application) {
        problems.add(place("ready.at_least"), why);
    }
}

/// The place of a field of a port.
fn port_place(component: &Component, port: &Port, field: &str) -> String {
    format!(
        "component '{}', port '{}', field '{field}'",
        component.name,
        shown(&port.name)
    )
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') && !path.contains(char::is_control)
}

fn has_dots(path: &str) -> bool {
    path.split('/').any(|part| part == ".." || part == ".")
}

/// A path or name that Docker's `SOURCE:TARGET` can hold.
fn is_plain(text: &str, rule: fn(&str) -> bool) -> bool {
    rule(text) && !text.contains(':') && !has_dots(text)
}

fn is_volume_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() > 1
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

fn is_url_text(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

fn is_env_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Rough: what can't be an image at all. The rest is for Docker to say.
fn is_image(image: &str) -> bool {
    image.len() <= 255
        && image.starts_with(|c: char| c.is_ascii_alphanumeric())
        && image.ends_with(|c: char| c.is_ascii_alphanumeric())
        && image
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b))
        && !image.contains("//")
}
