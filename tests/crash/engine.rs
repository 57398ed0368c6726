//! Some calls of some stories, on the real Engine.

use crate::common::docker::TINY;
use crate::scene::{Scene, assert_one_sentence};

/// Every so many calls one is tried.
const STEP: usize = 3;

/// What the job's program does: it leaves a line on the host each time it runs.
const PROGRAM: &str = "echo ran >> /out/ran; echo ran; sleep 0.2; exit 7";
const ENDLESS: &str = "trap 'exit 143' TERM; echo ran >> /out/ran; echo ran; sleep 600 & wait";

fn begin() -> Scene {
    let scene = Scene::docker();
    scene.env.write("job.py", "print(1)");
    std::fs::create_dir(scene.env.path("out")).unwrap();
    scene
}

/// A job with files, of tiny containers.
fn submit(scene: &Scene, program: &str, more: &[&str]) -> Vec<String> {
    let mut words = ["submit", "job.py", "--workers", "1"]
        .map(str::to_owned)
        .to_vec();
    for component in ["master", "worker", "driver"] {
        let command = if component == "driver" {
            program
        } else {
            "trap 'exit 143' TERM; sleep 600 & wait"
        };
        for setting in [
            format!("image={TINY}"),
            "cores=0.1".to_owned(),
            "memory=16m".to_owned(),
            format!("command={}", serde_json::json!(["sh", "-c", command])),
        ] {
            words.extend(["--set".to_owned(), format!("{component}.{setting}")]);
        }
    }
    words.extend([
        "--volume".to_owned(),
        format!("{}:/out", scene.env.path("out").display()),
    ]);
    words.extend(more.iter().map(|&word| word.to_owned()));
    words
}

fn words(owned: &[String]) -> Vec<&str> {
    owned.iter().map(String::as_str).collect()
}

/// How often the program has run.
fn runs(scene: &Scene) -> usize {
    std::fs::read_to_string(scene.env.path("out/ran"))
        .unwrap_or_default()
        .lines()
        .count()
}

#[track_caller]
fn die(scene: &Scene, n: usize, command: &[String], about: &str) -> Option<String> {
    let ran = scene.gated(&format!("kill:{n}"), &words(command));
    assert_eq!(
        ran.signal,
        Some(9),
        "{about}: exit code {} {}",
        ran.code,
        ran.stderr
    );
    scene.stretch_lease();
    let listed = scene.ps();
    let tickets = scene
        .left()
        .iter()
        .filter(|name| name.contains(" Created") && !name.contains("-0 "))
        .count();
    assert!(
        listed.len() <= 1 && listed.len() <= tickets,
        "{about}: {listed:#?} {:?}",
        scene.left()
    );
    listed
        .first()
        .map(|one| one["id"].as_str().unwrap().to_owned())
}

#[test]
fn submit_killed_and_ended_by_the_next() {
    let scene = begin();
    let (ran, calls) = scene.counted(&words(&submit(&scene, ENDLESS, &["-d"])));
    ran.expect(0);
    println!("submit: {} calls", calls.len());
    scene.run(&["kill", "last"]).expect(0);
    assert_eq!(scene.assert_clean("undisturbed").len(), 1);
    for n in (1..=calls.len()).step_by(STEP) {
        let scene = begin();
        let about = format!("submit killed before call {n}");
        let id = die(&scene, n, &submit(&scene, ENDLESS, &["-d"]), &about);
        scene.run(&["kill", "--all", "-y"]).expect(0);
        let history = scene.assert_clean(&about);
        assert_eq!(
            history.len(),
            usize::from(id.is_some()),
            "{about}: {history:#?}"
        );
        assert!(
            history.iter().all(|record| record["state"] == "cancelled"),
            "{about}: {history:#?}"
        );
        assert!(runs(&scene) <= 1, "{about}");
    }
}

