//! The explorer finds faults that are planted: what it does not find is not there.

use crate::acts::Act;
use crate::explorer::Explorer;
use crate::jobs::{exits, job};
use crate::mutants::Mutant;
use crate::stories::a_lease_lapses;
use crate::story::{Budget, Happens, Story};
use crate::terms;

/// Looks with growing budgets until something is wrong, and gives the shortest way to it.
#[track_caller]
fn found(story: Story, mutant: Mutant, wrong: &str) {
    let mut story = story.mutant(0, mutant);
    let budgets = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (2, 1)];
    let mut runs = 0;
    for (switches, deaths) in budgets {
        story.budget = Budget::new(switches, deaths, 0);
        let found = Explorer::new(&story).explore(5000);
        runs += found.runs;
        let Some(trace) = found.wrong else { continue };
        println!("A {mutant:?}, found after {runs} runs:\n{trace}");
        let told = trace.wrongs.iter().any(|told| told.contains(wrong));
        assert!(told, "{mutant:?} is found for another reason:\n{trace}");
        return;
    }
    panic!("{mutant:?} is not found in {runs} runs");
}

fn for_one_place() -> Story {
    let actors = [Act::Submit(job(1, false)), Act::Submit(job(1, false))];
    Story::new("two submissions for one place", 1).actors(actors)
}

fn at_the_end() -> Story {
    Story::new("an end", 1)
        .before([Act::Submit(job(1, true))])
        .actors([Act::Kill(0)])
}

#[test]
fn who_ignores_the_lease() {
    found(
        for_one_place(),
        Mutant::IgnoresTheLease,
        "more runs on node",
    );
}

#[test]
fn who_takes_the_living_for_dead() {
    found(
        for_one_place(),
        Mutant::BuriesTheLiving,
        "more runs on node",
    );
}

#[test]
fn who_plans_with_what_it_saw_before_it_had_the_lease() {
    found(for_one_place(), Mutant::LooksOnce, "");
}

#[test]
fn who_removes_the_ticket_first() {
    found(
        at_the_end(),
        Mutant::RemovesTheTicketFirst,
        "history has no end of it",
    );
}

#[test]
fn who_marks_nothing() {
    found(at_the_end(), Mutant::MarksNothing, "it goes on for ever");
}

#[test]
fn who_removes_before_the_logs_are_kept() {
    let story = Story::new("an end", 1)
        .before([Act::Submit(job(1, true))])
        .actors([Act::Pass])
        .happens([Happens::Passes(1000)]);
    found(
        story,
        Mutant::RemovesBeforeItKeeps,
        "its containers were removed",
    );
}

#[test]
fn who_believes_that_history_was_written() {
    let story = Story::new("an end", 1)
        .before([Act::Submit(job(1, true))])
        .actors([Act::Pass])
        .happens([Happens::Passes(1000), Happens::DatabaseDown]);
    found(
        story,
        Mutant::BelievesTheHistory,
        "its containers were removed",
    );
}

#[test]
fn who_starts_though_its_lease_has_lapsed() {
    found(a_lease_lapses(), Mutant::StartsTooLate, "more runs on node");
}

#[test]
fn who_forgets_that_one_is_held() {
    found(terms::held(), Mutant::ForgetsHolds, "while it was held");
}

#[test]
fn who_forgets_for_whom_one_waits() {
    found(
        terms::after(exits(0)),
        Mutant::ForgetsDependencies,
        "was still there",
    );
}

#[test]
fn who_takes_any_end_for_a_good_one() {
    found(terms::after(exits(7)), Mutant::BelievesInGoodEnds, "though");
}

#[test]
fn who_forgets_how_many_of_an_array_may_run() {
    found(terms::array(), Mutant::ForgetsArrays, "run at once");
}

#[test]
fn who_clears_an_attempt_away_and_does_not_write_it_down() {
    found(
        terms::retried(),
        Mutant::CountsNoAttempts,
        "marked as 'failed'",
    );
}

#[test]
fn who_counts_an_attempt_twice() {
    found(
        terms::retried(),
        Mutant::CountsAttemptsTwice,
        "2 attempts failed, of 1",
    );
}

#[test]
fn who_keeps_no_logs_of_attempts() {
    found(terms::retried(), Mutant::ReadsNoLogs, "are lost");
}

#[test]
fn who_takes_all_back_instead_of_what_is_elastic() {
    found(terms::reclaimed(), Mutant::TakesTheCoreBack, "");
}

#[test]
fn a_watch_that_ignores_the_lease() {
    let story = Story::new("a watch and a submission", 1)
        .before([Act::Submit(job(1, false).held())])
        .actors([Act::Watch, Act::Submit(job(1, false))]);
    found(story, Mutant::IgnoresTheLease, "");
}
