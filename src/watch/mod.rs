//! `zoe watch`: the scheduler in the background. A timer and Docker's events wake it; what it does any command does too.
//!
//! It decides nothing: [`Turns`] makes the passes, mail goes out beside them ([`post`]), and beside them what nobody uses is looked after ([`culler`]). What it tells goes through `tracing` ([`decisions`], [`health`]) and, under
//! systemd, to the service manager ([`manager`]).

mod culler;
mod decisions;
mod health;
mod manager;
mod post;
mod shelf;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use crate::engine::gate::Latch;
use crate::logs::retention::Keep;
use crate::ops::hints::Hints;
use crate::ops::idle::culling;
use crate::ops::reconcile::turns::{Turn, Turns};
use crate::ops::{Context, OpsError, mail};

use culler::Culler;
use decisions::Decisions;
use health::Health;
use manager::Manager;
use post::Postman;
use shelf::Shelf;

/// How long the calls that are under way may take when zoe is told to end. Docker carries out what it was asked anyway.
const LAST_CALLS: Duration = Duration::from_millis(600);
/// How soon to look again where Docker could not be read.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// The shortest time between two turns that nothing but what is due has led to.
const SHORTEST: Duration = Duration::from_millis(20);
/// After so many turns in a row in which nothing was begun or has ended a single pass leaves what there is to the next one.
const MOST_TURNS: usize = 20;
/// After this long it does so whatever there is: others may bring new work all the time.
const LONGEST_PASS: Duration = Duration::from_mins(5);

/// Learns that zoe is to end, and has no more calls made from then on.
pub struct Stop {
    told: Arc<Notify>,
    latch: Latch,
}

impl Stop {
    /// Listens to SIGTERM and SIGINT, on a thread of its own: where hundreds of executions end at once, or a plan takes its
    /// time, the one that works has no eye for signals, and each call that it still makes costs time that there is not.
    pub fn listen() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let (mut terminate, mut interrupt) = {
            let _context = runtime.enter();
            (
                signal(SignalKind::terminate())?,
                signal(SignalKind::interrupt())?,
            )
        };
        let this = Self {
            told: Arc::default(),
            latch: Latch::default(),
        };
        let (told, latch) = (Arc::clone(&this.told), this.latch.clone());
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = interrupt.recv() => {}
                    }
                });
                latch.shut();
                told.notify_one();
            })?;
        Ok(this)
    }

    /// What shuts the gates that calls to Docker go through.
    pub fn latch(&self) -> Latch {
        self.latch.clone()
    }

    /// Returns when zoe is to end; at once, if it was told so before.
    pub async fn told(&mut self) {
        if !self.latch.is_shut() {
            self.told.notified().await;
        }
    }
}

/// What came of a single pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What could be done is done; what is not as it should be, each in a sentence.
    Done(Vec<String>),
    /// It was told to end before.
    Stopped,
}

/// Connects, again and again with growing pauses where that fails: a service may come up before Docker does. `None` when
/// zoe was told to end meanwhile.
pub async fn connected(
    stop: &mut Stop,
    connect: impl AsyncFn() -> Result<Context, OpsError>,
) -> Option<Context> {
    const LONGEST: Duration = Duration::from_secs(10);
    let mut health = Health::default();
    let mut manager = Manager::find();
    let mut pause = Duration::from_millis(200);
    loop {
        let tried = tokio::select! {
            tried = connect() => tried,
            () = stop.told() => return None,
        };
        let error = match tried {
            Ok(context) => return Some(context),
            Err(error) => error,
        };
        health.cannot_look(&error);
        manager.status(&health.line(None));
        tokio::select! {
            () = manager.rest(pause) => {}
            () = stop.told() => return None,
        }
        pause = pause.saturating_mul(2).min(LONGEST);
    }
}

/// Keeps everything moving until it is told to end.
pub async fn forever(context: &Context, interval: Duration, keep: Keep, stop: &mut Stop) {
    let decisions = Decisions::default();
    let mut health = Health::default();
    let mut manager = Manager::find();
    let mut hints = Hints::with_echoes();
    let mut turns = Turns::new(context, &decisions);
    let mut shelf = Shelf::new(context, keep);
    let postman = Postman::start(context);
    let culler = Culler::start(context);
    tracing::info!(deployment = %context.settings.deployment, interval = ?interval, "watching");
    loop {
        hints.listen(context).await;
        let turn = tokio::select! {
            turn = turns.turn() => turn,
            () = stop.told() => break,
        };
        let pause = match &turn {
            Ok(turn) => {
                decisions.look_at(turn);
                health.look_at(turn, postman.trouble(), culler.troubles());
                shelf.look_at(turn);
                culler.look_at(turn);
                turn.due
                    .unwrap_or(interval)
                    .clamp(SHORTEST.min(interval), interval)
            }
            Err(error) => {
                health.cannot_look(error);
                interval.min(LOOK_AGAIN)
            }
        };
        manager.ready();
        manager.status(&health.line(turn.as_ref().ok()));
        tokio::select! {
            () = hints.next(context, pause) => {}
            () = turns.work() => {}
            () = shelf.work() => {}
            () = manager.rest(pause) => {}
            () = stop.told() => break,
        }
    }
    Manager::stopping();
    tokio::join!(turns.finish(LAST_CALLS), postman.finish(LAST_CALLS));
    tracing::info!("told to end; what runs goes on");
}

