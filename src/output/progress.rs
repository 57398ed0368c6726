//! What is going on, on stderr: a live line on a terminal, a few plain lines elsewhere, nothing with `--quiet`.
//!
//! Only warnings are always told. Standard output is never touched.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text::{clean, uncoloured};
use crate::engine::Progress;
use crate::model::Bytes;
use crate::ops::report::{News, Report};

/// How much is told, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Warnings only.
    Quiet,
    /// A line for each event, without control codes.
    Plain,
    /// A line that changes in place, for a terminal.
    Live,
}

/// Tells the news on stderr.
pub struct Reporter {
    manner: Manner,
    state: Mutex<State>,
    out: Mutex<Box<dyn Write + Send>>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    /// The last line that was told, so that nothing is told twice in a row.
    last: String,
    /// Of the image that is being handled: bytes done and to be done, by part.
    parts: BTreeMap<String, (u64, u64)>,
    image: String,
    /// How ready each component was when that was told last.
    ready: BTreeMap<String, (u64, u64)>,
}

impl Reporter {
    /// One that writes to standard error.
    pub fn new(manner: Manner) -> Self {
        Self::to(manner, Box::new(io::stderr()))
    }

    fn to(manner: Manner, out: Box<dyn Write + Send>) -> Self {
        Self {
            manner,
            state: Mutex::default(),
            out: Mutex::new(out),
        }
    }

