//! Who is making an image in a builder container, so that nobody sweeps it away meanwhile, and that what a killed zoe
//! left goes at once.
//!
//! The container's label says the boot of the machine and the process. On the same boot the process can be looked for;
//! from elsewhere only its age can be judged.

use std::collections::HashMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::labels;

/// The label with the owner, on builders only.
pub(super) const OWNER: &str = "zoe.owner";
/// No image takes longer to be made than this, in seconds.
const LONGEST: i64 = 3600;

/// This process, as it is written into the label.
pub(super) fn owner() -> String {
    format!("{}:{}", boot(), std::process::id())
}

/// Whether the container with these labels is a builder that somebody is still at work with.
pub(super) fn at_work(
    labels: &HashMap<String, String>,
    created_at: Timestamp,
    now: Timestamp,
) -> bool {
    let is_builder = labels
        .get(labels::KIND)
        .is_some_and(|kind| kind == labels::KIND_BUILDER);
    let owner = labels.get(OWNER).and_then(|owner| owner.split_once(':'));
    let Some((boot_then, process)) = owner.filter(|_| is_builder) else {
        return false;
    };
    if now.duration_since(created_at) > SignedDuration::from_secs(LONGEST) {
        return false;
    }
    boot_then != boot() || lives(process)
}

fn lives(process: &str) -> bool {
    process
        .parse::<u32>()
        .is_ok_and(|id| Path::new("/proc").join(id.to_string()).exists())
}

/// Identifies the machine since it was switched on.
fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builder_is_left_alone_while_its_process_lives() {
        let start = Timestamp::UNIX_EPOCH;
        let later = |seconds| start + SignedDuration::from_secs(seconds);
        let by = |owner: &str, kind: &str| {
            HashMap::from([
                (OWNER.to_owned(), owner.to_owned()),
                (labels::KIND.to_owned(), kind.to_owned()),
            ])
        };
        let mine = by(&owner(), labels::KIND_BUILDER);
        assert!(at_work(&mine, start, later(5)));
        assert!(!at_work(&mine, start, later(4000)));
        let dead = by(&format!("{}:4294967295", boot()), labels::KIND_BUILDER);
        assert!(!at_work(&dead, start, later(5)));
        let elsewhere = by("another-boot:1", labels::KIND_BUILDER);
        assert!(at_work(&elsewhere, start, later(5)));
        assert!(!at_work(
            &by(&owner(), labels::KIND_INSTANCE),
            start,
            later(5)
        ));
        assert!(!at_work(
            &by("garbage", labels::KIND_BUILDER),
            start,
            later(5)
        ));
    }
}
