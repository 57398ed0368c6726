//! What is to be done next, as plain values: a plan can be printed, compared and refused.

use std::collections::BTreeMap;

use super::amount::Resources;
use super::execution::Mark;
use super::ids::{ComponentName, ExecutionId};
use super::snapshot::{JobImage, Orphan};

/// What one pass is to do, and why the rest waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps; ends and sweeps come before starts, as they make room.
    pub steps: Vec<Step>,
    /// The executions that are not started, in the order of the queue: every queued one without a start, and before
    /// them the half started ones for the rest of which there is no room (any more).
    pub waiting: Vec<Waiting>,
}

/// One thing to do. Every step can be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Collect, record and remove an execution.
    End {
        /// Which.
        execution: ExecutionId,
        /// Why.
        mark: Mark,
    },
    /// Remove what belongs to no execution.
    Sweep(Orphan),
    /// Remove an image with files that no execution uses.
    RemoveImage(JobImage),
    /// Start an execution, or go on with a start that was interrupted.
    Start {
        /// Which.
        execution: ExecutionId,
        /// How many members each component gets: all core ones, and elastic ones as there is room.
        members: BTreeMap<ComponentName, u32>,
        /// Where each member fits, by component and index; what the backend does not need it may ignore.
        placement: BTreeMap<(ComponentName, u32), String>,
    },
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
    pub name: String,
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
    },
    /// The sum would do, but this component's member fits no single node.
    NoNodeFits {
        /// The component.
        component: ComponentName,
        /// What one member needs.
        needed: Resources,
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
