//! What users and programs write may hold anything.

use crate::place::until;
use crate::server::{ADA, Post, USUAL};

/// Ends headers, mails and markup, steers terminals, and is long.
fn evil() -> Vec<String> {
    vec![
        "x\r\nBcc: eve@example.org\r\n\r\n.\r\nMAIL FROM:<eve@example.org>".to_owned(),
        "</pre><script>alert(\"&'\")</script>".to_owned(),
        ".".to_owned(),
        "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}live\u{2066}".to_owned(),
        "naïve ☃ 👩‍🚀 %s $$HOME `id` $$(id)".to_owned(),
        "é".repeat(100_000),
    ]
}

#[test]
fn nothing_that_was_written_steers_a_mail() {
    let post = &Post::new(USUAL);
    let mut command = vec!["print".to_owned(), "first".to_owned()];
    for text in evil() {
        command.extend(["print".to_owned(), text]);
    }
    command.extend(["exit", "3"].map(str::to_owned));
    let description = serde_json::json!({
        "schema": 1,
        "name": "one",
        "description": evil()[1],
        "monitor": "main",
        "component": [{
            "name": "main", "image": "memory/job", "cores": 0.01, "memory": "16m", "command": command,
        }],
    });
    let path = post.place.path("work/evil.json");
    std::fs::write(path, description.to_string()).unwrap();
    let id = post.submit_file("evil", "evil.json", &[]);
    post.until_over();
    let mail = post.only(&id);
    assert_eq!(mail.to, [ADA]);
    let names: Vec<&str> = mail.headers.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "auto-submitted",
            "content-type",
            "date",
            "from",
            "message-id",
            "mime-version",
            "subject",
            "to"
        ]
    );
    assert!(mail.raw.len() < 50_000, "{}", mail.raw.len());
    assert!(mail.raw.lines().all(|line| line.len() < 998));
    for part in [&mail.text, &mail.html] {
        let bad = |c: char| c.is_control() && c != '\n';
        assert!(!part.contains(bad), "{part:?}");
        assert!(!part.contains(['\u{202e}', '\u{2066}', '\u{9b}']));
        assert!(part.contains("naïve ☃"), "{part}");
    }
    // The program's own line that is only a dot is there, and so is what came after it.
    assert!(mail.text.contains("\n    .\n"), "{}", mail.text);
    assert!(!mail.html.contains("<script") && mail.html.contains("&lt;script&gt;"));
}

#[test]
fn an_address_that_is_none_is_given_up_and_told() {
    let post = &Post::new(USUAL);
    let user = Post::user();
    let two = "ada@example.org>,<eve@example.org";
    for wrong in ["", "eve", "a@b\nBcc: c@d", "a b@c", two] {
        post.place.run(&["mail", "test", wrong]).expect(2);
        if !wrong.is_empty() {
            post.place
                .run(&["user", "set", &user, "--mail", wrong])
                .expect(2);
        }
    }
    // One that was taken by an older zoe, or that somebody wrote into the database.
    post.zoe(&["user", "set", &user, "--mail", "ada@example.org"]);
    post.place
        .sql("UPDATE users SET mail = 'ada@example.org>,<eve@example.org'");
    post.submit("failed", 3, &[]);
    until("it is given up", || {
        post.pass();
        post.queue(&["--failed"]).len() == 1
    });
    let error = post.queue(&["--failed"])[0]["error"].to_string();
    assert!(error.contains("is no mail address"), "{error}");
    assert!(post.mails().is_empty());
}
