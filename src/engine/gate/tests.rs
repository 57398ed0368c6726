use super::*;

#[test]
fn without_the_variable_everything_passes() {
    let gate = Gate::from_env(&|_| None).unwrap();
    for _ in 0..5 {
        gate.pass("create", true).unwrap();
        gate.enter("create", true).unwrap().done().unwrap();
    }
}

#[test]
fn a_failing_gate_refuses_the_named_effect_only() {
    let gate = Gate::parse("fail:2").unwrap();
    let clone = gate.clone();
    gate.pass("create", true).unwrap();
    gate.pass("list", false).unwrap();
    let error = clone.pass("start", true).unwrap_err();
    assert!(
        matches!(&error, GateError::Refused { call, number: 2 } if call == "start"),
        "{error}"
    );
    assert!(matches!(
        EngineError::from(error),
        EngineError::Refused { .. }
    ));
    gate.pass("start", true).unwrap();
}

#[test]
fn a_lost_answer_is_noticed_after_the_call() {
    let gate = Gate::parse("lost:1").unwrap();
    gate.enter("list", false).unwrap().done().unwrap();
    let passage = gate.enter("create", true).unwrap();
    assert!(matches!(
        passage.done(),
        Err(GateError::Lost { number: 1, .. })
    ));
    gate.enter("create", true).unwrap().done().unwrap();
}

#[test]
fn a_shut_latch_lets_nothing_in_and_concludes_nothing() {
    let latch = Latch::default();
    let gate = Gate::open().with_latch(latch.clone());
    let under_way = gate.enter("create", true).unwrap();
    latch.shut();
    under_way.done().unwrap();
    let error = gate.clone().enter("list", false).unwrap_err();
    assert!(matches!(error, GateError::Shut { .. }), "{error}");
    let error = EngineError::from(error);
    assert!(matches!(error, EngineError::Unreachable { .. }), "{error}");
}

#[test]
fn calls_are_counted_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("calls");
    let gate =
        Gate::from_env(&|name| (name == VARIABLE).then(|| format!("count:{}", path.display())))
            .unwrap();
    gate.pass("list containers", false).unwrap();
    gate.pass("create network", true).unwrap();
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        "read list containers\neffect create network\n"
    );
}

#[test]
fn a_held_call_goes_on_when_the_file_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("held");
    let gate = Gate::parse(&format!("hold:2:{}", path.display())).unwrap();
    gate.pass("list", false).unwrap();
    std::thread::scope(|scope| {
        let held = scope.spawn(|| gate.pass("create", true));
        while !path.exists() {
            std::thread::yield_now();
        }
        assert!(!held.is_finished());
        std::fs::remove_file(&path).unwrap();
        held.join().unwrap().unwrap();
    });
    gate.pass("start", true).unwrap();
    assert!(!path.exists());
}

#[test]
fn nonsense_is_refused() {
    for text in [
        "hold:1", "hold:x:f", "kill", "kill:", "kill:0", "kill:x", "count:", "stop:3", ":",
    ] {
        assert!(
            matches!(Gate::parse(text), Err(GateError::Setting(_))),
            "{text}"
        );
    }
}

/// Runs this test binary again as a child that dies: a test can't survive its own SIGKILL.
#[test]
fn a_killing_gate_ends_the_process_at_the_call() {
    use std::os::unix::process::ExitStatusExt;
    const CHILD: &str = "ZOE_GATE_CHILD";
    if let Ok(path) = std::env::var(CHILD) {
        let gate = Gate::parse("kill:2").unwrap();
        gate.pass("list", false).unwrap();
        gate.pass("create", true).unwrap();
        std::fs::write(&path, "one").unwrap();
        let _ = gate.pass("start", true);
        std::fs::write(&path, "two").unwrap();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("done");
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "engine::gate::tests::a_killing_gate_ends_the_process_at_the_call",
        ])
        .env(CHILD, &path)
        .status()
        .unwrap();
    assert_eq!(status.signal(), Some(9));
    assert_eq!(std::fs::read_to_string(path).unwrap(), "one");
}

#[tokio::test]
async fn what_is_done_under_a_permit_changes_nothing_once_that_has_lapsed() {
    let gate = Gate::open();
    let holds = Arc::new(AtomicBool::new(true));
    let permit = Arc::clone(&holds);
    let work = async {
        gate.enter("a", true).unwrap().done().unwrap();
        holds.store(false, Ordering::SeqCst);
        gate.enter("b", false).unwrap().done().unwrap();
        assert!(gate.pass("c", false).is_ok());
        let error = EngineError::from(gate.enter("d", true).unwrap_err());
        assert!(matches!(error, EngineError::Withheld { .. }), "{error}");
        gate.pass("e", true).unwrap_err()
    };
    under(Arc::new(move || permit.load(Ordering::SeqCst)), work).await;
    assert!(gate.pass("f", true).is_ok());
}
