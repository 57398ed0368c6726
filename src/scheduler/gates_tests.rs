//! What keeps queued executions back, and that nobody behind them waits for it.

use super::generators::{at, component, execution, id, instance, node, snapshot};
use super::quota_tests::ann;
use super::shown::shown;
use super::{Attempt, Known, Past, Policy, check, concerned, plan};
use crate::model::{
    ArrayPlace, Cores, Dependency, Execution, InstanceState, Mark, Outcome, Quota, RequiredEnd,
    Retries, Snapshot, Step, WaitReason,
};

pub(super) fn planned(seen: &Snapshot, known: &Known) -> Vec<String> {
    let policy = Policy::usual(true);
    let plan = plan(seen, known, &policy, at(100));
    assert_eq!(check(seen, known, &policy, at(100), &plan), []);
    shown(&plan)
}

/// One member of half a core, of two on the node.
pub(super) fn job(n: u64) -> Execution {
    execution(n, 0, vec![component("one", 1, 500, 64)])
}

pub(super) fn running(n: u64) -> Execution {
    let mut job = job(n);
    let member = instance(&job, 0, 0, "a", InstanceState::Running);
    job.instances.push(member);
    job
}

pub(super) fn seen(executions: Vec<Execution>) -> Snapshot {
    snapshot(vec![node("a", 4000, 4096)], executions)
}

fn after(mut job: Execution, n: u64, end: RequiredEnd) -> Execution {
    let execution = id(n);
    job.ticket.terms.after.push(Dependency { execution, end });
    job
}

pub(super) fn past(n: u64, past: Past) -> Known {
    Known {
        pasts: [(id(n), past)].into(),
        ..Known::default()
    }
}

#[test]
fn one_that_is_held_waits_and_nobody_behind_it() {
    let mut held = job(1);
    held.ticket.terms.held = true;
    let seen = seen(vec![held, job(2)]);
    let text = [
        "start caaaaaaa one-0@a",
        "baaaaaaa: held: `zoe release` lets it go on",
    ];
    assert_eq!(planned(&seen, &Known::default()), text);
    let said = |held| Past {
        held: Some(held),
        ..Past::default()
    };
    let released = past(1, said(false));
    assert_eq!(planned(&seen, &released)[0], "start baaaaaaa one-0@a");
    let also = past(2, said(true));
    let all = planned(&seen, &also);
    assert!(all.iter().all(|line| !line.starts_with("start")), "{all:?}");
    // Whether it was released is asked for.
    let first = plan(&seen, &Known::default(), &Policy::usual(true), at(100));
    let concerned = concerned(&seen, &first, &Known::default());
    assert_eq!(concerned.executions, [id(1), id(2)].into());
    assert_eq!(concerned.users, ["ann".to_owned()].into());
    assert!(concerned.ends.is_empty());
}

#[test]
fn one_that_comes_after_another_waits_until_that_is_over() {
    for (end, words) in [(RequiredEnd::Ok, " well"), (RequiredEnd::Any, "")] {
        let seen = seen(vec![running(1), after(job(2), 1, end), job(3)]);
        let wait = format!("caaaaaaa: waits for baaaaaaa to end{words}");
        let text = ["start daaaaaaa one-0@a", wait.as_str()];
        assert_eq!(planned(&seen, &Known::default()), text);
    }
}

#[test]
fn how_it_ended_decides_and_one_that_can_never_start_fails() {
    let ended = |outcome| Known {
        ends: [(id(1), outcome)].into(),
        ..Known::default()
    };
    let failed = Outcome::Failed {
        exit_code: 3,
        reason: "driver exited with 3".to_owned(),
    };
    let on = |end| seen(vec![after(job(2), 1, end)]);
    let (ok, any) = (on(RequiredEnd::Ok), on(RequiredEnd::Any));
    let started = ["start caaaaaaa one-0@a"];
    assert_eq!(planned(&ok, &ended(Some(Outcome::Finished))), started);
    assert_eq!(planned(&any, &ended(Some(failed.clone()))), started);
    assert_eq!(planned(&any, &ended(None)), started);
    assert_eq!(
        planned(&ok, &ended(Some(failed))),
        [
            "end caaaaaaa Failed: baaaaaaa, which had to end well before it, failed with 3 (driver exited with 3)"
        ]
    );
    let lost = planned(&ok, &ended(None));
    assert!(
        lost[0].contains("nobody knows any more how it ended"),
        "{lost:?}"
    );
    // What is not known is asked for.
    let first = plan(&ok, &Known::default(), &Policy::usual(true), at(100));
    assert_eq!(
        concerned(&ok, &first, &Known::default()).ends,
        [id(1)].into()
    );
    assert!(first.steps.is_empty());
}

#[test]
fn of_an_array_only_so_many_run_at_once() {
    let member = |mut job: Execution, index| {
        job.ticket.terms.array = Some(ArrayPlace {
            array: id(1),
            index,
            at_once: Some(2),
        });
        job
    };
    let seen = seen(vec![
        member(running(1), 0),
        member(job(2), 1),
        member(job(3), 2),
        job(4),
    ]);
    assert_eq!(
        planned(&seen, &Known::default()),
        [
            "start caaaaaaa one-0@a",
            "start eaaaaaaa one-0@a",
            "daaaaaaa: 2 of its array run, which is as many as may at once",
        ]
    );
}

