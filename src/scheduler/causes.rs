//! What is wrong with a member, in words: a sentence for people, with Docker's own words where it has any.

use std::fmt;

use crate::model::{Cause, InstanceKey};

/// What is said of an execution that another had to come after.
const BEFORE: &str = ", which had to end well before it, ";

/// What was at the bottom of a reason: of a chain of executions that came one after the other, what became of the first.
pub(super) fn root(reason: &str) -> &str {
    let Some((begin, _)) = reason.rsplit_once(BEFORE) else {
        return reason;
    };
    let begin = begin.rfind('(').map_or(0, |at| at + 1);
    let mut root = reason.get(begin..).unwrap_or(reason);
    // As many have been opened before it, one in each reason.
    for _ in reason.get(..begin).unwrap_or_default().matches(BEFORE) {
        root = root.strip_suffix(')').unwrap_or(root);
    }
    root
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost {
                member,
                monitor,
                node,
                since,
            } => {
                if *monitor {
                    write!(f, "its monitor '{}'", member.component)?;
                } else {
                    write!(f, "{}", named(member))?;
                }
                write!(
                    f,
                    " was on node {node}, which has been down since {since:.0}"
                )
            }
            Self::Rejected { member, node, note } => {
                let why = note.as_deref().unwrap_or("no reason was given");
                let member = named(member);
                if node.is_empty() {
                    write!(f, "{member} was rejected: {why}")
                } else {
                    write!(f, "{member} was rejected on node {node}: {why}")
                }
            }
            Self::Exited { member, code } => write!(f, "{} exited with {code}", named(member)),
            Self::Overdue { member, note } => {
                write!(f, "{} was not started in time: {note}", named(member))
            }
            Self::Hopeless { after, ended } => {
                write!(f, "{after}{BEFORE}{ended}")
            }
            Self::Reclaimed { member, by } => {
                write!(
                    f,
                    "{} was taken back: {by} comes first and needs its room",
                    named(member)
                )
            }
            Self::NotReady { missing } => write!(f, "it was not ready in time: {missing}"),
            Self::Undone { why } => f.write_str(why),
            Self::Removed => {
                f.write_str("some of its containers were removed by something other than zoe")
            }
        }
    }
}

/// How a member is named to people: `worker-1`.
fn named(member: &InstanceKey) -> String {
    format!("{}-{}", member.component, member.index)
}

#[cfg(test)]
mod tests {
    use super::super::generators::{at, id};
    use super::*;

    #[test]
    fn causes_name_the_member_and_give_dockers_own_words() {
        let member = InstanceKey {
            execution: id(1),
            component: "driver".parse().unwrap(),
            index: 0,
        };
        let lost = Cause::Lost {
            member: member.clone(),
            monitor: true,
            node: "n2".to_owned(),
            since: at(0),
        };
        assert_eq!(
            lost.to_string(),
            "its monitor 'driver' was on node n2, which has been down since 2023-11-14T22:13:20Z"
        );
        let rejected = |note: &str| Cause::Rejected {
            member: member.clone(),
            node: "n2".to_owned(),
            note: Some(note.to_owned()),
        };
        let no_image = rejected("No such image: reg:5000/x:1");
        assert_eq!(
            no_image.to_string(),
            "driver-0 was rejected on node n2: No such image: reg:5000/x:1"
        );
        let exited = Cause::Exited { member, code: 3 };
        assert_eq!(exited.to_string(), "driver-0 exited with 3");
    }

    #[test]
    fn a_chain_is_told_by_its_first() {
        assert_eq!(
            root("driver exited with 3 (really)"),
            "driver exited with 3 (really)"
        );
        let mut ended = "failed with 3 (driver exited with 3)".to_owned();
        for n in 1..5 {
            let reason = Cause::Hopeless {
                after: id(n),
                ended,
            }
            .to_string();
            assert_eq!(
                root(&reason),
                "baaaaaaa, which had to end well before it, failed with 3 (driver exited with 3)"
            );
            ended = format!("failed with 125 ({})", root(&reason));
        }
    }
}
