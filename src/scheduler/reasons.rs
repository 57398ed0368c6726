//! Why an execution waits, in words: a sentence for people, short enough for a table, and a stable word for programs.

use std::fmt;

use crate::model::{
    Availability, Away, Bytes, DISABLED, Holder, RequiredEnd, Resource, Resources, WaitReason,
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
            Self::Replacement { .. } => "replacement",
            Self::Retry { .. } => "retry",
            Self::Held => "held",
            Self::After { .. } => "after",
            Self::ArrayLimit { .. } => "array-limit",
            Self::Quota(_) => "quota",
            Self::Again { .. } => "again",
            Self::Behind { .. } => "behind",
            Self::Ready => "ready",
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEnough {
                short_of,
                needed,
                free,
                capacity,
                holders,
            } => {
                let (needed, free_now) = apart(*short_of, *needed, *free);
                let all = amount(*short_of, *capacity);
                let what = unit(*short_of);
                write!(f, "waits for {needed}{what}: {free_now} of {all} free")?;
                write_holders(f, *short_of, holders, *free != *capacity)
            }
            Self::NoNodeFits { component, needed } => write!(
                f,
                "no single node has room for a '{component}' ({} cores, {})",
                needed.cores, needed.memory
            ),
            Self::NodesAway { away, of } => write_away(f, away, *of),
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
                write!(f, "cannot be replaced yet: {reason}")
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
                write!(f, "waits for {execution} {how}")?;
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
            Self::Behind {
                execution,
                position,
            } => write!(
                f,
                "behind {execution} ({position}{} in the queue)",
                suffix(*position)
            ),
            Self::Ready => f.write_str("ready: the next pass starts it"),
            Self::Unknown { what } => write!(f, "cannot tell: {what} could not be read"),
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
    for (n, Away { node, why }) in away.iter().take(SHOWN_NODES).enumerate() {
        let before = if n == 0 { ": " } else { ", " };
        write!(f, "{before}{node} ")?;
        match why {
            None => f.write_str("could not be read")?,
            Some(Availability::Active) => f.write_str("is active")?,
            Some(Availability::Disabled) => write!(f, "has the label {DISABLED}")?,
            Some(Availability::Paused) => f.write_str("is paused")?,
            Some(Availability::Drained) => f.write_str("is drained")?,
            Some(Availability::Down { since: None }) => f.write_str("is down")?,
            Some(Availability::Down { since: Some(at) }) => write!(f, "is down since {at:.0}")?,
        }
    }
    match away.len().saturating_sub(SHOWN_NODES) {
        0 => Ok(()),
        rest => write!(f, " and {rest} more"),
    }
}

fn write_holders(
    f: &mut fmt::Formatter<'_>,
    resource: Resource,
    holders: &[Holder],
    somebody: bool,
) -> fmt::Result {
    let Some((first, rest)) = holders.split_first() else {
        return if somebody {
            f.write_str("; other deployments hold the rest")
        } else {
            Ok(())
        };
    };
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
    if rest.is_empty() {
        return Ok(());
    }
    let sum = rest.iter().map(|holder| holder.holds).sum();
    let (n, verb) = (rest.len(), if rest.len() == 1 { "holds" } else { "hold" });
    write!(f, ", {n} more {verb} {}", amount(resource, sum))
}

pub(super) fn amount(resource: Resource, of: Resources) -> String {
    match resource {
        Resource::Cores => of.cores.to_string(),
        Resource::Memory => of.memory.to_string(),
    }
}

