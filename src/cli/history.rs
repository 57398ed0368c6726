//! `zoe history`: what has been.

use clap::{Args, ValueEnum};

use super::args::list::ListArgs;
use super::args::values::{self, Moment};
use super::session::{Done, Session};
use crate::ops;
use crate::output::listing::{self, Kind};
use crate::store::Query;

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe history                                  the last 50
zoe history --state failed --since 7d        what went wrong this week
zoe history --user ada -o json --limit 1000  for scripts (docs/json.md)
zoe history --as-workload --since 30d > w.csv
                                             what `zoe simulate` replays";

/// How many are listed.
const USUAL: u32 = 50;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ended {
    /// Well
    Finished,
    /// Not well, or out of time
    Failed,
    /// Ended by somebody
    Cancelled,
}

/// Arguments of `zoe history`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which")]
pub struct HistoryArgs {
    /// Whose
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Of which application
    #[arg(long, value_name = "APP")]
    application: Option<String>,
    /// Called so
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How they ended: finished, failed or cancelled
    #[arg(long, value_enum, value_name = "STATE", hide_possible_values = true)]
    state: Option<Ended>,
    /// Submitted since: 7d (ago), 2026-11-22, or a time
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    since: Option<Moment>,
    /// Submitted before
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    until: Option<Moment>,
    /// At most so many, the newest first [default: 50; as a workload all]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    #[command(flatten)]
    list: ListArgs,
    /// As a workload for `zoe simulate`, in CSV: how large they were, and how long they took
    #[arg(long, conflicts_with_all = ["output", "format", "no_header"])]
    as_workload: bool,
}

/// Prints it.
pub async fn run(args: HistoryArgs, session: &Session) -> Done {
    let shape = args.list.shape()?;
    let context = session.history()?;
    let now = context.now();
    let state = args.state.map(|state| match state {
        Ended::Finished => "finished",
        Ended::Failed => "failed",
        Ended::Cancelled => "cancelled",
    });
    let query = Query {
        user: args.user,
        application: args.application,
        name: args.name,
        state: state.map(str::to_owned),
        since: args.since.map(|moment| moment.at(now)),
        until: args.until.map(|moment| moment.at(now)),
        limit: args.limit.or((!args.as_workload).then_some(USUAL)),
        ..Query::default()
    };
    if args.as_workload {
        return workload(&context, &query, session).await;
    }
    let past = ops::list::past_of(&context, &query).await?;
    session.tell_unreadable(&past.unreadable);
    let mut views = past.executions;
    // History knows of what is alive, too; that is for `ps`.
    views.retain(|view| view.state.is_over());
    session.face.print(&listing::executions(
        &views,
        Kind::Past,
        &shape,
        &session.look(args.list.no_header),
    )?)?;
    Ok(0)
}

/// Prints them as what `zoe simulate` reads.
async fn workload(context: &ops::Context, query: &Query, session: &Session) -> Done {
    let past = ops::workload::workload(context, query).await?;
    let mut csv = Vec::new();
    crate::simulate::write(&past.jobs, &mut csv)?;
    session.face.bytes(&csv)?;
    if past.left_out > 0 {
        session.face.note(&format!(
            "{} executions are left out: they never ran, or what they were can't be read",
            past.left_out
        ));
    }
    Ok(0)
}
