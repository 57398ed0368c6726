//! The model written to and read from Docker labels: versioned and lossless.
//!
//! What carries labels of ours and does not decode is an error with a sentence, never a guess. Secrets and the user's
//! environment are no labels: labels are for everybody to see.

mod limits;
mod terms;

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use jiff::SignedDuration;
use thiserror::Error;

use crate::apps::{self, shown};
use crate::model::{ComponentName, Deployment, ExecutionId, InstanceKey, Mark, Resources, Ticket};

pub use limits::LONGEST_USER;
pub use terms::{AFTER, ARRAY, HELD, IDLE_TIMEOUT, MAIL_ON, PRIORITY, RETRIES};

/// What all our keys begin with.
pub const PREFIX: &str = "zoe.";
/// The deployment; on everything.
pub const DEPLOYMENT: &str = "zoe.deployment";
/// The execution; on everything that belongs to one.
pub const EXECUTION: &str = "zoe.execution";
/// What the object is; on everything: one of the `KIND_…`.
pub const KIND: &str = "zoe.kind";
/// The version of these labels; on everything.
pub const SCHEMA: &str = "zoe.schema";
/// An instance's component.
pub const COMPONENT: &str = "zoe.component";
/// Which member of its component an instance is, from 0.
pub const INDEX: &str = "zoe.index";
/// An instance's reservation of processor, in thousandths of a core.
pub const CORES: &str = "zoe.cores";
/// An instance's reservation of memory, in bytes.
pub const MEMORY: &str = "zoe.memory";
/// An execution's name.
pub const NAME: &str = "zoe.name";
/// Whether the user chose the name: `true` or `false`.
pub const CLAIMED: &str = "zoe.claimed";
/// An execution's owner.
pub const USER: &str = "zoe.user";
/// When it was submitted, RFC 3339 in UTC.
pub const SUBMITTED: &str = "zoe.submitted";
/// The user's key, if there is one.
pub const KEY: &str = "zoe.key";
/// How long it may run, if that is limited, as an ISO 8601 duration.
pub const TIMEOUT: &str = "zoe.timeout";
/// Its path on the web server, if it has one.
pub const PROXY_PATH: &str = "zoe.proxy-path";
/// The image with the submitted files, if there are any.
pub const JOB_IMAGE: &str = "zoe.job-image";
/// The site's registry, empty for Docker Hub.
pub const REGISTRY: &str = "zoe.registry";
/// The application, in the JSON of its format.
pub const APPLICATION: &str = "zoe.application";

/// Why an execution is to end, on its ticket where labels can change: one of [`MARKS`].
pub const MARK: &str = "zoe.mark";
/// How far its start has come, on its ticket where labels can change: [`PHASE_STARTING`] or [`PHASE_RUNNING`].
pub const PHASE: &str = "zoe.phase";
/// [`PHASE`] from before the first member is made.
pub const PHASE_STARTING: &str = "starting";
/// [`PHASE`] once all members were started.
pub const PHASE_RUNNING: &str = "running";

/// Every mark, as it is written.
const MARKS: [(Mark, &str); 5] = [
    (Mark::Ending, "ending"),
    (Mark::Cancelled, "cancelled"),
    (Mark::TimedOut, "timed-out"),
    (Mark::Failed, "failed"),
    (Mark::Lost, "lost"),
];

/// [`KIND`] of a ticket.
pub const KIND_TICKET: &str = "ticket";
/// [`KIND`] of an instance.
pub const KIND_INSTANCE: &str = "instance";
/// [`KIND`] of an execution's network.
pub const KIND_NETWORK: &str = "network";
/// [`KIND`] of a secret of an execution.
pub const KIND_SECRET: &str = "secret";
/// [`KIND`] of an image with submitted files.
pub const KIND_IMAGE: &str = "image";
/// [`KIND`] of a container in which such an image is made.
pub const KIND_BUILDER: &str = "builder";

/// The version that is written, and the only one that is read.
pub const SCHEMA_VERSION: &str = "1";

/// Labels as they are written.
pub type Labels = BTreeMap<String, String>;

