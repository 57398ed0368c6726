//! Single members: their end, their logs, what is inside.

use std::time::Duration;

use futures_util::StreamExt;
use jiff::SignedDuration;
use zoe::engine::{EngineError, ExecRequest, LogRange, Output};
use zoe::model::{InstanceState, Phase, Private, Secret};

use crate::harness::{
    BackendUnderTest, Do, component, execution, log, member, run, simple, submit, ticket,
};

pub async fn exit_codes_are_told(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    for code in [0, 3, 255] {
        let ticket = simple(harness, &Do::Exit(code));
        run(&*backend, &ticket).await;
        let key = member(&ticket, "main");
        assert_eq!(backend.wait(&key).await.unwrap(), code);
        assert_eq!(backend.wait(&key).await.unwrap(), code);
        let found = execution(&*backend, ticket.id).await;
        assert_eq!(found.instances[0].state, InstanceState::Exited { code });
        assert!(matches!(found.phase(), Phase::Ending(_)));
        assert!(
            found.instances[0].finished_at.is_some(),
            "a decisive exit carries its time"
        );
        let close = &backend.inspect(&found).await.unwrap().instances[0];
        assert!(close.finished_at.unwrap() >= close.started_at.unwrap());
    }
}

pub async fn logs_outlive_the_instance(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let ticket = simple(harness, &Do::Print("Grüße, Welt"));
    run(&*backend, &ticket).await;
    let key = member(&ticket, "main");
    backend.wait(&key).await.unwrap();
    let all = log(&*backend, &key, LogRange::default()).await;
    assert_eq!(all, ("Grüße, Welt\n".to_owned(), String::new()));
    for (range, expected) in [
        (
            LogRange {
                tail: Some(0),
                ..LogRange::default()
            },
            "",
        ),
        (
            LogRange {
                tail: Some(5),
                ..LogRange::default()
            },
            "Grüße, Welt\n",
        ),
        (
            LogRange {
                since: Some(jiff::Timestamp::now()),
                ..LogRange::default()
            },
            "",
        ),
        (
            LogRange {
                follow: true,
                ..LogRange::default()
            },
            "Grüße, Welt\n",
        ),
    ] {
        let (out, _) = log(&*backend, &key, range).await;
        assert_eq!(out, expected, "{range:?}");
    }
}

pub async fn a_log_is_followed_until_the_end(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let ticket = simple(harness, &Do::PrintAndRun("out", "err"));
    let found = run(&*backend, &ticket).await;
    let key = member(&ticket, "main");
    let range = LogRange {
        follow: true,
        ..LogRange::default()
    };
    let mut stream = backend.logs(&key, range).await.unwrap();
    let mut lines = Vec::new();
    while lines.len() < 2 {
        let chunk = stream.next().await.unwrap().unwrap();
        lines.push((
            chunk.output,
            String::from_utf8(chunk.bytes.to_vec()).unwrap(),
        ));
    }
    lines.sort();
    assert_eq!(
        lines,
        [
            (Output::Stdout, "out\n".to_owned()),
            (Output::Stderr, "err\n".to_owned())
        ]
    );
    // It runs on, so there is no end yet.
    let more = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
    assert!(more.is_err());
    backend
        .stop(&found, SignedDuration::from_secs(5))
        .await
        .unwrap();
    assert!(stream.next().await.is_none());
}

