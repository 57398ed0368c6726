//! `zoe top`: what executions use now.

use clap::Args;

use super::args::list::PlainFormat;
use super::session::{Done, Session};
use crate::ops;
use crate::output::usage::{self, Row};

/// Examples in the help.
pub const EXAMPLES: &str = "\
zoe top           every container of the deployment
zoe top last      those of one execution";

/// Arguments of `zoe top`.
#[derive(Debug, Clone, Args)]
pub struct TopArgs {
    /// Only this execution: an id or its beginning, a name, or 'last'
    #[arg(value_name = "EXEC")]
    execution: Option<String>,
    /// In which form: table or json
    #[arg(
        short,
        long,
        value_enum,
        default_value = "table",
        value_name = "FORM",
        hide_possible_values = true
    )]
    output: PlainFormat,
    /// Leave the table's header out
    #[arg(long)]
    no_header: bool,
}

/// Prints it, once.
pub async fn run(args: TopArgs, session: &Session) -> Done {
    let context = session.context().await?;
    let used = ops::top::top(&context, args.execution.as_deref()).await?;
    let mut rows = Vec::new();
    for one in used {
        let key = &one.instance.key;
        match one.usage {
            Ok(usage) => rows.push(Row {
                execution: one.execution,
                name: one.name,
                component: key.component.to_string(),
                index: key.index,
                cpu: usage
                    .cpu_before
                    .map(|(before, between)| usage::percent(usage.cpu_time - before, between)),
                cores: one.instance.reservation.cores,
                memory: usage.memory,
                memory_limit: usage.memory_limit,
                network: usage.network,
                processes: usage.processes,
            }),
            Err(why) => session.face.warn(&format!(
                "{}-{} of {} could not be read: {why}",
                key.component, key.index, one.execution
            )),
        }
    }
    let text = match args.output {
        PlainFormat::Table => usage::table(&rows, &session.look(args.no_header)),
        PlainFormat::Json => usage::json(&rows),
    };
    session.face.print(&text)?;
    Ok(0)
}