/// Why labels that look like ours can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LabelError {
    /// One is missing.
    #[error("the label {key} is missing")]
    Missing {
        /// Its key.
        key: &'static str,
    },
    /// They are of another version.
    #[error(
        "the labels are of schema '{found}' and this zoe reads {SCHEMA_VERSION}; use the zoe that made them"
    )]
    Schema {
        /// The version found.
        found: String,
    },
    /// One holds something that it can't.
    #[error("the label {key} holds '{value}': {why}")]
    Invalid {
        /// Its key.
        key: &'static str,
        /// What it holds, cut to a length that can be shown.
        value: String,
        /// What is wrong with that.
        why: String,
    },
    /// The application can't be read.
    #[error("the label {APPLICATION} cannot be read: {0}")]
    Application(apps::AppErrors),
}

/// What an object is, from its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// A ticket.
    Ticket(Box<Ticket>),
    /// A member of a component.
    Instance {
        /// Which one.
        key: InstanceKey,
        /// What it is counted as.
        reservation: Resources,
    },
    /// An execution's network.
    Network {
        /// The execution.
        execution: ExecutionId,
    },
    /// A secret of an execution.
    Secret {
        /// The execution.
        execution: ExecutionId,
    },
    /// An image with submitted files.
    Image,
    /// A container in which such an image is made.
    Builder,
}

