//! What mails say, as it is read.

use insta::assert_snapshot;

use super::*;
use crate::model::{Bytes, Cores};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn about() -> About {
    About {
        id: ExecutionId::from_bits(7),
        name: "nightly".to_owned(),
        user: "ada".to_owned(),
        application: "spark-submit".to_owned(),
        deployment: "team".parse().unwrap(),
    }
}

fn run(outcome: Outcome) -> Run {
    Run {
        submitted_at: at(0),
        started_at: Some(at(5)),
        ended_at: at(5405),
        ran: Some(SignedDuration::from_secs(5400)),
        outcome,
        allocated: Some(Resources {
            cores: Cores::from_millis(2500),
            memory: Bytes::from_mib(6 * 1024),
        }),
        logs: Some("/var/lib/zoe/history/team/2026/09/x.zip".to_owned()),
        last: Some((
            "driver".to_owned(),
            vec!["Pi is roughly 3.14".to_owned(), "  done".to_owned()],
        )),
    }
}

fn failed(reason: &str) -> Outcome {
    Outcome::Failed {
        exit_code: 3,
        reason: reason.to_owned(),
    }
}

fn notebook() -> Notebook {
    Notebook {
        idle_since: at(0),
        now: at(7200),
        deadline: at(86_400),
        url: Some("http://notebooks.example.org/proxy/abc/?token=x".to_owned()),
        logs: None,
    }
}

fn shown(content: &Content) -> String {
    format!("Subject: {}\n\n{}", content.subject, content.text)
}

#[test]
fn the_end_of_an_execution() {
    assert_snapshot!(shown(&ended(
        &about(),
        &run(failed("driver exited with 3"))
    )));
}

#[test]
fn the_same_in_html() {
    assert_snapshot!(ended(&about(), &run(Outcome::Finished)).html);
}

#[test]
fn every_end_has_its_words() {
    let subject = |outcome| ended(&about(), &run(outcome)).subject;
    assert_eq!(subject(Outcome::Finished), "[zoe] nightly finished");
    assert_eq!(subject(Outcome::TimedOut), "[zoe] nightly timed out");
    let by = Some("eve".to_owned());
    let cancelled = ended(&about(), &run(Outcome::Cancelled { by }));
    assert_eq!(cancelled.subject, "[zoe] nightly cancelled");
    assert!(cancelled.text.contains("by eve"), "{}", cancelled.text);
}

#[test]
fn a_start_that_was_given_up() {
    let run = Run {
        started_at: None,
        ran: None,
        allocated: Some(Resources::ZERO),
        logs: None,
        last: None,
        ended_at: at(60),
        ..run(failed(
            "could not be started: no image \"x\" (tried 3 times)",
        ))
    };
    assert_snapshot!(shown(&start_given_up(&about(), &run)));
}

#[test]
fn a_notebook_that_nobody_uses() {
    assert_snapshot!(shown(&notebook_warning(&about(), &notebook())));
}

#[test]
fn a_notebook_that_nobody_used() {
    let over = Notebook {
        url: None,
        logs: Some("/var/lib/zoe/history/team/2026/09/x.zip".to_owned()),
        ..notebook()
    };
    assert_snapshot!(shown(&notebook_ended(&about(), &over)));
}

#[test]
fn a_test() {
    assert_snapshot!(shown(&test(&about().deployment, "ada", at(0))));
}

#[test]
fn nothing_a_user_wrote_breaks_out_or_fills_a_mailbox() {
    let evil = "x\r\nBcc: eve@example.org\r\n\r\n<script>alert('&\")</script>\u{1b}[2J\u{202e}";
    let huge = "é".repeat(1 << 20);
    for text in [evil, huge.as_str()] {
        let about = About {
            name: text.to_owned(),
            user: text.to_owned(),
            application: text.to_owned(),
            ..about()
        };
        let run = Run {
            logs: Some(text.to_owned()),
            last: Some((text.to_owned(), vec![super::super::clean::line(text, 200)])),
            ..run(failed(text))
        };
        let notebook = Notebook {
            url: Some(text.to_owned()),
            logs: Some(text.to_owned()),
            ..notebook()
        };
        for content in [
            ended(&about, &run),
            start_given_up(&about, &run),
            notebook_warning(&about, &notebook),
            notebook_ended(&about, &notebook),
            test(&about.deployment, text, at(0)),
        ] {
            assert!(!content.subject.contains(char::is_control));
            assert!(content.subject.chars().count() <= 150);
            assert!(!content.text.contains("\nBcc:") && !content.text.contains('\u{1b}'));
            assert!(!content.html.contains("<script") && !content.html.contains('\u{202e}'));
            assert!(content.text.len() < 20_000, "{}", content.text.len());
            assert!(content.html.len() < 40_000, "{}", content.html.len());
        }
    }
}

#[test]
fn what_was_used_is_rounded_down() {
    let held = Resources {
        cores: Cores::from_millis(1000),
        memory: Bytes::from_mib(1024),
    };
    let used = |seconds| used(held, SignedDuration::from_secs(seconds));
    assert_eq!(used(3600), "1 cores, 1 GiB: 1 core-hours, 1 GiB-hours");
    assert_eq!(used(35), "1 cores, 1 GiB: 0 core-hours, 0 GiB-hours");
    assert_eq!(used(5400), "1 cores, 1 GiB: 1.5 core-hours, 1.5 GiB-hours");
    assert_eq!(used(-5), "1 cores, 1 GiB: 0 core-hours, 0 GiB-hours");
}

#[test]
fn lengths_are_short() {
    let shown = [0, 45, 200, 7500, 7201, 350_000].map(|s| span(SignedDuration::from_secs(s)));
    assert_eq!(
        shown,
        ["0 s", "45 s", "3 min 20 s", "2 h 5 min", "2 h", "4 d 1 h"]
    );
}
