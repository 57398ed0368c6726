//! Starts that never come to be ready: when they are undone, when they are given up, and when nothing is concluded.

use super::generators::{at, component, execution, id, node, question, running, snapshot};
use super::shown::shown;
use super::{Known, Past, Policy, check, concerned, plan};
use crate::model::{Cause, Execution, Plan, Snapshot, Step};

const NOW: i64 = 1000;

fn web() -> Execution {
    let mut web = component("web", 1, 500, 512);
    web.ready = Some(question());
    running(execution(1, 0, vec![web]), "a")
}

fn seen(execution: Execution) -> Snapshot {
    snapshot(vec![node("a", 2000, 4096)], vec![execution])
}

/// It was started, was asked then for the first time, and lacks something now.
fn known(asked: i64, change: impl FnOnce(&mut Past)) -> Known {
    let mut past = Past {
        started: true,
        unready_since: Some(at(asked)),
        ..Past::default()
    };
    change(&mut past);
    Known {
        pasts: [(id(1), past)].into(),
        unready: [(id(1), "web has 0 of 1".to_owned())].into(),
        ..Known::default()
    }
}

fn planned(seen: &Snapshot, known: &Known) -> Vec<String> {
    let plan = plan(seen, known, &Policy::usual(true), at(NOW));
    assert_eq!(check(seen, known, &Policy::usual(true), at(NOW), &plan), []);
    shown(&plan)
}

#[test]
fn what_is_not_ready_in_time_is_undone_and_at_last_given_up() {
    let seen = seen(web());
    // Ten minutes are usual.
    assert_eq!(planned(&seen, &known(401, |_| {})), [""; 0]);
    let undone = "undo baaaaaaa: it was not ready in time: web has 0 of 1";
    assert_eq!(planned(&seen, &known(400, |_| {})), [undone]);
    let tried = known(400, |past| {
        past.failures = vec![(at(10), "a".to_owned()), (at(20), "b".to_owned())];
    });
    let given_up = planned(&seen, &tried);
    assert!(given_up[0].starts_with("end baaaaaaa"), "{given_up:?}");
}

#[test]
fn nothing_is_concluded_of_what_was_ready_once_or_did_not_answer_to_the_question_now() {
    let seen = seen(web());
    assert_eq!(planned(&seen, &known(0, |past| past.ready = true)), [""; 0]);
    let mut silent = known(0, |_| {});
    silent.unready.clear();
    assert_eq!(planned(&seen, &silent), [""; 0]);
    // It was never asked before, whenever it was started.
    assert_eq!(
        planned(&seen, &known(0, |past| past.unready_since = None)),
        [""; 0]
    );
    let good = Plan::default();
    let bad = Plan {
        steps: vec![Step::Rollback {
            execution: id(1),
            why: Cause::NotReady {
                missing: "web has 0 of 1".to_owned(),
            },
        }],
        ..good
    };
    for known in [
        known(500, |_| {}),
        known(0, |past| past.ready = true),
        silent,
    ] {
        let policy = Policy::usual(true);
        assert_eq!(check(&seen, &known, &policy, at(NOW), &bad).len(), 1);
    }
}

#[test]
fn a_start_that_was_written_down_as_failed_is_undone_whatever_it_looks_like() {
    let failed = |past: &mut Past| {
        past.forget_start();
        past.failures = vec![(at(60), "web has 0 of 1".to_owned())];
    };
    let mut half = web();
    half.instances.clear();
    let mut other = component("other", 1, 500, 512);
    other.ready = None;
    half.ticket.application.components.push(other);
    let half = running(half, "a");
    let mut rest = half.clone();
    rest.instances.remove(1);
    for execution in [web(), half, rest] {
        let seen = seen(execution);
        let undone = "undo baaaaaaa: web has 0 of 1";
        assert_eq!(planned(&seen, &known(0, failed)), [undone]);
    }
    // These members are of the try after that.
    let later = |past: &mut Past| {
        failed(past);
        past.failures[0].0 = at(49);
    };
    assert_eq!(planned(&seen(web()), &known(0, later)), [""; 0]);
}

#[test]
fn only_of_those_whose_readiness_is_not_known_anything_is_asked() {
    let seen = seen(web());
    let asks = |known: &Known| {
        let plan = plan(&seen, known, &Policy::usual(true), at(NOW));
        let concerned = concerned(&seen, &plan, known);
        (concerned.executions.len(), concerned.unready.len())
    };
    assert_eq!(asks(&Known::default()), (1, 0));
    assert_eq!(asks(&known(0, |_| {})), (1, 1));
    assert_eq!(asks(&known(0, |past| past.ready = true)), (1, 0));
    let ready = Known {
        ready: [id(1)].into(),
        ..Known::default()
    };
    assert_eq!(asks(&ready), (0, 0));
}
