//! What is seen of members on a Swarm's nodes: logs, use, commands; with a way to the nodes' Engines and without one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "it is a test, helpers included"
)]

use std::time::{Duration, Instant};

mod commands;
#[path = "../common/mod.rs"]
mod common;
#[path = "../lab/mod.rs"]
mod lab;
mod silent;
mod site;

use futures_util::StreamExt;
use lab::Lab;
use site::{NODE_URL, Site, read, text};
use zoe::engine::{Backend, EngineError, ExecRequest, LogRange, Output};

/// Waits until it is so, for three minutes at the most.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_mins(3);
    while !is_so() {
        assert!(Instant::now() < patience, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The lab for a test that loses nodes: its Swarm notices after three heartbeats of five seconds.
fn watchful() -> Lab {
    let lab = Lab::alone();
    lab.docker("n1", &["swarm", "update", "--dispatcher-heartbeat", "5s"]);
    lab
}

const FOLLOW: LogRange = LogRange {
    follow: true,
    since: None,
    tail: None,
};

#[tokio::test]
async fn a_log_that_is_over_is_the_same_whichever_way_it_comes() {
    let lab = Lab::get();
    let site = Site::new(&lab);
    let script =
        "echo one; echo two >&2; head -c 40000 /dev/zero | tr '\\0' x; echo; printf end; exit 3";
    for node in ["n1", "n2"] {
        let key = site.member(node, script);
        site.until_state(&key, "Failed");
        let [(_, direct), (_, manager)] = site.backends();
        let (all, trouble) = read(&direct, &key, LogRange::default()).await;
        assert!(trouble.is_none(), "{trouble:?}");
        assert_eq!(read(&manager, &key, LogRange::default()).await.0, all);
        let shown = text(&all);
        assert!(shown.contains("one\n") && shown.ends_with("end"), "{shown}");
        assert_eq!(shown.len(), "one\ntwo\n\nend".len() + 40000);
        assert!(all.iter().any(|chunk| chunk.output == Output::Stderr));
        let last = all.last().unwrap();
        let tail = LogRange {
            tail: Some(1),
            ..LogRange::default()
        };
        let since = LogRange {
            since: Some(last.at),
            ..LogRange::default()
        };
        for (way, backend) in [("direct", &direct), ("manager", &manager)] {
            for range in [tail, since] {
                let (some, trouble) = read(backend, &key, range).await;
                assert!(trouble.is_none(), "{way}: {trouble:?}");
                assert_eq!(some.last(), Some(last), "{way} {range:?}");
                assert!(some.len() < all.len(), "{way} {range:?}");
            }
            // Following what is over ends, too.
            assert_eq!(read(backend, &key, FOLLOW).await.0, all, "{way}");
        }
    }
}

#[tokio::test]
async fn following_ends_with_the_task_and_misses_nothing() {
    let lab = Lab::get();
    let site = Site::new(&lab);
    for (way, backend) in site.backends() {
        let script = "i=0; while [ $i -lt 20 ]; do echo line $i; i=$((i+1)); sleep 0.1; done; echo last words; exit 7";
        let key = site.member("n2", script);
        until("it is on its node", || {
            !site.task(&key, "{{.Node}}").is_empty()
        });
        site.until_state(&key, "Running");
        let followed = tokio::time::timeout(Duration::from_mins(2), read(&backend, &key, FOLLOW));
        let (chunks, trouble) = followed.await.expect("following ends");
        assert!(trouble.is_none(), "{way}: {trouble:?}");
        let lines: Vec<String> = (0..20).map(|i| format!("line {i}\n")).collect();
        let expected = lines.concat();
        assert_eq!(text(&chunks), expected + "last words\n", "{way}");
    }
}

#[tokio::test]
async fn what_a_node_uses_counts_what_is_not_zoes() {
    let lab = Lab::get();
    let site = Site::new(&lab);
    let key = site.member("n3", "sleep 300");
    site.until_state(&key, "Running");
    let stranger = lab.docker(
        "n2",
        &[
            "run",
            "-d",
            "--rm",
            &site.image,
            "sh",
            "-c",
            "while :; do :; done",
        ],
    );
    let [(_, direct), (_, manager)] = site.backends();
    let known = direct.nodes_use().await;
    let unknown = manager.nodes_use().await.unwrap();
    lab.docker("n2", &["rm", "-f", &stranger]);
    let known = known.unwrap();
    let used = |node: &str| {
        let one = known.iter().find(|one| one.node == node).unwrap();
        one.used.clone().unwrap()
    };
    assert_eq!(known.len(), 3);
    assert!(used("n2").cores.millis() > 100, "{known:?}");
    assert!(used("n3").memory.get() > 0, "{known:?}");
    for one in &unknown {
        match one.node.as_str() {
            "n1" => assert!(one.used.is_ok(), "{one:?}"),
            _ => assert!(
                one.used.as_ref().is_err_and(|why| why.contains("node_url")),
                "{one:?}"
            ),
        }
    }
    let usage = direct.usage(&key).await.unwrap();
    assert!(usage.memory.get() > 0 && usage.processes > 0, "{usage:?}");
    assert!(matches!(
        manager.usage(&key).await,
        Err(EngineError::OutOfReach { node, .. }) if node == "n3"
    ));
}

#[tokio::test]
async fn a_command_runs_where_the_member_is() {
    let lab = Lab::get();
    let site = Site::new(&lab);
    let request = ExecRequest {
        command: ["sh", "-c", "hostname; echo wrong >&2; exit 9"]
            .map(str::to_owned)
            .into(),
        terminal: None,
        input: false,
    };
    for node in ["n1", "n2"] {
        let key = site.member(node, "sleep 300");
        site.until_state(&key, "Running");
        let [(_, direct), (_, manager)] = site.backends();
        let container = lab.docker(
            node,
            &[
                "ps",
                "-q",
                "--no-trunc",
                "--filter",
                &format!("label=zoe.execution={}", key.execution),
            ],
        );
        let session = direct.exec(&key, &request).await.unwrap();
        let pieces: Vec<_> = session.output.map(Result::unwrap).collect().await;
        let said: Vec<u8> = pieces
            .iter()
            .flat_map(|(_, bytes)| bytes.to_vec())
            .collect();
        let said = String::from_utf8(said).unwrap();
        assert!(
            said.contains(&container[..12]) && said.contains("wrong"),
            "{said}"
        );
        assert_eq!(direct.exec_exit_code(&session.id).await.unwrap(), 9);
        match (node, manager.exec(&key, &request).await) {
            ("n1", Ok(_)) => {}
            (
                "n2",
                Err(EngineError::OutOfReach {
                    node,
                    container: named,
                    why,
                }),
            ) => {
                assert_eq!((node.as_str(), &named), ("n2", &container));
                assert!(why.contains("node_url"), "{why}");
            }
            (node, other) => panic!("{node}: {:?}", other.map(|session| session.id)),
        }
    }
}

#[tokio::test]
async fn an_engine_of_another_node_is_not_taken_for_this_ones() {
    let lab = Lab::get();
    let site = Site::new(&lab);
    let key = site.member("n2", "sleep 300");
    site.until_state(&key, "Running");
    // The template must name the node; a wrong one can still lead to another.
    let wrong = NODE_URL.replace("{address}", &lab.node("n3").address);
    let error = site.backend(Some(&wrong)).usage(&key).await.unwrap_err();
    assert!(
        matches!(&error, EngineError::OutOfReach { why, .. } if why.contains("another Engine")),
        "{error}"
    );
}
