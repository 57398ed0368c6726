//! Publishing: nothing twice, nothing by half, one at a time; and a fragment that Apache does not take.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use zoe::proxy::publish::{PublishError, Published, publish, read, try_turn};
use zoe::proxy::{Site, Way, render, setup};

use crate::common::apache::Apache;
use crate::routing::{route, site};
use crate::upstream::serve;

const TOKEN: &str = "cccccccccccccccccccccccccc";

async fn put(site: &Site, text: &str, now: Timestamp) -> Result<Published, PublishError> {
    let file = site.file.as_ref().unwrap();
    let turn = try_turn(file).unwrap().unwrap();
    publish(site, file, text, now, &turn).await
}

fn inode(file: &Path) -> u64 {
    std::fs::metadata(file).unwrap().ino()
}

const A: &str = "# The routes of zoe\na b\n";
const C: &str = "# The routes of zoe\na c\n";

#[tokio::test]
async fn a_map_is_written_whole_and_only_when_it_changes() {
    let apache = Apache::new();
    let site = site(&apache, "zoe.test", true);
    let file = apache.routes();
    let now = Timestamp::now();
    assert_eq!(put(&site, A, now).await.unwrap(), Published::Written);
    let first = inode(&file);
    assert_eq!(put(&site, A, now).await.unwrap(), Published::Unchanged);
    assert_eq!(inode(&file), first);
    // Who set its permissions meant it.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(put(&site, C, now).await.unwrap(), Published::Written);
    assert_ne!(inode(&file), first);
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
    assert_eq!(read(&file).unwrap().unwrap(), C);
    let left = std::fs::read_dir(file.parent().unwrap()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[tokio::test]
async fn one_publishes_at_a_time() {
    let apache = Apache::new();
    let file = apache.routes();
    let turn = try_turn(&file).unwrap();
    assert!(turn.is_some());
    assert!(try_turn(&file).unwrap().is_none());
    drop(turn);
    assert!(try_turn(&file).unwrap().is_some());
    let error = try_turn(Path::new("/proc/nowhere/routes")).unwrap_err();
    assert!(error.to_string().contains("cannot be written"), "{error}");
}

/// An Apache with one route from a fragment.
async fn fragment() -> (Apache, Site, String) {
    let mut apache = Apache::new();
    let site = site(&apache, &apache.name(), false);
    apache.start(&setup::virtual_host(&site).unwrap());
    let routes = [route(1, TOKEN, "a/web", serve("a"), false)];
    let text = render::file(&routes, &site);
    let now = Timestamp::now();
    assert_eq!(put(&site, &text, now).await.unwrap(), Published::Written);
    (apache, site, text)
}

/// A graceful reload takes its moment.
fn shows(apache: &Apache, place: &str, status: u16) {
    let path = format!("/zoe/{TOKEN}/{place}/");
    let begun = std::time::Instant::now();
    while apache.get(&path).status != status {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{path} is not {status}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn a_fragment_comes_and_goes_with_reloads() {
    let (apache, site, text) = fragment().await;
    shows(&apache, "a/web", 200);
    let now = Timestamp::now();
    assert_eq!(put(&site, &text, now).await.unwrap(), Published::Unchanged);
    let none = render::file(&[], &site);
    assert_eq!(put(&site, &none, now).await.unwrap(), Published::Written);
    shows(&apache, "a/web", 404);
}

#[tokio::test]
async fn what_apache_would_not_take_is_never_published() {
    let (apache, site, text) = fragment().await;
    let broken = format!("{text}<Location \"/x\">\n");
    let error = put(&site, &broken, Timestamp::now()).await.unwrap_err();
    assert!(matches!(error, PublishError::Configtest(_)), "{error}");
    assert!(error.to_string().contains("Location"), "{error}");
    assert_eq!(read(&apache.routes()).unwrap().unwrap(), text);
    shows(&apache, "a/web", 200);
}

/// The test of a new fragment reads the one that is there, too.
#[tokio::test]
async fn a_fragment_that_somebody_broke_keeps_no_later_one_back() {
    let (apache, site, text) = fragment().await;
    let routes = [route(2, TOKEN, "b/web", serve("b"), false)];
    let next = render::file(&routes, &site);
    let broken = format!("{text}<Location \"/x\">\n");
    std::fs::write(apache.routes(), &broken).unwrap();
    // A new one that is no better changes nothing.
    let worse = format!("{next}Nonsense\n");
    let error = put(&site, &worse, Timestamp::now()).await.unwrap_err();
    assert!(matches!(error, PublishError::Configtest(_)), "{error}");
    assert_eq!(read(&apache.routes()).unwrap().unwrap(), broken);
    let published = put(&site, &next, Timestamp::now()).await.unwrap();
    assert_eq!(published, Published::Written);
    assert_eq!(read(&apache.routes()).unwrap().unwrap(), next);
    shows(&apache, "b/web", 200);
}

#[tokio::test]
async fn a_reload_that_fails_puts_the_last_good_back_and_is_tried_again() {
    let (apache, mut site, text) = fragment().await;
    shows(&apache, "a/web", 200);
    let marker = apache.routes().with_file_name("works");
    let reload = format!("test -e {} && {}", marker.display(), apache.reload());
    if let Way::Fragment { reload: own, .. } = &mut site.way {
        own.clone_from(&reload);
    }
    let routes = [
        route(1, TOKEN, "a/web", serve("a"), false),
        route(2, TOKEN, "b/web", serve("b"), false),
    ];
    let more = render::file(&routes, &site);
    for _ in 0..2 {
        let error = put(&site, &more, Timestamp::now()).await.unwrap_err();
        assert!(matches!(error, PublishError::Reload(_)), "{error}");
        assert_eq!(read(&apache.routes()).unwrap().unwrap(), text);
    }
    shows(&apache, "a/web", 200);
    std::fs::write(&marker, "").unwrap();
    let published = put(&site, &more, Timestamp::now()).await.unwrap();
    assert_eq!(published, Published::Written);
    shows(&apache, "b/web", 200);
}

#[tokio::test]
async fn the_first_one_that_fails_leaves_no_routes() {
    let apache = Apache::new();
    let mut site = site(&apache, "zoe.test", false);
    site.way = Way::Fragment {
        configtest: "true".to_owned(),
        reload: "echo no apache; false".to_owned(),
        interval: Duration::ZERO,
    };
    let error = put(&site, "x\n", Timestamp::now()).await.unwrap_err();
    assert!(error.to_string().contains("no apache"), "{error}");
    assert_eq!(
        read(&apache.routes()).unwrap().unwrap(),
        "# The routes of zoe: none yet.\n"
    );
}

#[tokio::test]
async fn reloads_keep_their_distance() {
    let apache = Apache::new();
    let mut site = site(&apache, "zoe.test", false);
    let count = apache.routes().with_file_name("count");
    site.way = Way::Fragment {
        configtest: "grep -q . \"$ZOE_FRAGMENT\"".to_owned(),
        reload: format!("echo x >>{}", count.display()),
        interval: Duration::from_secs(10),
    };
    let begun = Timestamp::from_second(1_800_000_000).unwrap();
    let at = |seconds| begun + SignedDuration::from_secs(seconds);
    let reloads = || std::fs::read_to_string(&count).unwrap().lines().count();
    assert_eq!(put(&site, "1\n", at(0)).await.unwrap(), Published::Written);
    let postponed = put(&site, "2\n", at(4)).await.unwrap();
    assert_eq!(postponed, Published::Postponed(Duration::from_secs(6)));
    assert_eq!(reloads(), 1);
    // What Apache has already needs none.
    assert_eq!(
        put(&site, "1\n", at(5)).await.unwrap(),
        Published::Unchanged
    );
    assert_eq!(put(&site, "3\n", at(10)).await.unwrap(), Published::Written);
    assert_eq!(reloads(), 2);
    // A clock that was put back keeps nothing back.
    assert_eq!(
        put(&site, "4\n", at(-100)).await.unwrap(),
        Published::Written
    );
}

#[tokio::test]
async fn a_zoe_that_died_before_its_reload_is_followed_up() {
    let (apache, site, text) = fragment().await;
    let routes = [route(2, TOKEN, "b/web", serve("b"), false)];
    let next = render::file(&routes, &site);
    // It was published, and nobody told Apache.
    std::fs::write(apache.routes(), &next).unwrap();
    assert_ne!(next, text);
    let published = put(&site, &next, Timestamp::now()).await.unwrap();
    assert_eq!(published, Published::Written);
    shows(&apache, "b/web", 200);
}

#[tokio::test]
async fn a_file_that_is_none_of_zoe_s_is_left_alone() {
    let apache = Apache::new();
    let mut site = site(&apache, "zoe.test", false);
    let file = apache.routes();
    let fragment = Way::Fragment {
        configtest: "true".to_owned(),
        reload: "true".to_owned(),
        interval: Duration::ZERO,
    };
    for way in [Way::Map, fragment] {
        site.way = way;
        std::fs::write(&file, "root:x:0:0\n").unwrap();
        let refused = put(&site, "x\n", Timestamp::now()).await.unwrap_err();
        assert!(matches!(refused, PublishError::Foreign { .. }), "{refused}");
        assert_eq!(read(&file).unwrap().unwrap(), "root:x:0:0\n");
        // An empty one is nobody's.
        std::fs::write(&file, "\n").unwrap();
        let published = put(&site, "x\n", Timestamp::now()).await.unwrap();
        assert_eq!(published, Published::Written);
    }
}

#[tokio::test]
async fn a_command_that_hangs_is_ended_with_all_that_it_has_begun() {
    let apache = Apache::new();
    let mut site = site(&apache, "zoe.test", false);
    let begun = apache.routes().with_file_name("begun");
    site.way = Way::Fragment {
        configtest: "true".to_owned(),
        reload: format!("sleep 1000 & echo $! >{}; wait", begun.display()),
        interval: Duration::ZERO,
    };
    let error = put(&site, "x\n", Timestamp::now()).await.unwrap_err();
    assert!(error.to_string().contains("took longer"), "{error}");
    let id = std::fs::read_to_string(&begun).unwrap();
    let there = format!("/proc/{}/stat", id.trim());
    let ended = || {
        let stat = std::fs::read_to_string(&there).unwrap_or_default();
        // A zombie is waited for by whoever takes in orphans.
        stat.is_empty() || stat.contains(") Z ")
    };
    let deadline = std::time::Instant::now() + Duration::from_mins(1);
    while !ended() {
        assert!(std::time::Instant::now() < deadline, "{there}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
