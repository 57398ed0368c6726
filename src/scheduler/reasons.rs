//! Why an execution waits, in words: a sentence for people, short enough for a table, and a stable word for programs.

use std::collections::BTreeMap;
use std::fmt;

use crate::model::{
    Availability, Away, Bytes, ComponentName, Cores, DISABLED, Execution, ExecutionId, Holder,
    OverQuota, RequiredEnd, Resource, Resources, WaitReason,
};

/// How many nodes a sentence names.
const SHOWN_NODES: usize = 3;

impl WaitReason {
    /// The stable word for programs, part of the JSON output.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotEnough {
                short_of: Resource::Cores,
                ..
            } => "not-enough-cores",
            Self::NotEnough {
                short_of: Resource::Memory,
                ..
            } => "not-enough-memory",
            Self::NoNodeFits { .. } => "no-node-fits",
            Self::NodesAway { .. } => "nodes-away",
            Self::NoLabel { .. } => "no-label",
            Self::Replacement { .. } => "replacement",
            Self::Retry { .. } => "retry",
            Self::Held => "held",
            Self::After { .. } => "after",
            Self::ArrayLimit { .. } => "array-limit",
            Self::Quota(_) => "quota",
            Self::Again { .. } => "again",
            Self::MakingRoom { .. } => "making-room",
            Self::WouldDelay { .. } => "would-delay",
            Self::Behind { .. } => "behind",
            Self::Ready => "ready",
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Names::default())
    }
}

/// What executions are called, so that they need not be known by their ids.
#[derive(Clone, Copy, Default)]
struct Names<'a>(Option<&'a BTreeMap<ExecutionId, Execution>>);

impl<'a> Names<'a> {
    fn of(self, id: ExecutionId) -> Option<&'a str> {
        let execution = self.0?.get(&id)?;
        Some(execution.ticket.name.as_str())
    }

    /// `nightly (k3fabcde)`, or the id.
    fn shown(self, id: ExecutionId) -> String {
        let name = self.of(id);
        name.map_or_else(|| id.to_string(), |name| format!("{name} ({id})"))
    }

    /// `2nd in the queue, behind nightly (k3fabcde)`, or the id.
    fn behind(self, id: ExecutionId, position: usize) -> String {
        let end = suffix(position);
        format!("{position}{end} in the queue, behind {}", self.shown(id))
    }
}

/// A reason in words, with the names of the executions that it is about.
struct Named<'a>(&'a WaitReason, Names<'a>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, self.1)
    }
}

impl WaitReason {
    /// The sentence, with the names of those others that are among these executions.
    pub fn in_words(&self, executions: &BTreeMap<ExecutionId, Execution>) -> String {
        Named(self, Names(Some(executions))).to_string()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, names: Names<'_>) -> fmt::Result {
        match self {
            Self::NotEnough {
                short_of,
                needed,
                free,
                capacity,
                holders,
                others,
            } => {
                let (needed, free_now) = apart(*short_of, *needed, *free);
                let all = amount(*short_of, *capacity);
                let what = unit(*short_of, &needed);
                write!(f, "waits for {needed}{what}: {free_now} of {all} free")?;
                write_holders(f, *short_of, holders, *others)
            }
            Self::NoNodeFits { component, needed } => write!(
                f,
                "no single node has room for a '{component}' ({}, {})",
                needed.cores.in_words(),
                needed.memory
            ),
            Self::NodesAway { away, of } => write_away(f, away, *of),
            Self::NoLabel { component, labels } => write_no_label(f, component, labels),
            Self::Replacement {
                component,
                members,
                reason,
            } => {
                let (is, more) = if *members == 1 {
                    ("is", "")
                } else {
                    ("are", "s")
                };
                write!(
                    f,
                    "runs, but {members} '{component}' member{more} {is} lost and "
                )?;
                f.write_str("cannot be replaced yet: ")?;
                reason.write(f, names)
            }
            Self::Retry { at, tried, of, why } => write!(
                f,
                "its start failed: {why}; it is tried again at {at:.0} (try {} of {of})",
                tried.saturating_add(1)
            ),
            Self::Held => f.write_str("held: `zoe release` lets it go on"),
            Self::After {
                execution,
                end,
                known,
            } => {
                let how = match end {
                    RequiredEnd::Ok => "to end well",
                    RequiredEnd::Any => "to end",
                };
                write!(f, "waits for {} {how}", names.shown(*execution))?;
                if *known {
                    return Ok(());
                }
                f.write_str(
                    ", of which nobody knows any more how it ended: end this one with `zoe kill`",
                )
            }
            Self::ArrayLimit { at_once } => write!(
                f,
                "{at_once} of its array run, which is as many as may at once"
            ),
            Self::Quota(OverQuota::Behind { execution }) => write!(
                f,
                "waits for its owner's quota: {} comes first, and waits for it",
                names.shown(*execution)
            ),
            Self::Quota(over) => write!(f, "waits for its owner's quota: {over}"),
            Self::Again {
                at,
                failed,
                of,
                why,
            } => write!(
                f,
                "it failed: {why}; it is run again at {at:.0} (retry {failed} of {of})"
            ),
            Self::MakingRoom { from, members } => write_making_room(f, names, from, *members),
            Self::WouldDelay {
                execution,
                at,
                position,
            } => write!(
                f,
                "{}: there is room, but {} is to have it by {at:.0}; a time limit that ends before lets it go first",
                names.behind(*execution, *position),
                names.of(*execution).unwrap_or(execution.as_str())
            ),
            Self::Behind {
                execution,
                position,
            } => f.write_str(&names.behind(*execution, *position)),
            Self::Ready => f.write_str("ready: the next pass starts it"),
            Self::Unknown { what } => write!(f, "cannot tell: {what} could not be read"),
        }
    }
}

