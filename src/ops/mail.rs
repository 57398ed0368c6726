//! The outbox: sending what is in it. What an operator does about what can't be sent is in [`outbox`].
//!
//! A mail is claimed, handed to the server, and then noted as sent. Who dies in between has it sent once more, with the same
//! message id. A server that is away costs the mails that are due one try each, with growing pauses; a mail that is refused for
//! good is given up at once.

pub mod outbox;
pub(super) mod post;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::context::{Context, MailSettings};
use super::error::OpsError;
use super::idle;
use crate::mail::{self, Connection, Content, Envelope, SendError};
use crate::store::{
    Bodies, Cover, LetterChange, LetterClaim, LetterQuery, LetterState, Posted, Store,
};

/// How many are looked at together.
const AT_ONCE: u32 = 100;
/// For how long others leave a mail alone that somebody is sending: longer than connecting and sending take, and noting it.
const CLAIM: SignedDuration = SignedDuration::from_mins(15);
const _: () = {
    let longest = mail::smtp::CONNECT.as_secs() + mail::smtp::SEND.as_secs();
    assert!(CLAIM.as_secs().unsigned_abs() > longest + 60);
};
/// After so long no further mail is begun.
const BUDGET: Duration = Duration::from_mins(1);
/// The pause after the first try that was in vain, and the longest.
const FIRST_PAUSE: i64 = 5;
const LONGEST_PAUSE: i64 = 1800;
/// How often it is tried to note that a mail was sent, and the pause in between.
const NOTES: u32 = 5;
const NOTE_AGAIN: Duration = Duration::from_millis(500);
/// How long mails are remembered that were sent or given up: nobody ends an execution again that late.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 30);

/// What came of sending what was due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// What the server has taken.
    pub sent: Vec<Cover>,
    /// What is tried again, and why.
    pub put_off: Vec<(Cover, String)>,
    /// What is not tried any more, and why.
    pub given_up: Vec<(Cover, String)>,
    /// Why nothing could be sent at all.
    pub no_server: Option<String>,
}

fn configured(context: &Context) -> Result<&MailSettings, OpsError> {
    context.settings.mail.as_ref().ok_or_else(|| {
        OpsError::usage("no mail server is configured").hint(
            "set [smtp] server and sender; `zoe write-config -` shows every key with its meaning",
        )
    })
}

/// Sends what is due, for a minute at the most, and forgets what is long settled. Nothing where no mail server is configured.
pub async fn deliver(context: &Context) -> Result<Delivery, OpsError> {
    deliver_unless(context, &|| false).await
}

/// The same; none is begun any more once `told` says so.
pub async fn deliver_unless(
    context: &Context,
    told: &(dyn Fn() -> bool + Sync),
) -> Result<Delivery, OpsError> {
    let Some(settings) = &context.settings.mail else {
        return Ok(Delivery::default());
    };
    let store = context.history.open().await?;
    let deployment = &context.settings.deployment;
    let begun = context.now();
    let mut round = Round {
        context,
        settings,
        store: store.as_ref(),
        connection: None,
        delivery: Delivery::default(),
    };
    loop {
        let query = LetterQuery {
            state: Some(LetterState::Waiting),
            due: Some(context.now()),
            limit: Some(AT_ONCE),
            ..LetterQuery::default()
        };
        let due = store.outbox(deployment, &query).await?;
        let mut any = false;
        for posted in &due {
            let budget = SignedDuration::try_from(BUDGET).unwrap_or(SignedDuration::MAX);
            if told() || context.now().duration_since(begun) > budget {
                return Ok(round.finish().await);
            }
            any |= round.one(posted).await?;
        }
        // What others are at is theirs.
        if !any {
            return Ok(round.finish().await);
        }
    }
}

/// Why mails wait that were tried before, if any do.
pub async fn overdue(context: &Context) -> Result<Option<String>, OpsError> {
    if context.settings.mail.is_none() {
        return Ok(None);
    }
    let store = context.history.open().await?;
    let query = LetterQuery {
        state: Some(LetterState::Waiting),
        ..LetterQuery::default()
    };
    let waiting = store.outbox(&context.settings.deployment, &query).await?;
    let mut tried = waiting.into_iter().filter(|posted| posted.tries > 0);
    let Some(first) = tried.next() else {
        return Ok(None);
    };
    let others = tried.count();
    let why = first.last_error.unwrap_or_default();
    Ok(Some(match others {
        0 => format!("mail {} waits: {why}", first.cover.id),
        n => format!("mail {} and {n} more wait: {why}", first.cover.id),
    }))
}

/// The same at somebody's wish: without a mail server there is nothing to be done.
pub async fn send(context: &Context) -> Result<Delivery, OpsError> {
    configured(context)?;
    deliver(context).await
}

struct Round<'a> {
    context: &'a Context,
    settings: &'a MailSettings,
    store: &'a dyn Store,
    connection: Option<Connection>,
    delivery: Delivery,
}

