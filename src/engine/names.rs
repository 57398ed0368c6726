//! What zoe's objects are called in Docker.
//!
//! Names decide races: they are derived from what an object is, so that two who make the same thing collide.
//! Nothing is ever read out of a name but the mark of a ticket: what an object is stands in its labels.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::apps;
use crate::model::{Deployment, ExecutionId, InstanceKey, Mark, Ticket};

/// Every mark, with what it adds to a ticket's name.
const MARKS: [(Mark, &str); 5] = [
    (Mark::Ending, ".ending"),
    (Mark::Cancelled, ".cancelled"),
    (Mark::TimedOut, ".timed-out"),
    (Mark::Failed, ".failed"),
    (Mark::Lost, ".lost"),
];

/// The ticket's container: by the name the user claimed, or by the id. A key makes the id, so that the id decides.
pub fn ticket_name(ticket: &Ticket) -> String {
    if ticket.name_claimed && ticket.key.is_none() {
        format!("{}{}", claims(&ticket.deployment), ticket.name)
    } else {
        format!("zoe-{}-{}", ticket.deployment, ticket.id)
    }
}

/// What the names of tickets begin with whose users claimed a name.
fn claims(deployment: &Deployment) -> String {
    format!("zoe-{deployment}--")
}

/// Whether a ticket of that name bears one that its user claimed.
pub fn is_claimed(name: &str, deployment: &Deployment) -> bool {
    name.starts_with(&claims(deployment))
}

/// The longest name of a service, in characters. An Engine takes longer ones, but a member is called the same everywhere.
const LONGEST_SERVICE: usize = 63;
/// The longest name of a config or a secret, in characters.
const LONGEST_CONFIG: usize = 64;

/// The ticket's config in a Swarm.
pub fn config_name(ticket: &Ticket) -> String {
    fitting(ticket_name(ticket), LONGEST_CONFIG)
}

/// A secret of an execution in a Swarm.
pub fn secret_name(deployment: &Deployment, id: ExecutionId, secret: &str) -> String {
    fitting(format!("zoe-{deployment}-{id}-{secret}"), LONGEST_CONFIG)
}

/// A name as it is, or where it is too long with a hash of the whole in place of its end.
fn fitting(name: String, longest: usize) -> String {
    if name.len() <= longest {
        return name;
    }
    let hash = job_hash(&name, "");
    let kept = longest.saturating_sub(hash.len() + 1);
    // The names are made of ASCII.
    let head = name.get(..kept).unwrap_or_default();
    format!("{}-{hash}", head.trim_end_matches(['-', '.', '_']))
}

/// Whether a container of that name can be the ticket of this execution, as long as it is not marked: what is called
/// otherwise is a copy that somebody made.
pub fn may_be_ticket(name: &str, deployment: &Deployment, id: ExecutionId) -> bool {
    let name = plain(name);
    name == format!("zoe-{deployment}-{id}") || is_claimed(name, deployment)
}

/// The ticket's container once the execution is to end. A claimed name is free again then.
pub fn marked_name(deployment: &Deployment, id: ExecutionId, mark: Mark) -> String {
    let suffix = MARKS
        .iter()
        .find_map(|(m, suffix)| (*m == mark).then_some(*suffix))
        .unwrap_or_default();
    format!("zoe-{deployment}-{id}{suffix}")
}

/// The mark that a ticket's container shows by its name. The whole name is compared, as a name that a user claimed
/// may end like a mark.
pub fn parse_mark(name: &str, deployment: &Deployment, id: ExecutionId) -> Option<Mark> {
    let rest = plain(name)
        .strip_prefix("zoe-")?
        .strip_prefix(deployment.as_str())?
        .strip_prefix('-')?
        .strip_prefix(id.as_str())?;
    MARKS
        .iter()
        .find_map(|(mark, suffix)| (*suffix == rest).then_some(*mark))
}

