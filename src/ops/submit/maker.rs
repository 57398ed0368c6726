//! Making tickets: one call to Docker each, and what to make of an answer that is not yes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Accepted, Member, Submission, TRIES, existing, job_image, parts};
use crate::engine::{EngineError, Scope, Submitted};
use crate::model::{ArrayPlace, Dependency, ExecutionId, Private, Snapshot, Terms, Ticket};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::history::record;
use crate::ops::outage::bear;
use crate::ops::report::{News, Report};

/// How long a key may be taken without the execution that took it being seen: Docker reserves a name before it shows what
/// bears it, and a busy one takes its time in between.
const UNSEEN: SignedDuration = SignedDuration::from_secs(30);

/// How long to wait before looking for it again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Makes the tickets of one submission.
pub(super) struct Maker<'a> {
    pub context: &'a Context,
    pub submission: &'a Submission,
    pub report: &'a dyn Report,
    pub after: Vec<Dependency>,
    /// The id of the array, once that is known.
    pub array: Option<ExecutionId>,
    pub job_image: Option<String>,
}

impl Maker<'_> {
    /// Makes one, unless it is there.
    pub async fn make(&mut self, member: &Member) -> Result<Accepted, OpsError> {
        let Self {
            context,
            submission,
            report,
            ..
        } = *self;
        let mut patience = Patience::new(context);
        // One that was sent to a Docker that then did not answer: it may be there.
        let mut sent: Option<(Ticket, Private)> = None;
        loop {
            let unsure = sent.is_some();
            let (ticket, private) = match sent.take() {
                Some(same) => same,
                None => (
                    self.ticket(member)?,
                    parts::private(context, submission, member.index),
                ),
            };
            // Preparing took its time: another with the same key may have come and even gone in between.
            if member.index.is_none() || member.key.is_some() || unsure {
                let look = async || Ok(context.backend.observe(Scope::Executions).await?);
                let looked = bear(context, report, look).await;
                let snapshot = looked.map_err(|error| {
                    if unsure {
                        unknown(&ticket, &error)
                    } else {
                        error
                    }
                })?;
                if unsure && is_there(&snapshot, &ticket) {
                    return Ok(self.made(ticket, &private).await);
                }
                let there =
                    existing::existing(context, &snapshot, submission, member, report).await?;
                if let Some(there) = there {
                    return Ok(there);
                }
            }
            match context.backend.submit(&ticket, &private).await {
                Ok(Submitted::Created) => return Ok(self.made(ticket, &private).await),
                // Docker does not say whether it has done it: the same ticket is the same execution, however often it is sent.
                Err(error @ EngineError::Unreachable { .. }) => {
                    patience.again(&error.to_string())?;
                    sent = Some((ticket, private));
                }
                // What was thought lost has arrived.
                Ok(Submitted::Taken) if unsure => {
                    patience.unseen(context).await?;
                    sent = Some((ticket, private));
                }
                Ok(Submitted::Taken) if ticket.name_claimed => {
                    return Err(existing::name_taken(&ticket.name));
                }
                // Another is submitting with this key just now: what it makes will be seen.
                Ok(Submitted::Taken) if ticket.key.is_some() => patience.unseen(context).await?,
                Ok(Submitted::Taken) => patience.again("every id tried is in use")?,
                // Only an image with files is made here, and may be taken for one that nobody uses.
                Err(EngineError::NoImage { why, .. }) if ticket.job_image.is_some() => {
                    patience.again(&format!("its image went as soon as it was made: {why}"))?;
                    self.job_image = job_image(context, submission, report).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A ticket is there.
    async fn made(&mut self, ticket: Ticket, private: &Private) -> Accepted {
        self.array = self.array.or(Some(ticket.id));
        self.report.tell(News::Submitted {
            id: ticket.id,
            name: ticket.name.to_string(),
        });
        record::submitted(self.context, &ticket, private, self.report).await;
        Accepted::New(Box::new(ticket))
    }

    fn ticket(&self, member: &Member) -> Result<Ticket, OpsError> {
        let Self {
            context,
            submission,
            ..
        } = self;
        let id = match &member.key {
            Some(key) => existing::id_of_key(context, key),
            None => ExecutionId::from_bits(u64::from_le_bytes(parts::random(context))),
        };
        let name = match &member.name {
            Some(name) => name.clone(),
            None => parts::made_name(&member.stem, id)?,
        };
        let asked = &submission.terms;
        let place = asked.array.as_ref().zip(member.index);
        Ok(Ticket {
            id,
            deployment: context.settings.deployment.clone(),
            name,
            name_claimed: member.name.is_some() && member.key.is_none(),
            user: context.settings.user.clone(),
            application: submission.application.clone(),
            submitted_at: context.now(),
            key: member.key.clone(),
            timeout: submission.timeout,
            terms: Terms {
                priority: asked.priority,
                after: self.after.clone(),
                array: place.map(|(array, index)| ArrayPlace {
                    array: self.array.unwrap_or(id),
                    index,
                    at_once: array.at_once,
                }),
                retries: asked.retries.clone(),
                held: asked.held,
                mail_on: asked.mail_on,
                idle_timeout: asked.idle_timeout,
            },
            proxy: parts::proxy_path(context, &submission.application)?,
            job_image: self.job_image.clone(),
            registry: context.settings.registry.clone(),
        })
    }
}

/// Whether this very ticket is there: another with its id would have been submitted at another moment.
fn is_there(snapshot: &Snapshot, ticket: &Ticket) -> bool {
    let there = snapshot.executions.get(&ticket.id);
    there.is_some_and(|there| {
        there.ticket.submitted_at == ticket.submitted_at && there.ticket.user == ticket.user
    })
}

/// Docker has gone away with a ticket, and for too long.
fn unknown(ticket: &Ticket, error: &OpsError) -> OpsError {
    let Ticket { id, name, .. } = ticket;
    let hint = match ticket.key {
        Some(_) => {
            "once it answers, run the same again: the key keeps it from being submitted twice"
                .to_owned()
        }
        None => format!(
            "once it answers, `zoe ps` lists {name} ({id}) if it was submitted, and `zoe wait {id}` starts it; if it is not listed, \
             submit it again"
        ),
    };
    OpsError::new(
        error.kind,
        format!("whether {name} was submitted is not known: {error}"),
    )
    .hint(hint)
}

/// How often and how long a submission that lost a race is tried again.
struct Patience {
    tries: usize,
    until: Timestamp,
}

impl Patience {
    fn new(context: &Context) -> Self {
        let until = context.now().checked_add(UNSEEN);
        Self {
            tries: TRIES,
            until: until.unwrap_or(Timestamp::MAX),
        }
    }

    fn again(&mut self, why: &str) -> Result<(), OpsError> {
        self.tries = self.tries.checked_sub(1).ok_or_else(|| {
            OpsError::failed(format!("the execution could not be submitted: {why}"))
        })?;
        Ok(())
    }

    async fn unseen(&self, context: &Context) -> Result<(), OpsError> {
        if context.now() >= self.until {
            let message = "the execution could not be submitted: its key is taken by something that Docker does not list";
            return Err(OpsError::failed(message).hint(
                "use another key, or look for what has it with `docker ps -a` or `docker config ls`",
            ));
        }
        context.world.sleep(LOOK_AGAIN).await;
        Ok(())
    }
}