impl Round<'_> {
    /// Sends one, unless somebody else is at it.
    async fn one(&mut self, posted: &Posted) -> Result<bool, OpsError> {
        let Context {
            settings, identity, ..
        } = self.context;
        let now = self.context.now();
        let displace = match &posted.claim {
            Some((holder, until)) if *until > now => {
                if !identity.is_dead(holder) {
                    return Ok(false);
                }
                Some(holder.as_str())
            }
            Some(_) | None => None,
        };
        let cover = &posted.cover;
        if idle::is_late_warning(self.context, self.store, cover).await? {
            let (deployment, change) = (&settings.deployment, LetterChange::Drop { at: now });
            self.store.settle(deployment, &cover.id, change).await?;
            return Ok(true);
        }
        let claim = LetterClaim {
            holder: identity.holder(),
            now,
            length: CLAIM,
            displace,
        };
        let claimed = self.store.claim(&settings.deployment, &cover.id, claim);
        let Some(bodies) = claimed.await? else {
            return Ok(false);
        };
        match self.send(cover, bodies).await {
            Ok(()) => {
                self.note_sent(cover).await?;
                self.delivery.sent.push(cover.clone());
            }
            Err(error) => self.in_vain(posted, error).await?,
        }
        Ok(true)
    }

    async fn send(&mut self, cover: &Cover, bodies: Bodies) -> Result<(), SendError> {
        if let Some(why) = &self.delivery.no_server {
            return Err(SendError::NoServer(why.clone()));
        }
        let mut connection = match self.connection.take() {
            Some(connection) if !connection.is_broken() => connection,
            Some(_) | None => Connection::open(&self.settings.server).await?,
        };
        let envelope = Envelope {
            recipient: &cover.recipient,
            message_id: &cover.message_id,
            date: cover.created_at,
        };
        let content = Content {
            subject: cover.subject.clone(),
            text: bodies.text,
            html: bodies.html,
        };
        let sent = connection.send(&envelope, &content).await;
        self.connection = Some(connection);
        sent
    }

    /// It is out: what is not noted now is sent a second time.
    async fn note_sent(&self, cover: &Cover) -> Result<(), OpsError> {
        let deployment = &self.context.settings.deployment;
        let mut tries = 0;
        loop {
            let at = self.context.now();
            let change = LetterChange::Sent { at };
            match self.store.settle(deployment, &cover.id, change).await {
                Ok(_) => return Ok(()),
                Err(error) if tries == NOTES => return Err(error.into()),
                Err(_) => tries += 1,
            }
            self.context.world.sleep(NOTE_AGAIN).await;
        }
    }

    async fn in_vain(&mut self, posted: &Posted, error: SendError) -> Result<(), OpsError> {
        let Context {
            settings, identity, ..
        } = self.context;
        let now = self.context.now();
        let why = error.to_string();
        // Nobody may have sent anything for days: the time counts from the first try on.
        let give_up = self.settings.give_up.filter(|_| posted.tries > 0);
        let too_long = give_up.is_some_and(|most| now.duration_since(posted.since) >= most);
        let for_good = match error {
            SendError::NoServer(_) => {
                self.connection = None;
                self.delivery.no_server = Some(why.clone());
                false
            }
            SendError::Refused { for_good, .. } => for_good,
        };
        let holder = identity.holder();
        let why_again = why.as_str();
        let change = if for_good || too_long {
            LetterChange::GiveUp {
                holder,
                why: why_again,
                at: now,
            }
        } else {
            let next_at = now.checked_add(pause(posted.tries));
            LetterChange::Again {
                holder,
                why: why_again,
                at: now,
                next_at: next_at.unwrap_or(Timestamp::MAX),
            }
        };
        let id = &posted.cover.id;
        self.store.settle(&settings.deployment, id, change).await?;
        let list = if for_good || too_long {
            &mut self.delivery.given_up
        } else {
            &mut self.delivery.put_off
        };
        list.push((posted.cover.clone(), why));
        Ok(())
    }

    /// Where something was settled, what was settled long ago is forgotten: who has nothing to do writes nothing.
    async fn finish(self) -> Delivery {
        if let Some(connection) = self.connection.filter(|one| !one.is_broken()) {
            connection.close().await;
        }
        if !(self.delivery.sent.is_empty() && self.delivery.given_up.is_empty()) {
            let now = self.context.now();
            let long_ago = now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
            let deployment = &self.context.settings.deployment;
            // The next one does it otherwise; what was sent is to be told.
            if let Err(error) = self.store.clear_outbox(deployment, long_ago).await {
                tracing::debug!(%error, "old mails are not forgotten");
            }
        }
        self.delivery
    }
}

/// The pause after so many tries that were in vain.
fn pause(tries: u32) -> SignedDuration {
    let seconds = FIRST_PAUSE.saturating_mul(1 << tries.min(20));
    SignedDuration::from_secs(seconds.min(LONGEST_PAUSE))
}

/// Sends a mail that only shows that mail arrives, now and past the outbox.
pub async fn test(context: &Context, address: &str) -> Result<(), OpsError> {
    let MailSettings { server, .. } = configured(context)?;
    let settings = &context.settings;
    let mut bytes = [0; 8];
    context.world.random(&mut bytes);
    let host = server.sender.rsplit('@').next().unwrap_or("localhost");
    let unique = u64::from_le_bytes(bytes);
    let envelope = Envelope {
        recipient: address,
        message_id: &format!("<test.{unique:016x}.{}@{host}>", settings.deployment),
        date: context.now(),
    };
    let letter = mail::compose::test(&settings.deployment, &settings.user, context.now());
    let failed = |error: SendError| {
        OpsError::failed(format!("the mail was not sent: {error}"))
            .hint("`zoe config show` says what is configured under [smtp], and where")
    };
    let mut connection = Connection::open(server).await.map_err(failed)?;
    connection.send(&envelope, &letter).await.map_err(failed)?;
    connection.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_growing() {
        let pauses = [0, 1, 2, 8, 9, 400].map(|tries| pause(tries).as_secs());
        assert_eq!(pauses, [5, 10, 20, 1280, 1800, 1800]);
    }
}
