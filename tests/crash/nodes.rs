//! Zoe dies while it replaces what was lost with a node, or while it resizes.

use jiff::SignedDuration;
use zoe::engine::memory::NodeState;

use crate::scene::{Calls, Scene};

const NODES: &str = "nodes=n1:2:4g,n2:2:4g,n3:2:4g&images=all";

/// A program that goes on until it is stopped, and three workers, of which one is elastic.
fn begin() -> (Scene, String) {
    let scene = Scene::sized(NODES);
    let component = |name: &str, more: &str, command: &str| {
        format!(
            "[[component]]\nname = \"{name}\"\nimage = \"test/x:1\"\ncores = 1\nmemory = \"64m\"\n{more}\ncommand = {command}\n"
        )
    };
    let text = [
        "schema = 1\nname = \"job\"\nmonitor = \"driver\"\n".to_owned(),
        component("driver", "", r#"["print", "ran", "run"]"#),
        component(
            "worker",
            "core = 2\nelastic = 1\nreplaceable = true",
            r#"["print", "worker ${self.index}", "run"]"#,
        ),
    ];
    scene.env.write("job.toml", text.concat());
    let id = scene.run(&["run", "-d", "job.toml"]).expect(0);
    (scene, id.trim().to_owned())
}

/// The members that run, with their nodes.
fn running(scene: &Scene, id: &str) -> Vec<String> {
    let shown = scene.run(&["show", id, "-o", "json"]).expect(0);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let members = shown["containers"].as_array().unwrap().iter();
    let running = members.filter(|one| one["state"] == "running");
    running
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            format!("{}-{}@{}", text("component"), one["index"], text("node"))
        })
        .collect()
}

/// As if all had been made two hours ago and a node had gone down an hour ago.
fn lose(scene: &Scene, node: &str) {
    let mut world = scene.world();
    for row in world.containers.values_mut() {
        row.created_at -= SignedDuration::from_hours(2);
        row.started_at = row.started_at.map(|at| at - SignedDuration::from_hours(2));
    }
    let since = jiff::Timestamp::now() - SignedDuration::from_hours(1);
    world.change_node(node, |row| row.state = NodeState::Down { since });
    scene.set_world(&world);
}

/// Dies at each call of a command in turn; the same command goes on, and what is expected then is there.
fn killed_everywhere(
    prepare: impl Fn() -> (Scene, String),
    command: &[&str],
    expected: impl Fn(&Scene, &str) -> bool,
) {
    let (scene, id) = prepare();
    let (ran, calls): (_, Calls) = scene.counted(command);
    ran.expect(0);
    assert!(expected(&scene, &id), "{:?}", running(&scene, &id));
    assert!(!calls.is_empty());
    println!("{command:?}: {} calls", calls.len());
    for n in 1..=calls.len() {
        let about = format!("{command:?} killed before call {n}, '{}'", calls[n - 1]);
        let (scene, id) = prepare();
        let ran = scene.gated(&format!("kill:{n}"), command);
        assert_eq!(ran.signal, Some(9), "{about}: {} {}", ran.code, ran.stderr);
        scene.stretch_lease();
        scene.ps();
        if n.is_multiple_of(2) {
            for (ran, _) in scene.twice(command) {
                ran.expect(0);
            }
        } else {
            scene.run(command).expect(0);
        }
        let there = running(&scene, &id);
        assert!(expected(&scene, &id), "{about}: {there:?}");
        scene.run(&["kill", &id]).expect(0);
        let history = scene.assert_clean(&about);
        assert_eq!(history.len(), 1, "{about}");
        let log = scene.run(&["logs", &id]).expect(0);
        assert_eq!(log.matches("ran").count(), 1, "{about}: {log}");
    }
}

#[test]
fn while_lost_members_are_replaced() {
    let prepare = || {
        let (scene, id) = begin();
        let before = ["driver-0@n1", "worker-0@n1", "worker-1@n2", "worker-2@n3"];
        assert_eq!(running(&scene, &id), before);
        lose(&scene, "n2");
        (scene, id)
    };
    // Anybody's pass does it, also that of somebody who only waits.
    killed_everywhere(
        prepare,
        &["wait", "--for", "running", "last"],
        |scene, id| {
            running(scene, id) == ["driver-0@n1", "worker-0@n1", "worker-1@n3", "worker-2@n3"]
        },
    );
}

#[test]
fn while_it_grows() {
    let prepare = || {
        let (scene, id) = begin();
        scene.run(&["resize", &id, "2"]).expect(0);
        (scene, id)
    };
    killed_everywhere(prepare, &["resize", "last", "3"], |scene, id| {
        running(scene, id).len() == 4
    });
}

#[test]
fn while_it_shrinks() {
    killed_everywhere(begin, &["resize", "last", "2"], |scene, id| {
        running(scene, id) == ["driver-0@n1", "worker-0@n1", "worker-1@n2"]
    });
}
