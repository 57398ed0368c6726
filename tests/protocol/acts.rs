//! What an actor does, and what it comes to.

use std::pin::Pin;
use std::time::Duration;

use zoe::model::{ExecutionId, WaitReason};
use zoe::ops::kill::{self, Selection};
use zoe::ops::resize::{self, Request};
use zoe::ops::submit::resubmit::{self, Changes};
use zoe::ops::submit::{self, Accepted, Submission};
use zoe::ops::wait::{self, Until};
use zoe::ops::{Context, OpsError, Silent, hold, list, reconcile};
use zoe::watch;

use crate::jobs::Job;

/// What an actor does. Executions are told by the place they have among all that were submitted.
#[derive(Debug, Clone)]
pub enum Act {
    /// Submits a job and makes a pass for it: `zoe submit --detach`.
    Submit(Box<Job>),
    /// Makes one pass, as every command does.
    Pass,
    /// `zoe watch --once`.
    Watch,
    /// Ends everything: `zoe kill --all`.
    KillAll,
    /// Ends one: `zoe kill ID`.
    Kill(usize),
    /// Waits until one is over, moving the queue: `zoe wait ID`.
    Wait(usize),
    /// The same for so many seconds at the most.
    WaitFor(usize, i64),
    /// `zoe hold ID`.
    Hold(usize),
    /// `zoe release ID`.
    Release(usize),
    /// Has its component `extra` have so many members: `zoe resize ID N`.
    Resize(usize, u32),
    /// `zoe resubmit ID`.
    Resubmit(usize),
    /// `zoe ps -a`.
    Ps,
    /// Lets this many milliseconds go by.
    Rests(u64),
    /// Waits until everything that can end has ended, and ends the rest: what anybody does in the end.
    Finish,
    /// The same by `zoe watch --once`.
    FinishByWatch,
}

/// What an actor came to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Came {
    /// Submissions that were taken.
    Submitted(Vec<String>),
    /// Its executions were ended, and nothing of them is left.
    Killed(Vec<String>),
    /// What there is.
    Listed(Vec<String>),
    /// It is through.
    Done,
    /// It failed.
    Failed(String),
}

pub type Doing = Pin<Box<dyn Future<Output = Came>>>;

/// An actor that has not begun. `known` are the executions that there are.
pub fn begin(context: Context, act: Act, known: Vec<String>) -> Doing {
    Box::pin(async move {
        let came = carry_out(&context, act, &known).await;
        came.unwrap_or_else(|error| Came::Failed(error.to_string()))
    })
}

async fn carry_out(context: &Context, act: Act, known: &[String]) -> Result<Came, OpsError> {
    let one = |place: usize| match known.len() {
        0 => "nothing".to_owned(),
        many => known[place % many].clone(),
    };
    match act {
        Act::Submit(job) => submit(context, &job.submission()).await,
        Act::Pass => reconcile::pass(context, &Silent).await.map(|_| Came::Done),
        Act::Watch => watch(context).await.map(|_| Came::Done),
        Act::KillAll => ended(context, &Selection::All).await,
        Act::Kill(place) => ended(context, &Selection::Named(vec![one(place)])).await,
        Act::Wait(place) => {
            let id: ExecutionId = one(place).parse().unwrap();
            let waited = wait::wait_for(context, id, Until::Ended, None, &Silent).await;
            waited.map(|_| Came::Done)
        }
        Act::WaitFor(place, seconds) => {
            let until = context.now() + jiff::SignedDuration::from_secs(seconds);
            let texts = [one(place)];
            let waited = wait::wait(context, &texts, Until::Ended, Some(until), &Silent).await;
            waited.map(|_| Came::Done)
        }
        Act::Hold(place) => hold::hold(context, &[one(place)]).await.map(|_| Came::Done),
        Act::Release(place) => {
            let released = hold::release(context, &[one(place)], &Silent).await;
            released.map(|_| Came::Done)
        }
        Act::Resize(place, members) => {
            let request = Request {
                execution: one(place),
                component: None,
                members,
            };
            let resized = resize::resize(context, &request, &Silent).await;
            resized.map(|_| Came::Done)
        }
        Act::Resubmit(place) => {
            let submission = resubmit::again(context, &one(place), Changes::default()).await?;
            submit(context, &submission).await
        }
        Act::Ps => {
            let listed = list::ps(context, true).await?.executions;
            let ids = listed.iter().map(|view| view.id.to_string());
            Ok(Came::Listed(ids.collect()))
        }
        Act::Rests(length) => {
            context.world.sleep(Duration::from_millis(length)).await;
            Ok(Came::Done)
        }
        Act::Finish => Ok(finish(context, false).await),
        Act::FinishByWatch => Ok(finish(context, true).await),
    }
}

async fn watch(context: &Context) -> Result<Vec<String>, OpsError> {
    match watch::once_unless(context, std::future::pending()).await? {
        watch::Outcome::Done(sentences) => Ok(sentences),
        watch::Outcome::Stopped => unreachable!("nobody has told it to end"),
    }
}

async fn submit(context: &Context, submission: &Submission) -> Result<Came, OpsError> {
    let accepted = submit::submit_all(context, submission, &Silent).await?;
    for one in &accepted {
        if !matches!(one, Accepted::Over(_)) {
            // What becomes of the pass changes nothing for who has submitted.
            let _ = reconcile::pass_for(context, one.id(), &Silent).await;
        }
    }
    let ids = accepted.iter().map(|one| one.id().to_string());
    Ok(Came::Submitted(ids.collect()))
}

async fn ended(context: &Context, which: &Selection) -> Result<Came, OpsError> {
    let killed = kill::kill(context, which, &Silent).await?;
    let ids = killed.into_iter().map(|one| match one {
        kill::Killed::Gone(id) | kill::Killed::WasOver(id) => id.to_string(),
    });
    Ok(Came::Killed(ids.collect()))
}

/// How often whoever ends everything looks whether it has come to rest.
const LOOKS: usize = 40;

async fn finish(context: &Context, by_watch: bool) -> Came {
    let mut still = 0;
    let mut rest = String::new();
    for _ in 0..LOOKS {
        // Longer than any lease, any program and any pause between two tries.
        context.world.sleep(Duration::from_secs(10)).await;
        if by_watch && let Err(error) = watch(context).await {
            return Came::Failed(format!("watch failed: {error}"));
        }
        let pass = match reconcile::pass(context, &Silent).await {
            Ok(pass) => pass,
            Err(error) => return Came::Failed(format!("a pass failed: {error}")),
        };
        // What runs for ever, and what waits for the room that it takes, or for somebody.
        let again = |reason: &WaitReason| {
            matches!(
                reason,
                WaitReason::Retry { .. } | WaitReason::Again { .. } | WaitReason::Ready
            )
        };
        let waits = |id| pass.reason_of(id).is_some_and(|reason| !again(reason));
        let mut executions = pass.snapshot.executions.values();
        let rests = pass.failures.is_empty()
            && pass.plan.steps.is_empty()
            && executions.all(|e| e.survey().is_well || waits(e.ticket.id));
        rest = format!("{:?}, {:?}", pass.failures, pass.plan);
        still = if rests { still + 1 } else { 0 };
        if still == 2 {
            return match kill::kill(context, &Selection::All, &Silent).await {
                Ok(_) => Came::Done,
                Err(error) => Came::Failed(format!("the rest cannot be ended: {error}")),
            };
        }
    }
    Came::Failed(format!("it does not come to rest: {rest}"))
}
