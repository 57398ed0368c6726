//! Old logs go, the oldest first; those of what is alive stay, whatever is said of them, and so does all that is not zoe's.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use zoe::engine::Scope;
use zoe::logs::retention::Keep;
use zoe::model::{Bytes, Execution, ExecutionId, Gap, Snapshot};
use zoe::ops::logs::retention::{Retired, retire, retire_if_due};
use zoe::ops::logs::{self, LogOptions};
use zoe::ops::submit::launch::Common;
use zoe::ops::{ErrorKind, Silent, attach};

use crate::lab::{Collected, Lab, lab, submitted};

const DAY: Duration = Duration::from_hours(24);

/// One that is over; its archive was written so many days ago.
async fn over(lab: &Lab, days: u32) -> (ExecutionId, PathBuf) {
    let job = [("main", r#"["print", "hello"]"#)];
    let id = submitted(lab, &job, Common::default()).await.id();
    attach::attach(&lab.context, id, &mut Collected::default(), &Silent)
        .await
        .unwrap();
    let store = lab.context.history.open().await.unwrap();
    let record = store.get(&lab.context.settings.deployment, id).await;
    let path = PathBuf::from(record.unwrap().unwrap().logs.unwrap());
    age(&path, days);
    (id, path)
}

fn age(path: &Path, days: u32) {
    let at = SystemTime::now() - DAY * days;
    File::open(path).unwrap().set_modified(at).unwrap();
}

fn days(days: i64) -> Keep {
    Keep {
        age: Some(SignedDuration::from_hours(24 * days)),
        size: None,
    }
}

async fn seen(lab: &Lab) -> Snapshot {
    let seen = lab.context.backend.observe(Scope::Everything).await;
    seen.unwrap()
}

async fn retired(lab: &Lab, keep: Keep) -> Retired {
    retire(&lab.context, keep, &seen(lab).await).await.unwrap()
}

/// What `zoe logs` refuses with.
async fn refusal(lab: &Lab, id: ExecutionId) -> String {
    let read = logs::logs(&lab.context, id.as_str(), &LogOptions::default(), &Silent).await;
    let error = read.map(|_| ()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    error.to_string()
}

#[tokio::test]
async fn what_is_too_old_goes_and_whoever_asks_is_told() {
    let lab = lab();
    let (old, old_path) = over(&lab, 40).await;
    let (young, young_path) = over(&lab, 20).await;
    let attempt = old_path.with_extension("attempt-1.zip");
    std::fs::copy(&old_path, &attempt).unwrap();
    age(&attempt, 41);
    let left = old_path.with_file_name(format!(".{old}.zip.x7.part"));
    std::fs::write(&left, "what a killed writer left").unwrap();
    age(&left, 41);
    assert_eq!(retired(&lab, days(30)).await.executions, 1);
    assert!(!old_path.exists() && !attempt.exists() && !left.exists());
    assert!(young_path.exists());
    let told = refusal(&lab, old).await;
    assert!(
        told.contains("were removed at") && told.contains("older than 30 days"),
        "{told}"
    );
    logs::logs(
        &lab.context,
        young.as_str(),
        &LogOptions::default(),
        &Silent,
    )
    .await
    .unwrap();
    // Done once: nothing is left to do, nothing is told again.
    assert_eq!(retired(&lab, days(30)).await, Retired::default());
    assert_eq!(lab.events(old, "logs-removed").await.len(), 1);
}

#[tokio::test]
async fn above_the_size_the_oldest_go() {
    let lab = lab();
    let (_, newest) = over(&lab, 1).await;
    let (_, oldest) = over(&lab, 3).await;
    let (_, middle) = over(&lab, 2).await;
    let size = std::fs::metadata(&newest).unwrap().len();
    let keep = Keep {
        age: None,
        size: Some(Bytes::new(2 * size + size / 2)),
    };
    assert_eq!(retired(&lab, keep).await.executions, 1);
    assert!(newest.exists() && middle.exists() && !oldest.exists());
    assert_eq!(retired(&lab, keep).await.executions, 0);
}

#[tokio::test]
async fn what_docker_may_still_have_stays() {
    let lab = lab();
    let (id, path) = over(&lab, 40).await;
    // It is alive after all, or its ticket can't be read, or nobody knows.
    let alive = submitted(&lab, &[("main", r#"["run"]"#)], Common::default())
        .await
        .id();
    let mut snapshot = seen(&lab).await;
    let mut execution: Execution = snapshot.executions.remove(&alive).unwrap();
    execution.ticket.id = id;
    snapshot.executions.insert(id, execution);
    let mut blind = seen(&lab).await;
    blind.gaps.push(Gap {
        what: "containers".to_owned(),
        error: "no answer".to_owned(),
        node: None,
    });
    // What was written since Docker was looked at may be of one that came since.
    let mut before = seen(&lab).await;
    before.taken_at = Timestamp::UNIX_EPOCH;
    for snapshot in [snapshot, blind, before] {
        let done = retire(&lab.context, days(1), &snapshot).await.unwrap();
        assert_eq!((done.executions, path.exists()), (0, true));
    }
    assert_eq!(retired(&lab, days(1)).await.executions, 1);
}

#[tokio::test]
async fn what_is_not_an_archive_of_this_deployment_stays() {
    let lab = lab();
    let (id, path) = over(&lab, 40).await;
    let month = path.parent().unwrap();
    let outside = lab.directory.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let strange = [
        month.join("README.zip.txt"),
        month.join("notes.zip"),
        month.join(format!("{id}.txt")),
        outside.join(format!("{id}.zip")),
        lab.context.settings.history_path.join(format!("{id}.zip")),
        lab.directory.path().join("history/other-deployment"),
    ];
    for file in &strange {
        std::fs::write(file, "not to be removed").unwrap();
        age(file, 400);
    }
    std::os::unix::fs::symlink(&outside, month.parent().unwrap().join("13")).unwrap();
    let link = month.join("aaaaaaaa.zip");
    std::os::unix::fs::symlink(outside.join(format!("{id}.zip")), &link).unwrap();
    assert_eq!(retired(&lab, days(1)).await.executions, 1);
    for file in &strange {
        assert!(file.exists(), "{}", file.display());
    }
    assert!(link.exists());
}

/// Whoever did it before died between the note and the file; and two do it at the same time.
#[tokio::test]
async fn it_is_gone_on_with_and_two_do_no_harm() {
    let lab = lab();
    let (id, path) = over(&lab, 40).await;
    let saved = std::fs::read(&path).unwrap();
    assert_eq!(retired(&lab, days(1)).await.executions, 1);
    std::fs::write(&path, saved).unwrap();
    age(&path, 40);
    let mut more = Vec::new();
    for _ in 0..8 {
        more.push(over(&lab, 30).await.1);
    }
    let snapshot = seen(&lab).await;
    let two = [(); 2].map(|()| retire(&lab.context, days(1), &snapshot));
    let done = futures_util::future::join_all(two).await;
    for one in done {
        one.unwrap();
    }
    assert!(!path.exists() && more.iter().all(|path| !path.exists()));
    assert_eq!(lab.events(id, "logs-removed").await.len(), 1);
}

#[tokio::test]
async fn it_is_looked_once_an_hour_and_at_once_with_other_settings() {
    let lab = lab();
    let due = async |keep| {
        let snapshot = seen(&lab).await;
        let done = retire_if_due(&lab.context, keep, &snapshot).await;
        done.unwrap().map(|retired| retired.executions)
    };
    over(&lab, 40).await;
    assert_eq!(due(Keep::default()).await, None);
    assert_eq!(due(days(30)).await, Some(1));
    over(&lab, 35).await;
    assert_eq!(due(days(30)).await, None);
    assert_eq!(due(days(31)).await, Some(1));
    over(&lab, 35).await;
    let place = lab.context.settings.history_path.join("lab/.retention");
    let at = SystemTime::now() - Duration::from_hours(2);
    File::options()
        .write(true)
        .open(&place)
        .unwrap()
        .set_modified(at)
        .unwrap();
    assert_eq!(due(days(31)).await, Some(1));
}

/// The history says where the archive is, and may say anything.
#[tokio::test]
async fn forgetting_removes_archives_only() {
    let lab = lab();
    let (id, path) = over(&lab, 1).await;
    let precious = lab.directory.path().join("precious");
    std::fs::write(&precious, "x").unwrap();
    let store = lab.context.history.open().await.unwrap();
    let deployment = &lab.context.settings.deployment;
    let mut record = store.get(deployment, id).await.unwrap().unwrap();
    store.forget(deployment, id).await.unwrap();
    record.logs = Some(precious.display().to_string());
    store.record(deployment, &record).await.unwrap();
    let texts = [id.to_string()];
    zoe::ops::kill::remove(&lab.context, &texts, false, &Silent)
        .await
        .unwrap();
    assert!(precious.exists() && path.exists());
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_in_is_told_of() {
    let lab = lab();
    let snapshot = seen(&lab).await;
    let due = retire_if_due(&lab.context, days(30), &snapshot).await;
    assert_eq!(due.unwrap(), None, "there is nothing yet");
    over(&lab, 40).await;
    let history = lab.context.settings.history_path.join("lab");
    let noted = history.join(".retention");
    std::fs::create_dir(&noted).unwrap();
    let error = retire_if_due(&lab.context, days(30), &seen(&lab).await).await;
    let error = error.unwrap_err();
    assert!(error.message.contains("can't be removed"), "{error}");
    assert!(error.hint.unwrap().contains("history_path"));
    std::fs::remove_dir(&noted).unwrap();
    let retired = retire_if_due(&lab.context, days(30), &seen(&lab).await).await;
    assert_eq!(retired.unwrap().unwrap().executions, 1);
    // Nothing else is left of that.
    assert!(std::fs::read_dir(&history).unwrap().all(|entry| {
        let name = entry.unwrap().file_name();
        !name.to_string_lossy().starts_with(".retention-")
    }));
}