    /// Takes the live line away, because something else is about to write to the terminal.
    pub fn step_aside(&self) {
        if let Some(bar) = self.state().bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Tells what is of interest while somebody watches, and to nobody afterwards.
    fn passing(&self, state: &mut State, line: &str) {
        if self.manner == Manner::Live {
            self.now(state, line);
        }
    }

    /// Tells a line of the face's own.
    pub fn note(&self, line: &str) {
        if self.manner != Manner::Quiet {
            let mut state = self.state();
            self.line(&mut state, line);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line that stays. A standard error that is gone is no reason to stop.
    fn line(&self, state: &mut State, line: &str) {
        if state.last == line {
            return;
        }
        line.clone_into(&mut state.last);
        let write = || {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(out, "{}", clean(line));
        };
        match &state.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// What goes on right now: the live line, or a line where there is none.
    fn now(&self, state: &mut State, text: &str) {
        match self.manner {
            Manner::Quiet => {}
            Manner::Plain => self.line(state, text),
            Manner::Live => {
                let bar = state.bar.get_or_insert_with(spinner);
                bar.set_message(clean(text).into_owned());
            }
        }
    }

    fn image(&self, state: &mut State, image: &str, progress: &Progress) {
        let message = progress.message.trim();
        let is_new = state.image != image;
        if is_new {
            image.clone_into(&mut state.image);
            state.parts.clear();
        }
        if let Some(bytes) = progress.bytes {
            state.parts.insert(progress.part.clone(), bytes);
        }
        if progress.part.is_empty() {
            // What is said of the whole is worth a line, and mostly names the image itself. A build passes on what its programs
            // write, coloured and several lines at once.
            let lines = uncoloured(message);
            let lines = lines.split(['\n', '\r']).map(str::trim_end);
            for line in lines.filter(|line| !line.is_empty()) {
                self.now(state, line);
            }
        } else if is_new || self.manner == Manner::Live {
            let size = size(&state.parts)
                .filter(|_| self.manner == Manner::Live)
                .unwrap_or_default();
            self.now(
                state,
                &format!("image {image}: {}{size}", message.to_lowercase()),
            );
        }
    }
}

/// How much of all parts is done.
fn size(parts: &BTreeMap<String, (u64, u64)>) -> Option<String> {
    let sum = |(done, all): (u64, u64), part: &(u64, u64)| {
        (done.saturating_add(part.0), all.saturating_add(part.1))
    };
    let (done, all) = parts.values().fold((0, 0), sum);
    (all > 0).then(|| format!(" {} of {}", Bytes::new(done), Bytes::new(all)))
}

impl Report for Reporter {
    fn tell(&self, news: News) {
        let mut state = self.state();
        let state = &mut *state;
        if let News::Warning(text) = &news {
            return self.line(state, &format!("warning: {text}"));
        }
        if self.manner == Manner::Quiet {
            return;
        }
        match news {
            // Whoever stays is told in other words: that it runs, and how it ended.
            News::Warning(_)
            | News::Started { .. }
            | News::StartFailed { .. }
            | News::Again { .. }
            | News::Dropped { .. }
            | News::Ended { .. } => {}
            News::Image { image, progress } => self.image(state, &image, &progress),
            News::Packed { files, bytes } => {
                let plural = if files == 1 { "file" } else { "files" };
                let size = Bytes::new(bytes);
                self.passing(state, &format!("packed {files} {plural}, {size}"));
            }
            News::Submitted { id, name } => {
                self.line(state, &named("submitted", id.as_str(), &name));
            }
            News::Found { id, name } => {
                self.line(state, &named("already there:", id.as_str(), &name));
            }
            News::Waiting(reason) => self.now(state, &format!("queued: {reason}")),
            News::Setback(what) => self.line(state, &what),
            News::Starting(_) => self.passing(state, "starting"),
            News::Running => self.passing(state, "running"),
            News::Ready {
                component,
                have,
                want,
            } => {
                let before = state.ready.insert(component.clone(), (have, want));
                if before != Some((have, want)) {
                    self.passing(state, &format!("{component}: {have} of {want} ready"));
                }
            }
            News::Ending(_) => self.passing(state, "ending"),
        }
    }
}

fn named(what: &str, id: &str, name: &str) -> String {
    if name == id || name.is_empty() {
        format!("{what} {id}")
    } else {
        format!("{what} {id} ({name})")
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.step_aside();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn told(manner: Manner) -> String {
        let kept = Kept::default();
        let reporter = Reporter::to(manner, Box::new(kept.clone()));
        let id = crate::model::ExecutionId::from_bits(1);
        let layer = |part: &str, done| Progress {
            part: part.into(),
            message: "Downloading".into(),
            bytes: Some((done, 10)),
        };
        for news in [
            News::Image {
                image: "zoe/spark\u{1b}[2J".into(),
                progress: layer("a", 1),
            },
            News::Image {
                image: "zoe/spark\u{1b}[2J".into(),
                progress: layer("b", 2),
            },
            News::Submitted {
                id,
                name: "pi".into(),
            },
            News::Waiting("no room".into()),
            News::Waiting("no room".into()),
            News::Starting(id),
            News::Ready {
                component: "master".into(),
                have: 1,
                want: 2,
            },
            News::Ready {
                component: "master".into(),
                have: 1,
                want: 2,
            },
            News::Running,
            News::Warning("history is not written".into()),
        ] {
            reporter.tell(news);
        }
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// A classic builder colours what programs write to standard error, and passes on several lines at once.
    #[test]
    fn what_a_build_writes_is_told_line_by_line_and_without_colours() {
        let kept = Kept::default();
        let reporter = Reporter::to(Manner::Plain, Box::new(kept.clone()));
        reporter.tell(News::Image {
            image: "zoe/spark".into(),
            progress: Progress {
                part: String::new(),
                message: "\u{1b}[91mdebconf: delaying\r\nuntil \u{1b}[2Jlater\n\u{1b}[0m".into(),
                bytes: None,
            },
        });
        let bytes = kept.0.lock().unwrap().clone();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap(), @r"
debconf: delaying
until \u{1b}[2Jlater
");
    }

    #[test]
    fn without_a_terminal_there_are_a_few_plain_lines() {
        insta::assert_snapshot!(told(Manner::Plain), @r"
image zoe/spark\u{1b}[2J: downloading
submitted baaaaaaa (pi)
queued: no room
warning: history is not written
");
    }

    #[test]
    fn quiet_means_warnings_only() {
        assert_eq!(told(Manner::Quiet), "warning: history is not written\n");
    }
}