/// `starts when 3 elastic members have been taken back from …`
fn write_making_room(
    f: &mut fmt::Formatter<'_>,
    names: Names<'_>,
    from: &[ExecutionId],
    members: usize,
) -> fmt::Result {
    let (s, have) = if members == 1 {
        ("", "has")
    } else {
        ("s", "have")
    };
    write!(
        f,
        "starts when {members} elastic member{s} {have} been taken back from "
    )?;
    for (n, execution) in from.iter().take(SHOWN_NODES).enumerate() {
        let before = if n == 0 { "" } else { ", " };
        write!(f, "{before}{}", names.shown(*execution))?;
    }
    match from.len().saturating_sub(SHOWN_NODES) {
        0 => Ok(()),
        rest => write!(f, " and {rest} more"),
    }
}

/// `no node has the labels disk=ssd and gpu=yes, which 'worker' asks for`
fn write_no_label(
    f: &mut fmt::Formatter<'_>,
    component: &ComponentName,
    labels: &BTreeMap<String, String>,
) -> fmt::Result {
    let s = if labels.len() == 1 { "" } else { "s" };
    write!(f, "no node has the label{s} ")?;
    for (n, (key, value)) in labels.iter().enumerate() {
        let before = if n == 0 { "" } else { " and " };
        write!(f, "{before}{key}={value}")?;
    }
    write!(f, ", which '{component}' asks for")
}

/// `n2 is drained`
impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.node)?;
        match self.why {
            None => f.write_str("could not be read"),
            Some(Availability::Active) => f.write_str("is active"),
            Some(Availability::Disabled) => write!(f, "has the label {DISABLED}"),
            Some(Availability::Paused) => f.write_str("is paused"),
            Some(Availability::Drained) => f.write_str("is drained"),
            Some(Availability::Down { since: None }) => f.write_str("is down"),
            Some(Availability::Down { since: Some(at) }) => write!(f, "is down since {at:.0}"),
        }
    }
}

/// `2 of 3 nodes take nothing new: n2 is drained, n3 is down since …`
fn write_away(f: &mut fmt::Formatter<'_>, away: &[Away], of: usize) -> fmt::Result {
    let (nodes, take) = match (of, away.len()) {
        (1, _) => ("node", "takes"),
        (_, 1) => ("nodes", "takes"),
        _ => ("nodes", "take"),
    };
    write!(f, "{} of {of} {nodes} {take} nothing new", away.len())?;
    for (n, one) in away.iter().take(SHOWN_NODES).enumerate() {
        let before = if n == 0 { ": " } else { ", " };
        write!(f, "{before}{one}")?;
    }
    match away.len().saturating_sub(SHOWN_NODES) {
        0 => Ok(()),
        rest => write!(f, " and {rest} more"),
    }
}

/// `; nightly (k3fabcde, ann) holds 2, 3 more hold 1.5, other deployments hold 0.5`
fn write_holders(
    f: &mut fmt::Formatter<'_>,
    resource: Resource,
    holders: &[Holder],
    others: Resources,
) -> fmt::Result {
    if let Some((first, rest)) = holders.split_first() {
        let Holder {
            execution,
            name,
            user,
            holds,
        } = first;
        write!(
            f,
            "; {name} ({execution}, {user}) holds {}",
            amount(resource, *holds)
        )?;
        if !rest.is_empty() {
            let sum = rest.iter().map(|holder| holder.holds).sum();
            let (n, verb) = (rest.len(), if rest.len() == 1 { "holds" } else { "hold" });
            write!(f, ", {n} more {verb} {}", amount(resource, sum))?;
        }
    }
    if is_none(resource, others) {
        return Ok(());
    }
    let before = if holders.is_empty() { ";" } else { "," };
    let held = amount(resource, others);
    write!(f, "{before} other deployments hold {held}")
}

fn is_none(resource: Resource, of: Resources) -> bool {
    match resource {
        Resource::Cores => of.cores == Cores::ZERO,
        Resource::Memory => of.memory == Bytes::ZERO,
    }
}

pub(super) fn amount(resource: Resource, of: Resources) -> String {
    match resource {
        Resource::Cores => of.cores.to_string(),
        Resource::Memory => of.memory.to_string(),
    }
}

/// The unit of an amount that is written so.
pub(super) fn unit(resource: Resource, amount: &str) -> &'static str {
    match resource {
        Resource::Cores if amount == "1" => " core",
        Resource::Cores => " cores",
        Resource::Memory => " of memory",
    }
}

/// Two amounts as text; finer units where rounding would make different ones look the same.
pub(super) fn apart(resource: Resource, a: Resources, b: Resources) -> (String, String) {
    let coarse = (amount(resource, a), amount(resource, b));
    if coarse.0 != coarse.1 || resource == Resource::Cores || a.memory == b.memory {
        return coarse;
    }
    let mib = |bytes: Bytes| format!("{} MiB", bytes.mib());
    if a.memory.mib() == b.memory.mib() {
        let bytes = |bytes: Bytes| format!("{} B", bytes.get());
        return (bytes(a.memory), bytes(b.memory));
    }
    (mib(a.memory), mib(b.memory))
}

/// The ending of an ordinal number in English.
fn suffix(n: usize) -> &'static str {
    match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}
