//! The trait between zoe and whatever runs containers, and its implementations.
//!
//! Above this floor nobody knows of Docker; below it nobody decides anything. Every effect is idempotent: making
//! what exists and removing what is gone are both success, so that a pass that was cut short can simply be done again.

pub mod assemble;
mod client;
pub mod credentials;
pub mod detect;
pub mod docker;
pub mod docker_cli;
pub mod endpoint;
pub mod faulty;
pub mod gate;
pub mod memory;
pub mod names;
pub mod private;
pub mod swarm;

use std::path::PathBuf;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes as Chunk;
use futures_util::Stream;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::model::{
    Bytes, Deployment, Execution, ExecutionId, InstanceKey, JobImage, Launch, Mark, Orphan,
    Private, Resources, Snapshot, Ticket,
};

/// Why a call to a backend failed.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Nobody answers at the endpoint.
    #[error("cannot reach Docker at {endpoint}: {why}")]
    Unreachable {
        /// Where it was looked for.
        endpoint: String,
        /// What came instead.
        why: String,
    },
    /// An image is neither there nor to be had.
    #[error("image {image} is not there and cannot be pulled: {why}")]
    NoImage {
        /// The image as asked for.
        image: String,
        /// The registry's or the daemon's own words.
        why: String,
    },
    /// The object is not there (any more).
    #[error("{what} is not there")]
    Gone {
        /// What was looked for.
        what: String,
    },
    /// Something else of that name is in the way: it is not zoe's, or another execution's.
    #[error("{what} is in the way: {why}")]
    Conflict {
        /// What is there.
        what: String,
        /// Why it can't be used.
        why: String,
    },
    /// The daemon refused.
    #[error("{what} failed: {why}")]
    Refused {
        /// What was tried.
        what: String,
        /// The daemon's own words.
        why: String,
    },
    /// The daemon refused, and will not when others have given back what they hold, or have come to an end.
    #[error("{what} is not possible now: {why}")]
    NotNow {
        /// What was tried.
        what: String,
        /// The daemon's own words.
        why: String,
    },
    /// It was not tried: what it would have been done under has lapsed. Nothing is known of what was asked for.
    #[error("{what} was not done: the lease has lapsed, and another zoe may have it now")]
    Withheld {
        /// What was to be done.
        what: String,
    },
    /// An instance is on a node whose own Engine would have to be asked, and that can't be.
    #[error("the Engine of node {node} cannot be asked: {why}")]
    OutOfReach {
        /// The node.
        node: String,
        /// Docker's id of the instance's container there; empty where there is none yet.
        container: String,
        /// Why not, and what to do about it.
        why: String,
    },
    /// An answer could not be understood.
    #[error("{what} gave an answer that cannot be read: {why}")]
    Garbled {
        /// What was asked.
        what: String,
        /// What was wrong with it.
        why: String,
    },
}

/// What a call gives, or why not.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// A boxed stream, as traits need it.
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;

/// How much is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Executions only: one list call.
    Executions,
    /// Nodes, networks and images as well: what a pass needs.
    Everything,
}

/// What became of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// The execution exists.
    Created,
    /// Its name (or, with a key, its id) is taken.
    Taken,
}

/// Which of two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Output {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A piece of a log: a line with its newline, or a part of one that is very long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    /// When it was written.
    pub at: Timestamp,
    /// Where to.
    pub output: Output,
    /// What was written, newline included.
    pub bytes: Chunk,
}

/// Which part of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogRange {
    /// Go on until the container ends.
    pub follow: bool,
    /// Nothing before this.
    pub since: Option<Timestamp>,
    /// Only so many lines from the end.
    pub tail: Option<u64>,
}

/// What a container uses, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Processor time used since it began.
    pub cpu_time: SignedDuration,
    /// Processor time at the reading before, with the time between the two, where there is one.
    pub cpu_before: Option<(SignedDuration, SignedDuration)>,
    /// Memory in use, page cache not counted.
    pub memory: Bytes,
    /// Its limit.
    pub memory_limit: Bytes,
    /// Bytes received and sent.
    pub network: (u64, u64),
    /// Processes in it.
    pub processes: u64,
}

/// What runs on a node, zoe's or not, uses at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeUse {
    /// The node's name.
    pub node: String,
    /// What its containers use, or why that is not known.
    pub used: Result<Resources, String>,
}

/// A command to be run inside an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecRequest {
    /// The command.
    pub command: Vec<String>,
    /// Whether it gets a terminal, of this size (columns, rows).
    pub terminal: Option<(u16, u16)>,
    /// Whether it reads input.
    pub input: bool,
}

/// A command that runs inside an instance.
pub struct ExecSession {
    /// What it writes.
    pub output: BoxStream<'static, Result<(Output, Chunk)>>,
    /// Where it reads from; closing it ends its input.
    pub input: Pin<Box<dyn tokio::io::AsyncWrite + Send>>,
    /// Tells the session's id, for asking its exit code.
    pub id: String,
}

/// Progress of something long: a pull, a build, a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Which part, such as a layer's id; empty for the whole.
    pub part: String,
    /// What is going on, in the daemon's words.
    pub message: String,
    /// Bytes done and to be done, where that is known.
    pub bytes: Option<(u64, u64)>,
}

/// Takes progress as it comes.
pub type ProgressSink<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// An image that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageInfo {
    /// Docker's id of it.
    pub id: String,
    /// Its names.
    pub tags: Vec<String>,
    /// What it is called in registries that it came from or was pushed to: `repository@sha256:…`.
    pub digests: Vec<String>,
    /// Its size in bytes, shared layers included.
    pub size: Bytes,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Submitted files that are to become an image.
