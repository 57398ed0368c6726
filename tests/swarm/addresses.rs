//! Networks and their addresses come back.

use crate::site::Site;

const APPLICATION: &str = r#"
schema = 1
name = "brief"
description = "Ends at once"
monitor = "main"

[[component]]
name = "main"
image = "IMAGE"
cores = 0.1
memory = "32m"
command = ["true"]
"#;

/// The lab's pool has addresses for 256 networks; as many as this can be had if none is lost, and a few are in use by others.
const FREE: usize = 240;

#[test]
fn after_two_hundred_executions_the_addresses_are_there_again() {
    let site = Site::shared();
    let file = site.application(APPLICATION);
    // A few at once, each with a network of its own.
    for _ in 0..10 {
        site.run(&["run", "--quiet", "--array", "0-19%8", &file])
            .expect(0);
    }
    let ended = site.run(&["history", "--limit", "1000", "-o", "json"]);
    let ended: Vec<serde_json::Value> = serde_json::from_str(&ended.expect(0)).unwrap();
    let well = ended.iter().filter(|one| one["state"] == "finished");
    assert_eq!(well.count(), 200, "{ended:#?}");
    site.until_nothing_is_left();
    let names: Vec<_> = (0..FREE)
        .map(|n| format!("{}-probe-{n}", site.deployment()))
        .collect();
    let made = names.iter().take_while(|name| {
        let made = site.lab.try_docker(
            "n1",
            &["network", "create", "--driver", "overlay", name.as_str()],
        );
        made.status.success()
    });
    let made = made.count();
    let mut remove = vec!["network", "rm"];
    remove.extend(names.iter().take(made).map(String::as_str));
    site.lab.docker("n1", &remove);
    assert_eq!(made, FREE, "the rest of the addresses is lost");
}
