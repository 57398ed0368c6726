//! Every call of every story, over a Docker that is a file.

use serde_json::Value;

use crate::scene::{Calls, Scene, assert_one_sentence};
use crate::stories::{Program, STORIES, Story};

/// One test for each story and what is done to it, so that they run beside each other.
macro_rules! each_story {
    ($($name:ident = $index:literal),* $(,)?) => {
        mod killed {
            $(#[test] fn $name() { super::killed_everywhere(&super::STORIES[$index]); })*
        }
        mod refused {
            $(#[test] fn $name() { super::spoiled_everywhere(&super::STORIES[$index], "fail"); })*
        }
        mod unanswered {
            $(#[test] fn $name() { super::spoiled_everywhere(&super::STORIES[$index], "lost"); })*
        }
        #[test]
        fn no_story_is_left_out() {
            assert_eq!([$($index),*].len(), STORIES.len());
        }
    };
}

each_story! {
    submit_with_files = 0,
    run_with_a_key = 1,
    run_with_a_name = 2,
    run_to_its_end = 3,
    kill = 4,
    kill_with_files = 5,
    wait_for_the_end = 6,
    rm = 7,
}

/// What the story does when nobody disturbs it: what came before, and its own calls.
#[track_caller]
fn undisturbed(story: &Story) -> Calls {
    let scene = Scene::memory();
    story.begin(&scene);
    let (ran, calls) = scene.counted(story.command);
    assert!(
        [0, 7].contains(&ran.code),
        "{}: {} {}",
        story.name,
        ran.code,
        ran.stderr
    );
    calls
}

fn killed_everywhere(story: &Story) {
    let calls = undisturbed(story);
    assert!(calls.len() >= 5, "{}: {calls:?}", story.name);
    println!(
        "{}: killed before each of {} calls",
        story.name,
        calls.len()
    );
    for n in 1..=calls.len() {
        let about = format!("{} killed before call {n}, '{}'", story.name, calls[n - 1]);
        ended_by_the_next(story, &calls, n, &about);
        carried_on_by_the_next(story, &calls, n, &about);
    }
}

/// Dies at the n-th of the story's calls; returns all that was done before.
#[track_caller]
fn die(scene: &Scene, story: &Story, calls: &Calls, n: usize, about: &str) -> Calls {
    let mut done = story.begin(scene);
    let ran = scene.gated(&format!("kill:{n}"), story.command);
    assert_eq!(
        ran.signal,
        Some(9),
        "{about}: exit code {} {}",
        ran.code,
        ran.stderr
    );
    scene.stretch_lease();
    // They are the same each time, but for the ids in them.
    done.extend_from_slice(&calls[..n - 1]);
    done
}

fn has(calls: &Calls, call: &str) -> bool {
    count(calls, call) > 0
}

fn count(calls: &Calls, call: &str) -> usize {
    calls.iter().filter(|done| done.starts_with(call)).count()
}

/// How often the job's program was started.
fn program_starts(calls: &Calls) -> usize {
    calls
        .iter()
        .filter(|done| done.starts_with("start container") && done.ends_with("-driver-0"))
        .count()
}

/// Asserts that `ps` shows what was done, no more and no less.
#[track_caller]
fn assert_truth(scene: &Scene, done: &Calls, about: &str) -> Option<String> {
    let listed = scene.ps();
    let exists = has(done, "create ticket") && !has(done, "remove ticket");
    assert_eq!(listed.len(), usize::from(exists), "{about}: {listed:#?}");
    let one = listed.first()?;
    let (created, started) = (
        count(done, "create container"),
        count(done, "start container"),
    );
    let wanted: u64 = components(one)
        .map(|component| component["wanted"].as_u64().unwrap())
        .sum();
    let may_be: &[&str] = if has(done, "rename ticket") {
        &["ending"]
    } else if created == 0 {
        &["queued"]
    } else if started as u64 == wanted {
        // The program may have ended since.
        &["running", "ending"]
    } else {
        &["starting"]
    };
    let state = one["state"].as_str().unwrap();
    assert!(may_be.contains(&state), "{about}: {state}, not {may_be:?}");
    for component in components(one) {
        assert!(
            component["running"].as_u64() <= component["wanted"].as_u64(),
            "{about}: {component}"
        );
    }
    Some(one["id"].as_str().unwrap().to_owned())
}

fn components(execution: &Value) -> impl Iterator<Item = &Value> {
    execution["components"].as_array().unwrap().iter()
}

/// `zoe kill --all` after the death: nothing is left, history is right, the logs are there.
#[track_caller]
fn ended_by_the_next(story: &Story, calls: &Calls, n: usize, about: &str) {
    let scene = Scene::memory();
    let done = die(&scene, story, calls, n, about);
    let id = assert_truth(&scene, &done, about);
    if !story.endless() && n.is_multiple_of(3) {
        scene.end_programs();
    }
    if n.is_multiple_of(2) {
        for (ran, _) in scene.twice(&["kill", "--all", "-y"]) {
            ran.expect(0);
        }
    } else {
        scene.run(&["kill", "--all", "-y"]).expect(0);
    }
    assert_history(&scene, story, &done, about);
    if let Some(id) = id {
        let code = scene.run(&["wait", &id]).code;
        assert!([7, 143].contains(&code), "{about}: {code}");
        let again = scene.run(&["kill", &id]);
        assert_eq!(again.code, 0, "{about}: {}", again.stderr);
    }
}

/// Asserts that Docker is clean, and that history has the execution once, over, with its logs if it had any.
#[track_caller]
fn assert_history(scene: &Scene, story: &Story, done: &Calls, about: &str) {
    let history = scene.assert_clean(about);
    let submitted = has(done, "create ticket");
    assert_eq!(
        history.len(),
        usize::from(submitted),
        "{about}: {history:#?}"
    );
    let Some(record) = history.first() else {
        assert!(scene.archives().is_empty(), "{about}");
        return;
    };
    let end = (
        record["state"].as_str().unwrap(),
        record["exit_code"].as_i64().unwrap(),
    );
    let may_be = [("cancelled", 143), ("failed", 7)];
    assert!(
        may_be[..if story.endless() { 1 } else { 2 }].contains(&end),
        "{about}: {end:?}"
    );
    let id = record["id"].as_str().unwrap();
    let expected = has(done, "create container").then(|| format!("{id}.zip").into());
    assert_eq!(scene.archives(), expected.into_iter().collect(), "{about}");
    if program_starts(done) > 0 {
        let log = scene.run(&["logs", id]).expect(0);
        assert_eq!(log.matches("ran").count(), 1, "{about}: {log}");
    }
}

/// `zoe wait` after the death, in one process or in two at once: the program has run once, and its exit code is known.
#[track_caller]
fn carried_on_by_the_next(story: &Story, calls: &Calls, n: usize, about: &str) {
    let scene = Scene::memory();
    let mut done = die(&scene, story, calls, n, about);
    let Some(id) = assert_truth(&scene, &done, about) else {
        // Nothing was submitted, or all was over: what is left is the next pass's to sweep.
        scene.run(&["kill", "--all", "-y"]).expect(0);
        scene.assert_clean(about);
        return;
    };
    if story.endless() && !has(&done, "rename ticket") {
        // It would go on for ever; and Spark's master can't be asked whether it is ready.
        if !done.iter().any(|call| call.contains("-master-")) {
            scene.run(&["wait", "--for", "running", &id]).expect(0);
        }
        scene.run(&["kill", &id]).expect(0);
        scene.assert_clean(about);
        return;
    }
    let wait = || {
        if n.is_multiple_of(2) {
            Vec::from(scene.twice(&["wait", &id]))
        } else {
            vec![scene.counted(&["wait", &id])]
        }
    };
    let waits = if matches!(story.program, Program::EndsSoon | Program::Endless) {
        wait()
    } else {
        scene.while_programs_end(wait)
    };
    for (ran, calls) in waits {
        let codes: &[i32] = if story.ends_it { &[7, 143] } else { &[7] };
        assert!(
            codes.contains(&ran.code),
            "{about}: {} {}",
            ran.code,
            ran.stderr
        );
        done.extend(calls);
    }
    let history = scene.assert_clean(about);
    assert_eq!(history.len(), 1, "{about}: {history:#?}");
    let wanted = if story.ends_it { 0..=1 } else { 1..=1 };
    assert!(
        wanted.contains(&program_starts(&done)),
        "{about}: started more than once: {done:#?}"
    );
    let log = scene.run(&["logs", &id]).expect(0);
    assert_eq!(
        log.matches("ran").count(),
        program_starts(&done),
        "{about}: {log}"
    );
}

/// The n-th call is refused, or its answer is lost: zoe says so in a sentence, and the next one cleans up.
fn spoiled_everywhere(story: &Story, how: &str) {
    let calls = undisturbed(story);
    println!("{}: {how} at each of {} calls", story.name, calls.len());
    for n in 1..=calls.len() {
        let about = format!("{} with {how} at call {n}, '{}'", story.name, calls[n - 1]);
        let scene = Scene::memory();
        story.begin(&scene);
        let ran = scene.gated(&format!("{how}:{n}"), story.command);
        assert_eq!(ran.signal, None, "{about}");
        assert_one_sentence(&ran, &about);
        scene.ps();
        scene.run(&["kill", "--all", "-y"]).expect(0);
        let history = scene.assert_clean(&about);
        assert!(history.len() <= 1, "{about}: {history:#?}");
    }
}

/// Reads too: whatever was only looked at, nothing is different.
#[test]
fn killed_before_any_call() {
    let story = &STORIES[3];
    let total = {
        let scene = Scene::memory();
        story.begin(&scene);
        let file = scene.env.path("calls");
        scene
            .gated(&format!("count:{}", file.display()), story.command)
            .expect(7);
        std::fs::read_to_string(file).unwrap().lines().count()
    };
    for n in (1..=total).step_by(3) {
        let about = format!("{} killed before call {n} of any kind", story.name);
        let scene = Scene::memory();
        story.begin(&scene);
        let ran = scene.gated(&format!("kill-any:{n}"), story.command);
        // Waiting makes as many reads as it takes; a quick end makes fewer.
        assert!(
            ran.signal == Some(9) || ran.code == 7,
            "{about}: {} {}",
            ran.code,
            ran.stderr
        );
        scene.stretch_lease();
        scene.ps();
        scene.run(&["kill", "--all", "-y"]).expect(0);
        assert!(scene.assert_clean(&about).len() <= 1, "{about}");
    }
}

/// A kill makes room, and starts who waited for it: dying there must cost neither of them.
#[test]
fn killed_while_another_gets_its_turn() {
    let begin = || {
        let scene = Scene::sized("cores=0.3&memory=8g&images=all");
        STORIES[2].begin(&scene);
        scene
            .run(&["run", "-d", "--name", "first", "job.toml"])
            .expect(0);
        scene
            .run(&["run", "-d", "--name", "second", "job.toml"])
            .expect(0);
        let second = scene
            .ps()
            .into_iter()
            .find(|one| one["name"] == "second")
            .unwrap();
        assert_eq!(second["state"], "queued");
        scene
    };
    let (ran, calls) = begin().counted(&["kill", "first"]);
    ran.expect(0);
    assert!(calls.len() > 10, "{calls:?}");
    for n in 1..=calls.len() {
        let about = format!(
            "a kill that starts another, killed before call {n}, '{}'",
            calls[n - 1]
        );
        let scene = begin();
        let ran = scene.gated(&format!("kill:{n}"), &["kill", "first"]);
        assert_eq!(ran.signal, Some(9), "{about}: {} {}", ran.code, ran.stderr);
        scene.stretch_lease();
        assert!((1..=2).contains(&scene.ps().len()), "{about}");
        if n == 1 {
            // Nobody has been told yet that the first is to end.
            scene.run(&["kill", "first"]).expect(0);
        }
        let first = scene.run(&["wait", "first"]);
        assert_eq!(first.code, 143, "{about}: {}", first.stderr);
        let second = scene.while_programs_end(|| scene.run(&["wait", "second"]));
        assert_eq!(second.code, 7, "{about}: {}", second.stderr);
        let history = scene.assert_clean(&about);
        assert_eq!(history.len(), 2, "{about}: {history:#?}");
    }
}
