//! Where commands write: data on standard output, everything else on standard error.

use std::io::{self, Write};

use jiff::Timestamp;

use super::error::{CommandError, Kind};
use super::global::{ColorWhen, GlobalArgs};
use crate::output::Look;
use crate::output::progress::{Manner, Reporter};
use crate::output::text::clean_lines;

/// What the process found at its three standard streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Whether standard input is a terminal.
    pub input: bool,
    /// Whether standard output is.
    pub output: bool,
    /// Whether standard error is.
    pub error: bool,
    /// Columns and rows, where there is a terminal.
    pub size: Option<(u16, u16)>,
}

/// What colours and widths follow from.
#[derive(Debug, Clone, Copy)]
pub struct Wishes<'a> {
    /// `NO_COLOR`, if it is set.
    pub no_color: Option<&'a str>,
    /// `COLUMNS`, if it is set.
    pub columns: Option<&'a str>,
    /// `TERM`, if it is set.
    pub term: Option<&'a str>,
}

/// Writes what a command has to say.
#[derive(Debug, Clone, Copy)]
pub struct Face {
    /// How tables look.
    pub look: Look,
    /// The streams.
    pub terminal: Terminal,
    manner: Manner,
    color_errors: bool,
}

impl Face {
    /// What the flags and the surroundings want. A flag beats `NO_COLOR`, which beats the terminal.
    pub fn new(
        global: &GlobalArgs,
        terminal: Terminal,
        wishes: Wishes<'_>,
        now: Timestamp,
    ) -> Self {
        let plain = wishes.no_color.is_some_and(|v| !v.is_empty()) || wishes.term == Some("dumb");
        let color = |is_terminal: bool| match global.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => is_terminal && !plain,
        };
        let asked = wishes
            .columns
            .and_then(|c| c.parse().ok())
            .filter(|c| *c > 0);
        let found = terminal
            .size
            .map(|(columns, _)| columns)
            .filter(|c| *c > 0 && terminal.output);
        let manner = match (global.quiet, terminal.error) {
            (true, _) => Manner::Quiet,
            (false, true) => Manner::Live,
            (false, false) => Manner::Plain,
        };
        Self {
            look: Look {
                columns: asked.or(found),
                color: color(terminal.output),
                header: true,
                now,
            },
            terminal,
            manner,
            color_errors: color(terminal.error),
        }
    }

    /// Writes data.
    pub fn print(&self, text: &str) -> Result<(), CommandError> {
        self.bytes(text.as_bytes())
    }

    /// Writes data as it is.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), CommandError> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }

    /// Tells something that is no data; not with `--quiet`.
    pub fn note(&self, text: &str) {
        if self.manner != Manner::Quiet {
            tell(text);
        }
    }

    /// Tells of something that is not as it should be.
    pub fn warn(&self, text: &str) {
        tell(&format!("warning: {text}"));
    }

    /// Asks a person something; the answer comes on the same line.
    pub fn ask(&self, question: &str) {
        let _ = write!(io::stderr(), "{}", clean_lines(question));
    }

    /// Where progress is told.
    pub fn reporter(&self) -> Reporter {
        Reporter::new(self.manner)
    }

    /// Tells why a command failed.
    pub fn fail(&self, error: &CommandError) {
        if error.kind != Kind::Unread {
            let (red, plain) = if self.color_errors {
                ("\u{1b}[1;31m", "\u{1b}[0m")
            } else {
                ("", "")
            };
            let hint = error
                .hint
                .as_ref()
                .map(|hint| format!("\nhint: {}", clean_lines(hint)))
                .unwrap_or_default();
            // A standard error that nobody reads is no reason to fail.
            let _ = writeln!(
                io::stderr(),
                "{red}error:{plain} {}{hint}",
                clean_lines(&error.message)
            );
        }
    }
}

fn tell(text: &str) {
    // A standard error that nobody reads is no reason to fail.
    let _ = writeln!(io::stderr(), "{}", clean_lines(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(color: ColorWhen, output: bool, no_color: Option<&str>, columns: Option<&str>) -> Look {
        let global = GlobalArgs {
            color,
            ..GlobalArgs::default()
        };
        let terminal = Terminal {
            output,
            size: Some((120, 40)),
            ..Terminal::default()
        };
        Face::new(
            &global,
            terminal,
            Wishes {
                no_color,
                columns,
                term: None,
            },
            Timestamp::UNIX_EPOCH,
        )
        .look
    }

    #[test]
    fn colours_and_width_follow_flag_then_environment_then_terminal() {
        assert!(look(ColorWhen::Auto, true, None, None).color);
        assert!(!look(ColorWhen::Auto, false, None, None).color);
        assert!(!look(ColorWhen::Auto, true, Some("1"), None).color);
        assert!(look(ColorWhen::Auto, true, Some(""), None).color);
        assert!(look(ColorWhen::Always, false, Some("1"), None).color);
        assert!(!look(ColorWhen::Never, true, None, None).color);
        assert_eq!(look(ColorWhen::Auto, true, None, None).columns, Some(120));
        assert_eq!(
            look(ColorWhen::Auto, true, None, Some("60")).columns,
            Some(60)
        );
        assert_eq!(
            look(ColorWhen::Auto, false, None, Some("60")).columns,
            Some(60)
        );
        assert_eq!(
            look(ColorWhen::Auto, false, None, Some("wide")).columns,
            None
        );
    }
}
