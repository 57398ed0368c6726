//! `zoe logs`: what the members of an execution wrote.

use std::io::{self, IsTerminal as _, Write as _};

use clap::Args;
use futures_util::StreamExt as _;

use super::args::values::{self, Moment};
use super::error::{CommandError, Kind};
use super::session::{Done, Session};
use crate::engine::Output;
use crate::model::ids::shorten;
use crate::ops::logs::{LogOptions, Logs, logs, while_alive};
use crate::output::lines::Prefixer;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe logs last                    what matters most, such as the driver, as it was written
zoe logs --all last              every member, each line with who wrote it
zoe logs last worker             all workers
zoe logs -f nightly worker-1     one of several, as it comes
zoe logs last --since 10m --tail 100 --timestamps";

/// Arguments of `zoe logs`.
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    /// An id or its beginning, a name, or 'last'
    #[arg(value_name = "EXEC")]
    execution: String,
    /// This component (worker), or this member of it (worker-1) [default: the one whose exit ends the execution]
    #[arg(value_name = "COMPONENT")]
    component: Option<String>,
    /// Every member of every component
    #[arg(short, long, conflicts_with = "component")]
    all: bool,
    /// Go on as more comes
    #[arg(short, long)]
    follow: bool,
    /// Only what was written since: 10m (ago), or a time
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    since: Option<Moment>,
    /// Only so many lines of each member, from the end
    #[arg(short = 'n', long, value_name = "LINES", value_parser = tail)]
    tail: Option<Tail>,
    /// Of a job that was run again because it failed: those of this run, from 1 [default: the last]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "follow")]
    attempt: Option<u32>,
    /// Begin each line with the time it was written
    #[arg(short, long)]
    timestamps: bool,
}

/// How many lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    All,
    Lines(u64),
}

fn tail(text: &str) -> Result<Tail, String> {
    if text == "all" {
        return Ok(Tail::All);
    }
    text.parse().map(Tail::Lines).map_err(|_| {
        format!(
            "'{}' is not a number of lines; write one, or all",
            shorten(text)
        )
    })
}

/// Prints them: one member's alone byte for byte, several with a prefix for each line.
pub async fn run(args: LogsArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let options = LogOptions {
        component: args.component,
        all: args.all,
        follow: args.follow,
        attempt: args.attempt,
        since: args.since.map(|moment| moment.at(context.now())),
        tail: match args.tail {
            Some(Tail::Lines(lines)) => Some(lines),
            Some(Tail::All) | None => None,
        },
    };
    let reporter = session.face.reporter();
    let mut logs = logs(&context, &args.execution, &options, &reporter).await?;
    reporter.step_aside();
    match logs.alive.filter(|_| options.follow) {
        Some(id) => {
            let printed = print(&mut logs, args.timestamps, session);
            while_alive(&context, id, &reporter, printed).await?
        }
        None => print(&mut logs, args.timestamps, session).await,
    }
}

async fn print(logs: &mut Logs, timestamps: bool, session: &Session) -> Done {
    let raw = !logs.several && !timestamps;
    let terminals = (io::stdout().is_terminal(), io::stderr().is_terminal());
    let prefixer = Prefixer::new(session.face.look.color, timestamps);
    let mut prefixer = prefixer.onto(terminals);
    let mut code = 0;
    while let Some(piece) = logs.pieces.next().await {
        let member = format!("{}-{}", piece.instance.component, piece.instance.index);
        let chunk = match piece.chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                // The others may still be read, but the whole is not what was asked for.
                session.face.warn(&format!(
                    "the log of {member} could not be read to its end: {error}"
                ));
                code = Kind::Failed.code();
                continue;
            }
        };
        if raw {
            write(chunk.output, &chunk.bytes)?;
        } else {
            let shown = if logs.several { member.as_str() } else { "" };
            write(
                chunk.output,
                &prefixer.push(shown, chunk.output, chunk.at, &chunk.bytes),
            )?;
        }
    }
    for (output, rest) in prefixer.finish() {
        write(output, &rest)?;
    }
    Ok(code)
}

/// What went to a container's standard error goes to zoe's.
fn write(output: Output, bytes: &[u8]) -> Result<(), CommandError> {
    match output {
        Output::Stdout => {
            let mut out = io::stdout().lock();
            out.write_all(bytes)?;
            Ok(out.flush()?)
        }
        Output::Stderr => Ok(io::stderr().write_all(bytes)?),
    }
}
