//! The `zoe` binary: time, environment and seeds enter here; everything else is in the library.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use zoe::cli::face::Terminal;
use zoe::cli::{self, Process, Tracing};
use zoe::config::Surroundings;
use zoe::ops::connect::RealWorld;

/// The exit code for what zoe itself got wrong.
const FAILED: u8 = 125;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|at| format!(" ({}:{})", at.file(), at.line()))
            .unwrap_or_default();
        let _ = writeln!(
            io::stderr(),
            "error: zoe met a mistake of its own{place}; nothing was lost, any later zoe goes on"
        );
        // The process ends here whatever thread it is: a half that goes on would only hide it.
        std::process::exit(i32::from(FAILED));
    }));
    match cli::parse(std::env::args_os()) {
        Err(code) => ExitCode::from(code),
        Ok(command_line) => {
            trace(command_line.tracing());
            let process = Process {
                around: Surroundings::of_process(),
                terminal: terminal(),
                world: Arc::new(RealWorld),
            };
            ExitCode::from(cli::run(command_line, process))
        }
    }
}

fn terminal() -> Terminal {
    let output = io::stdout().is_terminal();
    Terminal {
        input: io::stdin().is_terminal(),
        output,
        error: io::stderr().is_terminal(),
        size: if output {
            crossterm::terminal::size()
                .ok()
                .filter(|(columns, rows)| *columns > 0 && *rows > 0)
        } else {
            None
        },
    }
}

/// Standard error, for what is told beside the work: a line that can't be written, as the disk is full or nobody reads any more, is
/// not worth ending for.
struct Told;

impl Write for Told {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stderr().flush();
        Ok(())
    }
}

/// Tells on standard error what is done, if that was asked for.
fn trace(wanted: Option<Tracing>) {
    let Some(wanted) = wanted else { return };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(wanted.filter)
        .with_target(wanted.with_target)
        .with_writer(|| Told)
        .with_ansi(io::stderr().is_terminal());
    if wanted.json {
        subscriber.json().flatten_event(true).init();
    } else {
        subscriber.init();
    }
}