fn common(deployment: &Deployment, kind: &str) -> Labels {
    [
        (DEPLOYMENT, deployment.as_str()),
        (KIND, kind),
        (SCHEMA, SCHEMA_VERSION),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

/// The labels of a ticket.
pub fn ticket(ticket: &Ticket) -> Labels {
    let mut labels = ticket_identity(ticket);
    let application = apps::to_json(&ticket.application);
    labels.insert(APPLICATION.to_owned(), application);
    labels
}

/// The labels of a ticket that has another place for the application. Whoever reads them puts it back as the label
/// [`APPLICATION`].
pub fn ticket_identity(ticket: &Ticket) -> Labels {
    let mut labels = common(&ticket.deployment, KIND_TICKET);
    let mut put = |key: &str, value: String| labels.insert(key.to_owned(), value);
    put(EXECUTION, ticket.id.to_string());
    put(NAME, ticket.name.to_string());
    put(CLAIMED, ticket.name_claimed.to_string());
    put(USER, ticket.user.clone());
    put(SUBMITTED, ticket.submitted_at.to_string());
    put(REGISTRY, ticket.registry.clone());
    if let Some(key) = &ticket.key {
        put(KEY, key.clone());
    }
    if let Some(timeout) = ticket.timeout {
        put(TIMEOUT, timeout.to_string());
    }
    if let Some(path) = &ticket.proxy {
        put(PROXY_PATH, path.as_str().to_owned());
    }
    if let Some(image) = &ticket.job_image {
        put(JOB_IMAGE, image.clone());
    }
    terms::put(&ticket.terms, put);
    labels
}

/// The labels of an instance.
pub fn instance(deployment: &Deployment, key: &InstanceKey, reservation: Resources) -> Labels {
    let mut labels = common(deployment, KIND_INSTANCE);
    let mut put = |key: &str, value: String| labels.insert(key.to_owned(), value);
    put(EXECUTION, key.execution.to_string());
    put(COMPONENT, key.component.to_string());
    put(INDEX, key.index.to_string());
    put(CORES, reservation.cores.millis().to_string());
    put(MEMORY, reservation.memory.get().to_string());
    labels
}

/// The labels of an execution's network.
pub fn network(deployment: &Deployment, execution: ExecutionId) -> Labels {
    let mut labels = common(deployment, KIND_NETWORK);
    labels.insert(EXECUTION.to_owned(), execution.to_string());
    labels
}

/// The labels of a secret of an execution.
pub fn secret(deployment: &Deployment, execution: ExecutionId) -> Labels {
    let mut labels = common(deployment, KIND_SECRET);
    labels.insert(EXECUTION.to_owned(), execution.to_string());
    labels
}

/// What stands under [`MARK`].
pub fn mark_text(mark: Mark) -> &'static str {
    let found = MARKS.iter().find(|(known, _)| *known == mark);
    found.map_or("ending", |(_, text)| text)
}

/// The mark of a ticket whose labels can change; `None` if it bears none.
#[allow(clippy::implicit_hasher)] // Labels come from the Docker client as exactly this.
pub fn mark(labels: &HashMap<String, String>) -> Result<Option<Mark>, LabelError> {
    let Some(text) = labels.get(MARK) else {
        return Ok(None);
    };
    let found = MARKS.iter().find(|(_, known)| known == text);
    found
        .map(|(mark, _)| Some(*mark))
        .ok_or_else(|| invalid(MARK, text, &"this zoe knows no such mark"))
}

/// The labels of an image with submitted files.
pub fn image(deployment: &Deployment) -> Labels {
    common(deployment, KIND_IMAGE)
}

/// The labels of a container in which such an image is made.
pub fn builder(deployment: &Deployment) -> Labels {
    common(deployment, KIND_BUILDER)
}

/// What the object with these labels is; `None` if it carries none of ours at all.
///
/// Labels of others beside ours are no concern. Some of ours without the rest are an error: the object looks like ours
/// and must be left alone.
#[allow(clippy::implicit_hasher)] // Labels come from the Docker client as exactly this.
pub fn decode(
    labels: &HashMap<String, String>,
) -> Option<Result<(Deployment, Decoded), LabelError>> {
    labels
        .keys()
        .any(|key| key.starts_with(PREFIX))
        .then(|| decode_ours(&Reader(labels)))
}

fn decode_ours(labels: &Reader<'_>) -> Result<(Deployment, Decoded), LabelError> {
    let schema = labels.text(SCHEMA)?;
    if schema != SCHEMA_VERSION {
        return Err(LabelError::Schema {
            found: shown(schema),
        });
    }
    let deployment: Deployment = labels.read(DEPLOYMENT)?;
    let decoded = match labels.text(KIND)? {
        KIND_TICKET => Decoded::Ticket(Box::new(decode_ticket(labels, &deployment)?)),
        KIND_INSTANCE => decode_instance(labels)?,
        KIND_NETWORK => Decoded::Network {
            execution: labels.read(EXECUTION)?,
        },
        KIND_SECRET => Decoded::Secret {
            execution: labels.read(EXECUTION)?,
        },
        KIND_IMAGE => Decoded::Image,
        KIND_BUILDER => Decoded::Builder,
        other => {
            return Err(invalid(
                KIND,
                other,
                &"it is none of ticket, instance, network, secret, image and builder",
            ));
        }
    };
    Ok((deployment, decoded))
}

fn decode_instance(labels: &Reader<'_>) -> Result<Decoded, LabelError> {
    Ok(Decoded::Instance {
        key: InstanceKey {
            execution: labels.read(EXECUTION)?,
            component: labels.read::<ComponentName>(COMPONENT)?,
            index: labels.read(INDEX)?,
        },
        reservation: limits::amounts(labels)?,
    })
}

fn decode_ticket(labels: &Reader<'_>, deployment: &Deployment) -> Result<Ticket, LabelError> {
    // A ticket whose mark can't be read can't be dealt with either.
    mark(labels.0)?;
    let timeout: Option<SignedDuration> = labels.read_if_there(TIMEOUT)?;
    if timeout.is_some_and(|timeout| !timeout.is_positive()) {
        return Err(invalid(
            TIMEOUT,
            labels.text(TIMEOUT)?,
            &"it must be longer than nothing",
        ));
    }
    let application =
        apps::from_json(labels.text(APPLICATION)?).map_err(LabelError::Application)?;
    Ok(Ticket {
        id: labels.read(EXECUTION)?,
        deployment: deployment.clone(),
        name: labels.read(NAME)?,
        name_claimed: labels.read(CLAIMED)?,
        user: limits::user(labels)?,
        application,
        submitted_at: labels.read(SUBMITTED)?,
        key: labels.get(KEY).map(str::to_owned),
        timeout,
        terms: terms::decode(labels)?,
        proxy: labels.read_if_there(PROXY_PATH)?,
        job_image: labels.get(JOB_IMAGE).map(str::to_owned),
        registry: labels.text(REGISTRY)?.to_owned(),
    })
}

fn invalid(key: &'static str, value: &str, why: &impl ToString) -> LabelError {
    LabelError::Invalid {
        key,
        value: shown(value),
        why: why.to_string(),
    }
}

struct Reader<'a>(&'a HashMap<String, String>);

impl<'a> Reader<'a> {
    fn get(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(String::as_str)
    }

    fn text(&self, key: &'static str) -> Result<&'a str, LabelError> {
        self.get(key).ok_or(LabelError::Missing { key })
    }

    fn read<T: FromStr<Err: ToString>>(&self, key: &'static str) -> Result<T, LabelError> {
        let text = self.text(key)?;
        text.parse().map_err(|why: T::Err| invalid(key, text, &why))
    }

    fn read_if_there<T: FromStr<Err: ToString>>(
        &self,
        key: &'static str,
    ) -> Result<Option<T>, LabelError> {
        self.get(key).map(|_| self.read(key)).transpose()
    }
}
