//! `${…}` in a description's texts: the grammar, what may be used where, and filling in.
//!
//! A `$` begins a variable, `$$` is a literal `$`, anything else after a `$` is an error: what looks like a variable
//! must never pass as text by accident.

use std::collections::BTreeMap;

use crate::model::{Application, Component, ComponentName, Private, Ticket};

use super::errors::{shown, suggestion};

/// Where a text is used: decides which variables make sense in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// In an instance: its command or environment.
    Instance,
    /// In the path of a port's URL.
    Path,
    /// In the query of a port's URL, which its owner alone sees.
    Query,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable { name: String, variable: Variable },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Variable {
    ExecutionId,
    ExecutionName,
    ExecutionUser,
    Deployment,
    /// Of the component of that name, or of the own one.
    Of(Option<ComponentName>, Quantity),
    Index,
    Secret(String),
    /// The path on the web server of a port of the component of that name, or of the own one.
    Path(Option<ComponentName>, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Host,
    Core,
    Elastic,
    Members,
    Cores,
    Slots,
    MemoryMib,
    MemoryBytes,
}

const QUANTITIES: [(&str, Quantity); 8] = [
    ("host", Quantity::Host),
    ("core", Quantity::Core),
    ("elastic", Quantity::Elastic),
    ("members", Quantity::Members),
    ("cores", Quantity::Cores),
    ("slots", Quantity::Slots),
    ("memory.mib", Quantity::MemoryMib),
    ("memory.bytes", Quantity::MemoryBytes),
];

/// Words that begin a variable and so are no component's name.
pub(super) const RESERVED: [&str; 4] = ["deployment", "execution", "secret", "self"];

/// `text` written so that it is filled in as itself.
pub(super) fn escape(text: &str) -> String {
    text.replace('$', "$$")
}

/// Checks that `text` can be filled in when it belongs to a component of `application`.
pub(super) fn check(text: &str, application: &Application, place: Use) -> Result<(), String> {
    for piece in pieces(text, application)? {
        let Piece::Variable { name, variable } = piece else {
            continue;
        };
        match (&variable, place) {
            (Variable::Secret(secret), Use::Instance | Use::Path) => {
                return Err(format!(
                    "${{{name}}} can be used in a port's query only; a component that lists the secret reads it from the file /run/secrets/{secret}"
                ));
            }
            (
                Variable::Of(None, _) | Variable::Path(None, _) | Variable::Index,
                Use::Path | Use::Query,
            ) => {
                return Err(format!(
                    "${{{name}}} cannot be used in a URL, which is the same for all members; name the component instead of 'self'"
                ));
            }
            (Variable::Path(Some(owner), _), _)
                if application
                    .component(owner)
                    .is_some_and(|c| c.members() > 1) =>
            {
                return Err(format!(
                    "${{{name}}} is not one path: {owner} has several members, each with a path of its own; a member reads its own with ${{self.port.….path}}"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks that `text` will be a whole number: it is one, or a single variable that counts something.
pub(super) fn check_number(text: &str, application: &Application) -> Result<(), String> {
    let pieces = pieces(text, application)?;
    let good = match pieces.as_slice() {
        [Piece::Text(text)] => text.parse::<u64>().is_ok(),
        [
            Piece::Variable {
                variable: Variable::Of(_, quantity),
                ..
            },
        ] => !matches!(quantity, Quantity::Host | Quantity::Cores),
        _ => false,
    };
    if good {
        Ok(())
    } else {
        Err(format!(
            "'{}' is not a whole number; write one, or a variable that counts something, such as ${{worker.core}}",
            shown(text)
        ))
    }
}

/// What variables are filled in from.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The execution.
    pub ticket: &'a Ticket,
    /// The component the text belongs to, where there is one.
    pub own: Option<&'a Component>,
    /// Which member of it.
    pub index: Option<u32>,
    /// How many members each component gets; the core ones where that is not decided.
    pub members: Option<&'a BTreeMap<ComponentName, u32>>,
    /// The secrets, where they may be shown.
    pub private: Option<&'a Private>,
    /// How values are written, so that they mean nothing else where they are put.
    pub quote: fn(&str) -> String,
}

impl Scope<'_> {
    /// `text` with everything filled in.
    pub(super) fn fill(&self, text: &str) -> Result<String, String> {
        if !text.contains('$') {
            return Ok(text.to_owned());
        }
        let mut filled = String::with_capacity(text.len() * 2);
        for piece in pieces(text, &self.ticket.application)? {
            match piece {
                Piece::Text(text) => filled.push_str(&text),
                Piece::Variable { name, variable } => {
                    let value = self
                        .value(&variable)
                        .ok_or_else(|| format!("${{{name}}} has no value here"))?;
                    filled.push_str(&(self.quote)(&value));
                }
            }
        }
        Ok(filled)
    }

    fn value(&self, variable: &Variable) -> Option<String> {
        Some(match variable {
            Variable::ExecutionId => self.ticket.id.to_string(),
            Variable::ExecutionName => self.ticket.name.to_string(),
            Variable::ExecutionUser => self.ticket.user.clone(),
            Variable::Deployment => self.ticket.deployment.to_string(),
            Variable::Of(None, quantity) => self.quantity(self.own?, *quantity),
            Variable::Of(Some(name), quantity) => {
                self.quantity(self.ticket.application.component(name)?, *quantity)
            }
            Variable::Path(owner, port) => {
                let (component, index) = match owner {
                    Some(name) => (self.ticket.application.component(name)?, 0),
                    None => (self.own?, self.index?),
                };
                let port = component.port(port)?;
                // Behind no web server there is no path.
                let path = self.ticket.path_of(component, index, port);
                path.unwrap_or_default()
            }
            Variable::Index => self.index?.to_string(),
            Variable::Secret(name) => self.private?.secrets.get(name)?.reveal().to_owned(),
        })
    }

    fn quantity(&self, component: &Component, quantity: Quantity) -> String {
        match quantity {
            Quantity::Host => component.name.to_string(),
            Quantity::Core => component.core.to_string(),
            Quantity::Elastic => component.elastic.to_string(),
            Quantity::Members => self
                .members
                .and_then(|members| members.get(&component.name))
                .unwrap_or(&component.core)
                .to_string(),
            Quantity::Cores => component.cores.to_string(),
            Quantity::Slots => component.cores.slots().to_string(),
            Quantity::MemoryMib => component.memory.mib().to_string(),
            Quantity::MemoryBytes => component.memory.get().to_string(),
        }
    }
}

/// The components whose hosts `text` names, the own one as `None`; a text that can't be read names none.
pub(super) fn hosts(text: &str, application: &Application) -> Vec<Option<ComponentName>> {
    let host = |piece| match piece {
        Piece::Variable {
            variable: Variable::Of(component, Quantity::Host),
            ..
        } => Some(component),
        Piece::Text(_) | Piece::Variable { .. } => None,
    };
    let pieces = pieces(text, application).unwrap_or_default();
    pieces.into_iter().filter_map(host).collect()
}

/// The ports of the own component whose paths `text` names; a text that can't be read names none.
pub(super) fn own_ports(text: &str, application: &Application) -> Vec<String> {
    let port = |piece| match piece {
        Piece::Variable {
            variable: Variable::Path(None, port),
            ..
        } => Some(port),
        Piece::Text(_) | Piece::Variable { .. } => None,
    };
    let pieces = pieces(text, application).unwrap_or_default();
    pieces.into_iter().filter_map(port).collect()
}

/// The pieces of `text`, all variables known to `application`.
fn pieces(text: &str, application: &Application) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        literal.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            literal.push('$');
            rest = after;
            continue;
        }
        let (name, after) = after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
            .ok_or_else(|| {
                format!(
                    "the '$' in '{}' begins no variable; write ${{NAME}} for a variable or $$ for a literal '$'",
                    shown(text)
                )
            })?;
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Variable {
            name: name.to_owned(),
            variable: variable(name, application).ok_or_else(|| unknown(name, application))?,
        });
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

fn variable(name: &str, application: &Application) -> Option<Variable> {
    let quantity = |name: &str| {
        QUANTITIES
            .iter()
            .find(|(word, _)| *word == name)
            .map(|(_, quantity)| *quantity)
    };
    match name {
        "deployment" => return Some(Variable::Deployment),
        "execution.id" => return Some(Variable::ExecutionId),
        "execution.name" => return Some(Variable::ExecutionName),
        "execution.user" => return Some(Variable::ExecutionUser),
        "self.index" => return Some(Variable::Index),
        _ => {}
    }
    match name.split_once('.')? {
        ("secret", secret) => application
            .secrets
            .iter()
            .any(|known| known == secret)
            .then(|| Variable::Secret(secret.to_owned())),
        ("self", rest) => match port_path(rest) {
            // Whether its component has such a port is seen where that is known.
            Some(port) => application
                .components
                .iter()
                .any(|c| has_path(c, port))
                .then(|| Variable::Path(None, port.to_owned())),
            None => Some(Variable::Of(None, quantity(rest)?)),
        },
        (component, rest) => {
            let component = application
                .components
                .iter()
                .find(|c| c.name.as_str() == component)?;
            let owner = Some(component.name.clone());
            match port_path(rest) {
                Some(port) => {
                    has_path(component, port).then(|| Variable::Path(owner, port.to_owned()))
                }
                None => Some(Variable::Of(owner, quantity(rest)?)),
            }
        }
    }
}

/// The port in `port.NAME.path`.
fn port_path(text: &str) -> Option<&str> {
    text.strip_prefix("port.")?.strip_suffix(".path")
}

fn has_path(component: &Component, port: &str) -> bool {
    component.port(port).is_some_and(|port| port.proxy)
}

fn unknown(name: &str, application: &Application) -> String {
    let mut known: Vec<String> = [
        "deployment",
        "execution.id",
        "execution.name",
        "execution.user",
        "self.index",
    ]
    .map(str::to_owned)
    .to_vec();
    known.extend(application.secrets.iter().map(|s| format!("secret.{s}")));
    let owners = application.components.iter().map(|c| c.name.as_str());
    for owner in owners.chain(["self"]) {
        known.extend(QUANTITIES.iter().map(|(word, _)| format!("{owner}.{word}")));
    }
    let ports = application.components.iter();
    let ports = ports.flat_map(|c| c.ports.iter().map(move |port| (c, port)));
    let served = ports.filter(|(_, port)| port.proxy);
    known.extend(served.map(|(c, port)| format!("{}.port.{}.path", c.name, port.name)));
    let hint = suggestion(name, known.iter().map(String::as_str));
    let components: Vec<_> = application
        .components
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    format!(
        "the variable ${{{}}} is not known{hint}; there are execution.id|name|user, deployment, self.index, and .host, .core, \
         .elastic, .members, .cores, .slots, .memory.mib, .memory.bytes, .port.NAME.path of self and the components ({}); write $$ for a literal '$'",
        shown(name),
        components.join(", ")
    )
}
