//! `zoe history`: what has been.

use clap::{Args, ValueEnum};

use super::args::list::{FormatArg, ListArgs};
use super::args::values::{self, Moment};
use super::error::CommandError;
use super::session::{Done, Session};
use crate::ops;
use crate::output::listing::{self, Kind, Shape};
use crate::output::{Format, Look, sums as view};
use crate::store::{Query, Sum, SumBy};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe history                                  the last 50
zoe history --state failed --since 7d        what went wrong this week
zoe history --user ada -o json --limit 1000  for scripts (docs/json.md)
zoe history --sum user --since 2026-11-01 -o csv
                                             core-hours and GiB-hours of each user
zoe history --at 2026-11-21T03:00:00Z        what ran then
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

/// What to add up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SumArg {
    /// By user
    User,
    /// By application
    Application,
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
    /// What ran then: 2h (ago), 2026-11-22, or a time
    #[arg(long, value_name = "TIME", value_parser = values::moment, conflicts_with_all = ["as_workload", "sum"])]
    at: Option<Moment>,
    /// The page that follows on this one: its last line, by id or name
    #[arg(long, value_name = "EXEC", conflicts_with_all = ["as_workload", "sum", "at"])]
    after: Option<String>,
    #[command(flatten)]
    list: ListArgs,
    /// Add up: executions, core-hours and GiB-hours by user or application
    #[arg(long, value_enum, value_name = "WHAT", hide_possible_values = true, conflicts_with_all = ["format", "columns", "limit"])]
    sum: Option<SumArg>,
    /// As a workload for `zoe simulate`, in CSV: how large they were, and how long they took
    #[arg(long, conflicts_with_all = ["output", "format", "no_header", "columns", "sum"])]
    as_workload: bool,
}

/// Prints it.
pub async fn run(args: HistoryArgs, session: &Session) -> Done {
    let shape = args.list.shape()?;
    // What runs still is asked of Docker.
    let context = match args.at {
        Some(_) => session.context().await?,
        None => session.history()?,
    };
    let now = context.now();
    let state = args.state.map(|state| match state {
        Ended::Finished => "finished",
        Ended::Failed => "failed",
        Ended::Cancelled => "cancelled",
    });
    let mut query = Query {
        user: args.user,
        application: args.application,
        name: args.name,
        state: state.map(str::to_owned),
        since: args.since.map(|moment| moment.at(now)),
        until: args.until.map(|moment| moment.at(now)),
        limit: args.limit.or((!args.as_workload).then_some(USUAL)),
        ..Query::default()
    };
    if let (Some(since), Some(until)) = (query.since, query.until)
        && since > until
    {
        return Err(CommandError::usage(
            "--since is after --until: there is no time in between",
        ));
    }
    let at = args.at.map(|moment| moment.at(now));
    if at.is_some_and(|at| at > now) {
        return Err(
            CommandError::usage("--at is in the future: what will run then nobody knows")
                .hint("`zoe ps` lists what runs now, `zoe queue` what waits"),
        );
    }
    if args.as_workload {
        return workload(&context, &query, session).await;
    }
    if let Some(by) = args.sum {
        return sums(&context, &query, by, &args.list, session).await;
    }
    // History knows of what is alive, too; that is for `ps`.
    query.over = true;
    let views = if let Some(at) = at {
        query.limit = args.limit;
        let (mut views, silent) = ops::history::at(&context, &query, at).await?;
        if let Some(error) = silent {
            let text = format!("not all that ran then and runs still is in it: {error}");
            session.face.warn(&text);
        }
        views.truncate(args.limit.map_or(usize::MAX, |limit| limit as usize));
        views
    } else {
        if let Some(last) = &args.after {
            query.after = Some(ops::history::after(&context, last).await?);
        }
        let past = ops::history::past_of(&context, &query).await?;
        session.tell_unreadable(&past.unreadable);
        past.executions
    };
    let look = session.look(args.list.no_header);
    let text = listing::executions(&views, Kind::Past, &shape, &look)?;
    session.face.print(&text)?;
    let is_full = at.is_none()
        && query
            .limit
            .is_some_and(|most| views.len() as u64 == u64::from(most));
    let is_table = matches!(
        shape,
        Shape::Format(Format::Table | Format::Wide) | Shape::Columns(_)
    );
    if let (true, true, Some(last)) = (is_full, is_table, views.last()) {
        session.face.note(&format!(
            "there may be more: --after {}, or a larger --limit",
            last.id
        ));
    }
    Ok(0)
}

/// Prints what they add up to.
async fn sums(
    context: &ops::Context,
    query: &Query,
    by: SumArg,
    list: &ListArgs,
    session: &Session,
) -> Done {
    let by = match by {
        SumArg::User => SumBy::User,
        SumArg::Application => SumBy::Application,
    };
    let print: fn(&[Sum], SumBy, &Look) -> String = match list.output {
        FormatArg::Table => view::table,
        FormatArg::Csv => |sums, by, look| view::csv(sums, by, look.header),
        FormatArg::Json => |sums, by, _| view::json(sums, by),
        FormatArg::Wide | FormatArg::Jsonl | FormatArg::Name => {
            return Err(CommandError::usage(
                "sums are printed as a table, as json or as csv",
            ));
        }
    };
    let sums = ops::history::sums(context, query, by).await?;
    session
        .face
        .print(&print(&sums, by, &session.look(list.no_header)))?;
    Ok(0)
}

/// Prints them as what `zoe simulate` reads.
async fn workload(context: &ops::Context, query: &Query, session: &Session) -> Done {
    let past = ops::history::workload::workload(context, query).await?;
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