#[derive(Debug, Clone)]
pub struct JobFiles {
    /// The image underneath, registry included.
    pub base: String,
    /// Where the files are put.
    pub directory: String,
    /// The files, as a tar archive with paths relative to `directory`; deterministic for the same files.
    pub archive: Chunk,
    /// A hash (hex) of the files and where they go.
    pub digest: String,
}

/// An image to be built from a Dockerfile.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// The context as a tar archive, its Dockerfile included.
    pub context: Chunk,
    /// The stage to build.
    pub target: String,
    /// Its names.
    pub tags: Vec<String>,
    /// Build arguments.
    pub args: Vec<(String, String)>,
}

/// Runs executions: all that `ops` needs of Docker, in zoe's words.
///
/// Observation is complete or says what is missing (`Snapshot::gaps`), or is an error: it never silently leaves
/// something out. Effects are idempotent. Nothing here decides.
#[async_trait]
pub trait Backend: Images + Send + Sync {
    /// What this is, for people: `Docker Engine 20.10.24 at unix:///var/run/docker.sock`.
    async fn describe(&self) -> Result<String>;

    /// Reads what is there, in a fixed number of calls. Instances whose exit is decisive carry their times.
    async fn observe(&self, scope: Scope) -> Result<Snapshot>;

    /// Makes the ticket: one atomic call. The principal's image must be there ([`EngineError::NoImage`] otherwise).
    async fn submit(&self, ticket: &Ticket, private: &Private) -> Result<Submitted>;

    /// What belongs to an execution and is not in its labels.
    async fn private(&self, execution: ExecutionId) -> Result<Private>;

    /// Writes down that an execution is to end, visibly for everybody. The first mark stays.
    async fn mark(&self, execution: &Execution, mark: Mark) -> Result<()>;

    /// Makes the network and all instances, as far as they are not there, and starts them.
    /// On an error what was made stays, for the pass that removes it or goes on.
    async fn start(&self, launch: &Launch) -> Result<()>;

    /// Stops all instances of an execution, each given `grace` before it is killed. Their logs stay.
    async fn stop(&self, execution: &Execution, grace: SignedDuration) -> Result<()>;

    /// Removes the instances and the network; the ticket stays. Waits until they are gone.
    async fn remove(&self, execution: &Execution) -> Result<()>;

    /// Removes some members and leaves the others: each is given `grace` to end by itself. What was said in their logs is
    /// lost; waits until they are gone, but not for a node that does not answer.
    async fn remove_members(
        &self,
        execution: &Execution,
        members: &[InstanceKey],
        grace: SignedDuration,
    ) -> Result<()>;

    /// Removes the ticket: the last trace of an execution. Whether there was one: of several that end it, one should tell.
    async fn remove_ticket(&self, execution: &Execution) -> Result<bool>;

    /// Removes what belongs to no execution.
    async fn sweep(&self, orphan: &Orphan) -> Result<()>;

    /// Waits until an instance has ended, and gives its exit code.
    async fn wait(&self, instance: &InstanceKey) -> Result<i64>;

    /// Reads the execution's instances again, with the times and facts that a list does not show.
    async fn inspect(&self, execution: &Execution) -> Result<Execution>;

    /// An instance's log, in the order it was written.
    async fn logs(
        &self,
        instance: &InstanceKey,
        range: LogRange,
    ) -> Result<BoxStream<'static, Result<LogChunk>>>;

    /// What an instance uses now.
    async fn usage(&self, instance: &InstanceKey) -> Result<Usage>;

    /// What all containers on each node use now, whoever they belong to: each node's own Engine is asked. The answer has
    /// every node that there is; of one that can't be asked it says why.
    async fn nodes_use(&self) -> Result<Vec<NodeUse>>;

    /// Runs a command inside an instance.
    async fn exec(&self, instance: &InstanceKey, request: &ExecRequest) -> Result<ExecSession>;

    /// The exit code of a command whose output has ended.
    async fn exec_exit_code(&self, session: &str) -> Result<i64>;

    /// Tells the size of the terminal of a running command.
    async fn exec_resize(&self, session: &str, columns: u16, rows: u16) -> Result<()>;

    /// Hints that something of the deployment has changed; may miss some, so nothing may depend on them.
    async fn changes(&self) -> Result<BoxStream<'static, ()>>;

    /// The deployment whose objects this sees.
    fn deployment(&self) -> &Deployment;
}

/// Handles images.
#[async_trait]
pub trait Images {
    /// Makes sure an image is there, pulling it where it is not. Returns Docker's id of it.
    async fn ensure(&self, image: &str, progress: ProgressSink<'_>) -> Result<String>;

    /// Makes sure there is an image with these files on top of their base, and returns its tag.
    async fn ensure_files(&self, files: &JobFiles) -> Result<String>;

    /// Removes an image with files. One that is in use stays, and that is no error.
    async fn remove_job_image(&self, image: &JobImage) -> Result<()>;

    /// The images whose name begins with one of the prefixes.
    async fn list_images(&self, prefixes: &[&str]) -> Result<Vec<ImageInfo>>;

    /// Builds an image.
    async fn build(&self, request: &BuildRequest, progress: ProgressSink<'_>) -> Result<()>;

    /// Gives an image another name.
    async fn tag(&self, image: &str, name: &str) -> Result<()>;

    /// What the registry that an image's name says has under that name, as `repository@sha256:…`; `None` where it has
    /// nothing. A registry that does not answer or wants another login is an error.
    async fn in_registry(&self, image: &str) -> Result<Option<String>>;

    /// Pushes an image to the registry that its name says.
    async fn push(&self, image: &str, progress: ProgressSink<'_>) -> Result<()>;

    /// Makes an image of a tar archive of a root file system.
    async fn import(&self, archive: PathBuf, name: &str) -> Result<()>;
}
