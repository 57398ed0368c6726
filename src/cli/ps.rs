//! `zoe ps`: what is alive.

use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::args::filter::Filter;
use super::args::list::ListArgs;
use super::error::CommandError;
use super::session::{Done, Session};
use crate::ops::{self, Context, list::Listing};
use crate::output::listing::{self, Kind, Shape};
use crate::output::{Format, Look};

/// How often `-w` looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe ps                              what is alive, and why what waits does
zoe ps -a --filter user=ada         the last 50 that have ended, too
zoe ps -o json | jq '.[].urls'      for scripts (docs/json.md)
zoe ps --format '{{ id }}\\t{{ state }}\\t{{ urls[0].url if urls }}'
zoe kill $(zoe ps -q --filter state=queued)";

/// Arguments of `zoe ps`.
#[derive(Debug, Clone, Args)]
pub struct PsArgs {
    /// Those that have ended, too: the last 50
    #[arg(short, long)]
    all: bool,
    /// Ids alone, one a line (the same as -o name)
    // Its name is the global flag's, which it replaces here.
    #[arg(short, long, conflicts_with_all = ["output", "format"])]
    quiet: bool,
    /// Stay, and show every change until Ctrl-C
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    list: ListArgs,
}

/// Prints them.
pub async fn run(args: PsArgs, session: &Session) -> Done {
    let shape = if args.quiet {
        Shape::Format(Format::Name)
    } else {
        args.list.shape()?
    };
    let context = session.context().await?;
    if args.watch {
        return watch(&args, &shape, &context, session).await;
    }
    let listing = look(&args, &context).await?;
    session.tell_oddities(&listing.anomalies, &listing.gaps);
    session.tell_unreadable(&listing.unreadable);
    if let Some(why) = &listing.no_history {
        session.face.warn(&format!(
            "{why}; nothing that is queued is started, and nothing that ends is recorded, until it is back"
        ));
    }
    let text = listing::executions(
        &listing.executions,
        Kind::Live,
        &shape,
        &session.look(args.list.no_header),
    )?;
    session.face.print(&text)?;
    // What is alive is told all the same.
    listing.no_past.map_or(Ok(0), |error| Err(error.into()))
}

async fn look(args: &PsArgs, context: &Context) -> Result<Listing, ops::OpsError> {
    let mut listing = ops::list::ps(context, args.all || args.filter.wants_ended()).await?;
    listing.executions.retain(|view| args.filter.holds(view));
    Ok(listing)
}

async fn watch(args: &PsArgs, shape: &Shape, context: &Context, session: &Session) -> Done {
    let mut interrupts = signal(SignalKind::interrupt())
        .map_err(|e| CommandError::failed(format!("cannot listen for Ctrl-C: {e}")))?;
    let mut shown = None;
    loop {
        let listing = look(args, context).await?;
        if let Some(error) = listing.no_past {
            return Err(error.into());
        }
        let look = Look {
            now: context.now(),
            ..session.look(args.list.no_header)
        };
        let text = listing::executions(&listing.executions, Kind::Live, shape, &look)?;
        if shown.as_ref() != Some(&text) {
            // On a terminal the list is drawn in place; elsewhere each change is a list of its own.
            let clear = if session.face.terminal.output {
                "\u{1b}[H\u{1b}[2J"
            } else {
                ""
            };
            session.face.print(&format!("{clear}{text}"))?;
            shown = Some(text);
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            _ = interrupts.recv() => return Ok(0),
        }
    }
}
