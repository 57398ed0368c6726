//! Nodes that are lost or cut off: what can't be read is said, soon, and the rest is read.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use zoe::engine::{Backend, EngineError, LogRange};

use crate::site::{NODE_URL, Site, read};
use crate::{FOLLOW, watchful};

const SCRIPT: &str = "echo begun; sleep 300";
/// More than zoe waits on a busy machine, and less than a connection to nobody takes to fail by itself.
const SOON: Duration = Duration::from_mins(1);

fn is_out_of_reach(error: Option<&EngineError>) -> bool {
    matches!(error, Some(EngineError::OutOfReach { node, .. }) if node == "n2")
}

#[tokio::test]
async fn nobody_waits_for_a_node_that_is_cut_off() {
    let lab = watchful();
    let site = Site::new(&lab);
    let (here, there) = (site.member("n1", SCRIPT), site.member("n2", SCRIPT));
    site.until_state(&here, "Running");
    site.until_state(&there, "Running");
    lab.cut("n2");
    // The Swarm has not noticed yet.
    for (way, backend) in site.backends() {
        let begun = Instant::now();
        let (_, trouble) = read(&backend, &there, LogRange::default()).await;
        assert!(is_out_of_reach(trouble.as_ref()), "{way}: {trouble:?}");
        assert!(begun.elapsed() < SOON, "{way}: {:?}", begun.elapsed());
        let (chunks, trouble) = read(&backend, &here, LogRange::default()).await;
        assert!(chunks.len() == 1 && trouble.is_none(), "{way}: {trouble:?}");
    }
    let backend = site.backend(Some(NODE_URL));
    let begun = Instant::now();
    assert!(is_out_of_reach(backend.usage(&there).await.as_ref().err()));
    let uses = backend.nodes_use().await.unwrap();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    for one in uses {
        assert_eq!(one.used.is_ok(), one.node != "n2", "{one:?}");
    }
}

#[tokio::test]
async fn a_log_that_is_followed_ends_when_its_node_is_lost() {
    let lab = watchful();
    let site = Site::new(&lab);
    for (way, backend) in site.backends() {
        let key = site.member("n2", SCRIPT);
        site.until_state(&key, "Running");
        let mut chunks = backend.logs(&key, FOLLOW).await.unwrap();
        let first = chunks.next().await.unwrap().unwrap();
        assert_eq!(&first.bytes[..], b"begun\n", "{way}");
        lab.kill("n2");
        let next = tokio::time::timeout(Duration::from_mins(3), chunks.next()).await;
        match next.expect("it ends") {
            Some(Err(error)) => assert!(
                matches!(
                    error,
                    EngineError::OutOfReach { .. } | EngineError::Unreachable { .. }
                ),
                "{way}: {error}"
            ),
            other => panic!("{way}: {other:?}"),
        }
        let begun = Instant::now();
        crate::until("the Swarm notices", || {
            lab.docker("n1", &["node", "inspect", "-f", "{{.Status.State}}", "n2"]) == "down"
        });
        let (_, trouble) = read(&backend, &key, LogRange::default()).await;
        assert!(is_out_of_reach(trouble.as_ref()), "{way}: {trouble:?}");
        assert!(begun.elapsed() < Duration::from_mins(2));
        lab.heal("n2");
    }
}
