//! Passes one after the other, for who makes them all the time: what one has begun goes on while the next one looks.
//!
//! A command's pass ends when all it has begun is through. Here a teardown that takes ten seconds, or a node that pulls an
//! image for minutes, holds nothing else up. The lease is asked for when there is something to do and given back soon after.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Failure;
use super::answers::Answers;
use super::lease::{self, Asked, Claim, Held, KEPT};
use super::work::{Round, Subject, Work, needs_lease};
use crate::engine::Scope;
use crate::model::{Execution, ExecutionId, Plan, Snapshot, Step};
use crate::ops::context::Context;
use crate::ops::error::OpsError;
use crate::ops::history::past;
use crate::ops::proxy;
use crate::ops::report::{Report, Silent};
use crate::scheduler::Known;
use crate::store::{Store, StoreError, holder};

/// How soon to look again while another holds the lease that is wanted.
const TAKEN: Duration = Duration::from_millis(250);
/// For how long another may hold it before what needs no lease is done without.
const LONG_TAKEN: Duration = Duration::from_secs(1);
/// How soon to look again while the database can't be had.
const WITHOUT_DATABASE: Duration = Duration::from_secs(2);
/// How long the database may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long giving the lease back may take at the end.
const FAREWELL: Duration = Duration::from_millis(150);
/// The longest time until something that failed is tried again.
const LONGEST_SETBACK: Duration = Duration::from_secs(30);

/// Passes of somebody who stays.
pub struct Turns<'a> {
    context: &'a Context,
    work: Work<'a>,
    store: Option<Arc<dyn Store>>,
    /// With when it was needed last. Times are those of [`World::uptime`].
    ///
    /// [`World::uptime`]: super::World::uptime
    held: Option<(Held, Duration)>,
    /// Since when another has the lease that is wanted.
    taken: Option<Duration>,
    setbacks: BTreeMap<Subject, Setback>,
    /// Who was asked whether it is ready.
    answers: Answers,
}

/// What could not be done, to be tried again.
struct Setback {
    failure: Failure,
    times: u32,
    again: Duration,
}

/// What a turn has seen and left.
#[derive(Debug, Clone)]
pub struct Turn {
    /// What was there.
    pub snapshot: Snapshot,
    /// What was to be done, and what waits and why.
    pub plan: Plan,
    /// Why the database can't be had; without it nothing is started.
    pub database: Option<String>,
    /// What is wrong with the web server's routes.
    pub routes: Option<String>,
    /// Who works in place of this one, as far as it said.
    pub other: Option<String>,
    /// What could not be done, and is tried again.
    pub failures: Vec<Failure>,
    /// Whether something was begun, or has come to its end since the turn before.
    pub has_moved: bool,
    /// How soon another turn is due, where that is before the next interval.
    pub due: Option<Duration>,
    /// Whether nothing is under way and nothing is left to do now.
    pub is_settled: bool,
}

type Seen = (Snapshot, Plan, Known);

impl<'a> Turns<'a> {
    /// The first turn is still to come.
    pub fn new(context: &'a Context, report: &'a dyn Report) -> Self {
        Self {
            context,
            work: Work::new(context, report),
            store: None,
            held: None,
            taken: None,
            setbacks: BTreeMap::new(),
            answers: Answers::beside(),
        }
    }

    /// Looks, and begins what is to be done and is not under way. Fails only if Docker can't be read.
    pub async fn turn(&mut self) -> Result<Turn, OpsError> {
        let turn = self.look_and_begin().await;
        if turn.is_err() {
            // Others may still reach a Docker that is away for this one: they are not to wait for it.
            self.give_back().await;
        }
        turn
    }

