//! What containers write and use, and commands inside them.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use tokio::io::AsyncWriteExt;
use zoe::engine::{Backend, EngineError, ExecRequest, LogChunk, LogRange, Output};
use zoe::model::InstanceKey;

use crate::support::{Site, key};

async fn log(site: &Site, key: &InstanceKey, range: LogRange) -> Vec<LogChunk> {
    let stream = site.docker.logs(key, range).await.unwrap();
    stream.try_collect().await.unwrap()
}

fn bytes(chunks: &[LogChunk], output: Output) -> Vec<u8> {
    let of = chunks.iter().filter(|chunk| chunk.output == output);
    of.flat_map(|chunk| chunk.bytes.to_vec()).collect()
}

/// Docker's usual log driver keeps text: bytes that are not UTF-8 are replaced before anybody can read them.
#[tokio::test]
async fn every_byte_of_a_log_is_kept() {
    let site = Site::new().await;
    let script = "echo one; echo wrong >&2; printf 'a\\001\\303\\244\\r\\n\\n'; \
                  head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'no newline'";
    let (_, key) = site.finished(script).await;
    let chunks = log(&site, &key, LogRange::default()).await;
    let mut expected = "one\na\u{1}\u{e4}\r\n\n".as_bytes().to_vec();
    expected.resize(expected.len() + 40000, b'x');
    expected.extend(b"\nno newline");
    assert_eq!(bytes(&chunks, Output::Stdout), expected);
    assert_eq!(bytes(&chunks, Output::Stderr), b"wrong\n");
    assert!(
        chunks
            .windows(2)
            .all(|pair| pair[0].at <= pair[1].at || pair[0].output != pair[1].output)
    );
}

#[tokio::test]
async fn a_part_of_a_log_can_be_asked_for() {
    let site = Site::new().await;
    let (_, key) = site
        .finished("echo 1; sleep 0.1; echo 2; sleep 0.1; echo 3")
        .await;
    let all = log(&site, &key, LogRange::default()).await;
    let [_, second, third] = &all[..] else {
        panic!("{all:?}");
    };
    let tail = LogRange {
        tail: Some(1),
        ..LogRange::default()
    };
    assert_eq!(log(&site, &key, tail).await, std::slice::from_ref(third));
    let since = LogRange {
        since: Some(second.at),
        ..LogRange::default()
    };
    assert_eq!(
        log(&site, &key, since).await,
        [second.clone(), third.clone()]
    );
}

#[tokio::test]
async fn a_log_is_followed_to_its_end() {
    let site = Site::new().await;
    let ticket = site
        .run(&[(
            "main",
            1,
            "echo begin; cat /proc/1/none; sleep 0.5; echo end",
        )])
        .await;
    let range = LogRange {
        follow: true,
        ..LogRange::default()
    };
    let key_of_main = key(&ticket, "main", 0);
    let following = log(&site, &key_of_main, range);
    let chunks = tokio::time::timeout(Duration::from_mins(2), following)
        .await
        .unwrap();
    assert_eq!(bytes(&chunks, Output::Stdout), b"begin\nend\n");
    let gone = site.docker.logs(&key(&ticket, "main", 9), range).await;
    assert!(matches!(gone.err(), Some(EngineError::Gone { .. })));
}

async fn exec(
    site: &Site,
    key: &InstanceKey,
    command: &[&str],
    terminal: Option<(u16, u16)>,
    input: Option<&[u8]>,
) -> (String, String, i64) {
    let request = ExecRequest {
        command: command.iter().map(|&word| word.to_owned()).collect(),
        terminal,
        input: input.is_some(),
    };
    let mut session = site.docker.exec(key, &request).await.unwrap();
    if let Some(input) = input {
        session.input.write_all(input).await.unwrap();
        session.input.shutdown().await.unwrap();
    }
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(piece) = session.output.next().await {
        match piece.unwrap() {
            (Output::Stdout, bytes) => out.extend(bytes),
            (Output::Stderr, bytes) => err.extend(bytes),
        }
    }
    let code = site.docker.exec_exit_code(&session.id).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(out), text(err), code)
}

#[tokio::test]
async fn commands_run_inside_an_instance() {
    let site = Site::new().await;
    let ticket = site.run(&[("main", 1, "sleep 100")]).await;
    let key = key(&ticket, "main", 0);

    let plain = exec(
        &site,
        &key,
        &["sh", "-c", "echo out; echo err >&2; exit 3"],
        None,
        None,
    )
    .await;
    assert_eq!(plain, ("out\n".to_owned(), "err\n".to_owned(), 3));
    let fed = exec(&site, &key, &["cat"], None, Some(b"a\0b\n")).await;
    assert_eq!(fed, ("a\0b\n".to_owned(), String::new(), 0));
    let sized = exec(
        &site,
        &key,
        &["sh", "-c", "sleep 0.3; stty size; printf '\\001\\002'"],
        Some((132, 43)),
        None,
    )
    .await;
    assert_eq!(sized, ("43 132\r\n\u{1}\u{2}".to_owned(), String::new(), 0));
    let missing = exec(&site, &key, &["/no/such/program"], None, None).await;
    assert!(matches!(missing.2, 126 | 127), "{missing:?}");
}

#[tokio::test]
async fn usage_is_read_quickly() {
    let site = Site::new().await;
    let ticket = site
        .run(&[(
            "main",
            1,
            "head -c 10000000 /dev/zero | cat > /dev/null; sleep 100",
        )])
        .await;
    let key = key(&ticket, "main", 0);
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let begin = std::time::Instant::now();
        site.docker.usage(&key).await.unwrap();
        fastest = fastest.min(begin.elapsed());
    }
    // The Engine waits a second between two.
    assert!(fastest < Duration::from_secs(1), "two readings, not one");
    let usage = site.docker.usage(&key).await.unwrap();
    assert_eq!(usage.memory_limit.mib(), 32);
    assert!(usage.memory <= usage.memory_limit);
    assert!(usage.processes > 0);
}