/// Its monitor has exited with this; its worker runs until it is stopped.
fn over(n: u64, code: i64) -> Execution {
    let components = vec![component("main", 1, 500, 64), component("one", 1, 500, 64)];
    let mut job = execution(n, 0, components);
    job.ticket.application.monitor = Some("main".parse().unwrap());
    for (place, state) in [InstanceState::Exited { code }, InstanceState::Running]
        .into_iter()
        .enumerate()
    {
        let member = instance(&job, place, 0, "a", state);
        job.instances.push(member);
    }
    job
}

#[test]
fn whose_program_has_ended_does_not_run_any_more_and_holds_what_is_not_stopped_yet() {
    let of_array = |mut job: Execution| {
        let (array, index) = (id(1), 0);
        let at_once = Some(1);
        job.ticket.terms.array = Some(ArrayPlace {
            array,
            index,
            at_once,
        });
        job
    };
    let one = Quota {
        executions: Some(1),
        ..Quota::default()
    };
    let cores = Quota {
        cores: Some(Cores::from_millis(900)),
        ..Quota::default()
    };
    let started = |quota, execution: Execution| {
        let seen = seen(vec![of_array(execution), of_array(job(2))]);
        let lines = planned(&seen, &ann(quota, 0));
        lines.iter().any(|line| line.starts_with("start caaaaaaa"))
    };
    for code in [0, 3] {
        assert!(started(one, over(1, code)));
        assert!(!started(cores, over(1, code)), "its worker holds 0.5");
    }
    // Told to end, and not over: its program still runs. Without a monitor there is no such moment.
    let mut cancelled = over(1, 0);
    cancelled.instances[0].state = InstanceState::Running;
    cancelled.mark = Some(Mark::Cancelled);
    assert!(!started(one, cancelled));
    let mut open = over(1, 0);
    open.ticket.application.monitor = None;
    assert!(!started(one, open));
}

/// One whose only member has exited with 3, and may be run again so often.
fn failed(most: u32) -> Execution {
    let mut job = running(1);
    job.ticket.application.monitor = Some("one".parse().unwrap());
    job.ticket.terms.retries = Retries {
        most,
        ..Retries::default()
    };
    job.instances[0].state = InstanceState::Exited { code: 3 };
    job.instances[0].created_at = at(50);
    job
}

fn attempts(times: &[i64], started: bool) -> Known {
    let attempt = |n: &i64| Attempt {
        at: at(*n),
        code: 3,
        why: "one-0 exited with 3".to_owned(),
    };
    past(
        1,
        Past {
            started,
            attempts: times.iter().map(attempt).collect(),
            ..Past::default()
        },
    )
}

#[test]
fn a_program_that_failed_is_run_again_as_often_as_was_said() {
    let seen = |most| seen(vec![failed(most)]);
    let again = ["again baaaaaaa: one-0 exited with 3"];
    let ends = ["end baaaaaaa Ending"];
    assert_eq!(planned(&seen(1), &attempts(&[], true)), again);
    assert_eq!(planned(&seen(0), &attempts(&[], true)), ends);
    assert_eq!(planned(&seen(1), &attempts(&[10], true)), ends);
    assert_eq!(planned(&seen(2), &attempts(&[10], true)), again);
    // Written down and not cleared away: the same run is not counted twice.
    assert_eq!(planned(&seen(1), &attempts(&[60], false)), again);
    // Its program ran, whatever the clocks say.
    assert_eq!(planned(&seen(1), &attempts(&[60], true)), ends);
    // Who may start nothing undoes nothing.
    let policy = Policy::usual(false);
    let none = plan(&seen(1), &Known::default(), &policy, at(100));
    let violations = check(&seen(1), &Known::default(), &policy, at(100), &none);
    assert_eq!((none.steps.len(), violations), (0, vec![]));
    let mut cancelled = failed(3);
    cancelled.mark = Some(Mark::Cancelled);
    let cancelled = snapshot(vec![node("a", 4000, 4096)], vec![cancelled]);
    let text = ["end baaaaaaa Cancelled"];
    assert_eq!(planned(&cancelled, &attempts(&[], true)), text);
}

#[test]
fn between_two_runs_there_is_a_pause() {
    let mut job = failed(3);
    job.instances.clear();
    let seen = seen(vec![job, self::job(2)]);
    let waits = planned(&seen, &attempts(&[97, 98], false));
    assert_eq!(waits[0], "start caaaaaaa one-0@a");
    assert_eq!(
        waits[1],
        "baaaaaaa: it failed: one-0 exited with 3; it is run again at 2023-11-14T22:15:02Z (retry 2 of 3)"
    );
    assert_eq!(
        planned(&seen, &attempts(&[90], false))[0],
        "start baaaaaaa one-0@a"
    );
}

#[test]
fn the_checker_sees_what_is_started_too_soon() {
    let seen = seen(vec![running(1), after(job(2), 1, RequiredEnd::Any)]);
    let policy = Policy::usual(true);
    let mut bad = plan(&seen, &Known::default(), &policy, at(100));
    assert!(matches!(bad.waiting[0].reason, WaitReason::After { .. }));
    bad.waiting.clear();
    let place = ("one".parse().unwrap(), 0);
    bad.steps.push(Step::Start {
        execution: id(2),
        placement: [(place, "a".into())].into(),
    });
    let told = check(&seen, &Known::default(), &policy, at(100), &bad);
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["caaaaaaa is started too soon"]);
}