    async fn look_and_begin(&mut self) -> Result<Turn, OpsError> {
        let had_database = self.store.is_some();
        let has_ended = self.work.has_done();
        let mut trouble = self.open().await.err().map(|error| error.to_string());
        self.count(trouble.is_none() && !had_database);
        let mut seen = self.look(&mut trouble).await?;
        let mut other = None;
        let mut steps = self.wanted(&seen.1);
        if steps.is_empty() {
            self.taken = None;
        } else if trouble.is_none() && self.claim().is_none() {
            match self.ask().await {
                Ok(Asked::Held(held)) => {
                    self.held = Some((*held, self.uptime()));
                    self.taken = None;
                    // Others may have done it meanwhile.
                    seen = self.look(&mut trouble).await?;
                    steps = self.wanted(&seen.1);
                }
                Ok(Asked::Taken(holder)) => other = Some(holder::describe(&holder)),
                Err(error) => trouble = Some(error.to_string()),
            }
        }
        let claim = self.claim();
        if other.is_some() {
            let now = self.uptime();
            let since = *self.taken.get_or_insert(now);
            steps.retain(|step| !needs_lease(step) && now.saturating_sub(since) > LONG_TAKEN);
        }
        let may_start = claim.is_some() && self.work.may_start(&seen.0);
        steps.retain(|step| {
            if matches!(step, Step::Start { .. }) {
                may_start
            } else {
                claim.is_some() || !needs_lease(step)
            }
        });
        let (snapshot, plan, known) = seen;
        let round = Round {
            snapshot: &snapshot,
            known: &known,
            store: self.store.as_ref().filter(|_| trouble.is_none()),
            claim,
        };
        tracing::debug!(planned = plan.steps.len(), begun = steps.len(), ?other, database = ?trouble, "looked");
        self.work.begin(&round, &steps);
        if trouble.is_some() {
            // What is opened anew is not what has failed.
            self.store = None;
        }
        self.give_back().await;
        // Who makes turns learns from them what is wrong.
        let routes = proxy::keep_up(self.context, &snapshot, &Silent);
        self.work.meanwhile(routes).await;
        // What needs the lease has to wait for the database.
        let can = |step: &Step| trouble.is_none() || !needs_lease(step);
        let is_left = self.wanted(&plan).iter().any(can);
        let is_settled = self.is_idle() && !self.work.has_done() && !is_left;
        // Something has come to its end while this turn looked: the next one sees what that has left.
        let due = if self.work.has_done() {
            Some(Duration::ZERO)
        } else {
            self.due(&snapshot, &plan, &known, trouble.is_some(), other.is_some())
        };
        Ok(Turn {
            due,
            has_moved: has_ended || !steps.is_empty(),
            database: trouble,
            routes: proxy::trouble(self.context),
            failures: self.setbacks.values().map(|s| s.failure.clone()).collect(),
            is_settled,
            snapshot,
            plan,
            other,
        })
    }

    /// Whether nothing is under way, and everybody who can be asked whether it is ready was.
    pub fn is_idle(&self) -> bool {
        self.work.is_idle() && !self.answers.is_open()
    }

    /// Goes on with what is under way, asks those that are not ready, and returns when something of it is through, or somebody
    /// has become ready; never, if there is nothing to do.
    pub async fn work(&mut self) {
        tokio::select! {
            () = self.work.some() => {}
            () = self.answers.news(self.context) => {}
        }
    }

    /// Ends: what is under way may come to its end, for so long; then the lease is given back.
    pub async fn finish(mut self, patience: Duration) {
        self.work.begin_no_more();
        let world = &self.context.world;
        let _ = within(world.sleep(patience), self.work.all()).await;
        let farewell = async {
            match (self.held.take(), &self.store) {
                (Some((held, _)), _) => held.release().await,
                // The last turn may have been broken off when the lease was just had.
                (None, Some(store)) => {
                    let Context {
                        settings, identity, ..
                    } = self.context;
                    let _ = store.release(&settings.deployment, identity.holder()).await;
                }
                (None, None) => {}
            }
        };
        let _ = within(world.sleep(FAREWELL), farewell).await;
    }

    fn uptime(&self) -> Duration {
        self.context.world.uptime()
    }

    fn claim(&self) -> Option<Claim> {
        let claim = self.held.as_ref().map(|(held, _)| held.claim());
        claim.filter(Claim::is_valid)
    }

    /// Makes sure that the history can be had.
    async fn open(&mut self) -> Result<(), StoreError> {
        let context = self.context;
        let before = self.store.take();
        let opened = async {
            let store = match before {
                Some(store) => store,
                None => context.history.open().await?,
            };
            // Nothing has this id: it is asked for to see whether there is an answer.
            let nothing = ExecutionId::from_bits(0);
            store.get(&context.settings.deployment, nothing).await?;
            Ok(store)
        };
        self.store = Some(self.work.meanwhile(in_time(context, opened)).await?);
        Ok(())
    }

    async fn ask(&mut self) -> Result<Asked, StoreError> {
        let context = self.context;
        let Some(store) = self.store.clone() else {
            return Ok(Asked::Taken(String::new()));
        };
        let asked = in_time(context, lease::try_acquire(context, &store));
        self.work.meanwhile(asked).await
    }

