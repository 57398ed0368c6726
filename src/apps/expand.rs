//! A ticket to instances: every text filled in, every name decided, nothing left to choose.
//!
//! Pure and repeatable: the same ticket and members give the same launch, so that a start that was cut short goes on
//! with what it began.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::model::{
    Component, ComponentName, InstanceKey, InstanceSpec, Launch, Port, Private, Protocol, Secret,
    Ticket,
};

use super::variables::{self, Scope};

/// Why a ticket can't become instances.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExpandError {
    /// A text can't be filled in.
    #[error("component '{component}', field '{field}': {why}")]
    Text {
        /// The component.
        component: ComponentName,
        /// The field.
        field: String,
        /// What is wrong.
        why: String,
    },
    /// A secret has no value.
    #[error(
        "component '{component}' needs the secret '{secret}', which was not made for this execution; remove it and submit it again"
    )]
    Secret {
        /// The component.
        component: ComponentName,
        /// The secret's name.
        secret: String,
    },
    /// More members are asked for than it may have.
    #[error("component '{component}' may have {most} members, not {members}")]
    Members {
        /// The component.
        component: ComponentName,
        /// How many are asked for.
        members: u32,
        /// How many it may have.
        most: u32,
    },
}

/// The instances of an execution.
///
/// `members` says how many each component gets; one that is not in it gets its core members.
pub fn expand(
    ticket: &Ticket,
    private: &Private,
    members: &BTreeMap<ComponentName, u32>,
) -> Result<Launch, ExpandError> {
    let mut exactly = BTreeSet::new();
    for component in &ticket.application.components {
        let count = members.get(&component.name).copied();
        for index in 0..count.unwrap_or(component.core) {
            if index >= component.members() {
                return Err(ExpandError::Members {
                    component: component.name.clone(),
                    members: count.unwrap_or(component.core),
                    most: component.members(),
                });
            }
            exactly.insert((component.name.clone(), index));
        }
    }
    expand_members(ticket, private, &exactly)
}

/// Exactly these members, by component and index: of an execution that has lost some, the numbers may have holes.
pub fn expand_members(
    ticket: &Ticket,
    private: &Private,
    members: &BTreeSet<(ComponentName, u32)>,
) -> Result<Launch, ExpandError> {
    let mut counts: BTreeMap<ComponentName, u32> = BTreeMap::new();
    for (name, _) in members {
        *counts.entry(name.clone()).or_default() += 1;
    }
    let mut instances = Vec::new();
    for component in &ticket.application.components {
        let from = (component.name.clone(), 0)..=(component.name.clone(), u32::MAX);
        for (_, index) in members.range(from) {
            if *index >= component.members() {
                return Err(ExpandError::Members {
                    component: component.name.clone(),
                    members: index.saturating_add(1),
                    most: component.members(),
                });
            }
            instances.push(instance(ticket, private, &counts, component, *index)?);
        }
    }
    Ok(Launch {
        execution: ticket.id,
        instances,
    })
}

fn instance(
    ticket: &Ticket,
    private: &Private,
    members: &BTreeMap<ComponentName, u32>,
    component: &Component,
    index: u32,
) -> Result<InstanceSpec, ExpandError> {
    let scope = Scope {
        ticket,
        own: Some(component),
        index: Some(index),
        members: Some(members),
        private: None,
        quote: str::to_owned,
    };
    let fill = |field: &str, text: &str| {
        scope.fill(text).map_err(|why| ExpandError::Text {
            component: component.name.clone(),
            field: field.to_owned(),
            why,
        })
    };
    let command = component
        .command
        .as_ref()
        .map(|words| words.iter().map(|word| fill("command", word)).collect())
        .transpose()?;
    let mut env = BTreeMap::new();
    for (name, text) in &component.env {
        env.insert(
            name.clone(),
            Secret::new(fill(&format!("env.{name}"), text)?),
        );
    }
    // The user's own environment comes last: who sets a variable by hand means it.
    env.extend(private.env.clone());
    Ok(InstanceSpec {
        node: None,
        key: InstanceKey {
            execution: ticket.id,
            component: component.name.clone(),
            index,
        },
        image: image_of(ticket, component),
        command,
        env: env.into_iter().collect(),
        secrets: secrets(private, component)?,
        volumes: component.volumes.clone(),
        publish: component
            .ports
            .iter()
            .filter(|port| port.protocol == Protocol::Http)
            .map(|port| port.container)
            .collect(),
        reservation: component.reservation(),
        aliases: vec![
            component.name.to_string(),
            format!("{}-{index}", component.name),
        ],
        needs: needs(ticket, component),
    })
}

