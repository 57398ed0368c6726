//! Whether a description makes sense: everything in it that refers to something, and every text that ends up in Docker.
//!
//! Whether it fits a cluster is the scheduler's matter, whether an image exists Docker's.

use std::collections::BTreeSet;

use crate::model::{Application, ExecutionName, Protocol};

use super::errors::{Problems, at, shown};
use super::{validate_component, variables};

/// Members that all components together may have at the most.
pub(super) const MOST_MEMBERS: u64 = 10_000;
/// Notes everything about `application` that does not make sense.
pub(super) fn validate(application: &Application, problems: &mut Problems) {
    if let Err(error) = application.name.parse::<ExecutionName>() {
        problems.add("field 'name'", error);
    }
    let description = &application.description;
    if description.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        problems.add(
            "field 'description'",
            "has control characters; use plain text",
        );
    }
    check_secret_names(application, problems);
    check_names(application, problems);
    check_members(application, problems);
    check_files(application, problems);
    check_activity(application, problems);
    for component in &application.components {
        validate_component::validate(component, application, problems);
    }
}

fn check_secret_names(application: &Application, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for secret in &application.secrets {
        let good = secret.len() <= 40
            && secret.starts_with(|c: char| c.is_ascii_lowercase())
            && secret
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !good {
            problems.add(
                "field 'secrets'",
                format!(
                    "'{}' is no name for a secret; use at most 40 of a–z, 0–9 and '_', a letter first",
                    shown(secret)
                ),
            );
        }
        if !seen.insert(secret) {
            problems.add(
                "field 'secrets'",
                format!("'{}' is there twice", shown(secret)),
            );
        }
    }
}

fn check_names(application: &Application, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for component in &application.components {
        let name = component.name.as_str();
        if !seen.insert(name) {
            problems.add(
                at(name, "name"),
                "another component has this name; names must differ",
            );
        }
        if variables::RESERVED.contains(&name) {
            problems.add(
                at(name, "name"),
                "is a word that variables begin with; use another name",
            );
        }
        let member_of = name
            .rsplit_once('-')
            .filter(|(_, index)| index.bytes().all(|b| b.is_ascii_digit()))
            .filter(|(other, _)| {
                application
                    .components
                    .iter()
                    .any(|c| c.name.as_str() == *other)
            });
        if let Some((other, _)) = member_of {
            problems.add(
                at(name, "name"),
                format!("is the host name of a member of '{other}'; use another name"),
            );
        }
    }
}

fn check_members(application: &Application, problems: &mut Problems) {
    let components = &application.components;
    if let Some(monitor) = &application.monitor {
        match application.component(monitor) {
            None => problems.add("field 'monitor'", format!("'{monitor}' is none of the components")),
            Some(component) if component.core == 0 => problems.add(
                at(monitor, "core"),
                "is 0, but this component is the monitor, whose exit ends the execution; it needs a core of at least 1",
            ),
            Some(component) if component.replaceable => problems.add(
                at(monitor, "replaceable"),
                "is true, but this component is the monitor, whose exit ends the execution; leave it out",
            ),
            Some(_) => {}
        }
    } else if !components.is_empty() && components.iter().all(|c| c.core == 0) {
        problems.add(
            "",
            "no component has core members, so nothing would ever run; give one a core of at least 1",
        );
    }
    let members: u64 = components
        .iter()
        .map(|c| u64::from(c.core) + u64::from(c.elastic))
        .sum();
    if members > MOST_MEMBERS {
        problems.add(
            "",
            format!(
                "{members} members are too many; all components together may have {MOST_MEMBERS}"
            ),
        );
    }
}

/// What is asked must be there, and speak HTTP.
fn check_activity(application: &Application, problems: &mut Problems) {
    let Some(activity) = &application.activity else {
        return;
    };
    if !activity.has_signs() {
        problems.add(
            "field 'activity'",
            "says nothing that tells whether it is used; name a port in jupyter or spark, or leave http = false out",
        );
    }
    if activity.driver.is_some() && activity.spark.is_none() {
        problems.add(
            "field 'activity.driver'",
            "goes with spark: the master knows which applications there are; name its port there",
        );
    }
    let asked = [
        ("jupyter", &activity.jupyter),
        ("spark", &activity.spark),
        ("driver", &activity.driver),
    ];
    for (field, name) in asked {
        let Some(name) = name else { continue };
        let port = application
            .component(&name.component)
            .and_then(|component| component.port(&name.port));
        let why = match port.map(|port| port.protocol) {
            Some(Protocol::Http) => continue,
            Some(Protocol::Tcp) => "does not speak http",
            None => "is no port of a component",
        };
        let shown = shown(&name.to_string());
        problems.add(
            format!("field 'activity.{field}'"),
            format!("'{shown}' {why}; name one as COMPONENT/PORT"),
        );
    }
}

/// The files become one image, so whoever gets them must agree on what that image is.
fn check_files(application: &Application, problems: &mut Problems) {
    let mut takers = application.components.iter().filter(|c| c.files.is_some());
    let Some(first) = takers.next() else { return };
    for other in takers.filter(|c| c.image != first.image || c.files != first.files) {
        problems.add(
            at(&other.name, "files"),
            format!(
                "component '{}' gets the files too, but with another image or place; both must be the same",
                first.name
            ),
        );
    }
}
