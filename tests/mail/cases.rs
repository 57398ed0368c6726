//! Each case, over each kind of connection: who is written to, what, and how often.

use std::time::Duration;

use crate::place::until;
use crate::server::{ADA, Manner, PASSWORD, Post, USUAL};

#[test]
fn an_end_is_told_once_to_who_wants_to_know() {
    let post = &Post::new(USUAL);
    let failed = post.submit("failed", 3, &[]);
    let quiet = [
        post.submit("fine", 0, &[]),
        post.submit("unwanted", 4, &["--mail-on", "never"]),
        post.submit("fine-as-said", 0, &["--mail-on", "fail"]),
    ];
    let finished = post.submit("finished", 0, &["--mail-on", "end"]);
    let endless = post.place.open_job("late", 0);
    let late = post.submit_file("late", &endless, &["--time-limit", "1s"]);
    let endless = post.place.open_job("killed", 0);
    let killed = post.submit_file("killed", &endless, &["--mail-on", "end"]);
    let silent = post.submit_file("killed-silently", &endless, &[]);
    post.zoe(&["kill", &killed, &silent]);
    post.until_over();
    for again in [true, false] {
        let mail = post.only(&failed);
        assert_eq!(mail.subject(), "[zoe] failed failed (exit code 3)");
        assert_eq!(
            (mail.to.as_slice(), mail.from.as_str()),
            (&[ADA.to_owned()][..], "zoe@example.org")
        );
        assert!(mail.tls && mail.login.as_deref() == Some("zoe"));
        assert_eq!(mail.headers["auto-submitted"], "auto-generated");
        for part in [&mail.text, &mail.html] {
            for said in [
                "main exited with 3",
                "Runtime",
                "0.01 cores, 16 MiB",
                ".zip",
                &failed,
            ] {
                assert!(part.contains(said), "{said}: {part}");
            }
        }
        assert!(
            mail.text
                .contains("The last lines of main:\n\n    failed\n"),
            "{}",
            mail.text
        );
        assert_eq!(post.only(&finished).subject(), "[zoe] finished finished");
        assert_eq!(post.only(&late).subject(), "[zoe] late timed out");
        let mail = post.only(&killed);
        assert_eq!(mail.subject(), "[zoe] killed cancelled");
        assert!(
            mail.text.contains(&format!("by {}", Post::user())),
            "{}",
            mail.text
        );
        assert_eq!(post.mails().len(), 4);
        if again {
            assert!(post.pass());
        }
    }
    for id in quiet.iter().chain([&silent]) {
        assert!(post.about(id).is_empty(), "{id}");
    }
    assert!(post.queue(&[]).is_empty());
    let states: Vec<String> = post
        .queue(&["--all"])
        .iter()
        .map(|one| one["state"].to_string())
        .collect();
    assert_eq!(states, ["\"sent\""; 4]);
    // Who has no address, or no wish, gets nothing.
    let user = Post::user();
    post.zoe(&["user", "set", &user, "--mail-on", "never"]);
    post.submit("unwished", 5, &[]);
    post.zoe(&["user", "set", &user, "--mail-on", "end", "--mail", ""]);
    post.submit("unaddressed", 5, &[]);
    let job = post.place.job("unaddressed-as-well", 0, Duration::ZERO);
    let said = post.place.run(&["run", "-d", "--mail-on", "end", &job]);
    assert_eq!(said.code, 0);
    assert!(
        said.stderr.contains("has no mail address"),
        "{}",
        said.stderr
    );
    post.until_over();
    assert_eq!(post.mails().len(), 4);
    // The user's wish counts for those that say nothing.
    post.zoe(&["user", "set", &user, "--mail", ADA]);
    let fine = post.submit("fine-as-well", 0, &[]);
    post.until_over();
    assert_eq!(post.only(&fine).subject(), "[zoe] fine-as-well finished");
    // Who ends it need not know a mail server.
    let job = post.place.job("elsewhere", 3, Duration::ZERO);
    let mut elsewhere = post.place.command(&["run", "--name", "elsewhere", &job]);
    let said = elsewhere.env("ZOE_SMTP_SERVER", "").output().unwrap();
    assert_eq!(said.status.code(), Some(3), "{said:?}");
    let waiting = post.queue(&[]);
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert!(post.pass());
    let id = waiting[0]["execution"].as_str().unwrap();
    assert_eq!(
        post.only(id).subject(),
        "[zoe] elsewhere failed (exit code 3)"
    );
}