/// The components whose hosts a component's texts name.
fn needs(ticket: &Ticket, component: &Component) -> Vec<ComponentName> {
    let texts = component.command.iter().flatten();
    let named: BTreeSet<_> = texts
        .chain(component.env.values())
        .flat_map(|text| variables::hosts(text, &ticket.application))
        .map(|name| name.unwrap_or_else(|| component.name.clone()))
        .collect();
    named.into_iter().collect()
}

fn secrets(private: &Private, component: &Component) -> Result<Vec<(String, Secret)>, ExpandError> {
    component
        .secrets
        .iter()
        .map(|name| match private.secrets.get(name) {
            Some(value) => Ok((name.clone(), value.clone())),
            None => Err(ExpandError::Secret {
                component: component.name.clone(),
                secret: name.clone(),
            }),
        })
        .collect()
}

/// The image a component of this ticket runs: the one with the submitted files where it takes them, else its own with the
/// site's registry.
pub fn image_of(ticket: &Ticket, component: &Component) -> String {
    match &ticket.job_image {
        Some(image) if component.files.is_some() => image.clone(),
        _ => image_reference(&ticket.registry, &component.image),
    }
}

/// `image` with `registry` before it, unless it names a registry of its own. An empty registry is Docker Hub.
pub fn image_reference(registry: &str, image: &str) -> String {
    let registry = registry.trim_end_matches('/');
    if registry.is_empty() || names_registry(image) {
        image.to_owned()
    } else {
        format!("{registry}/{image}")
    }
}

/// Whether an image's name says its registry, as Docker decides it: the part before the first `/` has a `.` or a `:`, or
/// is `localhost`.
pub fn names_registry(image: &str) -> bool {
    image
        .split_once('/')
        .is_some_and(|(host, _)| host.contains(['.', ':']) || host == "localhost")
}

/// The least that a component's readiness question must be answered with; 0 where any answer will do.
pub fn ready_threshold(ticket: &Ticket, component: &Component) -> Result<u64, ExpandError> {
    let Some(threshold) = component.ready.as_ref().and_then(|r| r.threshold.as_ref()) else {
        return Ok(0);
    };
    let wrong = |why: String| ExpandError::Text {
        component: component.name.clone(),
        field: "ready.at_least".to_owned(),
        why,
    };
    let scope = Scope {
        own: Some(component),
        ..url_scope(ticket, None, str::to_owned)
    };
    let text = scope.fill(&threshold.at_least).map_err(wrong)?;
    text.parse()
        .map_err(|_| wrong(format!("'{text}' is not a whole number")))
}

/// The URL of a port that is reached at `base` (`http://127.0.0.1:32768`).
///
/// With `private`, for the owner's eyes, its query comes along. What can't be filled in is left out.
pub fn port_url(ticket: &Ticket, port: &Port, base: &str, private: Option<&Private>) -> String {
    let scope = url_scope(ticket, private, percent_encode);
    let mut url = base.trim_end_matches('/').to_owned();
    url.push_str(&scope.fill(&port.path).unwrap_or_else(|_| "/".to_owned()));
    if let (Some(query), Some(_)) = (&port.query, private)
        && let Ok(query) = scope.fill(query)
    {
        url.push('?');
        url.push_str(&query);
    }
    url
}

fn url_scope<'a>(
    ticket: &'a Ticket,
    private: Option<&'a Private>,
    quote: fn(&str) -> String,
) -> Scope<'a> {
    Scope {
        ticket,
        own: None,
        index: None,
        members: None,
        private,
        quote,
    }
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
fn percent_encode(text: &str) -> String {
    use std::fmt::Write;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
