//! The database is stopped and started ten times under load: what runs goes on, what is submitted waits, nothing new is
//! started, and in the end history has everything.

use std::time::Duration;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::flow::Flow;
use crate::mariadb::MariaDb;
use crate::place::{Place, Watch, until};

/// Stopped, a database is a directory that has its name, and the other way round; both at one moment.
fn exchange(place: &Place) {
    renameat_with(
        CWD,
        place.database(),
        CWD,
        place.path("aside"),
        RenameFlags::EXCHANGE,
    )
    .unwrap();
}

/// A database that can be stopped and started.
enum Database {
    File,
    Server(Box<MariaDb>),
}

impl Database {
    /// The place's own file.
    fn file(place: &Place) -> Self {
        std::fs::create_dir(place.path("aside")).unwrap();
        Self::File
    }

    /// A server of which the place has a database.
    fn server(place: &mut Place) -> Self {
        let server = MariaDb::start();
        place.database_url = Some(server.url(&server.create()));
        Self::Server(Box::new(server))
    }

    /// In the midst of whatever it does.
    fn stop(&mut self, place: &Place) {
        match self {
            Self::File => exchange(place),
            Self::Server(server) => server.kill(),
        }
    }

    fn start(&mut self, place: &Place) {
        match self {
            Self::File => exchange(place),
            Self::Server(server) => server.again(),
        }
    }

    /// What a message about it has in it.
    fn called(&self) -> String {
        match self {
            Self::File => "zoe.db".to_owned(),
            Self::Server(server) => format!("127.0.0.1:{}", server.port()),
        }
    }
}

fn stopped_ten_times(place: &Place, mut database: Database) {
    let flow = Flow::new(place);
    let watch = place.watch(&["--interval", "1s"]);
    for round in 1..=10 {
        // What ends meanwhile, and what goes on.
        let ends = round % 3 == 0;
        let lasting = flow.submit_open();
        flow.submit(Duration::from_millis(50));
        until("it runs", || watch.said("started", &lasting) == 1);
        let before = watch.said("degraded", "database");
        database.stop(place);
        until("it says so", || watch.said("degraded", "database") > before);
        let late = flow.submit(Duration::from_millis(50));
        assert_queued_and_told(place, &late, &database.called());
        if ends {
            flow.end(&lasting);
            // It is stopped, and stays until it can be written down.
            until("its end can't be recorded", || {
                let all = place.ps();
                let it = all.iter().find(|one| one["name"] == *lasting);
                it.is_some_and(|one| one["state"] == "ending")
            });
            assert_eq!(watch.said("ended", &lasting), 0);
        }
        assert_eq!(watch.said("started", &late), 0);
        let before = watch.said("recovered", "database");
        database.start(place);
        until("it is back", || {
            watch.said("recovered", "database") > before
        });
        flow.end(&lasting);
    }
    flow.until_over();
    assert_nothing_twice(&watch);
    assert_eq!(watch.stop("TERM").0, 0);
    flow.assert_all_right();
}

#[track_caller]
fn assert_queued_and_told(place: &Place, name: &str, database: &str) {
    let ran = place.run(&["ps"]);
    assert!(ran.stderr.contains(database), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("nothing that is queued is started"),
        "{}",
        ran.stderr
    );
    let line = ran.stdout.lines().find(|line| line.contains(name));
    assert!(
        line.is_some_and(|line| line.contains("queued")),
        "{}",
        ran.stdout
    );
}

#[track_caller]
fn assert_nothing_twice(watch: &Watch) {
    for line in watch.log() {
        let message = line["message"].as_str().unwrap();
        if message == "started" || message == "ended" {
            let id = line["execution"].as_str().unwrap();
            assert_eq!(watch.said(message, id), 1, "{line}");
        }
    }
}

#[test]
fn over_a_file() {
    let place = Place::memory("cores=2&memory=4g&images=all");
    let database = Database::file(&place);
    stopped_ten_times(&place, database);
}

#[test]
fn on_the_engine() {
    let place = Place::engine();
    let database = Database::file(&place);
    stopped_ten_times(&place, database);
}

#[test]
fn a_server_under_what_is_on_the_engine() {
    let mut place = Place::engine();
    let database = Database::server(&mut place);
    stopped_ten_times(&place, database);
}

/// Its user may read there and not write: what is to end can't be recorded, however often that is tried.
#[test]
fn a_pass_from_cron_over_a_server_that_takes_nothing_ends() {
    let server = MariaDb::start();
    let database = server.create();
    let mut place = Place::memory("cores=2&memory=4g&images=all");
    place.database_url = Some(server.url(&database));
    let file = place.job("job", 0, Duration::from_hours(1));
    let id = place.run(&["run", "-d", &file]).expect(0);
    let killed = place.gated("kill:2", &["kill", id.trim()]);
    assert_eq!(killed.signal, Some(9));
    server.sql(&format!("REVOKE ALL ON {database}.* FROM zoe@'%'"));
    server.sql(&format!("GRANT SELECT ON {database}.* TO zoe@'%'"));
    let ran = place.run(&["watch", "--once"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("denied"), "{}", ran.stderr);
    assert_eq!(place.ps()[0]["state"], "ending");
}

#[test]
fn a_pass_from_cron_says_what_is_wrong_and_exits_with_one() {
    let place = &Place::memory("cores=2&memory=4g&images=all");
    let flow = Flow::new(place);
    std::fs::create_dir(place.path("aside")).unwrap();
    place.run(&["watch", "--once"]).expect(0);
    exchange(place);
    flow.submit(Duration::ZERO);
    let ran = place.run(&["watch", "--once"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("degraded what=\"database\""),
        "{}",
        ran.stderr
    );
    assert_eq!(place.ps()[0]["state"], "queued");
    exchange(place);
    let ran = place.run(&["watch", "--once"]);
    assert_eq!((ran.code, place.ps().len()), (0, 0), "{}", ran.stderr);
    flow.assert_all_right();
    // Without Docker it can do nothing at all.
    std::fs::write(place.path("docker.json"), "{").unwrap();
    place.run(&["--quiet", "watch", "--once"]).expect(125);
}
