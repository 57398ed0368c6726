//! What the owners of executions may have: whether a quota leaves room for so much more.

use jiff::SignedDuration;

use crate::model::{
    Application, Bytes, Cores, Mode, OverQuota, Quota, Resource, Resources, WaitReason,
};

/// What an execution asks of its owner's quota.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// What it must be given to start.
    pub needed: Resources,
    /// What they may use in all, in core-seconds; 0 where that has no limit.
    pub seconds: u64,
}

impl Wanted {
    /// So much, for that time at the most, if it has a limit.
    pub fn new(needed: Resources, time: Option<SignedDuration>) -> Self {
        let seconds = core_seconds(needed, time);
        Self { needed, seconds }
    }
}

/// What could never pass, whatever else the user has: for submission.
pub fn never(
    quota: Quota,
    application: &Application,
    timeout: Option<SignedDuration>,
    mode: Mode,
) -> Option<OverQuota> {
    let wanted = Wanted::new(mode.needed(application), timeout);
    exceeds(quota, 0, Resources::ZERO, 0, wanted)
}

/// By how much one is over its owner's quota who has so many executions, which hold so much, and has used so many core-seconds.
pub(super) fn exceeds(
    quota: Quota,
    running: u32,
    held: Resources,
    used: u64,
    Wanted { needed, seconds }: Wanted,
) -> Option<OverQuota> {
    if let Some(most) = quota.executions.filter(|most| running >= *most) {
        return Some(OverQuota::Executions { running, most });
    }
    if let Some(over) = at_once(quota, held, needed) {
        return Some(over);
    }
    let most = quota.hours?;
    let allowed = most.saturating_mul(3600);
    let over = used >= allowed || used.saturating_add(seconds) > allowed;
    over.then_some(OverQuota::Hours {
        used,
        needed: seconds,
        most,
    })
}

/// By how much so much more is over what an owner's executions may hold at once.
pub(super) fn at_once(quota: Quota, held: Resources, needed: Resources) -> Option<OverQuota> {
    let most = most(quota);
    let sum = held + needed;
    let resource = if sum.cores > most.cores {
        Resource::Cores
    } else if sum.memory > most.memory {
        Resource::Memory
    } else {
        return None;
    };
    Some(OverQuota::AtOnce {
        resource,
        held,
        needed,
        most,
    })
}

/// Whether it has to wait for what others of its owner have.
pub(super) fn is_of_others(reason: &WaitReason) -> bool {
    matches!(
        reason,
        WaitReason::Quota(OverQuota::Executions { .. } | OverQuota::AtOnce { .. })
    )
}

/// What one may be given beside what its executions hold; `None` without a limit.
pub(super) fn left(quota: Quota, held: Resources) -> Option<Resources> {
    if quota.cores.is_none() && quota.memory.is_none() {
        return None;
    }
    let most = most(quota);
    Some(Resources {
        cores: most.cores.minus(held.cores),
        memory: most.memory.minus(held.memory),
    })
}

/// The most of each resource; all there can be where nothing is said.
fn most(quota: Quota) -> Resources {
    Resources {
        cores: quota.cores.unwrap_or(Cores::from_millis(u64::MAX)),
        memory: quota.memory.unwrap_or(Bytes::new(u64::MAX)),
    }
}

/// What so many cores use in that time, in core-seconds; 0 where the time has no limit.
fn core_seconds(needed: Resources, time: Option<SignedDuration>) -> u64 {
    let seconds = time.map_or(0, |time| time.as_secs().unsigned_abs());
    needed.cores.millis().saturating_mul(seconds).div_ceil(1000)
}
