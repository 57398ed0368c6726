//! Mails: one line as the subject, plain text without orders, HTML of the same tags whatever is said, and the headers that there
//! are to be.

use zoe::mail::clean;
use zoe::mail::compose::{ended, notebook_ended, notebook_warning, start_given_up, test};
use zoe::mail::smtp::message;
use zoe::mail::{About, Content, Envelope, Notebook, Run};
use zoe::model::{Bytes, Cores, ExecutionId, Outcome, Resources};

use super::html::tags;
use super::{Input, shown_safely};

/// A mail of these texts, of the kind that the first byte says.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.choice;
    let mut texts = Vec::new();
    let recipient = input.text();
    let output = input.text();
    while let Some(text) = input.next() {
        texts.push(text);
    }
    let hostile = content(choice, &mut texts.iter().cloned().cycle(), &output);
    // The same with harmless texts, and none where nothing is left of a hostile one.
    let plain = |text: &String| {
        let is_nothing = clean::line(text, 400).is_empty();
        if is_nothing {
            String::new()
        } else {
            "x".to_owned()
        }
    };
    let harmless = content(choice, &mut texts.iter().map(plain).cycle(), &output);
    is_harmless(&hostile);
    assert_eq!(tags(&hostile.html), tags(&harmless.html));
    // Whatever the address is: a mail to it, or none.
    for recipient in ["ada@example.org", recipient.as_str()] {
        has_its_headers(&hostile, recipient);
    }
}

fn content(choice: u8, texts: &mut dyn Iterator<Item = String>, output: &str) -> Content {
    let mut text = || texts.next().unwrap_or_default();
    let at = |second: i64| jiff::Timestamp::from_second(1_800_000_000 + second).unwrap();
    let about = About {
        id: ExecutionId::from_bits(7),
        name: text(),
        user: text(),
        application: text(),
        deployment: "fuzz".parse().unwrap(),
    };
    let outcome = match choice & 3 {
        0 => Outcome::Finished,
        1 => Outcome::Failed {
            exit_code: i64::from(choice),
            reason: text(),
        },
        2 => Outcome::TimedOut,
        _ => Outcome::Cancelled { by: Some(text()) },
    };
    let lines = clean::last_lines(output.as_bytes(), 20, 200);
    let run = Run {
        submitted_at: at(0),
        started_at: (choice & 4 == 0).then(|| at(5)),
        ended_at: at(i64::from(choice) * 100),
        ran: (choice & 4 == 0).then(|| jiff::SignedDuration::from_secs(i64::from(choice) * 100)),
        outcome,
        allocated: Some(Resources {
            cores: Cores::from_millis(1500),
            memory: Bytes::from_mib(900),
        }),
        logs: Some(text()),
        last: (choice & 8 == 0).then(|| (text(), lines)),
    };
    let notebook = Notebook {
        idle_since: at(0),
        now: at(100),
        deadline: at(1000),
        url: Some(text()),
        logs: Some(text()),
    };
    match choice >> 4 {
        0..6 => ended(&about, &run),
        6..9 => start_given_up(&about, &run),
        9..12 => notebook_warning(&about, &notebook),
        12..15 => notebook_ended(&about, &notebook),
        _ => test(&about.deployment, &about.user, at(0)),
    }
}

fn is_harmless(content: &Content) {
    shown_safely(&content.subject);
    assert!(!content.subject.contains('\n') && content.subject.chars().count() <= 150);
    shown_safely(&content.text);
    shown_safely(&content.html);
    assert!(content.text.len() < 40_000 && content.html.len() < 80_000);
}

/// Panics unless the mail has each of its headers once and no other, and its lines are as long as they may be.
fn has_its_headers(content: &Content, recipient: &str) {
    let envelope = Envelope {
        recipient,
        message_id: "<abcdefgh.ended.fuzz@zoe>",
        date: jiff::Timestamp::UNIX_EPOCH,
    };
    let mail = match message("zoe@example.org", &envelope, content) {
        Ok(mail) => mail,
        Err(error) => {
            assert!(recipient != "ada@example.org", "{error}");
            return super::is_told_well(&error.to_string());
        }
    };
    let mail = String::from_utf8(mail).unwrap();
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    assert!(
        !head.replace("\r\n", "").contains(char::is_control),
        "{head:?}"
    );
    let first = |line: &&str| !line.starts_with([' ', '\t']);
    let names = head
        .split("\r\n")
        .filter(first)
        .map(|line| line.split(':').next().unwrap());
    let names: Vec<&str> = names.collect();
    let expected = [
        "From",
        "To",
        "Date",
        "Subject",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ];
    assert_eq!(names, expected, "{head}");
    assert!(mail.split("\r\n").all(|line| line.len() <= 998));
}
