//! Zoe's words as plain values: no I/O, no clock, no serialisation.
//!
//! Labels, JSON, configuration and database rows have serde structs of their own; these have none, so that
//! a change of a format never changes what the program thinks with.

pub mod activity;
pub mod amount;
pub mod application;
pub mod danger;
pub mod execution;
pub mod ids;
pub mod instance;
pub mod mail;
pub mod markup;
pub mod plan;
pub mod policy;
pub mod proxy_path;
pub mod quota;
pub mod secret;
pub mod snapshot;
pub mod terms;

pub use activity::{Activity, ActivityError, IdleTimeout, PortName};
pub use amount::{AmountError, Bytes, Cores, Resources};
pub use application::{Application, Component, Overhead, Port, Protocol, Ready, Threshold, Volume};
pub use execution::{Execution, Mark, Outcome, Phase, Private, Survey, Ticket};
pub use ids::{ComponentName, Deployment, ExecutionId, ExecutionName, IdError};
pub use instance::{Instance, InstanceKey, InstanceSpec, InstanceState, Launch, PublishedPort};
pub use mail::{MailKind, MailOn};
pub use plan::{
    Away, Cause, Holder, OverQuota, Placement, Plan, Reservation, Resource, Step, WaitReason,
    Waiting,
};
pub use policy::{AGEING, AGEING_TEXT, Mode, Order};
pub use proxy_path::ProxyPath;
pub use quota::{Limit, Limits, Quota};
pub use secret::Secret;
pub use snapshot::{
    Anomaly, Availability, DISABLED, Gap, JobImage, Node, Orphan, OrphanKind, Snapshot,
};
pub use terms::{ArrayPlace, Dependency, RequiredEnd, Retries, Terms, TermsError};