/// Makes one pass: does what can be done now, and returns when that is through. Fails if Docker can't be read.
pub async fn once(context: &Context, keep: Keep, stop: &mut Stop) -> Result<Outcome, OpsError> {
    single(context, keep, stop.told()).await
}

/// The same, for who learns in another way that it is to end. Logs are kept for ever.
pub async fn once_unless(
    context: &Context,
    told: impl Future<Output = ()>,
) -> Result<Outcome, OpsError> {
    single(context, Keep::default(), told).await
}

async fn single(
    context: &Context,
    keep: Keep,
    told: impl Future<Output = ()>,
) -> Result<Outcome, OpsError> {
    let decisions = Decisions::default();
    let mut turns = Turns::new(context, &decisions);
    let done = tokio::select! {
        biased;
        done = until_through(context, &mut turns, &decisions, Shelf::new(context, keep)) => {
            done.map(Outcome::Done)
        }
        () = told => Ok(Outcome::Stopped),
    };
    turns.finish(LAST_CALLS).await;
    done
}

/// Looks after what nobody uses, once: what could not be done, and whether anything was.
async fn cull(context: &Context, turn: &Turn) -> (BTreeMap<String, String>, bool) {
    if turn.database.is_some() {
        return (BTreeMap::new(), false);
    }
    let concerned = culling::concerned(context, &turn.snapshot);
    match culling::round(context, &concerned).await {
        Ok(round) => {
            round.acts.iter().for_each(culler::tell);
            (round.troubles, !round.acts.is_empty())
        }
        Err(error) => {
            let trouble = ("what is used".to_owned(), error.to_string());
            ([trouble].into(), false)
        }
    }
}

/// Why mails wait, or why that is not known.
async fn overdue(context: &Context) -> Option<String> {
    let waiting = mail::overdue(context).await;
    waiting.unwrap_or_else(|error| Some(format!("mail: {error}")))
}

async fn until_through(
    context: &Context,
    turns: &mut Turns<'_>,
    decisions: &Decisions,
    mut shelf: Shelf<'_>,
) -> Result<Vec<String>, OpsError> {
    let mut health = Health::default();
    let mut troubles = BTreeMap::new();
    let mut is_culled = false;
    let begun = context.world.uptime();
    let mut still = 0;
    while still < MOST_TURNS && context.world.uptime().saturating_sub(begun) < LONGEST_PASS {
        let turn = turns.turn().await?;
        // Without the database nothing that is begun comes to its end.
        let has_moved = turn.has_moved && turn.database.is_none();
        still = if has_moved { 0 } else { still + 1 };
        decisions.look_at(&turn);
        health.look_at(&turn, None, troubles.clone());
        shelf.look_at(&turn);
        // What another works at is the other's.
        if turn.is_settled || (turn.other.is_some() && turns.is_idle()) {
            if is_culled {
                break;
            }
            is_culled = true;
            let has_acted;
            (troubles, has_acted) = cull(context, &turn).await;
            if has_acted {
                // What it has marked the next turn ends.
                continue;
            }
            health.look_at(&turn, None, troubles);
            break;
        }
        if !turns.is_idle() {
            turns.work().await;
        }
    }
    while !turns.is_idle() {
        turns.work().await;
    }
    let mut wrong = health.sentences();
    wrong.extend(shelf.through().await);
    match mail::deliver(context).await {
        Ok(delivery) => {
            post::tell(&delivery);
            wrong.extend(post::sentences(&delivery));
            if let Some(why) = &delivery.no_server {
                tracing::warn!(what = "mail", why, "degraded");
            } else if let Some(why) = overdue(context).await {
                // Nothing was due, which is no sign that anything is well.
                tracing::warn!(what = "mail", why, "degraded");
                wrong.push(why);
            }
        }
        Err(error) => wrong.push(format!("mail: {error}")),
    }
    Ok(wrong)
}
