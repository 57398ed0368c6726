//! What is to be done next, as plain values: a plan can be printed, compared and refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::amount::Resources;
use super::execution::Mark;
use super::ids::{ComponentName, ExecutionId, ExecutionName};
use super::instance::InstanceKey;
use super::snapshot::{Availability, JobImage, Orphan};
use super::terms::RequiredEnd;

/// What one pass is to do, and why the rest waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps; ends and sweeps come before starts, as they make room.
    pub steps: Vec<Step>,
    /// The executions that are not started, in the order of the queue: every queued one without a start; before them the
    /// half started ones for the rest of which there is no room (any more), and first those that run and have lost
    /// members which can't be replaced now.
    pub waiting: Vec<Waiting>,
    /// The room that is kept for the first that waits, if it is known when it can have it.
    pub reserved: Option<Reservation>,
}

/// Room that is kept for an execution: nobody behind it may take what would delay it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// For whom.
    pub execution: ExecutionId,
    /// When it is free at the latest, if what runs keeps to its time limits; now, if it is being made.
    pub at: Timestamp,
    /// Where.
    pub placement: Placement,
}

/// Where members are: by component and index, the name of a node.
pub type Placement = BTreeMap<(ComponentName, u32), Arc<str>>;

/// One thing to do. Every step can be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Collect, record and remove an execution.
    End {
        /// Which.
        execution: ExecutionId,
        /// Why.
        mark: Mark,
        /// What led to it, where the mark alone does not say so.
        why: Option<Cause>,
    },
    /// Undo a start that went wrong: the members are removed, the ticket stays, and it is queued once more.
    Rollback {
        /// Which.
        execution: ExecutionId,
        /// What went wrong.
        why: Cause,
    },
    /// Run a program that failed once more: what it wrote is kept, the members are removed, the ticket stays, and it is queued
    /// once more.
    Retry {
        /// Which.
        execution: ExecutionId,
        /// How it ended: what its exit code would be if it were given up.
        code: i64,
        /// What went wrong, for people.
        why: String,
    },
    /// Remove members of an execution that goes on: those that are made anew, and those that are given up.
    Drop {
        /// Which.
        execution: ExecutionId,
        /// Its members, each with what is wrong with it.
        members: Vec<Cause>,
    },
    /// Remove what belongs to no execution.
    Sweep(Orphan),
    /// Remove an image with files that no execution uses.
    RemoveImage(JobImage),
    /// Start an execution, go on with a start that was interrupted, or give one that runs more members.
    Start {
        /// Which.
        execution: ExecutionId,
        /// Exactly the members that it is to have then, those that it has included, each with its node. The numbers may
        /// have holes where members were given up.
        placement: Placement,
    },
}

/// What is wrong with a member, or with all of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It was on a node that has been down for longer than is waited for.
    Lost {
        /// Which.
        member: InstanceKey,
        /// Whether it is the monitor.
        monitor: bool,
        /// The node.
        node: String,
        /// Since when.
        since: Timestamp,
    },
    /// Docker would not make it or start it.
    Rejected {
        /// Which.
        member: InstanceKey,
        /// The node, where one was chosen.
        node: String,
        /// Docker's own words.
        note: Option<String>,
    },
    /// It has ended while it was needed.
    Exited {
        /// Which.
        member: InstanceKey,
        /// With which code.
        code: i64,
    },
    /// Docker has not got it going for longer than a start may take.
    Overdue {
        /// Which.
        member: InstanceKey,
        /// Docker's own words.
        note: String,
    },
    /// Another needs its room for core members, and comes before its execution.
    Reclaimed {
        /// Which.
        member: InstanceKey,
        /// For whom.
        by: ExecutionId,
    },
    /// All of it runs, and it has not come to be ready in the time that a start may take.
    NotReady {
        /// What its components lack, for people.
        missing: String,
    },
    /// Its start was found to have failed before, and whoever undid it was interrupted.
    Undone {
        /// What was written down then.
        why: String,
    },
    /// Something other than zoe has removed members.
    Removed,
    /// An execution that it was to come after has not ended as it had to.
    Hopeless {
        /// That execution.
        after: ExecutionId,
        /// How it ended, for people.
        ended: String,
    },
}

impl Cause {
    /// The member, if it is one that something is wrong with.
    pub fn member(&self) -> Option<&InstanceKey> {
        match self {
            Self::Lost { member, .. }
            | Self::Rejected { member, .. }
            | Self::Exited { member, .. }
            | Self::Overdue { member, .. }
            | Self::Reclaimed { member, .. } => Some(member),
            Self::NotReady { .. } | Self::Undone { .. } | Self::Removed | Self::Hopeless { .. } => {
                None
            }
        }
    }
}

/// An execution that is not started now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub execution: ExecutionId,
    /// Why.
    pub reason: WaitReason,
}

