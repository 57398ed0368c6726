//! What is printed of those that wait, and of users.

use insta::assert_snapshot;

use super::{at, look, queued};
use crate::model::{Bytes, Cores, ExecutionId, Holder, MailOn, Quota, Resources};
use crate::ops::accounts::UserView;
use crate::ops::queue::Entry;
use crate::ops::queue::explain::{Explanation, NodeView, Wait};
use crate::ops::view::ExecutionView;
use crate::output::{queue, users};
use crate::store::Role;

fn amount(millis: u64, mib: u64) -> Resources {
    Resources {
        cores: Cores::from_millis(millis),
        memory: Bytes::from_mib(mib),
    }
}

pub(super) fn entry(view: ExecutionView) -> Entry {
    Entry {
        view,
        position: 1,
        code: "not-enough-cores",
        latest_start: Some(at("12:30:00")),
    }
}

pub(super) fn explanation(view: ExecutionView) -> Explanation {
    let lack = |what: &str| ("worker".to_owned(), what.to_owned());
    Explanation {
        view,
        wait: Some(Wait {
            position: 2,
            of: 3,
            code: "not-enough-cores",
            before: vec![("abcdefgh".to_owned(), "first".to_owned())],
            needs: amount(4000, 4096),
            holders: vec![Holder {
                execution: ExecutionId::from_bits(7),
                name: "nightly".parse().unwrap(),
                user: "ada".to_owned(),
                holds: amount(2000, 2048),
            }],
            others: amount(500, 512),
            labels: vec![lack("gpu=yes")],
            nodes: vec![
                NodeView {
                    name: "node-1".to_owned(),
                    free: amount(500, 512),
                    missing: vec![lack("0.5 cores, 896 MiB of memory")],
                },
                NodeView {
                    name: "node-2".to_owned(),
                    free: amount(2000, 8192),
                    missing: Vec::new(),
                },
            ],
            last_failure: Some((at("11:58:00"), "driver-0 exited with 1".to_owned())),
            latest_start: None,
        }),
    }
}

pub(super) fn user() -> UserView {
    UserView {
        name: "ada".to_owned(),
        is_entered: true,
        mail: Some("ada@example.org".to_owned()),
        mail_on: Some(MailOn::End),
        role: Role::Admin,
        quota: Quota {
            executions: Some(4),
            cores: Some(Cores::from_millis(2500)),
            memory: None,
            hours: Some(100),
        },
        running: 1,
        queued: 2,
        held: amount(1500, 2048),
        used: 5400,
        usage: 4000,
    }
}

#[test]
fn those_that_wait_are_told_with_what_they_wait_for() {
    let table = queue::table(&[entry(queued())], &look(Some(120)));
    assert_snapshot!("queue", table);
    let text = queue::explanation(&explanation(queued()), &look(Some(100)));
    assert_snapshot!("explanation", text);
    assert_snapshot!("users", users::table(&[user()], &look(None)));
}

#[test]
fn why_nobody_can_say_when_is_as_what_it_waits_for() {
    let said = |code| {
        let mut explanation = explanation(queued());
        explanation.wait.as_mut().unwrap().code = code;
        let text = queue::explanation(&explanation, &look(None));
        let starts = text.lines().find(|line| line.starts_with("Starts:"));
        starts.unwrap().to_owned()
    };
    let limits = "not all that is before it has a time limit";
    assert!(said("behind").ends_with(limits));
    for code in [
        "nodes-away",
        "no-label",
        "array-limit",
        "retry",
        "again",
        "held",
        "quota",
    ] {
        assert!(!said(code).contains(limits), "{}", said(code));
    }
    assert!(said("no-label").ends_with("it starts when a node has the labels that it asks for"));
}
