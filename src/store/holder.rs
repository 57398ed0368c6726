//! Who holds the lease: a text that names one process, and the question whether that process is gone.
//!
//! A process can judge only what it can see: processes of the same boot of the same kernel, in the same pid namespace, of the
//! same user (others' may be hidden). All others count as alive, and their leases lapse by time.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// One holder in one process; two made in the same process are two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    proc: PathBuf,
    text: String,
}

/// What is compared; the rest of the text is for people.
struct Parts<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        Self(
            text.split_whitespace()
                .filter_map(|part| part.split_once('='))
                .collect(),
        )
    }

    /// A value that is there and says something.
    fn get(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).copied().filter(|value| *value != UNKNOWN)
    }
}

const UNKNOWN: &str = "?";

impl Holder {
    /// A holder in this process.
    pub fn of_this_process() -> Self {
        Self::seen_in(Path::new("/proc"))
    }

    /// A holder in the process that `proc/self` stands for; what cannot be read is left open, and then nothing is concluded
    /// from it.
    pub fn seen_in(proc: &Path) -> Self {
        static TURN: AtomicU64 = AtomicU64::new(0);
        let known = |value: Option<String>| {
            value
                .filter(|v| !v.is_empty() && !v.contains(char::is_whitespace))
                .unwrap_or_else(|| UNKNOWN.to_owned())
        };
        let file = |path: &str| {
            std::fs::read_to_string(proc.join(path))
                .ok()
                .map(|text| text.trim().to_owned())
        };
        let link = |path: &str| {
            std::fs::read_link(proc.join(path))
                .ok()
                .map(|target| target.to_string_lossy().into_owned())
        };
        let pid = known(link("self"));
        let start = known(started(proc, &pid));
        let user = std::fs::metadata(proc.join("self")).map(|found| found.uid());
        let text = format!(
            "host={} pid={pid} start={start} user={} boot={} namespace={} turn={}",
            known(file("sys/kernel/hostname")),
            known(user.ok().map(|uid| uid.to_string())),
            known(file("sys/kernel/random/boot_id")),
            known(link("self/ns/pid")),
            // Makes it unlike all others, where nothing else could be read too.
            if start == UNKNOWN {
                format!("{:016x}", rand::random::<u64>())
            } else {
                TURN.fetch_add(1, Ordering::Relaxed).to_string()
            },
        );
        Self {
            proc: proc.to_owned(),
            text,
        }
    }

    /// The text to give as a lease's holder.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the process that `other` names is known to be gone, so that it will never act on what it holds.
    pub fn is_dead(&self, other: &str) -> bool {
        self.gone(other).unwrap_or(false)
    }

