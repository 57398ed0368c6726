//! The tables are changed by real processes: four at once, and one that is killed in the middle.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::common::{PATIENCE, Ran};
use crate::{MariaDb, Place, known, migrations};

/// A database as the first version left it.
fn of_the_first_version(place: &Place) {
    let migration = migrations()[0].replace(
        "{table}",
        "ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
    );
    place.within(&format!(
        "CREATE TABLE zoe_schema (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, begun BIGINT NOT NULL, done BIGINT NOT NULL);\n\
         {migration}\nINSERT INTO zoe_schema VALUES (1, 1, 0, 0);"
    ));
}

fn ended(child: Child) -> Ran {
    child.wait_with_output().unwrap().into()
}

#[test]
fn four_processes_at_once_make_one_whole_schema() {
    let mut place = Place::new();
    let mut whole = None;
    for round in 0..6 {
        // Out of nothing (not even the database), out of an empty one, and out of an older one.
        place.database = match round % 3 {
            0 => place.server.name(),
            _ => place.server.create(),
        };
        if round % 3 == 2 {
            of_the_first_version(&place);
        }
        let command: &[&str] = match round % 3 {
            0 => &["db", "init"],
            1 => &["db", "migrate"],
            _ => &["history"],
        };
        let children: Vec<Child> = (0..4).map(|_| place.start(command)).collect();
        for child in children {
            let ran = ended(child);
            assert_eq!(ran.code, 0, "{round}: {}", ran.stderr);
        }
        let status = place.status();
        assert_eq!(
            (&status["state"], &status["schema"]),
            (&"current".into(), &known())
        );
        let notes = format!("1\t{}\t0\t0", known());
        assert_eq!(place.within("SELECT * FROM zoe_schema"), notes);
        let indexes = place.within(
            "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()",
        );
        assert_eq!(*whole.get_or_insert(indexes.clone()), indexes, "each once");
    }
}

/// Waits until the server tells of a statement that waits for a table.
fn until_waiting(server: &MariaDb) -> String {
    let begun = Instant::now();
    loop {
        let waits = server.sql(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table%'",
        );
        if !waits.is_empty() {
            return waits;
        }
        assert!(begun.elapsed() < PATIENCE, "nobody waits");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn one_that_is_killed_in_the_middle_is_told_of_and_gone_on_with() {
    let place = Place::new();
    of_the_first_version(&place);
    // Somebody reads the table, and so it can't be changed.
    let mut reader = std::process::Command::new("mariadb")
        .args(["--no-defaults", "-u", "root", "-n"])
        .arg(format!("--socket={}", place.server.path("s").display()))
        .arg(&place.database)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut orders = reader.stdin.take().unwrap();
    std::io::Write::write_all(&mut orders, b"LOCK TABLES executions READ;\n").unwrap();
    let locked = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'root' AND COMMAND = 'Sleep'";
    let begun = Instant::now();
    while place.server.sql(locked) == "0" {
        assert!(begun.elapsed() < PATIENCE);
    }
    let mut child = place.start(&["db", "migrate"]);
    let waits = until_waiting(&place.server);
    child.kill().unwrap();
    child.wait().unwrap();
    // Its statement ends with it (the server would see that in a while).
    place.server.sql(&format!("KILL {waits}"));
    let status = place.status();
    assert_eq!(
        (
            &status["state"],
            &status["schema"],
            &status["steps_done"],
            &status["steps"]
        ),
        (&"interrupted".into(), &1.into(), &0.into(), &5.into())
    );
    let text = place.run(&["db", "status"]).expect(0);
    assert!(
        text.contains("interrupted: a change of its tables was interrupted, 0 of 5 steps are done; `zoe db migrate` goes on from there"),
        "{text}"
    );
    drop(orders);
    reader.wait().unwrap();
    place.run(&["db", "migrate"]).expect(0);
    assert_eq!(place.status()["state"], "current");
}
