//! A life that is cut short at each of its steps in turn: what is left can be seen, gone on with and removed.
//!
//! On the memory backend, where all steps can be tried in a moment. One way the step is refused or its answer is lost,
//! the other way the process that does it is killed.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use jiff::SignedDuration;
use zoe::engine::gate::{Gate, VARIABLE};
use zoe::engine::memory::MemoryBackend;
use zoe::engine::{Backend, EngineError, Submitted};
use zoe::model::{Mark, Ticket};

use crate::harness::{
    BackendUnderTest, Do, clear, component, everything, execution, files, private, ticket,
};
use crate::memory::Memory;

/// Where the child finds its world.
const WORLD: &str = "ZOE_TEST_WORLD";

fn whole(harness: &dyn BackendUnderTest) -> Ticket {
    let mut main = component(harness, "main", &Do::Exit(0));
    main.files = Some("/job".to_owned());
    main.secrets.push("auth".to_owned());
    let mut worker = component(harness, "worker", &Do::Run);
    worker.core = 2;
    ticket(harness, vec![main, worker])
}

/// From the files to nothing.
async fn live(
    backend: &dyn Backend,
    harness: &dyn BackendUnderTest,
    mut ticket: Ticket,
) -> Result<(), EngineError> {
    ticket.job_image = Some(backend.ensure_files(&files(harness, &[("a", "b")])).await?);
    let private = private(&ticket);
    let made = backend.submit(&ticket, &private).await?;
    assert_eq!(made, Submitted::Created);
    let launch = zoe::apps::expand(&ticket, &private, &[].into()).unwrap();
    backend.start(&launch).await?;
    let found = execution(backend, ticket.id).await;
    backend.mark(&found, Mark::Ending).await?;
    backend.stop(&found, SignedDuration::ZERO).await?;
    backend.remove(&found).await?;
    backend.remove_ticket(&found).await?;
    for image in everything(backend).await.job_images {
        backend.remove_job_image(&image).await?;
    }
    Ok(())
}

/// Goes on where a life was cut short, as any later invocation would, and leaves nothing.
async fn go_on(backend: &dyn Backend) {
    let seen = everything(backend).await;
    assert_eq!(seen.anomalies, []);
    for orphan in &seen.orphans {
        backend.sweep(orphan).await.unwrap();
    }
    for found in seen.executions.values() {
        if found.mark.is_none() {
            let private = backend.private(found.ticket.id).await.unwrap();
            let launch = zoe::apps::expand(&found.ticket, &private, &[].into()).unwrap();
            backend.start(&launch).await.unwrap();
            let started = execution(backend, found.ticket.id).await;
            assert_eq!(started.instances.len(), 3);
            assert!(
                started
                    .instances
                    .iter()
                    .all(zoe::model::Instance::was_started)
            );
            backend.mark(found, Mark::Ending).await.unwrap();
        }
        clear(backend, found).await;
    }
    for image in &seen.job_images {
        backend.remove_job_image(image).await.unwrap();
    }
}

#[tokio::test]
async fn a_step_that_fails_or_whose_answer_is_lost() {
    for trap in ["fail", "lost"] {
        let mut steps = 0;
        loop {
            steps += 1;
            let harness = Memory::in_process();
            let gate = Gate::parse(&format!("{trap}:{steps}")).unwrap();
            let gated = harness.memory().with_gate(gate);
            let outcome = live(&gated, &harness, whole(&harness)).await;
            go_on(&*harness.backend()).await;
            assert_eq!(harness.raw(gated.deployment()), [], "{trap}:{steps}");
            if outcome.is_ok() {
                break;
            }
        }
        // Four for the image, one ticket, network, three instances (one with a secret), and all of it back.
        assert!(steps > 20, "{steps}");
    }
}

#[tokio::test]
async fn a_process_that_is_killed() {
    for step in 1.. {
        let harness = Memory::in_a_file();
        let path = harness.path().unwrap();
        let count = path.with_extension("calls");
        let child = |gate: String| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "interrupted::a_life_in_a_child"])
                .env(WORLD, &path)
                .env(
                    "ZOE_TEST_DEPLOYMENT",
                    harness.backend().deployment().as_str(),
                )
                .env(VARIABLE, gate)
                .output()
                .unwrap()
        };
        let output = child(format!("kill:{step}"));
        let killed = output.status.signal() == Some(9);
        assert!(killed || output.status.success(), "{output:?}");
        go_on(&*harness.backend()).await;
        assert_eq!(
            harness.raw(harness.backend().deployment()),
            [],
            "kill:{step}"
        );
        if !killed {
            // The counting gate counts the same steps.
            child(format!("count:{}", count.display()));
            let calls = std::fs::read_to_string(&count).unwrap();
            let effects = calls.lines().filter(|line| line.starts_with("effect "));
            assert_eq!(effects.count(), step - 1);
            return;
        }
    }
}

/// Run by the test above in a process of its own; alone it does nothing.
#[tokio::test]
async fn a_life_in_a_child() {
    let (Ok(path), Ok(deployment)) = (std::env::var(WORLD), std::env::var("ZOE_TEST_DEPLOYMENT"))
    else {
        return;
    };
    let gate = Gate::from_env(&|name| std::env::var(name).ok()).unwrap();
    let backend = MemoryBackend::open(Path::new(&path), deployment.parse().unwrap(), gate).unwrap();
    let harness = Memory::around(backend.clone());
    live(&backend, &harness, whole(&harness)).await.unwrap();
}
