//! What an operator sees of mails that can't be sent, and does about them.

use crate::place::until;
use crate::server::{ADA, Post, USUAL};

#[test]
fn a_mail_that_is_refused_for_good_is_told_and_can_be_tried_again_or_dropped() {
    let post = &Post::new(USUAL);
    post.mode("refuse");
    let first = post.submit("first", 3, &[]);
    let second = post.submit("second", 3, &[]);
    let watch = post.place.watch(&["--interval", "1s"]);
    until("it says so", || {
        watch.said("mail given up", &first) == 1 && watch.said("mail given up", &second) == 1
    });
    assert_eq!(watch.said("degraded", "mail"), 0);
    assert_eq!(watch.stop("TERM").0, 0);
    let failed = post.queue(&["--failed"]);
    assert_eq!(failed.len(), 2);
    assert_eq!(
        (&failed[0]["tries"], &failed[0]["recipient"]),
        (&1.into(), &ADA.into())
    );
    let error = failed[0]["error"].as_str().unwrap();
    assert!(
        error.contains("550") && error.contains("no such user here"),
        "{error}"
    );
    let table = post.zoe(&["mail", "queue"]);
    assert!(
        table.contains("failed") && table.contains(&format!("{first}.end")),
        "{table}"
    );
    // It is not tried again by itself.
    post.mode("");
    assert!(post.pass());
    assert!(post.mails().is_empty());
    assert_eq!(
        post.zoe(&["mail", "drop", &second]),
        format!("{second}.end\n")
    );
    assert_eq!(post.zoe(&["mail", "retry"]), format!("{first}.end\n"));
    assert_eq!(post.zoe(&["mail", "send"]), format!("{first}.end\n"));
    post.only(&first);
    assert!(post.about(&second).is_empty() && post.queue(&[]).is_empty());
    assert_eq!(post.queue(&["--all"]).len(), 2);
    // What was sent stays so; what was dropped may still be wanted.
    post.place.run(&["mail", "retry", &first]).expect(4);
    post.place.run(&["mail", "drop", "nothing"]).expect(3);
    post.zoe(&["mail", "retry", &second]);
    assert!(post.pass());
    post.only(&second);
    post.only(&first);
}

#[test]
fn a_mail_that_is_not_taken_now_is_taken_later() {
    let post = &Post::new(USUAL);
    post.mode("later");
    let id = post.submit("failed", 3, &[]);
    until("it has been tried", || {
        post.pass();
        post.queue(&[]).iter().any(|one| one["tries"] == 1)
    });
    let waiting = &post.queue(&[])[0];
    assert_eq!(waiting["state"], "waiting");
    assert!(
        waiting["error"].as_str().unwrap().contains("451"),
        "{waiting}"
    );
    post.mode("");
    until("it is sent", || post.pass() && post.queue(&[]).is_empty());
    post.only(&id);
}

#[test]
fn what_is_tried_for_too_long_is_given_up() {
    let post = &mut Post::new(USUAL);
    post.stop();
    post.submit("failed", 3, &[]);
    until("it has been tried", || {
        post.pass();
        post.queue(&[]).iter().any(|one| one["tries"] == 1)
    });
    // It has been tried for a day and an hour.
    post.place
        .sql("UPDATE outbox SET since = since - 90000000, next_at = 0");
    post.configure("give_up = 25\n");
    let ran = post.place.run(&["watch", "--once"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("mail given up"), "{}", ran.stderr);
    assert_eq!(post.queue(&["--failed"]).len(), 1);
    // Somebody wants it all the same: then the time begins anew.
    post.zoe(&["mail", "retry"]);
    assert!(!post.pass());
    let queue = post.queue(&[]);
    assert_eq!(
        (&queue[0]["state"], &queue[0]["tries"]),
        (&"waiting".into(), &1.into())
    );
}

/// Nobody has sent anything for days: what is tried for the first time then is tried again.
#[test]
fn the_time_counts_from_the_first_try() {
    let post = &Post::new(USUAL);
    post.mode("later");
    let id = post.submit("failed", 3, &[]);
    post.place.run(&["wait", &id]).expect(3);
    post.place
        .sql("UPDATE outbox SET created_at = created_at - 400000000, since = since - 400000000");
    let ran = post.place.run(&["mail", "send"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    let waits = format!("{id}.end waits: it said 451");
    assert!(ran.stderr.contains(&waits), "{}", ran.stderr);
    let waiting = &post.queue(&[])[0];
    assert_eq!(
        (&waiting["state"], &waiting["tries"]),
        (&"waiting".into(), &1.into())
    );
    post.mode("");
    until("it is sent", || post.pass() && post.queue(&[]).is_empty());
    post.only(&id);
}

#[test]
fn what_is_forgotten_leaves_no_mail_behind() {
    let post = &Post::new(USUAL);
    post.mode("later");
    let id = post.submit("failed", 3, &[]);
    until("it is queued", || {
        post.pass();
        post.queue(&[]).len() == 1
    });
    post.zoe(&["rm", &id]);
    assert!(post.queue(&["--all"]).is_empty());
}
