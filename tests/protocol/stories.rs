//! The stories, and what must hold in all of them.
//!
//! A budget bounds what goes otherwise than it would by itself: most faults of such protocols need one or two switches and
//! one death, and what is within the budget is gone through without a gap. `ZOE_PROTOCOL_DEEPER=1` gives each story one
//! switch more.

use crate::acts::Act;
use crate::explorer::{Explorer, Found};
use crate::jobs::{deaf_job, job, service};
use crate::site::LEASE;
use crate::story::{Happens, Story};

/// More runs than this are no story but an accident.
const MOST: usize = 200_000;

#[track_caller]
pub fn holds(mut story: Story) -> Found {
    let more = std::env::var("ZOE_PROTOCOL_DEEPER").ok();
    story.budget.switches += more.and_then(|more| more.parse().ok()).unwrap_or(0);
    let most = std::env::var("ZOE_PROTOCOL_RUNS").ok();
    let most = most.and_then(|most| most.parse().ok()).unwrap_or(MOST);
    let found = Explorer::new(&story).explore(most);
    let cut = if found.cut { " (cut short)" } else { "" };
    println!("{} {:?}: {found}{cut}", story.name, story.budget);
    if let Some(wrong) = &found.wrong {
        panic!(
            "{}: {} runs go wrong; the shortest:\n{wrong}",
            story.name, found.wrong_runs
        );
    }
    found
}

#[test]
fn a_submission_and_a_pass() {
    let actors = [Act::Submit(job(1, true)), Act::Pass];
    holds(
        Story::new("a submission and a pass", 1)
            .actors(actors)
            .budget(1, 1, 0),
    );
}

#[test]
fn two_submissions_for_one_place() {
    let actors = [Act::Submit(job(1, false)), Act::Submit(job(1, false))];
    holds(
        Story::new("two submissions for one place", 1)
            .actors(actors)
            .budget(1, 1, 0),
    );
}

#[test]
fn a_submission_and_a_kill() {
    let actors = [Act::Submit(job(2, false)), Act::KillAll];
    holds(
        Story::new("a submission and a kill", 2)
            .actors(actors)
            .budget(1, 1, 0),
    );
}

#[test]
fn the_same_key_twice() {
    let actors = [
        Act::Submit(job(1, true).keyed("k")),
        Act::Submit(job(1, true).keyed("k")),
    ];
    holds(
        Story::new("the same key twice", 1)
            .actors(actors)
            .budget(1, 0, 0),
    );
}

#[test]
fn an_end_seen_by_two() {
    holds(
        Story::new("an end seen by two", 1)
            .before([Act::Submit(job(1, true)), Act::Rests(1000)])
            .actors([Act::Pass, Act::Kill(0)])
            .budget(1, 1, 0),
    );
}

#[test]
fn killed_by_two() {
    holds(
        Story::new("killed by two", 1)
            .before([Act::Submit(job(1, false))])
            .actors([Act::Kill(0), Act::KillAll])
            .budget(1, 1, 0),
    );
}

#[test]
fn a_slow_end_keeps_nobody_waiting() {
    holds(
        Story::new("a slow end, and somebody who may start", 2)
            .before([Act::Submit(deaf_job())])
            .actors([Act::Kill(0), Act::Submit(job(1, true))])
            .budget(1, 0, 0),
    );
}

#[test]
fn a_slow_end_makes_room() {
    holds(
        Story::new("a slow end makes room for one that waits", 1)
            .before([Act::Submit(deaf_job()), Act::Submit(job(1, true))])
            .actors([Act::Kill(0), Act::Pass])
            .budget(1, 0, 0),
    );
}

#[test]
fn an_end_makes_room() {
    holds(
        Story::new("an end makes room for one that waits", 1)
            .before([Act::Submit(job(1, true)), Act::Submit(job(1, true))])
            .before([Act::Rests(1000)])
            .actors([Act::Pass, Act::Pass])
            .budget(1, 0, 0),
    );
}

/// One starts what was held; the other has something more urgent.
pub fn a_lease_lapses() -> Story {
    let urgent = job(1, false).priority(1).held();
    Story::new("a lease lapses while its holder is slow", 1)
        .before([Act::Submit(job(1, false).held()), Act::Submit(urgent)])
        .actors([Act::Release(0), Act::Release(1)])
        .happens([Happens::Passes(LEASE)])
}

#[test]
fn a_lease_lapses_while_its_holder_is_slow() {
    holds(a_lease_lapses().budget(1, 0, 0));
}

#[test]
fn the_dead_are_not_seen() {
    let actors = [Act::Submit(job(1, false)), Act::Submit(job(1, false))];
    let story = Story::new("the dead are not seen, as on other machines", 1).actors(actors);
    holds(story.strangers().budget(0, 1, 0));
}

#[test]
fn a_call_fails() {
    let actors = [Act::Submit(job(2, true)), Act::Pass];
    let story = Story::new("a call is refused, or its answer lost", 2).actors(actors);
    holds(story.budget(0, 0, 1));
}

#[test]
fn a_call_fails_in_the_end() {
    holds(
        Story::new("a call fails while it ends", 2)
            .before([Act::Submit(job(2, true))])
            .actors([Act::Wait(0), Act::KillAll])
            .budget(0, 0, 1),
    );
}

#[test]
fn the_database_comes_and_goes() {
    let actors = [Act::Submit(job(1, true)), Act::Pass];
    let story = Story::new("the database comes and goes", 1).actors(actors);
    holds(
        story
            .happens([Happens::DatabaseDown, Happens::DatabaseUp])
            .budget(0, 0, 0),
    );
}

#[test]
fn the_database_is_lost() {
    holds(
        Story::new("the database is lost", 1)
            .before([Act::Submit(job(1, true))])
            .actors([Act::Submit(job(1, true)), Act::Wait(0)])
            .happens([Happens::DatabaseLost])
            .budget(0, 0, 0),
    );
}

#[test]
fn a_start_fails() {
    let actors = [Act::Submit(job(2, true)), Act::Pass];
    let story = Story::new("the node starts nothing for a while", 2).actors(actors);
    holds(story.happens([Happens::NodeRejects, Happens::NodeStarts]));
}

#[test]
fn a_start_fails_and_who_undoes_it_dies() {
    let story = Story::new("who undoes a start that failed dies", 2);
    let story = story.actors([Act::Submit(job(2, true))]);
    holds(story.happens([Happens::NodeRejects]).budget(0, 1, 0));
}

/// How long a start may take here.
const START: u64 = 30_000;

#[test]
fn it_is_never_ready_and_who_undoes_that_dies() {
    holds(
        Story::new("it is never ready, and who undoes that dies", 1)
            .before([Act::Submit(service()), Act::Rests(START)])
            .before([Act::Pass, Act::Rests(START)])
            .actors([Act::Pass, Act::Pass])
            .budget(1, 1, 0),
    );
}

#[test]
fn it_is_ready_at_last() {
    holds(
        Story::new("it is ready at last", 1)
            .before([Act::Submit(service()), Act::Rests(START)])
            .before([Act::Pass, Act::Rests(START)])
            .actors([Act::Pass, Act::Pass])
            .happens([Happens::Answers])
            .budget(1, 0, 0),
    );
}

#[test]
fn three_at_once() {
    let actors = [Act::Submit(job(1, true)), Act::Pass, Act::KillAll];
    holds(
        Story::new("three at once", 1)
            .actors(actors)
            .budget(1, 0, 0),
    );
}