    fn gone(&self, other: &str) -> Option<bool> {
        let (mine, theirs) = (Parts::of(&self.text), Parts::of(other));
        for key in ["boot", "namespace", "user"] {
            if mine.get(key)? != theirs.get(key)? {
                return Some(false);
            }
        }
        // Being able to see oneself proves that silence means absence.
        let own = started(&self.proc, mine.get("pid")?)?;
        if own != mine.get("start")? {
            return None;
        }
        let pid: u32 = theirs.get("pid")?.parse().ok()?;
        let start = theirs.get("start")?;
        Some(started(&self.proc, &pid.to_string()).is_none_or(|now| now != start))
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A holder's text for people: `process 4711 on node1`.
pub fn describe(text: &str) -> String {
    let parts = Parts::of(text);
    match (parts.get("pid"), parts.get("host")) {
        (Some(pid), Some(host)) => format!("process {pid} on {host}"),
        _ => crate::model::ids::shorten(text),
    }
}

/// When a process began, in the kernel's ticks since boot; None where it is gone, or a zombie, which does nothing any more.
fn started(proc: &Path, pid: &str) -> Option<String> {
    let line = std::fs::read(proc.join(pid).join("stat")).ok()?;
    // The second field is the program's name in parentheses, in which there may be anything, more parentheses too.
    let after = line.iter().rposition(|byte| *byte == b')')? + 1;
    let rest = String::from_utf8_lossy(line.get(after..)?).into_owned();
    let mut fields = rest.split_ascii_whitespace();
    // proc(5): the state is field 3, the start time field 22.
    let state = fields.next()?;
    let start = fields.nth(18)?;
    (!matches!(state, "Z" | "X" | "x")).then(|| start.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    /// A made-up /proc in which process 100 is the one that asks.
    fn machine(boot: &str, namespace: &str) -> TempDir {
        let proc = tempfile::tempdir().unwrap();
        let at = |path: &str| proc.path().join(path);
        fs::create_dir_all(at("sys/kernel/random")).unwrap();
        fs::write(at("sys/kernel/hostname"), "node1\n").unwrap();
        fs::write(at("sys/kernel/random/boot_id"), format!("{boot}\n")).unwrap();
        process(&proc, 100, "S", 5000);
        fs::create_dir(at("100/ns")).unwrap();
        symlink(format!("pid:[{namespace}]"), at("100/ns/pid")).unwrap();
        symlink("100", at("self")).unwrap();
        proc
    }

    fn process(proc: &TempDir, pid: u32, state: &str, start: u64) {
        let directory = proc.path().join(pid.to_string());
        fs::create_dir_all(&directory).unwrap();
        let between = "0 ".repeat(18);
        fs::write(
            directory.join("stat"),
            format!("{pid} (a ) b) {state} {between}{start} 0 0\n"),
        )
        .unwrap();
    }

    /// The text of another process of the same machine.
    fn other(me: &Holder, pid: u32, start: u64) -> String {
        me.as_str()
            .replace("pid=100", &format!("pid={pid}"))
            .replace("start=5000", &format!("start={start}"))
    }

    #[test]
    fn a_process_is_dead_when_its_pid_is_gone_reused_or_a_zombie() {
        let proc = machine("b1", "7");
        let me = Holder::seen_in(proc.path());
        assert!(me.is_dead(&other(&me, 101, 6000)), "gone");
        process(&proc, 101, "R", 6000);
        assert!(!me.is_dead(&other(&me, 101, 6000)), "alive");
        process(&proc, 101, "R", 6001);
        assert!(me.is_dead(&other(&me, 101, 6000)), "its pid is another's");
        process(&proc, 101, "Z", 6000);
        assert!(me.is_dead(&other(&me, 101, 6000)), "a zombie");
        assert!(!me.is_dead(me.as_str()), "this one");
    }

    #[test]
    fn nothing_is_concluded_about_what_cannot_be_seen() {
        let proc = machine("b1", "7");
        let me = Holder::seen_in(proc.path());
        let dead = other(&me, 101, 6000);
        for (from, to) in [
            ("boot=b1", "boot=b2"),
            ("boot=b1", "boot=?"),
            ("namespace=pid:[7]", "namespace=pid:[8]"),
            ("user=", "user=9"),
            ("pid=101", "pid=self"),
            ("pid=101", "pid=-1"),
            ("start=6000", ""),
        ] {
            let text = dead.replace(from, to);
            assert_ne!(text, dead);
            assert!(!me.is_dead(&text), "{text}");
        }
        for text in ["", "somebody", "boot=b1", "\0=\0 = =="] {
            assert!(!me.is_dead(text), "{text:?}");
        }
        let elsewhere = machine("b2", "7");
        assert!(!Holder::seen_in(elsewhere.path()).is_dead(&dead));
        fs::remove_dir_all(proc.path().join("100")).unwrap();
        assert!(!me.is_dead(&dead), "not even this process can be seen");
    }

    #[test]
    fn where_there_is_no_proc_a_holder_is_still_unlike_others_and_judges_nobody() {
        let nowhere = tempfile::tempdir().unwrap();
        let (a, b) = (
            Holder::seen_in(nowhere.path()),
            Holder::seen_in(nowhere.path()),
        );
        assert_ne!(a.as_str(), b.as_str());
        assert!(!a.is_dead(b.as_str()));
    }

    #[test]
    fn a_child_that_ended_is_dead_and_this_process_is_not() {
        let me = Holder::of_this_process();
        let again = Holder::of_this_process();
        assert_ne!(me.as_str(), again.as_str());
        assert!(!me.is_dead(again.as_str()));
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let start = started(Path::new("/proc"), &child.id().to_string()).unwrap();
        let parts = Parts::of(me.as_str());
        let text = me
            .as_str()
            .replace(
                &format!("pid={}", parts.get("pid").unwrap()),
                &format!("pid={}", child.id()),
            )
            .replace(
                &format!("start={}", parts.get("start").unwrap()),
                &format!("start={start}"),
            );
        assert!(!me.is_dead(&text));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(me.is_dead(&text));
        assert!(describe(&text).starts_with(&format!("process {} on ", child.id())));
    }
}
