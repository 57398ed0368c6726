//! The mail server, the database or `zoe watch` itself is away for a while; and several that send at once.

use std::collections::BTreeMap;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::process::{Pid, Signal, kill_process};

use crate::place::until;
use crate::server::{Post, USUAL};

#[test]
fn a_server_that_was_down_gets_it_later() {
    let post = &mut Post::new(USUAL);
    post.stop();
    let first = post.submit("first", 3, &[]);
    let second = post.submit("second", 3, &[]);
    let watch = post.place.watch(&["--interval", "1s"]);
    until("it says so", || watch.said("degraded", "mail") == 1);
    until("both have been tried", || {
        let queue = post.queue(&[]);
        queue.len() == 2 && queue.iter().all(|one| one["tries"].as_u64() > Some(0))
    });
    let queue = post.queue(&[]);
    assert_eq!(queue[0]["state"], "waiting");
    let error = queue[0]["error"].as_str().unwrap();
    assert!(error.contains("refused"), "{error}");
    // Nothing else waits for it.
    let file = post.place.open_job("third", 3);
    let third = post.submit_file("third", &file, &[]);
    post.place.end("third", 3);
    until("it is over", || watch.said("ended", &third) == 1);
    post.start();
    until("all are sent", || post.queue(&[]).is_empty());
    until("it says so", || watch.said("recovered", "mail") == 1);
    assert_eq!(watch.stop("TERM").0, 0);
    for id in [first, second, third] {
        post.only(&id);
    }
    assert!(post.pass());
    assert_eq!(post.mails().len(), 3);
}

#[test]
fn a_pass_from_cron_says_that_the_server_is_down() {
    let post = &mut Post::new(USUAL);
    post.stop();
    let id = post.submit("failed", 3, &[]);
    until("its end is seen", || !post.pass());
    until("it is queued", || post.queue(&[]).len() == 1);
    post.start();
    until("it is sent", || post.pass() && post.queue(&[]).is_empty());
    post.only(&id);
}

#[test]
fn killed_between_sending_and_noting_it_is_sent_again_as_the_same() {
    let post = &Post::new(USUAL);
    post.mode("hold");
    let id = post.submit("failed", 3, &[]);
    let watch = post.place.watch(&["--interval", "1s"]);
    until("the server has it", || post.about(&id).len() == 1);
    let process = Pid::from_raw(watch.id().try_into().unwrap()).unwrap();
    kill_process(process, Signal::KILL).unwrap();
    drop(watch);
    assert_eq!(post.queue(&[])[0]["state"], "waiting");
    post.mode("");
    let watch = post.place.watch(&["--interval", "1s"]);
    until("it is noted", || post.queue(&[]).is_empty());
    assert_eq!(watch.stop("TERM").0, 0);
    assert!(post.pass());
    let mails = post.about(&id);
    assert_eq!(mails.len(), 2, "{mails:#?}");
    assert_eq!(mails[0].message_id(), mails[1].message_id());
    assert_eq!(mails[0].headers["date"], mails[1].headers["date"]);
    assert_eq!(mails[0].text, mails[1].text);
}

#[test]
fn a_slow_server_holds_up_nothing_and_nobody_else_sends_meanwhile() {
    let post = &Post::new(USUAL);
    post.mode("hold");
    let id = post.submit("failed", 3, &[]);
    let watch = post.place.watch(&["--interval", "1s"]);
    until("the server has it", || post.about(&id).len() == 1);
    // While the server has not answered yet.
    let file = post.place.open_job("fine", 0);
    let other = post.submit_file("fine", &file, &[]);
    post.place.end("fine", 0);
    until("it is over", || watch.said("ended", &other) == 1);
    post.pass();
    post.zoe(&["mail", "send"]);
    assert_eq!(post.queue(&[]).len(), 1);
    post.mode("");
    until("it is noted", || post.queue(&[]).is_empty());
    post.only(&id);
    assert_eq!(watch.stop("TERM").0, 0);
}

#[test]
fn who_is_told_to_end_lets_the_server_say_its_last_word() {
    let post = &Post::new(USUAL);
    post.mode("hold");
    let id = post.submit("failed", 3, &[]);
    let mut watch = post.place.watch(&["--interval", "1s"]);
    until("the server has it", || post.about(&id).len() == 1);
    watch.signal("TERM");
    post.mode("");
    until("it has ended", || watch.ended().is_some());
    assert!(post.queue(&[]).is_empty(), "it is noted");
    assert!(post.pass());
    post.only(&id);
}

#[test]
fn two_that_watch_and_others_that_end_send_each_once() {
    const MAILS: usize = 20;
    let post = &Post::new(USUAL);
    let watches = [(), ()].map(|()| post.place.watch(&["--interval", "1s"]));
    let mut ids = Vec::new();
    for n in 0..MAILS / 2 {
        ids.push(post.submit(&format!("failed-{n}"), 3, &[]));
    }
    let open = post.place.open_job("open", 0);
    for n in 0..MAILS / 2 {
        let name = format!("killed-{n}");
        ids.push(post.submit_file(&name, &open, &["--mail-on", "end"]));
    }
    // Each is ended by two at once.
    for pair in ids[MAILS / 2..].chunks(5) {
        let kills = [(), ()].map(|()| {
            let mut command = post.place.command(&["kill"]);
            command.args(pair).stdout(std::process::Stdio::null());
            command.spawn().unwrap()
        });
        for mut kill in kills {
            kill.wait().unwrap();
        }
    }
    until("all are told", || {
        post.place.ps().is_empty() && post.mails().len() >= MAILS && post.queue(&[]).is_empty()
    });
    for watch in watches {
        assert_eq!(watch.stop("TERM").0, 0);
    }
    assert!(post.pass());
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for mail in post.mails() {
        *times.entry(mail.message_id().to_owned()).or_default() += 1;
    }
    assert_eq!(times.len(), MAILS);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
}

#[test]
fn a_database_that_was_away_loses_no_mail() {
    let post = &Post::new(USUAL);
    std::fs::create_dir(post.place.path("aside")).unwrap();
    let exchange = || {
        renameat_with(
            CWD,
            post.place.database(),
            CWD,
            post.place.path("aside"),
            RenameFlags::EXCHANGE,
        )
        .unwrap();
    };
    let file = post.place.open_job("open", 3);
    let id = post.submit_file("open", &file, &[]);
    let watch = post.place.watch(&["--interval", "1s"]);
    exchange();
    until("it says so", || watch.said("degraded", "database") == 1);
    post.place.end("open", 3);
    until("its end can't be recorded", || {
        post.place.ps().iter().any(|one| one["state"] == "ending")
    });
    assert!(post.mails().is_empty());
    exchange();
    until("its owner is told", || watch.said("mailed", &id) == 1);
    assert_eq!(watch.stop("TERM").0, 0);
    post.only(&id);
    assert!(post.pass());
    assert_eq!(post.mails().len(), 1);
}