/// A thing that is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Processor.
    Cores,
    /// Memory.
    Memory,
}

/// Somebody who has what another waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The execution.
    pub execution: ExecutionId,
    /// Its name.
    pub name: ExecutionName,
    /// Its owner.
    pub user: String,
    /// What it holds.
    pub holds: Resources,
}

/// Why an execution waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitReason {
    /// There is not enough free, now.
    NotEnough {
        /// What there is too little of.
        short_of: Resource,
        /// What its core members need.
        needed: Resources,
        /// What is free on all nodes that could hold it.
        free: Resources,
        /// What these nodes have in all.
        capacity: Resources,
        /// Who holds the rest, the largest first.
        holders: Vec<Holder>,
        /// What other deployments hold of it, who are known to nobody here.
        others: Resources,
    },
    /// The sum would do, but this component's member fits no single node.
    NoNodeFits {
        /// The component.
        component: ComponentName,
        /// What one member needs.
        needed: Resources,
    },
    /// There would be room, were it not for nodes that take nothing new.
    NodesAway {
        /// Those nodes.
        away: Vec<Away>,
        /// Of how many.
        of: usize,
    },
    /// No node has all the labels that a component asks for.
    NoLabel {
        /// The component.
        component: ComponentName,
        /// The labels.
        labels: BTreeMap<String, String>,
    },
    /// It runs, without some members that it should have.
    Replacement {
        /// Their component.
        component: ComponentName,
        /// How many.
        members: usize,
        /// Why they can't be made anew now.
        reason: Box<WaitReason>,
    },
    /// Its start failed and is to be tried again.
    Retry {
        /// Not before this.
        at: Timestamp,
        /// How often it was tried.
        tried: u32,
        /// How often it is tried at the most.
        of: u32,
        /// What went wrong the last time.
        why: String,
    },
    /// Somebody holds it back.
    Held,
    /// Another has to be over first.
    After {
        /// Which.
        execution: ExecutionId,
        /// How it has to end.
        end: RequiredEnd,
        /// Whether it is known where that stands; if not, nobody knows any more how it ended.
        known: bool,
    },
    /// As many of its array run as may at once.
    ArrayLimit {
        /// How many may.
        at_once: u32,
    },
    /// Its owner may have no more at once, or has used up what may be used.
    Quota(OverQuota),
    /// Its program failed and is to be run again.
    Again {
        /// Not before this.
        at: Timestamp,
        /// How often it has failed.
        failed: u32,
        /// How often it is run again at the most.
        of: u32,
        /// How it ended the last time.
        why: String,
    },
    /// Elastic members of executions behind it are taken back, and then there is room.
    MakingRoom {
        /// Whose.
        from: Vec<ExecutionId>,
        /// How many in all.
        members: usize,
    },
    /// There is room for it, and another before it needs that later.
    WouldDelay {
        /// Who is before it.
        execution: ExecutionId,
        /// When that one can start at the latest, if what runs keeps to its time limits.
        at: Timestamp,
        /// Its place in the queue, from 1.
        position: usize,
    },
    /// Others are before it.
    Behind {
        /// The one directly before it.
        execution: ExecutionId,
        /// Its place in the queue, from 1.
        position: usize,
    },
    /// Nothing is in its way: the next pass that may start executions starts it.
    Ready,
    /// The nodes could not be read, so nothing can be decided.
    Unknown {
        /// What could not be read.
        what: String,
    },
}

/// Which quota of a user keeps an execution back, and by how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverQuota {
    /// Executions at once.
    Executions {
        /// How many the user has running.
        running: u32,
        /// How many may.
        most: u32,
    },
    /// Cores or memory at once.
    AtOnce {
        /// Of what there would be too much.
        resource: Resource,
        /// What the user's executions hold.
        held: Resources,
        /// What this one needs.
        needed: Resources,
        /// The most that they may hold together.
        most: Resources,
    },
    /// Another of the user's comes first, and waits for what the user may have at once.
    Behind {
        /// Which.
        execution: ExecutionId,
    },
    /// Core-hours in the time that counts.
    Hours {
        /// What was used, in core-seconds.
        used: u64,
        /// What this one may use if it takes all its time, in core-seconds; 0 where that has no limit.
        needed: u64,
        /// What may be used, in core-hours.
        most: u64,
    },
}

impl WaitReason {
    /// When what has failed is tried again, if that is what it waits for.
    pub fn again_at(&self) -> Option<Timestamp> {
        if let Self::Retry { at, .. } | Self::Again { at, .. } = self {
            Some(*at)
        } else {
            None
        }
    }
}

/// A node that takes nothing new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// Its name.
    pub node: String,
    /// Why; `None` for one that could not be read.
    pub why: Option<Availability>,
}
