//! Publishing a fragment of Apache's configuration: tested before it is published, then a reload; on failure the last good
//! one is put back.
//!
//! Beside the fragment are two files of zoe's own: the last one that Apache took, and when it was made to reload last, with
//! what came of it where that failed. So any zoe goes on where another stopped.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::publish::{PublishError, Published, beside, read, replace};
use super::render;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of what a command says is told.
const SAID: usize = 300;

/// The commands, and how often they may be run.
pub(super) struct Commands<'a> {
    pub configtest: &'a str,
    pub reload: &'a str,
    pub interval: Duration,
}

/// Whether Apache has it already.
pub(super) fn is_published(file: &Path, text: &str) -> Result<bool, PublishError> {
    Ok(read(file)?.as_deref() == Some(text) && read(&good(file))?.as_deref() == Some(text))
}

/// Publishes it, or says how long it has to wait; while it waits after a reload that failed, that is what it says.
pub(super) async fn publish(
    file: &Path,
    text: &str,
    commands: &Commands<'_>,
    now: Timestamp,
) -> Result<Published, PublishError> {
    if let Some((left, failed)) = wait(file, commands.interval, now)? {
        return match failed {
            None => Ok(Published::Postponed(left)),
            Some(why) => Err(PublishError::Reload(why)),
        };
    }
    let candidate = beside(file, "new");
    replace(&candidate, text)?;
    let tested = test(file, &candidate, commands).await;
    // It stays in nobody's way, whatever came of it.
    let _ = std::fs::remove_file(&candidate);
    tested?.map_err(PublishError::Configtest)?;
    // Written before it happens: whoever dies meanwhile has reloaded.
    let at = now.as_millisecond();
    replace(&reloaded(file), &at.to_string())?;
    replace(file, text)?;
    let begun = Instant::now();
    if let Err(why) = run(commands.reload, file).await {
        put_back(file)?;
        // The next one is not to begin where this one has only just been given up.
        let took = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        replace(
            &reloaded(file),
            &format!("{}\n{why}", at.saturating_add(took)),
        )?;
        return Err(PublishError::Reload(why));
    }
    replace(&good(file), text)?;
    Ok(Published::Written)
}

/// Whether Apache would take the candidate; what it said, if not. The file that is there is read with it: one that somebody broke
/// must not stand in the way for ever, so the last good one takes its place if that is all there is to it.
async fn test(
    file: &Path,
    candidate: &Path,
    commands: &Commands<'_>,
) -> Result<Result<(), String>, PublishError> {
    let tested = run(commands.configtest, candidate).await;
    let Some(there) = read(file)? else {
        return Ok(tested);
    };
    if tested.is_ok() || read(&good(file))?.as_ref() == Some(&there) {
        return Ok(tested);
    }
    put_back(file)?;
    let again = run(commands.configtest, candidate).await;
    if again.is_err() {
        replace(file, &there)?;
        return Ok(tested);
    }
    Ok(again)
}

/// Puts the last one back that Apache took; nothing, where there was none.
fn put_back(file: &Path) -> Result<(), PublishError> {
    let last = read(&good(file))?;
    let none = format!("{}: none yet.\n", render::BEGINNING);
    replace(file, last.as_deref().unwrap_or(&none))
}

/// How long it is until the next reload may be, and why the last one failed, if it did.
fn wait(
    file: &Path,
    interval: Duration,
    now: Timestamp,
) -> Result<Option<(Duration, Option<String>)>, PublishError> {
    let Some(last) = read(&reloaded(file))? else {
        return Ok(None);
    };
    let (last, failed) = match last.split_once('\n') {
        Some((last, why)) => (last, Some(why.to_owned())),
        None => (last.as_str(), None),
    };
    let last = last.trim().parse().ok();
    let Some(last) = last.and_then(|ms| Timestamp::from_millisecond(ms).ok()) else {
        return Ok(None);
    };
    // A clock that was put back must not keep routes back for ever.
    let since = Duration::try_from(now.duration_since(last)).unwrap_or(interval);
    let left = interval.checked_sub(since).filter(|left| !left.is_zero());
    Ok(left.map(|left| (left, failed)))
}

/// Whether Apache has taken a fragment of this name before.
pub(super) fn was_published(file: &Path) -> bool {
    good(file).exists()
}

fn good(file: &Path) -> PathBuf {
    beside(file, "good")
}

fn reloaded(file: &Path) -> PathBuf {
    beside(file, "reloaded")
}

/// Runs a command of the configuration; what it said, if it failed. One that takes too long is ended with all that it has begun.
async fn run(command: &str, fragment: &Path) -> Result<(), String> {
    let child = Command::new("/bin/sh")
        .args(["-c", command])
        .env("ZOE_FRAGMENT", fragment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("`{command}` cannot be run: {error}"))?;
    let group = Group::of(&child);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .map_err(|_| format!("`{command}` took longer than {} s", PATIENCE.as_secs()))?;
    group.forget();
    let output = output.map_err(|error| format!("`{command}` cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stdout));
    let words: Vec<&str> = said.split_whitespace().collect();
    let said: String = words.join(" ").chars().take(SAID).collect();
    Err(format!("`{command}` failed ({}): {said}", output.status))
}

/// The processes that a command has begun, killed when this is dropped before the command has ended.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}