/// A container's name without what Docker puts before it: `/name`, or `/node/name` in a classic Swarm.
pub fn plain(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The image of the ticket's container: the one with the submitted files or the principal component's, so that
/// Docker itself counts that the execution uses it.
pub fn ticket_image(ticket: &Ticket) -> Option<String> {
    let own = || {
        let principal = ticket.application.principal()?;
        Some(apps::image_reference(&ticket.registry, &principal.image))
    };
    ticket.job_image.clone().or_else(own)
}

/// An instance's container.
pub fn instance_name(deployment: &Deployment, key: &InstanceKey) -> String {
    let InstanceKey {
        execution,
        component,
        index,
    } = key;
    let name = format!("zoe-{deployment}-{execution}-{component}-{index}");
    fitting(name, LONGEST_SERVICE)
}

/// An execution's network.
pub fn network_name(deployment: &Deployment, id: ExecutionId) -> String {
    format!("zoe-{deployment}-{id}")
}

/// The container in which an image with files is made. There is one for each image, so that the name tells when two
/// make the same.
pub fn builder_name(deployment: &Deployment, hash: &str) -> String {
    format!("zoe-{deployment}-build-{hash}")
}

/// What an image with files is known by: 16 hex digits made of the image underneath and of the files.
pub fn job_hash(base_id: &str, files_digest: &str) -> String {
    let mut sha = Sha256::new();
    sha.update(base_id.as_bytes());
    sha.update([0]);
    sha.update(files_digest.as_bytes());
    let mut hash = String::new();
    for byte in sha.finalize().iter().take(8) {
        // Writing to a string can't fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

/// The tag of an image with files. With a registry it is named for that one, so that every node can get it there.
pub fn job_tag(registry: &str, deployment: &Deployment, hash: &str) -> String {
    let tag = format!("{}:{hash}", job_repository(deployment));
    apps::image_reference(registry, &tag)
}

/// Whether a tag is that of one of the deployment's images with files, whatever registry it is named for.
pub fn is_job_tag(tag: &str, deployment: &Deployment) -> bool {
    let Some((repository, _)) = tag.rsplit_once(':') else {
        return false;
    };
    let own = job_repository(deployment);
    let registry = repository.strip_suffix(&own);
    registry.is_some_and(|registry| registry.is_empty() || registry.ends_with('/'))
}

fn job_repository(deployment: &Deployment) -> String {
    format!("zoe-job/{deployment}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{Application, Bytes, Component, Cores, Resources, Terms};

    /// A ticket of one component `main`, for tests of this floor.
    pub(crate) fn ticket(bits: u64) -> Ticket {
        let member = Resources {
            cores: Cores::from_millis(500),
            memory: Bytes::from_mib(64),
        };
        Ticket {
            id: ExecutionId::from_bits(bits),
            deployment: "dep".parse().unwrap(),
            name: "run".parse().unwrap(),
            name_claimed: false,
            user: "ada".to_owned(),
            application: Application {
                name: "app".to_owned(),
                description: String::new(),
                monitor: None,
                secrets: Vec::new(),
                activity: None,
                components: vec![Component::bare(
                    "main".parse().unwrap(),
                    "memory/tiny".to_owned(),
                    1,
                    member,
                )],
            },
            submitted_at: jiff::Timestamp::UNIX_EPOCH,
            key: None,
            timeout: None,
            terms: Terms::default(),
            proxy: None,
            job_image: None,
            registry: String::new(),
        }
    }

    #[test]
    fn a_claimed_name_decides_unless_a_key_does() {
        let mut ticket = ticket(7);
        let by_id = format!("zoe-dep-{}", ticket.id);
        assert_eq!(ticket_name(&ticket), by_id);
        ticket.name_claimed = true;
        assert_eq!(ticket_name(&ticket), "zoe-dep--run");
        ticket.key = Some("nightly".to_owned());
        assert_eq!(ticket_name(&ticket), by_id);
    }

    #[test]
    fn what_is_too_long_for_a_swarm_ends_with_a_hash() {
        let mut ticket = ticket(7);
        ticket.deployment = "a-deployment-of-20-c".parse().unwrap();
        ticket.name = "a.name-of-forty-characters-that-is-allow".parse().unwrap();
        ticket.name_claimed = true;
        let long = config_name(&ticket);
        assert_eq!(long.len(), 64);
        assert!(may_be_ticket(&long, &ticket.deployment, ticket.id));
        let key = |component: &str, index| InstanceKey {
            execution: ticket.id,
            component: component.parse().unwrap(),
            index,
        };
        let name = |key| instance_name(&ticket.deployment, &key);
        let [one, two] =
            [1, 2].map(|index| name(key("a-component-of-24-chars0", index * 1_000_000)));
        assert!(one.len() <= 63 && two.len() <= 63 && one != two);
        assert!(name(key("worker", 1)).ends_with("-worker-1"));
    }

    #[test]
    fn a_mark_reads_back_and_a_users_name_is_none() {
        let deployment: Deployment = "dep".parse().unwrap();
        let id = ExecutionId::from_bits(7);
        for (mark, _) in MARKS {
            let name = marked_name(&deployment, id, mark);
            assert_eq!(parse_mark(&name, &deployment, id), Some(mark));
            assert_eq!(
                parse_mark(&format!("/node-1/{name}"), &deployment, id),
                Some(mark)
            );
        }
        let mut ticket = ticket(7);
        ticket.name = "run.ending".parse().unwrap();
        ticket.name_claimed = true;
        for name in [ticket_name(&ticket), network_name(&deployment, id)] {
            assert_eq!(parse_mark(&name, &deployment, id), None, "{name}");
        }
    }

    #[test]
    fn the_ticket_uses_the_image_that_the_execution_needs() {
        let mut ticket = ticket(1);
        ticket.registry = "reg.example:5000".to_owned();
        let image = ticket_image(&ticket);
        assert_eq!(image.as_deref(), Some("reg.example:5000/memory/tiny"));
        ticket.job_image = Some("zoe-job/dep:1".to_owned());
        assert_eq!(ticket_image(&ticket), ticket.job_image);
    }

    #[test]
    fn the_hash_depends_on_the_base_and_the_files() {
        let hashes = [("a", "b"), ("a", "c"), ("b", "b"), ("ab", "")]
            .map(|(base, files)| job_hash(base, files));
        assert!(hashes.iter().all(|hash| hash.len() == 16));
        let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
    }

    #[test]
    fn the_tag_of_an_image_with_files_is_known_in_any_registry() {
        let deployment: Deployment = "dep".parse().unwrap();
        for (registry, tag) in [
            ("", "zoe-job/dep:12"),
            ("reg.example:5000", "reg.example:5000/zoe-job/dep:12"),
            ("reg.example/team", "reg.example/team/zoe-job/dep:12"),
        ] {
            assert_eq!(job_tag(registry, &deployment, "12"), tag);
            assert!(is_job_tag(tag, &deployment));
        }
        for other in [
            "zoe-job/dep",
            "zoe-job/depp:1",
            "my-zoe-job/dep:1",
            "r:5/zoe-job/dep",
            "r:5/zoe-job/other:1",
        ] {
            assert!(!is_job_tag(other, &deployment), "{other}");
        }
    }
}