pub async fn environment_and_secrets_arrive(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let mut main = component(harness, "main", &Do::Env("WHO"));
    main.env.insert(
        "WHO".to_owned(),
        "${execution.user} = ${self.host}-${self.index}".to_owned(),
    );
    let mut side = component(harness, "side", &Do::File("/run/secrets/auth"));
    side.secrets.push("auth".to_owned());
    let mut nosy = component(harness, "nosy", &Do::Env("auth"));
    nosy.core = 1;
    let ticket = ticket(harness, vec![main, side, nosy]);
    run(&*backend, &ticket).await;
    for (component, expected) in [
        ("main", "ada = main-0\n"),
        ("side", "the auth\n"),
        ("nosy", "\n"),
    ] {
        let key = member(&ticket, component);
        backend.wait(&key).await.unwrap();
        let (out, err) = log(&*backend, &key, LogRange::default()).await;
        assert_eq!(out.trim_end(), expected.trim_end(), "{component}: {err}");
    }

    // The user's own variables come from the ticket.
    let ticket = simple(harness, &Do::Env("MINE"));
    let private = Private {
        env: [("MINE".to_owned(), Secret::new("my \"own\""))].into(),
        ..Private::default()
    };
    backend.submit(&ticket, &private).await.unwrap();
    let private = backend.private(ticket.id).await.unwrap();
    let launch = zoe::apps::expand(&ticket, &private, &[].into()).unwrap();
    backend.start(&launch).await.unwrap();
    let key = member(&ticket, "main");
    backend.wait(&key).await.unwrap();
    assert_eq!(
        log(&*backend, &key, LogRange::default()).await.0,
        "my \"own\"\n"
    );
}

pub async fn stopping_ends_what_runs_and_keeps_its_log(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let main = component(harness, "main", &Do::PrintAndRun("hello", "there"));
    let ticket = ticket(
        harness,
        vec![main, component(harness, "done", &Do::Exit(7))],
    );
    let found = run(&*backend, &ticket).await;
    assert_eq!(backend.wait(&member(&ticket, "done")).await.unwrap(), 7);
    let key = member(&ticket, "main");
    // Stopped before it could write, it would leave an empty log.
    let follow = LogRange {
        follow: true,
        ..LogRange::default()
    };
    let mut stream = backend.logs(&key, follow).await.unwrap();
    stream.next().await.unwrap().unwrap();
    for _ in 0..2 {
        backend
            .stop(&found, SignedDuration::from_secs(5))
            .await
            .unwrap();
        let code = backend.wait(&key).await.unwrap();
        assert!(code == 143 || code == 137, "{code}");
        assert_eq!(backend.wait(&member(&ticket, "done")).await.unwrap(), 7);
        let (out, _) = log(&*backend, &key, LogRange::default()).await;
        assert_eq!(out, "hello\n");
    }
    let queued = submit(&*backend, &simple(harness, &Do::Run)).await;
    backend.stop(&queued, SignedDuration::ZERO).await.unwrap();
}

pub async fn what_is_not_there_is_gone(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let ticket = simple(harness, &Do::Run);
    submit(&*backend, &ticket).await;
    let key = member(&ticket, "main");
    let request = ExecRequest {
        command: harness.command(&Do::Exit(0)),
        terminal: None,
        input: false,
    };
    let errors = [
        backend.wait(&key).await.err(),
        backend.logs(&key, LogRange::default()).await.err(),
        backend.usage(&key).await.err(),
        backend.exec(&key, &request).await.err(),
    ];
    for error in errors {
        assert!(matches!(error, Some(EngineError::Gone { .. })), "{error:?}");
    }
}

pub async fn a_command_runs_inside(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let ticket = simple(harness, &Do::Run);
    run(&*backend, &ticket).await;
    let key = member(&ticket, "main");
    for (what, expected, code) in [(Do::Print("inside"), "inside\n", 0), (Do::Exit(9), "", 9)] {
        let request = ExecRequest {
            command: harness.command(&what),
            terminal: None,
            input: false,
        };
        let mut session = backend.exec(&key, &request).await.unwrap();
        let mut out = Vec::new();
        while let Some(chunk) = session.output.next().await {
            let (output, bytes) = chunk.unwrap();
            assert_eq!(output, Output::Stdout);
            out.extend_from_slice(&bytes);
        }
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert_eq!(backend.exec_exit_code(&session.id).await.unwrap(), code);
    }
}

pub async fn usage_knows_the_limit(harness: &dyn BackendUnderTest) {
    let backend = harness.backend();
    let ticket = simple(harness, &Do::Run);
    run(&*backend, &ticket).await;
    let usage = backend.usage(&member(&ticket, "main")).await.unwrap();
    assert_eq!(
        usage.memory_limit,
        ticket.application.components[0].reservation().memory
    );
    assert!(usage.memory <= usage.memory_limit);
    assert!(!usage.cpu_time.is_negative());
}
