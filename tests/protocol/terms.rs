//! The stories of those that don't just start and end: run again, waiting for others, held, one of an array, with elastic
//! members; and those in which `zoe watch` makes the passes.

use zoe::model::RequiredEnd;

use crate::acts::Act;
use crate::jobs::{Job, exits, job};
use crate::stories::holds;
use crate::story::{Happens, Story};

/// Each with one switch, and each with one death.
fn each(story: Story) {
    holds(story.clone().budget(1, 0, 0));
    holds(story.budget(0, 1, 0));
}

/// One whose program has failed, and may once.
pub fn retried() -> Story {
    Story::new("run again", 1)
        .before([Act::Submit(job(1, true).retries(1)), Act::Rests(1000)])
        .actors([Act::Pass])
}

/// One that waits for another, which is just through.
pub fn after(first: Box<Job>) -> Story {
    let second = job(1, true).after("first", RequiredEnd::Ok);
    Story::new("after another", 2)
        .before([Act::Submit(first.named("first")), Act::Submit(second)])
        .actors([Act::Pass])
        .happens([Happens::Passes(1000)])
}

/// One that is held though there is room.
pub fn held() -> Story {
    Story::new("held", 1)
        .before([Act::Submit(job(1, true).held())])
        .actors([Act::Pass])
}

/// Three of which one may run at once, and there is room for two.
pub fn array() -> Story {
    Story::new("one of an array at once", 2)
        .before([Act::Submit(job(1, true).one_by_one(3).held())])
        .actors([Act::Release(0), Act::Release(1)])
}

/// One with an elastic member, in whose place a more urgent one is to run.
pub fn reclaimed() -> Story {
    Story::new("an elastic member is taken back", 2)
        .before([Act::Submit(job(1, false).elastic(1))])
        .actors([Act::Submit(job(1, false).priority(1))])
}

#[test]
fn run_again_by_two() {
    let story = retried().actors([Act::Pass]).named("run again by two");
    each(story);
}

#[test]
fn run_again_and_killed() {
    let story = retried().actors([Act::Kill(0)]);
    each(story.named("run again and killed"));
}

#[test]
fn run_again_with_a_fault() {
    holds(retried().named("run again with a fault").budget(0, 0, 1));
}

#[test]
fn run_again_twice() {
    let story = Story::new("run again twice by who waits", 1)
        .before([Act::Submit(job(1, true).retries(2))])
        .actors([Act::Wait(0)]);
    holds(story.budget(0, 1, 0));
}

#[test]
fn after_one_that_ends_well() {
    let story = after(exits(0)).actors([Act::Pass]);
    each(story.named("after one that ends well"));
}

#[test]
fn after_one_that_fails() {
    let story = after(exits(7)).actors([Act::Pass]);
    each(story.named("after one that fails"));
}

#[test]
fn after_one_that_is_killed() {
    let story = Story::new("after one that is killed", 2)
        .before([Act::Submit(job(1, false).named("first"))])
        .before([
            Act::Submit(job(1, true).after("first", RequiredEnd::Ok)),
            Act::Submit(job(1, true).after("first", RequiredEnd::Any)),
        ])
        .actors([Act::Kill(0), Act::Pass]);
    holds(story.budget(1, 0, 0));
}

#[test]
fn held_and_released() {
    let story = held().actors([Act::Release(0)]);
    each(story.named("held and released"));
}

#[test]
fn held_when_it_is_to_start() {
    let story = Story::new("held when it is to start", 1)
        .before([Act::Submit(job(1, true)), Act::Submit(job(1, true))])
        .before([Act::Rests(1000)])
        .actors([Act::Pass, Act::Hold(1)]);
    each(story);
}

#[test]
fn one_of_an_array_at_once() {
    each(array());
}

#[test]
fn one_of_an_array_is_made_too_late() {
    let story = Story::new("one of an array is made too late", 2)
        .before([Act::Submit(job(1, true).one_by_one(2).held())])
        .actors([Act::Release(0), Act::Release(1)]);
    holds(story.budget(1, 1, 0));
}

#[test]
fn one_of_an_array_is_submitted_while_another_passes() {
    let story = Story::new("an array and a pass", 2)
        .actors([Act::Submit(job(1, true).one_by_one(2)), Act::Pass]);
    holds(story.budget(1, 0, 0));
}

#[test]
fn an_elastic_member_is_taken_back() {
    let story = reclaimed().actors([Act::Pass]);
    each(story);
}

#[test]
fn resized_while_another_starts() {
    let story = Story::new("resized while another starts", 3)
        .before([Act::Submit(job(1, false).elastic(2))])
        .before([Act::Resize(0, 0)])
        .actors([Act::Resize(0, 2), Act::Submit(job(1, false))]);
    each(story);
}

#[test]
fn watch_and_a_submission() {
    let story = Story::new("watch and a submission", 1)
        .before([Act::Submit(job(1, false).held())])
        .actors([Act::Watch, Act::Submit(job(1, false))]);
    each(story);
}

#[test]
fn watch_and_a_kill() {
    let story = Story::new("watch and a kill", 1)
        .before([Act::Submit(job(1, true)), Act::Rests(1000)])
        .actors([Act::Watch, Act::Kill(0)]);
    each(story);
}

#[test]
fn two_watches() {
    let story = Story::new("two watches", 1)
        .before([Act::Submit(job(1, true).retries(1)), Act::Rests(1000)])
        .actors([Act::Watch, Act::Watch]);
    each(story);
}

#[test]
fn watch_with_a_fault() {
    let story = Story::new("watch with a fault", 1)
        .before([Act::Submit(job(1, true)), Act::Submit(job(1, true))])
        .before([Act::Rests(1000)])
        .actors([Act::Watch]);
    holds(story.budget(0, 0, 1));
}

#[test]
fn watch_while_its_lease_lapses() {
    let urgent = job(1, false).priority(1).held();
    let story = Story::new("watch while its lease lapses", 1)
        .before([Act::Submit(job(1, true).retries(1)), Act::Submit(urgent)])
        .before([Act::Rests(1000), Act::Pass, Act::Rests(60_000)])
        .actors([Act::Watch, Act::Release(1)]);
    let passes = Happens::Passes(crate::site::LEASE);
    holds(story.happens([passes]).budget(1, 0, 0));
}
