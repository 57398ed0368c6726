//! The rules, each as what is said when a plan breaks it.

use thiserror::Error;

use crate::model::{ComponentName, ExecutionId};

/// A rule that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Violation {
    /// A step or a reason names an execution that is not there.
    #[error("{0} is in the plan and not in the snapshot")]
    Unknown(ExecutionId),
    /// More than one thing is to happen to the same execution.
    #[error("{0} is in the plan more than once")]
    Twice(ExecutionId),
    /// It is ended although nothing says so.
    #[error("{0} is ended for no reason")]
    WrongEnd(ExecutionId),
    /// It is to end and the plan does not end it.
    #[error("{0} is to end, and is not ended")]
    NotEnded(ExecutionId),
    /// It is started although it ends, or has all that the start would give it.
    #[error("{0} is started although there is nothing to start")]
    WrongStart(ExecutionId),
    /// Its start is undone although it runs, or nothing is wrong with it.
    #[error("the start of {0} is undone for no reason")]
    WrongRollback(ExecutionId),
    /// A member is removed that is good, or without which the execution can't go on.
    #[error("{execution}: a member of '{component}' is removed and must not be")]
    WrongDrop {
        /// The execution.
        execution: ExecutionId,
        /// The component.
        component: ComponentName,
    },
    /// It is queued, not started, and nobody says why.
    #[error("{0} waits without a reason")]
    NoReason(ExecutionId),
    /// It has a reason to wait although it neither waits nor is half started.
    #[error("{0} has a reason to wait and nothing to wait for")]
    WrongReason(ExecutionId),
    /// It does not get all its core members, or more than it may have, or its members and their places differ.
    #[error("{execution}: '{component}' does not get the members it must have")]
    Members {
        /// The execution.
        execution: ExecutionId,
        /// The component.
        component: ComponentName,
    },
    /// A member is put where it may not be: an unknown or absent node, one without the labels, or away from where it is.
    #[error("{execution}: a member of '{component}' can't be on {node}")]
    WrongNode {
        /// The execution.
        execution: ExecutionId,
        /// The component.
        component: ComponentName,
        /// The node.
        node: String,
    },
    /// More is put on a node than it has.
    #[error("{0} gets more than it has")]
    OverCommitted(String),
    /// Somebody is given something and then has more than may be.
    #[error("{0} gets more than the quota says")]
    OverQuota(String),
    /// It is started before somebody whose turn was earlier.
    #[error("{late} is started before {early}, which came first")]
    Jumped {
        /// Who was started.
        late: ExecutionId,
        /// Who still waits.
        early: ExecutionId,
    },
    /// It is started though another has to be over first, or as many of its array run as may.
    #[error("{0} is started too soon")]
    TooSoon(ExecutionId),
    /// The room that is kept for the first that waits is not for the first, not all that it needs, or free earlier than said.
    #[error("the room that is kept for {0} is not what it can have")]
    WrongReservation(ExecutionId),
    /// Somebody who goes before it takes its room.
    #[error("{0} can't have its room by then: others that go before it take it")]
    Delayed(ExecutionId),
    /// The waiting are not in the order of the queue.
    #[error("{0} waits at the wrong place")]
    WrongOrder(ExecutionId),
    /// Something is started, swept or removed although not everything could be read.
    #[error("acts on what was not seen")]
    Blind,
    /// Something is swept that the snapshot does not call an orphan.
    #[error("{0} is swept and is no orphan")]
    NoOrphan(String),
    /// An image is removed that an execution uses, or that is not known.
    #[error("image {0} is removed and in use, or not known")]
    WrongImage(String),
    /// A start comes before a step that makes room.
    #[error("a start comes before ends and sweeps")]
    StartTooEarly,
}