#[test]
fn submit_killed_and_carried_on_by_the_next() {
    let scene = begin();
    let (ran, calls) = scene.counted(&words(&submit(&scene, PROGRAM, &[])));
    ran.expect(7);
    println!("submit to the end: {} calls", calls.len());
    assert_eq!(
        (scene.assert_clean("undisturbed").len(), runs(&scene)),
        (1, 1)
    );
    for n in (2..=calls.len()).step_by(STEP) {
        let scene = begin();
        let about = format!("attached submit killed before call {n}");
        let Some(id) = die(&scene, n, &submit(&scene, PROGRAM, &[]), &about) else {
            scene.run(&["kill", "--all", "-y"]).expect(0);
            assert!(scene.assert_clean(&about).len() <= 1, "{about}");
            continue;
        };
        for (ran, _) in scene.twice(&["wait", &id]) {
            assert_eq!(ran.code, 7, "{about}: {}", ran.stderr);
        }
        let history = scene.assert_clean(&about);
        assert_eq!(
            (history.len(), runs(&scene)),
            (1, 1),
            "{about}: {history:#?}"
        );
        assert_eq!(
            scene.run(&["logs", &id]).expect(0).matches("ran").count(),
            1,
            "{about}"
        );
    }
}

#[test]
fn kill_killed_and_gone_on_with_by_the_next() {
    let calls = {
        let scene = begin();
        scene
            .run(&words(&submit(&scene, ENDLESS, &["-d"])))
            .expect(0);
        let (ran, calls) = scene.counted(&["kill", "last"]);
        ran.expect(0);
        calls.len()
    };
    println!("kill: {calls} calls");
    for n in (1..=calls).step_by(STEP) {
        let scene = begin();
        let about = format!("kill killed before call {n}");
        scene
            .run(&words(&submit(&scene, ENDLESS, &["-d"])))
            .expect(0);
        die(&scene, n, &["kill".to_owned(), "last".to_owned()], &about);
        for (ran, _) in scene.twice(&["kill", "--all", "-y"]) {
            assert_eq!(ran.code, 0, "{about}: {}", ran.stderr);
        }
        let history = scene.assert_clean(&about);
        assert_eq!(
            (history.len(), &history[0]["state"]),
            (1, &"cancelled".into()),
            "{about}"
        );
        assert_eq!(scene.run(&["wait", "last"]).code, 143, "{about}");
        assert_eq!(
            scene
                .run(&["logs", "last"])
                .expect(0)
                .matches("ran")
                .count(),
            1,
            "{about}"
        );
    }
}

/// Four at once, several times over: whoever marks an execution that another has just marked is not told of a mistake.
#[test]
fn killed_by_many_at_once() {
    for _ in 0..3 {
        let scene = begin();
        scene
            .run(&words(&submit(&scene, ENDLESS, &["-d"])))
            .expect(0);
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    for (ran, _) in scene.twice(&["kill", "--all", "-y"]) {
                        assert_eq!(ran.code, 0, "{}", ran.stderr);
                    }
                });
            }
        });
        assert_eq!(scene.assert_clean("killed by four").len(), 1);
    }
}

#[test]
fn calls_refused_and_answers_lost() {
    let scene = begin();
    let (ran, calls) = scene.counted(&words(&submit(&scene, PROGRAM, &[])));
    ran.expect(7);
    for (how, first) in [("fail", 1), ("lost", 3)] {
        for n in (first..=calls.len()).step_by(2 * STEP) {
            let scene = begin();
            let about = format!("attached submit with {how} at call {n}, '{}'", calls[n - 1]);
            let ran = scene.gated(&format!("{how}:{n}"), &words(&submit(&scene, PROGRAM, &[])));
            assert_eq!(ran.signal, None, "{about}");
            assert_one_sentence(&ran, &about);
            scene.ps();
            scene.run(&["kill", "--all", "-y"]).expect(0);
            assert!(scene.assert_clean(&about).len() <= 1, "{about}");
            assert!(runs(&scene) <= 1, "{about}");
        }
    }
}