    /// Looks, and plans with what history knows. Where that can't be had, now or any more, nothing is started.
    async fn look(&mut self, trouble: &mut Option<String>) -> Result<Seen, OpsError> {
        let context = self.context;
        let snapshot = context.backend.observe(Scope::Everything);
        let snapshot = self.work.meanwhile(snapshot).await?;
        if let (None, Some(store)) = (&trouble, self.store.clone()) {
            let planned = past::plan(context, Some(&store), &snapshot, true, &mut self.answers);
            match self.work.meanwhile(planned).await {
                Ok((plan, known)) => return Ok((snapshot, plan, known)),
                Err(error) => *trouble = Some(error.to_string()),
            }
        }
        let answers = &mut self.answers;
        let (plan, known) = past::plan(context, None, &snapshot, false, answers).await?;
        Ok((snapshot, plan, known))
    }

    /// Counts what has come to its end; `at_once`: what failed is worth another try now.
    fn count(&mut self, at_once: bool) {
        let now = self.uptime();
        for done in self.work.take_done() {
            let Some(failure) = done.failure else {
                self.setbacks.remove(&done.subject);
                continue;
            };
            let before = self.setbacks.get(&done.subject);
            let times = before.map_or(0, |before| before.times.saturating_add(1));
            let pause = Duration::from_secs(1 << times.min(5)).min(LONGEST_SETBACK);
            let setback = Setback {
                failure,
                times,
                again: now + pause,
            };
            self.setbacks.insert(done.subject, setback);
        }
        if at_once {
            for setback in self.setbacks.values_mut() {
                setback.again = now;
            }
        }
    }

    /// The steps that are to be begun now. What failed and is not to be done any more is forgotten.
    fn wanted(&mut self, plan: &Plan) -> Vec<Step> {
        let subjects: Vec<Subject> = plan.steps.iter().map(Subject::of).collect();
        self.setbacks
            .retain(|subject, _| subjects.contains(subject) || self.work.is_busy(subject));
        let now = self.uptime();
        let due = |subject: &Subject| {
            let setback = self.setbacks.get(subject);
            !self.work.is_busy(subject) && setback.is_none_or(|setback| setback.again <= now)
        };
        let steps = plan.steps.iter().zip(&subjects);
        let steps = steps.filter(|(_, subject)| due(subject));
        steps.map(|(step, _)| step.clone()).collect()
    }

    /// Gives the lease back when it is not needed any more.
    async fn give_back(&mut self) {
        let Some((held, needed)) = self.held.take() else {
            return;
        };
        let now = self.uptime();
        let needed = if self.work.needs_lease() { now } else { needed };
        let is_fresh = now.saturating_sub(needed) < KEPT;
        let keep = self.work.needs_lease() || (!self.work.is_idle() && is_fresh);
        if keep && held.is_valid() {
            self.held = Some((held, needed));
        } else {
            self.work.meanwhile(held.release()).await;
        }
    }

    /// How soon another turn is due.
    fn due(
        &self,
        snapshot: &Snapshot,
        plan: &Plan,
        known: &Known,
        no_database: bool,
        taken: bool,
    ) -> Option<Duration> {
        let now = self.uptime();
        let setbacks = self.setbacks.values();
        let setbacks = setbacks.map(|setback| setback.again.saturating_sub(now));
        let kept = self.held.iter();
        let kept = kept.map(|(_, needed)| (*needed + KEPT).saturating_sub(now));
        let database = no_database.then_some(WITHOUT_DATABASE);
        let taken = taken.then_some(TAKEN);
        let wall = self.context.now();
        // What is past was seen to.
        let until = |at: Timestamp| {
            let left = Duration::try_from(at.duration_since(wall)).ok();
            left.filter(|left| !left.is_zero())
        };
        let ends = snapshot.executions.values().filter_map(Execution::deadline);
        let starts = known.unready.keys().filter_map(|id| {
            let since = known.past(*id)?.unready_since?;
            since.checked_add(self.context.settings.start_deadline).ok()
        });
        let tries = plan.waiting.iter();
        let tries = tries.filter_map(|waiting| waiting.reason.again_at());
        setbacks
            .chain(kept)
            .chain(database)
            .chain(taken)
            .chain(ends.chain(starts).chain(tries).filter_map(until))
            .min()
    }
}

async fn in_time<T>(
    context: &Context,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let answer = within(context.world.sleep(ANSWER), answer).await;
    answer.unwrap_or_else(|| {
        Err(StoreError::Query {
            what: "answer",
            why: format!("it took longer than {} s", ANSWER.as_secs()),
        })
    })
}

/// What a work comes to, unless something else is sooner.
async fn within<T>(limit: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        value = work => Some(value),
        () = limit => None,
    }
}