#[test]
fn a_start_that_is_given_up_is_told_once() {
    let post = &Post::new(USUAL);
    let file = post.place.service("never");
    let env = [
        ("ZOE_SCHEDULER_START_TRIES", "1"),
        ("ZOE_SCHEDULER_START_DEADLINE", "1"),
    ];
    let id = post.submit_file("never", &file, &[]);
    let watch = post.place.watch_in(&["--interval", "1s"], &env);
    until("its owner is told", || !post.about(&id).is_empty());
    until("that is noted", || watch.said("mailed", &id) == 1);
    assert_eq!(watch.stop("TERM").0, 0);
    assert!(post.pass());
    let mail = post.only(&id);
    assert_eq!(mail.subject(), "[zoe] never could not be started");
    assert!(
        mail.text.contains("it was not ready in time"),
        "{}",
        mail.text
    );
    assert!(mail.text.contains(&format!("zoe resubmit {id}")));
    assert_eq!(post.queue(&["--all"])[0]["kind"], "start-given-up");
}

#[test]
fn every_kind_of_connection_will_do() {
    for security in ["none", "starttls", "tls"] {
        for login in [false, true] {
            let manner = Manner { security, login };
            let post = &Post::new(manner);
            let said = post.place.run(&["mail", "test", ADA]).expect_error(0);
            assert!(said.contains(ADA), "{said}");
            let mails = post.mails();
            assert_eq!(mails.len(), 1, "{manner:?}");
            assert_eq!(mails[0].tls, security != "none");
            assert_eq!(mails[0].login.is_some(), login);
            assert!(mails[0].subject().starts_with("[zoe] a test from test"));
        }
    }
}

#[test]
fn a_connection_that_is_not_as_it_should_be_is_not_used() {
    let post = &Post::new(USUAL);
    let refused = |variables: &[(&str, &str)], why: &str| {
        let mut command = post.place.command(&["mail", "test", ADA]);
        command.envs(variables.iter().copied());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(125), "{said}");
        assert!(said.contains(why), "{said}");
        assert!(
            !said.contains(PASSWORD) && !said.contains("wrong-word"),
            "{said}"
        );
    };
    // Another's password; nobody's certificate; a server that does not speak TLS from the first byte.
    refused(
        &[
            ("ZOE_SMTP_PASSWORD", "wrong-word"),
            ("ZOE_SMTP_PASSWORD_FILE", ""),
        ],
        "535",
    );
    refused(&[("ZOE_SMTP_CA_FILE", "")], "certificate");
    refused(
        &[("ZOE_SMTP_PASSWORD_FILE", "/nonexistent")],
        "password_file",
    );
    refused(&[("ZOE_SMTP_SECURITY", "tls")], "sent through localhost:");
    // Without protection no password is asked for, so none is told.
    refused(&[("ZOE_SMTP_SECURITY", "none")], "sent through localhost:");
    assert!(post.mails().is_empty());
    // A password that is not said in a file, but in the environment.
    let mut command = post.place.command(&["mail", "test", ADA]);
    command
        .env("ZOE_SMTP_PASSWORD", PASSWORD)
        .env("ZOE_SMTP_PASSWORD_FILE", "");
    assert!(command.output().unwrap().status.success());
    assert_eq!(post.mails().len(), 1);
    let shown = post.zoe(&["config", "show"]);
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[test]
fn what_is_written_where_no_server_is_configured_waits() {
    let post = &Post::new(USUAL);
    let file = post.place.path("config/zoe/zoe.conf");
    let configured = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let failed = post.submit("failed", 3, &["--mail-on", "end"]);
    post.until_over();
    assert_eq!(post.queue(&["--all"])[0]["state"], "waiting");
    assert!(post.pass() && post.mails().is_empty());
    let said = post.place.run(&["mail", "test", ADA]).expect_error(2);
    assert!(said.contains("no mail server is configured"), "{said}");
    post.place.run(&["mail", "send"]).expect_error(2);
    std::fs::write(&file, configured).unwrap();
    assert!(post.pass());
    post.only(&failed);
}
