//! Notebooks on a real Engine, with a clock of seconds: the idle one is warned by mail, ended, and its owner told; what is in use,
//! may be, or is kept goes on.

use std::path::PathBuf;

use serde_json::Value;

use crate::place::until;
use crate::server::{Post, USUAL};

const KINDS: [&str; 5] = ["idle", "busy", "unreadable", "kept", "never"];

/// A server that answers as Jupyter does, with what is in files.
fn notebook(post: &Post, name: &str) -> PathBuf {
    let pages = post.place.path("out").join(name);
    std::fs::create_dir_all(pages.join("api")).unwrap();
    let long_ago = "2026-01-01T00:00:00.000000Z";
    let now = jiff::Timestamp::now();
    let state = if name == "busy" { "busy" } else { "idle" };
    let write = |file: &str, value: Value| {
        std::fs::write(pages.join("api").join(file), value.to_string()).unwrap();
    };
    // A page that was left open polls, and the server takes that for activity.
    write(
        "status",
        serde_json::json!({"started": long_ago, "last_activity": now.to_string(), "connections": 1}),
    );
    if name != "unreadable" {
        write(
            "kernels",
            serde_json::json!([{"id": "k", "last_activity": long_ago, "execution_state": state, "connections": 1}]),
        );
    }
    let text = format!(
        "schema = 1\nname = \"book\"\nmonitor = \"notebook\"\nactivity = {{ jupyter = \"notebook/web\" }}\n\
         [[component]]\nname = \"notebook\"\nimage = \"zoe-test/tiny:1\"\ncores = 0.01\nmemory = \"16m\"\n\
         volumes = [\"{}:/www:ro\"]\ncommand = [\"httpd\", \"-f\", \"-p\", \"8000\", \"-h\", \"/www\"]\n\
         [[component.port]]\nname = \"web\"\ncontainer = 8000\npath = \"/lab\"\n",
        pages.display()
    );
    std::fs::write(post.place.path("work").join(format!("{name}.toml")), text).unwrap();
    pages
}

fn activity(post: &Post, id: &str) -> Value {
    let shown: Value = serde_json::from_str(&post.zoe(&["show", id, "-o", "json"])).unwrap();
    shown["activity"].clone()
}

#[test]
fn an_idle_notebook_is_warned_and_ended_and_no_other_is() {
    let post = &Post::engine(USUAL);
    let seconds = [("ZOE_INTERVALS_PROXY_UPDATE_ACCESSES", "1")];
    let mut ids = Vec::new();
    for name in KINDS {
        notebook(post, name);
        let timeout = if name == "never" { "never" } else { "16s" };
        let file = format!("{name}.toml");
        let id = post.submit_file(name, &file, &["--idle-timeout", timeout]);
        if name == "kept" {
            let said = post.zoe(&["keep", name, "1h", "-o", "json"]);
            let said: Value = serde_json::from_str(&said).unwrap();
            assert_eq!(
                (&said["id"], &said["name"]),
                (&id.as_str().into(), &"kept".into())
            );
            assert!(said["kept_until"].is_string());
        }
        ids.push(id);
    }
    let [idle, busy, unreadable, kept, never] = &ids[..] else {
        panic!("{ids:?}");
    };
    let watch = post.place.watch_in(&[], &seconds);
    until("it is warned", || watch.said("idle", idle) == 1);
    let used = activity(post, idle);
    assert_eq!(used["state"], "idle");
    assert!(
        used["warned_at"].is_string() && used["ends_at"].is_string(),
        "{used}"
    );
    until("the mail is there", || post.about(idle).len() == 1);
    let mail = post.only(idle);
    assert!(
        mail.subject()
            .starts_with("[zoe] idle is idle and will be ended in "),
        "{}",
        mail.subject()
    );
    for part in [&mail.text, &mail.html] {
        for said in ["http://127.0.0.1:", "/lab", &format!("zoe keep {idle} 4h")] {
            assert!(part.contains(said), "{said}: {part}");
        }
    }
    until("it is ended", || watch.said("ended", idle) == 1);
    until("its owner is told", || post.about(idle).len() == 2);
    assert_eq!(watch.said("idle", idle), 1);
    let mails = post.about(idle);
    assert_eq!(mails[1].subject(), "[zoe] idle was idle and has been ended");
    assert_ne!(mails[0].message_id(), mails[1].message_id());
    let shown = post.zoe(&["show", idle]);
    assert!(shown.contains("cancelled by zoe: not used for "), "{shown}");
    assert!(shown.contains("idle-warned"), "{shown}");
    let history = post.place.history();
    let row = history
        .iter()
        .find(|row| row["id"] == idle.as_str())
        .unwrap();
    assert_eq!(
        (&row["state"], &row["exit_code"]),
        (&"cancelled".into(), &143.into())
    );
    // They have been there for longer than it was.
    for id in [busy, unreadable, kept, never] {
        assert!(post.about(id).is_empty(), "{id}");
        assert_eq!(watch.said("idle", id) + watch.said("ended", id), 0, "{id}");
    }
    assert_eq!(activity(post, busy)["state"], "used");
    assert_eq!(activity(post, never), Value::Null);
    let used = activity(post, unreadable);
    assert_eq!(used["state"], "unreadable");
    assert_eq!(used["signs"][0]["text"], "it answered 404", "{used}");
    let used = activity(post, kept);
    assert_eq!(used["state"], "idle");
    // It would be warned first.
    assert!(
        used["ends_at"].as_str() > used["kept_until"].as_str(),
        "{used}"
    );
    // Nobody wants it kept any more: it is warned, too.
    post.zoe(&["keep", "kept", "off"]);
    until("it is warned", || watch.said("idle", kept) == 1);
    // It is used again, and goes on.
    let kernels = post.place.path("out").join("kept/api/kernels");
    let text = std::fs::read_to_string(&kernels).unwrap();
    std::fs::write(&kernels, text.replace("\"idle\"", "\"busy\"")).unwrap();
    until("it is in use", || activity(post, kept)["state"] == "used");
    assert_eq!(post.place.ps().len(), 4);
    drop(watch);
    post.zoe(&["kill", "--all", "-y"]);
    post.place.until_nothing_is_left();
}