pub(super) fn unit(resource: Resource) -> &'static str {
    match resource {
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

#[cfg(test)]
mod tests {
    use super::super::generators::{at, id, resources};
    use super::*;

    fn holder(n: u64, name: &str, holds: Resources) -> Holder {
        Holder {
            execution: id(n),
            name: name.to_owned(),
            user: "ann".to_owned(),
            holds,
        }
    }

    fn not_enough(short_of: Resource, free: Resources, holders: Vec<Holder>) -> WaitReason {
        WaitReason::NotEnough {
            short_of,
            needed: resources(1500, 1410),
            free,
            capacity: resources(2000, 4096),
            holders,
        }
    }

    #[test]
    fn reasons_say_what_is_missing_and_who_has_it() {
        let free = resources(500, 1409);
        let nightly = holder(7, "nightly", resources(1500, 2048));
        let second = holder(8, "b", resources(250, 128));
        let cores = not_enough(Resource::Cores, free, vec![nightly.clone()]);
        assert_eq!(
            cores.to_string(),
            "waits for 1.5 cores: 0.5 of 2 free; nightly (haaaaaaa, ann) holds 1.5"
        );
        let memory = not_enough(Resource::Memory, free, vec![nightly, second]);
        assert_eq!(
            memory.to_string(),
            "waits for 1410 MiB of memory: 1409 MiB of 4 GiB free; nightly (haaaaaaa, ann) holds 2 GiB, 1 more holds 128 MiB"
        );
        let others = not_enough(Resource::Cores, free, Vec::new());
        assert_eq!(
            others.to_string(),
            "waits for 1.5 cores: 0.5 of 2 free; other deployments hold the rest"
        );
        assert_eq!(
            [cores.code(), memory.code()],
            ["not-enough-cores", "not-enough-memory"]
        );
    }

    #[test]
    fn places_in_the_queue_are_ordinals() {
        let shown = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(|position| {
            let reason = WaitReason::Behind {
                execution: id(1),
                position,
            };
            reason.to_string()
        });
        assert_eq!(shown[1], "behind baaaaaaa (2nd in the queue)");
        let ends = [
            "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th",
        ];
        for (text, end) in shown.iter().zip(ends) {
            assert!(text.contains(&format!("({end} in")), "{text}");
        }
    }

    #[test]
    fn nodes_that_take_nothing_are_named_with_why() {
        let away = |node: &str, why| Away {
            node: node.to_owned(),
            why,
        };
        let down = Availability::Down { since: Some(at(7)) };
        let reason = WaitReason::NodesAway {
            away: vec![
                away("n2", Some(Availability::Drained)),
                away("n3", Some(down)),
                away("n4", None),
                away("n5", Some(Availability::Disabled)),
            ],
            of: 6,
        };
        assert_eq!(
            reason.to_string(),
            "4 of 6 nodes take nothing new: n2 is drained, n3 is down since 2023-11-14T22:13:27Z, n4 could not be read and 1 more"
        );
        let replacement = WaitReason::Replacement {
            component: "worker".parse().unwrap(),
            members: 2,
            reason: Box::new(WaitReason::NodesAway {
                away: vec![away("n1", Some(Availability::Disabled))],
                of: 1,
            }),
        };
        assert_eq!(
            replacement.to_string(),
            "runs, but 2 'worker' members are lost and cannot be replaced yet: 1 of 1 node takes nothing new: n1 has the label zoe.disabled"
        );
    }

    #[test]
    fn a_failed_start_says_why_and_when_it_is_tried_again() {
        let reason = WaitReason::Retry {
            at: at(2),
            tried: 1,
            of: 3,
            why: "worker-0 exited with 1".to_owned(),
        };
        assert_eq!(
            reason.to_string(),
            "its start failed: worker-0 exited with 1; it is tried again at 2023-11-14T22:13:22Z (try 2 of 3)"
        );
    }

    #[test]
    fn the_other_reasons_are_one_short_sentence() {
        let fits = WaitReason::NoNodeFits {
            component: "worker".parse().unwrap(),
            needed: resources(1000, 1408),
        };
        assert_eq!(
            fits.to_string(),
            "no single node has room for a 'worker' (1 cores, 1.3 GiB)"
        );
        let unknown = WaitReason::Unknown {
            what: "the nodes".to_owned(),
        };
        assert_eq!(
            unknown.to_string(),
            "cannot tell: the nodes could not be read"
        );
        let codes = [fits.code(), unknown.code(), WaitReason::Ready.code()];
        assert_eq!(codes, ["no-node-fits", "unknown", "ready"]);
    }
}
